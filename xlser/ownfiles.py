"""Which files of a folder xlser wrote: whatever else lies there is somebody's, and is never written over or deleted."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path, PurePosixPath

from xlser.atomic import replacing, write_text
from xlser.errors import XlserError
from xlser.jsonfile import parse_json
from xlser.machine import machine_error, pass_on_unreadable
from xlser.oddfiles import read_file
from xlser.printable import printable

# Hidden: it is no result, and goes where its folder goes.
RECORD = ".xlser-files.json"
_BLOCK = 2**20


class OwnFiles:
    """The files that xlser wrote into a folder, by the SHA-256 of what it wrote.

    A file that is not known, or that holds something else by now, is another's. Where its name is needed, it is kept
    beside it under another name, which is said on standard error. No link is written through.

    Args:
        folder: which need not be there.
        record: the file in it that says what was written.
        batch: write the record at the end of the ``with`` block alone, for many files at once.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with OwnFiles(folder) as own:
    ...     own.write("report.html", "ours")
    >>> own.holds("report.html")
    True
    >>> _ = (folder / "report.html").write_text("ours, with a remark of mine")
    >>> OwnFiles(folder).holds("report.html")
    False
    """

    def __init__(self, folder: str | Path, record: str = RECORD, *, batch: bool = False) -> None:
        """Read what was written earlier."""
        self.folder, self._record, self._batch = Path(folder), record, batch
        self._known = _read(self.folder / record)

    def __enter__(self) -> OwnFiles:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Write the record, whatever happened: what was written was written."""
        if self._batch:
            self.save()

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that was written, whether it is still there or not."""
        return tuple(self._known)

    def holds(self, name: str) -> bool:
        """Say whether a file is there, and what xlser wrote."""
        path = self.folder / name
        plain = path.is_file() and not self._linked(name)
        return plain and digest(path) in self._known.get(name, ())

    @contextmanager
    def replacing(self, name: str, *, durable: bool = False) -> Iterator[Path]:
        """Yield a temporary path, which takes the place of the file ``name`` in one step, as `xlser.atomic.replacing`.

        Another's file of that name is kept beside it first.

        Raises:
            XlserError: a folder on the way is a link, or the folder cannot be written.
        """
        path = self.folder / name
        self._refuse_linked_folder(name)
        with replacing(path, durable=durable) as temporary:
            yield temporary
            made = digest(temporary)
            if (path.is_file() or path.is_symlink()) and not self.holds(name):
                self._keep_beside(path, made)
            # Before it is there: a kill in between leaves no file of ours that is taken for another's.
            self._known[name] = (*self._known.get(name, ())[-1:], made)
            if not self._batch:
                self.save()

    def write(self, name: str, text: str) -> None:
        """Write a file's text as UTF-8; see `replacing`."""
        with self.replacing(name) as temporary:
            temporary.write_text(printable(text), encoding="utf-8")

    def note(self, *names: str) -> None:
        """Take files that are there for what xlser wrote."""
        for name in names:
            self._known[name] = (digest(self.folder / name),)

    def remove(self, name: str) -> None:
        """Delete a file that is what xlser wrote; leave another's, and forget the name."""
        if self.holds(name):
            (self.folder / name).unlink()
        self.forget(name)

    def forget(self, name: str) -> None:
        """Take a file for another's from now on."""
        self._known.pop(name, None)

    def save(self) -> None:
        """Write the record, unless there is nothing to say."""
        if not self._known and not (self.folder / self._record).exists():
            return
        known = {name: several[-1] if self._batch else list(several) for name, several in self._known.items()}
        write_text(self.folder / self._record, json.dumps(known, indent=1) + "\n")

    def others(self) -> list[str]:
        """Return the names of all other files below the folder, hidden ones and links included, in their order."""
        return [name for name in files_below(self.folder) if name != self._record and not self.holds(name)]

    def _linked(self, name: str) -> bool:
        path = self.folder / name
        return any(part.is_symlink() for part in (path, *path.parents) if self.folder in part.parents)

    def _refuse_linked_folder(self, name: str) -> None:
        path = self.folder / name
        for part in path.parents:
            if self.folder in part.parents and part.is_symlink():
                raise XlserError(
                    f"cannot write {path}: {part} is a link to {part.resolve()}, and xlser writes into its own folder "
                    "alone. Remove the link, or choose another folder."
                )

    def _keep_beside(self, path: Path, made: str) -> None:
        if path.is_file() and not path.is_symlink() and digest(path) == made:
            return  # written by us, and not noted: a kill came before
        kept = beside(path, "kept")
        try:
            path.rename(kept)
        except OSError as error:
            raise machine_error(error, f"keeping {path} as {kept.name}") from error
        print(f"{path} is not what xlser wrote: it is kept as {kept.name}", file=sys.stderr, flush=True)


def refuse_input(out: Path | None, *sources: Path) -> None:
    """Stop before what is read would be written over.

    Raises:
        XlserError: ``out`` is the same file as one of the sources, links followed.
    """
    for source in sources:
        if out is not None and out.is_file() and source.exists() and out.samefile(source):
            raise XlserError(f"--out is {source}, which is read: it would be written over. Give another --out.")


def beside(path: Path, why: str) -> Path:
    """Return a path beside another one, of its name, ``why`` and the time; nothing is there yet."""
    stem = f"{path.stem}.{why}-{time.strftime('%Y-%m-%d-%H%M%S')}"
    tries = (path.with_name(f"{stem}{f'-{number}' * bool(number)}{path.suffix}") for number in count())
    return next(free for free in tries if not free.exists() and not free.is_symlink())


def digest(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        OSError: it cannot be read.
    """
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def files_below(folder: Path) -> list[str]:
    """Return every file below a folder as a path with ``/``; links, and folders with nothing in them, are files here.

    >>> files_below(Path("nowhere"))
    []
    """
    if not folder.is_dir():
        return []
    found: list[str] = []
    for path in sorted(folder.iterdir()):
        inner = [] if path.is_symlink() or not path.is_dir() else files_below(path)
        found += [f"{path.name}/{name}" for name in inner] or [path.name]
    return found


def _read(path: Path) -> dict[str, tuple[str, ...]]:
    """Return names and hashes; none where they cannot be read, and none of a name that leads elsewhere."""
    try:
        found = parse_json(read_file(path))
        several = {name: (value,) if isinstance(value, str) else tuple(value) for name, value in found.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        pass_on_unreadable(error, f"reading {path}")
        return {}
    return {name: value for name, value in several.items() if _is_below(name) and all(map(_is_text, value))}


def _is_below(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and ".." not in parts and "\0" not in name


def _is_text(value: object) -> bool:
    return isinstance(value, str)
