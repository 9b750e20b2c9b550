"""ComParE 2016 functionals by openSMILE: 6,373 numbers an utterance (Schuller et al. 2016; Weninger et al. 2013)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Any, ClassVar

import numpy as np

from xlser.data.audio import resampler_identity
from xlser.features.egemaps import as_opensmile_takes
from xlser.features.extractor import Extractor
from xlser.machine import loading


@dataclass(frozen=True)
class ComParE(Extractor):
    """The 6,373 functionals of the ComParE_2016 set, the baseline of the INTERSPEECH challenges since 2013.

    They are 65 descriptors of energy, spectrum and voicing with their deltas under up to 57 functionals each. With a
    few hundred utterances most of them are noise to a distance: a probe copes better than nearest neighbours. The
    licence is openSMILE's (see `Egemaps`), and so is the rate of 16 kHz.
    """

    name: ClassVar[str] = "compare2016"
    libraries: ClassVar[dict[str, str]] = {"opensmile": "opensmile"}
    shortest: ClassVar[float] = 0.06

    @cached_property
    def _smile(self) -> Any:
        with loading("openSMILE"):
            import opensmile

            return opensmile.Smile(opensmile.FeatureSet.ComParE_2016, opensmile.FeatureLevel.Functionals)

    def identity(self) -> dict[str, Any]:
        """Return the extractor's name, openSMILE's version, the sample rate and the resampler."""
        about = {"extractor": self.name, "set": "ComParE_2016", "opensmile": version("opensmile"), "rate": self.rate}
        return about | {"limit": 1.0} | resampler_identity()

    def columns(self) -> list[str]:
        """Return openSMILE's own 6,373 feature names."""
        return list(self._smile.feature_names)

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Return the functionals of float32 mono ``samples`` at 16 kHz, shape (6373,), float32.

        Samples beyond [-1, 1], which resampling makes of full-scale ones, are set to the limit.
        """
        return self._smile.process_signal(as_opensmile_takes(samples), self.rate).to_numpy(dtype=np.float32)[0]
