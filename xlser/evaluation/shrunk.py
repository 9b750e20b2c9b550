"""Speaker statistics that lean on the corpus where a speaker has said little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from xlser.errors import RecipeError
from xlser.evaluation.adapting import Adaptation
from xlser.features.normalise import Scaler


@dataclass(frozen=True)
class SpeakerStatistics(Adaptation):
    """Each speaker's embeddings get the source's mean and deviation, by statistics that are drawn to the corpus's.

    Of a speaker with n rows, mean m and variance v, in a target with mean M and variance V, the statistics are
    (n m + k M) / (n + k) and (n v + k V) / (n + k), column by column, k being ``shrink``. Plain statistics of a speaker
    take out what he says throughout: with few clips, or one emotion each, they destroy the label; shrunk ones less. At
    0 it is each speaker alone, where he has two rows; as ``shrink`` grows, it comes to one shift of the whole target.

    Args:
        shrink: k, at least 0; in clips.

    Raises:
        RecipeError: ``shrink`` is negative or not finite.

    >>> rows = np.array([[0.0], [2.0], [10.0], [12.0]])
    >>> SpeakerStatistics(shrink=0).embeddings(np.array([[-1.0], [1.0]]), rows, [*"aabb"]).ravel().tolist()
    [-1.0, 1.0, -1.0, 1.0]
    """

    name: ClassVar[str] = "speaker-statistics"
    shrink: float = 10.0

    def __post_init__(self) -> None:
        """Check the option."""
        if not 0 <= self.shrink < np.inf:
            raise RecipeError(f"{self.name}: shrink must be at least 0 and finite, but is {self.shrink} instead")

    def embeddings(self, source: np.ndarray, target: np.ndarray, speakers: ArrayLike) -> np.ndarray:
        """Return the target's embeddings (M, D), each speaker's at the source's mean and deviation."""
        target, home = np.asarray(target, dtype=float), Scaler.fit(source)
        mean, variance = target.mean(axis=0), target.var(axis=0)
        names, out = np.asarray(speakers), np.empty_like(target)
        for name in np.unique(names):
            rows = names == name
            own, count = target[rows], int(rows.sum())
            # One row has no variance of its own, and without shrinking it would be divided by none.
            weight = count / (count + self.shrink) if count > 1 or self.shrink else 0.0
            middle = weight * own.mean(axis=0) + (1 - weight) * mean
            spread = np.sqrt(weight * own.var(axis=0) + (1 - weight) * variance)
            constant = spread <= 1e-9 * np.maximum(1.0, np.abs(target).max(axis=0))
            out[rows] = (own - middle) / np.where(constant, 1.0, spread)
        mapped: np.ndarray = out * home.std + home.mean
        return mapped
