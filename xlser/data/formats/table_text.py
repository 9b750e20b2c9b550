"""The records of a table, whatever file it is in: cells as they stand, and the line of each record."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xlser.corpora.globbing import walk
from xlser.data.formats.annotations import ANNOTATIONS, annotation_records
from xlser.data.formats.cells import is_inside
from xlser.data.formats.table_options import TableOptions
from xlser.errors import CorpusError
from xlser.jsonfile import parse_lenient
from xlser.machine import pass_on_machine
from xlser.oddfiles import not_a_file

LISTS = (".txt", ".lst")
TEXTS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", *LISTS)
SHEETS = (".xlsx", ".xlsm")
TABLES = (*TEXTS, *SHEETS, ".parquet")
_NO_READER = (".xls", ".ods", ".xlsb", ".numbers")
_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SEPARATORS = ",;\t|"
_NAMED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "bar": "|", "space": " "}
Record = dict[str, Any]


@dataclass
class Records:
    """The records of a table, their headers in order, the line (or row, from 1) of each, and notes on the reading.

    ``separator`` is what parts the cells of a text and ``encoding`` its own, ``bare`` says that it has nothing
    but a path a line.
    """

    records: list[Record]
    heads: list[str]
    lines: list[int]
    separator: str | None = None
    encoding: str | None = None
    bare: bool = False
    notes: list[str] = field(default_factory=list)


def read_records(path: Path, options: TableOptions, is_head: Callable[[list[str]], bool]) -> Records:
    """Return the records of a table: CSV, JSON, JSON lines, Excel, Parquet, or a text with a path a line.

    Annotations of ELAN, Praat and diarisers are tables of segments; a folder stands for those below it.

    Args:
        path: of the file.
        options: encoding and separator.
        is_head: says of the first cells of a text whether they name columns.

    Raises:
        CorpusError: it is missing, in another encoding, no such table, without rows, or a row has more cells than the
            header.
    """
    suffix = path.suffix.lower()
    try:
        if not path.is_dir() and (kind := not_a_file(path)):
            raise ValueError(kind)
        if path.is_dir() or suffix in ANNOTATIONS:
            found = _annotated(path, options)
        elif suffix in SHEETS:
            found = _sheet(path, is_head)
        elif suffix == ".parquet":
            found = _parquet(path)
        elif suffix in _NO_READER:
            raise CorpusError(f"table {path}: {suffix} files are not read. Save it as .xlsx, or as CSV in UTF-8")
        else:
            text, encoding = _decoded(path, options.encoding)
            found = _text(path, text, options.separator, is_head)
            found.encoding = encoding
    except (OSError, ValueError, LookupError, TypeError, csv.Error) as error:
        pass_on_machine(error, f"reading table {path}")
        raise CorpusError(f"cannot read table {path}: {' '.join(str(error).split())}") from error
    if not found.records:
        raise CorpusError(f"table {path} has no rows")
    return found


def separator(text: str) -> str:
    r"""Return the character that cuts the first lines of a table into equally many cells; quoted ones do not count.

    >>> separator('file;label\na.wav;angry, loud'), separator('"file, or path"\tlabel')
    (';', '\t')
    """
    return max(_SEPARATORS, key=lambda mark: _evenness(text, mark))


def _evenness(text: str, mark: str) -> tuple[bool, float, int]:
    """Return whether a character cuts the header at all, how many of the next lines it cuts so too, and into what."""
    rows = [row for row in itertools.islice(csv.reader(io.StringIO(text, newline=""), delimiter=mark), 20) if any(row)]
    cells = len(rows[0]) if rows else 0
    return cells > 1, sum(len(row) == cells for row in rows) / max(1, len(rows)), cells


def _decoded(path: Path, encoding: str | None) -> tuple[str, str]:
    data = path.read_bytes()
    named = encoding or ("utf-16" if data.startswith(_BOMS) else "utf-8-sig")
    try:
        text = data.decode(named)
    except UnicodeError as error:
        way = "try another --encoding" if encoding else "name its encoding: --encoding cp1252, shift_jis ..."
        raise CorpusError(f"table {path} is not {named.removesuffix('-sig')}: {error}; {way}") from error
    except LookupError as error:
        raise CorpusError(f"table {path}: {error}; write --encoding cp1252, utf-16 ...") from error
    if "\0" in text:
        raise CorpusError(f"table {path} holds NUL characters: if it is UTF-16, say so: --encoding utf-16-le")
    return text, named


def _text(path: Path, text: str, mark: str | None, is_head: Callable[[list[str]], bool]) -> Records:
    suffix = path.suffix.lower()
    if suffix in (".jsonl", ".ndjson"):
        numbered = [(n, parse_lenient(line)) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
        return _objects([record for _, record in numbered], [n for n, _ in numbered])
    if suffix == ".json":
        records = _json_records(parse_lenient(text))
        return _objects(records, list(range(1, len(records) + 1)))
    if text[:4].lower() == "sep=":  # how Excel is told of a separator
        line, _, text = text.partition("\n")
        mark = mark or line[4:].strip("\r") or None
        return _cells(path, text, mark, skipped=1)
    if suffix in LISTS and mark is None:
        first = next(csv.reader([text.lstrip().partition("\n")[0]], delimiter=separator(text.lstrip())), [])
        if not is_head(first):
            lines = [(n, line.strip()) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
            return Records([{"path": line} for _, line in lines], ["path"], [n for n, _ in lines], bare=True)
    return _cells(path, text, mark)


def _cells(path: Path, text: str, mark: str | None, skipped: int = 0) -> Records:
    mark = _NAMED.get(mark or "", mark) or separator(text.lstrip())
    if len(mark) != 1:
        raise CorpusError(f"table {path}: a separator is one character, or tab, but is {mark!r}: --separator ';'")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=mark != "\t")
    heads: list[str] = []
    records, lines = [], []
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if not heads:
            heads = _heads([cell.strip() for cell in row], path)
            continue
        if any(cell.strip() for cell in row[len(heads) :]):
            raise CorpusError(
                f"table {path}, line {reader.line_num + skipped}: {len(row)} cells, but the header names {len(heads)}: "
                f"{mark.join(row)}. Quote a cell that holds {mark!r}, or name the separator: --separator"
            )
        records.append(dict(zip(heads, row + [""] * (len(heads) - len(row)), strict=False)))
        lines.append(reader.line_num + skipped)
    return Records(records, heads, lines, mark)


def _heads(cells: list[str], path: Path) -> list[str]:
    while cells and not cells[-1]:
        cells = cells[:-1]
    heads = [cell or f"column {n}" for n, cell in enumerate(cells, 1)]
    twice = next((head for head in heads if heads.count(head) > 1), None)
    if twice is not None:
        raise CorpusError(f"table {path}: two columns are called {twice!r}; rename one of them")
    return heads


def _json_records(data: Any) -> list[Any]:
    """Return the records of JSON: a list of them, such a list under one name, or records by their ids."""
    if isinstance(data, dict) and len(data) == 1 and isinstance(next(iter(data.values())), list):
        data = next(iter(data.values()))
    if isinstance(data, dict) and data and all(isinstance(value, dict) for value in data.values()):
        return [{"id": key} | value for key, value in data.items()]
    if not isinstance(data, list):
        raise ValueError("it must be a list of objects, or an object of them by their ids")
    return data


def _objects(records: list[Any], lines: list[int], notes: Iterable[str] = ()) -> Records:
    bad = next((n for n, record in zip(lines, records, strict=True) if not isinstance(record, dict)), None)
    if bad is not None:
        raise ValueError(f"record {bad} is no JSON object")
    heads = list(dict.fromkeys(str(head) for record in records for head in record))
    return Records(records, heads, lines, notes=list(notes))


def _annotated(path: Path, options: TableOptions) -> Records:
    """Read annotations: one file, or all of one kind below a folder, ELAN's before Praat's."""
    files = annotation_files(path) if path.is_dir() else [path]
    records: list[Record] = []
    heads: dict[str, None] = {}
    notes = []
    for file in files:
        own, names, said = annotation_records(file, options.tier, options.encoding)
        below = file.parent.relative_to(path) if path.is_dir() else Path()
        records += [row | {"path": (below / row["path"]).as_posix()} if is_inside(row["path"]) else row for row in own]
        heads |= dict.fromkeys(names)
        notes += [f"{file.name}: {note}" if file != path else note for note in said]
    return Records(records, list(heads), list(range(1, len(records) + 1)), notes=notes)


def annotation_files(folder: Path) -> list[Path]:
    """Return the annotations below a folder, of the first kind that is there, sorted."""
    names = [name for name in walk(folder) if name.lower().endswith(ANNOTATIONS)]
    kind = next((suffix for suffix in ANNOTATIONS if any(name.lower().endswith(suffix) for name in names)), "?")
    return [folder / name for name in names if name.lower().endswith(kind)]


def _sheet(path: Path, is_head: Callable[[list[str]], bool]) -> Records:
    import pandas as pd

    # Cells as they are: "NA" may be a label, and 3 a speaker, not 3.0.
    sheets = pd.read_excel(path, sheet_name=None, dtype=object, keep_default_na=False, na_values=[""])
    filled = {name: frame.dropna(how="all") for name, frame in sheets.items() if len(frame)}
    if not filled:
        return Records([], [], [])
    fits = [name for name, frame in filled.items() if is_head([str(head) for head in frame.columns])]
    name = (fits or list(filled))[0]
    frame = filled[name].astype(object)
    frame = frame.where(frame.notna(), None)
    heads = _heads(["" if str(head).startswith("Unnamed: ") else str(head).strip() for head in frame.columns], path)
    records = [dict(zip(heads, row, strict=False)) for row in frame.itertuples(index=False, name=None)]
    others = [other for other in filled if other != name]
    notes = [f"sheet {name!r} of {path.name} is read, not {', '.join(map(repr, others))}"] if others else []
    return Records(records, heads, [int(n) + 2 for n in frame.index], notes=notes)


def _parquet(path: Path) -> Records:
    import pyarrow as pa

    try:
        records = list(parquet_records(path))
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error
    return _objects(records, list(range(1, len(records) + 1)))


def parquet_records(path: Path) -> Iterator[Record]:
    """Yield the rows of a Parquet file: of audio its path alone, and the words of a label's numbers."""
    import pyarrow.parquet as pq

    from xlser.data.formats.arrow_types import class_names, light_columns, word

    table = pq.ParquetFile(path)
    words = class_names(table.schema_arrow)
    for batch in table.iter_batches(4096, columns=light_columns(table.schema_arrow)):
        for record in batch.to_pylist():
            yield {name: word(value, words.get(name, [])) for name, value in record.items()}
