"""Rows as another toolkit gives them, made into a manifest: the part that all readers share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from xlser.corpora.namesakes import UNKNOWN_NAMES, speaker_of
from xlser.data.formats.about import About
from xlser.data.formats.cells import cell_number, cell_text, is_inside
from xlser.data.formats.columns import read_sex
from xlser.data.formats.languages import language_tag
from xlser.data.formats.table_paths import NOWHERE, place_paths
from xlser.data.formats.table_reader import TableRows, check_needed
from xlser.data.formats.table_times import give_ids, timed_rows
from xlser.data.formats.table_votes import beside_label, checked_votes, with_votes
from xlser.data.manifest import SCHEMA, Manifest
from xlser.data.scales import to_unit
from xlser.errors import CorpusError
from xlser.printable import NOT_UNICODE, is_unicode, printable
from xlser.vocabulary import DIMENSIONS, NO_AGREEMENT, UNLABELLED

PARTS = {"train": "train", "dev": "validation", "development": "validation", "valid": "validation", "val": "validation"}
PARTS |= {"validation": "validation", "eval": "validation", "test": "test"}
NOBODY = "no speaker"
# What a row must have one of to say anything of an emotion.
LABELS = "|".join(("emotion", "emotion_raw", "votes", *DIMENSIONS))
Row = dict[str, Any]


@dataclass
class Imported:
    """A manifest, and the split that came with it: ids by part, or None."""

    manifest: Manifest
    split: dict[str, list[str]] | None = None


def import_table(
    table: TableRows,
    base: Path,
    about: About,
    *,
    fixed: bool = False,
    complete: bool = True,
    notes: Sequence[str] | None = None,
) -> Imported:
    """Return the manifest of a table whose paths start from ``base``.

    Args:
        table: with a path and a label, ratings or votes in a row.
        base: see `place_paths`.
        about: what the table does not say.
        fixed: the user named ``base``: what is not below it is not there.
        complete: all recordings below ``base`` are meant: a note tells those that no row names.
        notes: on how it was read, if they are not the table's own.

    Raises:
        CorpusError: see `import_rows`; it names what became of the paths.
    """
    voted = with_votes(table, about)
    if not voted.read:
        check_needed(table, (LABELS,))
    places = place_paths((row.get("path") for row in voted.rows), base, table.path.name, fixed=fixed, complete=complete)
    there = []
    for row in voted.rows:
        text = cell_text(row.get("path"))
        if text is None or text in places.paths:
            there.append(row | {"path": places.paths.get(text or "")})
    said = [*(table.notes(voted.read) if notes is None else notes), *voted.notes, *places.notes]
    return import_rows(there, places.root, about, places.left_out, units=table.columns.units, notes=said)


def import_rows(
    rows: list[Row],
    root: Path,
    about: About,
    left_out: dict[str, list[str]] | None = None,
    *,
    units: Mapping[str, str | None] | None = None,
    notes: Sequence[str] = (),
) -> Imported:
    """Return the manifest of rows with ``path`` and any of the roles of `xlser.data.formats.columns`.

    Rows are left out, named and counted, whose path leads out of ``root``, that have no speaker, or neither label nor
    rating, or whose audio is missing, broken or shorter than the segment. Labels are kept as they are and read by
    ``about.emotions``, then by word. A row with ratings alone is ``unlabelled``.

    Args:
        rows: cells by role; they are changed.
        root: the folder of their paths.
        about: what holds for all of them.
        left_out: paths that are left out already, by the reason.
        units: of times, by the role (see `xlser.data.formats.columns.Columns`); seconds unless a cell says otherwise.
        notes: what is known of them already.

    Raises:
        CorpusError: labels that nothing reads, ratings without a scale, outside it or no numbers, no language, a
            segment that stands twice; or no row is left.
    """
    out: dict[str, list[str]] = defaultdict(list, left_out or {})
    usable = [row for row in rows if not _at_fault(row, about, out)]
    timed, said = timed_rows(usable, root, units or {}, out)
    if not timed:
        counts = "; ".join(f"{len(paths)} {reason}, such as {paths[0]}" for reason, paths in out.items())
        way = f"; where are the recordings? {about.way('--root FOLDER')}" if NOWHERE in out else ""
        if NOBODY in out:
            language = "" if about.language or any(row.get("language") for row in rows) else " --language de"
            way += f"; who speaks? If one person does: {about.way('--speaker NAME' + language)}"
        raise CorpusError(f"corpus {about.name} in {root}: no row can be used: {counts or 'it is empty'}{way}")
    unknown = len({row["speaker"] for row in timed if row["speaker"].startswith("unknown:")})
    said += [f"{unknown} recording(s) of speakers called Unknown count as a speaker each"] if unknown else []
    emotions, unread = _emotions(timed, about)
    made = [_row(row, about, emotions) for row in timed]
    said = [*notes, *said, *unread, *give_ids(made, about.name)]
    frame = _frame(made, about)
    split, others = _split(frame["id"], [cell_text(row.get("split")) for row in timed])
    return Imported(Manifest(frame, root, about.name, "", left_out=dict(out), notes=[*said, *others]), split)


def _at_fault(row: Row, about: About, out: dict[str, list[str]]) -> bool:
    path = row["path"] = cell_text(row.get("path")) or ""
    row["speaker"] = _speaker(cell_text(row.get("speaker")), path) or about.speaker
    if not is_unicode(path):
        path, reason = printable(path), NOT_UNICODE
    elif not is_inside(path):
        reason = "path leads out of the folder" if path else "no path"
    elif not _has_label(row):
        reason = "no emotion label"
    elif not row["speaker"]:
        reason = NOBODY
    else:
        return False
    out[reason].append(path)
    return True


def _speaker(name: str | None, path: str) -> str | None:
    """Return who speaks: a name such as Unknown stands for many people, of whom each recording has its own."""
    return speaker_of(name, "{speaker}", str(PurePosixPath(path).with_suffix("")) if path else "", None, UNKNOWN_NAMES)


def _has_label(row: Row) -> bool:
    """Read a row's label, as it is written and as it may be given beside that; False where there is nothing at all."""
    emotion, raw = cell_text(row.get("emotion")), cell_text(row.get("emotion_raw"))
    if raw is None and emotion not in (UNLABELLED, NO_AGREEMENT):
        raw, emotion = emotion, None
    if raw is None and emotion is None and any(cell_text(row.get(name)) for name in DIMENSIONS):
        emotion = UNLABELLED
    row |= {"emotion": emotion, "emotion_raw": raw or ""}
    return bool(raw or emotion)


