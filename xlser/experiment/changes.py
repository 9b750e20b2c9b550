"""What of a run's inputs is another than when its folder was computed, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xlser.experiment.run_inputs import (
    CONTENT,
    FILE,
    OF,
    STAMP,
    RunInputs,
    content_of,
    read_inputs,
    write_inputs,
)
from xlser.vocabulary import DIMENSIONS

_SHOWN = 3
# What a difference in some columns is called. A path is no input: a moved folder holds the same recordings.
_KINDS: dict[str, tuple[str, ...]] = {
    "labels": ("emotion", "emotion_raw", "votes", "agreement", "secondary"),
    "ratings": tuple(f"{name}{end}" for name in DIMENSIONS for end in ("", "_raw")),
    "speakers": ("speaker", "sex"),
    "languages": ("language",),
    "parts of the official split": ("partition",),
    "text, session or licence": ("text", "session", "licence"),
    "start, end or channel": ("start", "end", "duration", "file_duration", "channel"),
    "sample rate or channels": ("sample_rate", "channels"),
}
_OF_THE_FILE = ("start, end or channel", "sample rate or channels")


def changed(out: Path, inputs: RunInputs) -> list[str]:
    """Return what has changed since the run in a folder began (see `changes`); empty too where it does not say.

    Where nothing has but where recordings lie or when they were written, the folder learns that, so that the next look
    reads none of them.
    """
    old = read_inputs(out)
    if old is None:
        return []
    found = changes(old, inputs)
    if not found and old.whole and not inputs.table[[*STAMP]].equals(old.table[[*STAMP]]):
        write_inputs(inputs, out)
    return found


def changes(old: RunInputs, new: RunInputs) -> list[str]:
    """Return a sentence for everything that differs, empty where nothing does.

    Recordings are read where their stamp is another one, or says nothing, and ``new`` gets the contents of all. One
    that could be opened then, and cannot be at present, counts as unchanged: that passes.
    """
    if old.whole:
        _read_what_moved(old.table, new.table)
    said = []
    for name in dict.fromkeys([*old.table[OF], *new.table[OF]]):
        was, now = (inputs.table[inputs.table[OF] == name].set_index("id") for inputs in (old, new))
        of_one = [*_of_facts(old.facts.get(name, {}), new.facts.get(name, {}))]
        now = now[~now["path"].isin(old.unread.get(name, ()))]
        of_one += _of_rows(was, now, new.unread.get(name, set()), old.whole)
        said += [f"{name}: {text}" for text in of_one]
    return said + (_of_checkpoints(old.checkpoints, new.checkpoints) if old.whole else [])


def _read_what_moved(old: pd.DataFrame, new: pd.DataFrame) -> None:
    columns = [OF, "id", *STAMP]
    before = dict(zip(old[columns].itertuples(index=False, name=None), old[CONTENT], strict=True))
    known: dict[str, str | None] = {}
    for file, row in zip(new[FILE], new[columns].itertuples(index=False, name=None), strict=True):
        if file not in known:
            same = before.get(row) if row[-1] >= 0 else None
            known[file] = same if isinstance(same, str) else content_of(file)
    new[CONTENT] = [known[file] for file in new[FILE]]


def _of_facts(was: dict[str, Any], now: dict[str, Any]) -> list[str]:
    return [f"{key} was {was[key]!r}, now {now[key]!r}" for key in was if key in now and was[key] != now[key]]


def _of_rows(was: pd.DataFrame, now: pd.DataFrame, unread: set[str], recordings: bool) -> Iterator[str]:
    """Yield what differs in the rows of a corpus, index the ids, but for those in ``unread``, which were there."""
    if more := [name for name in now.index if name not in was.index]:
        yield f"{_some(more)} more"
    if gone := [name for name, path in was["path"].items() if name not in now.index and path not in unread]:
        yield f"{_some(gone)} fewer"
    common = was.index[was.index.isin(now.index)]
    if list(common) != list(now.index[now.index.isin(was.index)]):
        yield "the utterances stand in another order"
    was, now = was.loc[common], now.loc[common]
    replaced = np.zeros(len(common), dtype=bool)
    if recordings:
        replaced = (now[CONTENT].notna() & (was[CONTENT] != now[CONTENT])).to_numpy()
    if replaced.any():
        yield f"recordings of {_some(common[replaced])} replaced"
    for kind, columns in _KINDS.items():
        differs = _differing(was, now, columns) & ~(replaced & (kind in _OF_THE_FILE))
        if differs.any():
            yield f"{kind} of {_some(common[differs])} changed" + _moves(was[differs], now[differs], kind)


def _differing(was: pd.DataFrame, now: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Return which rows differ in one of the columns that both tables have, (N,) bool."""
    differs = np.zeros(len(was), dtype=bool)
    for column in columns:
        if column in was and column in now:
            one, other = was[column], now[column]
            differs |= ~((one == other) | (one.isna() & other.isna())).to_numpy()
    return differs


def _moves(was: pd.DataFrame, now: pd.DataFrame, kind: str) -> str:
    """Return which labels became which, the most frequent first, where that is what changed."""
    pairs = Counter((a, b) for a, b in zip(was["emotion"], now["emotion"], strict=True) if a != b)
    if kind != "labels" or not pairs:
        return ""
    shown = ", ".join(f"{a} -> {b}: {count}" for (a, b), count in pairs.most_common(_SHOWN))
    return f" ({shown}{', ...' * (len(pairs) > _SHOWN)})"


def _of_checkpoints(was: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[str]:
    return [
        f"checkpoint {new['weights']}: its files are others" for old, new in zip(was, now, strict=False) if old != new
    ]


def _some(names: Sequence[str]) -> str:
    more = f", ... {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{len(names)} utterance{'s' * (len(names) > 1)} ({', '.join(names[:_SHOWN])}{more})"
