"""A finished run folder: its recipe, and which of its models is read unless one is named."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlser.errors import RunError, did_you_mean
from xlser.evaluation.choice import FEATURES, VALIDATION, choose
from xlser.evaluation.results import load_results
from xlser.experiment.corpora import AnyRecipe
from xlser.schema import validate
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe


@dataclass(frozen=True)
class Chosen:
    """One model of a run folder, and what the source's validation speakers chose for it.

    ``method`` is ``features`` where the features, or an encoder before any training, do as well as every network.
    ``reader`` is the readout that speaks for it (see `xlser.evaluation.choice.READOUTS`); None where the run scored no
    emotions. ``options`` are the reader's (k, C, temperature ...), ``alphas`` those of the ridge direction of each
    rated dimension. ``accuracy`` is the reader's UA on the source's validation speakers, over all seeds of the method;
    nan where there is none.
    """

    run: Path
    recipe: AnyRecipe
    method: str
    seed: int
    reader: str | None
    options: dict[str, Any]
    alphas: dict[str, float]
    accuracy: float

    @property
    def folder(self) -> Path:
        """Where its weights and its datastore lie."""
        return self.run / "models" / self.method / f"seed-{self.seed}"

    def text(self) -> str:
        """Say in one line which model it is and how good its validation was."""
        told = f"{self.run}: method {self.method}, seed {self.seed}, read by {self.reader or 'nothing'}"
        if not math.isnan(self.accuracy):
            told += f" (UA {self.accuracy:.3f} on the source's validation speakers)"
        if self.recipe.normalise == "speaker":
            told += "; trained on z-scores by speaker, which one recording has not: those of the source stand in"
        if isinstance(self.recipe, EncoderRecipe) and self.recipe.encoder.weights.startswith("random:"):
            told += "; its encoder began with random weights, not pretrained ones: do not rely on its answers"
        return told


def find_model(run: str | Path, method: str | None = None, seed: int | None = None, *, trained: bool = False) -> Chosen:
    """Choose a model of a finished run by its source's validation speakers alone.

    Method and readout are what `xlser.evaluation.choice.choose` takes there; of the method's seeds the one with the
    best epoch: the highest validation score, or the lowest validation loss for an autoencoder, and the first of equals.
    Seeds have other validation speakers each, so that the choice among them is a matter of taste, and `seed` may say
    otherwise.

    Args:
        run: the folder that `xlser run` wrote, wherever it lies now.
        method: one of its methods, or ``features``.
        seed: one of its seeds.
        trained: leave the features out of the choice, which no network gives.

    Raises:
        RunError: no such folder, method or seed, or a run that did not finish.
    """
    results, run = load_results(run), Path(run)
    values = results["about"]["recipe"]
    recipe = validate(EncoderRecipe if "encoder" in values else Recipe, values, f"recipe of {run}", RunError)
    networks = list(dict.fromkeys(curve["method"] for curve in results["curves"]))
    methods = networks if trained else [*networks, FEATURES]
    if method is not None and method not in methods:
        raise RunError(f"{run} has no model of method {method!r}; {did_you_mean(method, methods)}")
    choice = choose(results["transfer"], methods if method is None else [method])
    method = method or (choice.method if choice else networks[0])
    seed = _seed(run, results, method, seed)
    rows = [row for row in results["choices"] if (row["method"], row["seed"]) == (method, seed)]
    own = {row["reader"]: row for row in rows if row.get("role", VALIDATION) == VALIDATION}
    directions = {name.removeprefix("direction of "): row["alpha"] for name, row in own.items() if "alpha" in row}
    reader, accuracy = (choice.classifier, choice.validation) if choice else (None, math.nan)
    return Chosen(run, recipe, method, seed, reader, own.get(reader, {}), directions, accuracy)


def _seed(run: Path, results: dict[str, Any], method: str, seed: int | None) -> int:
    """Return the seed that is asked for, or the best; the features have no epochs, and every seed of theirs is good."""
    curves = {curve["seed"]: curve for curve in results["curves"] if method in (curve["method"], FEATURES)}
    known = sorted(curves)
    if seed is None:
        return known[0] if method == FEATURES else max(known, key=lambda number: _best(curves[number]))
    if seed not in known:
        raise RunError(f"{run} must have the seed {seed}, but has {', '.join(map(str, known))} instead.")
    return seed


def _best(curve: dict[str, Any]) -> float:
    kept = next((epoch for epoch in curve["curve"] if epoch["epoch"] == curve["best_epoch"]), {})
    score, loss = kept.get("valid/score"), kept.get("valid/loss")
    if score is not None:
        return score
    return -math.inf if loss is None else -loss
