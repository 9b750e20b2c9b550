"""The stored clips next to a recording, and which of them had a say in its answer."""

from __future__ import annotations

import numpy as np

from xlser.experiment.use.answer import Neighbour
from xlser.experiment.use.readers import scored
from xlser.store.datastore import Datastore

# Of readers that ask no neighbour so many are shown.
SHOWN = 5


def of_classes(store: Datastore, classes: tuple[str, ...]) -> Datastore:
    """Return the stored clips of the classes; all where there are no classes, or no clip has one of them."""
    labelled = set(store.labels or ()) & set(classes)
    return scored(store, classes, store.metric) if labelled else store


def neighbours(
    store: Datastore, voters: int, embedded: np.ndarray, classes: tuple[str, ...], k: int | None
) -> list[Neighbour]:
    """Return the nearest clips of a store, nearest first.

    Args:
        store: of which the ``voters`` nearest vote, those of ``classes``; 0 where none does.
        voters: see there.
        embedded: (D,).
        classes: see there.
        k: how many are returned; None for those that vote, or `SHOWN` where none does.
    """
    k = min(len(store), (voters or SHOWN) if k is None else k)
    if not k:
        return []
    distances, positions = store.search(embedded[None], k)
    labels = store.labels or [""] * len(store)

    def cell(column: str, place: int) -> str:
        return store.about[column][place] if column in store.about else ""

    return [
        Neighbour(
            corpus=cell("corpus", place),
            language=cell("language", place),
            speaker=cell("speaker", place),
            path=cell("path", place),
            emotion=cell("emotion", place),
            distance=float(distance),
            voted=rank < voters and labels[place] in classes,
        )
        for rank, (place, distance) in enumerate(zip(positions[0].tolist(), distances[0], strict=True))
    ]
