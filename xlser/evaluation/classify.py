"""Classifiers over frozen embeddings: nearest neighbours and a linear probe, chosen on source validation data only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from xlser.evaluation import metrics
from xlser.evaluation.expected import unconverged
from xlser.evaluation.row_weights import Taught
from xlser.store.datastore import Datastore, Metric

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler


@dataclass(frozen=True)
class KnnClassifier:
    """A majority vote among the stored embeddings; ``chosen`` holds ``k``."""

    store: Datastore
    labels: np.ndarray
    chosen: dict[str, int]

    def predict(self, embeddings: ArrayLike) -> np.ndarray:
        """Return the labels, (Q,) strings, of embeddings (Q, D)."""
        return knn_predict(self.store, embeddings, self.chosen["k"], labels=self.labels)


@dataclass(frozen=True)
class ProbeClassifier:
    """Standardised embeddings into a balanced logistic regression; ``chosen`` holds ``c``, ``taught`` other weights."""

    scaler: StandardScaler
    model: LogisticRegression
    chosen: dict[str, float]
    taught: Taught | None = None

    def predict(self, embeddings: ArrayLike) -> np.ndarray:
        """Return the labels, (Q,) strings, of embeddings (Q, D); Q may be 0."""
        embeddings = np.asarray(embeddings)
        return self.model.predict(self.scaler.transform(embeddings)) if len(embeddings) else np.empty(0, dtype=str)


def knn_predict(store: Datastore, queries: ArrayLike, k: int, *, labels: ArrayLike) -> np.ndarray:
    """Return the label that most of the k nearest stored embeddings have: (Q,) strings for queries (Q, D).

    Among labels with as many votes the smaller summed distance wins, then the alphabet.

    Args:
        store: N embeddings.
        queries: (Q, D) finite numbers.
        k: 1 to N.
        labels: (N,) the labels of the stored embeddings, in their order.

    Raises:
        ValueError: ``k`` out of range, or shapes that do not fit.

    >>> store = Datastore([[0.0], [1.0], [5.0]], ["x", "y", "z"])
    >>> knn_predict(store, [[0.4], [4.0]], 1, labels=["joy", "joy", "anger"]).tolist()
    ['joy', 'anger']
    """
    classes, codes = _coded(labels, len(store))
    distances, positions = store.search(queries, k)
    return classes[_vote(distances, codes[positions], len(classes))]


def fit_knn(
    train: ArrayLike,
    labels: ArrayLike,
    validation: ArrayLike,
    validation_labels: ArrayLike,
    *,
    ks: Sequence[int] = (1, 3, 5, 9, 15, 25),
    metric: Metric = "l2",
) -> KnnClassifier:
    """Store the training embeddings and choose k by unweighted accuracy on validation data of the source.

    Of several k that do as well the largest is taken: more neighbours vary less. Those above N are skipped.

    Args:
        train: (N, D) finite embeddings; they are not standardised.
        labels: (N,) their labels.
        validation: (M, D) embeddings of other speakers of the source corpora, M at least 1.
        validation_labels: (M,) their labels.
        ks: the candidates.
        metric: see `Datastore`.

    Raises:
        ValueError: every k is above N, no validation row, or shapes that do not fit.

    >>> model = fit_knn([[0.0], [1.0], [8.0], [9.0]], ["a", "a", "b", "b"], [[0.5], [7.0]], ["a", "b"], ks=(1, 2, 9))
    >>> model.chosen, model.predict([[7.5]]).tolist()
    ({'k': 2}, ['b'])
    """
    store = Datastore(train, [str(row) for row in range(len(train))], metric=metric)
    classes, codes = _coded(labels, len(store))
    validation, truth = _validation(validation, validation_labels)
    # Where none is usable the smallest goes on to the search, which says what k may be.
    usable = sorted({k for k in ks if k <= len(store)}) or [min(ks)]
    distances, positions = store.search(validation, usable[-1])
    votes = codes[positions]
    scores = [_ua(truth, classes[_vote(distances[:, :k], votes[:, :k], len(classes))]) for k in usable]
    best = max(range(len(usable)), key=lambda index: (scores[index], usable[index]))
    return KnnClassifier(store, classes[codes], {"k": usable[best]})


def fit_probe(
    train: ArrayLike,
    labels: ArrayLike,
    validation: ArrayLike,
    validation_labels: ArrayLike,
    *,
    cs: Sequence[float] = (0.01, 0.1, 1, 10),
    taught: Taught | None = None,
) -> ProbeClassifier:
    """Fit a logistic regression (classes weighted to balance) and choose its C by UA on validation data of the source.

    Embeddings are standardised with the training mean and deviation. Of several C that do as well the smallest, the
    most regular, is taken. Arguments and shapes are those of `fit_knn`. With ``taught`` (see `taught_rows`) the
    training rows count by its weights in place of classes that are balanced, and teach its labels.

    Raises:
        ValueError: fewer than two classes, no validation row, numbers that are not finite, shapes that do not fit.

    >>> model = fit_probe([[0.0], [1.0], [8.0], [9.0]], ["a", "a", "b", "b"], [[0.5], [7.0]], ["a", "b"])
    >>> model.chosen, model.predict([[7.5]]).tolist()
    ({'c': 0.01}, ['b'])
    """
    from sklearn.preprocessing import StandardScaler

    classes, codes = _coded(labels, len(train))
    if len(classes) < 2:
        raise ValueError(f"`labels` must hold at least two classes, but holds {classes.tolist()} instead.")
    validation, truth = _validation(validation, validation_labels)
    scaler = StandardScaler().fit(train)
    rows = scaler.transform(train)
    models = [_regression(rows, classes[codes], c, taught) for c in sorted(cs)]
    scores = [_ua(truth, model.predict(scaler.transform(validation))) for model in models]
    best = int(np.argmax(scores))
    return ProbeClassifier(scaler, models[best], {"c": sorted(cs)[best]}, taught)


def knn_of(train: ArrayLike, labels: ArrayLike, like: KnnClassifier) -> KnnClassifier:
    """Store other embeddings (N, D) with their labels (N,), read by the k and the distance of ``like``; k is N at most.

    >>> model = fit_knn([[0.0], [1.0], [8.0], [9.0]], ["a", "a", "b", "b"], [[0.5], [7.0]], ["a", "b"], ks=(1, 2, 9))
    >>> knn_of([[0.0], [1.0], [2.0]], ["b", "b", "a"], model).predict([[0.2]]).tolist()
    ['b']
    """
    store = Datastore(train, [str(row) for row in range(len(np.asarray(train)))], metric=like.store.metric)
    return KnnClassifier(store, np.asarray(labels, dtype=str), {"k": min(like.chosen["k"], len(store))})


def probe_of(
    train: ArrayLike, labels: ArrayLike, c: float, weights: ArrayLike | None = None, taught: Taught | None = None
) -> ProbeClassifier:
    """Fit the logistic regression of `fit_probe` with a C that is known, to rows (N, D) that count by weights (N,).

    With ``taught`` the weights come on top of its own.

    Raises:
        ValueError: fewer than two classes, numbers that are not finite, shapes that do not fit.

    >>> probe_of([[0.0], [1.0], [8.0], [9.0]], ["a", "a", "b", "b"], 1.0).predict([[7.5]]).tolist()
    ['b']
    """
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(train)
    model = _regression(scaler.transform(train), np.asarray(labels, dtype=str), c, taught, weights)
    return ProbeClassifier(scaler, model, {"c": c}, taught)


def _regression(
    rows: np.ndarray, labels: np.ndarray, c: float, taught: Taught | None, weights: ArrayLike | None = None
) -> LogisticRegression:
    from sklearn.linear_model import LogisticRegression

    if taught is None:
        model = LogisticRegression(C=c, class_weight="balanced", max_iter=5000)
        with unconverged():
            return model.fit(rows, labels, sample_weight=weights)
    counted = taught.weights if weights is None else taught.weights * np.asarray(weights)[taught.rows]
    with unconverged():
        return LogisticRegression(C=c, max_iter=5000).fit(rows[taught.rows], taught.labels, sample_weight=counted)


def _vote(distances: np.ndarray, votes: np.ndarray, size: int) -> np.ndarray:
    """Return the winning class of each row of neighbours: distances and class codes (Q, k) give (Q,)."""
    cells = (np.arange(len(votes))[:, None] * size + votes).ravel()
    counts = np.bincount(cells, minlength=len(votes) * size).reshape(-1, size)
    summed = np.bincount(cells, distances.ravel(), len(votes) * size).reshape(-1, size)
    return np.where(counts == counts.max(1, keepdims=True), summed, np.inf).argmin(1)


def _coded(labels: ArrayLike, rows: int) -> tuple[np.ndarray, np.ndarray]:
    labels = np.asarray(labels, dtype=str)
    if labels.shape != (rows,):
        raise ValueError(f"`labels` must be of shape ({rows},), one an embedding, but is of shape {labels.shape}.")
    return np.unique(labels, return_inverse=True)


def _validation(validation: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    validation, labels = np.asarray(validation), np.asarray(labels, dtype=str)
    if not len(validation) or labels.shape != (len(validation),):
        raise ValueError(
            f"`validation` must have at least one row and a label a row, "
            f"but is of shape {validation.shape} with labels of shape {labels.shape} instead."
        )
    return validation, labels


def _ua(truth: np.ndarray, prediction: np.ndarray) -> float:
    classes = np.unique(np.concatenate([truth, prediction])).tolist()
    return float(metrics.unweighted_accuracy(metrics.confusion(truth, prediction, classes)))
