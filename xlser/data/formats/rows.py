"""Rows as another toolkit gives them, made into a manifest: the part that all readers share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xlser.corpora.emotions import check_canonical
from xlser.corpora.words import guess_emotion
from xlser.data.formats.cells import cell_number, cell_text, is_inside
from xlser.data.formats.columns import read_sex
from xlser.data.formats.languages import language_tag
from xlser.data.formats.table_paths import NOWHERE, place_paths
from xlser.data.formats.table_reader import TableRows
from xlser.data.formats.table_times import give_ids, timed_rows
from xlser.data.manifest import SCHEMA, Manifest
from xlser.data.scales import to_unit
from xlser.errors import CorpusError
from xlser.printable import NOT_UNICODE, is_unicode, printable
from xlser.vocabulary import DIMENSIONS, NO_AGREEMENT, UNLABELLED

PARTS = {"train": "train", "dev": "validation", "development": "validation", "valid": "validation", "val": "validation"}
PARTS |= {"validation": "validation", "eval": "validation", "test": "test"}
NOBODY = "no speaker"
# What a row must have one of to say anything of an emotion.
LABELS = "|".join(("emotion", "emotion_raw", *DIMENSIONS))
Row = dict[str, Any]


@dataclass(frozen=True)
class About:
    """What a table does not say of itself: the corpus's name, and what holds for rows that are silent on it.

    ``emotions`` maps labels to canonical names and goes before xlser's own list of words; ``scale`` is [low, high] of
    the ratings; ``speaker`` stands for every row without one. Labels that nothing reads are refused, or with
    ``keep_unread`` kept as they are and noted; ``how_to_map`` says in messages how to give them a meaning, and
    ``command`` which command makes a manifest of the table, where the reader itself has no options.
    """

    name: str
    language: str | None = None
    licence: str = "unknown"
    scale: tuple[float, float] | None = None
    emotions: dict[str, str] = field(default_factory=dict)
    speaker: str | None = None
    keep_unread: bool = False
    how_to_map: str = "--emotion LABEL=canonical, such as --emotion A=anger"
    command: str = ""

    def way(self, option: str) -> str:
        """Return how to say what is missing: an option, and the command that has it where this one has none."""
        return (
            f"{self.command} {option} --out {self.name}.parquet, and give {self.name}.parquet"
            if self.command
            else option
        )


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
    places = place_paths((row.get("path") for row in table.rows), base, table.path.name, fixed=fixed, complete=complete)
    there = []
    for row in table.rows:
        text = cell_text(row.get("path"))
        if text is None or text in places.paths:
            there.append(row | {"path": places.paths.get(text or "")})
    said = [*(table.notes() if notes is None else notes), *places.notes]
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
        way += f"; who speaks? If one person does: {about.way('--speaker NAME')}" if NOBODY in out else ""
        raise CorpusError(f"corpus {about.name} in {root}: no row can be used: {counts or 'it is empty'}{way}")
    emotions, unread = _emotions(timed, about)
    made = [_row(row, about, emotions) for row in timed]
    said = [*notes, *said, *unread, *give_ids(made, about.name)]
    frame = _frame(made, about)
    split, unknown = _split(frame["id"], [cell_text(row.get("split")) for row in timed])
    return Imported(Manifest(frame, root, about.name, "", left_out=dict(out), notes=[*said, *unknown]), split)


def _at_fault(row: Row, about: About, out: dict[str, list[str]]) -> bool:
    path = row["path"] = cell_text(row.get("path")) or ""
    row["speaker"] = cell_text(row.get("speaker")) or about.speaker
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
    found = {raw: about.emotions.get(raw) or own.get(raw) or _by_word(raw) for raw in counts}
    unread = [f"{raw!r} ({counts[raw]})" for raw, emotion in found.items() if emotion is None]
    said = f"nobody says what these labels mean: {', '.join(unread[:10])}"
    if unread and not about.keep_unread:
        raise CorpusError(f"corpus {about.name}: {said}. Name each: {about.way(about.how_to_map)}")
    notes = [f"{said}. They are kept as they are; name each: {about.how_to_map}"] if unread else []
    try:
        return {raw: check_canonical(str(emotion)) if emotion else raw for raw, emotion in found.items()}, notes
    except ValueError as error:
        raise CorpusError(f"corpus {about.name}: {error}") from None


def _by_word(raw: str) -> str | None:
    guess = guess_emotion(raw)
    return guess.emotion if guess and guess.sure else None


def _row(row: Row, about: About, emotions: dict[str, str]) -> Row:
    language = cell_text(row.get("language")) or about.language
    if not language:
        raise CorpusError(
            f"corpus {about.name}: no language is given for {row['path']}: add a column `language` of tags such as de, "
            f"or say it: {about.way('--language de')}"
        )
    return row | {
        "corpus": about.name,
        "language": language_tag(language),
        "sex": read_sex(cell_text(row.get("sex"))),
        "emotion": emotions[str(row["emotion_raw"])] if row["emotion_raw"] else row["emotion"],
        **{f"{name}_raw": cell_number(row.get(name), name) for name in DIMENSIONS},
        "text": cell_text(row.get("text")),
        "session": cell_text(row.get("session")),
        "partition": cell_text(row.get("partition")) or cell_text(row.get("split")),
        "votes": cell_text(row.get("votes")),
        "agreement": cell_number(row.get("agreement"), "agreement"),
        "secondary": cell_text(row.get("secondary")),
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
