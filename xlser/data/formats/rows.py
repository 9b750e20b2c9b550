"""Rows as another toolkit gives them, made into a manifest: the part that all readers share."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from xlser.corpora.emotions import check_canonical
from xlser.corpora.globbing import nfc
from xlser.corpora.words import guess_emotion
from xlser.data.audio import AudioFault, AudioInfo
from xlser.data.formats.cells import cell_number, cell_text, is_inside
from xlser.data.formats.columns import read_sex
from xlser.data.formats.languages import language_tag
from xlser.data.headers import read_headers
from xlser.data.manifest import SCHEMA, Manifest
from xlser.data.scales import to_unit
from xlser.errors import CorpusError
from xlser.vocabulary import DIMENSIONS

PARTS = {"train": "train", "dev": "validation", "development": "validation", "valid": "validation", "val": "validation"}
PARTS |= {"validation": "validation", "eval": "validation", "test": "test"}
# A segment may end this much (seconds) behind its file: tables are rounded.
_SLACK = 0.05
Row = dict[str, object]


@dataclass(frozen=True)
class About:
    """What a table does not say of itself: the corpus's name, and what holds for rows that are silent on it.

    ``emotions`` maps labels to canonical names and goes before xlser's own list of words; ``scale`` is [low, high] of
    the ratings; ``speaker`` stands for every row without one. Labels that nothing reads are refused, or with
    ``keep_unread`` kept as they are and noted; ``how_to_map`` says in messages how to give them a meaning.
    """

    name: str
    language: str | None = None
    licence: str = "unknown"
    scale: tuple[float, float] | None = None
    emotions: dict[str, str] = field(default_factory=dict)
    speaker: str | None = None
    keep_unread: bool = False
    how_to_map: str = "--emotion LABEL=canonical, such as --emotion A=anger"


@dataclass
class Imported:
    """A manifest, and the split that came with it: ids by part, or None."""

    manifest: Manifest
    split: dict[str, list[str]] | None = None


def import_rows(rows: list[Row], root: Path, about: About, left_out: dict[str, list[str]] | None = None) -> Imported:
    """Return the manifest of rows with ``path`` and any of the roles of `xlser.data.formats.columns`.

    Rows are left out, named and counted, whose path leads out of ``root``, that have no label or no speaker, or whose
    audio is missing, broken or shorter than the segment. Labels are kept as they are and read by ``about.emotions``,
    then by word.

    Raises:
        CorpusError: labels that nothing reads, ratings without a scale, outside it or no numbers, no language, an id
            that stands twice; or no row is left.
    """
    out: dict[str, list[str]] = defaultdict(list, left_out or {})
    usable = [row for row in rows if not _at_fault(row, about, out)]
    headers = read_headers(root, {str(row["path"]) for row in usable})
    timed = [made for row in usable if (made := _timed(row, headers[str(row["path"])], out))]
    if not timed:
        counts = "; ".join(f"{len(paths)} {reason}" for reason, paths in out.items()) or "it is empty"
        raise CorpusError(f"corpus {about.name} in {root}: no row can be used: {counts}")
    emotions, notes = _emotions(timed, about)
    frame = _frame([_row(row, about, emotions) for row in timed], about)
    split = _split(frame["id"], [row.get("split") for row in timed])
    return Imported(Manifest(frame, root, about.name, "", left_out=dict(out), notes=notes), split)


def _at_fault(row: Row, about: About, out: dict[str, list[str]]) -> bool:
    path = row["path"] = cell_text(row.get("path")) or ""
    row["emotion_raw"] = cell_text(row.get("emotion_raw")) or cell_text(row.get("emotion"))
    row["speaker"] = cell_text(row.get("speaker")) or about.speaker
    if not is_inside(path):
        reason = "path leads out of the folder" if path else "no path"
    elif not row["emotion_raw"]:
        reason = "no emotion label"
    elif not row["speaker"]:
        reason = "no speaker"
    else:
        return False
    out[reason].append(path)
    return True


def _timed(row: Row, info: AudioInfo | AudioFault, out: dict[str, list[str]]) -> Row | None:
    if isinstance(info, AudioFault):
        out[str(info).partition(":")[0].partition(" (")[0]].append(str(row["path"]))
        return None
    start, end = cell_number(row.get("start"), "start") or 0.0, cell_number(row.get("end"), "end")
    end = info.duration if end is None else min(end, info.duration) if end <= info.duration + _SLACK else end
    if not 0 <= start < end <= info.duration:
        out["segment outside the file"].append(str(row["path"]))
        return None
    times = {"start": start, "end": end, "duration": end - start}
    return row | times | {"sample_rate": info.sample_rate, "channels": info.channels, "_whole": info.duration}


def _emotions(rows: list[Row], about: About) -> tuple[dict[str, str], list[str]]:
    """Return what every label means, and notes on those that nothing reads."""
    counts = Counter(str(row["emotion_raw"]) for row in rows)
    # Our own tables come with the canonical name beside the raw one.
    own = {
        str(row["emotion_raw"]): cell_text(row.get("emotion"))
        for row in rows
        if row["emotion_raw"] != row.get("emotion")
    }
    found = {raw: about.emotions.get(raw) or own.get(raw) or _by_word(raw) for raw in counts}
    unread = [f"{raw!r} ({counts[raw]})" for raw, emotion in found.items() if emotion is None]
    said = f"nobody says what these labels mean: {', '.join(unread[:10])}"
    if unread and not about.keep_unread:
        raise CorpusError(f"corpus {about.name}: {said}. Name each: {about.how_to_map}")
    notes = [f"{said}. They are kept as they are; name each: {about.how_to_map}"] if unread else []
    try:
        return {raw: check_canonical(emotion) if emotion else raw for raw, emotion in found.items()}, notes
    except ValueError as error:
        raise CorpusError(f"corpus {about.name}: {error}") from None


def _by_word(raw: str) -> str | None:
    guess = guess_emotion(raw)
    return guess.emotion if guess and guess.sure else None


def _row(row: Row, about: About, emotions: dict[str, str]) -> Row:
    language = cell_text(row.get("language")) or about.language
    if not language:
        raise CorpusError(
            f"corpus {about.name}: no language is given for {row['path']}: add a column `language` of tags such as de"
        )
    whole = row["start"] == 0 and row["end"] == row["_whole"]
    stem = nfc(str(PurePosixPath(str(row["path"])).with_suffix("")))
    made = f"{about.name}/{stem}" + ("" if whole else f"#{row['start']:.3f}-{row['end']:.3f}")
    return row | {
        "id": cell_text(row.get("id")) or made,
        "corpus": about.name,
        "language": language_tag(language),
        "sex": read_sex(cell_text(row.get("sex"))),
        "emotion": emotions[str(row["emotion_raw"])],
        **{f"{name}_raw": cell_number(row.get(name), name) for name in DIMENSIONS},
        "text": cell_text(row.get("text")),
        "session": cell_text(row.get("session")),
        "channel": cell_number(row.get("channel"), "channel"),
        "licence": cell_text(row.get("licence")) or about.licence,
    }


def _frame(rows: list[Row], about: About) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    twice = frame["id"][frame["id"].duplicated()]
    if len(twice):
        raise CorpusError(f"corpus {about.name}: {len(twice)} ids stand twice, such as {twice.iloc[0]!r}")
    for name in DIMENSIONS:
        raw = frame[f"{name}_raw"] = frame[f"{name}_raw"].astype(float)
        frame[name] = _scaled(raw, name, about)
    frame = frame.reindex(columns=SCHEMA.names)
    texts = frame.columns[[str(kind.type) == "string" for kind in SCHEMA]]
    frame[texts] = frame[texts].astype(object).where(frame[texts].notna(), None)
    return frame


def _scaled(raw: pd.Series, name: str, about: About) -> np.ndarray | float:
    if raw.isna().all():
        return np.nan
    if about.scale is None:
        raise CorpusError(f"corpus {about.name} has ratings of {name}, but no scale: --scale LOW HIGH, such as 1 5")
    low, high = about.scale
    outside = raw[(raw < low) | (raw > high)]
    if len(outside):
        raise CorpusError(f"corpus {about.name}: {name} {outside.iloc[0]:g} is outside the scale [{low:g}, {high:g}]")
    return to_unit(raw.to_numpy(), about.scale)


def _split(ids: pd.Series, parts: list[object]) -> dict[str, list[str]] | None:
    split: dict[str, list[str]] = {}
    for row_id, part in zip(ids, parts, strict=True):
        if name := PARTS.get(str(part).strip().lower()):
            split.setdefault(name, []).append(row_id)
    return split or None
