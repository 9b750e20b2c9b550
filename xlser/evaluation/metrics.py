"""What a result is measured in: accuracies from a confusion matrix, and correlations from two columns.

Every function takes ``truth`` before ``prediction`` and gives nan, never 0.0, where a metric is not defined: no rows,
a single row, a constant column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

_BLOCK_CELLS = 1 << 20  # cells of one draws x rows block: 8 MiB of float64, small enough to stay near the processor
_PAIRS = ((0, 1), (0, 0), (1, 1))  # of the columns: truth with prediction, truth, prediction


def encode(labels: ArrayLike, classes: Sequence[str], name: str = "labels") -> np.ndarray:
    """Return the position in ``classes`` of each of the N ``labels``, shape (N,).

    Raises:
        ValueError: a class is listed twice, or a label is not among the classes; the message names it.

    >>> encode(["sadness", "anger"], ["anger", "sadness"]).tolist()
    [1, 0]
    """
    known, labels = np.asarray(classes, dtype=str), np.asarray(labels, dtype=str)
    order = np.argsort(known)
    if len(np.unique(known)) < len(known):
        raise ValueError(f"`classes` must be distinct, but are {known.tolist()} instead.")
    if not len(known):
        found = np.zeros(len(labels), dtype=int)
        unknown = labels
    else:
        found = order[np.searchsorted(known, labels, sorter=order).clip(max=len(known) - 1)]
        unknown = labels[known[found] != labels]
    if len(unknown):
        raise ValueError(f"`{name}` must be among the classes {known.tolist()}, but holds {str(unknown[0])!r} instead.")
    return found


def confusion(truth: ArrayLike, prediction: ArrayLike, classes: Sequence[str]) -> np.ndarray:
    """Count the pairs of labels: an int64 array (C, C), truth in the rows, prediction in the columns.

    No rows give zeros, of which every metric is nan.

    Raises:
        ValueError: the lengths differ, a class is listed twice, or a label is unknown.

    >>> confusion(["a", "a", "b"], ["a", "b", "b"], ["a", "b"]).tolist()
    [[1, 1], [0, 1]]
    """
    rows, columns = encode(truth, classes, "truth"), encode(prediction, classes, "prediction")
    _same_length(rows, columns)
    size = len(classes)
    return np.bincount(rows * size + columns, minlength=size * size).reshape(size, size)


def weighted_accuracy(matrix: ArrayLike) -> np.ndarray:
    """WA, the share of rows that are right, in [0, 1]: (..., C, C) gives (...); nan without rows.

    >>> float(weighted_accuracy([[3, 1], [1, 0]]))
    0.6
    """
    matrix = np.asarray(matrix, dtype=float)
    return _ratio(_diagonal(matrix).sum(-1), matrix.sum((-2, -1)))


def unweighted_accuracy(matrix: ArrayLike) -> np.ndarray:
    """UA (UAR, balanced accuracy), the mean recall, in [0, 1]: (..., C, C) gives (...).

    The mean is over the classes present in the truth, as in sklearn's ``balanced_accuracy_score``; nan without any.

    >>> float(unweighted_accuracy([[3, 1], [1, 0]]))
    0.375
    """
    return _mean_defined(recalls(matrix))


def recalls(matrix: ArrayLike) -> np.ndarray:
    """Recall of each class, in [0, 1]: (..., C, C) gives (..., C); nan for a class that the truth has not.

    >>> recalls([[3, 1], [0, 0]]).tolist()
    [0.75, nan]
    """
    matrix = np.asarray(matrix, dtype=float)
    return _ratio(_diagonal(matrix), matrix.sum(-1))


def macro_f1(matrix: ArrayLike) -> np.ndarray:
    """Macro-F1, the mean over classes of 2 TP / (2 TP + FP + FN), in [0, 1]: (..., C, C) gives (...).

    The mean is over the classes present in the truth or the prediction, as in sklearn's ``f1_score(average="macro")``
    without ``labels``: a class that is only predicted counts with F1 = 0. Nan without rows.

    >>> float(macro_f1([[3, 1], [1, 0]]))
    0.375
    """
    matrix = np.asarray(matrix, dtype=float)
    return _mean_defined(_ratio(2 * _diagonal(matrix), matrix.sum(-1) + matrix.sum(-2)))


def chance(counts: ArrayLike) -> dict[str, float]:
    """Return what a model that has learnt nothing scores, from truth counts (C,) or a confusion matrix (C, C).

    ``majority_wa``, ``majority_ua`` and ``majority_f1`` belong to always predicting the most frequent class;
    ``uniform_ua`` is 1/C, what guessing among all C classes expects. ``majority_ua`` is larger than that where a class
    is missing in the truth. Without rows all but ``uniform_ua`` are nan.

    Raises:
        ValueError: ``counts`` has neither one nor two dimensions, or no class.

    >>> {name: round(value, 3) for name, value in chance([6, 2]).items()}
    {'majority_wa': 0.75, 'majority_ua': 0.5, 'majority_f1': 0.429, 'uniform_ua': 0.5}
    """
    counts = np.asarray(counts)
    if counts.ndim not in (1, 2) or not counts.size:
        raise ValueError(f"`counts` must be of shape (C,) or (C, C), but is of shape {counts.shape} instead.")
    support = counts if counts.ndim == 1 else counts.sum(-1)
    majority = np.zeros((len(support), len(support)))
    majority[:, support.argmax()] = support
    scores = {"wa": weighted_accuracy(majority), "ua": unweighted_accuracy(majority), "f1": macro_f1(majority)}
    return {f"majority_{name}": float(score) for name, score in scores.items()} | {"uniform_ua": 1 / len(support)}


def pearson(
    truth: ArrayLike, prediction: ArrayLike, weights: ArrayLike | None = None, groups: ArrayLike | None = None
) -> float | np.ndarray:
    """Pearson's correlation in [-1, 1] of two columns (N,); nan where fewer than two rows or a constant is left.

    Args:
        truth: (N,) ratings; a nan is a row without a rating and is left out.
        prediction: (N,) finite numbers.
        weights: (N,), or (draws, N) for many samples at once; not negative. A weight of 2 counts a row twice.
        groups: (N,) whole numbers below G: the weights are then per group, of shape (G,) or (draws, G).

    Returns:
        A float, or (draws,) when the weights have two dimensions.

    Raises:
        ValueError: shapes that do not fit, a negative weight, an infinite number or a nan prediction.

    >>> round(pearson([1.0, 2.0, 3.0], [10.0, 20.0, 30.0]), 4)
    1.0
    >>> pearson([1.0, 2.0, 3.0], [1.0, 2.0, 9.0], weights=[[1, 1, 1], [1, 0, 0]]).round(3).tolist()
    [0.918, nan]
    """

    def score(cov: np.ndarray, var_x: np.ndarray, var_y: np.ndarray, _gap: np.ndarray) -> np.ndarray:
        return _ratio(cov, np.sqrt(var_x) * np.sqrt(var_y))

    return _from_moments(score, *_pairs(truth, prediction, weights, groups))


def ccc(
    truth: ArrayLike, prediction: ArrayLike, weights: ArrayLike | None = None, groups: ArrayLike | None = None
) -> float | np.ndarray:
    """Lin's concordance 2 cov / (var_x + var_y + (mean_x - mean_y)^2) in [-1, 1], with population moments (Lin 1989).

    Arguments, shapes, errors and degenerate cases are those of `pearson`: a constant on either side gives nan.

    >>> round(ccc([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]), 4)
    0.5714
    """

    def score(cov: np.ndarray, var_x: np.ndarray, var_y: np.ndarray, gap: np.ndarray) -> np.ndarray:
        return _ratio(2 * cov, var_x + var_y + gap**2)

    return _from_moments(score, *_pairs(truth, prediction, weights, groups))


def spearman(
    truth: ArrayLike, prediction: ArrayLike, weights: ArrayLike | None = None, groups: ArrayLike | None = None
) -> float | np.ndarray:
    """Spearman's rank correlation in [-1, 1], ties at their middle rank.

    Arguments, shapes, errors and degenerate cases are those of `pearson`. With whole weights it is exactly Spearman's
    correlation of the sample in which each row is repeated as often as its weight says.

    >>> round(spearman([1.0, 2.0, 3.0, 4.0], [1.0, 8.0, 27.0, 20.0]), 4)
    0.8
    """
    columns, weights, groups = _pairs(truth, prediction, weights, groups)
    by_truth = np.argsort(columns[0], kind="stable")  # gathers along the truth then walk through memory in order
    groups = groups[by_truth]
    runs = [_runs(column) for column in columns[:, by_truth]]

    def score(block: np.ndarray) -> np.ndarray:
        rows = np.ascontiguousarray(block.T)[groups]  # rows before draws: the gathers then copy whole lines
        (x, var_x), (y, var_y) = (_middle_ranks(rows, *run) for run in runs)
        x *= rows
        return _ratio(np.einsum("nd,nd->d", x, y), np.sqrt(var_x * var_y)).clip(-1, 1)

    return _in_blocks(score, weights, len(groups))


def _runs(column: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the run of ties that each row is in, the rows in ascending order, and where there each run starts."""
    _, tie, sizes = np.unique(column, return_inverse=True, return_counts=True)
    return tie, np.argsort(tie, kind="stable"), np.cumsum(sizes) - sizes


