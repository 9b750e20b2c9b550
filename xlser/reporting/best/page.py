"""What `xlser best` found written down: one self-contained page, CSV, text, and a model card beside the model."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from xlser.atomic import replacing, write_text
from xlser.csvcells import write_frame
from xlser.evaluation.candidates import BestResult
from xlser.evaluation.contamination import checkpoints_of
from xlser.evaluation.together import going_together
from xlser.printable import visible
from xlser.reporting.best.readme import readme
from xlser.reporting.best.sections import answer, picture
from xlser.reporting.first_screen import folded
from xlser.reporting.html import html
from xlser.reporting.pages import PAGES, assemble
from xlser.reporting.pretraining import warnings
from xlser.reporting.section import Page
from xlser.reporting.text import text
from xlser.reporting.wording import listing


def write_best(result: BestResult, folder: str | Path) -> Path:
    """Write ``report.html``, ``best.csv`` and the model card ``README.md`` into a folder; return the page's path.

    The page loads nothing from elsewhere. ``best.json`` is the result's own (`BestResult.write`).

    Raises:
        XlserError: the folder cannot be written.
    """
    folder = Path(folder)
    with going_together(folder):
        frame, card, page = result.to_frame(), visible(readme(result)), html(best_page(result))
    with replacing(folder / "best.csv") as temporary:
        write_frame(frame, temporary)
    write_text(folder / "README.md", card)
    write_text(folder / "report.html", page)
    return folder / "report.html"


def best_text(result: BestResult) -> str:
    """Return the answer and its candidates as text."""
    return text(assemble(PAGES["best in a terminal"], result))


def best_page(result: BestResult) -> Page:
    """Return the page of a result."""
    corpora = result.about.get("corpora", [])
    bold = Markup("<strong>{} is synthetic speech: no evidence about human emotion.</strong>")
    banners: list[str] = [bold.format(row["corpus"]) for row in corpora if row["synthetic"]]
    checkpoints = checkpoints_of(result.about, {})
    if str(weights := result.about.get("encoder") or "").startswith("random:"):
        banners.append(f"{weights} has random weights: this shows the machinery, and nothing of an encoder.")
    banners += [note for note in result.notes if note.startswith("WARNING: ")]
    banners += warnings(checkpoints, "+".join(result.sources), [result.target])
    return Page(
        title=f"The best model for {result.target}",
        kind=f"xlser best · {listing(result.sources)} to {result.target} · {result.protocol}",
        heading=f"The best model for {result.target}",
        sub="",
        banners=banners,
        sections=folded(assemble(PAGES["best"], result), shown=("chart", "use")),
        answer=answer(result),
        picture=picture(result),
        footer=f"Made by xlser {result.about.get('versions', {}).get('xlser', '')}. This page loads nothing from "
        "elsewhere.",
    )
