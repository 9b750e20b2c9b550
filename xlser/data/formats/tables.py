"""A plain table with one row a recording or segment, as a manifest."""

from __future__ import annotations

from pathlib import Path

from xlser.data.formats.rows import About, Imported, import_table
from xlser.data.formats.table_options import TableOptions
from xlser.data.formats.table_reader import read_rows


def read_csv(path: str | Path, about: About, options: TableOptions | None = None) -> Imported:
    """Return the manifest of a table whose paths start from ``options.root``, by default the table's own folder.

    Raises:
        CorpusError: see `read_rows` and `import_table`.
    """
    options = options or TableOptions()
    table = read_rows(path, options)
    return import_table(table, options.folder(path), about, fixed=options.root is not None)
