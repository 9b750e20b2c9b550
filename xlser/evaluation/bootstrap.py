"""Confidence intervals from resampling speakers: the utterances of one speaker are not independent of each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from xlser.evaluation import metrics


class SpeakerBootstrap:
    """Draws of speakers with replacement, the same ones for everything that is computed with one object.

    Two systems, two metrics or two seeds scored with one object are paired: the difference of their samples is a sample
    of the difference. Draw 0 is the sample itself, so that a point estimate and its draws come out of the same code.

    Every method takes ``rows``, a boolean mask (N,) of the rows that take part (a seed's held-out fold). A draw that
    holds none of them gives an empty confusion matrix or nan. With fewer than two speakers taking part there is
    nothing to resample: draw 0 stays the point estimate, the other draws are empty or nan, and `interval` gives
    (nan, nan). For leave-one-speaker-out, pool the predictions of all folds and call once.

    Args:
        speakers: (N,) the speaker of each row; ids that occur in several corpora must carry the corpus's name.
        draws: how many times the speakers are drawn.
        seed: the draws depend on it and on the number of speakers, not on the order of the rows.

    Attributes:
        speakers: (S,) the distinct speakers, in ascending order.
        weights: (draws + 1, S) int64, how often a draw holds each speaker; row 0 is all ones, every row sums to S.

    Raises:
        ValueError: no row, or ``draws`` below one.

    >>> bootstrap = SpeakerBootstrap(["anna", "anna", "ben", "cem"], draws=200, seed=1)
    >>> bootstrap.weights[0].tolist(), bootstrap.weights.shape
    ([1, 1, 1], (201, 3))
    >>> matrices = bootstrap.confusions(["a", "b", "a", "b"], ["a", "b", "b", "b"], ["a", "b"])
    >>> scores = metrics.unweighted_accuracy(matrices)
    >>> float(scores[0]), interval(scores)
    (0.75, (0.0, 1.0))
    """

    def __init__(self, speakers: ArrayLike, draws: int = 1000, seed: int = 0):
        self.speakers, self._codes = np.unique(np.asarray(speakers, dtype=str), return_inverse=True)
        if not len(self.speakers):
            raise ValueError("`speakers` must have at least one row, but is empty instead.")
        if draws < 1:
            raise ValueError(f"`draws` must be at least 1, but is {draws} instead.")
        size = len(self.speakers)
        drawn = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=draws)
        self.weights = np.vstack([np.ones_like(drawn[:1]), drawn])

    def confusions(
        self, truth: ArrayLike, prediction: ArrayLike, classes: Sequence[str], rows: ArrayLike | None = None
    ) -> np.ndarray:
        """Return the confusion matrix of each draw, int64 (draws + 1, C, C), ready for the accuracies in `metrics`.

        Raises:
            ValueError: lengths that differ from the speakers', or a label that is not among the classes.

        >>> SpeakerBootstrap(["anna", "ben"], draws=5).confusions(["a", "b"], ["a", "a"], ["a", "b"])[0].tolist()
        [[1, 0], [1, 0]]
        """
        take, size = self._mask(rows), len(classes)
        cells = metrics.encode(self._column("truth", truth)[take], classes, "truth") * size
        cells += metrics.encode(self._column("prediction", prediction)[take], classes, "prediction")
        shape = (len(self.speakers), size * size)
        counts = np.bincount(self._codes[take] * shape[1] + cells, minlength=shape[0] * shape[1]).reshape(shape)
        # As floats numpy multiplies matrices many times faster, and counts below 2^53 stay exact.
        matrices = self._draws(take).astype(float) @ counts.astype(float)
        return matrices.astype(np.int64).reshape(-1, size, size)

    def pearson(self, truth: ArrayLike, prediction: ArrayLike, rows: ArrayLike | None = None) -> np.ndarray:
        """Return `metrics.pearson` of each draw, (draws + 1,); rows whose truth is nan are left out.

        >>> SpeakerBootstrap(["anna", "ben", "cem"]).pearson([1.0, 2.0, 4.0], [2.0, 4.0, 8.0]).shape
        (1001,)
        """
        return metrics.pearson(*self._correlated(truth, prediction, rows))

    def ccc(self, truth: ArrayLike, prediction: ArrayLike, rows: ArrayLike | None = None) -> np.ndarray:
        """Return `metrics.ccc` of each draw, (draws + 1,); rows whose truth is nan are left out.

        >>> round(float(SpeakerBootstrap(["anna", "ben", "cem"]).ccc([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])[0]), 4)
        0.5714
        """
        return metrics.ccc(*self._correlated(truth, prediction, rows))

    def spearman(self, truth: ArrayLike, prediction: ArrayLike, rows: ArrayLike | None = None) -> np.ndarray:
        """Return `metrics.spearman` of each draw, (draws + 1,); rows whose truth is nan are left out.

        Ranks are taken anew in every draw, which makes this the slow one: it grows with draws times rows.

        >>> float(SpeakerBootstrap(["anna", "ben", "cem"]).spearman([1.0, 2.0, 3.0], [2.0, 9.0, 4.0])[0])
        0.5
        """
        return metrics.spearman(*self._correlated(truth, prediction, rows))

    def _correlated(
        self, truth: ArrayLike, prediction: ArrayLike, rows: ArrayLike | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        truth = self._column("truth", np.asarray(truth, dtype=float))
        take = self._mask(rows) & ~np.isnan(truth)
        prediction = self._column("prediction", prediction)
        return truth[take], prediction[take], self._draws(take), self._codes[take]

    def _draws(self, take: np.ndarray) -> np.ndarray:
        """Return the weights, emptied below row 0 where a single speaker takes part and no draw could differ."""
        if len(np.unique(self._codes[take])) > 1:
            return self.weights
        return np.vstack([self.weights[:1], np.zeros_like(self.weights[1:])])

    def _mask(self, rows: ArrayLike | None) -> np.ndarray:
        rows = np.ones(len(self._codes), dtype=bool) if rows is None else self._column("rows", rows)
        if rows.dtype != bool:
            raise ValueError(f"`rows` must be a boolean mask, but is of type {rows.dtype} instead.")
        return rows

    def _column(self, name: str, values: ArrayLike) -> np.ndarray:
        values = np.asarray(values)
        if values.shape != self._codes.shape:
            raise ValueError(f"`{name}` must have a row per speaker label {self._codes.shape}, but has {values.shape}.")
        return values


def interval(samples: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Return the percentile interval of ``samples[1:]`` (Efron & Tibshirani 1993, chapter 13).

    ``samples[0]`` is the point estimate and takes no part. Draws that are nan are left out; (nan, nan) when fewer than
    half of the draws are finite, which is also the answer for a single speaker (see `SpeakerBootstrap`). With few
    speakers a percentile interval is too narrow: below about ten, read it as a lower bound on the doubt.

    Raises:
        ValueError: ``samples`` is not one-dimensional, or ``level`` is not between 0 and 1.

    >>> interval([0.5, 0.1, 0.2, 0.3, 0.4, 0.5], level=0.5)
    (0.2, 0.4)
    >>> interval([0.5, 0.5, float("nan"), float("nan")])
    (nan, nan)
    """
    samples = np.asarray(samples, dtype=float)
    if samples.ndim != 1:
        raise ValueError(f"`samples` must be one-dimensional, but is of shape {samples.shape} instead.")
    if not 0 < level < 1:
        raise ValueError(f"`level` must be between 0 and 1, but is {level} instead.")
    draws = samples[1:]
    finite = draws[np.isfinite(draws)]
    if not len(finite) or 2 * len(finite) < len(draws):
        return float("nan"), float("nan")
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
