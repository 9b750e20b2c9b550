"""SpeechBrain's Brain, made to resume exactly: the one file that imports SpeechBrain."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

from torch import Tensor

from xlser.atomic import sync
from xlser.machine import loading
from xlser.temporaries import remove
from xlser.training.checkpoint import (
    load_state,
    optimizer_tensors,
    restore_optimizer,
    save_state,
    under,
)

# On import SpeechBrain would turn on TF32 and turn off JIT profiling for the whole process; a library must not.
os.environ.setdefault("SB_DISABLE_QUIRKS", "allow_tf32,disable_jit_profiling")
os.environ.setdefault("SB_LOG_LEVEL", "WARNING")
with loading("SpeechBrain"):
    import speechbrain as sb
    from speechbrain.utils.checkpoints import CKPT_PREFIX, METAFNAME, PARAMFILE_EXT, Checkpoint, Checkpointer
# SpeechBrain leaves placeholders for libraries that are not installed; they raise ImportError when a tool that walks
# the loaded modules (Hypothesis, for one) looks where they come from.
for _name, _module in list(sys.modules.items()):
    if _name.startswith("speechbrain."):
        vars(_module).setdefault("__file__", None)

Stage = sb.Stage
STATE = "state"
Scalars = dict[str, float]


class WholeCheckpointer(Checkpointer):
    """A Checkpointer for which a checkpoint cut off by a kill is not there.

    Our state is the last file written into a checkpoint, and in one step: where it is, the checkpoint is whole.
    """

    def list_checkpoints(self) -> list[Checkpoint]:
        """Return the whole checkpoints."""
        return [found for found in super().list_checkpoints() if STATE in found.paramfiles]

    @sb.utils.distributed.main_process_only
    def remove_halves(self) -> None:
        """Remove the checkpoints that a kill cut off while they were written, or deleted; nobody else may be at it."""
        for folder in Path(self.checkpoints_dir).glob(f"{CKPT_PREFIX}+*"):
            whole = all((folder / name).is_file() for name in (METAFNAME, f"{STATE}{PARAMFILE_EXT}"))
            if folder.is_dir() and not whole:
                remove(folder)


class ResumableBrain(sb.Brain):
    """SpeechBrain's Brain with its whole state in one safetensors file: weights, best weights, optimizer, curve.

    What is random in a step depends on seed and place in the run alone. A run that was killed therefore needs no random
    state to go on as if it had not been.

    Attributes:
        epoch: epochs that are done; ``step`` batches of the next one.
        best: the weights of ``best_epoch``.
    """

    def __init__(self, folder: Path, fingerprint: str, **options: Any) -> None:
        self.fingerprint = fingerprint
        self.epoch, self.best_epoch = 0, 0
        self.best: dict[str, Tensor] = {}
        self.curve: list[Scalars] = []
        super().__init__(hparams={}, checkpointer=WholeCheckpointer(folder / "checkpoints"), **options)
        hooks = {"custom_save_hook": self._save_state, "custom_load_hook": self._load_state}
        self.checkpointer.add_recoverable(STATE, self, **hooks)
        self.checkpointer.remove_halves()

    def init_optimizers(self) -> None:
        """Make the optimizer; its state is saved with ours, not by SpeechBrain's pickle."""
        self.optimizer = self.opt_class(self.modules.parameters())
        self.optimizers_dict = {"opt_class": self.optimizer}

    def _wrap_distributed(self) -> None:
        # Gradients of several processes are averaged by `xlser.training.ranks`, which knows gathered rows; under
        # torchrun SpeechBrain would wrap the network in DDP and average again.
        pass

    def weights(self) -> dict[str, Tensor]:
        """Return the tensors that training changes; the others need not be kept."""
        return self.modules.state_dict()

    def keep_best(self) -> None:
        """Take the weights as they are now for the best."""
        self.best_epoch = self.epoch
        self.best = {name: tensor.clone() for name, tensor in self.weights().items()}

    def checkpoint(self) -> None:
        """Write the newest state, and drop the one before."""
        self.checkpointer.save_and_keep_only(importance_keys=[], max_keys=[], min_keys=[], verbosity=logging.DEBUG)

    def about(self) -> dict[str, Any]:
        """Return what else a checkpoint must hold, JSON-able."""
        return {}

    def restore(self, about: dict[str, Any]) -> None:
        """Put back what `about` gave."""

    @sb.utils.distributed.main_process_only
    def _save_state(self, _: Any, path: Path) -> None:
        tensors = {
            **{f"model.{k}": v for k, v in self.weights().items()},
            **{f"best.{k}": v for k, v in self.best.items()},
            **optimizer_tensors(self.optimizer),
        }
        common = {"fingerprint": self.fingerprint, "epoch": self.epoch, "best_epoch": self.best_epoch}
        sync(path.with_name(METAFNAME))
        save_state(path, tensors, {**common, "curve": self.curve, **self.about()})
        sync(path.parent.parent)

    def _load_state(self, _: Any, path: Path, end_of_epoch: bool) -> None:
        tensors, about = load_state(path, self.fingerprint)
        self.modules.load_state_dict({**self.modules.state_dict(), **under("model", tensors)})
        restore_optimizer(self.optimizer, tensors)
        self.best = under("best", tensors)
        self.epoch, self.curve, self.best_epoch = about["epoch"], about["curve"], about["best_epoch"]
        self.restore(about)
