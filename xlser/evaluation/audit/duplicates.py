"""Recordings that are there twice: the same samples, or the same sound shifted, louder or coded anew."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from xlser.data.audio import SILENCE_PEAK
from xlser.evaluation.audit.fingerprint import THRESHOLD, similarity
from xlser.evaluation.audit.measure import KEY, Measured
from xlser.evaluation.audit.sound import decode
from xlser.store.datastore import Datastore
from xlser.vocabulary import UNNAMED

# Enough for all but one of 480 altered copies among 1,415 files (see `summary`).
NEIGHBOURS = 6


def exact_groups(measured: Iterable[Measured]) -> list[dict]:
    """Return the groups of recordings with the same samples, across all corpora that were measured.

    Files whose checksums meet are decoded once more and compared by SHA-256. Silent recordings are all alike and are
    left to the audit of levels. Returns dicts with ``ids`` (sorted, two or more) and ``sha256``, by their ids.
    """
    table = pd.concat([one.table for one in measured])
    table = table[table["peak"] >= SILENCE_PEAK]
    groups = []
    for _, rows in table.groupby(list(KEY)):
        if len(rows) > 1:
            digests = [decode(*part).digest() for part in rows["excerpt"]]
            groups += [
                {"ids": sorted(same.index), "sha256": digest} for digest, same in rows.groupby(digests) if len(same) > 1
            ]
    return sorted(groups, key=lambda group: group["ids"])


def near_pairs(
    measured: list[Measured], exact: list[dict], *, threshold: float = THRESHOLD, neighbours: int = NEIGHBOURS
) -> list[dict]:
    """Return pairs that sound alike though their samples differ, most alike first.

    Each recording is compared with its nearest neighbours by `summary` (one of a group of exact duplicates stands
    for all). Returns dicts with ``ids`` (two), ``similarity`` in [threshold, 1] and ``shift`` in seconds: by how much
    later the first id has what both have.
    """
    places = [(one, row) for one in measured for row in range(len(one.table))]
    names = [one.table.index[row] for one, row in places]
    copies = {name for group in exact for name in group["ids"][1:]}
    loud = np.concatenate([one.table["peak"].to_numpy() >= SILENCE_PEAK for one in measured]) if measured else []
    kept = [i for i, name in enumerate(names) if name not in copies and loud[i]]
    if len(kept) < 2:
        return []
    summaries = np.concatenate([one.summaries for one in measured])[kept]
    found = []
    for i, j in _candidates(summaries, min(neighbours, len(kept) - 1)):
        (one, a), (other, b) = places[kept[i]], places[kept[j]]
        score, shift = similarity(one.moves(a), other.moves(b))
        if score >= threshold:
            found.append({"ids": [names[kept[i]], names[kept[j]]], "similarity": score, "shift": shift})
    return sorted(found, key=lambda pair: (-pair["similarity"], pair["ids"]))


def with_labels(groups: list[dict], frame: pd.DataFrame) -> list[dict]:
    """Add to each group the ``emotions``, ``speakers`` and ``corpora`` of its ids, and ``conflicts``: which differ.

    ``frame`` has a row for each id, speakers told apart between corpora.
    """
    rows = frame.set_index("id")
    told = []
    for group in groups:
        mine = rows.loc[group["ids"]]
        values = {f"{name}s": mine[name].tolist() for name in ("emotion", "speaker")}
        values["emotions"] = [f"({name})" if name in UNNAMED else name for name in values["emotions"]]
        values["corpora"] = mine["corpus"].tolist()
        # Numbers of speakers mean nothing between corpora: only within one can they disagree.
        differs = {name: mine[name].nunique() > 1 for name in ("emotion", "sex")}
        differs["emotion"] = mine["emotion"][~mine["emotion"].isin(UNNAMED)].nunique() > 1
        differs["speaker"] = bool(mine.groupby("corpus")["speaker"].nunique().max() > 1)
        conflicts = [name for name in ("emotion", "speaker", "sex") if differs[name]]
        told.append(group | values | {"paths": mine["path"].tolist(), "conflicts": conflicts})
    return told


def _candidates(summaries: np.ndarray, neighbours: int) -> list[tuple[int, int]]:
    spread = summaries.std(axis=0)
    scaled = (summaries - summaries.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    names = [str(row) for row in range(len(scaled))]
    _, positions = Datastore(scaled, names).search(scaled, neighbours, exclude_ids=names)
    return sorted({(min(i, int(j)), max(i, int(j))) for i, row in enumerate(positions) for j in row})
