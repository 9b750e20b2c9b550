"""Files and folders of work that is under way: their names say whose they are, so that a later process can sweep them.

A process that is killed leaves what it was writing. Another one may remove that, but nothing that somebody still works
on: each temporary bears its owner's process number, the time that process began, and the place (machine, boot,
container) in which that number means anything.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

# Seconds after which a temporary of another place is nobody's: whether its owner lives cannot be seen from here.
FOREIGN = 24 * 60 * 60
_NAME = re.compile(r"\..*\.xlser-([1-9]\d{0,9})-(\d{1,20})-([0-9a-f]{8})-[0-9a-f]{8}(?:\.[^.]*)?", re.DOTALL)
_LONGEST = 255  # bytes of a file name
_LONGEST_SUFFIX = 16
# The temporaries of this process that are there now, and the folders that it has swept.
_mine: dict[Path, int] = {}
_swept: set[str] = set()


class Owner(NamedTuple):
    """A process: its number, when it began (clock ticks since the machine did; 0: not known), and where that holds."""

    pid: int
    began: int
    place: str

    @classmethod
    def this(cls) -> Owner:
        """Return this process.

        >>> Owner.this().is_gone()
        False
        """
        pid = os.getpid()
        return cls(pid, _own_start(pid), _place())

    @classmethod
    def of_name(cls, name: str) -> Owner | None:
        """Return the owner that a temporary's name says; None for the name of anything else.

        >>> Owner.of_name(".a.npy.xlser-471-8812-0a1b2c3d-99aabbcc.npy")
        Owner(pid=471, began=8812, place='0a1b2c3d')
        >>> Owner.of_name(".a.npy.99aabbcc.npy"), Owner.of_name("xlser-471-8812-0a1b2c3d-99aabbcc")
        (None, None)
        """
        match = _NAME.fullmatch(name)
        return cls(int(match[1]), int(match[2]), match[3]) if match else None

    def is_gone(self) -> bool | None:
        """Say whether the process has ended; None where that cannot be seen from here."""
        if self.place != _place() or os.name != "posix":  # on Windows, `os.kill` would end the process
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except (OSError, OverflowError):
            pass  # another user's, for one
        now = _start_of(self.pid)
        return now is not None and now != self.began


def temporary_name(path: Path, folder: Path | None = None) -> Path:
    """Return a new hidden name for what becomes ``path``, beside it or in ``folder``; nothing is made.

    >>> temporary_name(Path("a/b.npy")).match("a/.b.npy.xlser-*.npy")
    True
    """
    owner = Owner.this()
    suffix = path.suffix if len(os.fsencode(path.suffix)) <= _LONGEST_SUFFIX else ""
    rest = f".xlser-{owner.pid}-{owner.began}-{owner.place}-{secrets.token_hex(4)}{suffix}"
    name = path.name
    while len(os.fsencode(f".{name}{rest}")) > _LONGEST:
        name = name[:-1]
    return (folder or path.parent) / f".{name}{rest}"


@contextmanager
def kept_temporary(path: Path, folder: Path | None = None) -> Iterator[Path]:
    """Yield a new name for what becomes ``path`` (see `temporary_name`), and remove what is there of it afterwards.

    What processes that ended left in that folder is removed too, the first time that this process comes there.
    """
    temporary = temporary_name(path, folder)
    _mine[temporary] = os.getpid()
    try:
        _sweep_once(temporary.parent)
        yield temporary
    finally:
        remove(temporary)
        _mine.pop(temporary, None)


@contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """Yield a new hidden folder beside ``path``, whose parent is made where needed, and remove it afterwards.

    Raises:
        OSError: it cannot be made.
    """
    with kept_temporary(path) as folder:
        folder.mkdir(parents=True)
        yield folder


def sweep(folder: Path | str, depth: int = 0) -> None:
    """Remove the temporaries in ``folder``, and so many folders deep, whose owners have ended.

    Those of another place are removed when nothing in them has changed for a day. Nothing else is touched, links are
    not followed, and what cannot be read or removed stays.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if owner := Owner.of_name(entry.name):
                if _is_nobodys(owner, Path(entry.path)):
                    remove(Path(entry.path))
            elif depth and entry.is_dir(follow_symlinks=False):
                sweep(entry.path, depth - 1)


def remove_own() -> None:
    """Remove every temporary of this process: it is about to end, and threads of it that still write do not matter."""
    for path, pid in list(_mine.items()):
        if pid == os.getpid():  # a forked process does not own what it inherited
            remove(path)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that it holds; nothing where it is not there, or cannot be removed."""
    try:
        path.unlink()
    except FileNotFoundError:
        pass
    except OSError:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


def _sweep_once(folder: Path) -> None:
    if (key := os.path.abspath(folder)) not in _swept:
        _swept.add(key)
        sweep(key)


def _is_nobodys(owner: Owner, path: Path) -> bool:
    gone = owner.is_gone()
    return time.time() - _changed(path) > FOREIGN if gone is None else gone


def _changed(path: Path) -> float:
    """Return when a file, or anything in a folder, was last changed, in seconds; now where that cannot be seen."""
    try:
        inner = path.rglob("*") if path.is_dir() and not path.is_symlink() else ()
        return max(found.lstat().st_mtime for found in (path, *inner))
    except OSError:
        return time.time()


@lru_cache(maxsize=1)
def _place() -> str:
    """Return what names the machine since it was started, and the container: process numbers mean nothing elsewhere."""
    words = [socket.gethostname()]
    with suppress(OSError):
        words.append(Path("/proc/sys/kernel/random/boot_id").read_text())
    with suppress(OSError):
        words.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\n".join(words).encode("utf-8", "surrogateescape")).hexdigest()[:8]


@lru_cache(maxsize=1)
def _own_start(pid: int) -> int:
    return _start_of(pid) or 0


def _start_of(pid: int) -> int | None:
    """Return when a process began, in clock ticks since the machine did; -1: it has ended; None: it cannot be seen."""
    if sys.platform != "linux":
        return None
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return -1 if state in (b"Z", b"X") else int(fields[18])
    except (OSError, ValueError, IndexError):
        return None
