"""Sets of labels that hold the true one as often as promised, as long as the target is like the calibration data."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from xlser.evaluation.bootstrap import SpeakerBootstrap, interval
from xlser.evaluation.calibration import check_probabilities

Score = Literal["lac", "aps"]


def calibrate(probabilities: ArrayLike, truth: ArrayLike, level: float = 0.9, *, score: Score = "lac") -> float:
    """Return the threshold at which sets hold the true label with probability ``level`` or more (split conformal).

    It is the ceil((n + 1) level)-th smallest score of the n calibration clips (Vovk et al. 2005; Angelopoulos & Bates
    2023, section 1). The promise holds on average over calibration and target clips that are exchangeable: for the
    validation clips of the source, and not for another language, whose shortfall `coverage` measures. Clips of one
    speaker are alike, and with few calibration speakers the coverage of one run varies more than n suggests.

    Args:
        probabilities: (n, C) of clips that took no part in training, rows summing to 1.
        truth: (n,) codes of their true classes.
        level: the promise, between 0 and 1.
        score: how odd a label is. ``lac``: 1 - p of the label (Sadinle et al. 2019), the smallest sets. ``aps``: the
            summed p of the labels at least as probable (Romano et al. 2020, without randomisation), larger sets that
            grow more evenly with how hard a clip is. The least probable label scores 1: where it is the true one in
            more than 1 - level of the clips, every set holds every label.

    Returns:
        A number in [0, 1], or inf (every label) where n is below level / (1 - level).

    Raises:
        ValueError: ``level`` or ``score`` out of range, or see `check_probabilities`.

    >>> calibrate([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]], [0, 1, 0], level=0.7).__round__(2)
    0.6
    >>> calibrate([[0.9, 0.1]], [0], level=0.9)
    inf
    """
    if not 0 < level < 1:
        raise ValueError(f"`level` must be between 0 and 1, but is {level} instead.")
    probabilities, truth = check_probabilities(probabilities, truth)
    scores = np.sort(_scores(probabilities, score)[np.arange(len(truth)), truth])
    # 1e-9 below: (n + 1) level may miss a whole number by a rounding, and would then ask for one clip more.
    rank = int(np.ceil((len(scores) + 1) * level - 1e-9))
    return float(scores[rank - 1]) if rank <= len(scores) else float("inf")


def label_sets(probabilities: ArrayLike, threshold: float, *, score: Score = "lac") -> np.ndarray:
    """Return which labels belong to the set of each clip, (N, C) bool; a set may be empty.

    Args:
        probabilities: (N, C), rows summing to 1.
        threshold: of `calibrate` with the same ``score``.
        score: see `calibrate`.

    >>> label_sets([[0.9, 0.1], [0.5, 0.5]], 0.6).tolist()
    [[True, False], [True, True]]
    """
    probabilities, _ = check_probabilities(probabilities, np.zeros(len(np.asarray(probabilities)), dtype=int))
    return _scores(probabilities, score) <= threshold


def coverage(
    sets: ArrayLike, truth: ArrayLike, speakers: ArrayLike, *, level: float = 0.95, draws: int = 1000, seed: int = 0
) -> dict[str, float]:
    """Return how often the sets hold the true label, and how large they are.

    Args:
        sets: (N, C) bool, of `label_sets`.
        truth: (N,) codes of the true classes.
        speakers: (N,) the speaker of each clip.
        level: of the interval over speakers; not the promise, beside which the coverage is to be read.
        draws: of speakers.
        seed: of the draws.

    Returns:
        ``coverage`` with ``low`` and ``high``; ``least``, the coverage of the class with the lowest; ``size``, the mean
        number of labels a set, with ``size_low`` and ``size_high``; ``empty`` and ``single``, shares of sets with no
        and with one label; ``clips``. With one speaker the intervals are nan.

    Raises:
        ValueError: no clip, shapes that do not fit, or codes that are not whole numbers from 0 to C - 1.

    >>> row = coverage([[True, False], [True, True]], [1, 1], ["anna", "ben"])
    >>> row["coverage"], row["size"], row["single"]
    (0.5, 1.5, 0.5)
    """
    sets, truth = np.asarray(sets), np.asarray(truth)
    fits = sets.ndim == 2 and sets.dtype == bool and truth.shape == sets.shape[:1] and truth.dtype.kind in "iu"
    if not fits or ((truth < 0) | (truth >= sets.shape[1])).any():
        raise ValueError(f"`sets` must be (N, C) bool and `truth` (N,) codes below C, but are {sets} and {truth}.")
    held, size = sets[np.arange(len(truth)), truth].astype(float), sets.sum(1)
    bootstrap = SpeakerBootstrap(speakers, draws, seed)
    effective = bootstrap.effective()
    found, sizes = bootstrap.means(held), bootstrap.means(size)
    low, high = interval(found, level, effective)
    size_low, size_high = interval(sizes, level, effective)
    return {
        "coverage": float(found[0]),
        "low": low,
        "high": high,
        "least": min(float(held[truth == code].mean()) for code in np.unique(truth)),
        "size": float(sizes[0]),
        "size_low": size_low,
        "size_high": size_high,
        "empty": float((size == 0).mean()),
        "single": float((size == 1).mean()),
        "clips": len(truth),
    }


def _scores(probabilities: np.ndarray, score: Score) -> np.ndarray:
    """Return how odd each label would be, (N, C); labels of equal probability are equally odd."""
    if score == "lac":
        return 1 - probabilities
    if score != "aps":
        raise ValueError(f"`score` must be 'lac' or 'aps', but is {score!r} instead.")
    mine, others = probabilities[:, :, None], probabilities[:, None]
    # One minus the rest, so that the least probable label of every clip comes out as exactly 1.
    return 1 - (others * (others < mine)).sum(2)
