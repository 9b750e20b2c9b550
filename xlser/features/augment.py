"""What is drawn at random for a clip in training: speed, noise and level of its wave, and SpecAugment's masks.

Every draw comes from a generator of its own, made from the seed: the same clip and seed give the same numbers whatever
else is in the batch, and nobody else's random state is touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from xlser.data.audio import resample

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True)
class WaveChoice:
    """Which changes of a wave to draw from.

    ``speed``: factors, each as likely as the others; empty for none. ``snr``: range in dB of white noise below the
    clip's mean power, ``gain``: range in dB of the level; both drawn uniformly, None for none.
    """

    speed: tuple[float, ...] = (0.9, 1.0, 1.1)
    snr: tuple[float, float] | None = None
    gain: tuple[float, float] | None = None


def augment_wave(wave: Tensor, choice: WaveChoice, seed: int, *, shortest: int = 400) -> Tensor:
    """Return a wave (S',) played faster or slower, then with white noise added, then at another level.

    Args:
        wave: (S,) float32 samples. It stays as it is, and is itself returned where nothing changes it.
        choice: what to draw from; anything with the attributes of `WaveChoice`.
        seed: names the draw. Speed, noise and level each have a part of it that does not depend on the others.
        shortest: in samples; where a speed would leave fewer, the speed is kept at 1. A wav2vec 2.0 encoder needs 400.

    Returns:
        Float32; S' is the nearest number to ``S / factor``. Pitch changes with the speed. Values may leave
        [-1, 1]. Factors are taken to the nearest fraction with a denominator up to 100. A wave of zeros stays one.

    Raises:
        ValueError: the wave has not one dimension, a factor is not above 0.01, or a range is upside down.

    Source:
        Ko et al. 2015, "Audio augmentation for speech recognition", for the speed; soxr does the work.

    Example:
        >>> import torch
        >>> wave = torch.sin(torch.arange(9000) / 5)
        >>> augment_wave(wave, WaveChoice(speed=(0.9,)), seed=1).shape
        torch.Size([10000])
        >>> noisy = augment_wave(wave, WaveChoice(speed=(), snr=(20, 20)), seed=1)
        >>> round((wave.norm() / (noisy - wave).norm()).log10().item() * 20)
        20
    """
    import torch

    _check_wave(wave, choice)
    generator = torch.Generator().manual_seed(seed)
    # All three are drawn whether they are wanted or not: turning one off leaves the others as they were.
    turn, snr, level = torch.rand(3, generator=generator, dtype=torch.float64).tolist()
    if choice.speed:
        wave = _faster(wave, choice.speed[int(turn * len(choice.speed))], shortest)
    if choice.snr:
        noise = torch.randn(len(wave), generator=generator).to(wave)
        wave = wave + noise * (wave.norm() / noise.norm()) * _decibels(-_between(choice.snr, snr))
    return wave * _decibels(_between(choice.gain, level)) if choice.gain else wave


def spec_masks(
    frames: int,
    width: int,
    *,
    time_p: float = 0.08,
    time_length: int = 15,
    feature_p: float = 0.05,
    feature_length: int = 64,
    seed: int,
) -> tuple[Tensor, Tensor]:
    """Return SpecAugment's masks of one clip: frames (frames,) and columns (width,), True where they are hidden.

    On each axis of n, ``p * n / length`` spans (rounded up or down at random, so that the mean is exact) start at
    different places and may overlap: ``p`` is the share that would be hidden if they did not. It is the ``mask_prob``
    of transformers, not the share of starting points of fairseq's papers, which is ``p / length``.

    At least one frame and one column stay. A span is at most half an axis, so that of a clip shorter than two spans
    some is heard; an axis of 1 is never hidden. Otherwise the masks are distributed as those of transformers, without
    its minimum of spans (``mask_time_min_masks``), which would hide most of a short clip.

    Args:
        frames: valid frames of the clip, at least 1.
        width: columns of the hidden state, at least 1.
        time_p, feature_p: in [0, 1]; 0 hides nothing.
        time_length, feature_length: frames and columns of a span, at least 1.
        seed: names the draw; those of frames and columns do not depend on each other.

    Raises:
        ValueError: an argument is out of its range.

    Source:
        Park et al. 2019, arXiv 1904.08779; Baevski et al. 2020, arXiv 2006.11477, appendix B.

    Example:
        >>> time, feature = spec_masks(200, 768, time_p=0.3, time_length=10, seed=3)
        >>> time.shape, feature.shape, 10 <= int(time.sum()) <= 60
        (torch.Size([200]), torch.Size([768]), True)
        >>> spec_masks(1, 1, time_p=1.0, feature_p=1.0, seed=0)
        (tensor([False]), tensor([False]))
    """
    import torch

    _check_axis("time", time_p, time_length, "frames", frames)
    _check_axis("feature", feature_p, feature_length, "width", width)
    # Two generators, not one: a clip's columns must not depend on how many frames of it there are.
    seeds = torch.randint(2**62, (2,), generator=torch.Generator().manual_seed(seed)).tolist()
    one, other = (torch.Generator().manual_seed(number) for number in seeds)
    return _spans(frames, time_p, time_length, one), _spans(width, feature_p, feature_length, other)


def _spans(size: int, p: float, length: int, generator: Generator) -> Tensor:
    import torch

    mask = torch.zeros(size, dtype=torch.bool)
    length = min(length, size // 2)
    rounding, spared = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
    if not length:
        return mask
    count = min(int(p * size / length + rounding), size // length)
    starts = torch.randperm(size - length + 1, generator=generator)[:count]
    mask[(starts[:, None] + torch.arange(length)).ravel()] = True
    if mask.all():
        mask[int(spared * size)] = False
    return mask


def _faster(wave: Tensor, factor: float, shortest: int) -> Tensor:
    """Read ``wave`` as if it were recorded at ``factor`` times its rate: pitch and tempo change together."""
    import torch

    ratio = Fraction(factor).limit_denominator(100)
    if ratio == 1 or len(wave) / ratio < shortest:
        return wave
    faster = resample(wave.detach().cpu().numpy(), ratio.numerator, ratio.denominator)
    return torch.from_numpy(faster).to(wave)


def _decibels(level: float) -> float:
    """Return the factor on samples that is ``level`` dB."""
    return 10 ** (level / 20)


def _between(bounds: tuple[float, float], share: float) -> float:
    low, high = bounds
    return low + (high - low) * share


def _check_wave(wave: Tensor, choice: WaveChoice) -> None:
    if wave.ndim != 1:
        raise ValueError(f"`wave` must have one dimension (samples), but has the shape {tuple(wave.shape)} instead.")
    if any(not 0.01 < factor < float("inf") for factor in choice.speed):
        raise ValueError(f"`speed` must hold factors above 0.01, but holds {list(choice.speed)} instead.")
    for name, bounds in (("snr", choice.snr), ("gain", choice.gain)):
        if bounds and not bounds[0] <= bounds[1]:
            raise ValueError(f"`{name}` must be (low, high) in dB, but is {tuple(bounds)} instead.")


def _check_axis(name: str, p: float, length: int, axis: str, size: int) -> None:
    rules = [
        (f"{name}_p", p, 0 <= p <= 1, "in [0, 1]"),
        (f"{name}_length", length, length >= 1, "at least 1"),
        (axis, size, size >= 1, "at least 1"),
    ]
    for argument, value, holds, rule in rules:
        if not holds:
            raise ValueError(f"`{argument}` must be {rule}, but is {value} instead.")
