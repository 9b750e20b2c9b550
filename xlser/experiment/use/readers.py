"""Who says which emotion an embedding has: nearest neighbours, a linear probe, a classifier, or it mixed with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from xlser.errors import RunError, XlserError, did_you_mean
from xlser.evaluation.classify import ProbeClassifier, fit_probe, knn_predict
from xlser.evaluation.interpolate import Interpolation
from xlser.evaluation.knn import class_codes
from xlser.evaluation.row_weights import taught_rows
from xlser.experiment.corpora import AnyRecipe
from xlser.experiment.judge import HEAD, INTERPOLATED, Heads, HeadsJudge
from xlser.experiment.stored import VOTES
from xlser.experiment.use.folder import Chosen
from xlser.store.datastore import Datastore, Metric
from xlser.vocabulary import PROBE


class Reader(Protocol):
    """Distributions over ``classes``."""

    @property
    def classes(self) -> tuple[str, ...]:
        """All that it tells apart."""

    def read(self, embeddings: np.ndarray, classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Return the emotions (Q,), and the distributions (Q, C) over ``classes``, some of the reader's."""

    def shares(self, counts: np.ndarray) -> np.ndarray:
        """Return the shares of the classes (C,) that the distributions take for granted, of training clips (C,)."""

    def voters(self, classes: tuple[str, ...]) -> tuple[Datastore, int] | None:
        """Return the store whose k nearest clips vote, those of ``classes`` alone, and k; None where none votes."""


