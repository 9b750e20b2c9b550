"""A fingerprint in which a shifted, louder or re-encoded copy is found again, and another take of the sentence is not.

What is compared is how the level of twelve mel bands (150 to 3,400 Hz, as a telephone leaves them) moves within 40 ms,
every 10 ms. A gain cancels in it, silence has none of it, and two takes of a sentence never move alike for long.

`THRESHOLD` was set on EmoDB, URDU and RAVDESS (1,415 files). Among all 7,290 pairs of one speaker, emotion and (EmoDB,
RAVDESS) sentence, RAVDESS's exact pair has 1.00 and three pairs of URDU have 0.92 to 0.96: overlapping cuts of one
broadcast, whose samples correlate at 0.99 (so do those of a fourth pair, under two speaker numbers). Every other pair,
RAVDESS's repetitions among them, is at most 0.86. Of 60 files altered on purpose, shifts, trims, gains down to 0.1,
8 kHz, noise at 20 dB and Ogg Vorbis give at least 0.94, MP3 at its strongest compression
0.90; clipping to a third of the range can fall to 0.79, which is then missed.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

BANDS, HOP, WINDOW, STEP = 12, 0.010, 0.032, 4
LOW, HIGH, FLOOR_DB = 150.0, 3400.0, 45.0
THRESHOLD = 0.89
# The least part of the shorter recording that must lie upon the other one, and of its movement that must lie there.
OVERLAP, MOVING = 0.6, 0.5
_DEEP_DB = 35.0
_SCALE = 4.0  # int8 steps of a quarter of a dB, up to 32 dB: speech rises by less in 40 ms


def power_frames(mono: np.ndarray, rate: int) -> np.ndarray:
    """Return the power spectrum of every window: float32 (frames, bins); bins run from 0 to ``rate`` / 2 Hz evenly.

    Samples (N,) shorter than one window are padded with zeros to one.
    """
    from scipy.fft import next_fast_len, rfft

    size = round(WINDOW * rate)
    padded = np.pad(mono, (0, max(0, size - len(mono))))
    starts = (np.arange((len(padded) - size) / (HOP * rate) + 1e-9 + 1) * HOP * rate).astype(int)
    starts = starts[starts <= len(padded) - size]
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[starts] * np.hanning(size).astype(np.float32)
    spectrum = rfft(frames, next_fast_len(size, real=True), axis=1)
    return (spectrum.real**2 + spectrum.imag**2) / size**2


def band_levels(power: np.ndarray, rate: int) -> np.ndarray:
    """Return the level of each mel band in dB, (frames, BANDS), nothing more than 45 dB under the loudest."""
    levels = 10 * np.log10(power @ _bank(rate, power.shape[1]) + 1e-12)
    return np.maximum(levels, levels.max() - FLOOR_DB)


def moves(levels: np.ndarray) -> np.ndarray:
    """Return the fingerprint, int8 (frames - STEP, BANDS): change of level within 40 ms in quarters of a dB.

    A recording of at most four frames (62 ms) gives an empty one, which is like nothing.
    """
    change = (levels[STEP:] - levels[:-STEP]) * _SCALE
    return np.clip(np.rint(change), -127, 127).astype(np.int8)


def summary(levels: np.ndarray) -> np.ndarray:
    """Return what neighbours are looked up by, float32 (2 * BANDS,): mean and spread of each band.

    Levels are taken below the 99th percentile of all, at most 35 dB, and over frames that are not silent: gain, silence
    around and a single click do not matter. Of 540 copies altered as above, 99 % find their original among their six
    nearest in 1,415 files; clipped ones (8 % missed) apart, all but one do.
    """
    below = np.maximum(levels - np.percentile(levels, 99), -_DEEP_DB)
    heard = below[below.mean(axis=1) > 2 - _DEEP_DB]
    heard = heard if len(heard) else below
    return np.concatenate([heard.mean(axis=0) - heard.mean(), heard.std(axis=0)]).astype(np.float32)


def similarity(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Return the highest correlation of two fingerprints over all shifts, in [-1, 1], and that shift in seconds.

    A positive shift means that ``one`` has what the other has, so much later. At each shift at least 60 % of the
    shorter must overlap and hold half of its movement; (nan, nan) where no shift does.

    >>> rise = np.array([[0] * 12, [40] * 12, [-40] * 12, [9] * 12, [0] * 12] * 9, dtype=np.int8)
    >>> similarity(rise, rise)
    (1.0, 0.0)
    """
    from scipy.fft import irfft, next_fast_len, rfft

    if not len(one) or not len(other):
        return float("nan"), float("nan")
    size = next_fast_len(len(one) + len(other), real=True)
    a, b = one.astype(np.float32), other.astype(np.float32)
    energy = [np.concatenate([[0.0], np.cumsum((x.astype(np.float64) ** 2).sum(1))]) for x in (a, b)]
    cross = irfft((rfft(a, size, axis=0) * np.conj(rfft(b, size, axis=0))).sum(1), size)
    lags = np.arange(-len(b) + 1, len(a))
    first, last = np.maximum(lags, 0), np.minimum(lags + len(b), len(a))
    inside = [energy[0][last] - energy[0][first], energy[1][last - lags] - energy[1][first - lags]]
    least = MOVING * (energy[0] if len(a) <= len(b) else energy[1])[-1]
    shorter = inside[0] if len(a) <= len(b) else inside[1]
    usable = (last - first >= OVERLAP * min(len(a), len(b))) & (shorter >= least) & (inside[0] * inside[1] > 0)
    if not usable.any():
        return float("nan"), float("nan")
    score = np.where(usable, cross[lags] / np.sqrt(np.where(usable, inside[0] * inside[1], 1.0)), -2.0)
    best = int(score.argmax())
    return float(np.clip(round(float(score[best]), 6), -1, 1)), float(lags[best] * HOP)


@lru_cache(maxsize=32)
def _bank(rate: int, bins: int) -> np.ndarray:
    """Return triangular mel filters of unit sum, (bins, BANDS); a band above ``rate`` / 2 is empty."""
    edges = 700 * (10 ** (np.linspace(_mel(LOW), _mel(HIGH), BANDS + 2) / 2595) - 1)
    hertz = np.linspace(0, rate / 2, bins)[:, None]
    rising = (hertz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz) / (edges[2:] - edges[1:-1])
    bank = np.clip(np.minimum(rising, falling), 0, None)
    return (bank / np.maximum(bank.sum(0), 1e-9)).astype(np.float32)


def _mel(hertz: float) -> float:
    return 2595 * np.log10(1 + hertz / 700)
