"""What the recording chain left in one recording: level, clipping, DC, silence, bandwidth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from xlser.data.audio import resample
from xlser.data.channels import OVERSHOOT_PEAK, SILENCE_PEAK
from xlser.evaluation.audit.fingerprint import HOP

# A frame this far under the loudest one is silence; so is everything in a recording that is silent as a whole.
QUIET_DB = 40.0
# The band ends where the mean spectrum falls this far under its highest bin for good.
CUTOFF_DB = 75.0
# Above these a recording is named: flat tops, an offset beside the speech, long silence.
LIMITS = {"clipped": 1e-4, "dc": 0.1, "lead_s": 0.5, "trail_s": 0.5, "silent_share": 0.5}
# A recording at 8 kHz ends at 4, and one that was resampled from it at the end of the filter's slope.
NARROW_HZ = 4_400.0
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
LEVELS = ("peak", "peak_16k", "rms_db", "dc", "clipped", "lead_s", "trail_s", "silent_share", "cutoff_hz")
# What features are taken at; where a lower peak overshoots full scale there, no filter of this kind makes it do so.
_RATE, _NEAR_FULL = 16_000, 0.8


def measure_levels(mono: np.ndarray, power: np.ndarray, rate: int) -> dict[str, float]:
    """Measure samples (N,) in [-1, 1] and their power spectra (frames, bins) (see `power_frames`).

    Returns:
        ``peak`` in [0, 1], and ``peak_16k`` at 16 kHz, where it may lie beyond 1; ``rms_db`` relative to full scale;
        ``dc``, the mean over the RMS about it, in [0, inf); ``clipped``, the share of samples in flat tops; ``lead_s``
        and ``trail_s``, seconds of silence before and after; ``silent_share`` of all frames; ``cutoff_hz``, where the
        band ends. Of a recording that is silent as a whole rms_db, dc and cutoff_hz are nan, and all of it is leading
        silence.
    """
    peak = float(np.abs(mono).max())
    if peak < SILENCE_PEAK:
        seconds = len(mono) / rate
        return dict(zip(LEVELS, (peak, peak, np.nan, np.nan, 0.0, seconds, 0.0, 1.0, np.nan), strict=True))
    mean, spread = float(mono.mean(dtype=np.float64)), float(mono.std(dtype=np.float64))
    lead, trail, share = _silence(power)
    return {
        "peak": peak,
        "peak_16k": _peak_16k(mono, peak, rate),
        "rms_db": 10 * np.log10(mean**2 + spread**2),
        "dc": abs(mean) / spread if spread > 0 else np.inf,
        "clipped": clipped_share(mono),
        "lead_s": lead,
        "trail_s": trail,
        "silent_share": share,
        "cutoff_hz": _cutoff(power.mean(axis=0), rate),
    }


def clipped_share(mono: np.ndarray) -> float:
    """Return the share of samples that lie in flat tops: three or more in a row at the highest or the lowest value.

    It need not be full scale, so that a clipped recording that was turned down afterwards is found; one that was
    resampled afterwards is not, for its tops are no longer flat. Below -20 dB of full scale nothing counts.

    >>> clipped_share(np.array([0.0, 0.9, 0.9, 0.9, 0.2, -0.5, -0.9, 0.1]))
    0.375
    """
    total = 0
    for edge in (mono.max(), mono.min()):
        if abs(edge) >= 0.1:
            at = np.concatenate([[0], (mono == edge).astype(np.int8), [0]])
            turns = np.flatnonzero(np.diff(at))
            runs = turns[1::2] - turns[::2]
            total += int(runs[runs >= 3].sum())
    return total / len(mono)


def level_table(frame: pd.DataFrame, worst: int) -> dict[str, Any]:
    """Return the quantiles of each level, and the ``worst`` files of those in which a high value is bad.

    ``frame`` has ``path`` and the columns `LEVELS`. A level has ``quantiles``; one of `LIMITS` also ``limit``,
    ``count`` and ``share`` of recordings above it, and ``worst``, paths with values. ``silent`` counts silent ones,
    ``narrow`` those that hold nothing above 4 kHz, ``limited`` those that go beyond full scale at 16 kHz (``highest``
    is the largest peak of these), ``scale`` those that are on another scale altogether, which no reader takes.
    """
    found: dict[str, Any] = {}
    for name in LEVELS:
        values = frame[name].dropna()
        found[name] = {"quantiles": {f"{q:g}": float(values.quantile(q)) for q in QUANTILES} if len(values) else {}}
    for name, limit in LIMITS.items():
        over = frame[frame[name] > limit].sort_values(name, ascending=False, kind="stable")
        named = [{"path": path, "value": float(value)} for path, value in over[["path", name]].head(worst).to_numpy()]
        found[name] |= {"limit": limit, "count": len(over), "share": len(over) / len(frame), "worst": named}
    silent = frame[frame["peak"] < SILENCE_PEAK]["path"].tolist()
    narrow = frame[frame["cutoff_hz"] <= NARROW_HZ]["path"].tolist()
    found["narrow"] = {"count": len(narrow), "share": len(narrow) / len(frame), "first": narrow[:worst]}
    far, over = frame["peak"] > OVERSHOOT_PEAK, frame["peak_16k"] > 1
    found["scale"] = _loudest(frame[far], "peak", worst)
    found["limited"] = _loudest(frame[over & ~far], "peak_16k", worst) | {"share": float((over & ~far).mean())}
    return found | {"silent": {"count": len(silent), "first": silent[:worst]}}


def _peak_16k(mono: np.ndarray, peak: float, rate: int) -> float:
    if rate == _RATE or not _NEAR_FULL < peak <= OVERSHOOT_PEAK:
        return peak
    return float(np.abs(resample(mono, rate, _RATE)).max(initial=0.0))


def _loudest(frame: pd.DataFrame, name: str, worst: int) -> dict[str, Any]:
    """Return how many recordings these are, the loudest ones, and the highest peak."""
    rows = frame.sort_values(name, ascending=False, kind="stable")
    highest = float(rows[name].iloc[0]) if len(rows) else 0.0
    return {"count": len(rows), "first": rows["path"].tolist()[:worst], "highest": highest}


def _silence(power: np.ndarray) -> tuple[float, float, float]:
    energy = power.sum(axis=1)
    loud = np.flatnonzero(energy > energy.max() * 10 ** (-QUIET_DB / 10))
    return float(loud[0] * HOP), float((len(energy) - 1 - loud[-1]) * HOP), 1 - len(loud) / len(energy)


def _cutoff(spectrum: np.ndarray, rate: int) -> float:
    above = np.flatnonzero(spectrum > spectrum[1:].max() * 10 ** (-CUTOFF_DB / 10))
    return float(above[-1] / (len(spectrum) - 1) * rate / 2)
