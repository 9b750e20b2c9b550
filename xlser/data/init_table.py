"""A first card for a table of labels: which of its columns say what, and where its recordings are."""

from __future__ import annotations

import glob
import math
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from xlser.corpora.matching import match_paths
from xlser.corpora.scan import Scan
from xlser.corpora.tables import row_key
from xlser.corpora.times import unit_of_header
from xlser.data.formats.cells import cell_text
from xlser.data.formats.columns import read_sexes
from xlser.data.formats.languages import language_tag
from xlser.data.formats.rows import LABELS
from xlser.data.formats.table_options import TableOptions
from xlser.data.formats.table_reader import TableRows, read_rows
from xlser.data.formats.table_text import LISTS, TABLES
from xlser.data.init_draft import CHECK, Draft, attempt, emotion_lines, nobody_lines, quoted, some
from xlser.data.init_encoding import said, with_encoding
from xlser.data.init_paths import with_paths
from xlser.data.init_votes import FoundVotes, find_votes
from xlser.data.placing import BACKWARDS, OUTSIDE
from xlser.errors import CorpusError
from xlser.vocabulary import DIMENSIONS

_TAKEN = ("emotion", "speaker", "sex", "text", "session")


class _Way(NamedTuple):
    """One way to read the times of a table: columns, lines of the table, and what its user should check."""

    columns: dict[str, str]
    lines: list[str]
    check: list[str]


def table_draft(
    table: Path, root: Path, files: list[str], options: TableOptions, head: Callable[[list[str]], str]
) -> Draft:
    """Return the first card of a table.

    Args:
        table: the file.
        root: the corpus folder.
        files: paths of its recordings.
        options: what the user says of the table.
        head: gives the lines that the card begins with, for the languages of the table.

    Raises:
        CorpusError: no column of paths or of labels; none of its paths is one of the recordings; or no card that could
            be guessed reads the folder.
    """
    given, options = options, with_paths(with_encoding(options, table), table)
    read = read_rows(table, options)
    votes = find_votes(read)
    if votes is None or not votes.stand_alone:
        read = read_rows(table, options, ("path", LABELS))
    draft = Draft("", [f"{table.name}: {len(read.rows)} rows; {_named(read)}"], [*read.reading, *said(given, options)])
    if "path" in options.columns and "path" not in given.columns:
        draft.check.append(f"path: {options.columns['path']!r} names the recordings, by its cells")
    columns, rest = _columns(read, votes, draft)
    lines = _table_lines(table, root, read, files) + (votes.lines if votes else [])
    failures = []
    for way in _ways(read):
        mapped = [f"  columns: {quoted(columns | way.columns)}", *(f"  {line}" for line in way.lines)]
        text = head(draft.languages) + "\n".join([*_audio(files), "table:", *lines, *mapped, *rest]) + "\n"
        try:
            found = attempt(text, root)
        except CorpusError as error:
            failures.append(error)
            continue
        if _fits(found):
            draft.text = text
            draft.check += [*way.check, *found.notes]
            return _described(draft, found)
        failures.append(CorpusError(f"{table.name}: most of its segments are no part of their recordings"))
    raise failures[0]


def tables_in(root: Path, files: list[str], options: TableOptions) -> dict[Path, TableRows]:
    """Return the tables beside recordings, or in a folder there, that name some of them and say something of each."""
    found = {}
    for path in table_paths(root):
        try:
            read = read_rows(path, with_paths(with_encoding(options, path), path), ("path", LABELS))
            _table_lines(path, root, read, files)
        except CorpusError:
            continue
        found[path] = read
    return found


def table_paths(root: Path) -> list[Path]:
    """Return what may be tables of labels in a folder and in its folders: lists of one column are none."""
    paths = sorted(path for pattern in ("*", "*/*") for path in root.glob(pattern) if path.is_file())
    kinds = {*TABLES} - {*LISTS}
    return [path for path in paths if path.suffix.lower() in kinds and not path.name.startswith(".")]


def _named(read: TableRows) -> str:
    return "columns " + ", ".join(f"{role} = {head!r}" for role, head in read.heads.items())


def _audio(files: list[str]) -> list[str]:
    suffixes = sorted({PurePosixPath(path).suffix.lower() for path in files})
    return [f"audio: {quoted([f'**/*{suffix}' for suffix in suffixes])}", "grammar: '(?P<file>.+)'"]


def _columns(read: TableRows, votes: FoundVotes | None, draft: Draft) -> tuple[dict[str, str], list[str]]:
    """Return the card's columns but for times, and the lines that stand beside the table."""
    heads = read.heads
    columns = {role: heads[role] for role in _TAKEN if role in heads}
    if "emotion_raw" in heads:
        columns["emotion"] = heads["emotion_raw"]
    columns |= {f"{role}_raw": heads[role] for role in DIMENSIONS if role in heads}
    columns |= {role: heads[role] for role in ("channel", "split") if role in heads}
    ids = _texts(read, "id")
    if "start" in heads and ids and len(set(ids)) == len(read.rows):
        columns["id"] = heads["id"]
    lines = _languages(read, columns, draft)
    lines += ['partition: "{split}"'] if "split" in columns else []
    lines += [f'{role}: "{{{role}}}"' for role in ("text", "session") if role in columns]
    lines += [] if "speaker" in columns else nobody_lines(draft)
    codes = set(_texts(read, "emotion_raw" if "emotion_raw" in heads else "emotion"))
    codes |= set(votes.codes) if votes else set()
    lines += emotion_lines(sorted(codes), draft) if codes else []
    sexes = read_sexes(sorted(set(_texts(read, "sex"))))
    if any(sexes.values()):
        lines.append(f"sex: {quoted(sexes)}")
    else:
        columns.pop("sex", None)
    return columns, lines + _dimensions(read, draft)


