"""A sweep over hidden states written down: one self-contained page, JSON with everything in it, CSV, and text."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from xlser.csvcells import write_frame
from xlser.evaluation.contamination import checkpoints_of
from xlser.evaluation.layers import LayerSweep
from xlser.evaluation.results_file import json_text
from xlser.ownfiles import OwnFiles
from xlser.reporting.first_screen import folded
from xlser.reporting.html import html
from xlser.reporting.layers.picture import opening
from xlser.reporting.layers.sections import answer, short
from xlser.reporting.pages import PAGES, assemble
from xlser.reporting.pretraining import warnings
from xlser.reporting.section import Page
from xlser.reporting.text import text
from xlser.reporting.wording import listing, plural


def write_layers(sweep: LayerSweep, folder: str | Path) -> tuple[Path, Path, Path]:
    """Write ``layers.html``, ``layers.json`` and ``layers.csv`` into a folder and return their paths.

    The page loads nothing from elsewhere.

    Raises:
        XlserError: the folder cannot be written.
    """
    own = OwnFiles(folder)
    own.write("layers.json", json_text(sweep.to_dict(), indent=1))
    with own.replacing("layers.csv") as temporary:
        write_frame(sweep.to_frame(), temporary)
    own.write("layers.html", html(layers_page(sweep)))
    page, data, table = (Path(folder) / f"layers.{ending}" for ending in ("html", "json", "csv"))
    return page, data, table


def layers_text(sweep: LayerSweep) -> str:
    """Return the sweep as text."""
    return text(assemble(PAGES["layers in a terminal"], sweep))


def layers_page(sweep: LayerSweep) -> Page:
    """Return the page of a sweep."""
    about = sweep.about
    bold = Markup("<strong>{} is synthetic speech: no evidence about human emotion.</strong>")
    banners: list[str] = [bold.format(corpus["corpus"]) for corpus in about["corpora"] if corpus["synthetic"]]
    if about["weights"].startswith("random:"):
        banners.append(f"{about['weights']} has random weights: this shows the machinery, and nothing of an encoder.")
    banners += warnings(checkpoints_of(about, {}), about["source"], about["targets"])
    corpora = f"{about['source']} to {listing(about['targets'])}"
    return Page(
        title=f"Layers of {short(about['weights'])}",
        kind=f"xlser probe-layers · {corpora} · {plural(about['seeds'], 'seed')}",
        heading=f"Layers of {short(about['weights'])}",
        sub="",
        banners=banners,
        sections=folded(assemble(PAGES["layers"], sweep), shown=("scores",)),
        answer=answer(sweep),
        picture=opening(sweep),
        footer=f"Made by xlser {about['versions']['xlser']} in {about['seconds']} s. This page loads nothing from "
        "elsewhere.",
    )
