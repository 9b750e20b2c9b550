"""Writes that are whole or not there: a temporary file beside the target, then one rename."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xlser.errors import MachineError
from xlser.machine import way_out
from xlser.printable import printable


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of ``path``; on success it takes the place of ``path`` in one step.

    A kill, a full disk or an exception leaves ``path`` as it was, and the temporary file is removed where the process
    still can. Two writers of one path do not mix: the last whole file wins.

    Raises:
        MachineError: the folder cannot be written (no space, no permission); the message names the file and the reason.

    >>> import tempfile, pathlib
    >>> target = pathlib.Path(tempfile.mkdtemp()) / "a.txt"
    >>> with replacing(target) as temporary:
    ...     _ = temporary.write_text("whole")
    >>> target.read_text()
    'whole'
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # With the rights of any new file: a shared cache must stay readable by the group. Not by tempfile, whose files
        # are private, and not by asking for the umask: to ask is to set it, for every thread.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8 to ``path`` in one step (see `replacing`); what is no Unicode by `printable`.

    Raises:
        MachineError: see there.
    """
    with replacing(path) as temporary:
        temporary.write_text(printable(text), encoding="utf-8")


def _cannot_write(path: Path, error: OSError) -> MachineError:
    return MachineError(
        f"cannot write {path}: {error.strerror or error}. Nothing was lost: what stood there before still stands. "
        f"{way_out(error)}"
    )
