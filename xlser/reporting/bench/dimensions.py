"""Does an axis that follows a rating in the source still follow it in the target, beyond duration, sex and loudness?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from markupsafe import Markup

from xlser.reporting import ratings
from xlser.reporting.bench.facts import Bench, Key, Row
from xlser.reporting.section import Cell, Cells, Details, Heading, Note, Part, Section, Table
from xlser.reporting.wording import bounds, known, number
from xlser.vocabulary import AXES

if TYPE_CHECKING:
    from xlser.reporting.bench.cell import CellFacts

LEVEL = 0.05
_INNER = ("partial", "stability")
_HOW = Markup(
    "Pearson's r of an axis learnt on the source with the ratings of each target, under the recipe's own protocol. ●: "
    "told from 0 with p below 0.05, corrected for the false discovery rate over the whole bench. Orange: the sign has "
    "turned. <strong>Partial</strong>: r beyond duration, sex and loudness. <strong>Stable</strong>: 1 as in the "
    "source, 0 gone, −1 turned."
)


_BRIEF = (
    "Pearson's r of an axis learnt on the source with the ratings of each target, under the recipe's own protocol. ●: "
    "told from 0, p corrected over the bench. Orange: the sign has turned. Partial r and stability: on cells' pages."
)


def section(bench: Bench) -> Section:
    """Return r of every recipe's axes in every target, source by source."""
    parts: list[Part] = []
    for recipe in bench.recipes:
        if lines := grid(bench, recipe):
            names = [Cell(name, marks=bench.speech_marks(name)) for name in bench.targets]
            heads: Cells = ["Source and axis", "In the source", *names]
            caption = f"r of the axes of {recipe} with ratings"
            parts += [Heading(recipe), Table.of(caption, heads, lines, kind="bench", point="0", copy=True)]
    left_out = "" if parts else "No corpora with ratings on both sides."
    said: list[Part] = [Note(_BRIEF), *parts] if parts else []
    return Section("dimensions", "Dimensions", said, left_out=left_out)


def section_of_cell(cell: CellFacts) -> Section:
    """Return the table of correlations of one cell, and every axis in source and target."""
    found = ratings.section(cell)
    lines = []
    for row in cell.bench.of_chosen(cell.key, "dimensions"):
        if row["r"] is not None and row["axis"] in AXES:
            told = followed(cell.bench, cell.key, row)
            rest = [(f"{told.text} ●" if told.side else told.text), *(text.partition(" ")[2] for text in told.more)]
            name = f"{cell.method_name(row['method'])}, {row['axis']}"
            lines.append([name, row["dimension"], number(row["r_source"]), *rest])
    if not lines:
        return found
    heads = ["Method, axis", "Dimension", "r in the source", "r here", "p", "Partial r", "Stability"]
    caption = "Axes in source and target; p is corrected for the false discovery rate over the whole bench"
    summary = "As in the source, and beyond duration, sex and loudness (seed 0)"
    table = Table.of(caption, heads, lines, kind="line tight")
    return replace(found, parts=[*found.parts, Details(summary, [Note(_HOW), table], open=True)])


def is_sure(row: Row) -> bool:
    """Say whether a correlation is told from none after the correction over the whole bench."""
    return known(row.get("p_fdr")) and row["p_fdr"] < LEVEL


def grid(bench: Bench, recipe: str) -> list[list[Cell]]:
    """Return a line a main axis of a recipe's chosen methods, source by source: its name, r there, a cell a target."""
    lines = []
    for source in bench.sources:
        keys = [(recipe, source, target) for target in bench.targets]
        found = {key: _main(bench, key) for key in keys if key in bench.cells and key[1] != key[2]}
        names = dict.fromkeys((row["dimension"], row["axis"]) for rows in found.values() for row in rows)
        for name in sorted(names, key=lambda name: AXES.index(name[1])):
            by = {key: row for key, rows in found.items() for row in rows if (row["dimension"], row["axis"]) == name}
            home = Cell(number(next(iter(by.values()))["r_source"]), kind="held")
            head = Cell(f"{source}: {name[0]}", name[1], marks=bench.speech_marks(source))
            lines.append([head, home, *(_brief(bench, key, by.get(key)) for key in keys)])
    return lines


def _main(bench: Bench, key: Key) -> list[Row]:
    return [row for row in bench.of_chosen(key, "dimensions") if row["axis"] in AXES]


def _brief(bench: Bench, key: Key, row: Row | None) -> Cell:
    """Write r alone, as `followed` dresses it."""
    return replace(followed(bench, key, row), more=())


def followed(bench: Bench, key: Key, row: Row | None) -> Cell:
    """Write out one correlation: r, and beneath it p, r beyond the nuisances, and how stable it is."""
    if row is None or not known(row["r"]):
        return Cell("—", kind="blank", hidden="none")
    partial, stable = (f"{number(row[name]['value'])} {bounds(row[name]['low'], row[name]['high'])}" for name in _INNER)
    sure, turned = is_sure(row), row["r"] * (row["r_source"] if known(row["r_source"]) else 1) < 0
    return Cell(
        number(row["r"]),
        side="sure" * sure,
        marks=bench.rating_marks(key),
        more=[f"p {_p(row.get('p_fdr'))}", f"partial {partial}", f"stable {stable}"],
        share=abs(row["r"]),
        href=f"pages/{bench.pages[key]}",
        kind=" ".join(["turned"] * turned + ["unsure"] * (not sure)),
    )


def _p(value: float | None) -> str:
    """Write a p-value.

    >>> _p(0.0001), _p(0.0449), _p(0.3), _p(None)
    ('< 0.001', '0.045', '0.30', 'n/a')
    """
    if not known(value):
        return number(None)
    return "< 0.001" if value < 0.001 else number(value, 3 if value < 0.1 else 2)
