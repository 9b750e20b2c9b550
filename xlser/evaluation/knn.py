"""Neighbours as probabilities: their votes weighted by distance, and what is needed to mix them with a model's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from xlser.evaluation import metrics
from xlser.store.datastore import Datastore


def knn_distribution(distances: ArrayLike, codes: ArrayLike, classes: int, temperature: float) -> np.ndarray:
    """Return p_knn(y) ~ sum over the neighbours of class y of exp(-d / T): float64 (Q, C), rows summing to 1.

    The least distance of each row is subtracted first, which changes no probability and keeps the largest weight at 1.

    Args:
        distances: (Q, k) finite, in the unit of ``temperature``.
        codes: (Q, k) class of each neighbour, 0 to C - 1, or -1 for no vote. A row without any vote is nan.
        classes: C, at least 1.
        temperature: T, above 0.

    Raises:
        ValueError: shapes that differ, a distance that is not finite, a code or temperature out of range.

    >>> knn_distribution([[0.0, 0.0, 9.0]], [[0, 1, 1]], 2, 1e-3).tolist()
    [[0.5, 0.5]]
    """
    distances, codes = np.asarray(distances, dtype=float), np.asarray(codes)
    _check_neighbours(distances, codes, classes)
    check_temperature(temperature)
    votes = codes >= 0
    nearest = np.min(distances, axis=1, initial=np.inf, where=votes, keepdims=True)
    with np.errstate(over="ignore"):  # a quotient beyond float64 is a weight of nought
        gaps = np.subtract(distances, nearest, out=np.full(distances.shape, np.inf), where=votes) / temperature
    cells = np.arange(len(codes))[:, None] * classes + np.where(votes, codes, 0)
    sums = np.bincount(cells.ravel(), np.exp(-gaps).ravel(), len(codes) * classes).reshape(-1, classes)
    totals = sums.sum(1, keepdims=True)
    return np.divide(sums, totals, out=np.full(sums.shape, np.nan), where=totals > 0)


def mixed(model: np.ndarray, found: np.ndarray, weight: float) -> np.ndarray:
    """Return (1 - w) p_model + w p_knn, (Q, C); the model alone where p_knn is nan.

    >>> mixed(np.array([[0.5, 0.5], [0.2, 0.8]]), np.array([[1.0, 0.0], [np.nan, np.nan]]), 0.5).tolist()
    [[0.75, 0.25], [0.2, 0.8]]
    """
    return np.where(np.isnan(found), model, (1 - weight) * model + weight * found)


def median_distance(distances: np.ndarray) -> float:
    """Return the median of the distances above nought; 1 where there is none, and any temperature does as well.

    >>> median_distance(np.array([[0.0, 2.0], [4.0, 9.0]])), median_distance(np.zeros((2, 2)))
    (4.0, 1.0)
    """
    apart = distances[distances > 0]
    return float(np.median(apart)) if len(apart) else 1.0


def class_codes(store: Datastore, known: Sequence[str], kept: np.ndarray) -> np.ndarray:
    """Return (N,) the place in ``kept`` of each stored label's position in ``known``, -1 where it is not kept.

    Raises:
        ValueError: a store without labels, or a label that is not known.

    >>> store = Datastore([[0.0], [1.0]], ["a", "b"], labels=["joy", "anger"])
    >>> class_codes(store, ["anger", "fear", "joy"], np.array([2])).tolist()
    [0, -1]
    """
    if store.labels is None:
        raise ValueError("the store must have labels, but has none. Give `labels` to Datastore.")
    place = np.full(len(known), -1)
    place[kept] = np.arange(len(kept))
    return place[metrics.encode(store.labels, known, "the store's labels")]


def renormalised(model: np.ndarray) -> np.ndarray:
    """Return each row divided by its sum, (Q, C); equal shares where that is nought.

    >>> renormalised(np.array([[0.125, 0.375], [0.0, 0.0]])).tolist()
    [[0.25, 0.75], [0.5, 0.5]]
    """
    totals = model.sum(1, keepdims=True)
    return np.divide(model, totals, out=np.full(model.shape, 1 / model.shape[1]), where=totals > 0)


def checked_probabilities(values: ArrayLike, shape: tuple[int, int]) -> np.ndarray:
    """Return float64 probabilities of ``shape``, as they are.

    Raises:
        ValueError: another shape, or a row that is not a distribution (to within 0.001).

    >>> checked_probabilities([[0.25, 0.75]], (1, 2)).tolist()
    [[0.25, 0.75]]
    """
    values = np.asarray(values, dtype=float)
    if values.shape != shape:
        raise ValueError(
            f"`probabilities` must be of shape {shape}, a column a class, but are of shape {values.shape}."
        )
    wrong = ~((values >= 0).all(1) & (np.abs(values.sum(1) - 1) < 1e-3))
    if wrong.any():
        raise ValueError(
            f"`probabilities` must be at least 0 and sum to 1 in each row, but row {wrong.argmax()} is "
            f"{values[wrong.argmax()].tolist()} instead. Take the softmax of logits first."
        )
    return values


def check_temperature(temperature: float) -> None:
    """Refuse a temperature that is not above 0.

    Raises:
        ValueError: it is 0, negative, infinite or nan.

    >>> check_temperature(0.1)
    """
    if not 0 < temperature < np.inf:
        raise ValueError(f"`temperature` must be above 0 and finite, but is {temperature} instead.")


def _check_neighbours(distances: np.ndarray, codes: np.ndarray, classes: int) -> None:
    if distances.ndim != 2 or distances.shape != codes.shape:
        raise ValueError(
            f"`distances` and `codes` must be of one shape (Q, k), but are of {distances.shape} and {codes.shape}."
        )
    if not np.isfinite(distances).all():
        raise ValueError("`distances` must be finite, but are not: embeddings of huge numbers overflow, so scale them.")
    if codes.size and not -1 <= codes.min() <= codes.max() < classes:
        raise ValueError(f"`codes` must be -1 to {classes - 1}, but are {codes.min()} to {codes.max()} instead.")
