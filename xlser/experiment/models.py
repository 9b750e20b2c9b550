"""Training every method of a recipe for every seed, or reading back what a run has already trained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from xlser.data.splits import Split, make_splits
from xlser.errors import RecipeError
from xlser.experiment.corpora import DIMENSIONS, Corpus
from xlser.experiment.workplace import Workplace
from xlser.features.normalise import Scaler, normalise
from xlser.training.recipe import Objective, Recipe

if TYPE_CHECKING:
    from torch.nn import ModuleDict

    from xlser.training.step import Batch


@dataclass
class Seed:
    """One seed of a run: its split of the source, the statistics of its training part, the source z-scored with them."""

    number: int
    split: Split
    scaler: Scaler
    source: np.ndarray


@dataclass
class Trained:
    """One method and seed: ``network``, the epoch that was kept and the curve that led there."""

    method: str
    seed: Seed
    network: ModuleDict
    best_epoch: int
    curve: list[dict[str, float]]


def make_seeds(recipe: Recipe, source: Corpus) -> list[Seed]:
    """Split the source once and give each seed a fold: with as many seeds as folds every speaker is held out once."""
    choice = recipe.split
    given = [{part: list(members) for part, members in fold.items()} for fold in choice.given]
    splits = make_splits(source.frame, choice.kind, folds=choice.folds, seed=choice.seed, given=given)
    seeds = []
    for number in range(recipe.training.seeds):
        split = splits[number % len(splits)]
        scaler = Scaler.fit(source.features.values[split.train], recipe.features.clip)
        # On the source itself `corpus` means the training part: its held-out speakers are not looked at.
        kind = "speaker" if recipe.features.normalise == "speaker" else "source"
        seeds.append(
            Seed(number, split, scaler, normalise(source.features.values, source.frame["speaker"], kind, scaler))
        )
    return seeds


def check_ratings(recipe: Recipe, source: Corpus) -> None:
    """Stop before any training if a method needs ratings that the source does not have.

    Raises:
        RecipeError: the method, the dimension and the ways out are named.
    """
    for name, objective in recipe.methods.items():
        for dimension in objective.dimensions:
            if not np.isfinite(source.ratings[dimension]).any():
                notes = "".join(f" ({note})" for note in source.features.manifest.notes)
                raise RecipeError(
                    f"methods.{name} learns {dimension}, but corpus {source.card.name} has no {dimension} "
                    f"ratings{notes}. Give the ratings, choose another source, or take positions of emotion "
                    "words instead: --set ratings=derived"
                )


def train_all(recipe: Recipe, source: Corpus, seeds: list[Seed], folder: Path, place: Workplace) -> list[Trained]:
    """Train every method for every seed; models that ``folder`` already holds whole are read back.

    Raises:
        RunError: a model in ``folder`` is of another recipe or other data, or a loss is not finite.
    """
    objectives = recipe.objectives()
    total = len(objectives) * len(seeds) * recipe.training.epochs
    with tqdm(total=total, desc="training", unit="epoch", disable=not place.progress, leave=False) as bar:
        return [
            _one(recipe, source, seed, method, objective, folder / method / f"seed-{seed.number}", bar.update)
            for method, objective in objectives.items()
            for seed in seeds
        ]


def _one(
    recipe: Recipe,
    source: Corpus,
    seed: Seed,
    method: str,
    objective: Objective,
    folder: Path,
    advance: Callable[[int], object],
) -> Trained:
    from xlser.training.checkpoint import load_state, save_state
    from xlser.training.step import build_network

    fingerprint = _fingerprint(recipe, source, seed, method)
    whole = folder / "model.safetensors"
    if whole.exists():
        tensors, about = load_state(whole, fingerprint)
        network = build_network(recipe.model, source.features.values.shape[1], len(recipe.emotions), seed.number).eval()
        network.load_state_dict(tensors)
        advance(recipe.training.epochs)
        return Trained(method, seed, network, about["best_epoch"], about["curve"])
    trained = _train(recipe, source, seed, method, objective, folder, fingerprint, advance)
    save_state(
        whole,
        trained.network.state_dict(),
        {
            "fingerprint": fingerprint,
            "best_epoch": trained.best_epoch,
            "curve": trained.curve,
            "method": method,
            "recipe": recipe.name,
        },
    )
    return trained


def _train(
    recipe: Recipe,
    source: Corpus,
    seed: Seed,
    method: str,
    objective: Objective,
    folder: Path,
    fingerprint: str,
    advance: Callable[[int], object],
) -> Trained:
    from torch.utils.tensorboard import SummaryWriter

    from xlser.training.brain import Plan, fit

    done = 0

    def on_epoch(epoch: int, scalars: dict[str, float]) -> None:
        nonlocal done
        for name, value in scalars.items():
            writer.add_scalar(name, value, epoch)
        advance(epoch - done)
        done = epoch

    with SummaryWriter(folder / "tensorboard") as writer:
        plan = Plan(recipe, objective, seed.number, folder, fingerprint, len(recipe.emotions), on_epoch)
        fitted = fit(
            plan, _batch(source, seed, seed.split.train, recipe), _batch(source, seed, seed.split.validation, recipe)
        )
    return Trained(method, seed, fitted.network, fitted.best_epoch, fitted.curve)


def _batch(source: Corpus, seed: Seed, rows: np.ndarray, recipe: Recipe) -> Batch:
    import torch

    from xlser.training.step import Batch

    codes = {name: code for code, name in enumerate(recipe.emotions)}
    emotion = np.array([codes.get(label, -1) for label in source.labels[rows]], dtype=np.int64)
    ratings = np.stack([source.ratings[name][rows] for name in DIMENSIONS], axis=1).astype(np.float32)
    return Batch(torch.from_numpy(seed.source[rows]), torch.from_numpy(ratings), torch.from_numpy(emotion))


def _fingerprint(recipe: Recipe, source: Corpus, seed: Seed, method: str) -> str:
    """Name everything that can change a trained weight: a model under another name is not this one."""
    choices = recipe.model_dump(mode="json", include={"model", "training", "features", "emotions", "merge"})
    choices["training"].pop("checkpoint_every")
    choices["training"].pop("seeds")
    choices["objective"] = recipe.objectives()[method].model_dump(mode="json")
    digest = hashlib.sha256(json.dumps([choices, seed.number, seed.split.hash], sort_keys=True).encode())
    digest.update(source.features.values.tobytes())
    for name in DIMENSIONS:
        digest.update(source.ratings[name].tobytes())
    digest.update("|".join(map(str, source.labels)).encode())
    return digest.hexdigest()[:16]
