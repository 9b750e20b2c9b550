"""Which parts of a clip sound: pauses and the room before and after speech say little of it, and much of the corpus."""

from __future__ import annotations

import numpy as np

BLOCK = 0.02  # seconds
# [A]: an assumption, below which a block is a pause, in dB under the loud blocks' level (their 95th percentile).
BELOW, LOUD = 30.0, 95


def sounding_blocks(samples: np.ndarray, rate: int) -> np.ndarray:
    """Return which blocks of 20 ms sound, (ceil(S / block),) bool: within 30 dB of the clip's 95th percentile.

    The level is the clip's own, so that its loudness has no influence. Of a clip in which nothing sounds, or all is as
    loud, every block counts: one at least always does. The last block may be shorter.

    Args:
        samples: (S,) mono, S at least 1.
        rate: in Hz.

    >>> clip = np.repeat([0.0, 1.0, 0.01, 0.1, 0.1], 320)
    >>> sounding_blocks(clip, 16_000).tolist()
    [False, True, False, True, True]
    >>> sounding_blocks(np.zeros(700), 16_000).tolist()
    [True, True, True]
    """
    starts = np.arange(0, len(samples), max(1, round(BLOCK * rate)))
    squares = np.add.reduceat(np.square(samples, dtype=np.float64), starts)
    power = squares / np.diff(np.append(starts, len(samples)))
    loud = np.percentile(power, LOUD, method="higher")
    return power >= loud * 10 ** (-BELOW / 10)


def sounding_frames(blocks: np.ndarray, start: int, stop: int, *, frames: int, rate: int) -> np.ndarray:
    """Return which frames of a window sound, (frames,) bool: those in which a block does that begins there or spans it.

    Args:
        blocks: of the whole clip, as `sounding_blocks` gives them.
        start, stop: the window's samples.
        frames: how many it has, of equal length.
        rate: in Hz.

    >>> blocks = np.array([False, True, False, False])
    >>> sounding_frames(blocks, 0, 1280, frames=8, rate=16_000).tolist()
    [False, False, True, True, False, False, False, False]
    >>> sounding_frames(blocks, 0, 1280, frames=2, rate=16_000).tolist()
    [True, False]
    """
    size = max(1, round(BLOCK * rate))
    length = (stop - start) / frames
    middles = start + (np.arange(frames) + 0.5) * length
    found = blocks[np.minimum(middles // size, len(blocks) - 1).astype(int)]
    heard = (np.flatnonzero(blocks) + 0.5) * size
    heard = heard[(heard >= start) & (heard < stop)]
    found[np.minimum((heard - start) // length, frames - 1).astype(int)] = True
    return found
