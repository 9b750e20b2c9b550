"""What every extractor offers, and the dict that names them."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Protocol

import numpy as np

from xlser.features.egemaps import Egemaps
from xlser.features.logmel import LogMel


class Extractor(Protocol):
    """Turns one recording into one vector.

    ``rate`` is the sample rate in Hz that it wants, ``shortest`` the least duration in seconds. ``identity()`` names
    the extractor, the version of the library that computes it and every option that changes a number: it is the
    extractor's half of a cache key.
    """

    rate: ClassVar[int]
    shortest: ClassVar[float]

    def identity(self) -> dict[str, Any]:
        """Return what the values depend on besides the audio."""

    def columns(self) -> list[str]:
        """Return the names of the features, in order."""

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Return the features of float32 mono ``samples`` at ``rate`` Hz, shape (len(columns()),)."""


ExtractorName = Literal["egemaps", "logmel"]
EXTRACTORS: dict[str, type[Extractor]] = {"egemaps": Egemaps, "logmel": LogMel}
