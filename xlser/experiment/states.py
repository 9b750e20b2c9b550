"""One hidden state of one pooling, read as `xlser run` reads features: fitted on the source, spoken on every case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from xlser.errors import CorpusError
from xlser.evaluation.classify import ProbeClassifier, fit_probe
from xlser.evaluation.nuisance import probe
from xlser.evaluation.readout import Part
from xlser.evaluation.regress import Direction, fit_directions
from xlser.experiment.autoencoders import Scaled, scale
from xlser.experiment.cases import Case
from xlser.experiment.corpora import Corpus
from xlser.experiment.scores import shared_classes
from xlser.experiment.seeds import Seed
from xlser.training.recipe import Recipe
from xlser.vocabulary import TARGET, VALIDATION

Views = list[tuple[np.ndarray, np.ndarray]]  # a seed's judged rows (N,) bool, and what it says of all (N,)
RATED = ("activation", "valence")
# Clips a corpus that probes of corpus and language take, and of the speaker: enough to compare states by, in a fraction
# of the time.
MOST, VOICES = 100, 150


@dataclass
class Said:
    """What the seeds say of a case: emotions, empty where fewer than two are shared, and ratings by dimension."""

    classes: tuple[str, ...]
    emotions: Views = field(default_factory=list)
    ratings: dict[str, Views] = field(default_factory=dict)


@dataclass(frozen=True)
class Home:
    """A source with its seeds, and the cases that are read from it; ``columns`` are those of the state."""

    recipe: Recipe
    source: Corpus
    seeds: Sequence[Seed]
    cases: Sequence[Case]

    def of(self, columns: np.ndarray) -> Home:
        """Return it with some columns of the features."""
        cut = {id(case.corpus): _cut(case.corpus, columns) for case in self.cases}
        cases = [replace(case, corpus=cut[id(case.corpus)]) for case in self.cases]
        return replace(self, source=_cut(self.source, columns), cases=cases)

    def read(self) -> list[Said]:
        """Fit probe and ridge for every seed, and return what they say of each case.

        Raises:
            CorpusError: a part of the source holds fewer than two of the emotions.
        """
        said = [Said(shared_classes(self.recipe, self.source, case.corpus)) for case in self.cases]
        for scaled in scale(self.recipe, self.source, self.seeds):
            reader = _Reader.of(self.source, scaled)
            for case, own in zip(self.cases, said, strict=True):
                _speak(reader, scaled, case, own)
        return said


@dataclass(frozen=True)
class Reading:
    """What was read of a state: in each case, in each left-out source, and by the probes of `decoded`."""

    said: list[Said]
    left_out: list[Said]
    decoded: list[tuple[str, str, dict]]

    @classmethod
    def of(cls, home: Home, others: Sequence[Home], columns: np.ndarray) -> Reading:
        """Read the state that has these columns."""
        here = home.of(columns)
        return cls(here.read(), [other.of(columns).read()[0] for other in others], [*decoded(here)])


def _cut(corpus: Corpus, columns: np.ndarray) -> Corpus:
    data: Any = corpus.data  # features: a recipe without `encoder:` has no clips
    return replace(corpus, data=replace(data, values=data.values[:, columns]))


def _speak(reader: _Reader, scaled: Scaled, case: Case, own: Said) -> None:
    embedded, judged = scaled.values(case), case.judged(scaled.seed)
    if len(own.classes) >= 2:
        own.emotions.append((judged, reader.probe(own.classes).predict(embedded)))
    for name, direction in reader.directions.items():
        if np.isfinite(case.corpus.ratings[name][judged]).any():
            own.ratings.setdefault(name, []).append((judged, direction.predict(embedded)))


@dataclass
class _Reader:
    """What one seed fits on the source's training rows, choosing on its validation rows."""

    name: str
    train: Part
    validation: Part
    directions: dict[str, Direction]
    probes: dict[tuple[str, ...], ProbeClassifier] = field(default_factory=dict)

    @classmethod
    def of(cls, source: Corpus, scaled: Scaled) -> _Reader:
        parts = []
        for rows in (scaled.seed.split.train, scaled.seed.split.validation):
            ratings = {name: source.ratings[name][rows] for name in RATED}
            parts.append(Part(scaled.source[rows], source.labels[rows], ratings))
        train, held = parts
        directions = fit_directions(train.embeddings, train.ratings, held.embeddings, held.ratings)
        return cls(source.name, train, held, directions)

    def probe(self, classes: tuple[str, ...]) -> ProbeClassifier:
        """Return the probe of these classes; most targets share the same ones."""
        if classes not in self.probes:
            self.probes[classes] = fit_probe(*self._of(self.train, classes), *self._of(self.validation, classes))
        return self.probes[classes]

    def _of(self, part: Part, classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        labels = part.labels.astype(str)
        rows = np.isin(labels, classes)
        if len(np.unique(labels[rows])) < 2:
            raise CorpusError(
                f"{self.name}: the {'training' if part is self.train else 'validation'} speakers of a seed hold fewer "
                f"than two of the emotions {', '.join(classes)}. Take a source with more speakers, or fewer seeds."
            )
        return part.embeddings[rows], labels[rows]


def decoded(home: Home) -> Iterator[tuple[str, str, dict]]:
    """Yield a question, the corpora that it was asked of, and how well a linear probe answers it (see `probe`).

    Corpus and language are read from all corpora together, z-scored by the source's statistics, in folds of whole
    speakers; the speaker from each source alone, in folds of clips. A language is asked for where there are two. Where
    each corpus has a language of its own both are one question with one answer.
    """
    scaled = scale(home.recipe, home.source, home.seeds[:1])[0]
    sides = [Case(home.source, VALIDATION, "source"), *(case for case in home.cases if case.role == TARGET)]
    sides = [side for side in sides if side.kind == "source"]
    values = [scaled.values(side) for side in sides]
    names, languages, speakers = (np.concatenate(column) for column in zip(*map(_about, sides), strict=True))
    rows, voices = _some(names, MOST), _some(names, VOICES)
    every = np.concatenate(values)
    x, who = every[rows], speakers[rows]
    everywhere = " + ".join(dict.fromkeys(names))
    corpus = probe(x, names[rows], who)
    yield "corpus", everywhere, corpus
    if len(set(languages)) > 1:
        pairs = {*zip(names, languages, strict=True)}
        same = len(pairs) == len(set(names)) == len(set(languages))
        yield "language", everywhere, corpus if same else probe(x, languages[rows], who)
    for name in home.source.parts:
        mine = voices[names[voices] == name]
        own, people = every[mine], speakers[mine]
        yield "speaker", name, probe(own, people, people, disjoint=False)


def _about(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    corpus = case.corpus
    return corpus.frame["corpus"].to_numpy(str), corpus.languages.astype(str), corpus.dataset.people.to_numpy(str)


def _some(names: np.ndarray, most: int) -> np.ndarray:
    """Return at most so many rows of each corpus, drawn by a fixed seed."""
    kept = [np.random.default_rng(0).permutation(np.flatnonzero(names == name))[:most] for name in np.unique(names)]
    return np.sort(np.concatenate(kept))
