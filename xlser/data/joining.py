"""Several manifests as one: ``emodb+ravdess``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from xlser.data.manifest import Manifest
from xlser.errors import CorpusError

_OWN = ("id", "speaker", "session", "path")  # what two corpora may both call by one name


def join_manifests(manifests: Sequence[Manifest]) -> Manifest:
    """Put manifests one behind the other; ids, speakers, sessions and paths get their corpus's name before them.

    Raises:
        CorpusError: two have one name, or one was put together before: a name of a name says nothing.
    """
    names = [manifest.card for manifest in manifests]
    for name in names:
        if names.count(name) > 1 or "+" in name:
            reason = "is there twice" if names.count(name) > 1 else "was put together before"
            raise CorpusError(f"{' and '.join(names)} cannot be put together: {name} {reason}. Name each of them once.")
    left_out: dict[str, list[str]] = {}
    for manifest in manifests:
        for reason, paths in manifest.left_out.items():
            left_out.setdefault(reason, []).extend(f"{manifest.card}/{path}" for path in paths)
    return replace(
        manifests[0],
        frame=pd.concat([_prefixed(manifest) for manifest in manifests], ignore_index=True),
        card="+".join(names),
        card_hash="+".join(manifest.card_hash for manifest in manifests),
        synthetic=any(manifest.synthetic for manifest in manifests),
        left_out=left_out,
        notes=[f"{manifest.card}: {note}" for manifest in manifests for note in manifest.notes],
        roots={manifest.card: manifest.root for manifest in manifests},
    )


def part_manifests(manifest: Manifest) -> list[Manifest]:
    """Return what a manifest was put together of, as each was before; itself where it was not."""
    if not manifest.roots:
        return [manifest]
    return [_part(manifest, name) for name in manifest.roots]


def _part(manifest: Manifest, name: str) -> Manifest:
    rows, start = manifest.frame[manifest.frame["corpus"] == name], f"{name}/"
    bare = {column: _texts(value and str(value).removeprefix(start) for value in rows[column]) for column in _OWN}
    names, hashes = manifest.card.split("+"), manifest.card_hash.split("+")
    return replace(
        manifest,
        frame=rows.assign(**bare).reset_index(drop=True),
        root=manifest.roots[name],
        roots={},
        card=name,
        card_hash=dict(zip(names, hashes, strict=True))[name],
        left_out={
            reason: own
            for reason, paths in manifest.left_out.items()
            if (own := [path.removeprefix(start) for path in paths if path.startswith(start)])
        },
        notes=[note.removeprefix(f"{name}: ") for note in manifest.notes if note.startswith(f"{name}: ")],
    )


def _prefixed(manifest: Manifest) -> pd.DataFrame:
    frame, name = manifest.frame, manifest.card
    return frame.assign(
        **{
            column: _texts(value if pd.isna(value) else f"{name}/{value}" for value in frame[column])
            for column in _OWN
            if column in frame
        }
    )


def _texts(values: Iterable[object]) -> np.ndarray:
    """Return a column of texts, None where there is none, of one kind whatever the version of pandas."""
    return np.array([None if pd.isna(value) else value for value in values], dtype=object)
