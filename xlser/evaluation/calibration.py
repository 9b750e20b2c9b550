"""Does a probability mean what it says, and what does a recogniser gain that stays silent when it is unsure?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike


def check_probabilities(probabilities: ArrayLike, truth: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities (N, C) as float64 and the codes (N,) of the true classes, once both are checked.

    Raises:
        ValueError: rows that are not probabilities (finite, not negative, summing to 1 within 1e-3), or codes that are
            not whole numbers from 0 to C - 1, one a row.

    >>> check_probabilities([[0.25, 0.75]], [1])[1].tolist()
    [1]
    """
    probabilities, truth = np.asarray(probabilities, dtype=float), np.asarray(truth)
    if probabilities.ndim != 2 or not probabilities.shape[1]:
        raise ValueError(f"`probabilities` must be of shape (N, C), but are of shape {probabilities.shape} instead.")
    off = ~((probabilities >= 0).all(1) & (np.abs(probabilities.sum(1) - 1) < 1e-3))
    if off.any():
        raise ValueError(f"`probabilities` must not be negative and sum to 1, but a row is {probabilities[off][0]}.")
    rows, classes = probabilities.shape
    if truth.shape != (rows,) or (rows and (truth.dtype.kind not in "iu" or truth.min() < 0 or truth.max() >= classes)):
        raise ValueError(f"`truth` must be ({rows},) whole numbers from 0 to {classes - 1}, but is {truth} instead.")
    return probabilities, truth.astype(int)


def reliability(
    probabilities: ArrayLike, truth: ArrayLike, bins: int = 15, *, adaptive: bool = False
) -> list[dict[str, float]]:
    """Return the curve of accuracy against confidence, the probability of the predicted class, a row a bin.

    Args:
        probabilities: (N, C), rows summing to 1.
        truth: (N,) codes of the true classes.
        bins: how many.
        adaptive: bins of about as many clips each, at the quantiles of confidence; equal ones are merged, so that
            equal confidences are never parted. Otherwise bins of equal width in [0, 1] (Guo et al. 2017).

    Returns:
        Rows of ``low``, ``high`` (a bin holds its upper end), ``confidence``, ``accuracy`` (means; nan in an empty bin)
        and ``count``.

    Raises:
        ValueError: ``bins`` below one, or see `check_probabilities`.

    >>> reliability([[0.75, 0.25], [0.0, 1.0]], [0, 0], bins=2)[1]
    {'low': 0.5, 'high': 1.0, 'confidence': 0.875, 'accuracy': 0.5, 'count': 2}
    """
    if bins < 1:
        raise ValueError(f"`bins` must be at least 1, but is {bins} instead.")
    confidence, right, _ = _judged(probabilities, truth)
    edges = np.linspace(0, 1, bins + 1)
    if adaptive and len(confidence):
        edges = np.unique(np.quantile(confidence, edges))
        edges = edges if len(edges) > 1 else np.repeat(edges, 2)
    places = np.searchsorted(edges[1:-1], confidence, side="left")
    count = np.bincount(places, minlength=len(edges) - 1)
    sums = [np.bincount(places, part, len(count)) for part in (confidence, right)]
    means = [np.divide(part, count, out=np.full(len(count), np.nan), where=count > 0).tolist() for part in sums]
    names = ("low", "high", "confidence", "accuracy", "count")
    columns = zip(edges[:-1].tolist(), edges[1:].tolist(), *means, count.tolist(), strict=True)
    return [dict(zip(names, row, strict=True)) for row in columns]


def ece(probabilities: ArrayLike, truth: ArrayLike, bins: int = 15, *, adaptive: bool = False) -> float:
    """Expected calibration error in [0, 1]: the mean over clips of |accuracy - confidence| of their bin.

    Arguments and errors are those of `reliability` (Naeini et al. 2015; Guo et al. 2017, eq. 3); nan without clips.
    It grows with the number of bins and shrinks with the number of clips even where nothing is wrong: compare only
    values of the same clips and bins.

    >>> round(ece([[0.9, 0.1], [0.2, 0.8]], [0, 0], bins=2), 2)
    0.35
    """
    rows = [row for row in reliability(probabilities, truth, bins, adaptive=adaptive) if row["count"]]
    total = sum(row["count"] for row in rows)
    gaps = sum(row["count"] * abs(row["accuracy"] - row["confidence"]) for row in rows)
    return gaps / total if total else float("nan")


def brier(probabilities: ArrayLike, truth: ArrayLike) -> float:
    """Brier's score in [0, 2], the mean over clips of the squared distance to the true class (Brier 1950, eq. 2).

    Zero is perfect, 1 - 1/C what equal probabilities score; nan without clips. Errors: see `check_probabilities`.

    >>> brier([[0.5, 0.5], [1.0, 0.0]], [0, 0])
    0.25
    """
    probabilities, truth = check_probabilities(probabilities, truth)
    squares = ((probabilities - np.eye(probabilities.shape[1])[truth]) ** 2).sum(1)
    return float(squares.mean()) if len(squares) else float("nan")


