"""What the hooks share: finding label files and reading their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from xlser.corpora.tables import SideTable, row_key
from xlser.errors import CorpusError
from xlser.machine import pass_on_machine


def visible(root: Path, pattern: str) -> list[Path]:
    """Return the files that fit, sorted, without the ``._`` copies that macOS leaves.

    Raises:
        FileNotFoundError: none fits.
    """
    found = [path for path in sorted(root.glob(pattern)) if path.is_file() and not path.name.startswith(".")]
    if not found:
        raise FileNotFoundError(f"no label file {pattern} below {root}")
    return found


def read_text(path: Path, *encodings: str) -> str:
    """Return a file's text in the first encoding that fits.

    Raises:
        CorpusError: it cannot be read, or none fits.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        pass_on_machine(error, f"reading {path}")
        raise CorpusError(f"cannot read {path}: {error}") from error
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CorpusError(f"cannot read {path}: it is not text in {' or '.join(encodings)}.")


def matching(path: Path, line: re.Pattern[str]) -> Iterator[dict[str, str]]:
    """Yield the groups of every line that fits as a whole; others are passed over."""
    for text in read_text(path, "utf-8-sig", "latin-1").splitlines():
        if found := line.fullmatch(text.strip()):
            yield found.groupdict()


def label_table(root: Path, pattern: str, line: re.Pattern[str]) -> SideTable:
    """Read a table from the lines that fit ``line``, whose group ``key`` names the recording.

    Raises:
        FileNotFoundError: no file fits ``pattern``.
        CorpusError: a recording has two lines that contradict each other.
    """
    paths = visible(root, pattern)
    table = SideTable(paths[0].parent if len(paths) > 1 else paths[0], {})
    for path in paths:
        for row in matching(path, line):
            table.add(row_key(row.pop("key")), row, path)
    return table
