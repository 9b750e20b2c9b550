"""A dataset on disk, of whatever format it turns out to be."""

from __future__ import annotations

import csv
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xlser.data.formats.annotations import ANNOTATIONS
from xlser.data.formats.arrow_types import holds_audio
from xlser.data.formats.audformat_db import database_name
from xlser.data.formats.moved import find_recordings_of
from xlser.data.formats.rows import About
from xlser.data.formats.saved_datasets import is_saved
from xlser.data.formats.table_options import TableOptions
from xlser.data.formats.table_text import TABLES
from xlser.data.manifest import REQUIRED, Manifest, read_manifest
from xlser.errors import CorpusError, brief
from xlser.filenames import LONGEST, file_name_fault, path_part
from xlser.jsonfile import parse_json
from xlser.machine import pass_on_machine

_OWN = {field.name for field in REQUIRED}
_FILES = (*TABLES, *ANNOTATIONS)


def is_dataset(path: str | Path) -> bool:
    """Say whether a path looks like what `read_any` reads: a table or folder that is there.

    A word without a slash is a card's name, even where a folder is called like it.

    >>> is_dataset("emodb"), is_dataset("nowhere/table.csv")
    (False, False)
    """
    is_path = isinstance(path, Path) or os.sep in path
    path = Path(path).expanduser()
    return (path.is_file() and path.suffix.lower() in _FILES) or (is_path and path.is_dir())


def dataset_name(path: str | Path) -> str:
    """Return what `read_any` calls a dataset that is given no name, without reading its rows.

    Raises:
        CorpusError: the file or the database cannot be read.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        return _slug(database_name(path)) if (path / "db.yaml").is_file() else _called(path)
    if path.suffix.lower() == ".parquet":
        return _own_name(_card_of(_parquet_schema(path)), path)
    if _is_own_csv(path):
        try:
            with path.open(encoding="utf-8", newline="") as file:
                return _own_name(next(csv.DictReader(file), {}).get("corpus"), path)
        except (OSError, ValueError, csv.Error) as error:
            pass_on_machine(error, f"reading {path}")
            raise CorpusError(f"cannot read {path}: {brief(error)}") from error
    return _called(path)


def read_any(
    path: str | Path, name: str | None, cache: str | Path, options: TableOptions | None = None, **about: Any
) -> Manifest:
    """Return the manifest of a file or folder; see `xlser.data.dataset.Dataset.from_manifest`, its public face.

    Args:
        path: the file or folder.
        name: of the dataset, or None for its own.
        cache: below it the recordings that a table holds are written.
        options: how a table is read, and where its recordings are.
        about: what `xlser.data.formats.rows.About` takes besides.

    Raises:
        CorpusError: see there.
    """
    path, options = Path(path).expanduser(), options or TableOptions()
    if not path.exists():
        raise CorpusError(f"no dataset at {path}: it is not there")
    own = About(name or (dataset_name(path) if _names_itself(path) else _called(path)), **about)
    if path.is_dir():
        return _read_folder(path, replace(own, command=_command("folder", path, own)), Path(cache), options)
    suffix = path.suffix.lower()
    if suffix not in _FILES:
        raise CorpusError(f"no dataset at {path}: it must be a folder or a file {', '.join(_FILES)}, but is {suffix!r}")
    if is_manifest(path):
        return _renamed(find_recordings_of(read_manifest(path), path, options.root), name)
    own = replace(own, command=_command("table", path, own))
    if suffix == ".parquet" and any(holds_audio(kind) for kind in _parquet_schema(path).types):
        from xlser.data.formats.parquet import read_parquet

        return read_parquet(path, _written_to(Path(cache), path), own, options).manifest
    from xlser.data.formats.tables import read_csv

    return read_csv(path, own, options).manifest


def _names_itself(path: Path) -> bool:
    return path.is_dir() and (path / "db.yaml").is_file()


def _read_folder(folder: Path, about: About, cache: Path, options: TableOptions) -> Manifest:
    if (folder / "db.yaml").is_file():
        from xlser.data.formats.audformat_db import read_audformat

        return read_audformat(folder, replace(about, command=_command("audformat", folder, about))).manifest
    if is_saved(folder):
        from xlser.data.formats.saved_datasets import read_saved, saved_state

        # Another folder of this name has recordings of other contents.
        written = cache / "imported" / f"{_called(folder)}-{saved_state(folder)}"
        return read_saved(folder, written, about, options).manifest
    from xlser.data.formats.folders import read_audio_folder

    return read_audio_folder(folder, about, options).manifest


def _command(kind: str, path: Path, about: About) -> str:
    """Return the command that makes a manifest of what a table does not say itself."""
    return f"xlser corpora import {kind} {path} --name {about.name}"


def is_manifest(path: Path) -> bool:
    """Say whether a table has the columns of a manifest of xlser."""
    if path.suffix.lower() == ".parquet":
        return set(_parquet_schema(path).names) >= _OWN
    return _is_own_csv(path)


def _is_own_csv(path: Path) -> bool:
    if path.suffix.lower() != ".csv":
        return False
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return set(next(csv.reader(file), [])) >= _OWN
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        pass_on_machine(error, f"reading {path}")
        return False


def _written_to(cache: Path, path: Path) -> Path:
    import pooch

    # By what is in it: another file of this name gets another folder.
    return cache / "imported" / f"{_called(path)}-{pooch.file_hash(str(path))[:16]}"


def _parquet_schema(path: Path) -> pa.Schema:
    try:
        return pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        pass_on_machine(error, f"reading {path}")
        raise CorpusError(f"cannot read {path}: {error}") from error


def _card_of(schema: pa.Schema) -> str:
    """Return the name in the notes of a manifest; empty where there is none."""
    try:
        card = parse_json((schema.metadata or {}).get(b"xlser", b"{}"))["card"]
    except (ValueError, LookupError, TypeError):
        return ""
    return card if isinstance(card, str) else ""


def _renamed(manifest: Manifest, name: str | None) -> Manifest:
    if name is None or name == manifest.card:
        return manifest
    return replace(manifest, frame=manifest.frame.assign(corpus=name), card=name)


def _called(path: Path) -> str:
    return _slug(path.resolve().name if path.is_dir() else path.stem)


def _slug(text: str) -> str:
    """Return a name for tables and folders of a file's name.

    >>> _slug("My Data (2)")
    'my-data-2'
    >>> _slug("CON")
    'con-corpus'
    """
    name = re.sub(r"[^a-z0-9_]+", "-", text.lower())[:LONGEST].strip("-") or "mine"
    return f"{name}-corpus" if file_name_fault(name) else name


def _own_name(name: object, path: Path) -> str:
    """Return what a file calls itself, or else what it is called."""
    return path_part(name, f"the name of the corpus in {path}", CorpusError) if name else _called(path)
