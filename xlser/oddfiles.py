"""What has the name of a file and is none: opening a pipe waits for ever, and a device never ends."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from xlser.printable import printable

_KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFDIR: "a folder"}


def not_a_file(path: str | os.PathLike[str]) -> str:
    """Return what a path leads to instead of a file, without opening it; empty for a file and where nothing is.

    Raises:
        OSError: the system cannot look at it.

    >>> not_a_file("/dev/null"), not_a_file("/nowhere")
    ('a device, not a file', '')
    """
    path = Path(path)
    if path.is_file():
        return ""
    if path.exists():
        return f"{_KINDS.get(stat.S_IFMT(path.stat().st_mode), 'a device')}, not a file"
    return f"a link to nothing, or in a circle: {printable(path.readlink())}" if path.is_symlink() else ""


def read_file(path: str | os.PathLike[str]) -> bytes:
    """Return the bytes of a file; of what is none, at once, the fault.

    Raises:
        OSError: with the system's number; that of no such device where it is a pipe, a folder or such.

    >>> read_file("/dev/null")
    Traceback (most recent call last):
    OSError: [Errno 6] a device, not a file: '/dev/null'
    """
    if kind := not_a_file(path):
        raise OSError(errno.ENXIO, kind, str(path))
    return Path(path).read_bytes()
