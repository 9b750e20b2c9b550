"""A classifier's probabilities mixed with those of the stored neighbours, chosen on source validation data only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from xlser.evaluation import metrics
from xlser.evaluation.knn import (
    check_temperature,
    checked_probabilities,
    class_codes,
    knn_distribution,
    median_distance,
    mixed,
    renormalised,
)
from xlser.store.datastore import Datastore, Metric

__all__ = ["Interpolation", "fit_interpolation", "knn_distribution"]

# A probability of nought costs as much as this one, so that one sure mistake does not make the cross-entropy infinite.
LEAST_PROBABILITY = 1e-12

Rank = tuple[float, float, float]
Choice = tuple[Rank, dict[str, Any]]


@dataclass(frozen=True)
class Interpolation:
    """p(y) = (1 - w) p_model(y) + w p_knn(y) (kNN-LM, Khandelwal et al. 2020; for emotions Wang et al. 2023).

    Attributes:
        store: N labelled embeddings.
        codes: (N,) the position of each stored label in ``classes``, -1 where it has no vote.
        classes: the C classes, the columns of what is returned.
        chosen: ``k``, ``distance``, ``temperature``, ``weight``, and ``scale``, the distance that the temperature is a
            multiple of: T = temperature * scale.
        model_classes: the classes the model knows, the columns of its probabilities; ``classes`` unless restricted.

    >>> store = Datastore([[0.0], [1.0], [8.0]], ["a", "b", "c"], labels=["joy", "fear", "anger"])
    >>> chosen = {"k": 2, "distance": "l2", "temperature": 0.1, "scale": 1.0, "weight": 0.5}
    >>> classes = ("anger", "fear", "joy")
    >>> mix = Interpolation(store, np.array([2, 1, 0]), classes, chosen, classes)
    >>> mix.predict([[0.0]], [[0.2, 0.6, 0.2]]).round(3).tolist()
    [[0.1, 0.3, 0.6]]
    >>> mix.restrict(["anger", "joy"]).predict([[0.0]], [[0.2, 0.6, 0.2]]).tolist()
    [[0.25, 0.75]]
    """

    store: Datastore
    codes: np.ndarray
    classes: tuple[str, ...]
    chosen: dict[str, Any]
    model_classes: tuple[str, ...]

    def neighbours(
        self,
        embeddings: ArrayLike,
        exclude_ids: Sequence[str] | None = None,
        exclude_groups: Sequence[str] | None = None,
        *,
        encoder: str | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return distances (Q, k) and positions (Q, k) of the chosen k nearest; arguments as in `Datastore.search`."""
        return self.store.search(embeddings, self.chosen["k"], exclude_ids, exclude_groups, encoder=encoder)

    def distribution(
        self,
        embeddings: ArrayLike,
        exclude_ids: Sequence[str] | None = None,
        exclude_groups: Sequence[str] | None = None,
        *,
        encoder: str | None = None,
    ) -> np.ndarray:
        """Return p_knn, (Q, C); a row without a neighbour of the classes is nan."""
        distances, positions = self.neighbours(embeddings, exclude_ids, exclude_groups, encoder=encoder)
        temperature = self.chosen["temperature"] * self.chosen["scale"]
        return knn_distribution(distances, self.codes[positions], len(self.classes), temperature)

    def predict(
        self,
        embeddings: ArrayLike,
        probabilities: ArrayLike,
        exclude_ids: Sequence[str] | None = None,
        exclude_groups: Sequence[str] | None = None,
        *,
        encoder: str | None = None,
    ) -> np.ndarray:
        """Return the mixed probabilities, float64 (Q, C), rows summing to 1.

        Where no neighbour is of the classes, the model's distribution stands alone.

        Args:
            embeddings: (Q, D) finite numbers; Q may be 0.
            probabilities: (Q, M) the model's, of ``model_classes``; rows sum to 1.
            exclude_ids: see `Datastore.search`, as are the other two.
            exclude_groups: the speaker of each query, whose rows are left out.
            encoder: what made the embeddings.

        Raises:
            XlserError: embeddings of another encoder.
            ValueError: shapes that do not fit, probabilities that are none, or what `Datastore.search` refuses.
        """
        found = self.distribution(embeddings, exclude_ids, exclude_groups, encoder=encoder)
        model = checked_probabilities(probabilities, (len(found), len(self.model_classes)))
        if self.classes != self.model_classes:
            model = renormalised(model[:, metrics.encode(self.classes, self.model_classes)])
        return mixed(model, found, self.chosen["weight"])

    def restrict(self, classes: Sequence[str]) -> Interpolation:
        """Return the interpolation for a target that has only some of the classes, in the order given.

        The model's probabilities are divided by their sum over these classes (equal shares where that is nought), and
        neighbours of other classes have no vote. What was chosen stays.

        Raises:
            ValueError: no class, one listed twice, or one that the model does not know.
        """
        classes = tuple(str(name) for name in classes)
        if not classes:
            raise ValueError("`classes` must hold at least one class, but is empty instead.")
        kept = metrics.encode(classes, self.model_classes)
        metrics.encode([], classes)  # refuses a class listed twice
        return replace(self, codes=class_codes(self.store, self.model_classes, kept), classes=classes)

    def with_store(self, store: Datastore) -> Interpolation:
        """Return the interpolation with another store, such as one extended by clips of the target language.

        Raises:
            XlserError: its embeddings are of another encoder.
            ValueError: another metric or dimension, no labels, or a label that the model does not know.
        """
        self.store.check_encoder(store.encoder)
        here, there = (self.store.metric, self.store.embeddings.shape[1]), (store.metric, store.embeddings.shape[1])
        if here != there:
            raise ValueError(f"`store` must have the metric and dimensions {here}, but has {there} instead.")
        kept = metrics.encode(self.classes, self.model_classes)
        return replace(self, store=store, codes=class_codes(store, self.model_classes, kept))


