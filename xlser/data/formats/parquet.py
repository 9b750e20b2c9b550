"""Parquet tables, which mostly hold the audio itself, as CAMEO and the Hugging Face hub give them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from xlser.data.formats.arrow_types import class_names
from xlser.data.formats.held_audio import ArrowTable, import_held
from xlser.data.formats.rows import PARTS, About, Imported
from xlser.data.formats.table_options import TableOptions
from xlser.errors import CorpusError
from xlser.machine import pass_on_machine

_AT_ONCE = 64


def read_parquet(source: str | Path, folder: str | Path, about: About, options: TableOptions | None = None) -> Imported:
    """Read one Parquet file or a folder of them, and write the recordings that they hold into ``folder``.

    The audio column is a struct of ``bytes`` and ``path`` (or a column of paths alone). Numbers of a label column are
    read by the names that `datasets` stores in the schema. File names such as ``train-00000-of-00002.parquet`` give
    the part.

    Raises:
        CorpusError: no Parquet file, one that cannot be read or has no such columns; see `import_held`.
        XlserError: ``folder`` cannot be written.
    """
    source = Path(source).expanduser()
    files = sorted(source.rglob("*.parquet")) if source.is_dir() else [source]
    if not files:
        raise CorpusError(f"{source} holds no .parquet file")
    return import_held([_table(path) for path in files], source, Path(folder).expanduser().resolve(), about, options)


def _table(path: Path) -> ArrowTable:
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        pass_on_machine(error, f"reading {path}")
        raise CorpusError(f"cannot read {path}: {error}") from error
    first = re.split(r"[-_.]", path.name.lower())[0]

    def batches() -> Iterable[pa.RecordBatch]:
        return pq.ParquetFile(path).iter_batches(_AT_ONCE)

    return ArrowTable(path, schema, class_names(schema), first if first in PARTS else None, batches)
