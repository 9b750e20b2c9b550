"""Functionals of a whole utterance by openSMILE: what its feature sets have in common."""

from __future__ import annotations

from functools import cached_property
from importlib.metadata import version
from typing import Any, ClassVar

import numpy as np

from xlser.data.audio import resampler_identity
from xlser.features.extractor import Extractor
from xlser.machine import loading


class OpensmileSet(Extractor):
    """The functionals of one of openSMILE's feature sets, ``feature_set`` by openSMILE's own name.

    openSMILE is free for research and teaching; commercial use needs audEERING's licence.

    All audio is brought to 16 kHz first: several of the functionals move with the bandwidth, and corpora would
    otherwise be told apart by their sample rate.
    """

    libraries: ClassVar[dict[str, str]] = {"opensmile": "opensmile"}
    shortest: ClassVar[float] = 0.06  # type: ignore[misc]  # elsewhere it may depend on options
    feature_set: ClassVar[str]

    @cached_property
    def _smile(self) -> Any:
        with loading("openSMILE"):
            import opensmile

            return opensmile.Smile(opensmile.FeatureSet[self.feature_set], opensmile.FeatureLevel.Functionals)

    def identity(self) -> dict[str, Any]:
        """Return the extractor's name, openSMILE's version, the sample rate and the resampler."""
        about = {"extractor": self.name, "set": self.feature_set, "opensmile": version("opensmile"), "rate": self.rate}
        return about | {"limit": 1.0} | resampler_identity()

    def columns(self) -> list[str]:
        """Return openSMILE's own feature names."""
        return list(self._smile.feature_names)

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Return the functionals of float32 mono ``samples`` (S,) at 16 kHz, float32 (len(columns()),).

        Samples beyond [-1, 1], which resampling makes of full-scale ones, are set to the limit.
        """
        return self._smile.process_signal(as_opensmile_takes(samples), self.rate).to_numpy(dtype=np.float32)[0]


def as_opensmile_takes(samples: np.ndarray) -> np.ndarray:
    """Return samples (N,) as openSMILE's Python door takes them: float32, one channel, limited to [-1, 1].

    The door casts ``samples * 32767`` to int16 and looks at nothing: above full scale the cast wraps round, and a peak
    becomes a crack of twice its height.

    Raises:
        ValueError: not one-dimensional floating point, or not finite.

    >>> as_opensmile_takes(np.array([0.5, 1.02, -3.0])).tolist()
    [0.5, 1.0, -1.0]
    """
    if samples.ndim != 1 or samples.dtype.kind != "f" or not np.isfinite(samples).all():
        raise ValueError(
            f"`samples` must be finite floating point of shape (N,), but are {samples.dtype} of shape {samples.shape}."
        )
    return np.clip(samples, -1.0, 1.0).astype(np.float32)
