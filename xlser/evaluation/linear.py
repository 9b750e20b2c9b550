"""A linear readout of the source, plain and quick: what adaptations that look at answers ask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlser.evaluation.adapting import Home
from xlser.evaluation.expected import unconverged
from xlser.features.normalise import Scaler

# z-scores beyond it are set to it.
_CLIP = 5.0
STRENGTH = 0.01


@dataclass(frozen=True, eq=False)
class Linear:
    """A logistic regression on z-scores: ``coef`` (C, D) and ``intercept`` (C,), which is -inf for a class unseen."""

    scaler: Scaler
    coef: np.ndarray
    intercept: np.ndarray

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """Return (N, C) of rows (N, D)."""
        logits = self.scaler.apply(np.asarray(rows, dtype=float)).astype(float) @ self.coef.T + self.intercept
        shares = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def fit_linear(home: Home, weights: np.ndarray | None = None, c: float = STRENGTH) -> Linear:
    """Fit to a source: classes are balanced, each corpus counts as much as another, z-scores are clipped at 5.

    Args:
        home: with labels of two classes at least.
        weights: (N,) how much each row counts, on top of that.
        c: the inverse of the strength of regularisation.

    >>> home = Home(np.array([[0.0], [1.0], [8.0], [9.0]]), np.array([*"aabb"]), ("a", "b", "none"))
    >>> fit_linear(home).probabilities(np.array([[9.0]])).argmax(1).tolist()
    [1]
    """
    from sklearn.linear_model import LogisticRegression

    labels, rows = np.asarray(home.labels).astype(str), np.asarray(home.embeddings, dtype=float)
    kept = np.isin(labels, home.classes)
    counts = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=float)
    if home.corpora is not None:
        counts = counts * corpus_weights(np.asarray(home.corpora).astype(str), kept)
    scaler = Scaler.fit(rows[kept], _CLIP)
    model = LogisticRegression(C=c, class_weight="balanced", max_iter=2000)
    with unconverged():
        model.fit(scaler.apply(rows[kept]), labels[kept], sample_weight=counts[kept])
    coef, intercept = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        coef, intercept = np.concatenate([-coef, coef]) / 2, np.concatenate([-intercept, intercept]) / 2
    out, bias = np.zeros((len(home.classes), rows.shape[1])), np.full(len(home.classes), -np.inf)
    for place, name in enumerate(model.classes_):
        out[home.classes.index(name)], bias[home.classes.index(name)] = coef[place], intercept[place]
    return Linear(scaler, out, bias)


def corpus_weights(corpora: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return weights (N,) by which each corpus counts alike, of the rows that are kept (N,); their mean is 1.

    >>> corpus_weights(np.array([*"aaab"]), np.array([True, True, True, True])).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    out = np.zeros(len(corpora))
    names, counts = np.unique(corpora[kept], return_counts=True)
    for name, count in zip(names, counts, strict=True):
        out[corpora == name] = kept.sum() / (len(names) * count)
    return out
