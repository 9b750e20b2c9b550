"""What a run or a bench trained: a run one recipe on one source, a bench several, and each of them has its models."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xlser.errors import RunError
from xlser.evaluation.results import CellScore, Results, Row, read_results
from xlser.experiment.corpora import AnyRecipe
from xlser.experiment.encoders import MODEL
from xlser.filenames import below, path_part
from xlser.schema import validate
from xlser.training.checkpoint import read_about
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe
from xlser.vocabulary import FEATURES


@dataclass(frozen=True)
class TrainedJob:
    """One recipe that was trained on one source, and scored there.

    Attributes:
        source: what the source is called by its card, or its cards.
        folders: where its weights may lie: one, unless some are missing or of another recipe of this name.
        models: the seeds of each method, networks first and ``features`` last.
        home: ``transfer`` (scores) and ``choices`` (k, C, alpha ...) on the source's own speakers.
        again: how to have it scored again, as the end of a sentence; what is there is read back.
        scores: its UA on every corpus.
        settled: for every corpus the emotions that were told apart there, and ``choices`` as ``home`` has them.
    """

    recipe: AnyRecipe
    source: str
    folders: tuple[Path, ...]
    models: Mapping[str, tuple[int, ...]]
    home: Mapping[str, Any] = field(repr=False)
    again: str
    scores: tuple[CellScore, ...] = field(default=(), repr=False)
    settled: tuple[tuple[frozenset[str], list[Row]], ...] = field(default=(), repr=False)

    @property
    def folder(self) -> Path:
        """Where ``models`` and, of a fine-tuned encoder, ``encoder`` lie.

        Raises:
            RunError: that is not known.
        """
        if len(self.folders) == 1:
            return self.folders[0]
        job = f"{self.recipe.name} on {self.source}"
        if not self.folders:
            raise RunError(f"the models of {job} are missing. Copy the whole folder, or {self.again}.")
        raise RunError(
            f"the models of {job} lie in one of {', '.join(map(str, self.folders))}, and an older xlser did not note "
            "in which. Run the same `xlser transfer` command again: it trains nothing, and notes it."
        )

    def model(self, method: str, seed: int) -> Path:
        """Return where the weights and the datastore of a model lie."""
        return self.folder / "models" / path_part(method, "a method of results.json", RunError) / f"seed-{seed}"

    def choices(self, method: str, seed: int, reader: str, classes: Collection[str]) -> Row | None:
        """Return what validation chose for a reader of these emotions alone; None where no corpus has just these."""
        rows = [row for shared, several in self.settled if shared == set(classes) for row in several]
        wanted = (method, seed, reader)
        return next((row for row in rows if (row["method"], row["seed"], row["reader"]) == wanted), None)

    def best_seed(self, method: str) -> int:
        """Return the seed with the best epoch, the first of equals; the features have no epochs, and any seed is good.

        That is the highest validation score, or the lowest validation loss for an autoencoder.

        Raises:
            RunError: a model that is not there or damaged.
        """
        seeds = self.models[method]
        if method == FEATURES or len(seeds) == 1:
            return seeds[0]
        return max(seeds, key=lambda seed: self._best(method, seed))

    def _best(self, method: str, seed: int) -> float:
        about = self._about(method, seed)
        kept: Row = next((epoch for epoch in about.get("curve", ()) if epoch["epoch"] == about["best_epoch"]), {})
        score, loss = kept.get("valid/score"), kept.get("valid/loss")
        if score is not None:
            return score
        return -math.inf if loss is None else -loss

    def _about(self, method: str, seed: int) -> Row:
        """Return the epoch that was kept and the curve: a run's results hold them, a bench's models do."""
        curves = self.home.get("curves", ())
        kept = next((curve for curve in curves if (curve["method"], curve["seed"]) == (method, seed)), None)
        return kept or read_about(self.model(method, seed) / MODEL, self.again)


def trained_jobs(folder: Path) -> tuple[list[TrainedJob], list[str]]:
    """Return what a run or a bench trained, in the order that was asked for, and what of it failed, each with why.

    Raises:
        RunError: no finished run or bench lies there.
    """
    results = read_results(folder, ("cells",))
    jobs = [_of_run(results)] if results.kind == "run" else [_of_bench(results, *place) for place in results.homes]
    if not jobs:
        raise RunError(f"no recipe of {folder} was scored on its source: " + "; ".join(results.missing))
    return jobs, results.missing


def _of_run(results: Results) -> TrainedJob:
    (((recipe, source), home),) = results.homes.items()
    folder = results.folder
    seeds: dict[str, tuple[int, ...]] = {}
    for curve in home["curves"]:
        seeds[curve["method"]] = tuple(sorted({*seeds.get(curve["method"], ()), curve["seed"]}))
    seeds[FEATURES] = tuple(sorted({row["seed"] for table in ("splits", "curves") for row in home[table]}))
    again = f"delete {folder / 'results.json'} and run the same `xlser run` command again; the models are read back"
    made, scores = _recipe(results.recipes[recipe], folder), tuple(results.scores())
    settled = tuple((_shared(made, home, row), _of_corpus(home, row["corpus"])) for row in home["corpora"])
    return TrainedJob(made, source, (folder,), seeds, home, again, scores, settled)


def _shared(recipe: AnyRecipe, home: Mapping[str, Any], corpus: Row) -> frozenset[str]:
    """Return the scored emotions that a corpus shares with the source."""
    sources = [row for row in home["corpora"] if row["role"] == "source"]
    kept = [set(row["labels"].get("kept", ())) for row in (corpus, *sources)]
    return frozenset(recipe.emotions).intersection(*kept)


def _of_corpus(home: Mapping[str, Any], name: str) -> list[Row]:
    return [row for row in home["choices"] if row.get("corpus") == name]


def _of_bench(results: Results, recipe: str, source: str) -> TrainedJob:
    folder, table, values = results.folder, results.table, results.recipes[recipe]
    here = folder / "jobs" / path_part(recipe, "a recipe of results.json", RunError)
    here /= path_part(source, "a source of results.json", RunError)
    again = (
        f"delete {here / 'cells' / source}.json and run the same `xlser transfer` command again; the models are read "
        "back"
    )
    known = [row["folder"] for row in table.get("trained", ()) if (row["recipe"], row["source"]) == (recipe, source)]
    # A bench of an older xlser does not say which weights it scored: there is mostly one set of them.
    there = tuple(below(folder, name, "trained.folder of results.json", RunError) for name in known)
    there = there or tuple(sorted(here.glob("trained-*")))
    parts = set(source.split("+"))
    targets = [name for name in table["about"]["targets"] if not parts & set(name.split("+"))]
    made = _recipe(values | {"source": source, "targets": targets}, folder)
    methods = made.methods if isinstance(made, EncoderRecipe) else made.objectives()
    first = made.training.first_seed
    seeds = dict.fromkeys([*methods, FEATURES], tuple(range(first, first + made.training.seeds)))
    scores = tuple(one for one in results.scores() if (one.recipe, one.source) == (recipe, source))
    cells = [cell for cell in table["cells"] if (cell["recipe"], cell["source"]) == (recipe, source)]
    settled = tuple((frozenset(cell["classes"]), cell["choices"]) for cell in cells)
    return TrainedJob(made, source, there, seeds, results.homes[recipe, source], again, scores, settled)


def _recipe(values: Row, folder: Path) -> AnyRecipe:
    name = f"recipe of {folder}"
    if "encoder" in values:
        return validate(EncoderRecipe, values, name, RunError)
    return validate(Recipe, values, name, RunError)
