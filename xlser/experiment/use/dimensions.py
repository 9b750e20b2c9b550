"""Activation, valence and dominance of an embedding, as far as a model was taught them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xlser.evaluation.regress import Direction, fit_direction
from xlser.experiment.judge import Heads
from xlser.store.datastore import Datastore
from xlser.vocabulary import DIMENSIONS


@dataclass(frozen=True)
class Dimensions:
    """Trained heads, and ridge directions for the dimensions that have none."""

    heads: Heads | None
    directions: dict[str, Direction]

    @classmethod
    def of(cls, heads: Heads | None, store: Datastore, alphas: Mapping[str, float]) -> Dimensions:
        """Fit the run's directions again: to the ratings of the stored training clips, with the alphas it chose.

        Args:
            heads: of the model, or None.
            store: the training clips; those without ratings give no direction.
            alphas: by dimension, as source validation chose them.
        """
        trained, fitted, rows = heads.rated if heads else (), {}, store.embeddings
        for name, alpha in alphas.items():
            ratings = np.array([float(text) if text else np.nan for text in store.about.get(name, ())])
            if name not in trained and np.isfinite(ratings).sum() >= 3:
                fitted[name] = fit_direction(rows, ratings, rows[:0], ratings[:0], alphas=(alpha,))
        return cls(heads, fitted)

    @property
    def given_by(self) -> dict[str, str]:
        """What gives each dimension, ``head`` or ``direction``, in the order of `DIMENSIONS`."""
        given = dict.fromkeys(self.directions, "direction") | dict.fromkeys(
            self.heads.rated if self.heads else (), "head"
        )
        return {name: given[name] for name in DIMENSIONS if name in given}

    def read(self, embedding: np.ndarray) -> dict[str, float]:
        """Return the ratings, on about [-1, 1], of one embedding (D,)."""
        return {name: float(values[0]) for name, values in self.read_all(embedding[None]).items()}

    def read_all(self, embeddings: np.ndarray) -> dict[str, np.ndarray]:
        """Return the ratings (N,), on about [-1, 1], of embeddings (N, D)."""
        found = {name: fitted.predict(embeddings) for name, fitted in self.directions.items()}
        found |= self.heads.ratings(embeddings) if self.heads else {}
        return {name: found[name] for name in self.given_by}
