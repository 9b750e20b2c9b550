"""Autoencoders of a run: trained for every method and seed, or read back where they stand whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from xlser.bars import tqdm
from xlser.experiment.cases import Case
from xlser.experiment.corpora import Corpus
from xlser.experiment.seeds import Seed
from xlser.experiment.stored import keep
from xlser.experiment.vote_targets import targets_of
from xlser.experiment.workplace import Workplace
from xlser.features.normalise import Scaler, by_corpus, normalise
from xlser.training.recipe import Recipe
from xlser.vocabulary import DIMENSIONS, FEATURES, TARGET, VALIDATION

if TYPE_CHECKING:
    from torch.nn import ModuleDict

    from xlser.training.step import Batch


MODEL = "model.safetensors"


@dataclass
class Scaled:
    """A seed's source: the statistics of its training part, all of it together, and its z-scores.

    Every method of a seed sees the same z-scores of a case: they are taken once. With ``each``, the corpora of a joined
    target are z-scored one by one, as those of the source were.
    """

    seed: Seed
    scaler: Scaler
    source: np.ndarray
    each: bool = False
    _last: tuple[Case | None, np.ndarray | None] = field(default=(None, None), repr=False)

    def values(self, case: Case) -> np.ndarray:
        """Return the z-scored features of a case, (N, F)."""
        if case.role != TARGET:
            return self.source
        if self._last[0] is not case:
            values, speakers = case.corpus.data.values, case.corpus.frame["speaker"]
            parts = case.corpus.parts.values() if self.each else [np.arange(len(values))]
            scores = np.empty(values.shape, dtype=np.float32)
            for rows in parts:
                scores[rows] = normalise(values[rows], speakers.iloc[rows], case.kind, self.scaler)
            self._last = (case, scores)
        return self._last[1]


@dataclass
class Features:
    """The z-scored features themselves, read as if a network had given them."""

    scaled: Scaled
    method: str = FEATURES

    @property
    def seed(self) -> Seed:
        """The seed whose training part the z-scores are of."""
        return self.scaled.seed

    def embed(self, case: Case) -> np.ndarray:
        """Return the features of a case, (N, F)."""
        return self.scaled.values(case)


@dataclass
class Trained(Features):
    """One method and seed: ``network``, the epoch that was kept and the curve that led there."""

    network: ModuleDict | None = None
    best_epoch: int = 0
    curve: list[dict[str, float]] = field(default_factory=list)

    def embed(self, case: Case) -> np.ndarray:
        """Return the latents of a case, (N, L)."""
        import torch

        with torch.inference_mode():
            return self.network["autoencoder"].encode(torch.from_numpy(self.scaled.values(case))).numpy()


def scale(recipe: Recipe, source: Corpus, seeds: Sequence[Seed]) -> list[Scaled]:
    """Z-score the source for each seed.

    On the source itself ``corpus`` means the training part: its held-out speakers are not looked at. Zero-shot, a
    target is z-scored by the pooled statistics, whether or not each corpus of the source was by its own.
    """
    scaled, values, each = [], source.data.values, recipe.features.joined == "each"
    kind = "speaker" if recipe.features.normalise == "speaker" else "source"
    for seed in seeds:
        rows = seed.split.train
        scaler = Scaler.fit(values[rows], recipe.features.clip)
        if each:
            scores = by_corpus(values, source.frame["corpus"].to_numpy(), rows, scaler)
        else:
            scores = normalise(values, source.frame["speaker"], kind, scaler)
        scaled.append(Scaled(seed, scaler, scores, each))
    return scaled


def train_autoencoders(
    recipe: Recipe,
    source: Corpus,
    seeds: list[Seed],
    folder: Path,
    *,
    place: Workplace,
    methods: Collection[str] | None = None,
) -> list[Features | Trained]:
    """Train every method, or those that are named, for every seed; what ``folder`` already holds whole is read back.

    Returns:
        The features themselves for every seed, and then the models.

    Raises:
        RunError: a model in ``folder`` is of another recipe or other data, or a loss is not finite.
    """
    scaled = scale(recipe, source, seeds)
    jobs = [
        _Job(recipe, source, one, method, folder / method / f"seed-{one.seed.number}")
        for method in recipe.objectives()
        if methods is None or method in methods
        for one in scaled
    ]
    for job in jobs:
        job.check()
    total = len(jobs) * recipe.training.epochs
    with tqdm(total=total, desc="training", unit="epoch", disable=not place.progress, leave=False) as bar:
        trained = [job.run(bar.update) for job in jobs]
    return [*(_kept(recipe, source, one, folder) for one in scaled), *trained]


def _kept(recipe: Recipe, source: Corpus, scaled: Scaled, folder: Path) -> Features:
    """Return the features themselves, and keep what predicting with them needs, as a model's folder holds it."""
    import torch

    from xlser.training.checkpoint import save_state

    found, folder = Features(scaled), folder / FEATURES / f"seed-{scaled.seed.number}"
    fingerprint = _fingerprint(recipe, source, scaled.seed)
    if not (folder / MODEL).exists():
        scaler = scaled.scaler
        tensors = {"scaler.mean": torch.from_numpy(scaler.mean), "scaler.std": torch.from_numpy(scaler.std)}
        about = {"fingerprint": fingerprint, "method": FEATURES, "recipe": recipe.name}
        save_state(folder / MODEL, tensors, about | recipe.features.pretrained())
    _store(found, recipe, source, folder, fingerprint)
    return found


