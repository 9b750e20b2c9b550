"""Who must stand on one side of a split: a speaker's utterances, and all that is cut from one recording."""

from __future__ import annotations

import numpy as np
import pandas as pd


def split_units(frame: pd.DataFrame, column: str = "speaker") -> pd.Series:
    """Return the unit of each row that no split may part, (N,) texts.

    It is the speaker; speakers who talk in one recording are one unit, so that no recording stands on two sides.
    Rows without a recording (no column ``path``) have their speaker alone.

    Args:
        frame: a manifest with ``path`` and ``column``, an utterance a row.
        column: whose units: ``speaker`` or ``session``.

    >>> table = pd.DataFrame({"speaker": ["ann", "bob", "eve"], "path": ["call1.wav", "call1.wav", "call2.wav"]})
    >>> split_units(table).tolist()
    ['ann + bob', 'ann + bob', 'eve']
    """
    names = frame[column]
    if "path" not in frame or len(frame) == 0:
        return names
    codes, known = pd.factorize(names, sort=True)
    paths = pd.factorize(frame["path"])[0]
    pairs = np.unique(np.stack([codes, paths]), axis=1)
    if len(np.unique(pairs[1])) == pairs.shape[1]:  # nobody shares a recording
        return names
    groups = _components(*pairs)
    members = [" + ".join(map(str, known[groups == group])) for group in range(groups.max() + 1)]
    return pd.Series(np.array(members, dtype=object)[groups[codes]], index=frame.index, name=column)


def parted_recordings(frame: pd.DataFrame, parts: dict[str, np.ndarray]) -> list[str]:
    """Return the recordings of which rows stand in more than one part, sorted; none without a column ``path``."""
    if "path" not in frame:
        return []
    sides = [set(frame["path"].iloc[rows]) for rows in parts.values()]
    return sorted({path for i, one in enumerate(sides) for other in sides[i + 1 :] for path in one & other})


def has_segments(frame: pd.DataFrame) -> bool:
    """Say whether a recording stands in more than one row."""
    return "path" in frame and bool(frame["path"].duplicated().any())


def _components(people: np.ndarray, recordings: np.ndarray) -> np.ndarray:
    """Return the group of each person, 0 to G - 1 in the order of the first of each, where recordings tie them."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = int(people.max()) + 1
    size = count + int(recordings.max()) + 1
    ties = coo_array((np.ones(len(people)), (people, recordings + count)), shape=(size, size))
    labels = connected_components(ties, directed=False)[1][:count]
    return pd.factorize(labels)[0]
