"""Adaptations that give a target the source's covariance, or its values column by column."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from xlser.errors import RecipeError
from xlser.evaluation.adapt import covariance, power
from xlser.evaluation.adapting import Adaptation, Away, Fitted, Home, unset


@dataclass(frozen=True)
class Coral(Adaptation):
    """The target gets the source's mean and covariance; see `coral`. ``shrinkage`` in [0, 1], or None: estimated."""

    name: ClassVar[str] = "coral"
    assumes: ClassVar[str] = "Source and target have the classes equally often: a shift of the mean is the corpus's."
    shrinkage: float | None = None

    def __post_init__(self) -> None:
        """Check the option."""
        if self.shrinkage is not None and not 0 <= self.shrinkage <= 1:
            raise RecipeError(f"{self.name}: shrinkage must be between 0 and 1, but is {self.shrinkage} instead")

    def _fit(self, home: Home, away: Away) -> Fitted:
        source, target = np.asarray(home.embeddings, dtype=float), np.asarray(away.embeddings, dtype=float)
        whiten = power(covariance(target, self.shrinkage), -0.5)
        colour = power(covariance(source, self.shrinkage), 0.5)
        return FittedCoral(mean=target.mean(0), whiten=whiten, colour=colour, home_mean=source.mean(0))


@dataclass(eq=False)
class FittedCoral(Fitted):
    """(x - ``mean``) ``whiten`` ``colour`` + ``home_mean``."""

    mean: np.ndarray = field(default_factory=unset)
    whiten: np.ndarray = field(default_factory=unset)
    colour: np.ndarray = field(default_factory=unset)
    home_mean: np.ndarray = field(default_factory=unset)

    def embeddings(self, rows: np.ndarray, speakers: ArrayLike | None = None) -> np.ndarray:
        """Return rows with the source's covariance."""
        whitened = (np.asarray(rows, dtype=float) - self.mean) @ self.whiten
        mapped: np.ndarray = whitened @ self.colour + self.home_mean
        return mapped


@dataclass(frozen=True)
class Quantile(Adaptation):
    """Each column of the target gets the source's values of the same rank; see `quantile`."""

    name: ClassVar[str] = "quantile"
    assumes: ClassVar[str] = "Source and target have the classes equally often, and columns shift one by one."

    def _fit(self, home: Home, away: Away) -> Fitted:
        parts = (np.sort(np.asarray(part.embeddings, dtype=float), axis=0) for part in (home, away))
        return FittedQuantile((), None, *parts)


@dataclass(eq=False)
class FittedQuantile(Fitted):
    """The sorted values of source, (N, D), and target, (M, D); a value between two has a rank between theirs."""

    source: np.ndarray = field(default_factory=unset)
    target: np.ndarray = field(default_factory=unset)

    def embeddings(self, rows: np.ndarray, speakers: ArrayLike | None = None) -> np.ndarray:
        """Return rows with the source's values; beyond the target's largest stands the source's largest."""
        rows, out = np.asarray(rows, dtype=float), np.empty(np.shape(rows))
        for column, (home, away) in enumerate(zip(self.source.T, self.target.T, strict=True)):
            known, first, counts = np.unique(away, return_index=True, return_counts=True)
            ranks = np.interp(rows[:, column], known, first + (counts - 1) / 2)
            out[:, column] = np.interp(ranks * (len(home) - 1) / (len(away) - 1), np.arange(len(home)), home)
        return out
