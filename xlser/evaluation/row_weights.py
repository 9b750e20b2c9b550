"""How much each row counts for a linear probe: classes alike, and, if asked, corpora alike, and by raters' votes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

_ROUNDS, _CLOSE = 1000, 1e-12


class Taught(NamedTuple):
    """What a probe of N rows is taught: positions ``rows`` (M,) with ``labels`` (M,) that count by ``weights`` (M,).

    A row whose raters name several classes comes once for each, with its part of the weight. The weights sum to N.
    """

    rows: np.ndarray
    labels: np.ndarray
    weights: np.ndarray


def taught_rows(
    labels: ArrayLike, corpora: ArrayLike | None = None, votes: Mapping[str, np.ndarray] | None = None
) -> Taught | None:
    """Weigh rows so that each class counts the same, each corpus counts the same, and a row teaches by its votes.

    Where a corpus lacks a class both cannot always be had; the classes then count the same, and the corpora nearly.

    Args:
        labels: (N,) the class of each row.
        corpora: (N,) the corpus of each row; None: they count by their rows.
        votes: shares of raters by class, (N,) each, nan where nobody votes: that row teaches its label. Votes for a
            class that no row is labelled with do not count. None: every row teaches its label.

    Returns:
        None where there is nothing to weigh but classes: one corpus, and nobody who names another class.

    >>> taught = taught_rows(["a", "b", "a", "b"], ["x", "y", "y", "y"])
    >>> taught.weights.round(2).tolist()  # x has no b, and y makes up for it
    [2.0, 1.0, 0.0, 1.0]
    >>> taught_rows(["a", "b"], votes={"a": np.array([0.75, 0]), "b": np.array([0.25, 1])}).weights.round(2).tolist()
    [1.0, 0.2, 0.8]
    >>> taught_rows(["a", "b"], ["x", "x"]) is None
    True
    """
    classes, codes = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
    shares = np.eye(len(classes))[codes]
    if votes is not None:
        named = np.stack([np.asarray(votes.get(name, 0 * codes), dtype=float) for name in classes], axis=1)
        total = named.sum(axis=1, keepdims=True)
        shares = np.where(total > 0, named / np.where(total > 0, total, 1), shares)
    names, groups = np.unique(
        np.zeros(len(codes)) if corpora is None else np.asarray(corpora, dtype=str), return_inverse=True
    )
    if len(names) == 1 and np.array_equal(shares, np.eye(len(classes))[codes]):
        return None
    table = np.stack([np.bincount(groups, column, len(names)) for column in shares.T], axis=1)
    weights = shares * _raked(table)[groups]
    rows, columns = np.nonzero(shares)
    return Taught(rows, classes[columns], weights[rows, columns])


def _raked(table: np.ndarray) -> np.ndarray:
    """Return what the cells of a table (G, C) are multiplied with for equal columns, and equal rows where that can be.

    By iterative proportional fitting (Deming and Stephan 1940).
    """
    scales = np.ones_like(table)
    for _ in range(_ROUNDS):
        rows = (table * scales).sum(axis=1, keepdims=True)
        scales = scales * table.sum() / (len(table) * rows)
        columns = (table * scales).sum(axis=0, keepdims=True)
        scales = scales * table.sum() / (table.shape[1] * np.where(columns > 0, columns, 1))
        sums = (table * scales).sum(axis=1)
        if np.ptp(sums) < _CLOSE * table.sum():
            break
    return scales
