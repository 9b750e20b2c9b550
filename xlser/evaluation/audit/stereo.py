"""What the two channels of a stereo recording have to do with each other: one voice, one side of two, or a call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

# A channel this far below the other one holds noise or nothing: mixing makes the speech 6 dB weaker.
ONE_SIDED_DB = 20.0
# Mixing channels loses this much where they oppose each other; 3 dB are lost where they have nothing in common.
OPPOSED_DB = -10.0
UNRELATED_DB = (-5.0, -1.5)
# Levels of two microphones of one voice rise and fall together; those of two people who take turns do not.
TOGETHER = 0.3
STEREO = ("sides_db", "mixed_db", "together")
_FRAME = 0.05  # seconds
_LOWEST_DB = -120.0


def measure_stereo(samples: np.ndarray, rate: int) -> dict[str, float]:
    """Compare the channels of samples (frames, channels).

    Returns:
        ``sides_db``, how much louder the first channel is than the second; ``mixed_db``, the power of their mean over
        their mean power: 0 for copies, -3 for channels that have nothing in common, far below for opposed ones;
        ``together``, the correlation of their levels in frames of 50 ms, in [-1, 1]. All nan unless there are two
        channels that differ, neither of them without a sample that is not 0 in ``together`` and at least three frames.

    >>> tone = np.sin(np.arange(8000) / 9)
    >>> {name: round(value) for name, value in measure_stereo(np.stack([tone, -tone / 2], 1), 8000).items()}
    {'sides_db': 6, 'mixed_db': -10, 'together': 1}
    """
    if samples.shape[1] != 2:
        return dict.fromkeys(STEREO, np.nan)
    left, right = samples.T.astype(np.float64)
    powers, mixed = (float(np.dot(left, left)), float(np.dot(right, right))), (left + right) / 2
    if not sum(powers):
        return dict.fromkeys(STEREO, np.nan)
    return {
        "sides_db": _decibels(powers[0], powers[1]),
        "mixed_db": _decibels(float(np.dot(mixed, mixed)), sum(powers) / 2),
        "together": _together(left, right, round(_FRAME * rate)),
    }


def stereo_table(frame: pd.DataFrame, most: int) -> dict[str, Any]:
    """Return the recordings of each kind: ``count``, ``share`` of all, and the ``first`` paths, at most so many.

    ``left_only`` and ``right_only`` have their speech on one channel, ``opposed`` channels cancel out, ``two_sides``
    are channels that have nothing in common and are not loud together. ``frame`` has ``path`` and the columns `STEREO`.
    """
    sides, mixed, together = (frame[name].to_numpy(dtype=float) for name in STEREO)
    low, high = UNRELATED_DB
    both = np.abs(sides) < ONE_SIDED_DB
    kinds = {
        "left_only": sides >= ONE_SIDED_DB,
        "right_only": sides <= -ONE_SIDED_DB,
        "opposed": both & (mixed <= OPPOSED_DB),
        "two_sides": both & (mixed > low) & (mixed < high) & (together < TOGETHER),
    }
    paths = frame["path"].to_numpy()
    return {
        kind: {"count": int(rows.sum()), "share": float(rows.mean()), "first": paths[rows][:most].tolist()}
        for kind, rows in kinds.items()
    }


def _decibels(power: float, of: float) -> float:
    if not of:
        return -_LOWEST_DB
    return max(_LOWEST_DB, 10 * np.log10(power / of)) if power else _LOWEST_DB


def _together(left: np.ndarray, right: np.ndarray, size: int) -> float:
    count = len(left) // size
    if count < 3:
        return np.nan
    levels = [np.sqrt(np.square(side[: count * size]).reshape(count, size).mean(axis=1)) for side in (left, right)]
    if not all(level.std() > 0 for level in levels):
        return np.nan
    return float(np.corrcoef(*levels)[0, 1])
