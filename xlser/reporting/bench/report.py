"""The pages of a bench from its ``results.json``: one over all cells, one for each, and tables for a paper."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from markupsafe import Markup

from xlser.evaluation.going_together import going_together
from xlser.evaluation.results_file import load_bench
from xlser.ownfiles import OwnFiles
from xlser.reporting.bench import cell_opening, maps
from xlser.reporting.bench.cautions import banners, chips
from xlser.reporting.bench.cell import CellFacts
from xlser.reporting.bench.facts import Bench, Key
from xlser.reporting.bench.listen import clips_there
from xlser.reporting.bench.opening import answer
from xlser.reporting.bench.paper import paper_tables
from xlser.reporting.bench.switched import picture
from xlser.reporting.bench.written import write_all
from xlser.reporting.first_screen import chips as chips_of_run
from xlser.reporting.first_screen import folded
from xlser.reporting.html import html
from xlser.reporting.pages import PAGES, assemble
from xlser.reporting.report import banners as banners_of_run
from xlser.reporting.section import Page
from xlser.reporting.text import text

_WIDEST = 40  # letters of a heading's side


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
    with going_together(folder):
        bench = Bench(load_bench(folder))
        tables = [(f"tables/{name}", text) for name, text in paper_tables(bench).items()]
        write_all(folder, chain(tables, _pages(bench, clips_there(folder))))
        OwnFiles(folder).write("report.html", html(bench_page(bench)))
    return folder / "report.html"


def render_bench(folder: str | Path) -> str:
    """Return the matrix of UA, what a few labelled clips bring, failed jobs and holes as plain text.

    Raises:
        RunError: see `load_bench`.
    """
    with going_together(folder):
        return text(assemble(PAGES["bench in a terminal"], Bench(load_bench(folder))))


def _pages(bench: Bench, clips: dict[str, str]) -> Iterator[tuple[str, str]]:
    for key, name in bench.pages.items():
        yield f"pages/{name}", html(cell_page(bench, key, clips))


def bench_page(bench: Bench) -> Page:
    """Return the page over all cells."""
    heading = f"{_named(bench.sources, 'source')} → " + (
        "each other"
        if len(bench.targets) > 1 and set(bench.sources) == set(bench.targets)
        else _named(bench.targets, "target")
    )
    return Page(
        title=f"Transfer bench: {heading}",
        kind=f"xlser transfer · {bench.about['finished']}",
        heading=heading,
        sub=f"Recipes: {', '.join(bench.recipes)}." if len(bench.recipes) > 1 else next(iter(bench.recipes), ""),
        banners=banners(bench),
        sections=folded(assemble(PAGES["bench"], bench)),
        answer=answer(bench),
        picture=picture(bench),
        cautions=chips(bench),
        footer=f"Made by xlser {bench.about['versions']['xlser']}. These pages load nothing from elsewhere.",
    )


def _named(names: list[str], what: str) -> str:
    """Return names as a heading has room for them."""
    text = ", ".join(names)
    return text if len(text) <= _WIDEST or len(names) == 1 else f"{len(names)} {what}s"


def cell_page(bench: Bench, key: Key, clips: dict[str, str]) -> Page:
    """Return the page of one cell."""
    cell = CellFacts(bench, key, clips)
    title = f"{key[0]}: {key[1]}" + (", held-out speakers" if key[1] == key[2] else f" → {key[2]}")
    return Page(
        title=title,
        kind=Markup('<a href="../report.html">The whole bench</a>'),
        heading=title,
        sub="",
        banners=banners_of_run(cell),
        sections=folded(assemble(PAGES["cell"], cell)),
        footer=f"Made by xlser {bench.about['versions']['xlser']}. This page loads nothing from elsewhere.",
        answer=cell_opening.answer(cell),
        picture=maps.picture(cell),
        cautions=chips_of_run(cell),
    )
