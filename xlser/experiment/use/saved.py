"""Which model a folder holds that was saved for itself, and how it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from xlser.errors import RecipeError, RunError
from xlser.experiment.use.folder import Chosen, find_model
from xlser.fileformats import check_version
from xlser.machine import pass_on_machine
from xlser.vocabulary import VALIDATION

SAVED = "model.json"


def load_saved(folder: str | Path) -> Chosen | None:
    """Return which model a folder of `Recogniser.save` holds; None where it was not saved.

    Raises:
        RunError: it is damaged, or of another schema.
    """
    path = Path(folder) / SAVED
    if not path.exists():
        return None
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        check_version("model", about.get("schema"), path, "save the model again")
        chosen = find_model(folder, model=about["model"])
        return read_by(chosen, about["reader"], about["options"]) if about["reader"] else chosen
    except (OSError, ValueError, KeyError, AttributeError) as error:
        pass_on_machine(error, f"reading {path}")
        raise RunError(f"cannot read {path}: {error}. Save the model again.") from error


def read_by(chosen: Chosen, readout: str, options: Mapping[str, Any]) -> Chosen:
    """Return the model read by this readout, by these options and otherwise by those that validation chose for it.

    Raises:
        RecipeError: the model has no such readout.
    """
    home, mine = chosen.job.home, (chosen.method, readout)
    scores = [
        row["value"]
        for row in home["transfer"]
        if (row["method"], row["classifier"]) == mine and (row["role"], row["metric"]) == (VALIDATION, "UA")
    ]
    if not scores:
        raise RecipeError(
            f"readout {readout!r} needs a network with a classifier of its own: add xl.losses.CrossEntropy() to the "
            "losses, or use xl.Knn() or xl.Probe()"
        )
    settled = [
        row
        for row in home["choices"]
        if (row["method"], row["reader"]) == mine
        and row["seed"] == chosen.seed
        and row.get("role", VALIDATION) == VALIDATION
    ]
    best = settled[0] if settled else {}
    return replace(chosen, reader=readout, options=best | dict(options), accuracy=float(scores[0]), fixed=dict(options))
