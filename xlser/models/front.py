"""What stands before the transformer of a speech encoder, for one clip alone: convolutions, or a mel filter bank."""

from __future__ import annotations

import math
from typing import Any, Protocol

from torch import Tensor, nn

RATE = 16_000


class Front(Protocol):
    """Samples (S,) at 16 kHz to frames (T, width).

    ``shortest`` is the least S that gives a frame, ``longest`` the most seconds that the layers behind it take.
    """

    shortest: int
    longest: float
    width: int

    def identity(self) -> dict[str, Any]:
        """Return what the frames depend on besides audio, config and weights."""

    def __call__(self, wave: Tensor) -> Tensor:
        """Return the frames of one clip."""


class WaveConvolutions:
    """The convolutions of wav2vec 2.0 and its kin, on the waveform at zero mean and unit variance if they want it.

    Source:
        Baevski et al. 2020, arXiv 2006.11477, section 2; the normalisation is that of transformers, with 1e-7 added to
        the variance.
    """

    longest = math.inf

    def __init__(self, model: nn.Module, extractor: Any):
        # No module of its own: the model would then stand twice among the encoder's weights.
        self.model, self.normalise = model, bool(extractor.do_normalize)
        self.shortest = receptive_field(model.config.conv_kernel, model.config.conv_stride)
        self.width = model.config.conv_dim[-1]

    def identity(self) -> dict[str, Any]:
        """Return whether the waveform is normalised."""
        return {"front": "convolutions", "normalise": self.normalise}

    def __call__(self, wave: Tensor) -> Tensor:
        """Return the frames (T, width) of samples (S,)."""
        if self.normalise:
            wave = (wave - wave.mean()) / (wave.var(correction=0) + 1e-7).sqrt()
        return self.model.feature_extractor(wave[None])[0].T.contiguous()


class FilterBank:
    """The log-mel filter bank of w2v-BERT 2.0, two frames side by side, each band at zero mean and unit variance.

    A last frame without a partner is left out, as the attention mask of transformers leaves it out.

    Source:
        Barrault et al. 2023, arXiv 2312.05187, section 3.2.1; the numbers are those of transformers.
    """

    window, hop = 400, 160  # samples
    longest = math.inf

    def __init__(self, model: nn.Module, extractor: Any):
        self.extractor = extractor
        self.width = model.config.feature_projection_input_dim
        # At least two frames also where none is paired: the variance of one is not defined.
        self.shortest = self.window + (max(extractor.stride, 2) - 1) * self.hop

    def identity(self) -> dict[str, Any]:
        """Return the options of the filter bank."""
        return {"front": "filter bank", "bins": self.extractor.num_mel_bins, "stride": self.extractor.stride}

    def __call__(self, wave: Tensor) -> Tensor:
        """Return the frames (T, width) of samples (S,)."""
        found = self.extractor(wave.detach().cpu().numpy(), sampling_rate=RATE, return_tensors="pt")
        return found["input_features"][0, : int(found["attention_mask"].sum())].to(wave.device)


def receptive_field(kernels: list[int], strides: list[int]) -> int:
    """Return how many samples one frame of a stack of convolutions sees.

    >>> receptive_field([10, 3, 3, 3, 3, 2, 2], [5, 2, 2, 2, 2, 2, 2])
    400
    """
    field = 1
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
        field = (field - 1) * stride + kernel
    return field
