"""SpeechBrain's JSON manifests: what `DynamicItemDataset.from_json` reads."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from xlser.data.manifest import Manifest
from xlser.ownfiles import OwnFiles
from xlser.vocabulary import DIMENSIONS

_PARTS = {"train": "train", "validation": "valid", "test": "test"}
_COLUMNS = {"emotion": "emo", "speaker": "spk_id", "language": "lang", "sex": "gender", "text": "wrd"}


def speechbrain_records(manifest: Manifest, *, movable: bool = True) -> dict[str, dict]:
    """Return ``{id: {wav, start, stop, length, emo, spk_id, lang, gender, wrd, valence ..., channel}}``.

    ``wav`` begins with ``{data_root}``, which SpeechBrain fills from ``replacements``, or with the manifest's folder
    if not ``movable``. Times are seconds; ratings are on [-1, 1]; what is not known is left out.
    """
    root = "{data_root}" if movable else manifest.root.as_posix()
    return {row["id"]: _record(row, root) for row in manifest.frame.to_dict("records")}


def write_speechbrain(
    manifest: Manifest, folder: str | Path, *, split: dict[str, list[str]] | None = None, movable: bool = True
) -> list[Path]:
    """Write ``<card>.json``, or ``train.json``, ``valid.json`` and ``test.json`` of a split, and return their paths.

    Raises:
        XlserError: the folder cannot be written.
        KeyError: an id of the split that the manifest does not hold.
    """
    records = speechbrain_records(manifest, movable=movable)
    parts = {_PARTS[part]: {i: records[i] for i in ids} for part, ids in (split or {}).items()}
    paths = []
    for name, rows in (parts or {manifest.card: records}).items():
        paths.append(Path(folder) / f"{name}.json")
        OwnFiles(folder).write(f"{name}.json", json.dumps(rows, ensure_ascii=False, indent=1))
    return paths


def _record(row: dict, root: str) -> dict:
    record = {"wav": f"{root}/{row['path']}", "start": row["start"], "stop": row["end"], "length": row["duration"]}
    record |= {name: row[column] for column, name in _COLUMNS.items() if row[column] is not None}
    # Which channel is not said by SpeechBrain's own keys; without it a call's two sides would be one voice.
    return record | {name: row[name] for name in (*DIMENSIONS, "channel") if pd.notna(row[name])}
