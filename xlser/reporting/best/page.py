"""What `xlser best` found written down: one self-contained page, CSV, text, and a model card beside the model."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from xlser.csvcells import write_frame
from xlser.evaluation.candidates import BestResult
from xlser.evaluation.contamination import checkpoints_of
from xlser.evaluation.going_together import going_together
from xlser.ownfiles import OwnFiles
from xlser.printable import visible
from xlser.reporting.best.compared import answer, picture
from xlser.reporting.first_screen import folded
from xlser.reporting.html import html
from xlser.reporting.modelcard.markdown import model_readme
from xlser.reporting.modelcard.of_search import facts_of_search
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
    with going_together(folder):
        frame, page = result.to_frame(), html(best_page(result))
        card = visible(model_readme(facts_of_search(result)))
    own = OwnFiles(folder)
    with own.replacing("best.csv", durable=True) as temporary:
        write_frame(frame, temporary)
    own.write("README.md", card)
    own.write("report.html", page)
    return Path(folder) / "report.html"


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
