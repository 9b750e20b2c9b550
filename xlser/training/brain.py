"""Training through SpeechBrain: the one file that imports it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from xlser.training.checkpoint import (
    load_state,
    optimizer_tensors,
    restore_optimizer,
    save_state,
    under,
)
from xlser.training.recipe import Objective, Recipe
from xlser.training.step import RATINGS, Batch, add_noise, build_network, losses

# On import SpeechBrain would turn on TF32 and turn off JIT profiling for the whole process; a library must not.
os.environ.setdefault("SB_DISABLE_QUIRKS", "allow_tf32,disable_jit_profiling")
os.environ.setdefault("SB_LOG_LEVEL", "WARNING")
try:
    import speechbrain as sb
    from speechbrain.utils.checkpoints import Checkpoint, Checkpointer
except (ImportError, OSError) as error:
    raise RunError(
        f"SpeechBrain cannot be imported: {error}. Most often torch and torchaudio come from different "
        "releases; install a matching pair: pip install 'torch>=2.8,<2.12' 'torchaudio>=2.8,<2.12'"
    ) from error
# SpeechBrain leaves placeholders for libraries that are not installed; they raise ImportError when a tool that walks
# the loaded modules (Hypothesis, for one) looks where they come from.
for _name, _module in list(sys.modules.items()):
    if _name.startswith("speechbrain."):
        vars(_module).setdefault("__file__", None)

STATE = "state"
_REMEDY = "Lower training.lr, or look for extreme values among the features."
Scalars = dict[str, float]


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
        return Batch(*(column[positions] for column in self.rows))


class WholeCheckpointer(Checkpointer):
    """A Checkpointer for which a checkpoint cut off by a kill is not there.

    Our state is the last file written into a checkpoint, and in one step: where it is, the checkpoint is whole.
    """

    def list_checkpoints(self) -> list[Checkpoint]:
        """Return the whole checkpoints."""
        return [found for found in super().list_checkpoints() if STATE in found.paramfiles]


class AutoencoderBrain(sb.Brain):
    """SpeechBrain's Brain around the pure steps of `xlser.training.step`.

    Batches, noise and draws of an epoch depend on seed and epoch alone. A run that was killed therefore needs no random
    state to go on as if it had not been.
    """

    def __init__(self, plan: Plan, features: int, steps_per_epoch: int) -> None:
        self.plan, self.steps_per_epoch = plan, steps_per_epoch
        self.generator = torch.Generator()
        self.epoch, self.best_epoch, self.best_score = 0, 0, float("inf")
        self.best: dict[str, Tensor] = {}
        self.curve: list[Scalars] = []
        network = build_network(plan.recipe.model, features, plan.classes, plan.seed)
        super().__init__(
            modules=dict(network),
            opt_class=lambda parameters: torch.optim.Adam(parameters, lr=plan.recipe.training.lr),
            hparams={},
            run_opts={"device": "cpu", "nonfinite_patience": 0, "noprogressbar": True},
            checkpointer=WholeCheckpointer(plan.folder / "checkpoints"),
        )
        hooks = {"custom_save_hook": self._save_state, "custom_load_hook": self._load_state}
        self.checkpointer.add_recoverable(STATE, self, **hooks)

    def init_optimizers(self) -> None:
        """Make the optimizer; its state is saved with ours, not by SpeechBrain's pickle."""
        self.optimizer = self.opt_class(self.modules.parameters())
        self.optimizers_dict = {"opt_class": self.optimizer}

    def optimizers_step(self) -> None:
        """Step without clipping: the paper has none."""
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.optimizer_step += 1

    def remaining(self) -> Iterator[int]:
        """Yield the epochs that are still to do; read after a checkpoint was recovered."""
        yield from range(self.epoch + 1, self.plan.recipe.training.epochs + 1)

    def compute_forward(self, batch: Batch, stage: sb.Stage) -> dict[str, Tensor]:
        """Return the losses of a batch: on noisy inputs in training, on clean ones in validation."""
        noise, weight = 0.0, self.plan.recipe.model.annealing.maximum
        if stage == sb.Stage.TRAIN:
            noise, weight = self.plan.recipe.model.noise, self._kl_weight()
        inputs = add_noise(batch.x, noise, self.generator)
        try:
            return losses(self.modules, batch, inputs, self.plan.objective, kl_weight=weight, generator=self.generator)
        except ValueError as error:  # a loss refuses the batch
            remedy = _REMEDY if "must be finite" in str(error) else "This part has too few ratings or classes."
            raise RunError(f"{self._place(stage)}: {error} {remedy}") from error

    def compute_objectives(self, predictions: dict[str, Tensor], batch: Batch, stage: sb.Stage) -> Tensor:
        """Return the loss; stop at the first one that is not a number."""
        loss = predictions["loss"]
        if not torch.isfinite(loss):
            parts = ", ".join(f"{name} {value.item():g}" for name, value in predictions.items())
            raise RunError(f"{self._place(stage)}: the loss is not finite ({parts}). {_REMEDY}")
        if stage == sb.Stage.VALID:
            self._validation = {name: float(value) for name, value in predictions.items()}
        return loss

    def on_stage_start(self, stage: sb.Stage, epoch: int | None = None) -> None:
        """Seed the noise of this epoch."""
        if stage == sb.Stage.TRAIN:
            self.generator.manual_seed(self.plan.seed * 1_000_003 + epoch)

    def on_stage_end(self, stage: sb.Stage, stage_loss: float, epoch: int | None = None) -> None:
        """After validation: keep the best weights, note the curve, save a checkpoint where one is due."""
        if stage == sb.Stage.TRAIN:
            self._train_loss = float(stage_loss)
            return
        self.epoch = epoch
        scalars = {"train/loss": self._train_loss, **{f"valid/{k}": v for k, v in self._validation.items()}}
        self.curve.append({"epoch": epoch, **scalars})
        if self._validation["loss"] < self.best_score:
            self.best_score, self.best_epoch = self._validation["loss"], epoch
            self.best = {name: tensor.clone() for name, tensor in self.modules.state_dict().items()}
        if epoch % self.plan.recipe.training.checkpoint_every == 0:
            self.checkpointer.save_and_keep_only(importance_keys=[], max_keys=[], min_keys=[], verbosity=logging.DEBUG)
        self.plan.on_epoch(epoch, scalars)

    def _place(self, stage: sb.Stage) -> str:
        part = "validation" if stage == sb.Stage.VALID else "training"
        return f"{part} stopped in epoch {self.epoch + 1}, step {self.step}"

    def _kl_weight(self) -> float:
        annealing, epochs = self.plan.recipe.model.annealing, self.plan.recipe.training.epochs
        step = self.epoch * self.steps_per_epoch + self.step
        if annealing.warmup == 0:
            return annealing.maximum
        total = epochs * self.steps_per_epoch
        if annealing.cycles == 1:
            return kl_weight(step, warmup=max(1, round(annealing.warmup * total)), maximum=annealing.maximum)
        return kl_weight(step, warmup=total, cycles=annealing.cycles, ratio=annealing.warmup, maximum=annealing.maximum)

    def _save_state(self, _: Any, path: Path) -> None:
        tensors = {
            **{f"model.{k}": v for k, v in self.modules.state_dict().items()},
            **{f"best.{k}": v for k, v in self.best.items()},
            **optimizer_tensors(self.optimizer),
        }
        save_state(
            path,
            tensors,
            {
                "fingerprint": self.plan.fingerprint,
                "epoch": self.epoch,
                "curve": self.curve,
                "best_epoch": self.best_epoch,
                "best_score": self.best_score,
            },
        )

    def _load_state(self, _: Any, path: Path, end_of_epoch: bool) -> None:
        tensors, about = load_state(path, self.plan.fingerprint)
        self.modules.load_state_dict(under("model", tensors))
        restore_optimizer(self.optimizer, tensors)
        self.best = under("best", tensors)
        self.epoch, self.curve = about["epoch"], about["curve"]
        self.best_epoch, self.best_score = about["best_epoch"], about["best_score"]


