"""A finished run folder: its recipe, and which of its models is read unless one is named."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlser.errors import RunError, did_you_mean
from xlser.experiment.cases import VALIDATION
from xlser.experiment.corpora import AnyRecipe
from xlser.experiment.judge import INTERPOLATED
from xlser.reporting.load import load_results
from xlser.schema import validate
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe

READERS = (INTERPOLATED, "knn")


@dataclass(frozen=True)
class Chosen:
    """One model of a run folder, and what the source's validation speakers chose for it.

    ``reader`` is the classifier that speaks for it: ``classifier + knn``, or ``knn`` where no classifier was trained;
    None where the run scored no emotions. ``options`` are the reader's (k, temperature ...), ``alphas`` those of the
    ridge direction of each rated dimension. ``accuracy`` is the reader's UA on the source's validation speakers, over
    all seeds of the method; nan where there is none.
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


def choose(run: str | Path, method: str | None = None, seed: int | None = None) -> Chosen:
    """Choose a model of a finished run by its source's validation speakers alone.

    The method is the one with the best UA there, the first of equals; of its seeds the one with the best epoch: the
    highest validation score, or the lowest validation loss for an autoencoder. Seeds have other validation speakers
    each, so that the choice among them is a matter of taste, and `seed` may say otherwise.

    Args:
        run: the folder that `xlser run` wrote, wherever it lies now.
        method: one of its methods.
        seed: one of its seeds.

    Raises:
        RunError: no such folder, method or seed, or a run that did not finish.
    """
    results, run = load_results(run), Path(run)
    values = results["about"]["recipe"]
    recipe = validate(EncoderRecipe if "encoder" in values else Recipe, values, f"recipe of {run}", RunError)
    methods = list(dict.fromkeys(curve["method"] for curve in results["curves"]))
    if method is not None and method not in methods:
        raise RunError(f"{run} has no model of method {method!r}; {did_you_mean(method, methods)}")
    method = method or max(methods, key=lambda name: _worth(_accuracy(results, name)))
    seed = _seed(run, [curve for curve in results["curves"] if curve["method"] == method], seed)
    rows = [row for row in results["choices"] if (row["method"], row["seed"]) == (method, seed)]
    own = {row["reader"]: row for row in rows if row.get("role", VALIDATION) == VALIDATION}
    reader = next((name for name in READERS if name in own), None)
    directions = {name.removeprefix("direction of "): row["alpha"] for name, row in own.items() if "alpha" in row}
    return Chosen(run, recipe, method, seed, reader, own.get(reader, {}), directions, _accuracy(results, method))


def _accuracy(results: dict[str, Any], method: str) -> float:
    """Return the UA of the method's reader on the source's validation speakers."""
    wanted = {"metric": "UA", "role": VALIDATION, "method": method}
    found = {
        row["classifier"]: row["value"]
        for row in results["transfer"]
        if all(row[key] == value for key, value in wanted.items())
    }
    value = next((found[name] for name in READERS if name in found), None)
    return math.nan if value is None else value


def _worth(accuracy: float) -> float:
    return -math.inf if math.isnan(accuracy) else accuracy


def _seed(run: Path, curves: list[dict[str, Any]], seed: int | None) -> int:
    known = [curve["seed"] for curve in curves]
    if seed is None:
        return max(curves, key=_best)["seed"]
    if seed not in known:
        raise RunError(f"{run} must have the seed {seed}, but has {', '.join(map(str, known))} instead.")
    return seed


def _best(curve: dict[str, Any]) -> float:
    kept = next((epoch for epoch in curve["curve"] if epoch["epoch"] == curve["best_epoch"]), {})
    score, loss = kept.get("valid/score"), kept.get("valid/loss")
    if score is not None:
        return score
    return -math.inf if loss is None else -loss