def _middle_ranks(
    weights: np.ndarray, tie: np.ndarray, order: np.ndarray, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ranks about their mean, (N, draws), and their sum of squares, (draws,), from weights (N, draws)."""
    if not len(tie):
        return weights.copy(), weights.sum(0)
    mass = np.add.reduceat(weights[order], starts, axis=0)
    ranks = np.cumsum(mass, axis=0)
    # Half the total is exactly the mean of the middle ranks, so a constant comes out as exact zeros.
    ranks -= ranks[-1] / 2 + mass / 2
    return ranks[tie], np.einsum("td,td,td->d", mass, ranks, ranks)


def _from_moments(
    score: Callable[..., np.ndarray], columns: np.ndarray, weights: np.ndarray, groups: np.ndarray
) -> float | np.ndarray:
    size = weights.shape[-1]
    count = np.bincount(groups, minlength=size)
    # Centred here over all rows and below per draw: an offset of 1e6 shared by all rows must not eat the digits.
    offset = columns.mean(-1, keepdims=True) if len(groups) else np.zeros((2, 1))
    columns = columns - offset
    mean = np.stack([np.bincount(groups, column, size) for column in columns]) / np.maximum(count, 1)
    residual = columns - mean[:, groups]
    within = np.stack([np.bincount(groups, residual[a] * residual[b], size) for a, b in _PAIRS])
    low, high = np.full(mean.shape, np.inf), np.full(mean.shape, -np.inf)
    np.minimum.at(low, (slice(None), groups), columns)
    np.maximum.at(high, (slice(None), groups), columns)

    def moments(block: np.ndarray) -> np.ndarray:
        mass = block * count
        # Rounding gives a constant a variance of 1e-33 or so, hence the values themselves are asked whether they vary.
        lowest = np.where(mass > 0, low[:, None], np.inf).min(-1, initial=np.inf)
        highest = np.where(mass > 0, high[:, None], -np.inf).max(-1, initial=-np.inf)
        total = np.where((lowest < highest).all(0), mass.sum(-1), np.nan)
        means = mean @ mass.T / total
        about = mean[:, None] - means[..., None]
        scatter = [
            block @ inside + np.einsum("dg,dg->d", mass * about[a], about[b])
            for (a, b), inside in zip(_PAIRS, within, strict=True)
        ]
        return score(*(part / total for part in scatter), (means[0] - means[1]) + (offset[0] - offset[1])).clip(-1, 1)

    return _in_blocks(moments, weights, size)


def _pairs(
    truth: ArrayLike, prediction: ArrayLike, weights: ArrayLike | None, groups: ArrayLike | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Check the arguments; return the rated columns (2, N), the weights (G,) or (draws, G), and the groups (N,)."""
    truth, prediction = np.asarray(truth, dtype=float), np.asarray(prediction, dtype=float)
    _same_length(truth, prediction)
    weights, groups = _weights(len(truth), weights, groups)
    rated = ~np.isnan(truth)
    columns = np.stack([truth, prediction])[:, rated]
    for name, column in zip(("truth", "prediction"), columns, strict=True):
        if not np.isfinite(column).all():
            raise ValueError(f"`{name}` must be finite, but holds {column[~np.isfinite(column)][0]} instead.")
    return columns, weights, groups[rated]


def _weights(rows: int, weights: ArrayLike | None, groups: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    most = np.inf if groups is not None else rows  # groups may have weights and no row
    groups = np.arange(rows) if groups is None else np.asarray(groups)
    if groups.shape != (rows,):
        raise ValueError(f"`groups` must be of shape ({rows},), but is of shape {groups.shape} instead.")
    needed = groups.max(initial=-1) + 1
    weights = np.ones(needed) if weights is None else np.asarray(weights, dtype=float)
    if weights.ndim not in (1, 2) or not needed <= weights.shape[-1] <= most:
        raise ValueError(f"`weights` must have a column per row or group, but is of shape {weights.shape} instead.")
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(f"`weights` must be finite and not negative, but hold {np.unique(weights)[[0, -1]]}.")
    return weights, groups


def _in_blocks(score: Callable[[np.ndarray], np.ndarray], weights: np.ndarray, width: int) -> float | np.ndarray:
    """Apply ``score`` to blocks of draws, so that memory does not grow with draws times rows."""
    if weights.ndim == 1:
        return float(score(weights[None])[0])
    step = max(1, _BLOCK_CELLS // max(width, 1))
    return np.concatenate(
        [score(weights[start : start + step]) for start in range(0, len(weights), step)] or [np.empty(0)]
    )


def _same_length(truth: np.ndarray, prediction: np.ndarray) -> None:
    if truth.ndim != 1 or truth.shape != prediction.shape:
        raise ValueError(
            f"`prediction` must have the shape of `truth` {truth.shape}, but has {prediction.shape} instead."
        )


def _diagonal(matrix: np.ndarray) -> np.ndarray:
    return np.diagonal(matrix, axis1=-2, axis2=-1)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)[()]


def _mean_defined(values: np.ndarray) -> np.ndarray:
    defined = ~np.isnan(values)
    return _ratio(np.where(defined, values, 0.0).sum(-1), defined.sum(-1))
