"""The end of a bench in a terminal: the matrices of UA, what a few labelled clips bring, and what is missing."""

from __future__ import annotations

from xlser.reporting.bench.cautions import missing, warnings
from xlser.reporting.bench.doubt import few_shot
from xlser.reporting.bench.facts import Bench
from xlser.reporting.bench.matrix import SYNTHETIC, Matrix, Square, matrices
from xlser.reporting.chosen import LEAD, chosen_sentence
from xlser.reporting.section import Cell, Group, Note, Row, Section, Table, Words

CELL = 20


def scores(bench: Bench) -> Section:
    """Return the matrices under the protocols that recipes ask for."""
    asked = {bench.protocol(recipe) for recipe in bench.recipes}
    title = f"bench of {len(bench.recipes)} x {len(bench.sources)} x {len(bench.targets)}"
    notes = [Note(warning) for warning in warnings(bench)]
    tables = [_table(bench, matrix) for matrix in matrices(bench) if matrix.protocol in asked]
    parts = [part for table in tables for part in (Note(""), table)]
    how = f"[{bench.percent} interval over speakers]; * it excludes chance; held-out: the source's own, no transfer."
    others = [name for name in bench.protocols if name not in asked]
    chosen = chosen_sentence(bench.results)
    taken = [Note(f"{LEAD} {chosen}")] if chosen else []
    also = [Note(f"Also read, see the report: {'; '.join(others)}.")] if others else []
    return Section("matrix", title, [*notes, *parts, Note(""), Note(how), *taken, *also])


def shots(bench: Bench) -> Section | None:
    """Return what the best way to use a few labelled clips reaches."""
    lines = few_shot(bench)
    return Section("shots", "A few labelled clips", [Words(lines)]) if lines else None


def holes(bench: Bench) -> Section | None:
    """Return every failed job and hole with its reason."""
    lines = missing(bench)
    return Section("missing", "", [Note(f"{name}: {why}") for name, why in lines]) if lines else None


def _table(bench: Bench, matrix: Matrix) -> Table:
    names = [f"{name[: CELL - 6]} (syn)" if bench.synthetic(name) else name for name in matrix.targets]
    groups = [
        Group(
            [
                Row([f"{line.source} ({line.how})", *map(_cell, (line.held_out, *line.cells, *line.means))])
                for line in lines
            ],
            Cell(recipe),
        )
        for recipe, lines in matrix.lines.items()
    ]
    return Table("", [f"UA, {matrix.protocol}", "held-out", *names, *map(_mean, matrix.means)], groups)


def _mean(name: str) -> str:
    """Return the heading of a mean; the word that must not be lost where it is cut comes first."""
    spoken = name.removesuffix(SYNTHETIC)
    return f"mean, {spoken}" if spoken == name else f"mean (syn), {spoken}"


def _cell(square: Square) -> Cell:
    if not square.text:
        return Cell("n/a" if square.why else "")
    return Cell(square.text, square.interval, square.side)
