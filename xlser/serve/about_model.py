"""What a page says of the model that it asks: its emotions, its protocol in words, what it was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xlser.evaluation.candidates import RESULT, read_best
from xlser.experiment.use.hub_models import shown
from xlser.experiment.use.model import Model
from xlser.experiment.use.protocol import protocol_lines
from xlser.experiment.use.timeline import EVERY, LONGEST, SHORTEST, WINDOW
from xlser.serve.answers import protocol_of
from xlser.serve.limits import Limits
from xlser.version import __version__

_SHOWN = ("corpus", "title", "language", "utterances", "speakers", "licence", "citation", "synthetic")


def about_model(model: Model, limits: Limits, clips: bool) -> dict[str, Any]:
    """Return what ``/api/model`` answers; ``clips`` says whether those that voted can be heard."""
    reader = model.reader if model.classes else None
    shortest = model.embedder.shortest / model.embedder.rate
    return {
        "name": model.chosen.name,
        # What it says of itself begins with the folder: no path leaves the machine.
        "text": model.text().removeprefix(f"{shown(Path(model.chosen.run))}: "),
        "version": __version__,
        "protocol": protocol_of(model),
        "protocol_lines": protocol_lines(model.chosen, None),
        "classes": list(model.classes),
        "ratings": list(model.dimensions.given_by),
        "votes": bool(reader and reader.voters(model.classes)),
        "corpora": trained_on(model),
        "clips": clips,
        "limits": limits.shown(),
        "windows": {
            "every": EVERY,
            "window": max(WINDOW, shortest),
            "shortest": max(SHORTEST, shortest),
            "longest": LONGEST,
        },
    }


def trained_on(model: Model) -> list[dict[str, Any]]:
    """Return the corpora that a model learnt from, with their licences; none where that was not written down."""
    rows = [row for row in _corpora(model) if row.get("role", "source") == "source"]
    return [{name: row.get(name) for name in _SHOWN} | {"licence": row.get("licence") or "not stated"} for row in rows]


def _corpora(model: Model) -> list[dict[str, Any]]:
    folder = Path(model.chosen.run)
    if (folder / RESULT).is_file():
        return list(read_best(folder).about.get("corpora", []))
    if not hasattr(model.chosen, "job"):
        return []
    from xlser.api.saved_folder import results_of

    results = results_of(model.chosen)
    if results.kind == "bench":
        return [results.homes[model.chosen.recipe.name, model.chosen.source]["about"]]
    return list(results.table["corpora"])
