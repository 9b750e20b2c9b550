"""ESD: what is said, in 0001/0001.txt to 0020/0020.txt, whose encoding differs from speaker to speaker."""

from __future__ import annotations

from pathlib import Path

from xlser.corpora.hooks.lines import read_text, visible
from xlser.corpora.tables import SideTable, row_key

# Most particular first: many bytes are gb18030, and any are latin-1. utf-16 is taken by its mark alone.
_CHINESE = ("utf-8-sig", "gb18030")
_ENGLISH = ("utf-8-sig", "cp1252", "latin-1")
_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read(root: Path) -> SideTable:
    """Return the text of every recording. A line is ``0011_000001 TAB text TAB emotion``; others are passed over.

    Raises:
        FileNotFoundError: there is no such file.
        CorpusError: a file cannot be read, or one recording has two texts.
    """
    paths = visible(root, "00[0-2][0-9]/00[0-2][0-9].txt")
    table = SideTable(paths[0].parent.with_name("00NN.txt"), {})
    for path in paths:
        for line in _text(path).splitlines():
            cells = line.split("\t")
            if len(cells) == 3:
                table.add(row_key(cells[0]), {"text": cells[1].strip()}, path)
            else:
                table.empty_rows += bool(line.strip())
    return table


def _text(path: Path) -> str:
    with path.open("rb") as file:
        marked = file.read(2) in _MARKS
    return read_text(path, *(("utf-16",) if marked else ()), *(_CHINESE if path.stem <= "0010" else _ENGLISH))
