"""What a fine-tuned network says of an embedding: its heads, alone and interpolated with nearest neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xlser.evaluation.interpolate import Interpolation, fit_interpolation
from xlser.evaluation.readout import Part
from xlser.store.datastore import Datastore
from xlser.training.loss_terms import Terms
from xlser.vocabulary import DIMENSIONS, HEAD, INTERPOLATED


@dataclass(frozen=True)
class Heads:
    """Linear heads in NumPy: ``classes`` are the emotions, ``rated`` the dimensions that were trained.

    ``balanced``: whether the classes were weighted to count the same, as if there were equally many clips of each.
    """

    classes: tuple[str, ...]
    weight: np.ndarray
    bias: np.ndarray
    rated: tuple[str, ...]
    slopes: np.ndarray
    offsets: np.ndarray
    balanced: bool = False

    @classmethod
    def of(cls, weights: Mapping, classes: tuple[str, ...], terms: Terms, balance: Sequence[str] = ()) -> Heads | None:
        """Return the heads among the tensors of a network, or None where no head was trained.

        ``balance`` is what gave equally many clips to an epoch: with emotions in it they count the same, too.
        """
        if not terms.heads:
            return None
        arrays = [weights[name].numpy() for name in ("classes.weight", "classes.bias")]
        dimensions = [weights[name].numpy() for name in ("dimensions.weight", "dimensions.bias")]
        balanced = terms.balanced or "emotion" in balance
        return cls(classes if terms.classifies else (), *arrays, terms.regressed, *dimensions, balanced)

    def probabilities(self, embeddings: np.ndarray) -> np.ndarray:
        """Return the distribution over ``classes``, (N, C), of embeddings (N, D)."""
        logits = embeddings.astype(np.float64) @ self.weight.T + self.bias
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True)

    def ratings(self, embeddings: np.ndarray) -> dict[str, np.ndarray]:
        """Return the predicted ratings (N,) of the trained dimensions."""
        predicted = embeddings.astype(np.float64) @ self.slopes.T + self.offsets
        return {name: predicted[:, DIMENSIONS.index(name)] for name in self.rated}


@dataclass(frozen=True)
class HeadsJudge:
    """Heads, and the neighbours that were fitted to go with them on source validation data."""

    heads: Heads
    interpolation: Interpolation | None

    @classmethod
    def fit(cls, heads: Heads, train: Part, validation: Part) -> HeadsJudge:
        """Choose k, distance, temperature and weight; heads without a classifier get no neighbours."""
        if not heads.classes:
            return cls(heads, None)
        kept = [np.isin(part.labels.astype(str), heads.classes) for part in (train, validation)]
        vectors, labels = train.embeddings[kept[0]], train.labels[kept[0]].astype(str)
        ids = [str(row) for row in np.flatnonzero(kept[0])]
        stores = {metric: Datastore(vectors, ids, metric=metric, labels=labels) for metric in ("l2", "cosine")}
        judged = validation.embeddings[kept[1]]
        found = fit_interpolation(
            stores, judged, heads.probabilities(judged), validation.labels[kept[1]].astype(str), heads.classes
        )
        return cls(heads, found)

    @property
    def chosen(self) -> dict:
        """What validation chose."""
        return dict(self.interpolation.chosen) if self.interpolation else {}

    def labels(self, embeddings: np.ndarray, classes: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Return the predicted classes (N,) of the classifier alone, and with its neighbours."""
        if self.interpolation is None:
            return {}
        probabilities, names = self.heads.probabilities(embeddings), np.array(classes)
        columns = [self.heads.classes.index(name) for name in classes]
        mixed = self.interpolation.restrict(classes).predict(embeddings, probabilities)
        return {HEAD: names[probabilities[:, columns].argmax(axis=1)], INTERPOLATED: names[mixed.argmax(axis=1)]}

    def probabilities(self, embeddings: np.ndarray, classes: tuple[str, ...]) -> np.ndarray | None:
        """Return the distribution over ``classes``, (N, C), of classifier and neighbours; None without a classifier."""
        if self.interpolation is None:
            return None
        return self.interpolation.restrict(classes).predict(embeddings, self.heads.probabilities(embeddings))

    def shares(self, counts: np.ndarray) -> np.ndarray:
        """Return the shares of the classes, (C,), that `probabilities` take for granted.

        Neighbours vote as often as there are clips of a class, and so does a classifier say it, unless it was trained
        with balanced classes: that one takes equal shares. The mixture's are mixed by the same weight.

        Args:
            counts: (C,) training clips of each class, at least 1.

        >>> from dataclasses import replace
        >>> heads = Heads(("a", "b"), np.eye(2), np.zeros(2), (), np.zeros((0, 2)), np.zeros(0), balanced=True)
        >>> part = Part(np.eye(2), np.array(["a", "b"], dtype=object), {})
        >>> half = replace(HeadsJudge.fit(heads, part, part).interpolation, chosen={"weight": 0.5})
        >>> HeadsJudge(heads, half).shares(np.array([3, 1])).tolist()
        [0.625, 0.375]
        """
        shares = counts / counts.sum()
        if not self.heads.balanced:
            return shares
        weight = self.chosen["weight"]
        return (1 - weight) / len(counts) + weight * shares

    def ratings(self, embeddings: np.ndarray) -> dict[str, np.ndarray]:
        """Return the predicted ratings (N,) of the trained dimensions."""
        return self.heads.ratings(embeddings)
