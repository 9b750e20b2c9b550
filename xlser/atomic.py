"""Writes that are whole or not there: a temporary file beside the target, then one rename."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from xlser.errors import MachineError
from xlser.machine import way_out
from xlser.printable import printable
from xlser.temporaries import kept_temporary


@contextmanager
def replacing(path: str | Path, *, durable: bool = False, beside: Path | None = None) -> Iterator[Path]:
    """Yield a temporary path in the folder of ``path``; on success it takes the place of ``path`` in one step.

    A kill, a full disk or an exception leaves ``path`` as it was, and the temporary file is removed: by this process
    where it still can, else by the next one that writes there. Two writers of one path do not mix: the last whole file
    wins.

    Args:
        path: of the file; its folder is made where needed.
        durable: whether the file is on the disk, and not only in the machine's memory, when it takes its place: after
            a power cut there is the old file or the new one. It costs milliseconds: for results and checkpoints, not
            for what can be made again.
        beside: the folder of the temporary file, on the same disk; that of ``path`` unless given.

    Raises:
        MachineError: the folder cannot be written (no space, no permission); the message names the file and the reason.

    >>> import tempfile, pathlib
    >>> target = pathlib.Path(tempfile.mkdtemp()) / "a.txt"
    >>> with replacing(target, durable=True) as temporary:
    ...     _ = temporary.write_text("whole")
    >>> target.read_text()
    'whole'
    """
    path = Path(path)
    with kept_temporary(path, beside) as temporary:
        try:
            new = _make_folder(path.parent)
            # With the rights of any new file: a shared cache must stay readable by the group. Not by tempfile, whose
            # files are private, and not by asking for the umask: to ask is to set it, for every thread.
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            yield temporary
            if durable:
                sync(temporary)
            os.replace(temporary, path)
            if durable:
                for folder in (path.parent, *(made.parent for made in new)):
                    sync(folder)
        except OSError as error:
            raise _cannot_write(path, error) from error


def write_text(path: str | Path, text: str, *, durable: bool = False) -> None:
    """Write ``text`` as UTF-8 to ``path`` in one step (see `replacing`); what is no Unicode by `printable`.

    Raises:
        MachineError: see there.
    """
    with replacing(path, durable=durable) as temporary:
        temporary.write_text(printable(text), encoding="utf-8")


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk; nothing for a folder where the system cannot.

    Raises:
        OSError: what was written does not fit on the disk, or the disk fails.
    """
    if not path.is_dir():
        with path.open("r+b") as file:
            os.fsync(file.fileno())
    elif os.name == "posix":
        with suppress(OSError):  # some network drives refuse it of folders
            number = os.open(path, os.O_RDONLY)
            try:
                os.fsync(number)
            finally:
                os.close(number)


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder and those around it; return the ones that were not there."""
    if folder.is_dir():
        return []
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return new


def _cannot_write(path: Path, error: OSError) -> MachineError:
    return MachineError(
        f"cannot write {path}: {error.strerror or error}. Nothing was lost: what stood there before still stands. "
        f"{way_out(error)}"
    )
