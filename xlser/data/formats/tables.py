"""A plain table (CSV or JSON lines) with one row a recording, as rows."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from xlser.data.formats.columns import roles
from xlser.data.formats.rows import About, Imported, Row, import_rows
from xlser.errors import CorpusError
from xlser.machine import pass_on_machine

_SAMPLE = 20_000


def read_rows(path: str | Path, encoding: str = "utf-8-sig") -> list[Row]:
    """Return the rows of a CSV table (comma, semicolon, tab or bar) or of JSON lines, columns renamed to our roles.

    Raises:
        CorpusError: the file is missing, in another encoding, no such table, or has no column of file names or labels.
    """
    records = _records(Path(path), encoding)
    named = _named(records, Path(path))
    return [{role: record.get(head) for role, head in named.items()} for record in records]


def read_head(path: str | Path, encoding: str = "utf-8-sig") -> tuple[dict[str, str], str]:
    """Return ``{role: header}`` of a table and the character that separates its cells.

    Raises:
        CorpusError: as `read_rows`.
    """
    named = _named(_records(Path(path), encoding), Path(path))
    return named, separator(Path(path).read_text(encoding=encoding)[:_SAMPLE])


def read_csv(path: str | Path, about: About, root: str | Path | None = None, encoding: str = "utf-8-sig") -> Imported:
    """Return the manifest of a table whose paths are relative to ``root``, by default the table's own folder.

    Raises:
        CorpusError: see `read_rows` and `import_rows`.
    """
    folder = Path(root).expanduser() if root else Path(path).expanduser().parent
    return import_rows(read_rows(Path(path).expanduser(), encoding), folder.resolve(), about)


def separator(text: str) -> str:
    """Return the character that most evenly cuts the first lines of a table.

    >>> separator("file;label\\na.wav;angry, loud")
    ';'
    """
    head = text.split("\n", 1)[0]
    return max(",;\t|", key=head.count)


def _records(path: Path, encoding: str) -> list[dict]:
    try:
        text = path.read_text(encoding=encoding)
        records = _json_lines(text) if path.suffix == ".jsonl" else _csv(text)
    except UnicodeDecodeError as error:
        raise CorpusError(f"table {path} is not {encoding}: {error}. Name its encoding, such as cp1252") from error
    except (OSError, ValueError, LookupError, csv.Error) as error:
        pass_on_machine(error, f"reading table {path}")
        raise CorpusError(f"cannot read table {path}: {error}") from error
    if not records:
        raise CorpusError(f"table {path} has no rows")
    return records


def _named(records: list[dict], path: Path) -> dict[str, str]:
    heads = [head for head in records[0] if head is not None]
    named = roles(heads)
    missing = [role for role in ("path", "emotion") if role not in named and f"{role}_raw" not in named]
    if missing:
        raise CorpusError(f"table {path} has no column of {' or of '.join(missing)}; its columns: {', '.join(heads)}")
    return named


def _csv(text: str) -> list[dict]:
    lines = text.splitlines(keepends=True)
    return list(csv.DictReader(lines, delimiter=separator(text[:_SAMPLE]), skipinitialspace=True))


def _json_lines(text: str) -> list[dict]:
    records = [json.loads(line) for line in text.splitlines() if line.strip()]
    if not all(isinstance(record, dict) for record in records):
        raise ValueError("a line is no JSON object")
    return records