def fit(plan: Plan, train: Batch, validation: Batch) -> Fitted:
    """Train one model, going on from the newest checkpoint in ``plan.folder`` if there is one.

    Args:
        plan: recipe, method, seed and folder.
        train: all training rows, in memory.
        validation: the source's validation rows; the epoch with the lowest loss on them is the one that is kept.

    Raises:
        RunError: a loss that is not finite (epoch and step are named), or a checkpoint of another recipe.
    """
    batches = DealtBatches(_keys(train, plan.objective), plan.recipe.training.batch, plan.seed)
    brain = AutoencoderBrain(plan, train.x.shape[1], len(batches))
    brain.train_sampler = batches
    loader = DataLoader(Rows(train), sampler=batches, batch_size=None, collate_fn=_as_is)
    whole = DataLoader(Rows(validation), sampler=[slice(None)], batch_size=None, collate_fn=_as_is)
    with _one_thread():
        brain.fit(brain.remaining(), loader, whole)
    network = torch.nn.ModuleDict(dict(brain.modules.items())).eval()
    network.load_state_dict(brain.best)
    return Fitted(network, brain.best_epoch, brain.curve)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one thread: networks this small gain nothing from two, and lose tenfold where cores are shared."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _keys(train: Batch, objective: Objective) -> np.ndarray:
    """Return what every batch must hold two different values of: ratings, class codes, or nothing."""
    columns = [train.ratings[:, RATINGS.index(name)].double() for name in objective.dimensions]
    if objective.metric == "class-cluster" or objective.emotion_head:
        codes = train.emotion.double()
        columns.append(torch.where(codes < 0, torch.nan, codes))
    return torch.stack(columns, dim=1).numpy() if columns else np.empty((len(train.x), 0))


def _as_is(batch: Batch) -> Batch:
    return batch
