"""From trained networks and corpora to tables of numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from xlser.errors import CorpusError
from xlser.evaluation.bootstrap import SpeakerBootstrap
from xlser.evaluation.readout import Axes, Part, fit_axes, fit_classifiers
from xlser.evaluation.transfer import View, Views, class_rows, correlation_rows
from xlser.experiment.corpora import DIMENSIONS, Corpus
from xlser.experiment.models import Seed, Trained
from xlser.features.normalise import PROTOCOL, Normalisation, normalise
from xlser.training.recipe import Recipe

Encoder = Callable[[np.ndarray], np.ndarray]
HELD_OUT, VALIDATION, TARGET = "source, held-out speakers", "source, validation speakers", "target"


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

    method: str
    seed: Seed
    encode: Encoder
    train: Part
    validation: Part
    axes: dict[str, Axes]
    classifiers: dict[tuple[str, ...], dict] = field(default_factory=dict)


def score_all(recipe: Recipe, source: Corpus, targets: list[Corpus], trained: list[Trained]) -> Scores:
    """Score the source's held-out speakers and every target, under each protocol that costs no further training.

    A recipe that normalises by ``corpus`` is trained on source statistics, so that its zero-shot reading (target
    z-scored with the source's statistics) comes for free and stands beside the transductive one. The source's
    validation speakers are scored too: theirs are the numbers that choices may be made on, and no result.
    """
    readers = _readers(recipe, source, trained)
    scores = Scores()
    for reader in readers:
        for name, axes in reader.axes.items():
            about = {"method": reader.method, "seed": reader.seed.number, "reader": f"direction of {name}"}
            scores.choices.append(about | axes.direction.chosen)
    for case in _cases(recipe, source, targets):
        _score(scores, recipe, source, case, readers)
    return scores


@dataclass(frozen=True)
class _Case:
    """One corpus in one role under one normalisation; ``main`` marks the one that the recipe asks for."""

    corpus: Corpus
    role: str
    kind: Normalisation
    main: bool = True


def _cases(recipe: Recipe, source: Corpus, targets: list[Corpus]) -> list[_Case]:
    kind = recipe.features.normalise
    own: Normalisation = "speaker" if kind == "speaker" else "source"
    cases = [_Case(source, VALIDATION, own, main=False), _Case(source, HELD_OUT, own)]
    for target in targets:
        if kind == "corpus":
            cases.append(_Case(target, TARGET, "source", main=False))
        cases.append(_Case(target, TARGET, kind))
    return cases


def _readers(recipe: Recipe, source: Corpus, trained: list[Trained]) -> list[_Reader]:
    seeds = {model.seed.number: model.seed for model in trained}
    pairs: list[tuple[str, Seed, Encoder]] = [("features", seed, _identity) for seed in seeds.values()]
    pairs += [(model.method, model.seed, _encoder(model)) for model in trained]
    return [_reader(method, seed, encode, source) for method, seed, encode in pairs]


def _reader(method: str, seed: Seed, encode: Encoder, source: Corpus) -> _Reader:
    parts = []
    for rows in (seed.split.train, seed.split.validation):
        ratings = {name: values[rows] for name, values in source.ratings.items()}
        parts.append(Part(encode(seed.source[rows]), source.labels[rows], ratings))
    axes = {name: found for name in DIMENSIONS if (found := fit_axes(*parts, name))}
    return _Reader(method, seed, encode, *parts, axes)


def _identity(values: np.ndarray) -> np.ndarray:
    return values


def _encoder(model: Trained) -> Encoder:
    import torch

    def encode(values: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return model.network["autoencoder"].encode(torch.from_numpy(values)).numpy()

    return encode


def _score(scores: Scores, recipe: Recipe, source: Corpus, case: _Case, readers: list[_Reader]) -> None:
    corpus, level = case.corpus, recipe.evaluation.level
    there = set(source.labels) & set(corpus.labels)
    classes = tuple(name for name in recipe.emotions if name in there)
    views: Views = {}
    # Every method of a seed sees the same z-scores: they are taken once.
    inputs = {
        seed.number: _inputs(case, seed) for seed in {id(reader.seed): reader.seed for reader in readers}.values()
    }
    for reader in readers:
        view, embedded = _view(reader, case, inputs[reader.seed.number], classes, scores)
        views.setdefault(reader.method, []).append(view)
        if case.main and reader.seed.number == 0 and reader.method != "features":
            scores.grid.append(_points(reader, corpus, embedded, corpus is source))
    draws = SpeakerBootstrap(corpus.frame["speaker"], recipe.evaluation.draws, seed=0)
    about = _about(case)
    judged = np.logical_or.reduce([view.rows for view in views["features"]])
    if len(classes) >= 2:
        table, confusion = class_rows(views, corpus.labels, classes, draws, level)
        spoken = np.isin(corpus.labels.astype(str), classes) & judged
        about_classes = {"classes": len(classes), "speakers": _speakers(corpus, spoken)}
        scores.transfer += [about | about_classes | row for row in table]
        scores.confusion += [about | row for row in confusion]
    elif case.main:
        scores.notes.append(
            f"{corpus.card.name}: no classification, since it shares {len(classes)} of the scored emotions with "
            f"{source.card.name} and two are needed"
        )
    rows = correlation_rows(views, corpus.ratings, draws, level)
    # A correlation that was learnt from, or is taken with, positions of emotion words is no correlation with ratings.
    learnt = "" if source.ratings_kind == "rated" or corpus is source else ", learnt from derived"
    about |= {"ratings": corpus.ratings_kind + learnt, "speakers": _speakers(corpus, judged)}
    scores.correlation += [about | row for row in rows]
    if not rows and case.main:
        without = corpus if corpus.ratings_kind == "none" else source
        scores.notes.append(f"{corpus.card.name}: no correlations, since {without.card.name} has no ratings")


def _speakers(corpus: Corpus, rows: np.ndarray) -> int:
    return int(corpus.frame["speaker"][rows].nunique())


def _about(case: _Case) -> dict:
    card = case.corpus.card
    return {
        "corpus": card.name,
        "role": case.role,
        "language": card.languages[0],
        "data": "synthetic" if card.synthetic else "real",
        "protocol": PROTOCOL[case.kind],
        "normalise": case.kind,
    }


def _inputs(case: _Case, seed: Seed) -> np.ndarray:
    if case.role != TARGET:
        return seed.source
    return normalise(case.corpus.features.values, case.corpus.frame["speaker"], case.kind, seed.scaler)


def _judged(case: _Case, seed: Seed, count: int) -> np.ndarray:
    if case.role == TARGET:
        return np.ones(count, dtype=bool)
    return np.isin(np.arange(count), seed.split.test if case.role == HELD_OUT else seed.split.validation)


def _view(
    reader: _Reader, case: _Case, values: np.ndarray, classes: tuple[str, ...], scores: Scores
) -> tuple[View, np.ndarray]:
    seed, embedded = reader.seed, reader.encode(values)
    labels = {}
    if len(classes) >= 2:
        about = {"method": reader.method, "seed": seed.number, **_about(case)}
        for name, classifier in _classifiers(reader, classes).items():
            labels[name] = classifier.predict(embedded)
            scores.choices.append(about | {"reader": name} | classifier.chosen)
    axes = {
        (dimension, axis): found
        for dimension, fitted in reader.axes.items()
        for axis, found in fitted.read(embedded).items()
    }
    return View(_judged(case, seed, len(values)), labels, axes), embedded


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
            "corpus": corpus.card.name,
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
