"""Systems, and what was fitted on the source to read their embeddings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from xlser.errors import CorpusError
from xlser.evaluation.adaptations import make_adaptation
from xlser.evaluation.adapting import Adaptation
from xlser.evaluation.readout import Axes, Part, fit_axes, fit_classifiers
from xlser.experiment.cases import Case
from xlser.experiment.seeds import Seed
from xlser.vocabulary import DIMENSIONS


class System(Protocol):
    """One method and seed, by whatever network: it gives an embedding of every clip of a case."""

    method: str
    seed: Seed

    def embed(self, case: Case) -> np.ndarray:
        """Return (N, D)."""


class Judge(Protocol):
    """What a system with heads of its own says of embeddings (N, D)."""

    chosen: dict

    def labels(self, embeddings: np.ndarray, classes: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Return predicted classes (N,), by the name of the reader."""

    def probabilities(self, embeddings: np.ndarray, classes: tuple[str, ...]) -> np.ndarray | None:
        """Return the distribution over ``classes``, (N, C), or None without a classifier."""

    def shares(self, counts: np.ndarray) -> np.ndarray:
        """Return the shares of the classes, (C,), that the distribution takes for granted, of training clips (C,)."""

    def ratings(self, embeddings: np.ndarray) -> dict[str, np.ndarray]:
        """Return predicted ratings (N,), by the dimension."""


@dataclass
class Reader:
    """One method and seed with what was fitted on the source to read it."""

    system: System
    train: Part
    validation: Part
    axes: dict[str, Axes]
    judge: Judge | None
    classifiers: dict[tuple[str, ...], dict] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """The system's method."""
        return self.system.method

    @property
    def seed(self) -> Seed:
        """The system's seed."""
        return self.system.seed

    def of_classes(self, classes: tuple[str, ...]) -> dict:
        """Return classifiers of these classes, fitted on first use: most corpora share the same ones."""
        if classes not in self.classifiers:
            for name, part in (("training", self.train), ("validation", self.validation)):
                found = set(part.labels[np.isin(part.labels.astype(str), classes)])
                if len(found) < 2:
                    raise CorpusError(
                        f"the source's {name} part holds {len(found)} of the scored emotions ({', '.join(classes)}); "
                        "two are needed. Use another split or fewer folds."
                    )
            self.classifiers[classes] = fit_classifiers(self.train, self.validation, classes)
        return self.classifiers[classes]

    def embed(self, case: Case) -> np.ndarray:
        """Return the system's embeddings of a case, (N, D), mapped to the source's training rows where it adapts."""
        embedded = self.system.embed(case)
        if not case.adapt:
            return embedded
        adaptation = make_adaptation(case.adapt)
        mapped = adaptation.embeddings(self.train.embeddings, embedded, case.corpus.frame["speaker"])
        return mapped.astype(embedded.dtype)

    def probed(self, embedded: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
        """Return the probe's distribution over ``classes``, (N, C): nought for one that it was not fitted to."""
        probe, out = self.of_classes(classes)["probe"], np.zeros((len(embedded), len(classes)))
        known = [name in probe.model.classes_ for name in classes]
        order = [list(probe.model.classes_).index(name) for name in np.array(classes)[known]]
        if len(embedded):
            out[:, known] = probe.model.predict_proba(probe.scaler.transform(embedded))[:, order]
        return out

    def corrected(
        self, embedded: np.ndarray, classes: tuple[str, ...], adaptation: Adaptation
    ) -> dict[str, np.ndarray]:
        """Return the classes (N,) by reader, once its probabilities are corrected.

        The probe was fitted under equal shares; a classifier of the system's own tells under which (see `Judge`). A
        class without a training clip cannot be corrected, and readers without probabilities are not among these.
        """
        said = {"probe": (self.probed(embedded, classes), np.full(len(classes), 1 / len(classes)))}
        own = self.judge.probabilities(embedded, classes) if self.judge else None
        counts = (self.train.labels.astype(str)[:, None] == np.array(classes)).sum(axis=0)
        if self.judge and own is not None and counts.all():
            said["classifier + knn"] = own, self.judge.shares(counts)
        return {
            name: np.array(classes)[adaptation.probabilities(given, shares).argmax(axis=1)]
            for name, (given, shares) in said.items()
        }


def make_reader(system: System, source: Case) -> Reader:
    """Fit on the source's training rows, choosing on its validation rows, what reads a system's embeddings."""
    embedded, corpus, split = system.embed(source), source.corpus, system.seed.split
    parts = []
    for rows in (split.train, split.validation):
        ratings = {name: values[rows] for name, values in corpus.ratings.items()}
        parts.append(Part(embedded[rows], corpus.labels[rows], ratings))
    axes = {name: found for name in DIMENSIONS if (found := fit_axes(*parts, name))}
    judge = system.judge(*parts) if hasattr(system, "judge") else None
    return Reader(system, *parts, axes, judge)
