"""A manifest as an audformat database: db.yaml and its tables, which audformat, audb and nkululeko read."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from xlser.data.formats.languages import iso3
from xlser.data.formats.media import lay_beside
from xlser.data.headers import read_headers
from xlser.data.manifest import Manifest
from xlser.errors import CorpusError
from xlser.ownfiles import OwnFiles
from xlser.vocabulary import DIMENSIONS

# What a CSV reader takes for an empty cell.
_LOOKS_EMPTY = {
    "",
    "NA",
    "N/A",
    "n/a",
    "NaN",
    "nan",
    "-NaN",
    "-nan",
    "null",
    "NULL",
    "None",
    "none",
    "<NA>",
    "#N/A",
    "#NA",
}
_SPLIT_TYPES = {"train": "train", "validation": "dev", "test": "test"}
_TEXTS = ("emotion_raw", "language", "text", "session", "id", "licence")


def write_audformat(
    manifest: Manifest,
    folder: str | Path,
    *,
    scale: tuple[float, float] | None = None,
    split: dict[str, list[str]] | None = None,
    source: str = "",
    usage: str = "research",
    audio: Literal["link", "copy", "none"] = "link",
) -> Path:
    """Write ``manifest`` as an audformat database into ``folder`` and return the path of its db.yaml.

    One table ``utterances`` (or one for each part of ``split``) holds emotion, the raw label, speaker, the ratings on
    the corpus's own scale, text and session; the misc table ``speaker`` holds the sexes. It is filewise where every row
    is a whole file, segmented otherwise. Tables are CSV, or Parquet where a text such as NA would come back as missing.
    Recordings are laid beside it as hard links (copies where the disk cannot), copies, or not at all.

    Args:
        manifest: one corpus.
        folder: where to write; the manifest's own folder needs no audio laid beside it.
        scale: [low, high] of the ratings; without it, it is worked out from the raw and the scaled ratings.
        split: ids by part (train, validation, test).
        source: where the corpus comes from.
        usage: commercial, other, research, restricted or unrestricted.
        audio: what to do with the recordings.

    Raises:
        CorpusError: a row of one channel (audformat has no word for it), a speaker with two sexes, a scale that nothing
            tells, a split with an unknown id, a usage that audformat does not know, a recording that is not there,
            another database in ``folder``.
        XlserError: ``folder`` cannot be written.
    """
    folder, frame = Path(folder), manifest.frame
    if (folder / "db.yaml").exists() and not OwnFiles(folder).holds("db.yaml"):
        raise CorpusError(
            f"{folder} holds a db.yaml that xlser did not write, or that was changed since: it is left alone. Give "
            "another folder, or move that away."
        )
    if frame["channel"].notna().any():
        raise CorpusError(
            f"corpus {manifest.card} has rows of one channel of a recording, which an audformat database cannot say: "
            "write each channel into a file of its own first"
        )
    database = _header(manifest, source, usage)
    _add_schemes(database, frame, scale)
    _add_speakers(database, frame)
    parts = {
        f"utterances.{part}": (part, frame[frame["id"].isin(_known(frame, ids))]) for part, ids in (split or {}).items()
    }
    for name, (part, rows) in (parts or {"utterances": (None, frame)}).items():
        _add_table(database, name, part, rows, manifest.root)
    if audio != "none" and folder.resolve() != manifest.root.resolve():
        lay_beside(manifest, folder, link=audio == "link")
    _save(database, folder, _storage(frame))
    return folder / "db.yaml"


def _header(manifest: Manifest, source: str, usage: str) -> Any:
    import audformat

    frame = manifest.frame
    languages = sorted({iso3(tag) for tag in frame["language"]})
    licences = frame["licence"].unique()
    try:
        database = audformat.Database(manifest.card, source=source, usage=usage, languages=languages)
    except ValueError as error:
        raise CorpusError(f"corpus {manifest.card} as audformat database: {' '.join(str(error).split())}") from error
    database.license = licences[0] if len(licences) == 1 else None
    rates, channels = frame["sample_rate"].unique(), frame["channels"].unique()
    if len(rates) == len(channels) == 1:
        database.media["audio"] = audformat.Media(sampling_rate=int(rates[0]), channels=int(channels[0]))
    return database


def _add_schemes(database: Any, frame: pd.DataFrame, scale: tuple[float, float] | None) -> None:
    import audformat

    database.schemes["emotion"] = audformat.Scheme("str", labels=sorted(frame["emotion"].unique()))
    for name in (name for name in _TEXTS if frame[name].notna().any()):
        database.schemes[name] = audformat.Scheme("str")
    rated = [name for name in DIMENSIONS if frame[f"{name}_raw"].notna().any()]
    low, high = (scale or _scale(frame, rated)) if rated else (0, 0)
    for name in rated:
        database.schemes[name] = audformat.Scheme("float", minimum=float(low), maximum=float(high))


def _scale(frame: pd.DataFrame, rated: list[str]) -> tuple[float, float]:
    """Work out [low, high] from raw ratings and the same on [-1, 1]: two different ones are enough."""
    raw = np.concatenate([frame[f"{name}_raw"].dropna() for name in rated])
    unit = np.concatenate([frame.loc[frame[f"{name}_raw"].notna(), name] for name in rated])
    if np.ptp(raw) == 0 or np.ptp(unit) == 0:
        raise CorpusError("all ratings are the same, so that their scale cannot be told: give `scale`, such as (1, 5)")
    slope = np.ptp(raw) / np.ptp(unit)
    middle = raw.min() - slope * unit.min()
    return round(float(middle - slope), 9), round(float(middle + slope), 9)


def _add_speakers(database: Any, frame: pd.DataFrame) -> None:
    import audformat

    sexes = frame.dropna(subset=["sex"]).groupby("speaker")["sex"].unique()
    both = sexes[sexes.map(len) > 1]
    if len(both):
        raise CorpusError(f"{len(both)} speaker(s) with two sexes, such as {both.index[0]}: correct the card first")
    speakers = sorted(frame["speaker"].unique())
    database.schemes["sex"] = audformat.Scheme("str", labels=["female", "male"])
    table = audformat.MiscTable(pd.Index(speakers, name="speaker", dtype="string"))
    database["speaker"] = table
    table["sex"] = audformat.Column(scheme_id="sex")
    table["sex"].set([sexes[name][0] if name in sexes else None for name in speakers])
    database.schemes["speaker"] = audformat.Scheme("str", labels="speaker")


def _add_table(database: Any, name: str, part: str | None, frame: pd.DataFrame, root: Path) -> None:
    import audformat

    if part:
        database.splits[part] = audformat.Split(_SPLIT_TYPES[part])
    table = audformat.Table(_index(frame, root), split_id=part)
    database[name] = table
    for column in (column for column in ("emotion", "speaker", *DIMENSIONS, *_TEXTS) if column in database.schemes):
        table[column] = audformat.Column(scheme_id=column)
        values = frame[f"{column}_raw" if column in DIMENSIONS else column]
        table[column].set(values.where(values.notna(), None).tolist())


def _index(frame: pd.DataFrame, root: Path) -> pd.Index:
    import audformat

    headers = read_headers(root, frame["path"][frame["start"] == 0])
    whole = [
        start == 0 and abs(getattr(headers[path], "duration", end) - end) < 1e-6
        for path, start, end in zip(frame["path"], frame["start"], frame["end"], strict=True)
    ]
    if all(whole):
        return audformat.filewise_index(frame["path"].tolist())
    ends = pd.to_timedelta(frame["end"].where(~np.array(whole)), unit="s")
    return audformat.segmented_index(frame["path"].tolist(), pd.to_timedelta(frame["start"], unit="s"), ends)


def _known(frame: pd.DataFrame, ids: list[str]) -> list[str]:
    unknown = set(ids) - set(frame["id"])
    if unknown:
        raise CorpusError(f"the split names {len(unknown)} ids that the manifest does not hold, such as {min(unknown)}")
    return ids


def _storage(frame: pd.DataFrame) -> str:
    texts = pd.concat([frame[name] for name in ("speaker", "emotion", "path", *_TEXTS)])
    return "parquet" if texts.isin(_LOOKS_EMPTY).any() else "csv"


def _save(database: Any, folder: Path, storage: str) -> None:
    """Write the tables first and db.yaml last, each whole; never in place of another database."""
    own = OwnFiles(folder)
    with tempfile.TemporaryDirectory() as made:
        database.save(made, storage_format=storage)
        for path in sorted(Path(made).iterdir(), key=lambda path: path.name == "db.yaml"):
            with own.replacing(path.name) as temporary:
                shutil.copyfile(path, temporary)
