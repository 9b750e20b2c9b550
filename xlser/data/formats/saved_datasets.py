"""Folders that Hugging Face `datasets` wrote by `save_to_disk`: Arrow files, read without that library."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from xlser.data.formats.arrow_types import names_of
from xlser.data.formats.held_audio import ArrowTable, import_held
from xlser.data.formats.rows import About, Imported
from xlser.data.formats.table_options import TableOptions
from xlser.errors import CorpusError
from xlser.filenames import below
from xlser.jsonfile import parse_lenient
from xlser.machine import pass_on_machine

_INFO, _STATE, _SEVERAL = "dataset_info.json", "state.json", "dataset_dict.json"


def is_saved(folder: Path) -> bool:
    """Say whether `datasets` wrote a folder by `save_to_disk`, as one dataset or several parts."""
    return (folder / _SEVERAL).is_file() or ((folder / _INFO).is_file() and any(folder.glob("*.arrow")))


def saved_state(folder: Path) -> str:
    """Return a name for what a saved folder holds now: another one, or a change in it, has another."""
    files = sorted(folder.rglob("*.arrow"))
    stamps = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(json.dumps(stamps).encode()).hexdigest()[:16]


def read_saved(source: str | Path, folder: str | Path, about: About, options: TableOptions | None = None) -> Imported:
    """Read what `datasets` saved: a dataset, or a folder of its parts; the audio in it is written into ``folder``.

    Raises:
        CorpusError: it is none, or cannot be read; see `import_held`.
        XlserError: ``folder`` cannot be written.
    """
    source = Path(source).expanduser()
    if not is_saved(source):
        raise CorpusError(f"{source} is no folder of datasets.save_to_disk: it has neither {_SEVERAL} nor {_INFO}")
    parts = _json(source / _SEVERAL).get("splits", []) if (source / _SEVERAL).is_file() else [None]
    tables = [table for part in parts for table in _tables(_folder(source, part), part)]
    return import_held(tables, source, Path(folder).expanduser().resolve(), about, options)


def _folder(source: Path, part: object) -> Path:
    return below(source, part, f"`splits` of {source / _SEVERAL}", CorpusError) if part else source


def _tables(folder: Path, part: str | None) -> Iterator[ArrowTable]:
    state = _json(folder / _STATE) if (folder / _STATE).is_file() else {}
    named = [str(file.get("filename")) for file in state.get("_data_files") or []]
    files = [folder / Path(name).name for name in named] or sorted(folder.glob("*.arrow"))
    words = names_of(_json(folder / _INFO).get("features"))
    for path in files:
        yield ArrowTable(path, _schema(path), words, part or state.get("_split"), partial(_batches, path))


def _schema(path: Path) -> pa.Schema:
    try:
        with _opened(path) as reader:
            return reader.schema
    except (OSError, pa.ArrowException) as error:
        pass_on_machine(error, f"reading {path}")
        raise CorpusError(f"cannot read {path}: {error}") from error


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with _opened(path) as reader:
        yield from reader


def _opened(path: Path) -> Any:
    return pa.ipc.open_stream(pa.memory_map(str(path)))


def _json(path: Path) -> dict[str, Any]:
    try:
        found = parse_lenient(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        pass_on_machine(error, f"reading {path}")
        raise CorpusError(f"cannot read {path}: {error}") from error
    return found if isinstance(found, dict) else {}
