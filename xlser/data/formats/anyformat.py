"""A dataset on disk, of whatever format it turns out to be."""

from __future__ import annotations

import csv
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xlser.data.formats.audformat_db import database_name
from xlser.data.formats.rows import About
from xlser.data.manifest import REQUIRED, Manifest, read_manifest
from xlser.errors import CorpusError
from xlser.machine import pass_on_machine

TABLES = (".csv", ".tsv", ".jsonl")
_OWN = {field.name for field in REQUIRED}


def is_dataset(path: str | Path) -> bool:
    """Say whether a path looks like what `read_any` reads: a table that is there, or an audformat database.

    A word without a slash is a card's name, even where a folder is called like it.

    >>> is_dataset("emodb"), is_dataset("nowhere/table.csv")
    (False, False)
    """
    is_path = isinstance(path, Path) or os.sep in path
    path = Path(path).expanduser()
    is_table = path.is_file() and path.suffix.lower() in (*TABLES, ".parquet")
    return is_table or (is_path and (path / "db.yaml").is_file())


def dataset_name(path: str | Path) -> str:
    """Return what `read_any` calls a dataset that is given no name, without reading its rows.

    Raises:
        CorpusError: the file or the database cannot be read.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        return _slug(database_name(path)) if (path / "db.yaml").is_file() else _called(path)
    if path.suffix.lower() == ".parquet":
        kept = json.loads((_parquet_schema(path).metadata or {}).get(b"xlser", b"{}"))
        return str(kept.get("card") or _called(path))
    if _is_own_csv(path):
        with path.open(encoding="utf-8", newline="") as file:
            return str(next(csv.DictReader(file), {}).get("corpus") or _called(path))
    return _called(path)


def read_any(path: str | Path, name: str | None, cache: str | Path, **about: Any) -> Manifest:
    """Return the manifest of a file or folder; see `xlser.data.dataset.Dataset.from_manifest`, its public face.

    Args:
        path: the file or folder.
        name: of the dataset, or None for its own.
        cache: below it the recordings of a Parquet table are written.
        about: what `xlser.data.formats.rows.About` takes besides.

    Raises:
        CorpusError: see there.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise CorpusError(f"no dataset at {path}: it is not there")
    own = About(name or _called(path), **about)
    if path.is_dir():
        return _read_folder(path, own, named=name is not None)
    if path.suffix.lower() in TABLES:
        return _read_table(path, own, named=name is not None)
    if path.suffix.lower() == ".parquet":
        return _read_parquet(path, own, Path(cache), named=name is not None)
    raise CorpusError(
        f"no dataset at {path}: it must be a .parquet, .csv, .tsv or .jsonl file, or a folder, but is {path.suffix!r}"
    )


def _read_folder(folder: Path, about: About, named: bool) -> Manifest:
    from xlser.data.formats.folders import read_audio_folder

    if not (folder / "db.yaml").is_file():
        return read_audio_folder(folder, about).manifest
    from xlser.data.formats.audformat_db import read_audformat

    return read_audformat(folder, about if named else replace(about, name=dataset_name(folder))).manifest


def _read_table(path: Path, about: About, named: bool) -> Manifest:
    from xlser.data.formats.tables import read_csv

    if _is_own_csv(path):
        return _renamed(read_manifest(path), about.name if named else None)
    return read_csv(path, about).manifest


def _is_own_csv(path: Path) -> bool:
    """Say whether a table has the columns of a manifest of xlser."""
    if path.suffix.lower() != ".csv":
        return False
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return set(next(csv.reader(file), [])) >= _OWN
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        pass_on_machine(error, f"reading {path}")
        return False


def _read_parquet(path: Path, about: About, cache: Path, named: bool) -> Manifest:
    import pooch

    from xlser.data.formats.parquet import read_parquet

    if set(_parquet_schema(path).names) >= _OWN:
        return _renamed(read_manifest(path), about.name if named else None)
    # By what is in it: another file of this name gets another folder.
    digest = pooch.file_hash(str(path))[:16]
    return read_parquet(path, cache / "imported" / f"{_called(path)}-{digest}", about).manifest


def _parquet_schema(path: Path) -> pa.Schema:
    try:
        return pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        pass_on_machine(error, f"reading {path}")
        raise CorpusError(f"cannot read {path}: {error}") from error


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
    """
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-") or "mine"