def _emotions(rows: list[Row], about: About) -> tuple[dict[str, str], list[str]]:
    """Return what every label means, and notes on those that nothing reads."""
    counts = Counter(str(row["emotion_raw"]) for row in rows if row["emotion_raw"])
    # Our own tables come with the canonical name beside the raw one.
    own = {str(row["emotion_raw"]): row["emotion"] for row in rows if row["emotion"] != row["emotion_raw"]}
    return about.meanings(counts, own)


def _row(row: Row, about: About, emotions: dict[str, str]) -> Row:
    language = cell_text(row.get("language")) or about.language
    if not language:
        raise CorpusError(
            f"corpus {about.name}: no language is given for {row['path']}: add a column `language` of tags such as de, "
            f"or say it: {about.way('--language de')}"
        )
    emotion = emotions[str(row["emotion_raw"])] if row["emotion_raw"] else row["emotion"]
    return row | {
        "corpus": about.name,
        "language": language_tag(language),
        "sex": read_sex(cell_text(row.get("sex"))),
        "emotion": emotion,
        **{f"{name}_raw": cell_number(row.get(name), name) for name in DIMENSIONS},
        "text": cell_text(row.get("text")),
        "session": cell_text(row.get("session")),
        "partition": cell_text(row.get("partition")) or cell_text(row.get("split")),
        "votes": checked_votes(row.get("votes")),
        "agreement": cell_number(row.get("agreement"), "agreement"),
        "secondary": cell_text(row.get("secondary")),
        **beside_label(row | {"emotion": emotion}),
        "licence": cell_text(row.get("licence")) or about.licence,
    }


def _frame(rows: list[Row], about: About) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    for name in DIMENSIONS:
        raw = frame[f"{name}_raw"] = frame[f"{name}_raw"].astype(float)
        frame[name] = _scaled(raw, name, about)
    frame = frame.reindex(columns=SCHEMA.names).astype({"channel": float, "agreement": float})
    texts = frame.columns[[str(kind.type) == "string" for kind in SCHEMA]]
    frame[texts] = frame[texts].astype(object).where(frame[texts].notna(), None)
    return frame


def _scaled(raw: pd.Series, name: str, about: About) -> np.ndarray | float:
    if raw.isna().all():
        return np.nan
    if about.scale is None:
        raise CorpusError(f"corpus {about.name} has ratings of {name}, but no scale: {about.way('--scale 1 5')}")
    low, high = about.scale
    outside = raw[(raw < low) | (raw > high)]
    if len(outside):
        raise CorpusError(f"corpus {about.name}: {name} {outside.iloc[0]:g} is outside the scale [{low:g}, {high:g}]")
    return to_unit(raw.to_numpy(), about.scale)


def _split(ids: pd.Series, parts: list[str | None]) -> tuple[dict[str, list[str]] | None, list[str]]:
    """Return the ids of each part that recipes know, and a note on parts of other names."""
    split: dict[str, list[str]] = {}
    others: Counter = Counter()
    for row_id, part in zip(ids, parts, strict=True):
        if name := PARTS.get(str(part).strip().lower()):
            split.setdefault(name, []).append(row_id)
        elif part is not None:
            others[part] += 1
    named = ", ".join(f"{part} ({count})" for part, count in others.most_common(8))
    note = f"parts that are neither train, validation nor test stay in the column `partition`: {named}"
    return split or None, [note] if others else []
