"""The answer of `xlser best` in a sentence or two, and the words that page, text and model card share."""

from __future__ import annotations

import math
import re

import numpy as np

from xlser.evaluation.candidates import BestResult, Estimate, Tried
from xlser.reporting.wording import known, listing, number, score

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
    """Return in a sentence what was chosen, and what to expect of it beside the plainest model and chance."""
    chosen, plain = result.get(result.chosen), result.get(result.baseline)
    itself = chosen is plain
    beside = f"; {PLAIN} {'is it' if itself else f'gets {spread(expected(plain))}'}, chance is {number(chance(result))}"
    return (
        f"Expect a UA of {spread(expected(chosen))} on {result.target} from {chosen.name}: so well it did on "
        f"{_where(result)}{beside}."
    )


def in_hindsight(result: BestResult) -> str:
    """Return what came of the choice by the target's labels, which took no part in it; empty without any."""
    chosen, plain = result.get(result.chosen), result.get(result.baseline)
    if chosen.target is None or result.oracle is None:
        return ""
    beside = f", {PLAIN} {score(plain.target._asdict())}" if plain.target and plain is not chosen else ""
    lead = f"By {result.target}'s own labels, which took no part in the choice, it has a UA of"
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


def short(text: str) -> str:
    """Return a candidate as a picture has room for it.

    >>> short("egemaps + hidden state 2 (mean+std), logistic regression (C 0.01)").replace("\u00a0", " ")
    'eGeMAPS + state 2 (mean+std), C 0.01'
    """
    text = re.sub(r"logistic regression \(([^)]*)\)", r"\1", text)
    text = text.replace("egemaps", "eGeMAPS").replace("hidden state ", "state\u00a0")
    return re.sub(r"\bC (?=\d)", "C\u00a0", text)


def _where(result: BestResult) -> str:
    left = [*result.get(result.chosen).validated]
    if len(result.sources) < 2:
        return f"speakers of {listing(result.sources)} itself, where nothing shifts"
    return f"{listing(left)}, each left out in turn"
