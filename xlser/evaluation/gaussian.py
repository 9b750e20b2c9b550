"""Classes as Gaussians that move to where the target's recordings are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from xlser.errors import RecipeError
from xlser.evaluation.adapting import Adaptation, Away, Fitted, Home, check_labels, unset
from xlser.evaluation.expected import single_samples
from xlser.evaluation.knn import checked_probabilities, renormalised

# A probability of less is taken for it: its logarithm would outweigh anything that a recording says.
_LEAST = 1e-9


@dataclass(frozen=True)
class GaussianEm(Adaptation):
    """Class means move by expectation maximisation in the target, from the readout's probabilities as start.

    In the space of the source's discriminant analysis (C - 1 dimensions, shrunken covariance) classes are Gaussians of
    the source's within-class covariance. In turns, the means are those of the target's recordings by their
    probabilities, drawn to the source's by ``shrink`` recordings; and the probabilities are the readout's and the
    Gaussians' averaged in logarithm, the latter counting ``trust``. Without gradients; related to Emo-TTA
    (arXiv 2509.25495).

    Args:
        trust: 0 to 1; at 0 nothing changes.
        shrink: at least 0, in recordings a class.
        iterations: at least 1.

    Raises:
        RecipeError: an option out of range.
    """

    name: ClassVar[str] = "gaussian-em"
    on_probabilities: ClassVar[bool] = True
    assumes: ClassVar[str] = "Classes are Gaussians of one shape, and the readout is right more often than not."
    trust: float = 0.5
    shrink: float = 10.0
    iterations: int = 10

    def __post_init__(self) -> None:
        """Check the options."""
        for option, least, most in (("trust", 0, 1), ("shrink", 0, np.inf), ("iterations", 1, np.inf)):
            if not least <= getattr(self, option) <= most:
                raise RecipeError(
                    f"{self.name}: {option} must be {least} to {most}, but is {getattr(self, option)} instead"
                )

    def _fit(self, home: Home, away: Away) -> Fitted:
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        check_labels(self.name, home)
        labels = np.asarray(home.labels).astype(str)
        rows = np.asarray(home.embeddings, dtype=float)
        std = rows.std(axis=0)
        mean, std = rows.mean(axis=0), np.where(std > 1e-9 * np.maximum(1.0, np.abs(rows).max(axis=0)), std, 1.0)
        scaled = (rows - mean) / std
        # One clip has no spread; where hardly a class has two, those of one do.
        twice = [name for name in home.classes if (labels == name).sum() > 1]
        known = twice if len(twice) > 1 else [name for name in home.classes if (labels == name).any()]
        kept = np.isin(labels, known)
        lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto", priors=[1 / len(known)] * len(known))
        with single_samples():
            lda.fit(scaled[kept], labels[kept])
        axes = lda.scalings_[:, : max(1, min(len(known) - 1, rows.shape[1]))]
        z = scaled @ axes
        means = np.array(
            [z[labels == name].mean(axis=0) if name in known else np.zeros(z.shape[1]) for name in home.classes]
        )
        spread = np.mean([np.cov(z[labels == name].T, bias=True).reshape(z.shape[1], -1) for name in known], axis=0)
        ball = 1e-6 * max(np.trace(spread) / len(spread), 1e-12)
        precision = np.linalg.inv(spread + ball * np.eye(len(spread)))
        return FittedGaussians(
            mean=mean,
            axes=axes / std[:, None],
            precision=precision,
            means=means,
            seen=np.array([name in known for name in home.classes]),
            trust=self.trust,
            shrink=self.shrink,
            iterations=int(self.iterations),
        )


@dataclass(eq=False)
class FittedGaussians(Fitted):
    """``axes`` (D, K) of rows less ``mean``; ``means`` (C, K) of the classes; ``seen`` (C,) which have any."""

    mean: np.ndarray = field(default_factory=unset)
    axes: np.ndarray = field(default_factory=unset)
    precision: np.ndarray = field(default_factory=unset)
    means: np.ndarray = field(default_factory=unset)
    seen: np.ndarray = field(default_factory=unset)
    trust: float = 0.5
    shrink: float = 10.0
    iterations: int = 10

    def fit_posterior(self, rows: np.ndarray, probabilities: np.ndarray, shares: np.ndarray | None = None) -> Fitted:
        """Move the means, and say how far they went."""
        given = checked_probabilities(probabilities, (len(rows), len(self.means)))
        z, start, now = self._projected(rows), self.means, given
        for _ in range(self.iterations if len(z) else 0):
            counts = now.sum(axis=0)[:, None]
            total = counts + self.shrink
            moved = (now.T @ z + self.shrink * start) / np.where(total > 0, total, 1)
            self.means = np.where((total > 0) & self.seen[:, None], moved, start)
            now = self._corrected(z, given)
        gone = np.einsum("ck,kl,cl->c", self.means - start, self.precision, self.means - start) ** 0.5
        changed = int((now.argmax(axis=1) != given.argmax(axis=1)).sum())
        self.notes = (
            f"class means moved by {', '.join(f'{value:.2f}' for value in gone)} deviations in the target, and "
            f"{changed} of {len(given)} answers changed",
        )
        return self

    def posterior(self, rows: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """Return probabilities (M, C), averaged in logarithm with the Gaussians'."""
        return self._corrected(self._projected(rows), np.asarray(probabilities, dtype=float))

    def _projected(self, rows: np.ndarray) -> np.ndarray:
        z: np.ndarray = (np.asarray(rows, dtype=float) - self.mean) @ self.axes
        return z

    def _corrected(self, z: np.ndarray, given: np.ndarray) -> np.ndarray:
        apart = z[:, None] - self.means
        logs = -0.5 * np.einsum("mck,kl,mcl->mc", apart, self.precision, apart)
        logs = np.where(self.seen, logs, -np.inf)
        gauss = np.exp(logs - logs.max(axis=1, keepdims=True, initial=-np.inf))
        mixed = (1 - self.trust) * np.log(given + _LEAST) + self.trust * np.log(renormalised(gauss) + _LEAST)
        # A class that was ruled out before, or that the source has none of, stays so.
        weights = np.exp(mixed - mixed.max(axis=1, keepdims=True, initial=-np.inf)) * (given > 0)
        return renormalised(weights)
