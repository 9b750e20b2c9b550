"""Training every method of a recipe for every seed, or reading back what a run has already trained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from xlser.data.splits import Split, make_splits
from xlser.errors import RecipeError
from xlser.experiment.corpora import DIMENSIONS, Corpus
from xlser.experiment.workplace import Workplace
from xlser.features.normalise import Scaler, normalise
from xlser.training.recipe import Recipe

if TYPE_CHECKING:
    from torch.nn import ModuleDict

    from xlser.training.step import Batch


MODEL = "model.safetensors"


@dataclass
class Seed:
    """One seed: its split of the source, the statistics of its training part, and the source z-scored with them."""

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
    jobs = [
        _Job(recipe, source, seed, method, folder / method / f"seed-{seed.number}")
        for method in recipe.objectives()
        for seed in seeds
    ]
    total = len(jobs) * recipe.training.epochs
    with tqdm(total=total, desc="training", unit="epoch", disable=not place.progress, leave=False) as bar:
        return [job.read(bar.update) or job.train(bar.update) for job in jobs]


@dataclass(frozen=True)
class _Job:
    """One model of a run: trained, or read back from ``folder`` where it stands whole."""

    recipe: Recipe
    source: Corpus
    seed: Seed
    method: str
    folder: Path

    def read(self, advance: Callable[[int], object]) -> Trained | None:
        from xlser.training.checkpoint import load_state, under
        from xlser.training.step import build_network

        path = self.folder / MODEL
        if not path.exists():
            return None
        tensors, about = load_state(path, self.fingerprint)
        features, classes = self.source.features.values.shape[1], len(self.recipe.emotions)
        network = build_network(self.recipe.model, features, classes, self.seed.number).eval()
        network.load_state_dict(under("network", tensors))
        advance(self.recipe.training.epochs)
        return Trained(self.method, self.seed, network, about["best_epoch"], about["curve"])

    def train(self, advance: Callable[[int], object]) -> Trained:
        from torch.utils.tensorboard import SummaryWriter

        from xlser.training.brain import Plan, fit

        done = 0

        def on_epoch(epoch: int, scalars: dict[str, float]) -> None:
            nonlocal done
            for name, value in scalars.items():
                writer.add_scalar(name, value, epoch)
            advance(epoch - done)
            done = epoch

        objective, classes = self.recipe.objectives()[self.method], len(self.recipe.emotions)
        with SummaryWriter(self.folder / "tensorboard") as writer:
            plan = Plan(self.recipe, objective, self.seed.number, self.folder, self.fingerprint, classes, on_epoch)
            fitted = fit(plan, self._batch(self.seed.split.train), self._batch(self.seed.split.validation))
        trained = Trained(self.method, self.seed, fitted.network, fitted.best_epoch, fitted.curve)
        self._save(trained)
        return trained

    def _save(self, trained: Trained) -> None:
        """Write weights and the statistics their input was z-scored with: one is of no use without the other."""
        import torch

        from xlser.training.checkpoint import save_state

        tensors = {f"network.{name}": tensor for name, tensor in trained.network.state_dict().items()}
        tensors["scaler.mean"] = torch.from_numpy(self.seed.scaler.mean)
        tensors["scaler.std"] = torch.from_numpy(self.seed.scaler.std)
        about = {"fingerprint": self.fingerprint, "method": self.method, "recipe": self.recipe.name}
        about |= {"best_epoch": trained.best_epoch, "curve": trained.curve}
        save_state(self.folder / MODEL, tensors, about)

    def _batch(self, rows: np.ndarray) -> Batch:
        import torch

        from xlser.training.step import Batch

        codes = {name: code for code, name in enumerate(self.recipe.emotions)}
        emotion = np.array([codes.get(label, -1) for label in self.source.labels[rows]], dtype=np.int64)
        ratings = np.stack([self.source.ratings[name][rows] for name in DIMENSIONS], axis=1).astype(np.float32)
        return Batch(torch.from_numpy(self.seed.source[rows]), torch.from_numpy(ratings), torch.from_numpy(emotion))

    @cached_property
    def fingerprint(self) -> str:
        return _fingerprint(self.recipe, self.source, self.seed, self.method)


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
