"""The file of a side table, whatever kind it is, as texts in columns."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from xlser.corpora.parts import Table, placeholders
from xlser.errors import CorpusError
from xlser.jsonfile import parse_lenient
from xlser.machine import pass_on_machine
from xlser.oddfiles import not_a_file
from xlser.yamlfile import check_bounds

NO_READER = (".xls", ".ods", ".numbers")

# Of one table in YAML: a label of each of some hundred thousand recordings.
_MOST_CELLS = 5_000_000


def read_frame(table: Table, path: Path) -> pd.DataFrame:
    """Return the cells of a table as texts, NaN where there are none, under their headers as they stand.

    Read are separated values, Excel sheets (.xlsx; of several the first that has the key's column), Parquet, JSON lines
    and lists of records in JSON and YAML.

    Raises:
        CorpusError: it cannot be read; the message names `encoding` and `separator` where they may help.
    """
    reader = _READERS.get(path.suffix.lower(), _separated)
    hint = " Check `encoding` and `separator` in the card." if reader is _separated else ""
    try:
        if kind := not_a_file(path):
            raise ValueError(kind)
        return reader(table, path)
    except (ValueError, LookupError, OSError, csv.Error, TypeError, zipfile.BadZipFile) as error:
        pass_on_machine(error, f"reading table {path}")
        raise CorpusError(f"cannot read table {path}: {str(error).rstrip('.')}.{hint}") from error


def _separated(table: Table, path: Path) -> pd.DataFrame:
    if path.suffix.lower() in NO_READER:
        raise CorpusError(f"table {path}: {path.suffix} files are not read: save it as .xlsx, or as CSV in UTF-8.")
    skipped = _refuse_ragged(table, path)
    # index_col: rows that end in a separator would otherwise have their first cell taken for a row name.
    options = {"sep": table.separator, "encoding": table.encoding, "skiprows": skipped}
    return pd.read_csv(path, dtype=str, skipinitialspace=True, index_col=False, **options)


def _refuse_ragged(table: Table, path: Path) -> int:
    """Refuse a row with more fields than the header names: a value would be cut off, or read as another column's.

    Return how many lines stand in front of the header: ``sep=;``, by which Excel is told of a separator.
    """
    with path.open(encoding=table.encoding, newline="") as file:
        skipped = int(file.readline().lower().startswith("sep="))
        if not skipped:
            file.seek(0)
        rows = csv.reader(file, delimiter=table.separator, skipinitialspace=True)
        header = next((row for row in rows if row), [])
        for row in rows:
            if any(cell.strip() for cell in row[len(header) :]):
                raise CorpusError(
                    f"table {path}, line {rows.line_num}: {len(row)} fields, but the header names {len(header)}: "
                    f"{table.separator.join(row)}. If a comma is a decimal comma, write a point or quote the field; "
                    "if the separator is another one, set `separator` in the card."
                )
    return skipped


def _sheet(table: Table, path: Path) -> pd.DataFrame:
    # Cells as they are: "NA" may be a label, and 3 a speaker, not 3.0.
    sheets = pd.read_excel(path, sheet_name=None, dtype=object, keep_default_na=False, na_values=[""])
    keys = {key.strip().lower() for key in (placeholders(table.key[0]) or table.key)}
    fits = [sheet for sheet in sheets.values() if keys & {str(head).strip().lower() for head in sheet.columns}]
    return _texts((fits or list(sheets.values()))[0].dropna(how="all"))


def _lines(table: Table, path: Path) -> pd.DataFrame:
    text = path.read_text(encoding=table.encoding)
    return _records([parse_lenient(line) for line in text.splitlines() if line.strip()])


def _json(table: Table, path: Path) -> pd.DataFrame:
    return _records(parse_lenient(path.read_text(encoding=table.encoding)))


def _yaml(table: Table, path: Path) -> pd.DataFrame:
    import yaml

    # Every cell as it is written: 01 is no 1, and no is no False. The one in C, as the other takes minutes.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        text = path.read_text(encoding=table.encoding)
        check_bounds(text, _MOST_CELLS, loader)
        return _records(yaml.load(text, Loader=loader))
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


def _parquet(table: Table, path: Path) -> pd.DataFrame:
    return _texts(pd.read_parquet(path))


def _records(found: Any) -> pd.DataFrame:
    """Return a list of objects, or objects by their names, as a table."""
    if isinstance(found, dict) and found and all(isinstance(value, dict) for value in found.values()):
        found = [{"id": name} | value for name, value in found.items()]
    if not isinstance(found, list) or not found or not all(isinstance(record, dict) for record in found):
        raise ValueError("it must be a list of records, or records by name")
    return _texts(pd.DataFrame(found, dtype=object))


def _texts(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype(object).map(_text).rename(columns=str)


def _text(cell: Any) -> Any:
    if isinstance(cell, list | dict | set | tuple) or (hasattr(cell, "tolist") and getattr(cell, "ndim", 0)):
        return json.dumps(cell, default=str, ensure_ascii=False)
    if cell is None or pd.isna(cell) or cell == "":
        return float("nan")
    whole = isinstance(cell, float) and cell.is_integer()
    return str(int(cell)) if whole else str(cell)


_READERS: dict[str, Callable[[Table, Path], pd.DataFrame]] = {
    **dict.fromkeys((".xlsx", ".xlsm"), _sheet),
    **dict.fromkeys((".jsonl", ".ndjson"), _lines),
    **dict.fromkeys((".yaml", ".yml"), _yaml),
    ".json": _json,
    ".parquet": _parquet,
}
