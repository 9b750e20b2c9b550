"""Side tables of labels and ratings, read with the blemishes such files have and joined by path."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from xlser.corpora.globbing import AUDIO_SUFFIXES, nfc
from xlser.corpora.matching import Matches, match_paths
from xlser.corpora.parts import Table, placeholders
from xlser.corpora.raters import RATER, combined, read_cells, where_in
from xlser.corpora.segments import Segment, TimeColumns, check_unit, time_columns_of
from xlser.corpora.table_files import read_frame
from xlser.corpora.unread import refuse_channels, refuse_segments
from xlser.errors import CorpusError, did_you_mean

# What a table may write behind a file name; anything else behind a dot belongs to the name.
_SUFFIXES = AUDIO_SUFFIXES | {".avi", ".flv", ".mkv", ".mov", ".txt"}
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")


@dataclass
class SideTable:
    """A table with a row for each recording, or for each segment of one.

    ``values`` maps the key of a row to ``{column: text}``; ``unused`` starts as every key and loses those that audio
    asked for. Where rows are segments, ``parts`` has, for the key of a recording, each segment's own key. ``written``
    are paths as the table has them, by the key of their recording; once `match` was called, they are found by path,
    and before that by file name. ``unread`` are headers that the card does not name, ``untimed`` the paths of rows
    without a start or an end, ``incomplete`` those of rows without a label, ``doubled`` counts rows that say again
    what another one says, ``remarks`` are further sentences on it.
    """

    path: Path
    values: dict[str, dict[str, str]]
    empty_rows: int = 0
    unused: set[str] = field(default_factory=set)
    parts: dict[str, dict[Segment, str]] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    untimed: list[str] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)
    doubled: int = 0
    remarks: list[str] = field(default_factory=list)
    matches: Matches | None = None
    _by_file: dict[str, str] = field(default_factory=dict)
    _unlabelled: frozenset[str | None] = frozenset()

    def add(self, key: str, row: dict[str, str], path: Path, written: str = "", segment: Segment | None = None) -> None:
        """Take in a row of ``path``, where its key is ``written`` so, and which is about a ``segment`` or about all.

        Raises:
            CorpusError: there is another row with this key, and it says something else.
        """
        self.written.setdefault(key, written or key)
        if segment is not None:
            recording, key = key, f"{key}{segment.text() or '#all'}"
            self.parts.setdefault(recording, {})[segment] = key
        self.doubled += key in self.values
        self.unused.add(key)
        if self.values.setdefault(key, row) != row:
            where = f" for {segment.text()}" if segment and segment.text() else ""
            raise CorpusError(
                f"table {path} gives {written or key!r} twice{where}, once {self.values[key]} and once {row}. If "
                "there is a row for each of its raters, say so in the card: table.votes: {rater: THEIR COLUMN}, or "
                "votes: rows"
            )

    def match(self, files: Sequence[str], root: Path, by_name: bool = False) -> None:
        """Find the rows of recordings by their paths below ``root``; `take` and `rows_of` go by that from now on.

        With ``by_name`` keys are names, and the folders that stand in front of them in the table are not compared.
        """
        if by_name or not self.written:  # a hook's keys are names
            self.written = {key: key for key in self.written or self.values}
        self.matches = match_paths(list(self.written.values()), files, root)
        pairs = zip(self.written, self.matches.files, strict=True)
        self._by_file = {file: key for key, file in pairs if file is not None}
        names = [row_key(text) for text in self.incomplete] if by_name else self.incomplete
        self._unlabelled = frozenset(match_paths(names, files, root).files)

    def lacks_label(self, name: str) -> bool:
        """Say whether an audio file has a row that says nothing of it, and no other."""
        return name in self._unlabelled

    def take(self, name: str) -> dict[str, str] | None:
        """Return the row for an audio file, or None; the row counts as used."""
        return self.take_key(self._key_of(name))

    def take_key(self, key: str) -> dict[str, str] | None:
        """Return the row with a key as `row_key` or `join_key` writes it, or None; the row counts as used."""
        self.unused.discard(key)
        return self.values.get(key)

    def rows_of(self, name: str, key: str | None = None) -> list[tuple[dict[str, str], Segment | None]]:
        """Return the rows for an audio file (or with a ``key``), each with its segment, in their order in time."""
        key = self._key_of(name) if key is None else key
        parts = sorted(self.parts.get(key, {}).items())
        self.unused.difference_update(own for _, own in parts)
        whole = self.take_key(key)
        return [(self.values[own], segment) for segment, own in parts] or ([] if whole is None else [(whole, None)])

    def _key_of(self, name: str) -> str:
        return self._by_file.get(name, "") if self.matches else row_key(name)


def join_key(text: str) -> str:
    """Return what two spellings of one path have in common.

    >>> join_key(" train\\\\a/01.WAV ")
    'train/a/01'
    """
    path = nfc(str(text)).strip().replace("\\", "/")
    head, dot, tail = path.rpartition(".")
    return (head if dot + tail.lower() in _SUFFIXES else path).lower()


def row_key(name: str) -> str:
    """Return what two spellings of one file name have in common.

    >>> row_key("wav/SF1_F6_H06.WAV") == row_key(" SF1_F6_H06 ")
    True
    """
    return join_key(name).rsplit("/", 1)[-1]


def read_table(table: Table, *paths: Path) -> SideTable:
    """Read ``table`` from the files it is made of.

    Incomplete rows are counted and passed over: those without a key, and those without a label, a vote or a rating,
    or, where the table holds none of these, without any of its values.

    Raises:
        CorpusError: a needed column is missing, a key stands twice with different values, or it cannot be decoded.
    """
    found = SideTable(paths[0] if len(paths) == 1 else paths[0].parent / Path(table.file).name, {})
    rows: _Several = {}
    for path in paths:
        _read_into(found, table, path, rows)
    for (key, segment), several in rows.items():  # a row for each rater
        written = found.written[key]
        found.add(key, combined(several, where_in(found.path, written)), found.path, written, segment)
    return found


_Several = dict[tuple[str, Segment | None], list[dict[str, str]]]


def _read_into(found: SideTable, table: Table, path: Path, rows: _Several) -> None:
    frame = read_frame(table, path)
    heads = {str(head).strip().lower(): head for head in reversed(frame.columns)}
    key_heads, key = _key(table, heads, path)
    columns = {name: _head(heads, spellings, path) for name, spellings in table.columns.items()}
    votes = {name: _head(heads, spellings, path) for name, spellings in _vote_columns(table).items()}
    _note_unread(found, table, path, frame, {*key_heads, *columns.values(), *votes.values()})
    complete = _complete(frame.dropna(subset=key_heads), columns, list(votes.values()) * (not table.by_rater))
    found.empty_rows += len(frame) - len(complete)
    found.incomplete += frame.drop(complete.index)[key_heads[0]].dropna().astype(str).tolist()
    times = time_columns_of(table, columns, path, frame[columns["channel"]] if "channel" in columns else ())
    if times and times.zero:
        found.remarks.append("channels count from 0: 0 is the first one")
    segments = []
    for record in complete.fillna("").to_dict("records"):
        row, written = _cells(record, columns, table), record[key_heads[0]]
        segment = _segment(times, row, path, written) if times else None
        if times and segment is None:
            found.untimed.append(written)
            continue
        if times and segment:
            segments.append(segment)
            row |= times.cells(segment)
        if table.votes:
            row |= read_cells(table.votes, record, votes, where_in(path, written))
        if table.by_rater:
            found.written.setdefault(key(record), written)
            rows.setdefault((key(record), segment), []).append(row)
        else:
            found.add(key(record), row, path, written, segment)
    if times is not None:
        check_unit(times, segments, path)


def _cells(record: dict[str, str], columns: dict[str, str], table: Table) -> dict[str, str]:
    row = {name: record[head].strip() for name, head in columns.items()}
    if table.separator == ",":
        return row
    # Where a comma does not part cells, it is the decimal comma of a number.
    return {
        name: cell.replace(",", ".") if name.endswith("_raw") and _DECIMAL_COMMA.fullmatch(cell) else cell
        for name, cell in row.items()
    }


def _complete(frame: pd.DataFrame, columns: dict[str, str], votes: list[str]) -> pd.DataFrame:
    """Return the rows that say something of a recording: a label, a vote or a rating; else all that they should."""
    said = [head for name, head in columns.items() if name == "emotion" or name.endswith("_raw")] + votes
    return frame.dropna(subset=said, how="all") if said else frame.dropna(subset=list(columns.values()))


def _vote_columns(table: Table) -> dict[str, tuple[str, ...]]:
    """Return spellings of the columns of votes, by the label or the number of the rater that they stand for."""
    if table.votes is None:
        return {}
    if table.votes.rows:
        return {RATER: table.votes.rater} if table.votes.rater else {}
    if isinstance(table.votes.columns, dict):
        return table.votes.columns
    return {str(number): (head,) for number, head in enumerate(table.votes.columns)}


def _segment(times: TimeColumns, row: dict[str, str], path: Path, written: str) -> Segment | None:
    try:
        return times.read(row)
    except ValueError as error:
        raise CorpusError(f"table {path}, row of {written}: {error}. `times` in the card names the unit.") from None


def _note_unread(found: SideTable, table: Table, path: Path, frame: pd.DataFrame, read: set[str]) -> None:
    """Keep which columns nobody reads; refuse those by which rows are not about whole recordings."""
    ignored = {head.strip().lower() for head in table.ignore}
    others = [str(head) for head in frame.columns if head not in read and str(head).strip().lower() not in ignored]
    unread = [head for head in others if not head.startswith("Unnamed:")]
    refuse_segments(path, unread, table.columns)
    if "channel" not in table.columns:
        refuse_channels(path, frame, unread)
    found.unread = tuple(dict.fromkeys([*found.unread, *unread]))


def _key(table: Table, heads: dict[str, str], path: Path) -> tuple[list[str], Callable[[dict], str]]:
    """Return the columns that a row's key is made of, and how."""
    template = table.key[0]
    names = [name for name in placeholders(template) if name != "table"]
    if not placeholders(template):
        head = _head(heads, table.key, path)
        clean = row_key if table.match == "name" else join_key
        return [head], lambda record: clean(record[head])
    used = {name: _head(heads, (name,), path) for name in names}
    return list(used.values()), lambda record: join_key(
        template.format(table=path.stem, **{name: record[head].strip() for name, head in used.items()})
    )


def _head(heads: dict[str, str], spellings: tuple[str, ...], path: Path) -> str:
    for spelling in spellings:
        if spelling.strip().lower() in heads:
            return heads[spelling.strip().lower()]
    whole = next(iter(heads.values())) if len(heads) == 1 else ""
    other = next((mark for mark in (";", "\t", ",", "|") if mark in whole), None)
    hint = f"its header is one column, {whole!r}: set `separator: {other!r}`" if other else None
    raise CorpusError(
        f"table {path} has no column {' or '.join(map(repr, spellings))}; "
        f"{hint or did_you_mean(spellings[0].lower(), heads)}"
    )
