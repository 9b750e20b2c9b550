"""What a report wrote, so that the next one can clear away what it no longer writes, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from xlser.ownfiles import OwnFiles

INDEX = "report-files.json"
FOLDERS = ("pages", "tables")


def write_all(folder: Path, texts: Iterable[tuple[str, str]]) -> None:
    """Write each (name, text) below a folder, then delete what an earlier call wrote there and this one did not.

    `INDEX` remembers names and hashes. Only a file in `FOLDERS` that still holds what was written is deleted: one that
    somebody put there, or changed, stays, beside a new one of its name (see `xlser.ownfiles`). A call that does not
    come to its end deletes nothing.

    Raises:
        XlserError: the folder cannot be written.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_all(folder, [("pages/a.html", "a"), ("pages/b.html", "b")])
    >>> write_all(folder, [("pages/b.html", "b")])
    >>> [path.name for path in (folder / "pages").iterdir()]
    ['b.html']
    """
    with OwnFiles(folder, INDEX, batch=True) as own:
        earlier, now = own.names, set()
        for name, text in texts:
            own.write(name, text)
            now.add(name.casefold())  # two names may be one file
        for name in earlier:
            if name.casefold() in now:
                continue
            if _is_name(name):
                own.remove(name)
            else:
                own.forget(name)


def _is_name(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return len(parts) == 2 and parts[0] in FOLDERS
