"""Statistics over the frames of many windows, of which no more is held than of one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Moments(NamedTuple):
    """Of so many ``frames``: their mean, the sum of squared deviations from it, and extremes, each float64 (..., D)."""

    frames: int
    mean: np.ndarray
    squares: np.ndarray
    least: np.ndarray
    most: np.ndarray

    def merged(self, other: Moments | None) -> Moments:
        """Return the moments of the frames of both; ``None`` has no frames.

        Source:
            Chan, Golub and LeVeque 1979: nothing is lost where the mean is large against the deviation.

        >>> one = Moments(1, *map(np.array, ([2], [0], [2], [2])))
        >>> one.merged(Moments(2, *map(np.array, ([5], [8], [3], [7])))).statistics().ravel().round(3).tolist()
        [4.0, 2.16, 2.0, 7.0]
        """
        if other is None:
            return self
        frames, step = self.frames + other.frames, other.mean - self.mean
        return Moments(
            frames,
            self.mean + step * (other.frames / frames),
            self.squares + other.squares + step**2 * (self.frames * other.frames / frames),
            np.minimum(self.least, other.least),
            np.maximum(self.most, other.most),
        )

    def statistics(self) -> np.ndarray:
        """Return mean, population deviation, minimum and maximum, (..., 4, D) of what is (..., D)."""
        return np.stack([self.mean, np.sqrt(self.squares / self.frames), self.least, self.most], axis=-2)
