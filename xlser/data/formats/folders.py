"""Folders of recordings: `datasets` audio folders with a metadata table, annotations, or a folder for each class."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from xlser.corpora.globbing import AUDIO_SUFFIXES, walk
from xlser.data.formats.rows import PARTS, About, Imported, Row, import_rows, import_table
from xlser.data.formats.table_options import TableOptions
from xlser.data.formats.table_reader import TableRows, read_rows
from xlser.data.formats.table_text import annotation_files
from xlser.errors import CorpusError

_METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")


def read_audio_folder(folder: str | Path, about: About, options: TableOptions | None = None) -> Imported:
    """Read an audio folder: ``metadata.csv`` (``.jsonl``, ``.parquet``) with ``file_name``, in it or in its parts.

    Without such a table annotations of ELAN or Praat are read; without these the folder around a file is its label, and
    a folder ``train`` or ``test`` above that its part. Folders of classes do not say who speaks: give ``about.speaker``
    only if one person does.

    Raises:
        CorpusError: no folder, no audio in it; see `read_rows` and `import_table`.
    """
    folder, options = Path(folder).expanduser().resolve(), options or TableOptions()
    if not folder.is_dir():
        raise CorpusError(f"{folder} is not a folder")
    paths = list(walk(folder))
    tables = [_metadata(folder, path, options) for path in paths if PurePosixPath(path).name in _METADATA]
    if not tables and annotation_files(folder):
        tables = [read_rows(folder, options)]
    if tables:
        notes = [note for table in tables for note in table.notes()]
        joined = replace(tables[0], path=folder, rows=[row for table in tables for row in table.rows])
        base = (options.root or folder).expanduser().resolve()
        return import_table(joined, base, about, fixed=options.root is not None, notes=notes)
    rows = _class_rows(paths)
    if not rows:
        raise CorpusError(f"{folder} holds no audio in folders of classes, and none of {', '.join(_METADATA)}")
    return import_rows(rows, folder, about)


def _metadata(folder: Path, path: str, options: TableOptions) -> TableRows:
    """Read a metadata table: its paths start from its own folder, which may be a part."""
    table, below = read_rows(folder / path, options), PurePosixPath(path).parent
    for row in table.rows:
        row["path"] = str(below / str(row["path"] or "").replace("\\", "/"))
        row.setdefault("split", _part(below))
        row["units"] = table.columns.units
    return table


def _class_rows(paths: list[str]) -> list[Row]:
    files = [
        path for path in map(PurePosixPath, paths) if path.suffix.lower() in AUDIO_SUFFIXES and len(path.parts) > 1
    ]
    return [{"path": str(path), "emotion": path.parent.name, "split": _part(path.parent.parent)} for path in files]


def _part(folder: PurePosixPath) -> str | None:
    return next((part for part in map(str.lower, folder.parts) if part in PARTS), None)
