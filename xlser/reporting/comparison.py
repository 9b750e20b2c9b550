"""Which side of chance, and of the baseline, readers stand on, in words."""

from __future__ import annotations

from collections.abc import Callable

from xlser.reporting.facts import HEADS, PLAIN, Facts, Row
from xlser.reporting.wording import gain, listing, reader_name, side

_CHANCE = {
    "above": "it is above chance",
    "below": "it is below chance",
    "across": "it cannot be told apart from chance",
    "unknown": "no interval can be given (too few speakers)",
}
_BOTH = {
    "above": "both intervals are above chance",
    "below": "both intervals are below chance",
    "across": "neither can be told apart from chance",
    "unknown": _CHANCE["unknown"],
}
_BASE = {
    "above": "above {}",
    "below": "below {}",
    "across": "it cannot be told apart from {}",
    "unknown": "without an interval it cannot be told apart from {}",
}


def called(facts: Facts, method: str) -> str:
    """Return a method's name as it stands in a sentence: the recipe's own in quotes, for they may be any word.

    A method may be called after the rating it learns from; without quotes "activation follows activation" would say
    nothing.
    """
    return f"the plain {facts.network}" if method == PLAIN and not facts.encoder else f"“{method}”"


def baseline_called(facts: Facts, row: Row) -> str:
    """Return what a row's gain is over, in short."""
    return baseline_said(facts, row) if facts.encoder else facts.baseline


def baseline_said(facts: Facts, row: Row) -> str:
    """Return what a row's gain is over: heads are compared with a classifier, others with the same reader."""
    if row["method"] == facts.baseline:
        return "its classifier alone"
    return baseline_name(facts, row.get("classifier", ""))


def baseline_name(facts: Facts, reader: str) -> str:
    """Return what gains of other methods are over, read by ``reader``."""
    if not facts.encoder:
        return "the plain autoencoder"
    name = called(facts, facts.baseline)
    return f"the classifier of {name}" if reader in HEADS else name


def over_chance(rows: list[Row]) -> str:
    """Say on which side of chance the intervals of one method's readers lie."""
    found = _by_side(rows, lambda row: side(row["low"], row["high"], row["chance"]))
    if len(rows) == 2 and len(found) == 1:
        return f"{upper(_BOTH[next(iter(found))])}."
    return f"{upper('; '.join(f'with {listing(who)} {_CHANCE[where]}' for where, who in found.items()))}."


def over_baseline(facts: Facts, rows: list[Row]) -> str:
    """Return one method's gains with their intervals, or nothing where it is the baseline."""
    compared = [row for row in rows if facts.is_compared(row)]
    if not compared:
        return ""
    # One of several readers may be the baseline itself.
    which = [f" ({reader_name(row['classifier'])})" if len(compared) < len(rows) else "" for row in compared]
    gains = listing(f"{gain(row)}{text}" for row, text in zip(compared, which, strict=True))
    return f"The gain over {baseline_called(facts, compared[0])} is {gains}: {_sides(facts, compared)}."


def told_from_baseline(facts: Facts, rows: list[Row]) -> str:
    """Say whether one method can be told from the baseline, without numbers."""
    compared = [row for row in rows if facts.is_compared(row)]
    if not compared:
        return ""
    if not facts.encoder:
        return f" Against plain: {_sides(facts, compared)}."
    which = f"with {reader_name(compared[0]['classifier'])}, " if len(compared) < len(rows) else ""
    return f" {upper(which + _sides(facts, compared))}."


def side_of_baseline(facts: Facts, row: Row) -> str:
    """Say whether a row's gain excludes 0, in words that name the baseline."""
    return _BASE[gain_side(row)].format(baseline_said(facts, row))


def _sides(facts: Facts, rows: list[Row]) -> str:
    found = _by_side(rows, lambda row: side_of_baseline(facts, row))
    if len(found) == 1:
        return next(iter(found))
    return "; ".join(f"with {listing(who)}, {told}" for told, who in found.items())


def _by_side(rows: list[Row], judge: Callable[[Row], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(judge(row), []).append(reader_name(row["classifier"]))
    return found


def gain_side(row: Row) -> str:
    """Say on which side of 0 the interval of a gain lies."""
    return side(row["gain_low"], row["gain_high"], 0.0)


def upper(text: str) -> str:
    """Return a text with a capital, as a sentence begins.

    >>> upper("with kNN")
    'With kNN'
    """
    return f"{text[0].upper()}{text[1:]}"
