"""What a comparison shows: UA of either side place by place, the difference with its test, and how it was tested."""

from __future__ import annotations

import math

from xlser.reporting.bench.facts import Row as Score
from xlser.reporting.bench.sides import Place, Sides
from xlser.reporting.bench.sides_of_runs import NOT_KEPT
from xlser.reporting.section import Group, Note, Row, Section, Table
from xlser.reporting.wording import bounds, difference, known, number, plural, score, signed

LEVEL = 0.05
# Numbers of a place that differ in one of these are not of the same clips and emotions.
_SAME = ("classes", "utterances", "speakers")
_PAIRED = [
    "Paired: p by swapping the two speaker by speaker on the same clips; in brackets by Holm's",
    "correction over all transfers above, held-out speakers apart from these. * that is below 0.05.",
]
_UNPAIRED = [
    "Unpaired: the interval of the difference takes the two as independent. * it excludes 0; nothing is",
    "corrected for looking at several.",
]
_OLDER = [
    f"{NOT_KEPT[0].upper()}{NOT_KEPT[1:]}. For a paired test run it again into another",
    "folder, or give both recipes to one `xlser transfer`.",
]


def places(several: list[Sides]) -> list[Section]:
    """Return the table of every pair of recipes: UA of either, and B less A with its test or interval."""
    return [_section(sides) for sides in several]


def _section(sides: Sides) -> Section:
    rows = []
    for place in sides.places:
        a, b = place.rows
        rows.append(Row([place.name, score(a), score(b), _tested(place) or _difference(a, b)]))
        rows += [Row([remark]) for remark in _remarks(place)]
    table = Table("", ["UA", "A", "B", "B less A"], [Group(rows)])
    return Section("", "", [*map(Note, sides.heads), Note(""), table])


def _tested(place: Place) -> str:
    if place.test is None:
        return ""
    (a, b), p = place.rows, place.test["p_holm"]
    star = "*" if known(p) and p < LEVEL else ""
    return f"{difference(b['value'], a['value'])}{star} p {_p(place.test['p'])} ({_p(p)})"


def _p(value: float) -> str:
    return "<0.001" if known(value) and value < 0.001 else number(value, 3)


def _difference(a: Score, b: Score) -> str:
    row = unpaired(a, b)
    star = "*" if known(row["low"], row["high"]) and (row["low"] > 0 or row["high"] < 0) else ""
    return f"{difference(b['value'], a['value'])}{star} {bounds(row['low'], row['high'], plus=True)}"


def _remarks(place: Place) -> list[str]:
    """Say of a place why it is not paired, or that not all of its clips are."""
    a, b = place.rows
    if place.test:
        apart = known(a["value"], b["value"]) and abs(b["value"] - a["value"] - place.test["difference"]) > 0.005
        told = f"{plural(place.test['clips'], 'clip')} that both judged: {signed(place.test['difference'])}"
        return [f"  p is of {told}"] if apart else []
    found = [f"{name} {a[name]} and {b[name]}" for name in _SAME if a.get(name) != b.get(name)]
    lines = [] if place.why_not == NOT_KEPT else [f"  unpaired: {place.why_not}"]
    return lines + ([f"  not the same clips or emotions: {', '.join(found)}"] if found else [])


def legend(several: list[Sides]) -> Section:
    """Return how differences were tested, and what to beware of."""
    found = [place for sides in several for place in sides.places]
    lines = _PAIRED if any(place.test for place in found) else []
    lines += _UNPAIRED if any(place.test is None for place in found) else []
    lines += _OLDER if any(place.why_not == NOT_KEPT for place in found) else []
    notes = dict.fromkeys(note for sides in several for note in sides.notes)
    return Section("", "", [Note(line) for line in (*lines, *notes)])


def unpaired(a: Score, b: Score) -> Score:
    """Return B less A, with an interval that takes the two as independent; no interval where one has none.

    >>> row = unpaired({"value": 0.5, "low": 0.47, "high": 0.53}, {"value": 0.6, "low": 0.56, "high": 0.64})
    >>> [round(row[name], 9) for name in ("value", "low", "high")]
    [0.1, 0.05, 0.15]
    """
    if not known(a["value"], b["value"]):
        return {"value": None, "low": None, "high": None}
    value = b["value"] - a["value"]
    if not known(a["low"], a["high"], b["low"], b["high"]):
        return {"value": value, "low": None, "high": None}
    below = math.hypot(b["value"] - b["low"], a["high"] - a["value"])
    above = math.hypot(b["high"] - b["value"], a["value"] - a["low"])
    return {"value": value, "low": value - below, "high": value + above}
