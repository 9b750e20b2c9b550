"""One self-contained HTML page from the files of a run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from markupsafe import Markup

from xlser.atomic import write_text
from xlser.evaluation.results import load_grid, load_results
from xlser.reporting import figures, matrices, recipe, tables, used
from xlser.reporting.cautions import MOST_LABELS
from xlser.reporting.curves import curve_panels
from xlser.reporting.facts import Facts
from xlser.reporting.grid import embedding_grids, gradient
from xlser.reporting.page import as_yaml, environment
from xlser.reporting.summary import summary_sections
from xlser.reporting.terminal import render_terminal
from xlser.reporting.terms import terms

__all__ = ["render_terminal", "write_report"]

FILES = ("results.json", "transfer.csv", "correlation.csv", "confusion.csv", "embedding.csv")


def write_report(run_dir: str | Path) -> Path:
    """Write ``report.html`` into a run folder and return its path.

    The page holds everything it shows: it opens offline and can be sent by mail. It is made from ``results.json`` and
    ``embedding.csv`` alone; without the latter it has no grid of embeddings, and says so.

    Raises:
        RunError: ``results.json`` is missing, damaged or of another version (see `load_results`).
        XlserError: the folder cannot be written.
    """
    run_dir = Path(run_dir)
    results = load_results(run_dir)
    path = run_dir / "report.html"
    write_text(path, _render(run_dir, results))
    return path


def _render(run_dir: Path, results: dict[str, Any]) -> str:
    facts, page = Facts(results), environment()
    page.filters["lead"] = _lead
    return page.get_template("report.html.j2").render(
        facts=facts,
        sections=summary_sections(results),
        terms=terms(facts),
        many=matrices.MANY,
        files=[name for name in FILES if (run_dir / name).is_file()],
        recipe_text=as_yaml(facts.recipe),
        gradient=Markup(gradient()),
        **_pictures(facts, run_dir),
        **_tables(facts),
    )


def _pictures(facts: Facts, run_dir: Path) -> dict[str, Any]:
    points, absent = load_grid(run_dir)
    grids, counts = ([], {}) if points is None or points.empty else embedding_grids(facts, points)
    return {
        "ua_panels": figures.transfer_panels(facts),
        "r_panels": figures.correlation_panels(facts),
        "curves": curve_panels(facts),
        "legend": figures.legend(facts),
        "axis_legend": figures.axis_legend(facts),
        "grids": grids,
        "grid_counts": counts,
        "grid_absent": absent or "The grid of embeddings is not shown: embedding.csv is empty.",
    }


def _tables(facts: Facts) -> dict[str, Any]:
    return {
        "compared": tables.compared_blocks(facts),
        "transfer": tables.transfer_blocks(facts),
        "correlation": tables.correlation_blocks(facts),
        "latents": tables.correlation_blocks(facts, singles=True),
        "confusions": matrices.confusions(facts),
        "labels": used.label_lines(facts) if len(facts.corpora) > MOST_LABELS else [],
        "splits": used.split_lines(facts),
        "choices": used.choices(facts),
        "network": recipe.encoder_lines(facts),
        "losses": recipe.loss_lines(facts),
    }


def _lead(sentence: str) -> tuple[str, str]:
    """Split off the words before a first, early colon, which a page sets in bold.

    Intervals are kept on one line, and a colon within a word is none.

    >>> _lead("Zero-shot: nothing seen."), _lead("No colon but random:tiny.")
    (('Zero-shot:', ' nothing seen.'), ('', 'No colon but random:tiny.'))
    """
    sentence = re.sub(r"\[[^\]]*\]", lambda match: match[0].replace(" ", "\u00a0"), sentence)
    head, colon, rest = sentence.partition(": ")
    early = colon and len(head) < 90 and "[" not in head and head.count("(") == head.count(")")
    return (f"{head}:", f" {rest}") if early else ("", sentence)
