"""Probabilities smoothed over the target's own recordings: those that sound alike are likely of one emotion."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from xlser.errors import RecipeError
from xlser.evaluation.adapting import Adaptation, Away, Fitted, Home, unset
from xlser.evaluation.knn import renormalised

# How fast a neighbour's say falls with its cosine; how often the say is passed on. Results hardly depend on either.
_SHARPNESS, _ROUNDS = 5.0, 5
# Rows compared with all others at once.
_BLOCK = 1024
# Cosines above it are of the very same recording.
_SAME = 1 - 1e-6


@dataclass(frozen=True)
class Neighbours(Adaptation):
    """Probabilities lean on those of the k nearest recordings of the target, and these on theirs.

    On the graph of the k nearest by cosine, weighted exp(5 cosine), made symmetric and normalised to S, the
    probabilities p become q = ``lean`` S q + (1 - ``lean``) p, five times (label spreading of Zhou et al. 2004, with
    the readout's probabilities for labels). A further recording leans on its k nearest of the target's, which stay.

    Args:
        k: neighbours, at least 1; fewer where the target has fewer recordings.
        lean: from 0, which changes nothing, to below 1.

    Raises:
        RecipeError: an option is out of its range.
    """

    name: ClassVar[str] = "neighbours"
    rows: ClassVar[int] = 2
    on_probabilities: ClassVar[bool] = True
    assumes: ClassVar[str] = "Recordings of the target that sound alike have the same emotion."
    k: int = 10
    lean: float = 0.5

    def __post_init__(self) -> None:
        """Check the options."""
        if not (isinstance(self.k, int) and self.k >= 1 and 0 <= self.lean < 1):
            raise RecipeError(
                f"{self.name}: k must be a whole number of at least 1 and lean from 0 to below 1, but they are "
                f"{self.k} and {self.lean} instead"
            )

    def _fit(self, home: Home, away: Away) -> Fitted:
        return FittedNeighbours(k=self.k, lean=self.lean)


@dataclass(eq=False)
class FittedNeighbours(Fitted):
    """The target's recordings at unit length (M, D), float32, and their smoothed probabilities (M, C)."""

    k: int = 10
    lean: float = 0.5
    units: np.ndarray = field(default_factory=unset)
    said: np.ndarray = field(default_factory=unset)

    def fit_posterior(self, rows: np.ndarray, probabilities: np.ndarray, shares: np.ndarray | None = None) -> Fitted:
        """Smooth the target's probabilities, and keep them."""
        given = np.asarray(probabilities, dtype=float)
        self.units = _units(rows)
        graph = spread_graph(self.units, min(self.k, len(given) - 1))
        said = given
        for _ in range(_ROUNDS):
            said = self.lean * (graph @ said) + (1 - self.lean) * given
        self.said = renormalised(said)
        return self

    def posterior(self, rows: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """Return smoothed probabilities; of a recording that was fitted to, what it got there."""
        out, units = np.array(probabilities, dtype=float), _units(rows)
        for start in range(0, len(out), _BLOCK):
            part = slice(start, start + _BLOCK)
            nearest, cosines = _nearest(units[part] @ self.units.T, min(self.k, len(self.units)))
            weights = np.exp(_SHARPNESS * cosines)
            around = np.einsum("qk,qkc->qc", weights, self.said[nearest]) / weights.sum(axis=1, keepdims=True)
            leaning = renormalised(self.lean * around + (1 - self.lean) * out[part])
            same = cosines[:, 0] >= _SAME
            out[part] = np.where(same[:, None], self.said[nearest[:, 0]], leaning)
        return out


def spread_graph(units: np.ndarray, k: int) -> Any:
    """Return the normalised graph S (M, M), sparse, of the k nearest rows of unit length (M, D); symmetric.

    >>> spread_graph(np.eye(3, dtype=np.float32), 1).toarray().round(2).tolist()[0]
    [0.0, 0.71, 0.71]
    """
    from scipy.sparse import coo_matrix, diags

    count, heads, tails, weights = len(units), [], [], []
    for start in range(0, count, _BLOCK):
        cosines = units[start : start + _BLOCK] @ units.T
        own = np.arange(len(cosines))
        cosines[own, start + own] = -np.inf
        nearest, values = _nearest(cosines, k)
        heads.append(np.repeat(start + own, k))
        tails.append(nearest.ravel())
        weights.append(np.exp(_SHARPNESS * values.astype(float)).ravel())
    shape = (count, count)
    one_way = coo_matrix((np.concatenate(weights), (np.concatenate(heads), np.concatenate(tails))), shape=shape).tocsr()
    both = (one_way + one_way.T) / 2
    degrees = np.asarray(both.sum(axis=1)).ravel()
    scale = diags(1 / np.sqrt(np.where(degrees > 0, degrees, 1.0)))
    return scale @ both @ scale


def _nearest(cosines: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of the k largest of each row, the largest first, and their values."""
    some = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
    order = np.take_along_axis(some, np.argsort(-np.take_along_axis(cosines, some, 1), axis=1, kind="stable"), 1)
    return order, np.take_along_axis(cosines, order, axis=1)


def _units(rows: np.ndarray) -> np.ndarray:
    rows = np.asarray(rows, dtype=np.float32)
    units: np.ndarray = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
    return units
