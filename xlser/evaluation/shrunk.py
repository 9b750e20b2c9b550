"""Statistics of the whole target and of its speakers: these shift and scale, and leave to the corpus what is thin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from xlser.errors import RecipeError
from xlser.evaluation.adapting import Adaptation, Away, Fitted, Home, unset
from xlser.features.normalise import SPEAKER_MINIMUM, Scaler


@dataclass(frozen=True)
class SpeakerStatistics(Adaptation):
    """Each speaker's embeddings get the source's mean and deviation, by statistics that are drawn to the corpus's.

    Of a speaker with n rows, mean m and variance v, in a target with mean M and variance V, the statistics are
    (n m + k M) / (n + k) and (n v + k V) / (n + k), column by column, k being ``shrink``. Plain statistics of a speaker
    take out what he says throughout: with few clips, or one emotion each, they destroy the label; shrunk ones less. At
    0 it is each speaker alone, where he has two rows; as ``shrink`` grows, it comes to one shift of the whole target.

    Args:
        shrink: k, at least 0; in clips.
        clip: z-scores beyond it are set to it; None for none.
        sources: the source's speakers are mapped likewise, within each source corpus (a corpus without known speakers
            by its own statistics), and the readout is fitted again to them.

    Raises:
        RecipeError: ``shrink`` is negative or not finite, or ``clip`` is not above 0.

    >>> rows = np.array([[0.0], [2.0], [10.0], [12.0]])
    >>> SpeakerStatistics(shrink=0).embeddings(np.array([[-1.0], [1.0]]), rows, [*"aabb"]).ravel().tolist()
    [-1.0, 1.0, -1.0, 1.0]
    """

    name: ClassVar[str] = "speaker-statistics"
    looks_at: ClassVar[tuple[str, ...]] = ("recordings", "speakers")
    assumes: ClassVar[str] = "Each speaker says something of all classes, so that what he says throughout is his voice."
    shrink: float = 10.0
    clip: float | None = None
    sources: bool = False

    def __post_init__(self) -> None:
        """Check the options."""
        if not 0 <= self.shrink < np.inf:
            raise RecipeError(f"{self.name}: shrink must be at least 0 and finite, but is {self.shrink} instead")
        check_clip(self)

    def _fit(self, home: Home, away: Away) -> Fitted:
        return fit_statistics(home, away, self.shrink, clip=self.clip, sources=self.sources)


@dataclass(frozen=True)
class CorpusStatistics(Adaptation):
    """The whole target gets the source's mean and deviation in every column.

    Args:
        clip: z-scores beyond it are set to it; None for none.
        sources: each source corpus is mapped likewise, and the readout is fitted again to them.

    Raises:
        RecipeError: ``clip`` is not above 0.

    >>> CorpusStatistics().embeddings(np.array([[-1.0], [1.0]]), np.array([[8.0], [12.0]]), ["a", "a"]).ravel().tolist()
    [-1.0, 1.0]
    """

    name: ClassVar[str] = "corpus"
    assumes: ClassVar[str] = "Source and target have the classes equally often: a shift of the mean is the corpus's."
    clip: float | None = None
    sources: bool = False

    def __post_init__(self) -> None:
        """Check the options."""
        check_clip(self)

    def _fit(self, home: Home, away: Away) -> Fitted:
        whole = Home(home.embeddings, corpora=home.corpora)
        return fit_statistics(whole, Away(away.embeddings), 0, clip=self.clip, sources=self.sources)


@dataclass(frozen=True)
class PlainSpeaker(Adaptation):
    """Each speaker of five clips or more gets the source's mean and deviation, the others by the whole target's.

    Options as for `CorpusStatistics`; ``sources``: as for `SpeakerStatistics`.
    """

    name: ClassVar[str] = "speaker"
    looks_at: ClassVar[tuple[str, ...]] = ("recordings", "speakers")
    assumes: ClassVar[str] = SpeakerStatistics.assumes
    clip: float | None = None
    sources: bool = False

    def __post_init__(self) -> None:
        """Check the options."""
        check_clip(self)

    def _fit(self, home: Home, away: Away) -> Fitted:
        return fit_statistics(home, away, 0, clip=self.clip, sources=self.sources, least=SPEAKER_MINIMUM)


@dataclass(eq=False)
class FittedStatistics(Fitted):
    """A middle and a spread (S + 1, D) for each of ``names`` and, last, for all others; clipped, then the source's.

    ``home_*`` are the same of the source, its names being of corpora and of their speakers; none where it stays.
    """

    names: tuple[str, ...] = ()
    middles: np.ndarray = field(default_factory=unset)
    spreads: np.ndarray = field(default_factory=unset)
    mean: np.ndarray = field(default_factory=unset)
    std: np.ndarray = field(default_factory=unset)
    clip: float | None = None
    home_names: tuple[str, ...] = ()
    home_middles: np.ndarray = field(default_factory=unset)
    home_spreads: np.ndarray = field(default_factory=unset)

    @property
    def refits(self) -> bool:  # type: ignore[override]
        """Whether the source is mapped too."""
        return self.home_middles.size > 0

    def embeddings(self, rows: np.ndarray, speakers: ArrayLike | None = None) -> np.ndarray:
        """Return rows, each speaker's at the source's mean and deviation."""
        place = _places(self.names, speakers, len(rows))
        return self._mapped(rows, self.middles[place], self.spreads[place])

    def home(self, rows: np.ndarray, corpora: ArrayLike | None = None, speakers: ArrayLike | None = None) -> np.ndarray:
        """Return rows of the source, each corpus's or speaker's at the mean and deviation of all."""
        if not self.refits:
            return rows
        place = _places(self.home_names, None if speakers is None else _within(speakers, corpora), len(rows))
        if corpora is not None:
            whole = _places(self.home_names, corpora, len(rows))
            place = np.where(place == len(self.home_names), whole, place)
        return self._mapped(rows, self.home_middles[place], self.home_spreads[place])

    def _mapped(self, rows: np.ndarray, middles: np.ndarray, spreads: np.ndarray) -> np.ndarray:
        scores = (np.asarray(rows, dtype=float) - middles) / spreads
        if self.clip is not None:
            scores = np.clip(scores, -self.clip, self.clip)
        mapped: np.ndarray = scores * self.std + self.mean
        return mapped


def fit_statistics(
    home: Home, away: Away, shrink: float, *, clip: float | None, sources: bool, least: int = 1
) -> FittedStatistics:
    """Return the statistics of a target and its speakers, and with ``sources`` of the source's corpora and theirs."""
    to = Scaler.fit(home.embeddings)
    names, middles, spreads = shrunk_moments(away.embeddings, away.speakers, shrink, least)
    fitted = FittedStatistics((), None, names, middles, spreads, to.mean, to.std, clip)
    if sources:
        fitted.home_names, fitted.home_middles, fitted.home_spreads = _home_moments(home, shrink, least)
    return fitted


