"""A trained model in a folder of its own, with all that predicting needs, and its model card."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from xlser.atomic import write_text
from xlser.corpora.licences import REFUSED, row_of
from xlser.errors import XlserError
from xlser.evaluation.candidates import RESULT, read_best
from xlser.evaluation.contamination import Checkpoint
from xlser.evaluation.results import Results
from xlser.evaluation.results_file import RESULTS, read_table, write_json
from xlser.experiment.checkpoint_places import CARRIED, called, find_checkpoint
from xlser.experiment.encoders import MODEL
from xlser.experiment.start import START
from xlser.experiment.use.folder import Chosen
from xlser.experiment.use.model import STORE
from xlser.experiment.use.saved import SAVED
from xlser.fileformats import VERSIONS
from xlser.models.checkpoint_folder import SETTINGS
from xlser.models.origin import origin
from xlser.printable import visible
from xlser.reporting.modelcard.markdown import FOLDER, model_readme
from xlser.reporting.modelcard.model_facts import ModelFacts
from xlser.reporting.modelcard.of_run import facts_of_run
from xlser.reporting.modelcard.of_search import facts_of_search
from xlser.systems.combined import ARRAYS, is_combined
from xlser.vocabulary import FEATURES

README = "README.md"
_OF_METHODS = ("transfer", "correlation", "choices")


def save_model(chosen: Any, folder: Path, *, where: str = FOLDER) -> ModelFacts:
    """Write what predicting needs of a model of a run, bench or search, and its model card; return what that says.

    A pretrained checkpoint that the model needs, and that its recipe names by a folder, is copied along where its own
    licence is known and lets it be passed on; it is asked for by its content where it is not there.

    Args:
        chosen: which model: `Chosen`, or the choice of a search.
        folder: new or empty.
        where: see `model_readme`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    facts = _save_search(chosen.run, folder) if is_combined(chosen.run) else _save_run(chosen, folder)
    for one in facts.checkpoints:
        _carry(one, chosen.run, folder)
    write_text(folder / README, visible(model_readme(facts, where=where)))
    return facts


def results_of(chosen: Chosen) -> Results:
    """Return the results of the folder that a model is of; of a bench, what is about the model's recipe and source."""
    kind: Literal["run", "bench"] = "bench" if chosen.run != chosen.job.folder else "run"
    results = read_table(chosen.run, kind)
    if kind == "bench":
        place = {"recipe": chosen.recipe.name, "source": chosen.source}
        for table in ("cells", "trained", "chosen"):
            results[table] = [row for row in results.get(table, ()) if place.items() <= row.items()]
        results["cells"] = [_cell(cell, chosen) for cell in results["cells"]]
        results |= {table: [] for table in ("matrix", "comparisons", "languages")} | {"failed": {}, "holes": {}}
    return Results(chosen.run, kind, results)


def facts_of(chosen: Any) -> ModelFacts:
    """Return what the model card of a model says."""
    if is_combined(chosen.run):
        return facts_of_search(read_best(chosen.run))
    return _facts(chosen, results_of(chosen))


def _facts(chosen: Chosen, results: Results) -> ModelFacts:
    place = (chosen.recipe.name, chosen.source)
    return facts_of_run(results, place, chosen.method, chosen.reader, seed=chosen.seed, validation=chosen.accuracy)


def _cell(cell: Mapping[str, Any], chosen: Chosen) -> dict[str, Any]:
    """Return a cell of a bench with what is about one of its methods, and about the features that it is compared to."""
    kept = {chosen.method, FEATURES}
    tables = {name: [row for row in cell[name] if row.get("method") in kept] for name in _OF_METHODS}
    others = ("confusion", "dimensions", "nuisances", "few_shot", "few_shot_areas", "trust")
    return {**cell, **tables, **{name: type(cell[name])() for name in others if name in cell}}


def _save_run(chosen: Chosen, folder: Path) -> ModelFacts:
    for name in (MODEL, STORE):
        _copy(chosen.folder / name, folder / (chosen.folder / name).relative_to(chosen.run))
    start = chosen.job.folder / START
    if start.is_dir():
        shutil.copytree(start, folder / start.relative_to(chosen.run))
    results = results_of(chosen)
    write_json(folder / RESULTS, results.table, indent=1)
    readout = {"reader": chosen.reader, "options": chosen.options}
    write_json(folder / SAVED, {"schema": VERSIONS["model"], "model": chosen.name} | readout, indent=1)
    return _facts(chosen, results)


def _save_search(run: Path, folder: Path) -> ModelFacts:
    for name in (SAVED, ARRAYS, STORE, RESULT):
        _copy(run / name, folder / name)
    return facts_of_search(read_best(run))


def _copy(path: Path, target: Path) -> None:
    if path.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _carry(one: Checkpoint, run: Path, folder: Path) -> None:
    """Copy a checkpoint's files into the folder, where it has no name on the hub and its licence is known to permit."""
    there = run / CARRIED / called(one.weights)
    if there.is_dir():
        shutil.copytree(there, folder / CARRIED / there.name, dirs_exist_ok=True)
        return
    if one.hub or not one.sha256:
        return
    try:
        row = {"weights": one.weights, "revision": one.revision, "model_type": one.family, "sha256": one.sha256}
        weights, revision = find_checkpoint(row, run)
        known = origin(weights, revision=revision)
    except XlserError:  # it was there when the model was loaded; whoever loads the copy is asked for it
        return
    if revision is None and known.get("licence") and row_of(known["licence"]).verdict != REFUSED:
        for path in sorted(Path(weights).expanduser().iterdir()):
            if path.name in (*SETTINGS, "config.json", README) or path.name.endswith((".safetensors", ".index.json")):
                _copy(path, folder / CARRIED / called(weights) / path.name)


__all__ = ["FOLDER", "README", "facts_of", "results_of", "save_model"]
