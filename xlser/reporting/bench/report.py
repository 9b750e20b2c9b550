"""The pages of a bench from its ``results.json``: one over all cells, one for each, and tables for a paper."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from markupsafe import Markup

from xlser.atomic import write_text
from xlser.evaluation.results_file import load_bench
from xlser.reporting.bench.cautions import warnings
from xlser.reporting.bench.cell import CellFacts
from xlser.reporting.bench.facts import Bench, Key
from xlser.reporting.bench.listen import clips_there
from xlser.reporting.bench.paper import paper_tables
from xlser.reporting.bench.written import write_all
from xlser.reporting.html import html
from xlser.reporting.pages import PAGES, assemble
from xlser.reporting.report import banners
from xlser.reporting.section import Page
from xlser.reporting.text import text


def write_bench_report(folder: str | Path) -> Path:
    """Write ``report.html``, ``pages/`` (a page a cell) and ``tables/`` (LaTeX, Markdown), and return the first.

    All is made from ``results.json``. A page holds everything it shows; pages link to each other by relative paths, so
    that the folder can be moved. They run no script, but where clips lie in ``clips/`` (see `listen.copy_clips`): the
    pages that link to them hold a few lines of their own to play them. What an earlier report wrote and this one does
    not is deleted, unless somebody changed it since (see `written`).

    Raises:
        RunError: ``results.json`` is missing, damaged, or of something else (see `load_bench`).
        XlserError: the folder cannot be written.
    """
    folder = Path(folder)
    bench = Bench(load_bench(folder))
    tables = [(f"tables/{name}", text) for name, text in paper_tables(bench).items()]
    write_all(folder, chain(tables, _pages(bench, clips_there(folder))))
    path = folder / "report.html"
    write_text(path, html(bench_page(bench)))
    return path


def render_bench(folder: str | Path) -> str:
    """Return the matrix of UA, what a few labelled clips bring, failed jobs and holes as plain text.

    Raises:
        RunError: see `load_bench`.
    """
    return text(assemble(PAGES["bench in a terminal"], Bench(load_bench(folder))))


def _pages(bench: Bench, clips: dict[str, str]) -> Iterator[tuple[str, str]]:
    for key, name in bench.pages.items():
        yield f"pages/{name}", html(cell_page(bench, key, clips))


def bench_page(bench: Bench) -> Page:
    """Return the page over all cells."""
    heading = f"{', '.join(bench.sources)} → {', '.join(bench.targets)}"
    sub = Markup("<strong>{}</strong>. Each trained once on every source and scored on every target.")
    synthetic = [name for name in dict.fromkeys([*bench.sources, *bench.targets]) if bench.synthetic(name)]
    told = Markup("<strong>Partly synthetic speech: no evidence about human emotion.</strong>")
    partly = [told + f" Made by a speech synthesiser: {', '.join(synthetic)}."] if synthetic else []
    return Page(
        title=f"Transfer bench: {heading}",
        kind=f"xlser transfer · {bench.about['finished']}",
        heading=heading,
        sub=sub.format(", ".join(bench.recipes)),
        banners=[*partly, *warnings(bench)],
        sections=assemble(PAGES["bench"], bench),
        footer=f"Made by xlser {bench.about['versions']['xlser']}. These pages load nothing from elsewhere.",
    )


def cell_page(bench: Bench, key: Key, clips: dict[str, str]) -> Page:
    """Return the page of one cell."""
    cell, own = CellFacts(bench, key, clips), key[1] == key[2]
    title = f"{key[0]}: {key[1]}" + (", held-out speakers" if own else f" → {key[2]}")
    read = "Held-out speakers of the source: no transfer."
    read = read if own else f"The recipe's own protocol is {cell.protocol}."
    sub = Markup("Chosen on the source's validation speakers: <strong>{}</strong>. {}")
    marks = Markup("").join(Markup(' <span class="tag">{}</span>').format(mark) for mark in bench.marks(key))
    return Page(
        title=title,
        kind=Markup('<a href="../report.html">The whole bench</a>'),
        heading=title,
        sub=sub.format(bench.how(*key[:2]), read) + marks,
        banners=banners(cell),
        sections=assemble(PAGES["cell"], cell),
        footer=f"Made by xlser {bench.about['versions']['xlser']}. This page loads nothing from elsewhere.",
    )
