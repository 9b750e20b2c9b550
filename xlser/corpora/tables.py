"""Side tables of labels and ratings, read with the blemishes such files have and joined by file name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from xlser.corpora.card import Table
from xlser.corpora.globbing import AUDIO_SUFFIXES, nfc
from xlser.errors import CorpusError, did_you_mean

# What a table may write behind a file name; anything else behind a dot belongs to the name.
_SUFFIXES = AUDIO_SUFFIXES | {".avi", ".flv", ".mkv", ".mov", ".txt"}


@dataclass
class SideTable:
    """A table keyed by file name without folder, suffix or letter case.

    ``values`` maps the key to ``{column: text}``; ``unused`` starts as every key and loses those that audio asked for.
    """

    path: Path
    values: dict[str, dict[str, str]]
    empty_rows: int = 0
    unused: set[str] = field(default_factory=set)

    def take(self, name: str) -> dict[str, str] | None:
        """Return the row for an audio file name, or None; the row counts as used."""
        key = row_key(name)
        self.unused.discard(key)
        return self.values.get(key)


def row_key(name: str) -> str:
    """Return what two spellings of one file name have in common.

    >>> row_key("wav/SF1_F6_H06.WAV") == row_key(" SF1_F6_H06 ")
    True
    """
    stem = nfc(str(name)).strip().replace("\\", "/").rsplit("/", 1)[-1]
    head, dot, tail = stem.rpartition(".")
    return (head if dot + tail.lower() in _SUFFIXES else stem).lower()


def find_table(name: str, root: Path) -> tuple[Path | None, list[Path]]:
    """Look for a side table; return where it is (or None) and every place that was tried.

    Tried are the corpus folder, then the two folders above it, each with and without ``labels/``: published ratings
    are seldom shipped with the audio, and nobody should have to copy them into it.
    """
    folders = [root, *list(root.resolve().parents)[:2]]
    tried = [folder / below / name for folder in folders for below in ("", "labels")]
    return next((path for path in tried if path.is_file()), None), tried


def read_table(table: Table, path: Path) -> SideTable:
    """Read ``table`` from ``path``.

    Raises:
        CorpusError: a needed column is missing, a key stands twice with different values, or it cannot be decoded.
    """
    try:
        # index_col: rows that end in a separator would otherwise have their first cell taken for a row name.
        frame = pd.read_csv(
            path, sep=table.separator, dtype=str, encoding=table.encoding, skipinitialspace=True, index_col=False
        )
    except (ValueError, LookupError, OSError) as error:
        raise CorpusError(
            f"cannot read table {path}: {error}. Check `encoding` and `separator` in the card."
        ) from error
    heads = {str(head).strip().lower(): head for head in reversed(frame.columns)}
    key_head = _head(heads, table.key, path)
    columns = {name: _head(heads, spellings, path) for name, spellings in table.columns.items()}
    complete = frame.dropna(subset=[key_head, *columns.values()])
    values: dict[str, dict[str, str]] = {}
    for record in complete.to_dict("records"):
        key = row_key(record[key_head])
        row = {name: record[head].strip() for name, head in columns.items()}
        if values.setdefault(key, row) != row:
            raise CorpusError(f"table {path} gives {record[key_head]!r} twice, once {values[key]} and once {row}.")
    return SideTable(path, values, len(frame) - len(complete), set(values))


def _head(heads: dict[str, str], spellings: tuple[str, ...], path: Path) -> str:
    for spelling in spellings:
        if spelling.strip().lower() in heads:
            return heads[spelling.strip().lower()]
    raise CorpusError(
        f"table {path} has no column {' or '.join(map(repr, spellings))}; {did_you_mean(spellings[0], heads)}"
    )