@dataclass(frozen=True)
class Mixed:
    """The classifier's probabilities mixed with those of its neighbours."""

    heads: Heads
    interpolation: Interpolation

    @property
    def classes(self) -> tuple[str, ...]:
        """All of the recipe's."""
        return self.heads.classes

    def read(self, embeddings: np.ndarray, classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Return the emotions (Q,), and the distributions (Q, C) over ``classes``, some of the reader's."""
        mixed = self.interpolation.restrict(classes).predict(embeddings, self.heads.probabilities(embeddings))
        return np.array(classes)[mixed.argmax(axis=1)], mixed

    def shares(self, counts: np.ndarray) -> np.ndarray:
        """Return the shares of the classes (C,) that the distributions take for granted, of training clips (C,)."""
        return HeadsJudge(self.heads, self.interpolation).shares(counts)

    def voters(self, classes: tuple[str, ...]) -> tuple[Datastore, int] | None:
        """Return the store whose k nearest clips vote, those of ``classes`` alone, and k; None without any weight."""
        chosen = self.interpolation.chosen
        return (self.interpolation.store, chosen["k"]) if chosen["weight"] else None


@dataclass(frozen=True)
class Votes:
    """A majority of the k nearest clips; the distribution is their votes, and the nearer ones settle a draw."""

    store: Datastore
    classes: tuple[str, ...]
    k: int
    _of: dict[tuple[str, ...], Datastore] = field(default_factory=dict, repr=False, compare=False)

    def read(self, embeddings: np.ndarray, classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Return the emotions (Q,), and the distributions (Q, C) over ``classes``, some of the reader's."""
        store, k = self.voters(classes)
        labels = np.array(store.labels)
        _, positions = store.search(embeddings, k)
        votes = labels[positions]
        shares = np.stack([(votes == name).mean(axis=1) for name in classes], axis=1)
        return knn_predict(store, embeddings, k, labels=labels), shares

    def shares(self, counts: np.ndarray) -> np.ndarray:
        """Return the shares of the classes (C,): neighbours vote as often as there are clips of a class, (C,)."""
        return counts / counts.sum()

    def voters(self, classes: tuple[str, ...]) -> tuple[Datastore, int]:
        """Return the clips of ``classes``, of which the k nearest vote, and k."""
        if classes not in self._of:
            self._of[classes] = scored(self.store, classes, self.store.metric)
        return self._of[classes], min(self.k, len(self._of[classes]))


@dataclass(frozen=True)
class Alone:
    """The classifier's probabilities without neighbours."""

    heads: Heads

    @property
    def classes(self) -> tuple[str, ...]:
        """All of the recipe's."""
        return self.heads.classes

    def read(self, embeddings: np.ndarray, classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Return the emotions (Q,), and the distributions (Q, C) over ``classes``, some of the reader's."""
        return _among(self.heads.probabilities(embeddings), self.classes, classes)

    def shares(self, counts: np.ndarray) -> np.ndarray:
        """Return the shares of the classes (C,): those of the training clips (C,), or equal ones if it was balanced."""
        return np.full(len(counts), 1 / len(counts)) if self.heads.balanced else counts / counts.sum()

    def voters(self, classes: tuple[str, ...]) -> None:
        """Return None: it asks no neighbour."""


@dataclass(frozen=True)
class Probed:
    """A linear probe of the training clips; an emotion that none of them has gets no probability."""

    probe: ProbeClassifier
    classes: tuple[str, ...]

    @classmethod
    def of(cls, store: Datastore, classes: tuple[str, ...], c: float, recipe: AnyRecipe | None = None) -> Probed:
        """Fit the run's probe again, to the stored training clips, with the C that validation chose.

        The rows count as the recipe says, and without one classes are balanced.
        """
        known = scored(store, classes, store.metric)
        rows, probe = (known.embeddings, np.array(known.labels)), recipe.probe if recipe else None
        corpora = known.about["corpus"] if probe and probe.balance else None
        votes = None
        if recipe and VOTES in known.about:
            table = np.array([json.loads(cell) for cell in known.about[VOTES]], dtype=float)
            votes = {name: column for name, column in zip(recipe.emotions, table.T, strict=True) if name in classes}
        return cls(fit_probe(*rows, *rows, cs=(c,), taught=taught_rows(rows[1], corpora, votes)), classes)

    def read(self, embeddings: np.ndarray, classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Return the emotions (Q,), and the distributions (Q, C) over ``classes``, some of the reader's."""
        model = self.probe.model
        return _among(model.predict_proba(self.probe.scaler.transform(embeddings)), tuple(model.classes_), classes)

    def shares(self, counts: np.ndarray) -> np.ndarray:
        """Return the shares of the classes (C,): equal ones, under which it was fitted."""
        return np.full(len(counts), 1 / len(counts))

    def voters(self, classes: tuple[str, ...]) -> None:
        """Return None: it asks no neighbour."""


def _among(
    probabilities: np.ndarray, known: tuple[str, ...], classes: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the emotions and the distributions (Q, C) over ``classes``, of probabilities over ``known`` ones."""
    columns = [probabilities[:, known.index(name)] if name in known else 0 * probabilities[:, 0] for name in classes]
    shares = np.stack(columns, axis=1)
    shares = shares / np.maximum(shares.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    return np.array(classes)[shares.argmax(axis=1)], shares


def make_reader(
    chosen: Chosen, heads: Heads | None, store: Datastore, own: Datastore, classes: tuple[str, ...] | None = None
) -> Reader:
    """Return the reader with what validation chose for it.

    A run fits kNN and probe anew to the emotions that source and target share; so it is done here for ``classes``.

    Args:
        chosen: the model, its reader and that reader's options.
        heads: of the model, or None.
        store: the clips that neighbours come from.
        own: the clips that the model was trained on, which a probe is fitted to.
        classes: the emotions to tell apart; all of the recipe's unless given.

    Raises:
        RunError: the run scored no emotions, or more neighbours were chosen than the store has clips.
    """
    if chosen.reader is None:
        raise RunError(f"{chosen.run} scored no emotions, so its models name none. Use `xlser embed` instead.")
    every = tuple(chosen.recipe.emotions)
    classes, options = classes or every, chosen.options_for(classes or every)
    if chosen.reader == PROBE:
        return Probed.of(own, classes, options["c"], chosen.recipe)
    if chosen.reader == HEAD and heads is not None:
        return Alone(heads)
    known = scored(store, every, options.get("distance", store.metric))
    if options["k"] > len(known):
        raise RunError(
            f"the datastore must hold at least the k = {options['k']} clips of {', '.join(every)} that validation "
            f"chose, but holds {len(known)} instead. Give one with more clips."
        )
    if chosen.reader != INTERPOLATED or heads is None:
        return Votes(known, classes, options["k"])
    codes = class_codes(known, every, np.arange(len(every)))
    return Mixed(heads, Interpolation(known, codes, every, options, every))


def scored(store: Datastore, classes: Sequence[str], metric: Metric) -> Datastore:
    """Return the clips of some emotions as a store of their own, with its labels and this metric.

    Raises:
        RunError: there is none.
    """
    rows = np.flatnonzero(np.isin(np.array(store.labels or [], dtype=str), list(classes)))
    if len(rows) == 0:
        raise RunError(f"the datastore must hold clips of {', '.join(classes)}, but holds none. Give another one.")
    if len(rows) == len(store):
        return with_metric(store, metric)
    return _some(store, metric, rows)


def with_metric(store: Datastore, metric: Metric) -> Datastore:
    """Return the same clips under a metric."""
    return store if metric == store.metric else _some(store, metric, np.arange(len(store)))


def _some(store: Datastore, metric: Metric, rows: np.ndarray) -> Datastore:
    return Datastore(
        store.embeddings[rows],
        [store.ids[row] for row in rows],
        metric=metric,
        labels=_picked(store.labels, rows),
        groups=_picked(store.groups, rows),
        about={name: [column[row] for row in rows] for name, column in store.about.items()},
        encoder=store.encoder,
        index=store.index,
    )


def _picked(column: Sequence[str] | None, rows: np.ndarray) -> list[str] | None:
    return [column[row] for row in rows] if column else None


def check_labels(labels: Sequence[str] | None, classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the classes that may be answered: all, or the named ones in the order of all.

    Raises:
        XlserError: fewer than two, or one that the model does not know.

    >>> check_labels(["sadness", "anger"], ("anger", "neutral", "sadness"))
    ('anger', 'sadness')
    """
    if labels is None:
        return classes
    for name in labels:
        if name not in classes:
            raise XlserError(f"unknown label {name!r}: {did_you_mean(name, classes)}")
    if len(set(labels)) < 2:
        raise XlserError(f"labels must name two emotions at least, but are {', '.join(labels) or 'none'} instead.")
    return tuple(name for name in classes if name in labels)
