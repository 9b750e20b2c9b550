"""Validation on clips of the training speakers, for protocols that hold out whole speakers for testing alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from xlser.data.together import has_segments


def validate_on_clips(
    frame: pd.DataFrame, parts: Mapping[str, np.ndarray], share: float, seed: int
) -> dict[str, np.ndarray]:
    """Return parts whose validation is a random ``share`` of the recordings that are not tested.

    Each emotion gives that share of its own, rounded; segments of one recording stay together. Voices that are
    validated on are then known from training: what validation chooses is chosen for known voices, and only the test
    part says what unknown ones are worth.

    Args:
        frame: a manifest, see `xlser.data.splits.make_splits`.
        parts: sorted row positions of ``train``, ``validation`` and ``test``.
        share: above 0 and below 1; one so small that no emotion gives a recording leaves the validation part empty.
        seed: of the draw.

    >>> frame = pd.DataFrame({"id": [*"abcdef"], "path": [*"abcdef"], "emotion": [*"xxyyxy"]})
    >>> parts = {"train": np.arange(2), "validation": np.array([2, 3]), "test": np.array([4, 5])}
    >>> {name: len(rows) for name, rows in validate_on_clips(frame, parts, 0.5, seed=0).items()}
    {'train': 2, 'validation': 2, 'test': 2}
    """
    rows = np.sort(np.concatenate([parts["train"], parts["validation"]]))
    recordings = (frame["path"] if has_segments(frame) else frame["id"]).iloc[rows].to_numpy()
    emotions = pd.Series(frame["emotion"].iloc[rows].to_numpy(), index=recordings).groupby(level=0, sort=True).first()
    rng, drawn = np.random.default_rng(seed), []
    for _, members in emotions.groupby(emotions, sort=True):
        drawn += list(rng.permutation(members.index.to_numpy())[: round(share * len(members))])
    validates = np.isin(recordings, drawn)
    return {"train": rows[~validates], "validation": rows[validates], "test": parts["test"]}
