"""From the channels of a recording to the one signal that is used, and what makes that signal unusable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from xlser.corpora.segments import channel_name
from xlser.data.unreadable import AudioFault, Silence

# 16-bit recordings of a working microphone never stay below this: it is one step of their scale.
SILENCE_PEAK = 2.0**-15
# Floating point may overshoot full scale by 12 dB, more than any mixing or resampling makes of it; what goes beyond is
# on another scale.
OVERSHOOT_PEAK = 4.0
# Channels cancel out where less than this share of their mean power is left of their mean: 20 dB are lost.
CANCELLED = 0.01
SIDES = {"left": 1, "right": 2}


def channel_number(channel: str | int | float | None) -> int | None:
    """Return which channel is meant, from 1, or None for the mean of all.

    Args:
        channel: ``mix``, ``left``, ``right``, a number from 1, or None or nan, which stand for ``mix``.

    Raises:
        ValueError: none of these.

    >>> channel_number("left"), channel_number("2"), channel_number("mix"), channel_number(float("nan"))
    (1, 2, None, None)
    """
    if channel is None or channel == "mix" or (isinstance(channel, float) and np.isnan(channel)):
        return None
    text = str(int(channel)) if isinstance(channel, float) and channel.is_integer() else str(channel)
    number = SIDES.get(text) or (int(text) if text.isascii() and text.isdigit() else 0)
    if number < 1 or isinstance(channel, bool):
        raise ValueError(f"`channel` must be mix, left, right or a number from 1, but is {channel!r} instead.")
    return number


def to_mono(blocks: Iterable[np.ndarray], channels: int, channel: int | None = None) -> Iterator[np.ndarray]:
    """Yield the mean of the channels, or one of them, float32 (frames,), and see that it can be used.

    Args:
        blocks: of float32 (frames, channels), full scale 1.
        channels: how many there are.
        channel: a number from 1; None for the mean of all.

    Raises:
        AudioFault: there is no such channel; at the block: NaN, infinity, or a sample far beyond full scale; behind the
            last one: no samples, silence (peak below one 16-bit step), or channels that cancel each other out.

    >>> one = np.ones((4, 2), np.float32)
    >>> list(to_mono([one * [0.5, 0.1]], 2)), list(to_mono([one * [0.5, 0.1]], 2, channel=2))
    ([array([0.3, 0.3, 0.3, 0.3])], [array([0.1, 0.1, 0.1, 0.1])])
    """
    if channel is not None and channel > channels:
        raise AudioFault(f"no channel {channel} ({channel_name(channel)}): it has {channels}")
    mixing = channel is None and channels > 1
    peak, loudest, power, kept, frames = 0.0, 0.0, 0.0, 0.0, 0
    for block in blocks:
        mono = block.mean(axis=1) if channel is None else np.ascontiguousarray(block[:, channel - 1])
        highest = float(np.abs(block if mixing else mono).max(initial=0.0))
        if not np.isfinite(highest):
            raise AudioFault("NaN or infinite samples")
        check_scale(highest)
        loudest, frames = max(loudest, highest), frames + len(mono)
        peak = max(peak, float(np.abs(mono).max(initial=0.0))) if mixing else loudest
        if mixing:
            power += float(np.vdot(block, block)) / channels
            kept += float(np.vdot(mono, mono))
        yield mono
    if not frames:
        raise AudioFault("zero length: no samples in this part of the file")
    if mixing and loudest >= SILENCE_PEAK and kept < CANCELLED * power:
        raise AudioFault(_cancelled(channels, kept / power))
    if peak < SILENCE_PEAK:
        raise Silence(f"silent: the loudest sample is {peak:.1e}")


def check_scale(peak: float) -> None:
    """See that samples are on a scale whose full scale is 1, as far as their peak says.

    Raises:
        AudioFault: they are not; how to scale them is said.
    """
    if peak <= OVERSHOOT_PEAK:
        return
    full = next((full for full in (2**15, 2**23) if peak <= 1.1 * full), 2**31)
    raise AudioFault(
        f"out of range: the loudest sample is {peak:,.0f}, but full scale of floating point samples is 1 (up to "
        f"{OVERSHOOT_PEAK:g} passes). Divide the samples by {full}, the full scale of {full.bit_length()}-bit numbers, "
        f"and write them anew: ffmpeg -i in.wav -af volume=1/{full} out.wav"
    )


def _cancelled(channels: int, left: float) -> str:
    lost = f"{-10 * np.log10(left):.0f} dB weaker" if left > 1e-9 else "silent"
    return (
        f"its channels cancel out ({channels} of them; mixed they are {lost}, as where one has its polarity reversed). "
        "Take one of them: `channel: left` in the card, or --channel left"
    )
