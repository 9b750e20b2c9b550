"""Which model a folder holds that was saved for itself, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from xlser.errors import RecipeError, RunError, brief
from xlser.experiment.use.folder import Chosen, find_model
from xlser.fileformats import check_version
from xlser.typedtable import Text, check_types, read_typed, typed
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
    about = read_typed(path, dict, "Save the model again.")
    check_version("model", about.get("schema"), path, "save the model again")
    check_types(SavedModel, about, path, "Save the model again.")
    chosen = find_model(folder, model=about["model"])
    try:
        return read_by(chosen, about["reader"], about["options"]) if about["reader"] else chosen
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"cannot read {path}: {brief(error)}. Save the model again.") from error


@typed
class SavedModel(TypedDict):
    """``model.json`` of a folder of `Recogniser.save`."""

    model: Text
    reader: Text | None
    options: dict[str, Any]


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
