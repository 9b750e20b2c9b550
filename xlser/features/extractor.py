"""What every extractor offers, and several of them side by side."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np


class Extractor(ABC):
    """Turns one recording into one vector. Its options are its constructor's arguments, and are never changed.

    ``name`` is what recipes call it, ``rate`` the sample rate in Hz that it wants, ``shortest`` the least duration in
    seconds. ``batch`` is how many seconds of audio it takes at once (see `many`); 0 for one recording at a time.
    ``libraries`` are what it needs besides NumPy, by how each is imported, and what it is called when it is installed.

    >>> from xlser.features.egemaps import Egemaps
    >>> from xlser.features.logmel import LogMel
    >>> LogMel(bands=20) + LogMel(bands=40) + Egemaps()
    SideBySide(parts=(LogMel(bands=20, window=400, hop=160), LogMel(bands=40, window=400, hop=160), Egemaps()))
    """

    name: ClassVar[str]
    libraries: ClassVar[dict[str, str]] = {}
    rate: ClassVar[int] = 16_000
    shortest: float
    batch: float = 0.0

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """Return what the values depend on besides the audio: the extractor's half of a cache key. JSON-able.

        ``extractor`` is the name; every option that changes a number and the library that computes it are there too.
        """

    @abstractmethod
    def columns(self) -> list[str]:
        """Return the names of the features, in order."""

    @abstractmethod
    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Return the features of float32 mono ``samples`` (S,) at ``rate`` Hz, float32 (len(columns()),)."""

    def many(self, clips: list[np.ndarray]) -> list[np.ndarray]:
        """Return the features of several recordings; neighbours change no number."""
        return [self(samples) for samples in clips]

    # What the cache keeps of a recording may be more than what is asked for: several extractors then share one entry.

    def cache_identity(self) -> dict[str, Any]:
        """Return what an entry of the cache depends on besides the audio: `identity`, where it is the features."""
        return self.identity()

    def entries(self, clips: list[np.ndarray]) -> list[np.ndarray]:
        """Return what the cache keeps of several recordings: their features, or float16 matrices (see `rows`)."""
        return self.many(clips)

    def rows(self) -> list[int] | None:
        """Return which rows of an entry `select` is given, and nothing else is read of it; None for all there is."""
        return None

    def select(self, entry: np.ndarray) -> np.ndarray:
        """Return the features, float32 (len(columns()),), that are made of the `rows` of an entry."""
        return entry

    def pretrained(self) -> list[dict[str, Any]]:
        """Return which pretrained weights the values come from, as far as a run folder must name them; often none."""
        return []

    def __add__(self, other: Extractor) -> SideBySide:
        """Return both side by side, the columns of ``other`` behind these."""
        if not isinstance(other, Extractor):
            return NotImplemented
        return SideBySide((*parts_of(self), *parts_of(other)))


@dataclass(frozen=True)
class SideBySide(Extractor):
    """Several extractors whose columns stand one behind the other. `extract` caches each on its own.

    Raises:
        ValueError: fewer than two, the same one twice, or not all at one sample rate.
    """

    name: ClassVar[str] = "side-by-side"
    parts: tuple[Extractor, ...]

    def __post_init__(self) -> None:
        """Check the parts together; each has checked itself."""
        if len(self.parts) < 2 or len(set(self.parts)) < len(self.parts):
            raise ValueError(f"`parts` must be two different extractors or more, but are {list(self.parts)} instead.")
        if len({part.rate for part in self.parts}) > 1:
            rates = ", ".join(f"{part.name} {part.rate} Hz" for part in self.parts)
            raise ValueError(f"`parts` must want one sample rate, but want {rates} instead.")

    @property
    def rate(self) -> int:  # type: ignore[override]
        """In Hz."""
        return self.parts[0].rate

    @property
    def shortest(self) -> float:  # type: ignore[override]
        """The longest of the parts' own, in seconds."""
        return max(part.shortest for part in self.parts)

    def identity(self) -> dict[str, Any]:
        """Return the parts' own."""
        return {"extractor": self.name, "parts": [part.identity() for part in self.parts]}

    def columns(self) -> list[str]:
        """Return the parts' names with a number before them, such as ``2.layer1_mean_0007``."""
        return [f"{number}.{column}" for number, part in enumerate(self.parts, 1) for column in part.columns()]

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Return the parts' features, one behind the other."""
        return np.concatenate([part(samples) for part in self.parts])

    def pretrained(self) -> list[dict[str, Any]]:
        """Return the weights of all parts."""
        return [about for part in self.parts for about in part.pretrained()]


def parts_of(extractor: Extractor) -> tuple[Extractor, ...]:
    """Return the extractors that stand side by side in one: often itself alone."""
    return extractor.parts if isinstance(extractor, SideBySide) else (extractor,)


def check_options(*rules: tuple[str, object, bool, str]) -> None:
    """Refuse options that are out of range.

    Args:
        rules: name of an option, its value, whether the rule holds, and the rule, such as ``at least 1``.

    Raises:
        ValueError: with every rule that does not hold.

    >>> check_options(("bands", 0, False, "a whole number of at least 1"), ("hop", 1, True, ""))
    Traceback (most recent call last):
    ValueError: `bands` must be a whole number of at least 1, but is 0 instead.
    """
    broken = [f"`{name}` must be {rule}, but is {value!r} instead." for name, value, holds, rule in rules if not holds]
    if broken:
        raise ValueError(" ".join(broken))


def is_count(value: object) -> bool:
    """Say whether this is a whole number of at least 1."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