def abstention(probabilities: ArrayLike, truth: ArrayLike) -> dict[str, np.ndarray]:
    """Return accuracy against coverage where the least confident clips are refused (El-Yaniv & Wiener 2010).

    Clips of equal confidence are kept or refused together, so that there is a point for each distinct confidence.

    Returns:
        Arrays (K,) from the fewest clips to all: ``threshold`` (clips at least so confident are kept), ``coverage`` in
        (0, 1], ``UA`` and ``WA`` of the clips kept, and ``classes``, how many of the true classes these still hold: UA
        is over those alone, and where they are fewer than at full coverage it is not comparable.

    Raises:
        ValueError: see `check_probabilities`.

    >>> curve = abstention([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], [0, 1, 1])
    >>> curve["WA"].round(2).tolist(), curve["coverage"].round(2).tolist()
    ([1.0, 1.0, 0.67], [0.33, 0.67, 1.0])
    """
    confidence, right, codes = _judged(probabilities, truth)
    order = np.argsort(-confidence, kind="stable")
    confidence, right, codes = confidence[order], right[order], codes[order]
    ends = np.flatnonzero(np.append(np.diff(confidence) != 0, True)) if len(confidence) else np.empty(0, dtype=int)
    one_hot = np.eye(np.shape(probabilities)[1])[codes]
    support, found = (np.cumsum(part, axis=0)[ends] for part in (one_hot, one_hot * right[:, None]))
    recalls = np.divide(found, support, out=np.full(found.shape, np.nan), where=support > 0)
    return {
        "threshold": confidence[ends],
        "coverage": (ends + 1) / max(len(confidence), 1),
        "UA": np.nanmean(recalls, axis=1),
        "WA": np.cumsum(right)[ends] / (ends + 1),
        "classes": (support > 0).sum(1),
    }


def aurc(probabilities: ArrayLike, truth: ArrayLike) -> float:
    """Area under risk against coverage in [0, 1]: the mean over k of the error rate of the k most confident clips.

    Lower is better. Among clips of equal confidence every order is equally likely, and the mean over orders counts
    (Geifman & El-Yaniv 2017; 2019). nan without clips. Errors: see `check_probabilities`.

    >>> round(aurc([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], [0, 1, 1]), 3)
    0.111
    """
    confidence, right, _ = _judged(probabilities, truth)
    if not len(right):
        return float("nan")
    tie, size = np.unique(-confidence, return_inverse=True, return_counts=True)[1:]
    wrong = np.bincount(tie, 1 - right) / size
    return float((np.cumsum(np.repeat(wrong, size)) / np.arange(1, len(right) + 1)).mean())


def by_length(
    durations: ArrayLike, correct: ArrayLike, edges: Sequence[float], truth: ArrayLike | None = None
) -> list[dict[str, float]]:
    """Return the accuracy of short and of long clips.

    Args:
        durations: (N,) seconds.
        correct: (N,) whether the prediction is right, as 0 or 1 (or its share over seeds).
        edges: (E,) ascending seconds where one class of lengths ends and the next begins.
        truth: (N,) true classes, for ``UA``: emotions that are spoken slowly would otherwise pass for long clips.

    Returns:
        E + 1 rows of ``low`` (held), ``high`` (not held; inf in the last), ``count``, ``WA`` and, with ``truth``,
        ``UA`` over the ``classes`` that the row holds; nan where it holds no clip.

    Raises:
        ValueError: shapes that differ, a duration or edge that is negative or not finite, edges that do not ascend.

    >>> [(row["count"], row["WA"]) for row in by_length([0.5, 1.0, 3.0], [0, 1, 1], edges=[1.0, 2.0])]
    [(1, 0.0), (1, 1.0), (1, 1.0)]
    """
    durations, correct, edges = (np.asarray(part, dtype=float) for part in (durations, correct, edges))
    names = None if truth is None else np.asarray(truth)
    if durations.ndim != 1 or any(part.shape != durations.shape for part in (correct, names) if part is not None):
        raise ValueError(f"`correct` and `truth` must be of the shape of `durations`, {durations.shape}.")
    for name, column in (("durations", durations), ("edges", edges)):
        if not (np.isfinite(column) & (column >= 0)).all():
            raise ValueError(
                f"`{name}` must be finite and not negative, but hold {column[~(column >= 0)][:1]} instead."
            )
    if (np.diff(edges) <= 0).any():
        raise ValueError(f"`edges` must ascend, but are {edges.tolist()} instead.")
    places = np.searchsorted(edges, durations, side="right")
    limits = np.array([0.0, *edges, np.inf])
    return [
        {"low": float(low), "high": float(high), **_length_row(correct, names, places == place)}
        for place, (low, high) in enumerate(pairwise(limits))
    ]


def _length_row(correct: np.ndarray, names: np.ndarray | None, rows: np.ndarray) -> dict[str, float]:
    row = {"count": int(rows.sum()), "WA": float(correct[rows].mean()) if rows.any() else float("nan")}
    if names is None:
        return row
    present = np.unique(names[rows].astype(str))
    recalls = [correct[rows & (names.astype(str) == name)].mean() for name in present]
    return row | {"UA": float(np.mean(recalls)) if len(present) else float("nan"), "classes": len(present)}


def _judged(probabilities: ArrayLike, truth: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return confidence (N,), 1.0 where the most probable class (the first of equals) is true, and the true codes."""
    probabilities, truth = check_probabilities(probabilities, truth)
    # Sums that miss 1 in the last digits must not put a confidence outside the last bin.
    return probabilities.max(1, initial=0).clip(max=1.0), (probabilities.argmax(1) == truth).astype(float), truth
