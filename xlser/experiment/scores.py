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


def score_all(recipe: Recipe, source: Corpus, targets: list[Corpus], trained: list[Trained]) -> Scores:
    """Score the source's held-out speakers and every target, under each protocol that costs no further training.

    A recipe that normalises by ``corpus`` is trained on source statistics, so that its zero-shot reading (target
    z-scored with the source's statistics) comes for free and stands beside the transductive one.
    """
    readers = _readers(recipe, source, trained)
    scores = Scores()
    for reader in readers:
        scores.choices += [
            {
                "method": reader.method,
                "seed": reader.seed.number,
                "reader": f"direction of {name}",
                **axes.direction.chosen,
            }
            for name, axes in reader.axes.items()
        ]
    for corpus in [source, *targets]:
        for kind in _normalisations(recipe, corpus is source):
            _score(scores, recipe, source, corpus, kind, readers)
    return scores


def _normalisations(recipe: Recipe, is_source: bool) -> list[Normalisation]:
    kind = recipe.features.normalise
    if is_source:
        return ["speaker"] if kind == "speaker" else ["source"]
    return ["source", "corpus"] if kind == "corpus" else [kind]


def _readers(recipe: Recipe, source: Corpus, trained: list[Trained]) -> list[_Reader]:
    seeds = {model.seed.number: model.seed for model in trained}
    pairs: list[tuple[str, Seed, Encoder]] = [("features", seed, _identity) for seed in seeds.values()]
    pairs += [(model.method, model.seed, _encoder(model)) for model in trained]
    return [_reader(method, seed, encode, source) for method, seed, encode in pairs]


def _reader(method: str, seed: Seed, encode: Encoder, source: Corpus) -> _Reader:
    parts = [
        Part(
            encode(seed.source[rows]),
            source.labels[rows],
            {name: values[rows] for name, values in source.ratings.items()},
        )
        for rows in (seed.split.train, seed.split.validation)
    ]
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


def _score(
    scores: Scores, recipe: Recipe, source: Corpus, corpus: Corpus, kind: Normalisation, readers: list[_Reader]
) -> None:
    is_source = corpus is source
    classes = tuple(
        name for name in recipe.emotions if name in set(source.labels) and (is_source or name in set(corpus.labels))
    )
    views: Views = {}
    for reader in readers:
        view, embedded = _view(reader, corpus, kind, is_source, classes, scores)
        views.setdefault(reader.method, []).append(view)
        main = kind == _normalisations(recipe, is_source)[-1]
        if main and reader.seed.number == 0 and reader.method != "features":
            scores.grid.append(_points(reader, corpus, embedded))
    draws = SpeakerBootstrap(corpus.frame["speaker"], recipe.evaluation.draws, seed=0)
    level = recipe.evaluation.level
    about = {
        "corpus": corpus.card.name,
        "role": "source, held-out speakers" if is_source else "target",
        "language": corpus.card.languages[0],
        "data": "synthetic" if corpus.card.synthetic else "real",
        "protocol": PROTOCOL[kind],
        "normalise": kind,
    }
    if len(classes) >= 2:
        table, confusion = class_rows(views, corpus.labels, classes, draws, level)
        spoken = np.isin(corpus.labels.astype(str), classes)
        about_classes = {"classes": len(classes), "speakers": int(corpus.frame["speaker"][spoken].nunique())}
        scores.transfer += [about | about_classes | row for row in table]
        scores.confusion += [about | row for row in confusion]
    else:
        scores.notes.append(
            f"{corpus.card.name}: no classification, since it shares {len(classes)} of the scored "
            f"emotions with {source.card.name} and two are needed"
        )
    rows = correlation_rows(views, corpus.ratings, draws, level)
    # The doubt of one is the doubt of the other: a correlation between derived and human ratings is marked derived.
    kind_of = corpus.ratings_kind if source.ratings_kind == "rated" else f"{corpus.ratings_kind}, learnt from derived"
    scores.correlation += [about | {"ratings": kind_of} | row for row in rows]
    if not rows:
        scores.notes.append(f"{corpus.card.name}: no correlations, since it (or the source) has no ratings")


def _view(
    reader: _Reader, corpus: Corpus, kind: Normalisation, is_source: bool, classes: tuple[str, ...], scores: Scores
) -> tuple[View, np.ndarray]:
    if is_source:
        values = reader.seed.source
        rows = np.isin(np.arange(len(values)), reader.seed.split.test)
    else:
        values = normalise(corpus.features.values, corpus.frame["speaker"], kind, reader.seed.scaler)
        rows = np.ones(len(values), dtype=bool)
    embedded = reader.encode(values)
    labels = {}
    if len(classes) >= 2:
        for name, classifier in _classifiers(reader, classes).items():
            labels[name] = classifier.predict(embedded)
            scores.choices.append(
                {
                    "method": reader.method,
                    "seed": reader.seed.number,
                    "corpus": corpus.card.name,
                    "normalise": kind,
                    "reader": name,
                    **classifier.chosen,
                }
            )
    axes = {
        (dimension, axis): found
        for dimension, fitted in reader.axes.items()
        for axis, found in fitted.read(embedded).items()
    }
    return View(rows, labels, axes), embedded


def _classifiers(reader: _Reader, classes: tuple[str, ...]) -> dict:
    # Kept on the reader: the same classes come back for every corpus and protocol.
    kept = reader.__dict__.setdefault("_kept", {})
    if classes not in kept:
        for name, part in (("training", reader.train), ("validation", reader.validation)):
            found = set(part.labels[np.isin(part.labels.astype(str), classes)])
            if len(found) < 2:
                raise CorpusError(
                    f"the source's {name} part holds {len(found)} of the scored emotions "
                    f"({', '.join(classes)}); two are needed. Use another split or fewer folds."
                )
        kept[classes] = fit_classifiers(reader.train, reader.validation, classes)
    return kept[classes]


def _points(reader: _Reader, corpus: Corpus, embedded: np.ndarray) -> pd.DataFrame:
    """Return the plane that a person looks at: the latent itself, or its two main axes on the source's training rows."""
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
            "id": corpus.frame["id"],
            "x": plane[:, 0],
            "y": plane[:, 1],
            "activation": corpus.ratings["activation"],
            "valence": corpus.ratings["valence"],
            "emotion": corpus.labels,
        }
    )
