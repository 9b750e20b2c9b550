"""A classifier's probabilities for a target, corrected by a few labelled clips of it.

With no clip each way leaves the probabilities as they are, and with few it is drawn to that. Each is linear in the
embeddings, so that it is small, is saved as arrays, and reads clips one by one. See `WAYS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from xlser.evaluation.adapting import Fitted, unset

ZERO_SHOT = "zero-shot"
# Variance of a clip's label beside the embeddings' cosines, which are 1 at most.
NOISE = 0.5
# Weight of the penalty on what is added to the source's weights, for embeddings of length 1; and on intercepts.
PENALTY, INTERCEPT_PENALTY = 0.3, 3.0
# Clips that a class mean before any shot counts as.
PSEUDO_COUNTS = 10.0
_LEAST = 1e-3  # no class is ever ruled out by a few clips
_MOST_STEPS, _SETTLED = 40, 1e-3  # of the solver


@dataclass(eq=False)
class Correction(Fitted):
    """Probabilities p (M, C) and embeddings u (M, D), set to length 1, give corrected probabilities.

    Of P parts each is p + u V, where nothing is below 0.001, scaled to sum to 1, if ``additive``; else the softmax of
    t log p + u V + b. Their log-probabilities are averaged; without any part p stays as it is.

    Attributes:
        way: what it is called: `ZERO_SHOT` or of `WAYS`.
        slopes: V, (P, D, C).
        offsets: b, (P, C).
        trusts: t, P of them.
        additive: P truth values.
        left_out: how well it told shots that it was fitted without: the sum of their log-probabilities, in nats.
    """

    way: str = ZERO_SHOT
    slopes: np.ndarray = field(default_factory=unset)
    offsets: np.ndarray = field(default_factory=unset)
    trusts: tuple[float, ...] = ()
    additive: tuple[bool, ...] = ()
    left_out: float = 0.0

    def posterior(self, rows: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """Return corrected probabilities (M, C) of rows (M, D), each by itself."""
        before = np.asarray(probabilities, dtype=float)
        if not self.trusts:
            return before
        rows, each = unit(rows), []
        for slopes, offsets, trust, additive in zip(self.slopes, self.offsets, self.trusts, self.additive, strict=True):
            moved = rows @ slopes
            said = before + moved if additive else softmax(trust * logs(before) + moved + offsets)
            each.append(normalised(np.maximum(said, _LEAST)) if additive else said)
        return each[0] if len(each) == 1 else softmax(np.mean([logs(said) for said in each], axis=0))


@dataclass(frozen=True, eq=False)
class Shots:
    """Labelled clips of a target, and what is known without their labels.

    Attributes:
        rows: (n, D) of length 1, see `unit`.
        before: (n, C) probabilities that a model gave them.
        codes: (n,) numbers of their classes.
        means: (C, D) of the classes before any shot, and
        steep: how steep a Gaussian about each is: see `means_before`.
    """

    rows: np.ndarray
    before: np.ndarray
    codes: np.ndarray
    means: np.ndarray
    steep: float

    def take(self, kept: np.ndarray) -> Shots:
        """Return some of the clips: positions, or (n,) truth values."""
        return Shots(self.rows[kept], self.before[kept], self.codes[kept], self.means, self.steep)

    @property
    def truth(self) -> np.ndarray:
        """(n, C), 1 where the class is and 0 elsewhere."""
        return np.eye(self.before.shape[1])[self.codes]


def prior(shots: Shots) -> Correction:
    """Move intercepts alone, so that the classes' shares among the shots come near to those that are said of them."""
    kernel = np.full((len(shots.rows), len(shots.rows)), 1 / INTERCEPT_PENALTY)
    duals = _duals(kernel, shots)
    slopes = np.zeros((shots.rows.shape[1], shots.before.shape[1]))
    return _part("prior", slopes, duals.sum(axis=0) / INTERCEPT_PENALTY)


def means(shots: Shots) -> Correction:
    """Average log-probabilities with those of class means, a Gaussian about each, that the shots have moved.

    A mean is (k m + sum of its shots) / (k + their number), m being the mean before and k `PSEUDO_COUNTS`.
    """
    counts = shots.truth.sum(axis=0)[:, None]
    moved = (PSEUDO_COUNTS * shots.means + shots.truth.T @ shots.rows) / (PSEUDO_COUNTS + counts)
    offsets = -0.5 * shots.steep * (moved**2).sum(axis=1)
    return _part("means", 0.5 * shots.steep * moved.T, 0.5 * offsets, trust=0.5)


