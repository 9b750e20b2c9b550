"""Which column of a table names the recordings, where no heading says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from xlser.corpora.globbing import AUDIO_SUFFIXES
from xlser.corpora.words import guess_emotion
from xlser.data.formats.cells import cell_text
from xlser.data.formats.columns import find_columns
from xlser.data.formats.table_options import TableOptions
from xlser.data.formats.table_text import LISTS, TABLES, Records, read_records
from xlser.data.init_encoding import with_encoding
from xlser.errors import CorpusError

_MOST = 200


def seen_records(table: Path, options: TableOptions) -> Records | None:
    """Return what a table holds, whatever its headings; None where it cannot be read, or is a list of one column."""
    try:
        found = read_records(table, with_encoding(options, table), lambda cells: len(cells) > 1)
    except CorpusError:
        return None
    return found if len(found.heads) > 1 or table.suffix.lower() not in LISTS else None


def with_paths(options: TableOptions, table: Path) -> TableOptions:
    """Return the options with the column of paths where no heading names it and the cells of one are names of audio.

    Raises:
        CorpusError: the first line of the table names no columns: it is a recording's.
    """
    found = seen_records(table, options) if table.suffix.lower() in TABLES else None
    if found is None:
        return options
    check_headings(table, found.heads)
    if "path" in options.columns or "path" in find_columns(found.heads, options.columns).heads:
        return options
    head = _of_cells(found, is_recording)
    return options if head is None else replace(options, columns={**options.columns, "path": head})


def check_headings(table: Path, heads: Sequence[str]) -> None:
    """Refuse a table without a line of headings, whose first row would be lost.

    Raises:
        CorpusError: a heading is the name of an audio file.
    """
    row = next(filter(is_recording, heads), None)
    if row is not None:
        raise CorpusError(
            f"table {table}: no line names its columns; the first, with {row!r}, is a recording's. Write one above it, "
            "such as file,speaker,emotion (a word for each column), and give the table again"
        )


def likely_column(found: Records, role: str) -> str | None:
    """Return the header whose cells are names of recordings, or words for emotions; None where there is none."""
    looks = {"path": is_recording, "emotion": _is_emotion}
    return _of_cells(found, looks[role]) if role in looks else None


def is_recording(text: str) -> bool:
    """Whether a text is the name of an audio file."""
    return PurePosixPath(text).suffix.lower() in AUDIO_SUFFIXES


def _is_emotion(text: str) -> bool:
    guess = guess_emotion(text)
    return guess is not None and guess.sure


def _of_cells(found: Records, looks: Callable[[str], bool]) -> str | None:
    fits = (head for head in found.heads if _all(looks, (cell_text(row.get(head)) for row in found.records[:_MOST])))
    return next(fits, None)


def _all(looks: Callable[[str], bool], texts: Iterable[str | None]) -> bool:
    there = [text for text in texts if text]
    return bool(there) and all(map(looks, there))
