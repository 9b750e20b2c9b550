"""Which encoding a table is in that is no UTF-8: the one in which its words are words."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from xlser.corpora.words import guess_emotion
from xlser.data.formats.columns import find_columns, read_sex
from xlser.data.formats.table_options import TableOptions
from xlser.data.formats.table_text import TEXTS
from xlser.errors import CorpusError
from xlser.machine import pass_on_machine

# What spreadsheets save in where they do not save UTF-8, by how many people use them.
TRIED = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1256", "cp1255", "cp1257", "cp874"),
    *("gb18030", "big5", "shift_jis", "euc_kr", "koi8_r", "utf-16-le", "utf-16-be"),
)
_MOST = 2_000_000


def guess_encoding(path: Path) -> str | None:
    """Return the encoding of a table; None where it is UTF-8, says its own by its first bytes, or is no text.

    That is the one in which the most cells are headings, emotions or sexes that are known in some language; among
    equals, that whose letters beyond ASCII are letters, and then the commonest. A guess, to be looked at.

    Raises:
        CorpusError: it cannot be read.
    """
    if not path.is_file() or path.suffix.lower() not in TEXTS:
        return None
    try:
        with path.open("rb") as file:
            data = file.read(_MOST)
    except OSError as error:
        pass_on_machine(error, f"reading table {path}")
        raise CorpusError(f"cannot read table {path}: {error.strerror or error}") from error
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or _decoded(data, "utf-8") is not None:
        return None
    scored = [(score, name) for name in TRIED if (score := _score(data, name)) is not None]
    return max(scored, key=lambda pair: pair[0])[1] if scored else None


def with_encoding(options: TableOptions, table: Path) -> TableOptions:
    """Return the options with the encoding of a table where it is guessed; those that name one as they are."""
    encoding = guess_encoding(table) if options.encoding is None else None
    return replace(options, encoding=encoding) if encoding else options


def said(before: TableOptions, after: TableOptions) -> list[str]:
    """Return what a user should know of an encoding that was guessed; nothing where none was."""
    if before.encoding is not None or after.encoding is None:
        return []
    tried = ", ".join(("utf-8", *TRIED))
    return [f"encoding: {after.encoding}, by the words that it gives (tried {tried}); --encoding NAME takes another"]


def _decoded(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        # Of a long table the end is cut off, perhaps within a letter.
        cut = len(data) == _MOST and error.start > _MOST - 8
        return data[: error.start].decode(name) if cut else None


def _score(data: bytes, name: str) -> tuple[int, float] | None:
    text = _decoded(data, name)
    if text is None or "\0" in text:
        return None
    first, *_ = [line for line in text.splitlines() if line.strip()] or [""]
    heads = find_columns([cell for cell in re.split(r"[;,\t|]", first) if cell.strip()]).heads
    cells = {cell.strip().strip('"') for cell in re.split(r"[;,\t|\n\r]", text)}
    known = sum(bool((guess := guess_emotion(cell)) and guess.sure) or bool(read_sex(cell)) for cell in cells)
    beyond = [letter for letter in text if ord(letter) > 127]
    return len(heads) + known, sum(map(str.isalpha, beyond)) / max(1, len(beyond))
