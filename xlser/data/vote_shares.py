"""The votes of a table's recordings: as shares of the emotions, and under merged names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from xlser.corpora.votes import read_votes, split_labels, votes_json


def distribution(votes: Iterable[object], classes: Sequence[str]) -> np.ndarray:
    """Return the share of each class among the votes for any of them, (N, C) in [0, 1]; rows sum to 1.

    Args:
        votes: cells of the manifest's column ``votes`` (N,).
        classes: canonical emotions (C,). Votes for other emotions do not count.

    Returns:
        A row of NaN where nobody votes for any of the classes.

    >>> distribution(['{"anger": 2, "fear": 1, "joy": 5}', None], ["anger", "fear"]).round(2).tolist()
    [[0.67, 0.33], [nan, nan]]
    """
    read = [read_votes(cell) for cell in votes]
    counts = np.array([[cell.get(name, 0) for name in classes] for cell in read], dtype=float)
    counts = counts.reshape(len(read), len(classes))
    total = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0)


def merge_votes(frame: pd.DataFrame, into: Mapping[str, str]) -> pd.DataFrame:
    """Return a manifest's table with emotions renamed in ``votes`` and ``secondary``; votes that meet are added.

    A rater who named two emotions that become one is counted for both: who it was is no longer known.
    """
    if (
        not {"votes", "secondary"} <= set(frame.columns)
        or not (frame["votes"].notna() | frame["secondary"].notna()).any()
    ):
        return frame
    made: dict[str, list[str | None]] = {"votes": [], "secondary": []}
    for text in frame["votes"]:
        votes: dict[str, float] = {}
        for name, count in read_votes(text).items():
            votes[into.get(name, name)] = votes.get(into.get(name, name), 0) + count
        made["votes"].append(votes_json(votes))
    for text, emotion in zip(frame["secondary"], frame["emotion"], strict=True):
        names = [into.get(name, name) for name in split_labels(text.replace(",", ";"))] if isinstance(text, str) else []
        made["secondary"].append(", ".join(name for name in dict.fromkeys(names) if name != emotion) or None)
    return frame.assign(**{column: np.array(cells, dtype=object) for column, cells in made.items()})
