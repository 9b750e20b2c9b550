"""Every page as a list of sections, each made by one function of one module: a new section is a line here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from xlser.reporting import classes, confusion, curves, embeddings, mapped, ratings, speakers, summary, terminal, used
from xlser.reporting.audit import across, corpus, findings
from xlser.reporting.audit import terminal as audit_terminal
from xlser.reporting.bench import (
    against,
    dimensions,
    doubt,
    hindsight,
    labels,
    maps,
    matrix,
    places,
    probes,
    shots,
    trust,
)
from xlser.reporting.bench import terminal as bench_terminal
from xlser.reporting.bench import used as bench_used
from xlser.reporting.best import compared
from xlser.reporting.best import sections as best
from xlser.reporting.layers import sections as layers
from xlser.reporting.section import Section

# A function of loaded results. It returns nothing where there is nothing to say, and several where there is a section
# for each of several corpora.
Maker = Callable[[Any], Section | list[Section] | None]

PAGES: dict[str, tuple[Maker, ...]] = {
    "run": (
        mapped.section,
        summary.section,
        classes.section,
        confusion.section,
        speakers.section,
        ratings.section,
        embeddings.section,
        curves.section,
        used.section,
    ),
    "run in a terminal": (
        terminal.opening,
        terminal.compared,
        terminal.read,
        terminal.correlated,
        terminal.closing,
    ),
    "bench": (
        against.section,
        hindsight.section,
        matrix.section,
        doubt.shots_section,
        doubt.trust_section,
        labels.section,
        doubt.dimensions_section,
        probes.section,
        bench_used.section,
    ),
    "bench in a terminal": (
        bench_terminal.scores,
        hindsight.section_of_terminal,
        bench_terminal.shots,
        bench_terminal.holes,
    ),
    "audit": (findings.section, corpus.sections, across.copies, across.shared, across.models, across.how),
    "audit in a terminal": (audit_terminal.corpora, audit_terminal.told),
    "layers": (layers.scored, layers.rated, layers.read, layers.used),
    "layers in a terminal": (layers.text_opening, layers.text_rest),
    "best": (
        compared.opening,
        best.choice,
        best.steps,
        best.decided,
        best.regret,
        best.said,
        best.untried,
        best.use,
        best.used,
    ),
    "best in a terminal": (best.text_opening,),
    "comparison": (places.places, places.legend),
    "cell": (
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
    found = [maker(results) or [] for maker in makers]
    return [section for made in found for section in (made if isinstance(made, list) else [made])]