def shrunk_moments(
    rows: np.ndarray, speakers: np.ndarray | None, shrink: float, least: int = 1
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Return speakers' names (S), and middles and spreads (S + 1, D), the last of all rows; see `SpeakerStatistics`.

    A column that is constant has spread 1. Rows of a speaker named "" or None count for the whole alone, as do those of
    speakers with fewer than ``least``.
    """
    rows = np.asarray(rows, dtype=float)
    mean, variance = rows.mean(axis=0), rows.var(axis=0)
    tiny = 1e-9 * np.maximum(1.0, np.abs(rows).max(axis=0))
    who = known_names(speakers, len(rows))
    names = tuple(name for name in np.unique(who).tolist() if name and (who == name).sum() >= least)
    middles, spreads = np.empty((2, len(names) + 1, rows.shape[1]))
    for place, name in enumerate((*names, None)):
        own = rows if name is None else rows[who == name]
        # One row has no variance of its own, and without shrinking it would be divided by none.
        weight = 0.0 if name is None else len(own) / (len(own) + shrink) if len(own) > 1 or shrink else 0.0
        middles[place] = weight * own.mean(axis=0) + (1 - weight) * mean
        spread = np.sqrt(weight * own.var(axis=0) + (1 - weight) * variance)
        spreads[place] = np.where(spread <= tiny, 1.0, spread)
    return names, middles, spreads


def known_names(speakers: ArrayLike | None, count: int) -> np.ndarray:
    """Return (count,) names as texts, "" where one is None, empty or nan.

    >>> known_names(["anna", None, float("nan"), 7], 4).tolist()
    ['anna', '', '', '7']
    """
    if speakers is None:
        return np.full(count, "", dtype=object)
    given = np.asarray(speakers, dtype=object)
    missing = pd.isna(given).tolist()
    return np.array(["" if lacks else str(name) for name, lacks in zip(given, missing, strict=True)], dtype=object)


def check_clip(step: Adaptation) -> None:
    """Refuse a step's option ``clip`` that is not above 0."""
    clip = getattr(step, "clip")  # noqa: B009
    if clip is not None and not clip > 0:
        raise RecipeError(f"{step.name}: clip must be above 0, or left out, but is {clip} instead")


def _home_moments(home: Home, shrink: float, least: int) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Return the names and moments of each source corpus, and of each of its speakers within it."""
    rows, names, middles, spreads = home.embeddings, [], [], []
    corpora = np.full(len(rows), "") if home.corpora is None else np.asarray(home.corpora).astype(str)
    everything = shrunk_moments(rows, None, 0)
    for corpus in np.unique(corpora).tolist():
        own = corpora == corpus
        who = None if home.speakers is None else np.asarray(home.speakers, dtype=object)[own]
        of, centre, spread = shrunk_moments(rows[own], who, shrink, least)
        if own.sum() < SPEAKER_MINIMUM:  # a handful says nothing of its corpus
            of, centre, spread = (), everything[1][-1:], everything[2][-1:]
        names += [*(_within([name], [corpus])[0] for name in of), corpus]
        middles.append(centre)
        spreads.append(spread)
    return (
        tuple(names),
        np.concatenate([*middles, everything[1][-1:]]),
        np.concatenate([*spreads, everything[2][-1:]]),
    )


def _within(speakers: ArrayLike, corpora: ArrayLike | None) -> np.ndarray:
    """Return speakers named with their corpus: two corpora may each have a speaker 1."""
    who = known_names(speakers, 0)
    where = np.full(len(who), "") if corpora is None else np.asarray(corpora).astype(str)
    return np.array([f"{a}\x1f{b}" if b else "" for a, b in zip(where, who, strict=True)], dtype=object)


def _places(names: tuple[str, ...], asked: ArrayLike | None, count: int) -> np.ndarray:
    """Return (count,) the place of each asked name, that of all others where it is not known."""
    known = {name: place for place, name in enumerate(names)}
    return np.array([known.get(name, len(names)) for name in known_names(asked, count)], dtype=int)
