"""A corpus's own split: the parts that a column names, as training, validation and test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from xlser.errors import CorpusError, did_you_mean

COLUMN_KINDS = ("column", "column-shared-speakers")
NamedParts = Mapping[str, Sequence[str]]


def official_parts(
    frame: pd.DataFrame, named: NamedParts, hold_out: Callable[[pd.DataFrame], tuple[np.ndarray, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Return the rows of each part, sorted positions: ``train``, ``validation`` and ``test``.

    Args:
        frame: a manifest, whose column ``partition`` has the corpus's own names.
        named: the corpus's names by part, several each; ``train`` is needed. Rows of other names are in no part.
        hold_out: divides the rows of ``train`` by speakers into training and validation where no ``validation`` is
            named: positions in the table that it is given.

    Raises:
        CorpusError: no row has a part, a name that no row has, one that stands in two parts, or none for ``train``.
    """
    names = _partitions(frame)
    _check(names, named)
    parts = {part: np.flatnonzero(names.isin(list(of))) for part, of in named.items() if of}
    if "validation" not in parts:
        rows = parts["train"]
        train, validation = hold_out(frame.iloc[rows].reset_index(drop=True))
        parts |= {"train": rows[train], "validation": rows[validation]}
    none = np.empty(0, dtype=int)
    return {part: parts.get(part, none) for part in ("train", "validation", "test")}


def official_notes(frame: pd.DataFrame, named: NamedParts) -> list[str]:
    """Return sentences on what an official split leaves out, and on speakers of train that are held out for want of
    a part that validates."""
    names, used = _partitions(frame), {name for of in named.values() for name in of}
    left = names.fillna("no part at all")[~names.isin(used)].value_counts()
    notes = []
    if len(left):
        notes.append(
            f"{left.sum()} recordings of parts that `split` does not name are left out: "
            f"{', '.join(f'{name} {count}' for name, count in left.items())}"
        )
    if not named.get("validation"):
        notes.append(f"`split` names no validation part: speakers of {', '.join(named['train'])} are held out for it")
    return notes


def _partitions(frame: pd.DataFrame) -> pd.Series:
    names = frame["partition"] if "partition" in frame else pd.Series(None, index=frame.index, dtype=object)
    if names.isna().all():
        raise CorpusError(
            "a split of kind 'column' needs the corpus's own parts, but no recording has one. Give the card a template "
            "such as partition: '{split}', of a field that grammar or table gives, or a table a column `partition`."
        )
    return names.astype(object)


def _check(names: pd.Series, named: NamedParts) -> None:
    counts = names.value_counts()
    there = ", ".join(f"{name} {count}" for name, count in counts.items())
    if not named.get("train"):
        raise CorpusError(f"a split of kind 'column' must name its `train` part; the corpus has {there}.")
    wanted = [name for of in named.values() for name in of]
    for name in wanted:
        if name not in counts.index:
            hint = did_you_mean(name, list(counts.index))
            raise CorpusError(f"no recording is of the part {name!r}; {hint} (the corpus has {there})")
        if wanted.count(name) > 1:
            raise CorpusError(f"split: the part {name!r} must be named once, but stands in two places.")
