"""The report of a run: one self-contained HTML page, and the end of it as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from xlser.evaluation.going_together import going_together
from xlser.evaluation.results_file import load_results
from xlser.ownfiles import OwnFiles
from xlser.reporting import mapped
from xlser.reporting.facts import Facts
from xlser.reporting.first_screen import answer, chips, folded, forest
from xlser.reporting.html import html
from xlser.reporting.pages import PAGES, assemble
from xlser.reporting.section import Page
from xlser.reporting.text import text


def write_report(run_dir: str | Path) -> Path:
    """Write ``report.html`` into a run folder and return its path.

    The page holds everything it shows: it opens offline and can be sent by mail. It is made from ``results.json``,
    ``embedding.csv`` and ``predictions.json`` alone; without the second it has no grid of embeddings, and says so, and
    without the third no speakers.

    Raises:
        RunError: ``results.json`` is missing, damaged or of another version (see `load_results`).
        XlserError: the folder cannot be written.
    """
    with going_together(run_dir):
        page = html(run_page(Facts.of_folder(run_dir)))
    OwnFiles(run_dir).write("report.html", page)
    return Path(run_dir) / "report.html"


def render_terminal(run: dict[str, Any] | str | Path) -> str:
    """Return tables of UA, and of correlations where there are any.

    Trained heads come first, with WA and macro-F1. A star stands by a gain over the baseline whose interval excludes 0.

    Args:
        run: what ``results.json`` holds, or the run folder that holds it.

    Raises:
        RunError: a folder whose results cannot be read (see `load_results`).
    """
    with going_together("memory" if isinstance(run, dict) else run):
        return text(assemble(PAGES["run in a terminal"], Facts(run if isinstance(run, dict) else load_results(run))))


def run_page(facts: Facts) -> Page:
    """Return the page of a run."""
    heading, name = f"{facts.source} → {', '.join(facts.targets)}", facts.recipe["name"]
    described = f". {facts.recipe['description']}" if facts.recipe.get("description") else ""
    return Page(
        title=f"{name}: {heading}" + " (synthetic speech)" * bool(facts.about["synthetic"]),
        kind=f"xlser report · {facts.protocol}",
        heading=heading,
        sub=Markup("<strong>{}</strong>{}").format(name, described),
        banners=banners(facts),
        sections=folded(assemble(PAGES["run"], facts), shown=(mapped.ANCHOR,)),
        answer=answer(facts),
        picture=forest(facts),
        cautions=chips(facts),
        footer=f"Made by xlser {facts.about['versions']['xlser']}. This page loads nothing from elsewhere.",
    )


def banners(facts: Facts) -> list[str]:
    """Return what must be read before any number: synthetic speech, what the run warns of, shared speakers."""
    found: list[str] = [synthetic_banner(facts.about["synthetic"])] if facts.about["synthetic"] else []
    found += facts.warnings
    if facts.shared:
        who = "".join(f"Seed {seed}: {', '.join(map(str, names))}. " for seed, names in facts.shared.items())
        lead = Markup("<strong>Speakers are shared between parts of the split.</strong> {}{}.")
        found.append(lead.format(who, facts.flattered[0].upper() + facts.flattered[1:]))
    return found


def synthetic_banner(names: list[str]) -> Markup:
    """Return the banner of a page with synthetic speech."""
    text = Markup(
        "<strong>Synthetic speech: no evidence about human emotion.</strong> Made by a speech synthesiser: {}."
    )
    return text.format(", ".join(names))
