"""What is read from an embedding, fitted on the source alone: classes, and axes that follow a dimension."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from xlser.evaluation.classify import KnnClassifier, ProbeClassifier, fit_knn, fit_probe, knn_of, probe_of
from xlser.evaluation.metrics import pearson
from xlser.evaluation.regress import Direction, fit_direction
from xlser.evaluation.row_weights import taught_rows

# More latents than this are features, not axes that anybody would look at one by one.
MOST_LATENTS = 16


@dataclass(frozen=True)
class Part:
    """Rows of one part of the source: ``embeddings`` (N, D), ``labels`` (N,) with None where the emotion is not scored,
    ``ratings`` maps a dimension to (N,) with NaN where not rated. ``corpora`` (N,) are given where each is to count the
    same for a probe, ``votes``, shares of raters by emotion (N,), where it is to learn from these."""

    embeddings: np.ndarray
    labels: np.ndarray
    ratings: dict[str, np.ndarray]
    corpora: np.ndarray | None = None
    votes: Mapping[str, np.ndarray] | None = None


@dataclass(frozen=True)
class Axes:
    """How to read one dimension: the ridge ``direction``, the sign of each latent and of their mean, the best latent.

    A latent of an unsupervised model may point either way, so that signs and the choice of the best are made on the
    source's training rows; a target then shows whether they still hold.
    """

    direction: Direction
    signs: np.ndarray
    mean_sign: float
    best: int

    def read(self, embeddings: np.ndarray) -> dict[str, np.ndarray]:
        """Return the values of each axis (N,): ``direction``, ``latent mean``, ``best latent``, ``z1``, ``z2``..."""
        out = {"direction": self.direction.predict(embeddings)}
        if len(self.signs) <= MOST_LATENTS:
            oriented = embeddings * self.signs
            out |= {"best latent": oriented[:, self.best], "latent mean": embeddings.mean(axis=1) * self.mean_sign}
            out |= {f"z{column + 1}": oriented[:, column] for column in range(oriented.shape[1])}
        return out


def fit_classifiers(
    train: Part, validation: Part, classes: tuple[str, ...]
) -> dict[str, KnnClassifier | ProbeClassifier]:
    """Fit ``knn`` and ``probe`` on the source's training rows of ``classes``; k and C by its validation rows."""
    rows = [np.isin(part.labels.astype(str), classes) for part in (train, validation)]
    pieces = [
        train.embeddings[rows[0]],
        train.labels[rows[0]].astype(str),
        validation.embeddings[rows[1]],
        validation.labels[rows[1]].astype(str),
    ]
    corpora = None if train.corpora is None else train.corpora[rows[0]]
    votes = train.votes and {name: train.votes[name][rows[0]] for name in classes if name in train.votes}
    return {"knn": fit_knn(*pieces), "probe": fit_probe(*pieces, taught=taught_rows(pieces[1], corpora, votes))}


def refit_classifiers(
    before: Mapping[str, Any], train: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None
) -> dict[str, KnnClassifier | ProbeClassifier]:
    """Fit classifiers again to rows (N, D) that were mapped or weighted, with the k and C that were chosen ``before``.

    A probe whose rows counted by corpus, or by votes, keeps that.

    Args:
        before: classifiers of the rows as they were, by `fit_classifiers`.
        train: (N, D), all of a class.
        labels: (N,) their labels.
        weights: (N,) how much each counts for ``probe``; None for alike. ``knn`` cannot weigh, and is then left out.
    """
    probe = before["probe"]
    found: dict[str, KnnClassifier | ProbeClassifier] = {
        "probe": probe_of(train, labels, probe.chosen["c"], weights, probe.taught)
    }
    return found if weights is not None else {"knn": knn_of(train, labels, before["knn"]), **found}


def fit_axes(train: Part, validation: Part, dimension: str) -> Axes | None:
    """Fit the axes of one dimension on the source's rated training rows; None with fewer than three of them."""
    truth = train.ratings[dimension]
    if np.isfinite(truth).sum() < 3:
        return None
    direction = fit_direction(train.embeddings, truth, validation.embeddings, validation.ratings[dimension])
    rated = np.isfinite(truth)
    found = np.nan_to_num([pearson(truth[rated], column) for column in train.embeddings[rated].T])
    mean = np.nan_to_num(pearson(truth[rated], train.embeddings[rated].mean(axis=1)))
    return Axes(direction, _sign(found), float(_sign(mean)), int(np.abs(found).argmax()))


def _sign(values: np.ndarray) -> np.ndarray:
    return np.where(np.asarray(values) < 0, -1.0, 1.0)
