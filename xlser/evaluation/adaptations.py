"""What may be tried to make up for a target's shift, and the table that names it; each makes a result transductive.

A new one is a file with a class like these, and a row of `ADAPTATIONS`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from xlser.errors import RecipeError, did_you_mean
from xlser.evaluation.adapt import by_speaker, coral, prior_correction, quantile
from xlser.evaluation.adapting import Adaptation
from xlser.evaluation.shrunk import SpeakerStatistics


@dataclass(frozen=True)
class SpeakerMoments(Adaptation):
    """Each speaker's embeddings get the source's mean and deviation; see `by_speaker`."""

    name: ClassVar[str] = "speakers"

    def embeddings(self, source: np.ndarray, target: np.ndarray, speakers: ArrayLike) -> np.ndarray:
        """Return the target's embeddings, speaker by speaker at the source's moments."""
        return by_speaker(source, target, speakers)


@dataclass(frozen=True)
class Coral(Adaptation):
    """The target gets the source's mean and covariance; see `coral`. ``shrinkage`` in [0, 1], or None: estimated."""

    name: ClassVar[str] = "coral"
    shrinkage: float | None = None

    def embeddings(self, source: np.ndarray, target: np.ndarray, speakers: ArrayLike) -> np.ndarray:
        """Return the target's embeddings with the source's covariance."""
        return coral(source, target, self.shrinkage)


@dataclass(frozen=True)
class Quantile(Adaptation):
    """Each column of the target gets the source's values of the same rank; see `quantile`."""

    name: ClassVar[str] = "quantile"

    def embeddings(self, source: np.ndarray, target: np.ndarray, speakers: ArrayLike) -> np.ndarray:
        """Return the target's embeddings with the source's values."""
        return quantile(source, target)


@dataclass(frozen=True)
class Prior(Adaptation):
    """Probabilities are corrected for how frequent the classes seem to be in the target; see `prior_correction`."""

    name: ClassVar[str] = "prior"
    on_probabilities: ClassVar[bool] = True

    def probabilities(self, probabilities: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Return the probabilities under the estimated shares."""
        return prior_correction(probabilities, shares)[0]


ADAPTATIONS: dict[str, type[Adaptation]] = {
    kind.name: kind
    for kind in (
        SpeakerMoments,
        Coral,
        Quantile,
        Prior,
        SpeakerStatistics,
    )
}


def make_adaptation(text: str) -> Adaptation:
    """Return the adaptation of a name, with its defaults; of ``coral:shrinkage=0.1`` with these options.

    Raises:
        RecipeError: there is none of that name, or it has no such option.

    >>> make_adaptation("coral:shrinkage=0.1")
    Coral(shrinkage=0.1)
    """
    name, _, options = text.partition(":")
    if name not in ADAPTATIONS:
        raise RecipeError(f"no adaptation is named {name!r}; {did_you_mean(name, ADAPTATIONS)}")
    kind, values = ADAPTATIONS[name], {}
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # every row is a dataclass
    for option in filter(None, options.split(":")):
        key, _, value = option.partition("=")
        if key not in known:
            raise RecipeError(f"{name} has no option {key!r}; {did_you_mean(key, known) if known else 'it has none'}")
        values[key] = _number(value, text)
    return kind(**values)


def written(adaptation: Adaptation) -> str:
    """Return the text that `make_adaptation` reads: the name, and the options that are not the defaults.

    >>> written(Coral()), written(Coral(0.1))
    ('coral', 'coral:shrinkage=0.1')
    """
    mine: Any = adaptation
    values = {field.name: (getattr(mine, field.name), field.default) for field in fields(mine)}
    changed = {name: value for name, (value, default) in values.items() if value != default}
    return ":".join([adaptation.name, *(f"{name}={value:g}" for name, value in changed.items())])


def _number(text: str, given: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RecipeError(f"{given}: an option must be a number, but is {text!r} instead") from None
