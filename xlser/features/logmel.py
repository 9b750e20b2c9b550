"""Statistics of the log-mel spectrogram by torch: no condition on commercial use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from xlser.data.audio import resampler_identity
from xlser.features.extractor import Extractor, check_options, is_count

_BINS = 512
_STATISTICS = ("mean", "std", "p20", "p50", "p80", "step")


@dataclass(frozen=True)
class LogMel(Extractor):
    """Mean, deviation, 20th, 50th and 80th percentile of each log-mel band, and the mean absolute step between frames.

    By default 40 bands, 25 ms windows, 10 ms hop, 16 kHz: 240 numbers an utterance. A recording shorter than one window
    is padded with zeros to one.

    Args:
        bands: how many bands, 1 to 128.
        window: samples of a window, 1 to 512.
        hop: samples between windows, at least 1.

    Raises:
        ValueError: an option is out of its range.
    """

    name: ClassVar[str] = "logmel"
    libraries: ClassVar[dict[str, str]] = {"torch": "torch"}
    bands: int = 40
    window: int = 400
    hop: int = 160

    def __post_init__(self) -> None:
        """Check the options."""
        check_options(
            ("bands", self.bands, is_count(self.bands) and self.bands <= 128, "a whole number from 1 to 128"),
            (
                "window",
                self.window,
                is_count(self.window) and self.window <= _BINS,
                f"a whole number from 1 to {_BINS}",
            ),
            ("hop", self.hop, is_count(self.hop), "a whole number of at least 1"),
        )

    @property
    def shortest(self) -> float:  # type: ignore[override]
        """One window, in seconds."""
        return self.window / self.rate

    @cached_property
    def _bank(self) -> Any:
        """Triangles on HTK's mel scale, 2595 log10(1 + f / 700), from 50 Hz to half the rate, (bands, bins).

        Ours, since the filter banks of transformers, librosa and torchaudio each import more than speech features need.
        """
        import torch

        low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (50.0, self.rate / 2))
        corners = 700 * (10 ** (np.linspace(low, high, self.bands + 2) / 2595) - 1)
        bins = np.linspace(0, self.rate / 2, _BINS // 2 + 1)
        rising = (bins - corners[:-2, None]) / np.diff(corners)[:-1, None]
        falling = (corners[2:, None] - bins) / np.diff(corners)[1:, None]
        return torch.from_numpy(np.maximum(0, np.minimum(rising, falling)).astype(np.float32))

    def identity(self) -> dict[str, Any]:
        """Return the extractor's name, its options and the resampler."""
        return {
            "extractor": self.name,
            "fft": _BINS,
            "scale": "htk",
            **resampler_identity(),
            "rate": self.rate,
            "bands": self.bands,
            "window": self.window,
            "hop": self.hop,
            "statistics": list(_STATISTICS),
        }

    def columns(self) -> list[str]:
        """Return six names a band, such as ``mel07_mean``."""
        return [f"mel{band:02d}_{name}" for name in _STATISTICS for band in range(self.bands)]

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Return the statistics of float32 mono ``samples`` at 16 kHz, shape (6 * bands,), float32."""
        import torch

        padded = np.pad(samples, (0, max(0, _BINS - len(samples))))
        with torch.inference_mode():
            window = torch.hann_window(self.window)
            spectrum = torch.stft(
                torch.from_numpy(padded), _BINS, self.hop, self.window, window, center=False, return_complex=True
            )
            frames = torch.log(self._bank @ spectrum.abs().square() + 1e-8)
            levels = torch.quantile(frames, torch.tensor([0.2, 0.5, 0.8]), dim=1)
            # One frame has neither a spread nor a step: both are zero there, not undefined.
            spread = frames.std(dim=1, unbiased=False)
            step = frames.diff(dim=1).abs().mean(dim=1) if frames.shape[1] > 1 else torch.zeros(self.bands)
            return torch.cat([frames.mean(dim=1), spread, *levels, step]).numpy()
