"""A few labelled clips of the target: curves and tables of what they bring."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from markupsafe import Markup

from xlser.reporting.bench.chart import Axes, Curve, Point, chart, mark, tenths
from xlser.reporting.bench.facts import Bench, Key
from xlser.reporting.bench.facts import Row as Score
from xlser.reporting.section import (
    Cell,
    Figure,
    Group,
    Legend,
    Note,
    Pairs,
    Panel,
    Panels,
    Part,
    Row,
    Section,
    Table,
)
from xlser.reporting.wording import bounds, known, number, score, side, signed

if TYPE_CHECKING:
    from xlser.reporting.bench.cell import CellFacts

ANCHOR, TITLE, NUMBERS = "shots", "A few labelled clips of the target", "Numbers and areas under the curves"
LEGEND = (
    "▲ ▼: the interval of the gain over the same way without labelled clips excludes 0. Area: the curve's mean height "
    "over log2(k + 1), UA in UA."
)
WAYS = {
    "swapped": "kNN among the labelled clips alone.",
    "extended": "kNN among the source's clips and the labelled ones, all counting the same.",
    "balanced": "the same neighbours, labelled clips weighing together as much as the source.",
    "interpolated": "“extended”, mixed with the classifier.",
    "probe": "logistic regression on the labelled clips alone (k = 0: on the source).",
    "prototype": "nearest class mean of the labelled clips (k = 0: of the source).",
    "zero-shot": "the classifier as it is, which learns from no labelled clip.",
    "prior": "its intercepts moved by the labelled clips.",
    "means": "averaged with class means: the source's, moved by the labelled clips.",
    "weights": "its weights moved by the labelled clips, about the source's.",
    "residuals": "what it said wrong of the labelled clips, spread to clips like them (Gaussian process).",
    "averaged": "“means” and “residuals”, averaged.",
    "chosen": "of “zero-shot” to “averaged”, by leaving labelled clips out: validated.",
    "oracle": "of the same the best in hindsight, on the clips that are judged: it flatters.",
}
# Drawn; the others stand in the tables.
DRAWN = (*list(WAYS)[:7], "chosen")


def section(bench: Bench) -> Section:
    """Return what labelled clips bring in every cell, by the chosen method in the way that a user would take."""
    keys = [key for key in bench.transfers if ua(bench.of_chosen(key, "few_shot"))]
    if not keys:
        left_out = Markup("None was asked for: give <code>--few-shot 1,2,5</code>.")
        return Section(ANCHOR, TITLE, short="Few-shot", left_out=left_out)
    way, picked = usual_way(bench, keys), choices_table(bench, keys)
    note = (
        f"UA over labelled clips a class, “{way}”: {WAYS.get(way, '')} A line a source, 0: without any, under the "
        f"recipe's own protocol; bars: {bench.percent} intervals over speakers and draws. Every way stands on the page "
        "of its cell."
    )
    parts: list[Part] = [Note(note), Legend(_sources(bench))]
    for recipe in bench.recipes:
        parts += [Figure([Panels(found)], title=recipe)] if (found := panels(bench, recipe, way)) else []
    papers = Markup('Numbers of every way and k: <a href="tables/few_shot.md">few_shot.md</a>, ')
    papers += Markup('<a href="tables/few_shot.tex">few_shot.tex</a>.')
    parts += [*([] if picked is None else [picked]), Note(papers)]
    return Section(ANCHOR, TITLE, parts, "Few-shot")


def usual_way(bench: Bench, keys: list[Key]) -> str:
    """Return the way that labelled clips chose where there is one; else the last of those drawn, the least plain."""
    found = {row["way"] for key in keys for row in bench.of_chosen(key, "few_shot")}
    order = ("chosen", *reversed(DRAWN), *sorted(found))
    return next(way for way in order if way in found)


def _sources(bench: Bench) -> list[tuple[Markup, str]]:
    return [(mark(place), name) for place, name in enumerate(bench.sources)]


def section_of_cell(cell: CellFacts) -> Section | None:
    """Return curves and areas of the chosen method of one cell; nothing where none was asked for."""
    bench, key = cell.bench, cell.key
    method = next(iter(cell.methods_of("few_shot")), "")
    if not method:
        return None
    name = cell.method_name(method)
    note = (
        f"UA over labelled clips a class, of {name}, by every way to use them. Bars: {cell.percent} intervals over "
        "speakers and draws; dashed: chance."
    )
    lines = table_lines(bench, [key], method)
    table = shots_table(bench, lines, f"UA of {name} by labelled clips a class", titled=False)
    pictures = [Panel(name, [], picture(bench, key, method))]
    parts: list[Part] = [Note(note), legend(bench), Panels(pictures), explained(bench), Note(LEGEND), table]
    return Section(ANCHOR, TITLE, parts, "Few-shot")


def legend(bench: Bench) -> Legend:
    """Return the mark of every way."""
    return Legend([(mark(DRAWN.index(way)), way) for way in ways(bench) if way in DRAWN])


def explained(bench: Bench) -> Pairs:
    """Return what every way is."""
    return Pairs([(way, WAYS.get(way, "")) for way in ways(bench)], "terms")


def shots_table(bench: Bench, lines: list[Shots], caption: str, titled: bool) -> Table:
    """Return a line a cell and way; the cell is named only if ``titled``."""
    heads = [*["Cell"] * titled, "Way", *(f"k = {k}" for k in ks(bench)), "Area", "Gain in area"]
    rows = []
    for line in lines:
        title = [line.title if line.first else ""] * titled
        rows.append(Row([*title, line.way, *line.scores, line.area, line.gain], heads=1 + titled))
    return Table(caption, heads, [Group(rows)])


def choices_table(bench: Bench, keys: list[Key]) -> Table | None:
    """Return a line a cell: zero-shot, the way that labelled clips chose, the best in hindsight, and the regret.

    By the most labelled clips that were tried. None where no classifier had probabilities that could be corrected.
    """
    heads = ["Cell", "k", "zero-shot", "chosen (validated)", "ways, by draws", "oracle", "which", "regret"]
    rows = []
    for key in keys:
        found = _rows(bench, key, "few_shot", "")
        by = {(row["way"], row["k"]): row for row in found}
        for k in sorted({row["k"] for row in found if row["way"] == "chosen" and row["k"]})[-1:]:
            zero, chosen, oracle = (by.get((way, k)) for way in ("zero-shot", "chosen", "oracle"))
            if zero is None or chosen is None or oracle is None:
                continue
            regret = signed(oracle["value"] - chosen["value"])
            scores = [_cell(zero), _cell(chosen), chosen.get("ways", ""), _cell(oracle), oracle.get("ways", "")]
            rows.append(Row([f"{key[0]}: {key[1]} → {key[2]}", str(k), *scores, regret], heads=2))
    caption = "UA of the way that was chosen by leaving labelled clips out, and of the best in hindsight"
    return Table(caption, heads, [Group(rows)], copy=True) if rows else None


@dataclass
class Shots:
    """A line of a table: a way in a cell, its scores a k, the area and its gain; ``first`` of its cell."""

    title: str
    way: str
    scores: list[Cell]
    area: Cell
    gain: Cell
    first: bool


def ways(bench: Bench) -> list[str]:
    """Return the ways that anything was read in, in the order they are explained in."""
    found = {row["way"] for cell in bench.cells.values() for row in cell["few_shot"]}
    return [name for name in WAYS if name in found] + sorted(found - set(WAYS))


def ks(bench: Bench) -> list[int]:
    """Return every number of clips a class that was tried, 0 first."""
    return sorted({row["k"] for cell in bench.cells.values() for row in cell["few_shot"]})


def ua(rows: list[Score]) -> list[Score]:
    """Return the rows of unweighted accuracy."""
    return [row for row in rows if row["metric"] == "UA" and known(row["value"])]


def panels(bench: Bench, recipe: str, way: str) -> list[Panel]:
    """Return a picture a target, a line a source, of the chosen methods in one way."""
    found = []
    for target in bench.targets:
        curves = []
        for place, source in enumerate(bench.sources):
            key = (recipe, source, target)
            rows = ua(bench.of_chosen(key, "few_shot")) if key in bench.transfers else []
            points = [_point(row) for row in rows if row["way"] == way]
            curves += [Curve(source, place, points)] if points else []
        if curves:
            label = f"UA on {target} over labelled clips a class, {way}, a line a source"
            found.append(Panel(target, bench.speech_marks(target), chart(curves, _axes(bench, way), label)))
    return found


def _axes(bench: Bench, way: str) -> Axes:
    """Return the same axes for all panels of a page."""
    rows = [row for cell in bench.cells.values() for row in ua(cell["few_shot"]) if way in ("", row["way"])]
    chance = min((1 / len(cell["classes"]) for cell in bench.cells.values() if cell["classes"]), default=0.0)
    ends = [row[name] for row in rows for name in ("low", "high", "value")]
    ticks = [(math.log2(k + 1), str(k)) for k in ks(bench)]
    return Axes("labelled clips a class (k)", "UA", ticks, tenths([*ends, chance]), level=chance)


def picture(bench: Bench, key: Key, method: str = "") -> Markup:
    """Draw the curves of a cell's method; of the chosen one unless another is named."""
    every = bench.cells[key]["few_shot"] if method else bench.of_chosen(key, "few_shot")
    rows = ua([row for row in every if method in ("", row["method"])])
    curves = [
        Curve(way, DRAWN.index(way), [_point(row) for row in rows if row["way"] == way])
        for way in ways(bench)
        if way in DRAWN and any(row["way"] == way for row in rows)
    ]
    axes = replace(_axes(bench, ""), level=1 / len(bench.cells[key]["classes"]))
    told = "Few-shot curves of UA over labelled clips a class; the numbers stand in the table."
    return chart(curves, axes, f"{key[1]} to {key[2]}: {told}")


