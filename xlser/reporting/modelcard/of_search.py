"""Facts for the model card of what `xlser best` chose."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from xlser.evaluation.candidates import BestResult
from xlser.evaluation.contamination import checkpoints_of
from xlser.reporting.best.answer import PLAIN, chance, expected, in_hindsight, spoken, spread
from xlser.reporting.modelcard.model_facts import CardScore, ModelFacts
from xlser.reporting.wording import listing, number
from xlser.vocabulary import ZERO_SHOT


def facts_of_search(result: BestResult) -> ModelFacts:
    """Return what the model card of a search's model says."""
    about, rows = result.about, [dict(row) for row in result.about.get("corpora", [])]
    chosen = result.get(result.chosen)
    looked = [row for row in rows if row["role"] == "target" and result.protocol != ZERO_SHOT]
    return ModelFacts(
        title=f"Speech emotion in {result.target}",
        classes=tuple(result.classes),
        ratings=(),
        learnt_from=tuple(row for row in rows if row["role"] == "source"),
        adapted_to=tuple(looked),
        made=tuple(_made(result)),
        decided=result.decisions,
        scores=tuple(_scores(result, rows)),
        validation=_validation(result),
        plain=PLAIN,
        warned=result.notes,
        checkpoints=tuple(checkpoints_of(about, {})),
        holds_checkpoint=False,
        holds=tuple(_holds(result, rows)),
        opensmile="egemaps" in chosen.representation,
        versions=about.get("versions", {}),
        random=str(about.get("encoder") or "").startswith("random:"),
    )


def _made(result: BestResult) -> list[tuple[str, str]]:
    row = result.get(result.chosen)
    looked = listing(result.looks_at) if result.looks_at else "nothing"
    return [
        ("Made for", f"{result.target}; protocol {result.protocol}, of {result.target} was looked at: {looked}"),
        ("Chosen", spoken(row)),
        ("Hears", row.representation),
        ("Statistics of", row.statistics),
        ("Adaptation", row.adaptation or "none"),
        ("Readout", f"{row.readout}, {row.combination}"),
        ("Choice", f"{result.chosen_by.rstrip('.')}; of {len(result.candidates)} candidates."),
    ]


def _validation(result: BestResult) -> str:
    chosen, plain = result.get(result.chosen), result.get(result.baseline)
    several = (
        "each source left out in turn as a pretended target" if len(result.sources) > 1 else "the source's speakers"
    )
    hindsight = in_hindsight(result) or f"How good it is on {result.target} is not known."
    return (
        f"UA {spread(expected(chosen))} on {several}; {PLAIN} {spread(expected(plain))}; chance "
        f"{number(chance(result))}. {hindsight}"
    )


def _scores(result: BestResult, rows: list[dict[str, Any]]) -> list[CardScore]:
    """Return the UA on the target by its labels, where it has any, and on each source that was left out in turn."""
    chosen, plain = result.get(result.chosen), result.get(result.baseline)
    titles = {str(row["corpus"]): str(row["title"]) for row in rows}
    scores = []
    if chosen.target is not None:
        other = plain.target or (math.nan, math.nan, math.nan)
        scores.append(
            CardScore(
                result.target,
                titles.get(result.target, result.target),
                result.protocol,
                "by its own labels, which took no part in the choice",
                *chosen.target,
                chance(result),
                *other,
            )
        )
    for name, value in chosen.validated.items() if len(result.sources) > 1 else ():
        how = "left out in turn as a pretended target; the choice was made by it"
        pair = {"chance": chance(result), "plain": plain.validated.get(name, math.nan)}
        scores.append(CardScore(name, titles.get(name, name), chosen.protocol, how, value, **pair))
    return scores


def _holds(result: BestResult, rows: list[Mapping[str, Any]] | list[dict[str, Any]]) -> list[str]:
    learnt = listing([str(row["corpus"]) for row in rows if row["role"] == "source"] or list(result.sources))
    text = f"It holds a vector of numbers for each clip of {learnt}, none of which is sound."
    more = (
        f" What it learnt of {result.target}'s recordings, without labels, is in it too: a mean and a spread of each "
        "speaker, and where it asks for neighbours a vector of each recording."
    )
    return [text + (more if result.protocol != ZERO_SHOT else "")]
