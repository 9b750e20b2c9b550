"""Systems, and what was fitted on the source to read their embeddings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from xlser.errors import CorpusError
from xlser.evaluation.adapting import Away, Home
from xlser.evaluation.classify import ProbeClassifier
from xlser.evaluation.readout import Axes, Part, fit_axes, fit_classifiers, refit_classifiers
from xlser.experiment.adapted import Adapted, Adapting
from xlser.experiment.cases import Case
from xlser.experiment.corpora import AnyRecipe
from xlser.experiment.seeds import Seed
from xlser.experiment.vote_targets import weighing
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
    """One method and seed with what was fitted on the source to read it.

    ``speakers`` and ``corpora`` (N,) are those of the source's training rows.
    """

    system: System
    train: Part
    validation: Part
    axes: dict[str, Axes]
    judge: Judge | None
    speakers: np.ndarray | None = None
    corpora: np.ndarray | None = None
    classifiers: dict[tuple[str, ...], dict] = field(default_factory=dict)
    _embedded: tuple[tuple, np.ndarray] | None = field(default=None, repr=False)
    _adapting: tuple[tuple, Adapting] | None = field(default=None, repr=False)

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
        """Return the system's embeddings of a case, (N, D), before anything adapts; the last ones are kept."""
        key = (id(case.corpus), case.role, case.kind)
        if self._embedded is None or self._embedded[0] != key:
            self._embedded = key, self.system.embed(case)
        return self._embedded[1]

    def adapted(self, case: Case, classes: tuple[str, ...]) -> Adapted:
        """Return what the case's chain makes of source and target; chains on one target share their beginnings.

        Raises:
            XlserError: a step cannot be fitted to this target.
        """
        key = (id(case.corpus), case.kind, classes)
        if self._adapting is None or self._adapting[0] != key:
            labels = self.train.labels.astype(str)
            home = Home(self.train.embeddings, labels, classes, self.corpora, self.speakers)
            speakers = case.corpus.frame["speaker"].to_numpy(dtype=object)
            self._adapting = key, Adapting(home, Away(self.embed(case), speakers))
        return self._adapting[1].adapt(case.adapt)

    def classifiers_of(self, adapted: Adapted, classes: tuple[str, ...]) -> dict:
        """Return the classifiers of an adapted target: those of the source, or fitted again where it is mapped too.

        k and C stay those that the source's validation speakers chose, so that an adaptation costs one fit. Neighbours
        cannot be weighted, and have no part where the source's rows are.
        """
        before, weights = self.of_classes(classes), adapted.fitted.weights
        if not adapted.fitted.refits and weights is None:
            return before
        kept = self._adapting[1].kept if self._adapting else {}
        key = (*adapted.maps, *classes)
        if key not in kept:
            rows = np.isin(self.train.labels.astype(str), classes)
            own = None if weights is None else weights[rows]
            kept[key] = refit_classifiers(before, adapted.home[rows], self.train.labels[rows].astype(str), own)
        return kept[key]

    def probed(
        self, embedded: np.ndarray, classes: tuple[str, ...], probe: ProbeClassifier | None = None
    ) -> np.ndarray:
        """Return the probe's distribution over ``classes``, (N, C): nought for one that it was not fitted to.

        It is that of the source unless another ``probe`` is given.
        """
        probe, out = probe or self.of_classes(classes)["probe"], np.zeros((len(embedded), len(classes)))
        known = [name in probe.model.classes_ for name in classes]
        order = [list(probe.model.classes_).index(name) for name in np.array(classes)[known]]
        if len(embedded):
            out[:, known] = probe.model.predict_proba(probe.scaler.transform(embedded))[:, order]
        return out

    def corrected(self, adapted: Adapted, classes: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Return the probabilities (N, C) by reader, corrected.

        The probe was fitted under equal shares; a classifier of the system's own tells under which (see `Judge`). It
        has no part where the source is mapped too. A class without a training clip cannot be corrected, and readers
        without probabilities are not among these.
        """
        embedded = adapted.embedded.astype(self.train.embeddings.dtype)
        probe = self.classifiers_of(adapted, classes)["probe"]
        said = {"probe": (self.probed(embedded, classes, probe), np.full(len(classes), 1 / len(classes)))}
        judge = None if adapted.fitted.refits else self.judge
        own = judge.probabilities(embedded, classes) if judge else None
        counts = (self.train.labels.astype(str)[:, None] == np.array(classes)).sum(axis=0)
        if judge and own is not None and counts.all():
            said["classifier + knn"] = own, judge.shares(counts)
        return {name: adapted.posterior(name, given, shares) for name, (given, shares) in said.items()}


def make_reader(system: System, source: Case, recipe: AnyRecipe | None = None) -> Reader:
    """Fit on the source's training rows, choosing on its validation rows, what reads a system's embeddings.

    The recipe says how a probe weighs the rows; without one classes are balanced, and nothing else.
    """
    embedded, corpus, split = system.embed(source), source.corpus, system.seed.split
    parts = []
    for rows in (split.train, split.validation):
        ratings = {name: values[rows] for name, values in corpus.ratings.items()}
        parts.append(Part(embedded[rows], corpus.labels[rows], ratings, *weighing(corpus, rows, recipe)))
    axes: dict[str, Axes] = {name: found for name in DIMENSIONS if (found := fit_axes(*parts, name))}
    judge = system.judge(*parts) if hasattr(system, "judge") else None
    who, of = (corpus.frame[name].to_numpy(dtype=object)[split.train] for name in ("speaker", "corpus"))
    return Reader(system, parts[0], parts[1], axes, judge, who, of)
