"""From trained networks and corpora to tables of numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from xlser.errors import XlserError
from xlser.evaluation.bootstrap import SpeakerBootstrap
from xlser.evaluation.transfer import Baseline, View, Views, class_rows, correlation_rows
from xlser.evaluation.unlabelled import answer_information
from xlser.experiment.cases import Case
from xlser.experiment.corpora import AnyRecipe, Corpus
from xlser.experiment.oracle import ORACLE_PRIOR, oracle_labels
from xlser.experiment.readers import Reader
from xlser.experiment.seeds import Seed
from xlser.features.normalise import PROTOCOL
from xlser.vocabulary import FEATURES, INTERPOLATED, ORACLE, PROBE, TARGET, TRANSDUCTIVE

POINTS = ["method", "corpus", "part", "id", "x", "y", "activation", "valence", "emotion"]


@dataclass
class Scores:
    """Tables as lists of rows: ``transfer``, ``correlation``, ``confusion``, the ``grid`` of 2-D points and ``choices``
    (k, C, alpha of every reader); ``notes`` say what could not be scored and why, ``adapted`` what adaptations decided,
    and ``unlabelled`` how much answers tell of a target's recordings.
    """

    transfer: list[dict] = field(default_factory=list)
    correlation: list[dict] = field(default_factory=list)
    confusion: list[dict] = field(default_factory=list)
    grid: list[pd.DataFrame] = field(default_factory=list)
    choices: list[dict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    adapted: list[dict] = field(default_factory=list)
    unlabelled: list[dict] = field(default_factory=list)

    def look(self, about: dict, answers: dict[str, np.ndarray]) -> None:
        """Note what the probabilities (M, C) of a target's readers tell without its labels."""
        for name, rows in answers.items():
            self.unlabelled.append(about | {"classifier": name, "information": answer_information(rows)})


def tell_axes(scores: Scores, readers: list[Reader]) -> None:
    """Note what validation chose for each direction."""
    for reader in readers:
        about = {"method": reader.method, "seed": reader.seed.number}
        for name, axes in reader.axes.items():
            scores.choices.append(about | {"reader": f"direction of {name}"} | axes.direction.chosen)


def score_case(
    scores: Scores,
    recipe: AnyRecipe,
    source: Corpus,
    case: Case,
    *,
    readers: list[Reader],
    baseline: Baseline,
    latents: bool = True,
    ratings: bool = True,
) -> Views:
    """Score one case, and return what every method and seed said of it; without ``latents`` not of each of them.

    Without ``ratings`` no axis is set against any.
    """
    corpus, level = case.corpus, recipe.evaluation.level
    classes = shared_classes(recipe, source, corpus)
    views: Views = {}
    for reader in readers:
        try:
            view, embedded = _view(reader, case, classes, scores)
        except XlserError as error:
            if not case.adapt:
                raise
            scores.notes.append(f"{corpus.name}: not adapted by {case.adapt}: {error}")
            return {}
        views.setdefault(reader.method, []).append(view)
        if case.main and reader.seed.place == 0 and reader.method != FEATURES:
            scores.grid.append(_points(reader, corpus, embedded, corpus is source))
    draws = SpeakerBootstrap(corpus.frame["speaker"], recipe.evaluation.draws, seed=0)
    about = about_case(case)
    judged = np.logical_or.reduce([view.rows for view in next(iter(views.values()))])
    if not judged.any():  # a source of two speakers has none to test
        scores.notes.append(f"{corpus.name}: no score on held-out speakers, since none is held out")
        return views
    if case.main and case.drawn is not None:
        scores.notes.append(
            f"{corpus.name}: {recipe.evaluation.clips} recordings of each emotion are scored (evaluation.clips), drawn "
            f"by its labels; {int(case.drawn.sum())} of {len(case.drawn)} in all"
        )
    if len(classes) >= 2:
        table, confusion = class_rows(views, corpus.labels, classes, draws, level, baseline=baseline)
        spoken = np.isin(corpus.labels.astype(str), classes) & judged
        about_classes = {"classes": len(classes), "speakers": _speakers(corpus, spoken)}
        scores.transfer += [about | about_classes | row for row in table]
        scores.confusion += [about | row for row in confusion]
    elif case.main:
        scores.notes.append(f"{corpus.name}: no classification, since {_unclassified(source, corpus, classes)}")
    if not ratings:
        return views
    if not latents:
        _without_latents(views)
    rows = correlation_rows(views, corpus.ratings, draws, level, baseline=baseline)
    # A correlation that was learnt from, or is taken with, positions of emotion words is no correlation with ratings.
    learnt = "" if source.ratings_kind == "rated" or corpus is source else ", learnt from derived"
    about |= {"ratings": corpus.ratings_kind + learnt, "speakers": _speakers(corpus, judged)}
    scores.correlation += [about | row for row in rows]
    if not rows and case.main:
        without = corpus if corpus.ratings_kind == "none" else source
        scores.notes.append(f"{corpus.name}: no correlations, since {without.name} has no ratings")
    return views


