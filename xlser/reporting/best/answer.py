"""The answer of `xlser best` in a sentence or two, and the words that page, text and model card share."""

from __future__ import annotations

import math
import re

import numpy as np

from xlser.evaluation.candidates import BestResult, Estimate, Tried
from xlser.reporting.wording import known, listing, number, score

POOLED = "pooled"
PLAIN = "eGeMAPS with logistic regression"


def expected(candidate: Tried) -> Estimate:
    """Return the mean UA on the sources that were left out, and the lowest and highest of them.

    Between corpora UA differs more than any resampling of one corpus's speakers says, so that their range is what a
    user should be ready for; of a single source there is none.

    >>> row = Tried("a", "", "", "", "", "", "", 0, {"emodb": 0.8, "emovo": 0.6}, 0.7)
    >>> expected(row)
    Estimate(value=0.7, low=0.6, high=0.8)
    """
    values = [value for value in candidate.validated.values() if known(value)]
    if not values:
        return Estimate(math.nan)
    ends = (min(values), max(values)) if len(values) > 1 else (math.nan, math.nan)
    return Estimate(round(float(np.mean(values)), 12), *ends)


def headline(result: BestResult) -> str:
    """Return in a sentence what to expect of the chosen model, beside the plainest one and chance."""
    chosen, plain = result.get(result.chosen), result.get(result.baseline)
    itself = chosen is plain
    beside = f"{PLAIN} {'is it' if itself else f'gets {spread(expected(plain))}'}, chance is {number(chance(result))}"
    return f"Expect a UA of {spread(expected(chosen))} on {result.target}; {beside}."


def grounds(result: BestResult) -> str:
    """Return in a sentence what was chosen, and where it did so well."""
    return f"So well did {spoken(result.get(result.chosen))} on {_where(result)}."


def in_hindsight(result: BestResult) -> str:
    """Return what came of the choice by the target's labels, which took no part in it; empty without any."""
    chosen, plain = result.get(result.chosen), result.get(result.baseline)
    if chosen.target is None or result.oracle is None:
        return ""
    beside = f", {PLAIN} {score(plain.target._asdict())}" if plain.target and plain is not chosen else ""
    before = ", before the labelled clips correct it," if "labels" in result.looks_at else ""
    lead = f"By {result.target}'s own labels, which took no part in the choice, it has{before} a UA of"
    best = result.get(result.oracle).target
    oracle = f"the best in hindsight (oracle) {number(best and best.value)}, regret {points(result.regret)}"
    oracle = "in hindsight none is better there: it is the oracle too" if result.oracle == result.chosen else oracle
    return f"{lead} {score(chosen.target._asdict())}{beside}; {oracle}."


def points(regret: Estimate | None) -> str:
    """Return a regret in points with its interval.

    >>> points(Estimate(0.021, 0.0, 0.052))
    '2.1 points [0.0, 5.2]'
    """
    if regret is None or not known(regret.value):
        return "not known"
    ends = [number(100 * end, 1) for end in regret[1:]] if known(*regret[1:]) else ["n/a"]
    return f"{number(100 * regret.value, 1)} points [{', '.join(ends)}]"


def spread(found: Estimate) -> str:
    """Return a UA with its range, where there is one.

    >>> spread(Estimate(0.7, 0.6, 0.8)), spread(Estimate(0.7))
    ('0.70 (0.60 to 0.80)', '0.70')
    """
    ends = f" ({number(found.low)} to {number(found.high)})" if known(found.low, found.high) else ""
    return f"{number(found.value)}{ends}"


def chance(result: BestResult) -> float:
    """Return the UA of guessing."""
    return 1 / len(result.classes)


def spoken(candidate: Tried) -> str:
    """Return a candidate as a sentence has room for it: what it hears, whose statistics, what adapts it.

    >>> spoken(Tried("", "egemaps", "corpus", "pooled", "prior=uniform", "", "", 0, {}, 0.5))
    'eGeMAPS (corpus statistics, then uniform prior)'
    """
    together = f"{candidate.combination}, " if candidate.combination != POOLED else ""
    after = re.sub(r" \([^)]*\)", "", f", then {steps(candidate.adaptation)}") if candidate.adaptation else ""
    return f"{heard(candidate.representation)} ({together}{candidate.statistics} statistics{after})"


def heard(representation: str) -> str:
    """Return what a candidate hears; of an ensemble what any member does, without how its states are pooled.

    >>> heard("hidden states 2, 3 (mean)").replace("\\xa0", " ")
    'states 2+3 (mean)'
    >>> heard("egemaps; hidden state 3 (mean); hidden states 1, 3 (mean, sounding)").replace("\\xa0", " ")
    'eGeMAPS and states 1, 3'
    """
    if "; " not in representation:
        return short(representation)
    several = " ".join(re.findall(r"states? ([\d, ]+)", representation))
    numbers = sorted({int(number) for number in re.findall(r"\d+", several)})
    states = f"state{'s' * (len(numbers) > 1)}\u00a0{', '.join(map(str, numbers))}"
    return listing(["eGeMAPS"] * ("egemaps" in representation) + [states] * bool(numbers))


def steps(chain: str) -> str:
    """Return a chain of adaptations in words.

    >>> steps("prior=uniform|neighbours:k=10|prior=uniform")
    'uniform prior, neighbours (k=10), uniform prior'
    """
    named = []
    for step in chain.split("|"):
        name, _, options = step.partition(":")
        name = "uniform prior" if name == "prior=uniform" else name
        named.append(f"{name} ({', '.join(options.split(':'))})" if options else name)
    return ", ".join(named)


def short(text: str) -> str:
    """Return what a candidate hears, or its name, as a picture has room for it.

    >>> short("egemaps + hidden states 2, 3 (mean), corpus statistics, pooled, C 0.01, prior=uniform")
    'eGeMAPS + states\xa02+3 (mean), corpus statistics, C\xa00.01, uniform prior'
    """
    text = re.sub(r"\S*=\S*", lambda chain: steps(chain[0]), text)
    text = text.replace(f", {POOLED}", "").replace("egemaps", "eGeMAPS").replace("hidden state", "state")
    text = re.sub(r"logistic regression \(([^)]*)\)", r"\1", text)
    text = re.sub(r"states [\d, ]+\d", lambda several: several[0].replace(", ", "+"), text)
    return re.sub(r"\b(states?|C) (?=\d)", "\\1\u00a0", text)


def _where(result: BestResult) -> str:
    left = [*result.get(result.chosen).validated]
    if len(result.sources) < 2:
        return f"speakers of {listing(result.sources)} itself, where nothing shifts"
    return f"{listing(left)}, each left out in turn"
