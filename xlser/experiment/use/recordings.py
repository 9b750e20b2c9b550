"""Recordings of any length, in windows: a long one is never held whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from xlser.data.audio import QUALITY, resampled_length, segment_blocks
from xlser.data.samples import open_sound, settle
from xlser.data.spans import Span, windows
from xlser.features.extract import check_length
from xlser.machine import loading


def windows_of_audio(
    audio: Any,
    given: int | None,
    rate: int,
    longest: int,
    shortest: float,
    *,
    start: float = 0.0,
    end: float | None = None,
    channel: int | None = None,
) -> Iterator[np.ndarray]:
    """Yield the samples of one recording, float32 mono at ``rate`` Hz, in the fewest windows of equal length.

    A window is read when it is asked for: memory does not grow with the length of a file. Resampling windows gives what
    resampling the whole gives.

    Args:
        audio: see `xlser.data.samples.open_sound`: a path, bytes, a binary file, samples, or a mapping.
        given: the rate of samples, in Hz; None where the recording says its own.
        rate: in Hz.
        longest: samples of a window at most.
        shortest: samples that the whole must have.
        start, end: of a part, in seconds; ``end`` None is the end of the recording.
        channel: a number from 1 (see `xlser.data.channels.channel_number`); None for the mean of all.

    Raises:
        ValueError, TypeError: see `open_sound`. AudioFault: as `xlser.data.audio.read_mono`, or too short. Silence, and
            channels that cancel out, are known at the end only.

    >>> tone = np.sin(np.arange(8000) / 9)
    >>> [len(window) for window in windows_of_audio(tone, 8000, 16_000, 9000, 400)]
    [8000, 8000]
    """
    audio, given = settle(audio, given)
    with open_sound(audio, given) as sound:
        frames = sound.frames
        frames = sum(len(block) for block in sound.blocks()) if frames is None else frames
    with open_sound(audio, given) as sound:
        first = round(start * sound.rate)
        last = frames if end is None else min(frames, round(end * sound.rate))
        total = resampled_length(max(0, last - first), sound.rate, rate)
        check_length(total, shortest, rate)
        pieces = _resampled(segment_blocks(sound, start, end, channel), sound.rate, rate)
        yield from _windowed(pieces, windows(0, total, longest))


def _windowed(pieces: Iterator[np.ndarray], spans: list[Span]) -> Iterator[np.ndarray]:
    held = np.empty(0, dtype=np.float32)
    for span in spans:
        wanted = span.stop - span.start
        while len(held) < wanted and (piece := next(pieces, None)) is not None:
            held = np.concatenate([held, piece])
        yield held[:wanted]
        held = held[wanted:]
    for _ in pieces:  # what is wrong with the whole is said behind its last block
        pass


def _resampled(blocks: Iterator[np.ndarray], own: int, rate: int) -> Iterator[np.ndarray]:
    """Yield blocks at ``rate`` Hz, by a filter that remembers what went before."""
    if own == rate:
        yield from blocks
        return
    with loading("soxr"):
        import soxr

    stream, held = soxr.ResampleStream(own, rate, 1, dtype="float32", quality=QUALITY), None
    for block in blocks:
        if held is not None:
            yield stream.resample_chunk(held)
        held = block
    if held is not None:
        yield stream.resample_chunk(held, last=True)
