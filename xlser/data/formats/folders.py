"""Hugging Face `datasets` audio folders: a metadata table, or a folder for each class."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from xlser.corpora.globbing import AUDIO_SUFFIXES, walk
from xlser.data.formats.rows import PARTS, About, Imported, Row, import_rows
from xlser.data.formats.table_reader import read_rows
from xlser.errors import CorpusError

_METADATA = ("metadata.csv", "metadata.jsonl")


def read_audio_folder(folder: str | Path, about: About) -> Imported:
    """Read an audio folder: ``metadata.csv`` or ``.jsonl`` with ``file_name``, in it or in train/, validation/, test/.

    Without such a table the folder around a file is its label, and a folder ``train`` or ``test`` above that its part.
    Folders of classes do not say who speaks: give ``about.speaker`` only if one person does.

    Raises:
        CorpusError: no folder, no audio in it; see `read_rows` and `import_rows`.
    """
    folder = Path(folder).expanduser().resolve()
    if not folder.is_dir():
        raise CorpusError(f"{folder} is not a folder")
    paths = list(walk(folder))
    tables = [path for path in paths if PurePosixPath(path).name in _METADATA]
    rows = [row for path in tables for row in _table_rows(folder, path)] if tables else _class_rows(paths)
    if not rows:
        raise CorpusError(f"{folder} holds no audio in folders of classes, and neither of {' and '.join(_METADATA)}")
    return import_rows(rows, folder, about)


def _table_rows(folder: Path, table: str) -> list[Row]:
    below = PurePosixPath(table).parent
    rows = read_rows(folder / table, needed=("path", "emotion|emotion_raw")).rows
    for row in rows:
        row["path"] = str(below / str(row["path"] or "").replace("\\", "/"))
        row.setdefault("split", _part(below))
    return rows


def _class_rows(paths: list[str]) -> list[Row]:
    files = [
        path for path in map(PurePosixPath, paths) if path.suffix.lower() in AUDIO_SUFFIXES and len(path.parts) > 1
    ]
    return [{"path": str(path), "emotion": path.parent.name, "split": _part(path.parent.parent)} for path in files]


def _part(folder: PurePosixPath) -> str | None:
    return next((part for part in map(str.lower, folder.parts) if part in PARTS), None)