def _point(row: Score) -> Point:
    tip = f"k = {row['k']}, UA {score(row)}"
    return Point(math.log2(row["k"] + 1), row["value"], tip, row["low"], row["high"])


def table_lines(bench: Bench, keys: list[Key], method: str = "") -> list[Shots]:
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


def _rows(bench: Bench, key: Key, name: str, method: str) -> list[Score]:
    rows = bench.cells[key][name] if method else bench.of_chosen(key, name)
    return ua([row for row in rows if method in ("", row["method"])])


def _way(rows: list[Score], way: str) -> list[Score]:
    return [row for row in rows if row["way"] == way]


def _cell(row: Score | None, gain: bool = True) -> Cell:
    """Return a score, its interval, and the side of 0 that its gain over no labelled clip lies on."""
    if row is None:
        return Cell()
    where = side(row["gain_low"], row["gain_high"], 0.0) if gain else ""
    return Cell(number(row["value"]), bounds(row["low"], row["high"]), where)


def gained(row: Score | None) -> Cell:
    """Return a gain over no labelled clip, its interval, and the side of 0 that it lies on."""
    if row is None or not known(row["gain"]):
        return Cell()
    low, high = row["gain_low"], row["gain_high"]
    return Cell(signed(row["gain"]), bounds(low, high, plus=True), side(low, high, 0.0))
