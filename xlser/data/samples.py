"""What Python users hand in as sound: paths, bytes, files, arrays and tensors, and what datasets make of recordings."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from xlser.data.decoding import Decoder, open_audio, seekable
from xlser.data.unreadable import RATES

# More channels than this no recording has: an axis that is longer holds samples.
MOST_CHANNELS = 32
# Middle and full scale of integers, which hold samples as a WAV file of their width does.
_INTEGERS = {"uint8": (128, 2.0**7), "int8": (0, 2.0**7), "int16": (0, 2.0**15), "int32": (0, 2.0**31)}


def settle(audio: Any, rate: int | None = None) -> tuple[Any, int | None]:
    """Return what stands for one recording as a path, a binary file that can be read again, or samples; and its rate.

    Args and Raises: see `open_sound`.
    """
    if isinstance(audio, Mapping):
        audio, rate = _of_mapping(audio, rate)
    if hasattr(audio, "get_all_samples"):  # a decoder of torchcodec, which is what newer datasets hold
        samples = audio.get_all_samples()
        audio, rate = samples.data, _same_rate(int(samples.sample_rate), rate)
    if isinstance(audio, (bytes, bytearray, memoryview)):
        return io.BytesIO(audio), rate
    if isinstance(audio, (str, os.PathLike)):
        return Path(audio).expanduser(), rate
    return (seekable(audio), rate) if hasattr(audio, "read") else (audio, rate)


@contextmanager
def open_sound(audio: Any, rate: int | None = None) -> Iterator[Decoder]:
    """Open anything that stands for one recording.

    Args:
        audio: a path; the bytes of a file, or a binary file; samples of shape (S,), (C, S) or (S, C) with up to 32
            channels, floating point on full scale 1 or whole numbers on their own (int16, int32, uint8, int8), as an
            array, a tensor or a list; or a mapping with ``array`` and ``sampling_rate``, or with ``bytes`` or ``path``,
            as a row of a Hugging Face dataset has.
        rate: of samples, in Hz. A file or a mapping says its own: give none, or the same.

    Raises:
        ValueError: no rate where one is needed, another than the recording's own, or a shape of which nobody can tell
            what is a channel. TypeError: nothing that stands for sound. AudioFault: see `open_audio`.
    """
    audio, rate = settle(audio, rate)
    if isinstance(audio, Path) or hasattr(audio, "read"):
        with open_audio(audio) as sound:
            _same_rate(sound.rate, rate)
            yield sound
    else:
        yield ArrayDecoder(audio, rate)


class ArrayDecoder:
    """Samples that are there already; see `open_sound`."""

    def __init__(self, samples: Any, rate: int | None) -> None:
        self._samples = as_frames(samples)
        self.rate = check_rate(rate)
        self.frames: int | None = len(self._samples)
        self.narrow = False
        self.channels = self._samples.shape[1]

    def blocks(self, first: int = 0, last: int | None = None) -> Iterator[np.ndarray]:
        """Yield frames ``first`` to ``last``; see `xlser.data.decoding.Decoder`."""
        yield self._samples[first:last]


def as_frames(samples: Any) -> np.ndarray:
    """Return samples as float32 (frames, channels) on full scale 1. What is beyond it is left as it is.

    Raises:
        TypeError: not numbers, or whole numbers whose full scale nobody knows. ValueError: see `open_sound`.

    >>> as_frames(np.array([0, 16384, -32768], dtype=np.int16)).ravel().tolist()
    [0.0, 0.5, -1.0]
    >>> as_frames(np.zeros((2, 16000))).shape, as_frames(np.zeros((16000, 2))).shape, as_frames(np.zeros((1, 9))).shape
    ((16000, 2), (16000, 2), (9, 1))
    """
    values: Any = _as_array(samples)
    kind = values.dtype.name
    if kind in _INTEGERS:
        middle, full = _INTEGERS[kind]
        values = (values.astype(np.float32 if full < 2.0**31 else np.float64) - middle) / full
    elif values.dtype.kind != "f":
        raise TypeError(
            f"`audio` must be a path, bytes, a binary file, or samples in floating point or {', '.join(_INTEGERS)}, "
            f"but is {type(samples).__name__} of {kind} instead."
        )
    return np.ascontiguousarray(_frames_first(values), dtype=np.float32)


def check_rate(rate: int | None) -> int:
    """Return the rate of samples in Hz.

    Raises:
        ValueError: none is given, or one that is no whole number, or none that sound has: kHz are not Hz.
    """
    if rate is None:
        raise ValueError(
            "`rate` must be given with samples, in Hz, such as rate=16_000: nothing in them says how fast they were "
            "recorded. A file says its own."
        )
    whole = not isinstance(rate, bool) and isinstance(rate, (int, float, np.integer, np.floating))
    low, high = RATES
    if not whole or not low <= rate <= high or rate != int(rate):
        raise ValueError(f"`rate` must be a whole number of Hz, {low:,} to {high:,}, but is {rate!r} instead.")
    return int(rate)


def _same_rate(own: int, given: int | None) -> int:
    if given is not None and check_rate(given) != own:
        raise ValueError(f"`rate` must be left out, or {own} Hz, which the recording says of itself, but is {given}.")
    return own


def _of_mapping(audio: Mapping[str, Any], rate: int | None) -> tuple[Any, int | None]:
    if audio.get("array") is not None:
        own = audio.get("sampling_rate", audio.get("sample_rate"))
        return audio["array"], rate if own is None else _same_rate(check_rate(own), rate)
    for key in ("bytes", "path"):
        if audio.get(key) is not None:
            return audio[key], rate
    raise TypeError(
        "`audio` must hold `array` and `sampling_rate`, `bytes`, or `path`, but holds "
        f"{', '.join(map(str, audio)) or 'nothing'} instead."
    )


def _as_array(samples: Any) -> np.ndarray:
    if hasattr(samples, "detach"):  # a tensor, which may be on a GPU or in a kind that NumPy does not have
        samples = samples.detach().cpu()
        samples = (samples.float() if samples.is_floating_point() else samples).numpy()
    return np.asarray(samples)


def _frames_first(values: np.ndarray) -> np.ndarray:
    """Return samples with the channels on the second axis: the shorter one, where it can only be that."""
    if values.ndim == 1:
        return values[:, None]
    if values.ndim == 2:
        rows, columns = values.shape
        if 1 in (rows, columns):
            return values.reshape(-1, 1)
        if columns <= MOST_CHANNELS < rows:
            return values
        if rows <= MOST_CHANNELS < columns:
            return values.T
    raise ValueError(
        f"`audio` must have one axis of samples, and at most one of up to {MOST_CHANNELS} channels, so that they can "
        f"be told apart, but has the shape {values.shape} instead. Give one recording at a time."
    )