def _texts(read: TableRows, role: str) -> list[str]:
    return [text for row in read.rows if (text := cell_text(_whole(row.get(role))))]


def _whole(cell: Any) -> Any:
    """Return a cell as a card reads it: a spreadsheet's 3.0 is 3."""
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def _languages(read: TableRows, columns: dict[str, str], draft: Draft) -> list[str]:
    said = sorted(set(_texts(read, "language")))
    try:
        tags = sorted({language_tag(text) for text in said})
    except CorpusError as error:
        draft.check.append(f"languages: the column {read.heads['language']!r} is not read: {error}")
        return []
    draft.languages = tags
    if len(tags) > 1 and tags == said:
        columns["language"] = read.heads["language"]
        return ['language: "{language}"']
    if len(tags) > 1:
        draft.languages = []
        draft.check.append(f"languages: write tags into the column {read.heads['language']!r}: {', '.join(tags)}")
    return []


def _dimensions(read: TableRows, draft: Draft) -> list[str]:
    values = [number for row in read.rows for role in DIMENSIONS if (number := _number(row.get(role))) is not None]
    if not values:
        return []
    # Outwards to whole numbers: a mean of three raters has more digits than anybody writes.
    low, high = math.floor(min(values)), math.ceil(max(values))
    draft.check.append(
        f"dimensions: the ratings lie in [{min(values):.4g}, {max(values):.4g}]; write the ends of their scale"
    )
    return [f"dimensions: {{scale: [{low}, {high if high > low else low + 1}]}}{CHECK}"]


def _number(cell: Any) -> float | None:
    try:
        number = float(str(cell).strip())
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _table_lines(table: Path, root: Path, read: TableRows, files: list[str]) -> list[str]:
    path = table.resolve()
    name = path.relative_to(root.resolve()).as_posix() if path.is_relative_to(root.resolve()) else path.as_posix()
    where = (
        ""
        if path.is_relative_to(root.resolve())
        else "  # keep this card beside it, or name its folder in XLSER_TABLES"
    )
    lines = [f"  file: {quoted(glob.escape(name))}{where}", f"  key: {quoted(read.heads['path'])}"]
    lines += [f"  separator: {quoted(read.separator)}"] if read.separator else []
    lines += [f"  encoding: {quoted(read.encoding)}"] if read.encoding not in (None, "utf-8-sig") else []
    texts = sorted(set(_texts(read, "path")))
    if any(match_paths(texts, files, root).files):
        return lines
    if any(match_paths([row_key(text) for text in texts], files, root).files):
        return [*lines, "  match: name"]
    raise CorpusError(
        f"table {table}: none of its {len(texts)} paths, such as {texts[0] if texts else 'none'}, is one of the "
        f"{len(files)} recordings below {root}, such as {files[0]}. Name the folder that holds them: --root FOLDER"
    )


def _ways(read: TableRows) -> Iterator[_Way]:
    """Yield the ways to read the times of a table, the likeliest first."""
    heads = read.heads
    stop = next((role for role in ("end", "duration") if role in heads), None)
    if "start" not in heads or stop is None:
        yield _Way({}, [], [])
        return
    columns, others = {"start": heads["start"], stop: heads[stop]}, []
    if stop == "end" and "duration" in heads:
        others = [f"ignore: {quoted([heads['duration']])}"]
    units = {role: read.columns.units.get(role) for role in ("start", stop)}
    if any(units.values()):
        wanted = next(unit for unit in units.values() if unit)
        spelt = all(unit_of_header(heads[role]) == units[role] for role in units)
        yield _Way(columns, others + ([] if spelt else [f"times: {wanted}"]), [])
    else:
        named = " and ".join(repr(head) for head in columns.values())
        yield _Way(columns, others, [f"times: no header names a unit; {named} are read as seconds (or as clocks)"])
        for unit in ("milliseconds", "samples"):
            yield _Way(columns, [*others, f"times: {unit}"], [f"times: {named} fit the recordings as {unit}"])
    elsewhere = [heads[role] for role in ("start", "end", "duration") if role in heads]
    yield _Way(
        {},
        [f"ignore: {quoted(elsewhere)}"],
        [f"times: {' and '.join(map(repr, elsewhere))} are outside the recordings, which are taken to be cut already"],
    )


def _fits(found: Scan) -> bool:
    outside = sum(len(found.left_out.get(reason, [])) for reason in (OUTSIDE, BACKWARDS))
    return outside <= len(found.rows)


def _described(draft: Draft, found: Scan) -> Draft:
    recordings, speakers = {row["path"] for row in found.rows}, {row["speaker"] for row in found.rows}
    parts = f"{len(found.rows)} segments of " if len(found.rows) > len(recordings) else ""
    draft.guessed.append(f"read with this card: {parts}{len(recordings)} recordings, {len(speakers)} speaker(s)")
    draft.check += [f"{len(paths)} left out, {reason}: {some(paths, 3)}" for reason, paths in found.left_out.items()]
    return draft
