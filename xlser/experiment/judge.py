"""What a fine-tuned network says of an embedding: its heads, alone and interpolated with nearest neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xlser.evaluation.interpolate import Interpolation, fit_interpolation
from xlser.evaluation.readout import Part
from xlser.experiment.corpora import DIMENSIONS
from xlser.training.encoder_recipe import Terms

HEAD, INTERPOLATED = "classifier", "classifier + knn"


@dataclass(frozen=True)
class Heads:
    """Linear heads in NumPy: ``classes`` are the emotions, ``rated`` the dimensions that were trained."""

    classes: tuple[str, ...]
    weight: np.ndarray
    bias: np.ndarray
    rated: tuple[str, ...]
    slopes: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, weights: Mapping, classes: tuple[str, ...], terms: Terms) -> Heads | None:
        """Return the heads among the tensors of a network, or None where no head was trained."""
        if not (terms.cross_entropy or terms.dimensions):
            return None
        arrays = [weights[name].numpy() for name in ("classes.weight", "classes.bias")]
        dimensions = [weights[name].numpy() for name in ("dimensions.weight", "dimensions.bias")]
        rated = terms.dimensions.of if terms.dimensions else ()
        return cls(classes if terms.cross_entropy else (), *arrays, rated, *dimensions)

    def probabilities(self, embeddings: np.ndarray) -> np.ndarray:
        """Return the distribution over ``classes``, (N, C), of embeddings (N, D)."""
        logits = embeddings.astype(np.float64) @ self.weight.T + self.bias
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True)

    def ratings(self, embeddings: np.ndarray) -> dict[str, np.ndarray]:
        """Return the predicted ratings (N,) of the trained dimensions."""
        predicted = embeddings.astype(np.float64) @ self.slopes.T + self.offsets
        return {name: predicted[:, DIMENSIONS.index(name)] for name in self.rated}
