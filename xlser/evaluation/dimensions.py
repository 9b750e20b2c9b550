"""Does a latent follow a rating, is that more than chance, more than loudness, and still so in another language?"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from xlser.evaluation.bootstrap import SpeakerBootstrap, interval
from xlser.evaluation.paired import flip_test, ordered

_RANK = 1e-8  # directions of a covariance that carry less of the largest than this are taken as constant


def false_discovery(p_values: ArrayLike) -> np.ndarray:
    """Return p-values (M,) adjusted so that of all findings the share of false ones stays below the level.

    The step-up rule of Benjamini & Hochberg (1995), which holds for tests that are independent or depend positively.
    A nan is a test that was not made: it stays nan and is not counted.

    Raises:
        ValueError: ``p_values`` is not one-dimensional or holds a number outside [0, 1].

    >>> false_discovery([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    p_values, order = ordered(p_values)
    steps = p_values[order] * len(order) / np.arange(1, len(order) + 1)
    p_values[order] = np.minimum.accumulate(steps[::-1])[::-1]
    return p_values


def correlation_p(
    truth: ArrayLike,
    prediction: ArrayLike,
    speakers: ArrayLike,
    *,
    statistic: Literal["Pearson", "Spearman"] = "Pearson",
    draws: int = 10_000,
    seed: int = 0,
) -> float:
    """Return a two-sided p-value, with the speaker as the unit, for the correlation being zero.

    What a speaker adds to the covariance, the sum over his clips of (x - mean)(y - mean), is given a random sign (a
    wild score test over clusters: Kline & Santos 2012; Canay, Santos & Shaikh 2021). Clips of a speaker may depend on
    each other in any way. It is not exact: contributions must be near symmetric where there is no correlation, and the
    means are taken as known. In synthetic corpora of 8 to 60 speakers, without correlation and with strong speaker
    effects, it finds one at the 5 % level in 5 to 7 % of them, where the textbook p-value of N independent clips finds
    one in 40 %. With fewer than six speakers p is always above 0.05; ranks (Spearman) are of all clips.

    Args:
        truth: (N,) ratings; rows that are nan are left out.
        prediction: (N,) finite numbers.
        speakers: (N,) the speaker of each row.
        statistic: whose correlation. A CCC of zero is a Pearson of zero.
        draws: patterns of signs, where there are too many to try them all (see `flip_test`).
        seed: of those.

    Returns:
        p in (0, 1]; nan with fewer than two speakers or where a column is constant.

    Raises:
        ValueError: shapes that differ, numbers that are not finite, or another statistic.

    >>> correlation_p([1, 2, 3, 1, 2, 3, 1, 2, 3], [1, 2, 3, 1, 3, 2, 1, 2, 3], list("aaabbbccc"))
    0.25
    """
    columns, speakers = _rated(truth, prediction, speakers)
    if statistic not in {"Pearson", "Spearman"}:
        raise ValueError(f"`statistic` must be 'Pearson' or 'Spearman', but is {statistic!r} instead.")
    if not columns.shape[1] or (np.ptp(columns, axis=1) == 0).any():
        return float("nan")
    if statistic == "Spearman":
        from scipy.stats import rankdata

        columns = rankdata(columns, axis=1)
    x, y = _standardised(columns)
    codes = np.unique(speakers, return_inverse=True)[1]
    return flip_test(np.bincount(codes, x * y), draws=draws, seed=seed)[0]


def partial_correlation(
    x: ArrayLike, y: ArrayLike, covariates: ArrayLike, bootstrap: SpeakerBootstrap | None = None, level: float = 0.95
) -> dict[str, float]:
    """Correlate what is left of x and of y after a linear regression of each on the covariates.

    A row with a nan in x, y or a covariate is left out. A covariate that is nan throughout, or constant over the rows
    that remain, is dropped; one that others add up to changes nothing. Code sex as 0 and 1. Only what is linear in a
    covariate is taken out, and a covariate that emotion itself moves (loudness) takes a part of emotion with it.

    Args:
        x: (N,) a latent or a predicted dimension.
        y: (N,) ratings.
        covariates: (N, Q), such as log duration, sex, level; Q may be 0.
        bootstrap: draws of speakers for the interval, over all N rows; None for no interval.
        level: of the interval.

    Returns:
        ``value`` in [-1, 1]; ``low`` and ``high`` (nan without ``bootstrap``); ``rows`` and ``covariates``, how many
        were used. The value is nan where nothing is left of x or y, or there are fewer rows than covariates + 3.

    Raises:
        ValueError: shapes that do not fit, or an infinite number.

    >>> partial_correlation([1, 2, 3, 4, 6], [2, 1, 4, 3, 7], [[0], [0], [1], [1], [1]])["value"].__round__(3)
    0.702
    """
    table = _table(x, y, covariates)
    used = [0, 1] + [column for column in range(2, table.shape[1]) if not np.isnan(table[:, column]).all()]
    rows = ~np.isnan(table[:, used]).any(1)
    kept = [column for column in used if column < 2 or (rows.any() and np.ptp(table[rows, column]) > 0)]
    columns = _standardised(table[rows][:, kept].T)
    samples = np.full(2, np.nan)
    if rows.sum() > len(kept):
        # Without speakers everybody is one, of whom draw 0 is the sample and the others say nothing.
        draws = bootstrap or SpeakerBootstrap(np.zeros(len(table)), draws=1)
        samples = _partial(_moments(draws, columns, rows))
    low, high = interval(samples, level, None if bootstrap is None else bootstrap.effective(rows))
    about = {"rows": int(rows.sum()), "covariates": len(kept) - 2}
    return {"value": float(samples[0]), "low": low, "high": high, **about}


def stability(
    source: ArrayLike, target: ArrayLike, level: float = 0.95, speakers: float | None = None
) -> dict[str, float]:
    """Say whether a latent still follows a rating in the target as it did in the source.

    The score is the sign they share times the smaller over the larger magnitude, s = r_s r_t / max(r_s^2, r_t^2): 1
    where both correlations are the same, 0 where one is gone, -1 where the sign has turned. Being a ratio it says
    nothing of size: two correlations of 0.02 are as stable as two of 0.8, hence read it beside them.

    Args:
        source: (draws + 1,) the correlation in the source and in draws of its speakers, of `SpeakerBootstrap`.
        target: (draws + 1,) the same in the target. Its draws are put in another order first: two bootstraps of one
            seed and as many speakers draw alike, and different speakers must not be paired.
        level: of the interval.
        speakers: the smaller of the two `SpeakerBootstrap.effective`, to widen the interval; see `interval`.

    Returns:
        ``value``, ``low`` and ``high`` in [-1, 1]; ``same_sign``, the share of draws in which the signs agree. nan
        where a correlation is nan or both are zero.

    Raises:
        ValueError: ``source`` and ``target`` are not of one shape (draws + 1,).

    >>> stability([0.8, 0.7, 0.9], [0.4, 0.3, 0.5])["value"]
    0.5
    """
    source, target = np.asarray(source, dtype=float), np.array(target, dtype=float)
    if source.ndim != 1 or source.shape != target.shape or not len(source):
        raise ValueError(f"`target` must have the shape of `source`, {source.shape}, but has {target.shape} instead.")
    target[1:] = np.random.default_rng(0).permutation(target[1:])
    small, large = np.sort(np.abs([source, target]), axis=0)
    ratio = np.divide(small, large, out=np.full(len(large), np.nan), where=large > 0)
    samples = np.sign(source) * np.sign(target) * ratio
    low, high = interval(samples, level, speakers)
    finite = samples[1:][np.isfinite(samples[1:])]
    same = float((finite > 0).mean()) if len(finite) else float("nan")
    return {"value": float(samples[0]), "low": low, "high": high, "same_sign": same}


def _rated(truth: ArrayLike, prediction: ArrayLike, speakers: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    truth, prediction = np.asarray(truth, dtype=float), np.asarray(prediction, dtype=float)
    speakers = np.asarray(speakers, dtype=str)
    if truth.ndim != 1 or prediction.shape != truth.shape or speakers.shape != truth.shape:
        raise ValueError(f"`prediction` and `speakers` must be of the shape of `truth`, {truth.shape}.")
    rated = ~np.isnan(truth)
    columns = np.stack([truth, prediction])[:, rated]
    if not np.isfinite(columns).all():
        raise ValueError(f"ratings and predictions must be finite, but hold {columns[~np.isfinite(columns)][0]}.")
    return columns, speakers[rated]


def _table(x: ArrayLike, y: ArrayLike, covariates: ArrayLike) -> np.ndarray:
    x, y, covariates = (np.asarray(part, dtype=float) for part in (x, y, covariates))
    if x.ndim != 1 or y.shape != x.shape or covariates.ndim != 2 or covariates.shape[0] != len(x):
        raise ValueError(
            f"`y` must be of the shape of `x`, {x.shape}, and `covariates` (N, Q), "
            f"but are of shapes {y.shape} and {covariates.shape} instead."
        )
    table = np.column_stack([x, y, covariates])
    if np.isinf(table).any():
        raise ValueError("`x`, `y` and `covariates` must be finite or nan, but hold an infinite number instead.")
    return table


def _standardised(columns: np.ndarray) -> np.ndarray:
    """Return columns (K, N) about their mean in units of their deviation; a constant becomes zeros."""
    if not columns.shape[1]:
        return columns
    about = columns - columns.mean(1, keepdims=True)
    about = np.where(np.ptp(columns, axis=1, keepdims=True) > 0, about, 0.0)
    return about / np.maximum(np.sqrt((about**2).mean(1, keepdims=True)), np.finfo(float).tiny)


def _moments(draws: SpeakerBootstrap, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the covariance of columns (K, rows taking part) in each draw, (draws + 1, K, K); nan in an empty draw."""
    first, second = (index.ravel() for index in np.indices((len(columns), len(columns))))
    parts = np.zeros((1 + len(columns) + len(first), len(rows)))
    parts[:, rows] = np.concatenate([np.ones((1, columns.shape[1])), columns, columns[first] * columns[second]])
    sums = draws.sums(parts, rows)
    sums = sums / np.where(sums[:, :1] > 0, sums[:, :1], np.nan)
    means = sums[:, 1 : 1 + len(columns)]
    products = sums[:, 1 + len(columns) :].reshape(-1, len(columns), len(columns))
    return products - means[:, :, None] * means[:, None]


def _partial(covariance: np.ndarray) -> np.ndarray:
    """Return the correlation of columns 0 and 1 given the others, (draws,), from covariances (draws, K, K)."""
    known = np.nan_to_num(covariance)
    inner, across = known[:, 2:, 2:], known[:, 2:, :2]
    inverse = np.linalg.pinv(inner, rcond=_RANK, hermitian=True) if inner.size else inner
    left = known[:, :2, :2] - across.transpose(0, 2, 1) @ inverse @ across
    # What rounding leaves of a column that the covariates explain wholly is not a residual.
    before, after = (np.diagonal(part[:, :2, :2], axis1=1, axis2=2) for part in (known, left))
    varies = (after > np.maximum(_RANK * before, _RANK)).all(1)
    return np.divide(
        left[:, 0, 1], np.sqrt(np.where(varies, after.prod(1), 1.0)), out=np.full(len(left), np.nan), where=varies
    ).clip(-1, 1)
