"""Training an autoencoder on rows of features."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from xlser.data.sampling import DealtBatches
from xlser.errors import RunError
from xlser.losses import kl_weight
from xlser.models.threads import one_thread
from xlser.training.brain import ResumableBrain, Scalars, Stage
from xlser.training.common import Balanced
from xlser.training.loss_terms import weights_of
from xlser.training.objective import Objective
from xlser.training.recipe import Recipe
from xlser.training.step import GROUPS, Batch, add_noise, build_network, losses
from xlser.vocabulary import DIMENSIONS

_REMEDY = "Lower training.lr, or look for extreme values among the features."


@dataclass
class Plan:
    """One model to train: everything `fit` needs besides the rows.

    ``fingerprint`` names recipe, data, split, method and seed: a checkpoint with another one is refused.
    ``on_epoch`` is called after each epoch with its number and scalars.
    """

    recipe: Recipe
    objective: Objective
    seed: int
    folder: Path
    fingerprint: str
    classes: int
    on_epoch: Callable[[int, Scalars], None] = lambda epoch, scalars: None


@dataclass
class Fitted:
    """The network with the weights of its best epoch on source validation, and the curve that led there."""

    network: torch.nn.ModuleDict
    best_epoch: int
    curve: list[Scalars] = field(default_factory=list)


class Rows(Dataset):
    """Rows in memory, taken a whole batch at a time."""

    def __init__(self, rows: Batch) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows.x)

    def __getitem__(self, positions: Any) -> Batch:
        x, ratings, emotion, groups, shares = self.rows
        taken = None if shares is None else shares[positions]
        return Batch(x[positions], ratings[positions], emotion[positions], groups[positions], taken)


class AutoencoderBrain(ResumableBrain):
    """The pure steps of `xlser.training.step`, driven by SpeechBrain. Batches, noise and draws of an epoch depend on
    seed and epoch alone."""

    def __init__(self, plan: Plan, features: int, steps_per_epoch: int) -> None:
        self.plan, self.steps_per_epoch = plan, steps_per_epoch
        self.generator = torch.Generator()
        self.class_weights: Tensor | None = None
        self.best_score = float("inf")
        super().__init__(
            plan.folder,
            plan.fingerprint,
            modules=dict(build_network(plan.recipe.model, features, plan.classes, plan.seed, plan.objective.terms)),
            opt_class=lambda parameters: torch.optim.Adam(parameters, lr=plan.recipe.training.lr),
            run_opts={"device": "cpu", "nonfinite_patience": 0, "noprogressbar": True},
        )

    def optimizers_step(self) -> None:
        """Step without clipping: the paper has none."""
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.optimizer_step += 1

    def remaining(self) -> Iterator[int]:
        """Yield the epochs that are still to do; read after a checkpoint was recovered."""
        yield from range(self.epoch + 1, self.plan.recipe.training.epochs + 1)

    def compute_forward(self, batch: Batch, stage: Stage) -> dict[str, Tensor]:
        """Return the losses of a batch: on noisy inputs in training, on clean ones in validation."""
        noise, weight, mixing = 0.0, self.plan.recipe.model.annealing.maximum, None
        if stage == Stage.TRAIN:
            noise, weight, mixing = self.plan.recipe.model.noise, self._kl_weight(), self._mixing()
        inputs = add_noise(batch.x, noise, self.generator)
        try:
            return losses(
                self.modules,
                batch,
                inputs,
                self.plan.objective,
                kl_weight=weight,
                class_weights=self.class_weights,
                generator=self.generator,
                mixing=mixing,
            )
        except ValueError as error:  # a loss refuses the batch
            remedy = _REMEDY if "must be finite" in str(error) else "This part has too few ratings or classes."
            raise RunError(f"{self._place(stage)}: {error} {remedy}") from error

    def compute_objectives(self, predictions: dict[str, Tensor], batch: Batch, stage: Stage) -> Tensor:
        """Return the loss; stop at the first one that is not a number."""
        loss = predictions["loss"]
        if not torch.isfinite(loss):
            parts = ", ".join(f"{name} {value.item():g}" for name, value in predictions.items())
            raise RunError(f"{self._place(stage)}: the loss is not finite ({parts}). {_REMEDY}")
        if stage == Stage.VALID:
            self._validation = {name: float(value) for name, value in predictions.items()}
        return loss

    def on_stage_start(self, stage: Stage, epoch: int | None = None) -> None:
        """Seed the noise of this epoch."""
        if stage == Stage.TRAIN:
            self.generator.manual_seed(self.plan.seed * 1_000_003 + epoch)

    def on_stage_end(self, stage: Stage, stage_loss: float, epoch: int | None = None) -> None:
        """After validation: keep the best weights, note the curve, save a checkpoint where one is due."""
        if stage == Stage.TRAIN:
            self._train_loss = float(stage_loss)
            return
        self.epoch = epoch
        scalars = {"train/loss": self._train_loss, **{f"valid/{k}": v for k, v in self._validation.items()}}
        self.curve.append({"epoch": epoch, **scalars})
        if self._validation["loss"] < self.best_score:
            self.best_score = self._validation["loss"]
            self.keep_best()
        if epoch % self.plan.recipe.training.checkpoint_every == 0:
            self.checkpoint()
        self.plan.on_epoch(epoch, scalars)

    def _place(self, stage: Stage) -> str:
        part = "validation" if stage == Stage.VALID else "training"
        return f"{part} stopped in epoch {self.epoch + 1}, step {self.step}"

    def _mixing(self) -> torch.Generator:
        """Return the generator of this step's mixup."""
        entropy = [self.plan.seed, self.epoch, self.step]
        return torch.Generator().manual_seed(int(np.random.SeedSequence(entropy).generate_state(1)[0]))

    def _kl_weight(self) -> float:
        annealing, epochs = self.plan.recipe.model.annealing, self.plan.recipe.training.epochs
        step = self.epoch * self.steps_per_epoch + self.step
        if annealing.warmup == 0:
            return annealing.maximum
        total = epochs * self.steps_per_epoch
        if annealing.cycles == 1:
            return kl_weight(step, warmup=max(1, round(annealing.warmup * total)), maximum=annealing.maximum)
        return kl_weight(step, warmup=total, cycles=annealing.cycles, ratio=annealing.warmup, maximum=annealing.maximum)

    def about(self) -> dict[str, Any]:
        """Return the lowest validation loss so far."""
        return {"best_score": self.best_score}

    def restore(self, about: dict[str, Any]) -> None:
        """Put it back."""
        self.best_score = about["best_score"]


