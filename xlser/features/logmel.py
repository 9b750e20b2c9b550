"""Statistics of the log-mel spectrogram through torchaudio: no condition on commercial use."""

from __future__ import annotations

from functools import cached_property
from importlib.metadata import version
from typing import Any, ClassVar

import numpy as np

_STATISTICS = ("mean", "std", "p20", "p50", "p80", "step")


class LogMel:
    """Mean, deviation, 20th, 50th and 80th percentile of each log-mel band, and the mean absolute step between frames.

    40 bands, 25 ms windows, 10 ms hop, 16 kHz: 240 numbers an utterance. A recording shorter than one window is padded
    with zeros to one.
    """

    rate: ClassVar[int] = 16_000
    shortest: ClassVar[float] = 0.025
    bands: ClassVar[int] = 40
    window: ClassVar[int] = 400
    hop: ClassVar[int] = 160

    @cached_property
    def _mel(self) -> Any:
        from torchaudio.transforms import MelSpectrogram

        return MelSpectrogram(
            self.rate,
            n_fft=512,
            win_length=self.window,
            hop_length=self.hop,
            n_mels=self.bands,
            f_min=50.0,
            center=False,
        )

    def identity(self) -> dict[str, Any]:
        """Return the extractor's name, torchaudio's version and its options."""
        return {
            "extractor": "logmel",
            "torchaudio": version("torchaudio").partition("+")[0],
            "rate": self.rate,
            "bands": self.bands,
            "window": self.window,
            "hop": self.hop,
            "statistics": list(_STATISTICS),
        }

    def columns(self) -> list[str]:
        """Return 240 names such as ``mel07_mean``."""
        return [f"mel{band:02d}_{name}" for name in _STATISTICS for band in range(self.bands)]

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Return the statistics of float32 mono ``samples`` at 16 kHz, shape (240,), float32."""
        import torch

        padded = np.pad(samples, (0, max(0, 512 - len(samples))))
        with torch.inference_mode():
            power = self._mel(torch.from_numpy(padded))
            frames = torch.log(power + 1e-8)
            levels = torch.quantile(frames, torch.tensor([0.2, 0.5, 0.8]), dim=1)
            # One frame has neither a spread nor a step: both are zero there, not undefined.
            spread = frames.std(dim=1, unbiased=False)
            step = frames.diff(dim=1).abs().mean(dim=1) if frames.shape[1] > 1 else torch.zeros(self.bands)
            return torch.cat([frames.mean(dim=1), spread, *levels, step]).numpy()
