"""One reader of tables for `init`, `import` and `predict`: rows by role, and everything that was not read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from xlser.corpora.globbing import AUDIO_SUFFIXES
from xlser.corpora.times import read_time
from xlser.corpora.words import guess_emotion
from xlser.data.formats.annotations import ANNOTATIONS
from xlser.data.formats.cells import cell_text
from xlser.data.formats.columns import TIMES, Columns, find_columns
from xlser.data.formats.table_options import TableOptions
from xlser.data.formats.table_text import Record, Records, read_records
from xlser.errors import CorpusError
from xlser.vocabulary import DIMENSIONS

_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
_NUMBERS = (*DIMENSIONS, *TIMES)


@dataclass(frozen=True)
class TableRows:
    """A table as rows: ``rows`` by role (see `xlser.data.formats.columns`), the cells as they stand.

    ``records`` are the same rows by header, ``lines`` their lines in the file (rows of a sheet, records of JSON, from
    1), ``columns`` say which header is which role's, in which unit its times are, and which headers are not read.
    ``separator`` is None where no text was cut, ``encoding`` where it is no text; ``bare`` says that it is a list with
    nothing but a path a line.
    """

    path: Path
    rows: list[Record]
    records: list[Record]
    lines: list[int]
    columns: Columns
    separator: str | None = None
    encoding: str | None = None
    bare: bool = False
    reading: list[str] = field(default_factory=list)

    @property
    def heads(self) -> dict[str, str]:
        """The header of each role that the table has."""
        return self.columns.heads

    @property
    def unread(self) -> list[str]:
        """The headers that are not read."""
        return [*self.columns.unread, *(head for heads in self.columns.second.values() for head in heads)]

    def notes(self, read: Sequence[str] = ()) -> list[str]:
        """Return a sentence on each thing that is in the file and not read, but for the headers ``read``."""
        left = replace(self.columns, unread=[head for head in self.columns.unread if head not in read])
        return [f"{self.path.name}: {note}" for note in (*self.reading, *left.notes())]

    def span(self, number: int, rate: float | None = None) -> tuple[float, float | None]:
        """Return start and end of a row's segment in seconds; see `row_span`.

        Raises:
            CorpusError: a time that cannot be read; it names the line.
        """
        try:
            return row_span(self.rows[number], self.columns.units, rate)
        except CorpusError as error:
            raise CorpusError(f"table {self.path}, line {self.lines[number]}: {error}") from None


def read_rows(path: str | Path, options: TableOptions | None = None, needed: Sequence[str] = ("path",)) -> TableRows:
    """Read a table of whatever kind `xlser.data.formats.table_text` knows.

    Args:
        path: of the file.
        options: what the user says of it.
        needed: roles that must be there; ``emotion|valence`` is met by either.

    Raises:
        CorpusError: see `read_records` and `find_columns`; or a role that is needed has no column.
    """
    path, options = Path(path).expanduser(), options or TableOptions()
    named = set(options.columns.values())
    found = read_records(path, options, lambda cells: bool(named & set(cells)) or "path" in find_columns(cells).heads)
    return rows_of(path, found, options, needed)


def rows_of(path: Path, found: Records, options: TableOptions, needed: Sequence[str]) -> TableRows:
    """Return records as rows by role; see `read_rows`."""
    try:
        columns = find_columns(found.heads, options.columns)
    except CorpusError as error:
        raise CorpusError(f"table {path}: {error}") from None
    comma, heads = found.separator not in (None, ","), columns.heads.items()
    rows = [{role: _cell(role, record.get(head), comma) for role, head in heads} for record in found.records]
    kind = (found.separator, found.encoding, found.bare)
    table = TableRows(path, rows, found.records, found.lines, columns, *kind, found.notes)
    check_needed(table, needed)
    return table


def row_span(row: Record, units: Mapping[str, str | None], rate: float | None = None) -> tuple[float, float | None]:
    """Return start and end of a row's segment in seconds; the end is None where the row has none.

    A duration beside a start gives the end; without one it is the clip's own length and does not count. A number
    whose header names no unit is in the unit of the start's header, or in seconds.

    Args:
        row: cells of start, end and duration, as they stand.
        units: what the headers name, of `Columns`.
        rate: samples per second of the recording, for times in samples.

    Raises:
        CorpusError: a cell is no time, or an end and a duration do not agree (50 ms are allowed).

    >>> row_span({"start": "500", "duration": "0:02"}, {"start": "milliseconds", "duration": None})
    (0.5, 2.5)
    """
    start, end, duration = (_time(row, role, units, rate) for role in TIMES)
    if "start" not in row:
        return 0.0, end
    if duration is not None:
        begin = start or 0.0
        if end is not None and abs(begin + duration - end) > 0.05:
            raise CorpusError(f"start {begin:g} and duration {duration:g} do not give the end {end:g}")
        end = begin + duration if end is None else end
    return start or 0.0, end


def _time(row: Record, role: str, units: Mapping[str, str | None], rate: float | None) -> float | None:
    unit = units.get(role) or units.get("start") or "seconds"
    if not units.get(role) and unit == "clock":
        unit = "seconds"
    try:
        return read_time(row.get(role), unit, rate)
    except ValueError as error:
        raise CorpusError(f"{role} {row.get(role)!r}: {error}") from None


def check_needed(table: TableRows, needed: Sequence[str]) -> None:
    """Refuse a table that lacks a column.

    Raises:
        CorpusError: a role of ``needed`` has no column; ``emotion|valence`` is met by either.
    """
    missing = [roles.partition("|")[0] for roles in needed if not set(roles.split("|")) & set(table.heads)]
    if not missing:
        return
    heads = list(dict.fromkeys(head for record in table.records[:1] for head in record))
    like = _likely(table, missing[0], heads)
    way = f"Name it: --column {missing[0]}={like!r}; if no line names the columns, add one that does"
    if table.path.suffix.lower() == ".rttm":
        way = "An .rttm says who speaks when, and nothing of emotions: it is a list of segments for predict"
    elif table.path.is_dir() or table.path.suffix.lower() in ANNOTATIONS:
        way = f"Name the tiers that have it: --tier NAME{''.join(f' ({note})' for note in table.reading)}"
    raise CorpusError(
        f"table {table.path} has no column of {' or of '.join(missing)}; its columns: {', '.join(heads)}. {way}"
    )


def _likely(table: TableRows, role: str, heads: Sequence[str]) -> str:
    """Return the header whose cells look most like what is missed: words for emotions, or names of recordings."""
    looks = {
        "emotion": lambda text: (guess := guess_emotion(text)) is not None and guess.sure,
        "path": lambda text: PurePosixPath(text).suffix.lower() in AUDIO_SUFFIXES,
    }
    sample = table.records[:200]
    fits = {
        head: sum(bool(text) and looks[role](text) for text in (cell_text(row.get(head)) for row in sample))
        for head in heads
        if role in looks
    }
    return max(fits, key=lambda head: fits[head]) if any(fits.values()) else heads[-1]


def _cell(role: str, value: Any, comma: bool) -> Any:
    if role == "path" and isinstance(value, dict):  # audio as `datasets` writes it
        value = value.get("path")
    text = cell_text(value) if isinstance(value, str) else None
    if comma and role in _NUMBERS and text and _DECIMAL_COMMA.fullmatch(text):
        return text.replace(",", ".")
    return value
