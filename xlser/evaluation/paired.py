"""Is one recipe better than another on the same clips? Signs are flipped speaker by speaker, not clip by clip."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

# Up to here all sign patterns are tried: with the first sign fixed, which symmetry allows, 2^13 of them.
EXACT_SPEAKERS = 14
_BLOCK = 1 << 14  # sign patterns at a time


def paired_test(
    correct_a: ArrayLike,
    correct_b: ArrayLike,
    speakers: ArrayLike,
    truth: ArrayLike | None = None,
    *,
    draws: int = 10_000,
    seed: int = 0,
) -> dict[str, float]:
    """Test whether recipes A and B are equally accurate, by swapping their predictions for whole speakers.

    The hypothesis is that for any speaker A and B could change places: the difference a speaker contributes is
    symmetric about zero, whatever the clips of one speaker share. The accuracies are linear in what is right, so that a
    swap turns the sign of a speaker's contribution (the paired randomisation test, Fisher 1935, on clusters). Classes
    keep the weight they have in the whole sample.

    Args:
        correct_a: (N,) whether A is right, as 0 or 1; or (R, N) for R seeds, whose mean counts. A nan is a clip that a
            seed does not judge (a fold's training clip).
        correct_b: the same for B, which may have another number of seeds.
        speakers: (N,) the speaker of each clip.
        truth: (N,) classes: the difference is then of UA, the mean recall of those present; None: of WA.
        draws: how many patterns of signs are drawn where there are too many to try them all.
        seed: of those draws.

    Returns:
        ``difference`` A minus B in [-1, 1]; ``p`` two-sided; ``p_least``, the smallest p that so many speakers who
        differ could reach (above 0.05 with fewer than six); ``speakers`` and ``clips`` that were compared; ``exact``,
        whether all patterns were tried. nan with fewer than two speakers.

    Raises:
        ValueError: lengths that differ, values outside [0, 1], or a clip that only one of the recipes judges.

    >>> row = paired_test([1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0], list("abcdef"))
    >>> round(row["difference"], 9), row["p"], row["exact"]
    (1.0, 0.03125, True)
    """
    a, b, speakers = _mean_right("correct_a", correct_a), _mean_right("correct_b", correct_b), np.asarray(speakers)
    truth = np.zeros(a.shape, dtype=int) if truth is None else np.asarray(truth)
    for name, column in (("correct_b", b), ("speakers", speakers), ("truth", truth)):
        if column.shape != a.shape:
            raise ValueError(f"`{name}` must have a row per clip {a.shape}, but has {column.shape} instead.")
    judged = ~np.isnan(a)
    if (judged != ~np.isnan(b)).any():
        only = int((judged != ~np.isnan(b)).sum())
        raise ValueError(f"both recipes must judge the same clips, but {only} of {len(a)} are judged by one alone.")
    parts = contributions((a - b)[judged], speakers[judged], truth[judged])
    p, exact = flip_test(parts, draws=draws, seed=seed)
    differ = np.count_nonzero(np.abs(parts) > _tolerance(parts))
    least = 2.0 ** (1 - max(differ, 1)) if exact else 1 / (draws + 1)
    return {
        "difference": float(parts.sum()) if len(parts) else float("nan"),
        "p": p,
        "p_least": least,
        "speakers": len(parts),
        "clips": int(judged.sum()),
        "exact": exact,
    }


def flip_test(contributions: ArrayLike, *, draws: int = 10_000, seed: int = 0) -> tuple[float, bool]:
    """Return the two-sided p-value of a sum of S independent contributions being zero, and whether it is exact.

    It is the share of sign patterns whose sum is at least as far from zero. Speakers who contribute nothing are left
    out, which changes no p. Up to `EXACT_SPEAKERS` all patterns count; above, ``draws`` random ones and the sample's
    own, so that p is never zero (Phipson & Smyth 2010). (nan, True) with S below two.

    Raises:
        ValueError: contributions that are not finite or not of shape (S,), or ``draws`` below one.

    >>> flip_test([1.0, 2.0, 4.0])
    (0.25, True)
    """
    parts = np.asarray(contributions, dtype=float)
    if parts.ndim != 1 or not np.isfinite(parts).all():
        raise ValueError(f"`contributions` must be (S,) finite numbers, but are {parts} instead.")
    if draws < 1:
        raise ValueError(f"`draws` must be at least 1, but is {draws} instead.")
    if len(parts) < 2:
        return float("nan"), True
    tolerance = _tolerance(parts)
    least, parts = abs(parts.sum()) - tolerance, parts[np.abs(parts) > tolerance]
    if len(parts) <= EXACT_SPEAKERS:
        return float(np.mean(np.abs(_all_sums(parts)) >= least)), True
    rng = np.random.default_rng(seed)
    sizes = [min(_BLOCK, draws - start) for start in range(0, draws, _BLOCK)]
    reached = sum((np.abs(rng.choice((-1.0, 1.0), (size, len(parts))) @ parts) >= least).sum() for size in sizes)
    return float((1 + reached) / (1 + draws)), False


def holm(p_values: ArrayLike) -> np.ndarray:
    """Return p-values (M,) adjusted so that the chance of any false finding stays below the level (Holm 1979).

    A nan is a test that was not made: it stays nan and is not counted.

    Raises:
        ValueError: ``p_values`` is not one-dimensional or holds a number outside [0, 1].

    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    p_values, order = ordered(p_values)
    steps = p_values[order] * np.arange(len(order), 0, -1)
    p_values[order] = np.maximum.accumulate(steps).clip(max=1.0)
    return p_values


def ordered(p_values: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return a copy of p-values (M,) and the positions of those that are not nan, in ascending order of p.

    Raises:
        ValueError: they are not one-dimensional, or one lies outside [0, 1].

    >>> ordered([0.3, float("nan"), 0.1])[1].tolist()
    [2, 0]
    """
    p_values = np.array(p_values, dtype=float)
    known = np.flatnonzero(~np.isnan(p_values))
    if p_values.ndim != 1 or ((p_values[known] < 0) | (p_values[known] > 1)).any():
        raise ValueError(f"`p_values` must be (M,) numbers in [0, 1], but are {p_values} instead.")
    return p_values, known[np.argsort(p_values[known], kind="stable")]


def _mean_right(name: str, correct: ArrayLike) -> np.ndarray:
    """Return how often each clip is right over the seeds that judge it, (N,); nan where none does."""
    correct = np.asarray(correct, dtype=float)
    if correct.ndim not in (1, 2) or (correct < 0).any() or (correct > 1).any():
        raise ValueError(f"`{name}` must be (N,) or (R, N) numbers in [0, 1], but is of shape {correct.shape} instead.")
    correct = np.atleast_2d(correct)
    times = (~np.isnan(correct)).sum(0)
    return np.divide(np.nansum(correct, axis=0), times, out=np.full(len(times), np.nan), where=times > 0)


def contributions(difference: np.ndarray, speakers: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return what each speaker adds to the difference of the mean recalls, (S,), in the sorted order of their names.

    >>> contributions(np.array([1.0, 0.0, -1.0, 0.0]), np.array(list("abba")), np.array(list("xxyy"))).tolist()
    [0.25, -0.25]
    """
    codes = np.unique(truth.astype(str), return_inverse=True)[1]
    size = np.bincount(codes)
    share = 1 / (len(size) * size[codes])
    return np.bincount(np.unique(speakers.astype(str), return_inverse=True)[1], difference * share)


def _all_sums(parts: np.ndarray) -> np.ndarray:
    """Return the sum under every sign pattern that keeps the first sign: the others are their negatives."""
    sums = parts[:1] if len(parts) else np.zeros(1)
    for part in parts[1:]:
        sums = np.concatenate([sums + part, sums - part])
    return sums


def _tolerance(parts: np.ndarray) -> float:
    """Rounding must not break ties: sums that ought to be equal differ in the last digits."""
    return 1e-12 * float(np.abs(parts).sum())
