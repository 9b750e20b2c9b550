"""What else the embeddings give away: speaker, sex, duration, language and corpus as linear probes read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlser.reporting.bench.facts import Bench, Row
from xlser.reporting.section import Cell, Note, Part, Section, Table
from xlser.reporting.wording import bounds, known, number

if TYPE_CHECKING:
    from xlser.reporting.bench.cell import CellFacts

NOTE = (
    "How well a linear probe reads speaker, sex, duration and language from {} embedding of a corpus, and corpus and "
    "language from held-out clips of the source and clips of the target together, where a z-score by corpus hides them "
    "from a linear probe. Speakers are told apart in folds of clips, the rest in folds of whole speakers. R²: 0 is "
    "chance."
)


def section(bench: Bench) -> Section:
    """Return the probes of every cell's chosen method, without their intervals."""
    found = [(key, row) for key in bench.cells for row in bench.of_chosen(key, "nuisances")]
    table = probes([(f"{key[0]}: {key[1]}", key[2], "", row) for key, row in found], brief=True)
    parts: list[Part] = [table, Note(NOTE.format("the chosen method's"))]
    return Section("probes", "What else the embeddings give away", parts, "Probes")


def section_of_cell(cell: CellFacts) -> Section | None:
    """Return the probes of every method of one cell; nothing where there are none."""
    recipe, source, target = cell.key
    rows = cell.bench.cells[cell.key]["nuisances"]
    table = probes([(f"{recipe} on {source}", target, cell.method_name(row["method"]), row) for row in rows])
    parts: list[Part] = [Note(NOTE.format("each method's")), table]
    return Section("probes", "What else the embeddings give away", parts, "Probes") if rows else None


def probes(found: list[tuple[str, str, str, Row]], brief: bool = False) -> Table:
    """Return a line for each (recipe and source, corpus, method), a column for each of their rows' nuisances.

    A brief one has no methods, and of each probe the value and chance alone.
    """
    names = list(dict.fromkeys(row["nuisance"] for *_, row in found))
    lines: dict[tuple[str, ...], dict[str, Row]] = {}
    for *place, row in found:
        lines.setdefault(tuple(place), {})[row["nuisance"]] = row
    heads = ["Learnt by", "Corpus", *["Method"] * (not brief), *names]
    cell = _value if brief else _cell
    rows = [[*place[: 3 - brief], *(cell(by.get(name)) for name in names)] for place, by in lines.items()]
    return Table.of("Linear probes of the embeddings", heads, rows, copy=True)


def _value(row: Row | None) -> Cell | str:
    if row is None or not known(row["value"]):
        return ""
    r2 = "R² " if row["metric"] == "R2" else ""
    return Cell(f"{r2}{number(row['value'])}", more=[] if r2 else [f"chance {number(row['chance'])}"])


def _cell(row: Row | None) -> Cell | str:
    if row is None:
        return ""
    if not known(row["value"]):
        return Cell(number(None), more=[str(row.get("why", ""))])
    what = f"{row['metric'].replace('R2', 'R²')}, chance {number(row['chance'])}"
    return Cell(number(row["value"]), bounds(row["low"], row["high"]), more=[what])
