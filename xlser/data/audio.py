"""Reading audio: whatever can be decoded, mixed to mono, resampled once, faults named."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from xlser.data.channels import SILENCE_PEAK, to_mono
from xlser.data.decoding import Decoder, count_frames, open_audio
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

    >>> resample(np.zeros(44_100, np.float32), 44_100, 16_000).shape
    (16000,)
    """
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
    """Return the SHA-256 of the file's bytes, with the segment's bounds and the channel where there are any."""
    if start or end is not None or channel is not None:
        found = Path(path).stat()
        digest = _file_digest(str(path), found.st_size, found.st_mtime_ns).copy()
    else:
        digest = hashlib.sha256(Path(path).read_bytes())
    if start or end is not None:
        digest.update(f"|{start!r}|{end!r}".encode())
    if channel is not None:
        digest.update(f"|channel {channel}".encode())
    return digest.hexdigest()


@lru_cache(maxsize=64)
def _file_digest(path: str, size: int, changed: int) -> hashlib._Hash:
    """Return the digest of a whole file once for its many segments; one that changed is another one."""
    return hashlib.sha256(Path(path).read_bytes())
