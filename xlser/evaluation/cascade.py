"""The last two steps of the cascade of Kaya and Karpov (2018): a power of each value, and clips of one length."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from xlser.errors import RecipeError
from xlser.evaluation.adapting import Adaptation, Away, Fitted, Home
from xlser.evaluation.shrunk import FittedStatistics, PlainSpeaker, fit_statistics
from xlser.features.normalise import SPEAKER_MINIMUM


@dataclass(frozen=True)
class Cascade(Adaptation):
    """Speaker z-scores, a signed power of each value, and each clip at one length; the source likewise.

    Kaya and Karpov (Neurocomputing 275, 2018): z-scores a speaker, sign(z) |z| ** power, division by the clip's
    Euclidean norm. They read it by a linear kernel machine; here the readout is fitted again to the source, whose
    corpora and speakers are mapped likewise. A speaker of fewer than five clips is z-scored by the whole target.
    Lengths are the root of the number of columns, so that values stay near 1.

    Args:
        power: above 0, at most 1 in the paper; 1 leaves the z-scores.

    Raises:
        RecipeError: a power that is not above 0.
    """

    name: ClassVar[str] = "cascade"
    looks_at: ClassVar[tuple[str, ...]] = ("recordings", "speakers")
    assumes: ClassVar[str] = PlainSpeaker.assumes
    power: float = 0.5

    def __post_init__(self) -> None:
        """Check the option."""
        if not 0 < self.power < np.inf:
            raise RecipeError(f"{self.name}: power must be above 0 and finite, but is {self.power} instead")

    def _fit(self, home: Home, away: Away) -> Fitted:
        scores = fit_statistics(home, away, 0, clip=None, sources=True, least=SPEAKER_MINIMUM)
        return FittedCascade(**{item.name: getattr(scores, item.name) for item in fields(scores)}, power=self.power)


@dataclass(eq=False)
class FittedCascade(FittedStatistics):
    """The statistics of speakers, and the power of what they give."""

    power: float = 0.5

    def _mapped(self, rows: np.ndarray, middles: np.ndarray, spreads: np.ndarray) -> np.ndarray:
        scores = (np.asarray(rows, dtype=float) - middles) / spreads
        powers = np.sign(scores) * np.abs(scores) ** self.power
        length = np.linalg.norm(powers, axis=1, keepdims=True)
        units: np.ndarray = powers / np.where(length > 0, length, 1.0) * np.sqrt(powers.shape[1])
        return units
