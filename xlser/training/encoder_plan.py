"""What fine-tuning is given and gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from xlser.features.clips import Clips
from xlser.models.classifier import EmotionNetwork
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.encoder_step import Targets
from xlser.training.loss_terms import Terms
from xlser.training.ranks import Ranks

Scalars = dict[str, float]


class Labelled(NamedTuple):
    """A corpus with what its clips are taught, row for row: see `Targets`; NumPy arrays of all rows.

    ``corpus`` are (N,) codes of what a joined source was put together of; None for one corpus.
    """

    clips: Clips
    emotion: np.ndarray
    ratings: np.ndarray
    speaker: np.ndarray
    language: np.ndarray
    shares: np.ndarray | None = None
    corpus: np.ndarray | None = None

    def targets(self, rows: Sequence[int] | np.ndarray, device: str | torch.device) -> Targets:
        """Return the targets of some rows as tensors."""

        def taken(column: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(column[rows]).to(device)

        shares = None if self.shares is None else taken(self.shares)
        return Targets(taken(self.emotion), taken(self.ratings), taken(self.speaker), taken(self.language), shares)


@dataclass
class EncoderPlan:
    """One encoder to fine-tune: everything `fit_encoder` needs besides the clips.

    ``fingerprint`` names recipe, data, split, method and seed: a checkpoint with another one is refused. ``score``
    gives the score (the higher the better) of predicted codes against true ones, both (M,). ``on_step`` is called with
    the share of an epoch that is done, ``on_epoch`` with an epoch's number and scalars.
    """

    recipe: EncoderRecipe
    terms: Terms
    seed: int
    folder: Path
    store: Path
    fingerprint: str
    score: Callable[[np.ndarray, np.ndarray], float]
    ranks: Ranks = field(default_factory=Ranks.alone)
    on_step: Callable[[float], object] = lambda share: None
    on_epoch: Callable[[int, Scalars], object] = lambda epoch, scalars: None


@dataclass
class FittedEncoder:
    """The network with the weights of its best epoch on source validation, and the curve that led there."""

    network: EmotionNetwork
    best_epoch: int
    curve: list[Scalars] = field(default_factory=list)
