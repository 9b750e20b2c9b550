"""Every page as a list of sections, each made by one function of one module: a new section is a line here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xlser.reporting import classes, confusion, curves, embeddings, ratings, summary, used
from xlser.reporting.bench import believe, cell, dimensions, labels, maps, matrix, probes, shots, trust
from xlser.reporting.bench import used as bench_used
from xlser.reporting.section import Section

# A function of loaded results; it returns nothing where there is nothing to say.
Maker = Callable[[Any], Section | None]

PAGES: dict[str, tuple[Maker, ...]] = {
    "run": (
        summary.section,
        classes.section,
        confusion.section,
        ratings.section,
        embeddings.section,
        curves.section,
        used.section,
    ),
    "bench": (
        believe.section,
        matrix.section,
        shots.section,
        trust.section,
        labels.section,
        dimensions.section,
        probes.section,
        bench_used.cells,
        bench_used.section,
    ),
    "cell": (
        cell.section,
        classes.section,
        confusion.section,
        shots.section_of_cell,
        trust.section_of_cell,
        labels.section_of_cell,
        dimensions.section_of_cell,
        probes.section_of_cell,
        maps.section_of_cell,
        used.section,
    ),
}


def assemble(makers: Sequence[Maker], results: Any) -> list[Section]:
    """Return the sections that there are, in order."""
    return [section for maker in makers if (section := maker(results)) is not None]
