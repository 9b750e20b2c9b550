"""A table that somebody holds as a DataFrame, as a manifest."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from xlser.corpora.faults import some
from xlser.data.formats.columns import ROLES, Columns, find_columns
from xlser.data.formats.languages import language_tag
from xlser.data.formats.rows import About, import_table
from xlser.data.formats.table_reader import TableRows
from xlser.data.manifest import Manifest
from xlser.errors import CorpusError, did_you_mean

_MAP = 'emotions={"LABEL": "canonical"}, such as emotions={"A": "anger"}'


def read_frame(
    frame: pd.DataFrame,
    named: Mapping[str, str | None],
    *,
    name: str,
    root: str | Path | None = None,
    emotions: Mapping[str, str] | None = None,
    scale: tuple[float, float] | None = None,
    strict: bool = True,
) -> Manifest:
    """Return the manifest of a table; see `xlser.data.dataset.Dataset.from_frame`, which is its public face.

    Labels that nobody can read are kept as they are, with a note and a warning that say how to map them; so are columns
    that nobody reads.

    Args:
        frame: the table.
        named: column of each role of `xlser.data.formats.columns`; of ``language`` also a tag. None: the usual names.
        name: of the dataset.
        root: what relative paths start from.
        emotions: what labels mean.
        scale: lowest and highest rating.
        strict: refuse a table of which a row cannot be used.

    Raises:
        CorpusError: see there.
    """
    if not isinstance(frame, pd.DataFrame) or frame.empty:
        raise CorpusError(f"dataset {name} needs a DataFrame with a row an utterance, but got {_what(frame)}")
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise CorpusError(f"a dataset needs a name of lower-case letters, digits, - and _, but is called {name!r}")
    columns, language = _columns(frame, named, name)
    records = [{str(head): cell for head, cell in row.items()} for row in frame.to_dict(orient="records")]
    found = [{role: record[head] for role, head in columns.heads.items()} for record in records]
    table = TableRows(Path(f"dataset {name}"), found, records, list(range(1, len(records) + 1)), columns)
    about = About(name, language, scale=scale, emotions=dict(emotions or {}), keep_unread=True, how_to_map=_MAP)
    base = Path(root).expanduser().absolute() if root is not None else Path.cwd()
    manifest = import_table(table, base, about, fixed=root is not None, complete=False).manifest
    if strict and manifest.left_out:
        _refuse(manifest, len(records))
    for note in manifest.notes:
        said = f"dataset {name}: "
        warnings.warn(said + note.removeprefix(said), stacklevel=4)
    return manifest


def _what(frame: object) -> str:
    return "one without rows" if isinstance(frame, pd.DataFrame) else type(frame).__name__


def _columns(frame: pd.DataFrame, named: Mapping[str, str | None], name: str) -> tuple[Columns, str | None]:
    """Return the column of every role, and the language of all rows where it is a tag."""
    heads = [str(head) for head in frame.columns]
    given, language = {}, None
    for role, column in named.items():
        if role not in ROLES:
            raise CorpusError(f"from_frame knows no {role!r}; {did_you_mean(role, ROLES)}")
        if column in heads:
            given[role] = str(column)
        elif column is not None and role == "language":
            language = language_tag(column)
        elif column is not None:
            raise CorpusError(
                f"dataset {name}: {_ARGUMENTS.get(role, role)}={column!r} is no column; {did_you_mean(column, heads)}"
            )
    columns = find_columns(heads, given)
    if language is not None:
        columns.heads.pop("language", None)
    known = columns.heads.keys()
    missing = [role for role in ("path", "speaker") if role not in known]
    if missing:
        wanted = ", ".join(f"{_ARGUMENTS.get(role, role)}=COLUMN" for role in missing)
        raise CorpusError(f"dataset {name} needs {wanted}; the columns are {', '.join(heads)}")
    if language is None and "language" not in columns.heads:
        raise CorpusError(f'dataset {name} needs its language: language="el", or language=COLUMN')
    return columns, language


_ARGUMENTS = {"path": "audio"}


def _refuse(manifest: Manifest, rows: int) -> None:
    counts = manifest.left_out_counts()
    named = "; ".join(f"{count} {reason}: {some(manifest.left_out[reason])}" for reason, count in counts.items())
    raise CorpusError(
        f"dataset {manifest.card}: {sum(counts.values())} of {rows} rows cannot be used. {named} "
        f"(below {manifest.root}). Mend them, or leave them out: strict=False"
    )
