"""A few labelled clips of the target: curves and tables of what they bring."""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup

from xlser.reporting.bench.chart import Axes, Curve, Point, chart, tenths
from xlser.reporting.bench.facts import Bench, Key, Row
from xlser.reporting.wording import bounds, known, number, score, side, signed

WAYS = {
    "swapped": "kNN among the labelled clips alone.",
    "extended": "kNN among the source's clips and the labelled ones, all counting the same.",
    "balanced": "the same neighbours, labelled clips weighing together as much as the source.",
    "interpolated": "“extended”, mixed with the classifier.",
    "probe": "logistic regression on the labelled clips alone (k = 0: on the source).",
    "prototype": "nearest class mean of the labelled clips (k = 0: of the source).",
}


@dataclass
class Panel:
    """One picture: its heading, marks, what it belongs to and its SVG."""

    title: str
    marks: list[str]
    svg: Markup
    href: str = ""


@dataclass
class Shots:
    """A line of a table: a way in a cell, (text, interval, side) a k, the area and its gain."""

    title: str
    way: str
    scores: list[tuple[str, str, str]]
    area: tuple[str, str, str]
    gain: tuple[str, str, str]
    first: bool


def ways(bench: Bench) -> list[str]:
    """Return the ways that anything was read in, in the order they are explained in."""
    found = {row["way"] for cell in bench.cells.values() for row in cell["few_shot"]}
    return [name for name in WAYS if name in found] + sorted(found - set(WAYS))


def ks(bench: Bench) -> list[int]:
    """Return every number of clips a class that was tried, 0 first."""
    return sorted({row["k"] for cell in bench.cells.values() for row in cell["few_shot"]})


def ua(rows: list[Row]) -> list[Row]:
    """Return the rows of unweighted accuracy."""
    return [row for row in rows if row["metric"] == "UA" and known(row["value"])]


def panels(bench: Bench, recipe: str) -> list[Panel]:
    """Return a picture a target and source, of the chosen method."""
    keys = [key for key in bench.transfers if key[0] == recipe and ua(bench.of_chosen(key, "few_shot"))]
    return [
        Panel(f"{key[1]} → {key[2]}", bench.marks(key), picture(bench, key), f"pages/{bench.pages[key]}")
        for key in sorted(keys, key=lambda key: bench.targets.index(key[2]))
    ]


def picture(bench: Bench, key: Key, method: str = "") -> Markup:
    """Draw the curves of a cell's method; of the chosen one unless another is named."""
    every = bench.cells[key]["few_shot"] if method else bench.of_chosen(key, "few_shot")
    rows = ua([row for row in every if method in ("", row["method"])])
    curves = [
        Curve(way, i, [_point(row) for row in rows if row["way"] == way])
        for i, way in enumerate(ways(bench))
        if any(row["way"] == way for row in rows)
    ]
    chance = 1 / len(bench.cells[key]["classes"])
    # The same upright axis in all panels of a page.
    everything = [row for cell in bench.cells.values() for row in ua(cell["few_shot"])]
    ends = [row[name] for row in everything for name in ("low", "high", "value")]
    ticks = [(math.log2(k + 1), str(k)) for k in ks(bench)]
    axes = Axes("labelled clips a class (k)", "UA", ticks, tenths([*ends, chance]), level=chance)
    told = "Few-shot curves of UA over labelled clips a class; the numbers stand in the table."
    return chart(curves, axes, f"{key[1]} to {key[2]}: {told}")


def _point(row: Row) -> Point:
    tip = f"k = {row['k']}, UA {score(row)}, {row['shots']} clips labelled"
    return Point(math.log2(row["k"] + 1), row["value"], tip, row["low"], row["high"])


def table(bench: Bench, keys: list[Key], method: str = "") -> list[Shots]:
    """Return a line a cell and way, of the chosen method unless another is named."""
    lines = []
    for key in keys:
        rows, areas = (_rows(bench, key, name, method) for name in ("few_shot", "few_shot_areas"))
        title, shown = f"{key[0]}: {key[1]} → {key[2]}", [way for way in ways(bench) if _way(rows, way)]
        for way in shown:
            by = {row["k"]: row for row in _way(rows, way)}
            below = next(iter(_way(areas, way)), None)
            scores = [_cell(by.get(k)) for k in ks(bench)]
            lines.append(Shots(title, way, scores, _cell(below, gain=False), gained(below), way == shown[0]))
    return lines


def _rows(bench: Bench, key: Key, name: str, method: str) -> list[Row]:
    rows = bench.cells[key][name] if method else bench.of_chosen(key, name)
    return ua([row for row in rows if method in ("", row["method"])])


def _way(rows: list[Row], way: str) -> list[Row]:
    return [row for row in rows if row["way"] == way]


def _cell(row: Row | None, gain: bool = True) -> tuple[str, str, str]:
    """Return a score, its interval, and the side of 0 that its gain over no labelled clip lies on."""
    if row is None:
        return "", "", ""
    where = side(row["gain_low"], row["gain_high"], 0.0) if gain else ""
    return number(row["value"]), bounds(row["low"], row["high"]), where


def gained(row: Row | None) -> tuple[str, str, str]:
    """Return a gain over no labelled clip, its interval, and the side of 0 that it lies on."""
    if row is None or not known(row["gain"]):
        return "", "", ""
    low, high = row["gain_low"], row["gain_high"]
    return signed(row["gain"]), bounds(low, high, plus=True), side(low, high, 0.0)
