"""How far a recording lies from the stored clips, as a warning that a model has not heard its like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlser.store.datastore import Datastore

# [A]: both are assumptions. Few neighbours are swayed by one odd clip, many by how large the store is.
NEIGHBOURS, UNFAMILIAR = 5, 99.0
# So many stored clips tell how distances are spread well enough, also where there are a million.
MOST = 2000
WARNING = f"unfamiliar sound: farther from the stored clips than {UNFAMILIAR:g} % of them are from other speakers'"


@dataclass(frozen=True)
class Familiarity:
    """Distances to the k-th nearest stored clip, and how the stored clips themselves lie to those of other speakers.

    A new recording's speaker is not in the store, so that each stored clip is compared with other speakers' clips
    alone; in a store of one speaker, or of none that is known, with all other clips.

    Attributes:
        store: at least two clips for `percentile` to mean anything.
        k: how many neighbours.
        spread: sorted distances (M,) of stored clips; empty where the store has a single clip.

    Source:
        Sun et al. 2022, arXiv 2204.06507: the distance to the k-th neighbour tells what is out of distribution. [A]:
        leaving out a clip's own speaker is ours.

    >>> store = Datastore([[0.0], [1.0], [2.0], [4.0]], "abcd", groups=["anna", "ben", "anna", "ben"])
    >>> found = Familiarity.of(store, k=1)
    >>> found.spread.tolist(), [found.percentile(found.distance(np.array([x]))) for x in (0.5, 9.0)]
    ([1.0, 1.0, 1.0, 4.0], [0.0, 100.0])
    """

    store: Datastore
    k: int
    spread: np.ndarray

    @classmethod
    def of(cls, store: Datastore, k: int = NEIGHBOURS) -> Familiarity:
        """Measure a store; k is lowered to what its smallest part allows."""
        if len(store) < 2:
            return cls(store, 1, np.empty(0))
        rows = np.unique(np.linspace(0, len(store) - 1, min(len(store), MOST)).round().astype(int))
        others = len(store) - max(np.unique(store.groups or [""], return_counts=True)[1].max(), 1)
        if store.groups and others:
            own = {"exclude_groups": [store.groups[row] for row in rows]}
        else:
            own, others = {"exclude_ids": [store.ids[row] for row in rows]}, len(store) - 1
        k = min(k, int(others))
        return cls(store, k, np.sort(store.search(store.embeddings[rows], k, **own)[0][:, -1]))

    def distance(self, embedding: np.ndarray) -> float:
        """Return the distance of an embedding (D,) to the k-th nearest clip, in the store's metric."""
        return float(self.store.search(embedding[None], self.k)[0][0, -1])

    def percentile(self, distance: float) -> float:
        """Return which share of the stored clips lies nearer to other speakers', in percent; nan for a single clip."""
        if not len(self.spread):
            return float("nan")
        return 100.0 * float(np.searchsorted(self.spread, distance)) / len(self.spread)