def _store(system: Features, recipe: Recipe, source: Corpus, folder: Path, fingerprint: str) -> None:
    """Write what a system makes of the training clips: a prediction compares with them."""
    case = Case(source, VALIDATION, recipe.normalise, main=False)
    keep(system.embed(case), source, system.seed.split.train, fingerprint, folder, recipe=recipe)


@dataclass(frozen=True)
class _Job:
    """One model of a run: trained, or read back from ``folder`` where it stands whole."""

    recipe: Recipe
    source: Corpus
    scaled: Scaled
    method: str
    folder: Path

    @property
    def seed(self) -> Seed:
        return self.scaled.seed

    def run(self, advance: Callable[[int], object]) -> Trained:
        trained = self.read(advance) or self.train(advance)
        _store(trained, self.recipe, self.source, self.folder, self.fingerprint)
        return trained

    def check(self) -> None:
        """Refuse batches that cannot serve the objective, before anything is trained."""
        if (self.folder / MODEL).exists():
            return
        from xlser.training.autoencoder_brain import make_batches

        objective = self.recipe.objectives()[self.method]
        make_batches(self.recipe, objective, self.seed.number, self._batch(self.seed.split.train))

    def read(self, advance: Callable[[int], object]) -> Trained | None:
        from xlser.training.checkpoint import load_state, under
        from xlser.training.step import build_network

        path = self.folder / MODEL
        if not path.exists():
            return None
        tensors, about = load_state(path, self.fingerprint)
        features, classes = self.source.data.values.shape[1], len(self.recipe.emotions)
        terms = self.recipe.objectives()[self.method].terms
        network = build_network(self.recipe.model, features, classes, self.seed.number, terms).eval()
        network.load_state_dict(under("network", tensors))
        advance(self.recipe.training.epochs)
        return Trained(self.scaled, self.method, network, about["best_epoch"], about["curve"])

    def train(self, advance: Callable[[int], object]) -> Trained:
        from torch.utils.tensorboard import SummaryWriter

        from xlser.training.autoencoder_brain import Plan, fit

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
        trained = Trained(self.scaled, self.method, fitted.network, fitted.best_epoch, fitted.curve)
        self._save(trained)
        return trained

    def _save(self, trained: Trained) -> None:
        """Write weights and the statistics their input was z-scored with: one is of no use without the other."""
        import torch

        from xlser.training.checkpoint import save_state

        tensors = {f"network.{name}": tensor for name, tensor in trained.network.state_dict().items()}
        tensors["scaler.mean"] = torch.from_numpy(self.scaled.scaler.mean)
        tensors["scaler.std"] = torch.from_numpy(self.scaled.scaler.std)
        about = {"fingerprint": self.fingerprint, "method": self.method, "recipe": self.recipe.name}
        about |= {"best_epoch": trained.best_epoch, "curve": trained.curve} | self.recipe.features.pretrained()
        save_state(self.folder / MODEL, tensors, about)

    def _batch(self, rows: np.ndarray) -> Batch:
        import torch

        from xlser.training.step import Batch

        codes = {name: code for code, name in enumerate(self.recipe.emotions)}
        emotion = np.array([codes.get(label, -1) for label in self.source.labels[rows]], dtype=np.int64)
        ratings = np.stack([self.source.ratings[name][rows] for name in DIMENSIONS], axis=1).astype(np.float32)
        x, groups = self.scaled.source[rows], _groups(self.source)[rows]
        shares = None if self.shares is None else torch.from_numpy(self.shares[rows])
        tensor = torch.from_numpy
        return Batch(tensor(x), tensor(ratings), tensor(emotion), tensor(groups), shares)

    @cached_property
    def shares(self) -> np.ndarray | None:
        """The votes that the method learns from, (N, C); None where it learns from none."""
        return targets_of(self.source, self.recipe, self.recipe.objectives()[self.method].terms.values())

    @cached_property
    def fingerprint(self) -> str:
        return _fingerprint(self.recipe, self.source, self.seed, self.method, self.shares)


def _groups(source: Corpus) -> np.ndarray:
    """Return the codes of every row's speaker, corpus and language, (N, 3)."""
    named = (source.frame["speaker"], source.frame["corpus"], source.languages)
    codes = [np.unique(names.astype(str), return_inverse=True)[1] for names in named]
    return np.stack(codes, axis=1).astype(np.int64)


def _fingerprint(
    recipe: Recipe, source: Corpus, seed: Seed, method: str | None = None, shares: np.ndarray | None = None
) -> str:
    """Name everything that can change a trained weight, or the features without a method: no other model is this."""
    choices = recipe.model_dump(mode="json", include={"model", "training", "features", "emotions", "merge"})
    for name in ("checkpoint_every", "seeds", "first_seed"):
        choices["training"].pop(name, None)
    choices["objective"] = recipe.objectives()[method].model_dump(mode="json") if method else None
    digest = hashlib.sha256(json.dumps([choices, seed.number, seed.split.hash], sort_keys=True).encode())
    digest.update(source.data.values.tobytes())
    for name in DIMENSIONS:
        digest.update(source.ratings[name].tobytes())
    digest.update("|".join(map(str, source.labels)).encode())
    digest.update(_groups(source).tobytes())
    if shares is not None:
        digest.update(shares.tobytes())
    return digest.hexdigest()[:16]
