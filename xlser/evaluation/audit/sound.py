"""One recording as it is in the file: its samples at their own rate and width, and what two copies of it share."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xlser.data.decoding import SoundfileDecoder, open_audio
from xlser.data.unreadable import AudioFault

_FULL = 32768.0


@dataclass(frozen=True)
class Sound:
    """Decoded audio: ``samples`` (frames, channels), int16 where 16 bits hold them, else float32; ``rate`` in Hz.

    Channels that are copies of each other count as one: a mono recording saved as stereo is the same recording.
    """

    samples: np.ndarray
    rate: int
    channels: int

    def mono(self) -> np.ndarray:
        """Return the mean of the channels as float32 in [-1, 1], shape (frames,)."""
        if self.samples.shape[1] == 1:
            return self.first()
        return self._scaled(self.samples.mean(axis=1, dtype=np.float32))

    def first(self) -> np.ndarray:
        """Return the first channel as float32 in [-1, 1], shape (frames,)."""
        return self._scaled(self.samples[:, 0])

    def key(self) -> tuple[int, int, int, int]:
        """Return rate, frames, distinct channels and a CRC-32 of the samples: equal for copies, almost never otherwise.

        A checksum costs a tenth of decoding where SHA-256 doubles it; files whose keys meet are told apart by `digest`.
        """
        return self.rate, len(self.samples), self.samples.shape[1], zlib.crc32(np.ascontiguousarray(self.samples))

    def _scaled(self, samples: np.ndarray) -> np.ndarray:
        narrow = self.samples.dtype == np.int16
        return samples.astype(np.float32) / np.float32(_FULL) if narrow else samples.astype(np.float32)

    def digest(self) -> str:
        """Return the SHA-256 of rate, shape and samples: 64 hexadecimal digits, the same for WAV, FLAC or 24 bits."""
        head = f"{self.rate}|{self.samples.shape}|{self.samples.dtype}|".encode()
        return hashlib.sha256(head + np.ascontiguousarray(self.samples).tobytes()).hexdigest()


def decode(path: str | Path, start: float = 0.0, end: float | None = None, channel: int | None = None) -> Sound:
    """Decode one recording without mixing, resampling or refusing silence and samples on another scale.

    ``start`` and ``end`` are seconds; ``end`` None is the end of the file. Of all channels, or of one, from 1.

    Raises:
        AudioFault: the file cannot be decoded, holds no samples there, or holds NaN.
    """
    with open_audio(path) as sound:
        rate, first = sound.rate, round(start * sound.rate)
        last = None if end is None else max(first, round(end * rate))
        if sound.narrow and isinstance(sound, SoundfileDecoder):
            blocks = list(sound.blocks(first, last, "int16"))
        else:
            blocks = list(sound.blocks(first, last))
    samples = blocks[0] if len(blocks) == 1 else np.concatenate(blocks) if blocks else np.empty((0, 1), np.float32)
    if channel is not None:
        if channel > samples.shape[1]:
            raise AudioFault(f"no channel {channel}: it has {samples.shape[1]}")
        samples = samples[:, channel - 1 : channel]
    if not len(samples):
        raise AudioFault("zero length: no samples in this part of the file")
    if samples.dtype == np.float32 and not np.isfinite(samples).all():
        raise AudioFault("NaN or infinite samples")
    return Sound(_distinct(_narrowed(samples)), rate, samples.shape[1])


def _narrowed(samples: np.ndarray) -> np.ndarray:
    """Return int16 where nothing is lost by it: a 24-bit copy of a 16-bit recording then has its samples again."""
    if samples.dtype == np.int16:
        return samples
    scaled = samples * np.float32(_FULL)
    if np.abs(scaled[:256]).max() >= _FULL or (scaled[:256] != np.rint(scaled[:256])).any():
        return samples  # the first moments settle it for nearly every file
    whole = np.rint(scaled)
    fits = (whole == scaled).all() and whole.max() < _FULL and whole.min() >= -_FULL
    return whole.astype(np.int16) if fits else samples


def _distinct(samples: np.ndarray) -> np.ndarray:
    alike = samples.shape[1] > 1 and (samples == samples[:, :1]).all()
    return samples[:, :1] if alike else samples
