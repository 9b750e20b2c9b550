"""The pages of a bench from its ``results.json``: one over all cells, one for each, and tables for a paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from xlser.atomic import write_text
from xlser.evaluation.results import load_bench
from xlser.reporting.bench import dimensions, labels, shots, trust
from xlser.reporting.bench.believe import summary
from xlser.reporting.bench.cautions import missing, warnings
from xlser.reporting.bench.cell import cell_content
from xlser.reporting.bench.chart import mark
from xlser.reporting.bench.facts import Bench
from xlser.reporting.bench.listen import clips_there
from xlser.reporting.bench.matrix import Matrix, matrices
from xlser.reporting.bench.paper import paper_tables
from xlser.reporting.bench.terminal import lines_of
from xlser.reporting.bench.written import write_all
from xlser.reporting.page import TEMPLATES, as_yaml, environment

if TYPE_CHECKING:
    from jinja2 import Template

_TEMPLATES = Path(__file__).parent / "templates"


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
    found = matrices(bench)
    papers = paper_tables(bench, found)
    tables = [(f"tables/{name}", text) for name, text in papers.items()]
    made = environment(_TEMPLATES)
    write_all(folder, chain(tables, _pages(bench, clips_there(folder), made.get_template("cell.html.j2"))))
    path = folder / "report.html"
    content = _content(bench, found) | {"papers": list(papers)}
    write_text(path, made.get_template("bench.html.j2").render(bench=bench, css=_css(), **content))
    return path


def render_bench(folder: str | Path) -> str:
    """Return the matrix of UA, what a few labelled clips bring, failed jobs and holes as plain text.

    Raises:
        RunError: see `load_bench`.
    """
    return "\n".join(lines_of(Bench(load_bench(folder))))


def _css() -> Markup:
    return _verbatim(TEMPLATES / "report.css", _TEMPLATES / "bench.css")


def _verbatim(*paths: Path) -> Markup:
    return Markup("\n".join(path.read_text(encoding="utf-8") for path in paths))


def _pages(bench: Bench, clips: dict[str, str], page: Template) -> Iterator[tuple[str, str]]:
    parts = {"bench": bench, "css": _css(), "script": _verbatim(_TEMPLATES / "listen.js")}
    for key, name in bench.pages.items():
        yield f"pages/{name}", page.render(parts | cell_content(bench, key, clips))


def _content(bench: Bench, found: list[Matrix]) -> dict[str, Any]:
    keys = bench.transfers
    modes = labels.table(bench, keys)
    names, probes = dimensions.nuisances(bench, list(bench.cells))
    grids = {recipe: dimensions.grid(bench, recipe) for recipe in bench.recipes}
    return {
        "matrices": found,
        "usual": _usual_chance(found),
        "sections": summary(bench),
        "warnings": warnings(bench),
        "missing": missing(bench),
        "failures": set(bench.results["failed"].values()),
        "synthetic": [name for name in dict.fromkeys([*bench.sources, *bench.targets]) if bench.synthetic(name)],
        "grids": {recipe: axes for recipe, axes in grids.items() if axes},
        "probe_names": names,
        "probes": probes,
        "by_recipe": {recipe: [key for key in bench.cells if key[0] == recipe] for recipe in bench.recipes},
        "recipes": {name: as_yaml(recipe) for name, recipe in bench.about["recipes"].items()},
        "shots": shots.table(bench, keys),
        "ks": shots.ks(bench),
        "way_marks": [(mark(i), way) for i, way in enumerate(shots.ways(bench))],
        "way_terms": [(way, shots.WAYS.get(way, "")) for way in shots.ways(bench)],
        "shot_panels": {recipe: shots.panels(bench, recipe) for recipe in bench.recipes},
        "labels": modes,
        "label_terms": labels.terms(modes),
        "trust": trust.table(bench, keys),
        "trust_panels": {recipe: trust.panels(bench, recipe) for recipe in bench.recipes},
        "source_marks": [(mark(i), name) for i, name in enumerate(bench.sources)],
        "lengths": trust.length_names(bench),
        "promise": next((f"{row['promise']:.0%}" for key in keys for row in trust.rows(bench, key)), ""),
    }


def _usual_chance(found: list[Matrix]) -> str:
    """Return the chance that most cells have; only others are named in theirs."""
    lines = [line for one in found for several in one.lines.values() for line in several]
    every = Counter(square.chance for line in lines for square in (line.held_out, *line.cells) if square.chance)
    return every.most_common(1)[0][0] if every else ""
