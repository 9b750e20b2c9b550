"""What a report wrote, so that the next one can clear away what it no longer writes, and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from xlser.atomic import write_text
from xlser.jsonfile import parse_json
from xlser.machine import pass_on_unreadable

INDEX = "report-files.json"
FOLDERS = ("pages", "tables")


def write_all(folder: Path, texts: Iterable[tuple[str, str]]) -> None:
    """Write each (name, text) below a folder, then delete what an earlier call wrote there and this one did not.

    `INDEX` remembers names and hashes. Only a file in `FOLDERS` that still holds what was written is deleted: one that
    somebody put there, or changed, stays. A call that does not come to its end deletes nothing.

    Raises:
        XlserError: the folder cannot be written.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_all(folder, [("pages/a.html", "a"), ("pages/b.html", "b")])
    >>> write_all(folder, [("pages/b.html", "b")])
    >>> [path.name for path in (folder / "pages").iterdir()]
    ['b.html']
    """
    now = {}
    for name, text in texts:
        write_text(folder / name, text)
        now[name] = _digest(folder / name)
    kept = {name.casefold() for name in now}  # two names may be one file
    for name, digest in _earlier(folder).items():
        path = folder / name
        if name.casefold() not in kept and path.is_file() and _digest(path) == digest:
            path.unlink()
    write_text(folder / INDEX, json.dumps(now, indent=1) + "\n")


def _earlier(folder: Path) -> dict[str, str]:
    """Return names and hashes of the last report; none where they cannot be read."""
    try:
        found = parse_json((folder / INDEX).read_bytes())
        return {name: digest for name, digest in found.items() if _is_name(name)}
    except (OSError, ValueError, AttributeError) as error:
        pass_on_unreadable(error, f"reading {folder / INDEX}")
        return {}


def _is_name(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return len(parts) == 2 and parts[0] in FOLDERS


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
