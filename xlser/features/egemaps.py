"""eGeMAPSv02 functionals by openSMILE: 88 numbers an utterance (Eyben et al. 2016)."""

from __future__ import annotations

from functools import cached_property
from importlib.metadata import version
from typing import Any, ClassVar

import numpy as np


class Egemaps:
    """The 88 functionals of eGeMAPSv02.

    openSMILE is free for research and teaching; commercial use needs audEERING's licence. `LogMel` is the alternative
    without that condition.

    All audio is brought to 16 kHz first: several of the functionals move with the bandwidth, and corpora would
    otherwise be told apart by their sample rate.
    """

    rate: ClassVar[int] = 16_000
    shortest: ClassVar[float] = 0.06

    @cached_property
    def _smile(self) -> Any:
        import opensmile

        return opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)

    def identity(self) -> dict[str, Any]:
        """Return the extractor's name, openSMILE's version and the sample rate."""
        return {"extractor": "egemaps", "set": "eGeMAPSv02", "opensmile": version("opensmile"), "rate": self.rate}

    def columns(self) -> list[str]:
        """Return openSMILE's own 88 feature names."""
        return list(self._smile.feature_names)

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Return the 88 functionals of float32 mono ``samples`` at 16 kHz, shape (88,), float32."""
        return self._smile.process_signal(samples, self.rate).to_numpy(dtype=np.float32)[0]
