"""Reading audio: whatever can be decoded, mixed to mono, resampled once, faults named."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from xlser.data.channels import SILENCE_PEAK, to_mono
from xlser.data.decoding import Decoder, count_frames, open_audio
from xlser.data.lengths import is_corrected
from xlser.data.regular import check_is_file
from xlser.data.unreadable import AudioFault, PassingFault, opening_fault
from xlser.machine import loading

__all__ = ["SILENCE_PEAK", "AudioFault", "AudioInfo", "PassingFault", "opening_fault", "probe", "read_mono", "resample"]
# soxr's own default, and librosa's: 20 bits, which is below the noise of a 16-bit recording.
QUALITY = "HQ"


@dataclass(frozen=True)
class AudioInfo:
    """``duration`` in seconds, ``sample_rate`` in Hz."""

    sample_rate: int
    channels: int
    duration: float


def probe(path: str | Path) -> AudioInfo:
    """Read the header of an audio file, not its samples, unless its length can be known by decoding only.

    Raises:
        AudioFault: not audio (a text named .wav), no samples, or fewer than the header promises.
    """
    with open_audio(path) as sound:
        info = sound.rate, sound.channels, sound.frames
    rate, channels, frames = info
    frames = count_frames(path) if frames is None else frames
    if frames <= 0:
        raise AudioFault("zero length: the header is there, but no samples")
    return AudioInfo(rate, channels, frames / rate)


def read_mono(
    path: str | Path, rate: int, start: float = 0.0, end: float | None = None, channel: int | None = None
) -> np.ndarray:
    """Return one recording as float32 samples at ``rate`` Hz, shape (samples,); full scale is 1.

    ``start`` and ``end`` are seconds; ``end`` None is the end of the file. Channels are averaged, unless one is asked
    for by its number, from 1.

    Raises:
        AudioFault: the file cannot be decoded to its end, is silent (peak below one 16-bit step), holds NaN, is on
            another scale than [-1, 1], has channels that cancel out, lacks the ``channel``, or ends before ``start``.
    """
    with open_audio(path) as sound:
        blocks = list(segment_blocks(sound, start, end, channel))
        own = sound.rate
    return resample(blocks[0] if len(blocks) == 1 else np.concatenate(blocks), own, rate)


def segment_blocks(sound: Decoder, start: float, end: float | None, channel: int | None) -> Iterator[np.ndarray]:
    """Yield a part of an opened recording as mono float32 blocks at its own rate; see `read_mono`.

    Raises:
        AudioFault: see there.
    """
    first = round(start * sound.rate)
    last = None if end is None else max(first, round(end * sound.rate))
    return to_mono(sound.blocks(first, last), sound.channels, channel)


def resample(samples: np.ndarray, rate: int, to: int) -> np.ndarray:
    """Return float32 ``samples`` (shape (N,)) at ``to`` Hz, by soxr; unchanged if they are.

    The result has `resampled_length` samples. Near full scale the filter may overshoot: values beyond [-1, 1] are
    right, and whoever hands them to something that wraps round limits them first.

    Raises:
        ValueError: not floating point of one dimension: soxr would take whole numbers, and limit them to their width.

    >>> resample(np.zeros(44_100, np.float32), 44_100, 16_000).shape
    (16000,)
    """
    if samples.ndim != 1 or samples.dtype.kind != "f":
        raise ValueError(f"`samples` must be floating point (N,), but are {samples.dtype} of shape {samples.shape}.")
    if rate == to:
        return samples
    with loading("soxr"):
        import soxr

    return soxr.resample(samples, rate, to, quality=QUALITY)


def resampled_length(samples: int, rate: int, to: int) -> int:
    """Return how many samples soxr makes of so many: to the nearest, halves up.

    >>> resampled_length(16_000, 9, 10), resampled_length(1, 44_100, 16_000)
    (17778, 0)
    """
    return (2 * samples * to + rate) // (2 * rate)


def resampler_identity() -> dict[str, str]:
    """Return what resampled samples depend on besides the recording: the resampler's part of every cache key."""
    return {"resampler": "soxr", "version": version("soxr"), "quality": QUALITY}


def content_hash(path: str | Path, start: float = 0.0, end: float | None = None, channel: int | None = None) -> str:
    """Return the SHA-256 of the file's bytes, with the segment's bounds and the channel where there are any.

    Raises:
        OSError: the file cannot be read. AudioFault: no file can have that name, or it is a pipe, a device or such.
    """
    if "\0" in str(path):
        raise AudioFault("no file can have that name (it holds a zero byte)")
    check_is_file(path)
    if not start and end is None:
        digest = _bytes_digest(Path(path))
    else:  # there are many segments of a long file, and it is read for all of them at once
        about = os.stat(path)
        digest = _kept_digest(os.fspath(path), about.st_size, about.st_mtime_ns, about.st_ctime_ns).copy()
        digest.update(f"|{start!r}|{end!r}".encode())
    if channel is not None:
        digest.update(f"|channel {channel}".encode())
    return digest.hexdigest()


def _bytes_digest(path: Path) -> Any:
    data = path.read_bytes()
    digest = hashlib.sha256(data)
    if is_corrected(data):  # something else was kept of it before its end was read
        digest.update(b"|to its end")
    return digest


@lru_cache(maxsize=64)
def _kept_digest(path: str, *_stamp: int) -> Any:
    return _bytes_digest(Path(path))
