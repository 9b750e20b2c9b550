"""Unlabelled statistics of a target used to make up for its shift: each of these makes a result ``transductive``."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from xlser.evaluation.knn import checked_probabilities, renormalised
from xlser.features.normalise import Scaler, normalise

# An estimate that moves by less is the one that stays.
_SETTLED = 1e-9


def coral(source: ArrayLike, target: ArrayLike, shrinkage: float | None = None) -> np.ndarray:
    """Return the target's rows with the source's mean and covariance: (x - m_T) C_T^-1/2 C_S^1/2 + m_S.

    CORAL (Sun et al. 2016, algorithm 1) the other way about: there the source is mapped to look like the target and a
    model trained anew, here the target is mapped to look like the source and whatever was fitted to the source stays.
    The means are matched too. Both covariances are shrunk towards a ball, (1 - s) C + s tr(C)/D I, which lets there be
    fewer rows than columns. A direction in which the target does not vary cannot be given the source's variance: there
    all rows are at the source's mean.

    Args:
        source: (N, D) finite, N at least 2.
        target: (M, D) finite, M at least 2: one row has no covariance.
        shrinkage: s in [0, 1] for both; None for what Ledoit and Wolf (2004) estimate for each. The smaller it is, the
            more nearly the covariances are equal afterwards; at 0 they are, as far as the target has the rank for it.

    Returns:
        Float64 (M, D). Takes of the order of D^3 steps.

    Raises:
        ValueError: fewer than two rows, numbers that are not finite, other columns, a shrinkage out of range.

    >>> coral([[0.0], [2.0]], [[10.0], [30.0], [50.0]], shrinkage=0.0).round(3).tolist()
    [[-0.414], [1.0], [2.414]]
    """
    source, target = _checked(source, target)
    if shrinkage is not None and not 0 <= shrinkage <= 1:
        raise ValueError(f"`shrinkage` must be between 0 and 1, but is {shrinkage} instead.")
    whitened = (target - target.mean(0)) @ power(covariance(target, shrinkage), -0.5)
    return whitened @ power(covariance(source, shrinkage), 0.5) + source.mean(0)


def quantile(source: ArrayLike, target: ArrayLike) -> np.ndarray:
    """Return the target's rows with each column's values replaced by the source's of the same rank.

    The least goes to the least, the largest to the largest, and between the source's values it is interpolated; ties
    stand at their middle rank, so that a constant column goes to the source's median. The map of a column never
    decreases, and is none at all where the target is the source. How columns go together is left as it is.

    Args:
        source: (N, D) finite, N at least 2.
        target: (M, D) finite, M at least 2: one row has no rank.

    Returns:
        Float64 (M, D).

    Raises:
        ValueError: fewer than two rows, numbers that are not finite, or other columns.

    >>> quantile([[0.0], [10.0], [40.0]], [[7.0], [5.0], [6.0], [6.0]]).ravel().tolist()
    [40.0, 0.0, 10.0, 10.0]
    """
    from scipy.stats import rankdata

    home, away = _checked(source, target)
    places = (rankdata(away, axis=0) - 1) * (len(home) - 1) / (len(away) - 1)
    known, ordered = np.arange(len(home)), np.sort(home, axis=0)
    columns = range(places.shape[1])
    return np.stack([np.interp(places[:, i], known, ordered[:, i]) for i in columns], axis=1)


def by_speaker(source: ArrayLike, target: ArrayLike, speakers: ArrayLike) -> np.ndarray:
    """Return the target's rows, each speaker's with the source's mean and deviation in every column.

    What makes a voice differ from others is taken out, and with it what the speaker says differently throughout: one
    who is always angry looks neutral. A speaker of fewer than five rows is given the mean and deviation with the whole
    target's statistics; how columns go together is left as it is.

    Args:
        source: (N, D) finite, N at least 2.
        target: (M, D) finite, M at least 2.
        speakers: (M,) the speaker of each row.

    Returns:
        Float64 (M, D).

    Raises:
        ValueError: fewer than two rows, numbers that are not finite, other columns, or another number of speakers.

    >>> rows = [[float(n)] for n in (0, 1, 2, 3, 4, 10, 11, 12, 13, 14)]
    >>> by_speaker([[0.0], [2.0]], rows, ["anna"] * 5 + ["ben"] * 5).ravel().round(2).tolist()
    [-0.41, 0.29, 1.0, 1.71, 2.41, -0.41, 0.29, 1.0, 1.71, 2.41]
    """
    source, target = _checked(source, target)
    names = pd.Series(np.asarray(speakers))
    if len(names) != len(target):
        raise ValueError(f"`speakers` must be one for each of {len(target)} rows, but are {len(names)} instead.")
    home = Scaler.fit(source)
    return normalise(target, names, "speaker", home).astype(float) * home.std + home.mean


def prior_correction(
    probabilities: ArrayLike, prior_source: ArrayLike, iterations: int = 1000
) -> tuple[np.ndarray, np.ndarray]:
    """Estimate how frequent the classes are in the target, and correct a classifier's probabilities for it.

    Expectation maximisation of Saerens et al. (2002, equation 2.9), from the source's prior on: p(y|x) is multiplied by
    prior / prior_source and divided by the sum, and the next prior is the mean of that. The likelihood of the target
    grows in each step. It stands and falls with probabilities that are calibrated and classes that sound in the target
    as they do in the source; a network that is too sure of itself drives the prior of rare classes to nought.

    Args:
        probabilities: (M, C) rows summing to 1, of a model that was fitted under ``prior_source``. A model trained with
            classes weighted to balance was fitted under 1/C each.
        prior_source: (C,) above 0, summing to 1.
        iterations: the most; 0 changes nothing. Ends before where no class moves by more than 1e-9.

    Returns:
        The corrected probabilities, float64 (M, C), and the estimated prior (C,). Without rows the prior is the
        source's; of one row, or few, it runs towards the classes that they look like most.

    Raises:
        ValueError: shapes that do not fit, rows or a prior that are no distribution, ``iterations`` below 0.

    >>> rows, prior = prior_correction([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9]], [0.5, 0.5])
    >>> prior.round(3).tolist(), rows[3].round(3).tolist()
    ([0.812, 0.188], [0.325, 0.675])
    """
    before = _checked_prior(prior_source)
    model = checked_probabilities(probabilities, (len(np.asarray(probabilities)), len(before)))
    if iterations < 0:
        raise ValueError(f"`iterations` must be at least 0, but is {iterations} instead.")
    prior = before
    for _ in range(iterations if len(model) else 0):
        last, prior = prior, renormalised(model * (prior / before)).mean(0)
        if np.abs(prior - last).max() < _SETTLED:
            break
    return renormalised(model * (prior / before)), prior


def covariance(rows: np.ndarray, shrinkage: float | None) -> np.ndarray:
    """Return the covariance (D, D) of rows (N, D), shrunk towards a ball; see `coral`."""
    from sklearn.covariance import ledoit_wolf_shrinkage, shrunk_covariance

    # Ledoit and Wolf's estimate is of numbers squared twice: on a scale of 1 these neither overflow nor vanish.
    about = rows - rows.mean(0)
    scale = np.abs(about).max() or 1.0
    amount = ledoit_wolf_shrinkage(about / scale) if shrinkage is None else shrinkage
    return shrunk_covariance(np.cov(about, rowvar=False).reshape(rows.shape[1], -1), amount)


def power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    """Return a symmetric matrix raised to a power, its null space staying one."""
    values, vectors = np.linalg.eigh(matrix)
    real = values > values.max() * len(values) * np.finfo(float).eps
    raised = np.power(values, exponent, out=np.zeros_like(values), where=real)
    return (vectors * raised) @ vectors.T


def _checked(source: ArrayLike, target: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    source, target = np.asarray(source, dtype=float), np.asarray(target, dtype=float)
    for name, rows in (("source", source), ("target", target)):
        if rows.ndim != 2 or len(rows) < 2 or rows.shape[1] != source.shape[1] or not rows.shape[1]:
            raise ValueError(
                f"`{name}` must be of two rows or more and the columns of the source {source.shape}, "
                f"but is of shape {rows.shape} instead."
            )
        if not np.isfinite(rows).all():
            raise ValueError(f"`{name}` must be finite, but holds {rows[~np.isfinite(rows)][0]} instead.")
    return source, target


def _checked_prior(prior: ArrayLike) -> np.ndarray:
    prior = np.asarray(prior, dtype=float)
    if prior.ndim != 1 or not len(prior) or not ((prior > 0).all() and abs(prior.sum() - 1) < 1e-3):
        raise ValueError(f"`prior_source` must be above 0 and sum to 1, but is {prior.tolist()} instead.")
    return prior / prior.sum()
