"""Do probabilities and promises hold in the target? Curves and tables of what a cell says of its own doubt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from xlser.reporting.bench.chart import Axes, Curve, Point, chart
from xlser.reporting.bench.facts import Bench, Key, Row
from xlser.reporting.bench.shots import Panel
from xlser.reporting.wording import bounds, known, number, side, whole

Named = tuple[str, int, Row]


@dataclass
class Trusted:
    """A line of the table: numbers written out; ``side`` of the promise that coverage lies on."""

    title: str
    method: str
    marks: list[str]
    coverage: str
    interval: str
    side: str
    cells: list[str]
    lengths: list[tuple[str, str]]


def rows(bench: Bench, key: Key) -> list[Row]:
    """Return what is known of the trust that a cell's chosen method deserves."""
    return bench.of_chosen(key, "trust") if key in bench.cells else []


def panels(bench: Bench, recipe: str) -> list[tuple[Panel, Panel]]:
    """Return reliability and abstention a target, a line a source, of the chosen methods."""
    pairs = []
    for target in bench.targets:
        keys = [(recipe, source, target) for source in bench.sources if source != target]
        named = [(key[1], bench.sources.index(key[1]), row) for key in keys for row in rows(bench, key)]
        if named:
            marks = ["synthetic"] if bench.synthetic(target) else []
            pairs.append((Panel(target, marks, reliability(named)), Panel(target, marks, abstention(named))))
    return pairs


def reliability(named: list[Named]) -> Markup:
    """Draw accuracy over confidence; ``named`` holds (name, place of the mark, row)."""
    curves = [Curve(name, i, [_bin(one) for one in row["reliability"] if one["count"]]) for name, i, row in named]
    ticks = [(i / 10, f"{i / 10:.1f}") for i in range(0, 11, 2)]
    label = f"Reliability of {', '.join(name for name, _, _ in named)}: share right over confidence"
    return chart(curves, Axes("confidence", "share right", ticks, ticks, diagonal=True), label)


def _bin(one: Row) -> Point:
    tip = f"confidence {number(one['confidence'])}, right {number(one['accuracy'])}, {whole(one['count'])} clips"
    return Point(one["confidence"], one["accuracy"], tip)


def abstention(named: list[Named]) -> Markup:
    """Draw UA over the share of clips that is answered, the surest first."""
    curves = [Curve(name, i, _answered(row["abstention"])) for name, i, row in named]
    ticks = [(i / 10, f"{i / 10:.1f}") for i in range(0, 11, 2)]
    label = f"UA of {', '.join(name for name, _, _ in named)} over the share of clips answered"
    return chart(curves, Axes("share of clips answered", "UA", ticks, ticks), label)


def _answered(curve: dict[str, Any]) -> list[Point]:
    pairs = zip(curve["coverage"], curve["UA"], strict=True)
    # The UA of a handful of clips is of one emotion or two.
    return [Point(x, y, f"{x:.0%} answered, UA {number(y)}") for x, y in pairs if known(x, y) and x >= 0.1]


def table(bench: Bench, keys: list[Key], every: bool = False) -> list[Trusted]:
    """Return a line a cell, of its chosen method; a line a method with ``every``."""
    lines = []
    for key in keys:
        for row in bench.cells[key]["trust"] if every else rows(bench, key):
            sets = row["sets"]
            told = [number(row[name]) for name in ("ece", "brier", "aurc")]
            sizes = [number(sets[name]) for name in ("least", "size", "single", "empty")]
            where = side(sets["low"], sets["high"], row["promise"])
            title, interval = f"{key[0]}: {key[1]} → {key[2]}", bounds(sets["low"], sets["high"])
            lengths = [_length(one) for one in row["by_length"]]
            marks = bench.marks(key)
            told = [number(sets["coverage"]), interval, where, [*sizes, *told], lengths]
            lines.append(Trusted(title, row["method"], marks, *told))
    return lines


def length_names(bench: Bench) -> list[str]:
    """Return the bounds of short and long clips in words."""
    found = [one for cell in bench.cells.values() for row in cell["trust"] for one in row["by_length"]]
    return list(dict.fromkeys(length_name(one) for one in found))


def length_name(one: Row) -> str:
    """Write the bounds of a row in seconds.

    >>> length_name({"low": 0.0, "high": 1.5}), length_name({"low": 4.0, "high": None})
    ('under 1.5 s', '4.0 s and more')
    """
    if not known(one["high"]):
        return f"{one['low']:.1f} s and more"
    return f"{one['low']:.1f} to {one['high']:.1f} s" if one["low"] else f"under {one['high']:.1f} s"


def _length(one: Row) -> tuple[str, str]:
    return (number(one["WA"]) if one["count"] else "", f"n = {whole(one['count'])}")
