"""Recordings of the target that are alike are answered alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from xlser.errors import RecipeError
from xlser.evaluation.adapting import Adaptation, Away, Fitted, Home, unset
from xlser.evaluation.knn import checked_probabilities, renormalised

# z-scores beyond it are set to it: one wild value would otherwise make a recording nobody's neighbour.
_CLIP = 5.0
# Recordings nearer than this by cosine are one and the same: nobody is his own neighbour.
_SAME = 1 - 1e-9
# How many rows are compared with all at once, which bounds the memory.
_BLOCK = 2048
_SETTLED = 1e-12


@dataclass(frozen=True)
class Neighbours(Adaptation):
    """Each recording's probabilities become a mixture of its own and of its nearest neighbours' in the target.

    q_i = s sum_j w_ij q_j + (1 - s) p_i over the ``count`` rows j that are nearest to i by the cosine of z-scores (of
    the target's own statistics), w_ij growing as exp(sharpness cosine) and summing to 1: label spreading (Zhou et al.
    2004) on the target alone. What is found holds for further clips too: their neighbours are the target's.

    Args:
        share: s, at least 0 and below 1; at 0 nothing changes.
        count: at least 1; all others where there are fewer.
        sharpness: at least 0.
        standardise: False compares the rows as they are, where several embeddings of unit length stand side by side.

    Raises:
        RecipeError: an option out of range.
    """

    name: ClassVar[str] = "neighbours"
    on_probabilities: ClassVar[bool] = True
    assumes: ClassVar[str] = "Recordings that lie near one another in the target have one emotion."
    share: float = 0.5
    count: int = 10
    sharpness: float = 5.0
    standardise: bool = True

    def __post_init__(self) -> None:
        """Check the options."""
        if not 0 <= self.share < 1:
            raise RecipeError(f"{self.name}: share must be at least 0 and below 1, but is {self.share} instead")
        if self.count < 1 or self.count != int(self.count):
            raise RecipeError(f"{self.name}: count must be a whole number of at least 1, but is {self.count} instead")
        if not 0 <= self.sharpness < np.inf:
            raise RecipeError(f"{self.name}: sharpness must be at least 0, but is {self.sharpness} instead")

    def _fit(self, home: Home, away: Away) -> Fitted:
        return FittedNeighbours(
            share=self.share, count=int(self.count), sharpness=self.sharpness, standardise=self.standardise
        )


@dataclass(eq=False)
class FittedNeighbours(Fitted):
    """``units`` (M, D), the target's rows as unit vectors of z-scores, and their ``answers`` (M, C)."""

    share: float = 0.5
    count: int = 10
    sharpness: float = 5.0
    standardise: bool = True
    mean: np.ndarray = field(default_factory=unset)
    std: np.ndarray = field(default_factory=unset)
    units: np.ndarray = field(default_factory=unset)
    answers: np.ndarray = field(default_factory=unset)

    def fit_posterior(self, rows: np.ndarray, probabilities: np.ndarray, shares: np.ndarray | None = None) -> Fitted:
        """Solve for the answers of all rows, and keep them."""
        given = checked_probabilities(probabilities, (len(rows), np.shape(probabilities)[1]))
        rows = np.asarray(rows, dtype=float)
        std = rows.std(axis=0)
        constant = std <= 1e-9 * np.maximum(1.0, np.abs(rows).max(axis=0))
        self.mean, self.std = rows.mean(axis=0), np.where(constant, 1.0, std)
        if not self.standardise:
            self.mean, self.std = np.zeros_like(std), np.ones_like(std)
        self.units = self._unit(rows)
        places, weights = self._nearest(self.units)
        answers = given
        # Each step shrinks what is left by ``share``: a fixed point, which the formula of one row then meets.
        for _ in range(1000):
            last, answers = answers, self._mixed(places, weights, answers, given)
            if np.abs(answers - last).max(initial=0) < _SETTLED:
                break
        self.answers = answers
        changed = int((answers.argmax(axis=1) != given.argmax(axis=1)).sum())
        self.notes = (f"neighbours changed {changed} of {len(given)} answers",)
        return self

    def posterior(self, rows: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """Return each row's probabilities mixed with its neighbours' among the target's."""
        places, weights = self._nearest(self._unit(np.asarray(rows, dtype=float)))
        return self._mixed(places, weights, self.answers, np.asarray(probabilities, dtype=float))

    def _unit(self, rows: np.ndarray) -> np.ndarray:
        scores = np.clip((rows - self.mean) / self.std, -_CLIP, _CLIP)
        length = np.linalg.norm(scores, axis=1, keepdims=True)
        unit: np.ndarray = scores / np.where(length > 0, length, 1.0)
        return unit

    def _nearest(self, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the places (Q, k) and the weights (Q, k) of each row's neighbours; weights of no neighbour are 0."""
        k = min(self.count, len(self.units))
        places, weights = np.empty((len(units), k), dtype=int), np.empty((len(units), k))
        for start in range(0, len(units), _BLOCK):
            rows = slice(start, start + _BLOCK)
            cosines = units[rows] @ self.units.T
            cosines[cosines > _SAME] = -np.inf
            # Ties, to within rounding, go to the earlier row: it is one row at a time or all at once alike.
            nearest = np.argsort(-np.round(cosines, 10), axis=1, kind="stable")[:, :k]
            near = np.take_along_axis(cosines, nearest, axis=1)
            places[rows], weights[rows] = nearest, np.exp(self.sharpness * np.where(np.isfinite(near), near, -np.inf))
        return places, weights

    def _mixed(self, places: np.ndarray, weights: np.ndarray, answers: np.ndarray, given: np.ndarray) -> np.ndarray:
        totals = weights.sum(axis=1, keepdims=True)
        shares = np.divide(weights, totals, out=np.zeros_like(weights), where=totals > 0)
        near = np.einsum("qk,qkc->qc", shares, answers[places])
        # A row without any neighbour keeps its own.
        return renormalised(np.where(totals > 0, self.share * near + (1 - self.share) * given, given))