def weights(shots: Shots) -> Correction:
    """Logistic regression about the source's weights: what is added to them has a Gaussian prior about 0."""
    kernel = shots.rows @ shots.rows.T / PENALTY + 1 / INTERCEPT_PENALTY
    duals = _duals(kernel, shots)
    return _part("weights", shots.rows.T @ duals / PENALTY, duals.sum(axis=0) / INTERCEPT_PENALTY)


def residuals(shots: Shots) -> Correction:
    """Spread what was wrong about the shots to clips that are like them: a Gaussian process about the probabilities.

    p + K(u, shots) (K + NOISE I)^-1 (truth - p), K being the cosine.
    """
    kernel = shots.rows @ shots.rows.T + NOISE * np.eye(len(shots.rows))
    slopes = shots.rows.T @ np.linalg.solve(kernel, shots.truth - shots.before)
    return _part("residuals", slopes, np.zeros(slopes.shape[1]), additive=True)


def averaged(shots: Shots) -> Correction:
    """Average the log-probabilities of ``means`` and ``residuals``."""
    return together("averaged", [means(shots), residuals(shots)])


# The ways to correct, by the names that tables have; each draws to `ZERO_SHOT`, the fewer the shots the more.
WAYS: dict[str, Callable[[Shots], Correction]] = {
    "prior": prior,
    "means": means,
    "weights": weights,
    "residuals": residuals,
    "averaged": averaged,
}


def together(way: str, several: Sequence[Correction]) -> Correction:
    """Return a correction that averages the log-probabilities of several."""
    return Correction(
        way=way,
        slopes=np.concatenate([each.slopes for each in several]),
        offsets=np.concatenate([each.offsets for each in several]),
        trusts=tuple(trust for each in several for trust in each.trusts),
        additive=tuple(kind for each in several for kind in each.additive),
    )


def means_before(rows: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, float]:
    """Return class means (C, D) before any shot, and how steep a Gaussian about each is.

    Steep enough for its log-probabilities to go as far apart as those of ``shares``: by the variance of the columns
    they would go much further, as if columns that move together were witnesses of their own.

    Args:
        rows: (M, D) of length 1: of the source, or of the target without its labels.
        shares: (M, C) probabilities of the classes, or their labels: 1 and 0. A class without any gets the mean of all.
    """
    mass = shares.sum(axis=0)[:, None]
    known = np.where(mass > 0, shares.T @ rows / np.where(mass > 0, mass, 1.0), rows.mean(axis=0))
    near = rows @ known.T - 0.5 * (known**2).sum(axis=1)
    wide, asked = _spread(near), _spread(logs(shares))
    return known, asked / wide if wide > 1e-9 else 0.0


def unit(rows: np.ndarray) -> np.ndarray:
    """Return rows (M, D) set to length 1; those of length 0 stay so."""
    rows = np.asarray(rows, dtype=float)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def logs(probabilities: np.ndarray) -> np.ndarray:
    """Return log-probabilities, none of them below that of 0.001."""
    return np.asarray(np.log(np.maximum(probabilities, _LEAST)))


def softmax(values: np.ndarray) -> np.ndarray:
    """Return rows (M, C) that sum to 1."""
    return normalised(np.exp(values - values.max(axis=1, keepdims=True)))


def normalised(values: np.ndarray) -> np.ndarray:
    """Return rows (M, C) scaled to sum to 1."""
    return np.asarray(values / values.sum(axis=1, keepdims=True))


def _spread(values: np.ndarray) -> float:
    return float((values - values.mean(axis=1, keepdims=True)).std())


def _part(way: str, slopes: np.ndarray, offsets: np.ndarray, trust: float = 1.0, additive: bool = False) -> Correction:
    return Correction(way=way, slopes=slopes[None], offsets=offsets[None], trusts=(trust,), additive=(additive,))


def _duals(kernel: np.ndarray, shots: Shots) -> np.ndarray:
    """Return A (n, C): the mode of the posterior is log p + kernel A, for cross-entropy + tr(A' kernel A) / 2.

    Each step is a Newton step with the largest curvature that a softmax can have, 1/2 (Boehning 1992): it never
    overshoots, and the matrix is factored once. There A is the truth less the probabilities.
    """
    from scipy.linalg import cho_factor, cho_solve

    factor = cho_factor(kernel / 2 + np.eye(len(kernel)))
    start, truth = logs(shots.before), shots.truth
    duals = np.zeros_like(truth)
    for _ in range(_MOST_STEPS):
        step = cho_solve(factor, truth - softmax(start + kernel @ duals) - duals)
        duals += step
        if np.abs(step).max() < _SETTLED:
            break
    return duals