def fit(plan: Plan, train: Batch, validation: Batch) -> Fitted:
    """Train one model, going on from the newest checkpoint in ``plan.folder`` if there is one.

    Args:
        plan: recipe, method, seed and folder.
        train: all training rows, in memory.
        validation: the source's validation rows; the epoch with the lowest loss on them is the one that is kept.

    Raises:
        RunError: a loss that is not finite (epoch and step are named), or a checkpoint of another recipe.
    """
    batches = make_batches(plan.recipe, plan.objective, plan.seed, train)
    brain = AutoencoderBrain(plan, train.x.shape[1], len(batches))
    brain.train_sampler = batches
    brain.class_weights = weights_of(plan.objective.terms, train.labels(), max(2, plan.classes))
    loader = DataLoader(Rows(train), sampler=batches, batch_size=None, collate_fn=_as_is)
    whole = DataLoader(Rows(validation), sampler=[slice(None)], batch_size=None, collate_fn=_as_is)
    with one_thread():
        brain.fit(brain.remaining(), loader, whole)
    network = torch.nn.ModuleDict(dict(brain.modules.items())).eval()
    network.load_state_dict(brain.best)
    return Fitted(network, brain.best_epoch, brain.curve)


def make_batches(recipe: Recipe, objective: Objective, seed: int, train: Batch) -> DealtBatches:
    """Return the batches of a training on these rows.

    Raises:
        RecipeError: they cannot serve the objective.
    """
    keys, choice = _keys(train, objective), recipe.training
    return DealtBatches(keys, choice.batch, seed, _groups(train, objective, keys, choice.balance))


def _keys(train: Batch, objective: Objective) -> np.ndarray:
    """Return what every batch must hold two different values of: ratings, class codes, or nothing."""
    columns = [train.ratings[:, DIMENSIONS.index(name)].double() for name in objective.rated]
    if objective.on_classes:
        codes = train.emotion.double()
        columns.append(torch.where(codes < 0, torch.nan, codes))
    return torch.stack(columns, dim=1).numpy() if columns else np.empty((len(train.x), 0))


def _groups(train: Batch, objective: Objective, keys: np.ndarray, balance: tuple[Balanced, ...]) -> np.ndarray | None:
    """Return the code of each row's group, -1 where the method learns nothing from it; None without ``balance``."""
    if not balance:
        return None
    columns = {"corpus": train.groups[:, GROUPS.index("corpus")], "emotion": train.emotion}
    several = torch.stack([columns[name] for name in balance], dim=1).numpy()
    codes = np.unique(several, axis=0, return_inverse=True)[1].ravel()
    learnt = objective.reconstruct | np.isfinite(keys).any(axis=1)
    for term in objective.of_heads.values():
        if term.on_classes:  # clips that teach by their votes alone
            learnt = learnt | term.taught(train.labels()).numpy()
    return np.where(learnt, codes, -1)


def _as_is(batch: Batch) -> Batch:
    return batch
