"""From trained networks and corpora to tables of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd

from xlser.errors import CorpusError
from xlser.evaluation.bootstrap import SpeakerBootstrap
from xlser.evaluation.readout import Axes, Part, fit_axes, fit_classifiers
from xlser.evaluation.transfer import Baseline, View, Views, class_rows, correlation_rows
from xlser.experiment.cases import TARGET, Case, make_cases
from xlser.experiment.corpora import DIMENSIONS, AnyRecipe, Corpus
from xlser.experiment.seeds import Seed
from xlser.features.normalise import PROTOCOL


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

    def ratings(self, embeddings: np.ndarray) -> dict[str, np.ndarray]:
        """Return predicted ratings (N,), by the dimension."""


@dataclass
class Scores:
    """Tables as lists of rows: ``transfer``, ``correlation``, ``confusion``, the ``grid`` of 2-D points, and
    ``choices`` (k, C, alpha of every reader); ``notes`` say what could not be scored and why."""

    transfer: list[dict] = field(default_factory=list)
    correlation: list[dict] = field(default_factory=list)
    confusion: list[dict] = field(default_factory=list)
    grid: list[pd.DataFrame] = field(default_factory=list)
    choices: list[dict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class _Reader:
    """One method and seed with what was fitted on the source to read it."""

    system: System
    train: Part
    validation: Part
    axes: dict[str, Axes]
    judge: Judge | None
    classifiers: dict[tuple[str, ...], dict] = field(default_factory=dict)

    @property
    def method(self) -> str:
        return self.system.method

    @property
    def seed(self) -> Seed:
        return self.system.seed


def score_all(
    recipe: AnyRecipe, source: Corpus, targets: list[Corpus], systems: Sequence[System], baseline: Baseline
) -> Scores:
    """Score the source's held-out speakers and every target, under each protocol that costs no further training.

    The source's validation speakers are scored too: theirs are the numbers that choices may be made on, and no result.
    """
    cases = make_cases(recipe, source, targets)
    readers = [_reader(system, cases[0]) for system in systems]
    scores = Scores()
    for reader in readers:
        about = {"method": reader.method, "seed": reader.seed.number}
        for name, axes in reader.axes.items():
            scores.choices.append(about | {"reader": f"direction of {name}"} | axes.direction.chosen)
    for case in cases:
        _score(scores, recipe, source, case, readers=readers, baseline=baseline)
    return scores


def _reader(system: System, source: Case) -> _Reader:
    embedded, corpus, split = system.embed(source), source.corpus, system.seed.split
    parts = []
    for rows in (split.train, split.validation):
        ratings = {name: values[rows] for name, values in corpus.ratings.items()}
        parts.append(Part(embedded[rows], corpus.labels[rows], ratings))
    axes = {name: found for name in DIMENSIONS if (found := fit_axes(*parts, name))}
    judge = system.judge(*parts) if hasattr(system, "judge") else None
    return _Reader(system, *parts, axes, judge)


def _score(
    scores: Scores, recipe: AnyRecipe, source: Corpus, case: Case, *, readers: list[_Reader], baseline: Baseline
) -> None:
    corpus, level = case.corpus, recipe.evaluation.level
    there = set(source.labels) & set(corpus.labels)
    classes = tuple(name for name in recipe.emotions if name in there)
    views: Views = {}
    for reader in readers:
        view, embedded = _view(reader, case, classes, scores)
        views.setdefault(reader.method, []).append(view)
        if case.main and reader.seed.number == 0 and reader.method != "features":
            scores.grid.append(_points(reader, corpus, embedded, corpus is source))
    draws = SpeakerBootstrap(corpus.frame["speaker"], recipe.evaluation.draws, seed=0)
    about = _about(case)
    judged = np.logical_or.reduce([view.rows for view in views["features"]])
    if len(classes) >= 2:
        table, confusion = class_rows(views, corpus.labels, classes, draws, level, baseline)
        spoken = np.isin(corpus.labels.astype(str), classes) & judged
        about_classes = {"classes": len(classes), "speakers": _speakers(corpus, spoken)}
        scores.transfer += [about | about_classes | row for row in table]
        scores.confusion += [about | row for row in confusion]
    elif case.main:
        scores.notes.append(
            f"{corpus.name}: no classification, since it shares {len(classes)} of the scored emotions with "
            f"{source.name} and two are needed"
        )
    rows = correlation_rows(views, corpus.ratings, draws, level, baseline)
    # A correlation that was learnt from, or is taken with, positions of emotion words is no correlation with ratings.
    learnt = "" if source.ratings_kind == "rated" or corpus is source else ", learnt from derived"
    about |= {"ratings": corpus.ratings_kind + learnt, "speakers": _speakers(corpus, judged)}
    scores.correlation += [about | row for row in rows]
    if not rows and case.main:
        without = corpus if corpus.ratings_kind == "none" else source
        scores.notes.append(f"{corpus.name}: no correlations, since {without.name} has no ratings")


def _speakers(corpus: Corpus, rows: np.ndarray) -> int:
    return int(corpus.frame["speaker"][rows].nunique())


def _about(case: Case) -> dict:
    corpus = case.corpus
    return {
        "corpus": corpus.name,
        "role": case.role,
        "language": corpus.language,
        "data": "synthetic" if corpus.synthetic else "real",
        "protocol": PROTOCOL[case.kind],
        "normalise": case.kind,
    }


def _view(reader: _Reader, case: Case, classes: tuple[str, ...], scores: Scores) -> tuple[View, np.ndarray]:
    embedded = reader.system.embed(case)
    labels = {}
    if len(classes) >= 2:
        about = {"method": reader.method, "seed": reader.seed.number, **_about(case)}
        if reader.judge:
            labels |= reader.judge.labels(embedded, classes)
            scores.choices.append(about | {"reader": "classifier + knn"} | reader.judge.chosen)
        for name, classifier in _classifiers(reader, classes).items():
            labels[name] = classifier.predict(embedded)
            scores.choices.append(about | {"reader": name} | classifier.chosen)
    axes = {
        (dimension, axis): found
        for dimension, fitted in reader.axes.items()
        for axis, found in fitted.read(embedded).items()
    }
    if reader.judge:
        axes |= {(name, "head"): values for name, values in reader.judge.ratings(embedded).items()}
    return View(case.judged(reader.seed), labels, axes), embedded


def _classifiers(reader: _Reader, classes: tuple[str, ...]) -> dict:
    """Return the reader's classifiers of these classes, fitted on first use: most corpora share the same ones."""
    if classes not in reader.classifiers:
        for name, part in (("training", reader.train), ("validation", reader.validation)):
            found = set(part.labels[np.isin(part.labels.astype(str), classes)])
            if len(found) < 2:
                raise CorpusError(
                    f"the source's {name} part holds {len(found)} of the scored emotions ({', '.join(classes)}); "
                    "two are needed. Use another split or fewer folds."
                )
        reader.classifiers[classes] = fit_classifiers(reader.train, reader.validation, classes)
    return reader.classifiers[classes]


def _points(reader: _Reader, corpus: Corpus, embedded: np.ndarray, is_source: bool) -> pd.DataFrame:
    """Return the plane that is drawn: the latent itself, or its two main axes on the source's training rows."""
    if embedded.shape[1] == 1:
        plane = np.column_stack([embedded[:, 0], np.zeros(len(embedded))])
    elif embedded.shape[1] == 2:
        plane = embedded
    else:
        from sklearn.decomposition import PCA

        plane = PCA(2, svd_solver="full").fit(reader.train.embeddings).transform(embedded)
    return pd.DataFrame(
        {
            "method": reader.method,
            "corpus": corpus.name,
            "part": _parts(reader.seed, len(plane)) if is_source else TARGET,
            "id": corpus.frame["id"],
            "x": plane[:, 0],
            "y": plane[:, 1],
            "activation": corpus.ratings["activation"],
            "valence": corpus.ratings["valence"],
            "emotion": corpus.labels,
        }
    )


def _parts(seed: Seed, rows: int) -> np.ndarray:
    parts = np.full(rows, "train", dtype=object)
    parts[seed.split.validation] = "validation"
    parts[seed.split.test] = "test"
    return parts