def _unclassified(source: Corpus, corpus: Corpus, classes: tuple[str, ...]) -> str:
    """Say why a corpus cannot be classified."""
    for one in (source, corpus):
        if not one.dataset.emotions:
            return f"{one.name} has ratings and no labels"
    return f"it shares {len(classes)} of the scored emotions with {source.name} and two are needed"


def _without_latents(views: Views) -> None:
    """Leave out the axes z1, z2..., of which there may be many."""
    for view in (view for several in views.values() for view in several):
        view.axes = {key: values for key, values in view.axes.items() if not key[1][1:].isdigit()}


def shared_classes(recipe: AnyRecipe, source: Corpus, corpus: Corpus) -> tuple[str, ...]:
    """Return the scored emotions that both corpora have, in the recipe's order."""
    there = set(source.labels) & set(corpus.labels)
    return tuple(name for name in recipe.emotions if name in there)


def _speakers(corpus: Corpus, rows: np.ndarray) -> int:
    return int(corpus.frame["speaker"][rows].nunique())


def about_case(case: Case) -> dict[str, str]:
    """Return what every row of a case says of it."""
    corpus = case.corpus
    return {
        "corpus": corpus.name,
        "role": case.role,
        "language": corpus.language,
        "data": "synthetic" if corpus.synthetic else "real",
        "protocol": ORACLE if case.oracle else TRANSDUCTIVE if case.adapt else PROTOCOL[case.kind],
        "normalise": ORACLE_PRIOR if case.oracle else case.adapt or case.kind,
    }


def _view(reader: Reader, case: Case, classes: tuple[str, ...], scores: Scores) -> tuple[View, np.ndarray]:
    embedded = reader.embed(case)
    if case.oracle:
        told = oracle_labels(reader, embedded, classes, case.corpus.labels) if len(classes) >= 2 else {}
        return View(case.judged(reader.seed), told), embedded
    about = {"method": reader.method, "seed": reader.seed.number, **about_case(case)}
    adapted = reader.adapted(case, classes) if case.adapt else None
    if adapted is not None:
        given = reader.corrected(adapted, classes) if adapted.corrects and len(classes) >= 2 else {}
        scores.look(about, given)
        labels = {name: np.array(classes)[rows.argmax(axis=1)] for name, rows in given.items()}
        if reader.seed.place == 0:
            scores.adapted.append(about | {"notes": adapted.notes or list(adapted.fitted.notes)})
        if adapted.corrects:
            return View(case.judged(reader.seed), labels), embedded
        embedded = adapted.embedded.astype(embedded.dtype)
    refitted, labels = adapted is not None and adapted.fitted.refits, {}
    if len(classes) >= 2:
        if reader.judge and not refitted:
            labels |= reader.judge.labels(embedded, classes)
            scores.choices.append(about | {"reader": "classifier + knn"} | reader.judge.chosen)
        mine = reader.classifiers_of(adapted, classes) if adapted else reader.of_classes(classes)
        for name, classifier in mine.items():
            labels[name] = classifier.predict(embedded)
            scores.choices.append(about | {"reader": name} | classifier.chosen)
        if case.role == TARGET:
            own = reader.judge.probabilities(embedded, classes) if reader.judge and not refitted else None
            judged = {} if own is None else {INTERPOLATED: own}
            scores.look(about, {PROBE: reader.probed(embedded, classes, mine[PROBE])} | judged)
    if refitted or "|" in case.adapt:
        # Axes were fitted to the source as it was; of a chain's steps each alone says what becomes of them.
        return View(case.judged(reader.seed), labels), embedded
    axes = {
        (dimension, axis): found
        for dimension, fitted in reader.axes.items()
        for axis, found in fitted.read(embedded).items()
    }
    if reader.judge:
        axes |= {(name, "head"): values for name, values in reader.judge.ratings(embedded).items()}
    return View(case.judged(reader.seed), labels, axes), embedded


def _points(reader: Reader, corpus: Corpus, embedded: np.ndarray, is_source: bool) -> pd.DataFrame:
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
    parts = np.full(rows, "left out", dtype=object)
    parts[seed.split.train] = "train"
    parts[seed.split.validation] = "validation"
    parts[seed.split.test] = "test"
    return parts