def fit_interpolation(
    stores: Mapping[Metric, Datastore],
    validation: ArrayLike,
    probabilities: ArrayLike,
    validation_labels: ArrayLike,
    classes: Sequence[str],
    *,
    ks: Sequence[int] = (1, 2, 4, 8, 16, 32, 64),
    temperatures: Sequence[float] = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
    weights: Sequence[float] = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
) -> Interpolation:
    """Choose distance, k, temperature and weight by unweighted accuracy on validation data of the source.

    Of choices that do as well the one of lower cross-entropy (mean -ln p of the truth) is taken, then the smaller
    weight, then the first in the order given. Temperatures are multiples of the median distance of the validation rows
    to their neighbours (those of the largest k), which makes them free of unit and of the number of dimensions; a
    distance of nought does not count. Values of k above the rows of the smallest store are skipped.

    Args:
        stores: the training embeddings by metric, each with labels; rows without a label are dropped beforehand.
        validation: (M, D) embeddings of other speakers of the source corpora, M at least 1; finite.
        probabilities: (M, C) the model's for those rows, rows summing to 1.
        validation_labels: (M,) the truth, among ``classes``; not every class need occur.
        classes: the C classes, in the order of the model's columns.
        ks: candidates, each at least 1.
        temperatures: candidates, above 0.
        weights: candidates, in [0, 1]: 0 is the model alone, 1 the neighbours alone.

    Raises:
        ValueError: no store, one without labels or under another metric's name, a label not among the classes, no
            validation row, every k above N, a candidate out of range, or shapes that do not fit.

    >>> store = Datastore([[0.0], [1.0], [8.0], [9.0]], "abcd", labels=["joy", "joy", "anger", "anger"])
    >>> unsure = np.full((2, 2), 0.5)
    >>> model = fit_interpolation({"l2": store}, [[0.5], [7.0]], unsure, ["joy", "anger"], ["anger", "joy"], ks=[1])
    >>> model.chosen["weight"], model.predict([[8.2]], [[0.3, 0.7]]).tolist()
    (1.0, [[1.0, 0.0]])
    """
    classes, validation = tuple(str(name) for name in classes), np.asarray(validation)
    truth = metrics.encode(validation_labels, classes, "validation_labels")
    _check_candidates(stores, len(truth), ks, temperatures, weights)
    model = checked_probabilities(probabilities, (len(truth), len(classes)))
    if len(validation) != len(truth):
        raise ValueError(f"`validation` must have a row a label ({len(truth)}), but has {len(validation)} instead.")
    smallest = min(len(store) for store in stores.values())
    # Where none is usable the smallest goes on to the search, which says what k may be.
    usable = [k for k in ks if k <= smallest] or [min(ks)]
    codes = {metric: class_codes(store, classes, np.arange(len(classes))) for metric, store in stores.items()}
    choices: list[Choice] = []
    for metric, store in stores.items():
        distances, positions = store.search(validation, max(usable))
        votes, scale = codes[metric][positions], median_distance(distances)
        for k, temperature in product(usable, temperatures):
            found = knn_distribution(distances[:, :k], votes[:, :k], len(classes), temperature * scale)
            chosen = {"distance": metric, "k": int(k), "temperature": float(temperature), "scale": scale}
            choices += [(rank, chosen | {"weight": w}) for w, rank in _ranked(model, found, truth, weights)]
    _, chosen = max(choices, key=lambda choice: choice[0])  # the first of equals
    metric = chosen["distance"]
    return Interpolation(stores[metric], codes[metric], classes, chosen, classes)


def _ranked(
    model: np.ndarray, found: np.ndarray, truth: np.ndarray, weights: Sequence[float]
) -> list[tuple[float, Rank]]:
    """Return each weight and how good it is: unweighted accuracy, then less cross-entropy, then less weight."""
    size = model.shape[1]
    rows = np.stack([mixed(model, found, weight) for weight in weights])
    cells = (np.arange(len(weights))[:, None] * size + truth) * size + rows.argmax(2)
    matrices = np.bincount(cells.ravel(), minlength=len(weights) * size * size).reshape(-1, size, size)
    right = rows[:, np.arange(len(truth)), truth].clip(LEAST_PROBABILITY)
    # Rounded, or sums that differ in their last digit alone would count as better.
    accuracies = metrics.unweighted_accuracy(matrices).round(12).tolist()
    likelihoods = np.log(right).mean(1).round(12).tolist()
    return [(float(w), (a, p, -float(w))) for w, a, p in zip(weights, accuracies, likelihoods, strict=True)]


def _check_candidates(
    stores: Mapping[Metric, Datastore],
    rows: int,
    ks: Sequence[int],
    temperatures: Sequence[float],
    weights: Sequence[float],
) -> None:
    for name, values in [("stores", stores), ("ks", ks), ("temperatures", temperatures), ("weights", weights)]:
        if not len(values):
            raise ValueError(f"`{name}` must hold at least one candidate, but is empty instead.")
    if not rows:
        raise ValueError("`validation` must have at least one row, but is empty instead.")
    if min(ks) < 1:
        raise ValueError(f"`ks` must be at least 1, but hold {min(ks)} instead.")
    for temperature in temperatures:
        check_temperature(temperature)
    if not all(0 <= weight <= 1 for weight in weights):
        raise ValueError(f"`weights` must lie in [0, 1], but are {list(weights)} instead.")
    for metric, store in stores.items():
        if store.metric != metric:
            raise ValueError(
                f"`stores` must map each metric to a store of it, but {metric!r} maps to {store.metric!r}."
            )
