"""How far a recording lies from the stored clips, as a warning that a model has not heard its like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xlser.experiment.use.readers import scored
from xlser.store.datastore import Datastore

# [A]: both are assumptions. Few neighbours are swayed by one odd clip, many by how large the store is.
NEIGHBOURS, UNFAMILIAR = 5, 99.0
# So many stored clips tell how distances are spread well enough, also where there are a million.
MOST = 2000
# Of held-out speakers of the source, and of their clips with an emotion that was not learnt, in percent: measured with
# EmoDB, RAVDESS and EMOVO as sources, by eGeMAPS and by Whisper tiny. Of clips of other corpora it is 55.
FALSE_ALARMS, UNLEARNT = 2, 3
WARNING = (
    f"unfamiliar sound: farther from the stored clips of its emotion than {UNFAMILIAR:g} % of them are from other "
    f"speakers'. So are about {FALSE_ALARMS} in 100 clips of new speakers recorded like the source, and only "
    f"{UNLEARNT} in 100 of those with an emotion that the model never learnt"
)


@dataclass(frozen=True)
class Familiarity:
    """Distances to the k-th nearest stored clip of the answered emotion, and how the stored clips themselves lie.

    A new recording's speaker is not in the store, so that each stored clip is compared with other speakers' clips
    alone, those of its own emotion; in a store of one speaker, or of none that is known, with all other clips.

    What it notices is another voice, microphone or room. It does not notice another emotion: kept-out emotions of
    held-out speakers are warned of hardly more often than those that were learnt. Probability, entropy and energy of a
    probe, Mahalanobis distances, and distances in whitened and discriminant directions were tried, and none of them
    tells emotions that were learnt from others well.

    Attributes:
        stores: the stored clips by emotion; all under the empty name where nothing is labelled.
        ks: of each emotion how many neighbours, as far as its clips allow.
        spread: sorted distances (M,) of stored clips; empty where no clip has another one to be compared with.

    Source:
        Sun et al. 2022, arXiv 2204.06507: the distance to the k-th neighbour tells what is out of distribution. [A]:
        leaving out a clip's own speaker, and keeping to the answered emotion, is ours.

    >>> store = Datastore([[0.0], [1.0], [2.0], [4.0]], "abcd", groups=["anna", "ben", "anna", "ben"])
    >>> found = Familiarity.of(store, k=1)
    >>> found.spread.tolist(), [found.percentile(found.distance(np.array([x]))) for x in (0.5, 9.0)]
    ([1.0, 1.0, 1.0, 4.0], [0.0, 100.0])
    """

    stores: Mapping[str, Datastore]
    ks: Mapping[str, int]
    spread: np.ndarray

    @classmethod
    def of(cls, store: Datastore, k: int = NEIGHBOURS) -> Familiarity:
        """Measure a store; k is lowered to what the smallest part of an emotion allows."""
        names = sorted(set(store.labels or ()) - {""})
        stores = {name: scored(store, [name], store.metric) for name in names} or {"": store}
        measured = {name: _spread(part, k, MOST * len(part) // len(store) + 1) for name, part in stores.items()}
        ks = {name: own for name, (own, _) in measured.items()}
        return cls(stores, ks, np.sort(np.concatenate([spread for _, spread in measured.values()])))

    def distance(self, embedding: np.ndarray, emotion: str = "") -> float:
        """Return the distance of an embedding (D,) to the k-th nearest clip, in the store's metric.

        Of the clips of ``emotion``; where that is not named, or no clip has it, of the emotion that is nearest.
        """
        names = [emotion] if emotion in self.stores else list(self.stores)
        return min(float(self.stores[name].search(embedding[None], self.ks[name])[0][0, -1]) for name in names)

    def percentile(self, distance: float) -> float:
        """Return which share of the stored clips lies nearer to other speakers', in percent; nan for single clips."""
        if not len(self.spread):
            return float("nan")
        return 100.0 * float(np.searchsorted(self.spread, distance)) / len(self.spread)


def _spread(store: Datastore, k: int, most: int) -> tuple[int, np.ndarray]:
    """Return k, as far as the clips allow, and the distances of up to ``most`` of them to the k-th of the others."""
    if len(store) < 2:
        return 1, np.empty(0)
    rows = np.unique(np.linspace(0, len(store) - 1, min(len(store), most)).round().astype(int))
    others = len(store) - max(np.unique(store.groups or [""], return_counts=True)[1].max(), 1)
    if store.groups and others:
        own = {"exclude_groups": [store.groups[row] for row in rows]}
    else:
        own, others = {"exclude_ids": [store.ids[row] for row in rows]}, len(store) - 1
    k = min(k, int(others))
    return k, store.search(store.embeddings[rows], k, **own)[0][:, -1]
