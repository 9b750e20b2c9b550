"""Locks between processes that say who holds them.

The system lets go of a lock when the process that holds it ends, however it ends: nobody waits for the dead.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from xlser.printable import printable
from xlser.temporaries import Owner, kept_temporary

_AGAIN = 30.0  # seconds after which somebody who waits is told so again
_LONGEST = 120  # letters of a command that are shown


class LockedError(Exception):
    """Another process holds a lock; the text says which, since when, and by which command."""


@contextmanager
def locked(path: Path, *, wait: bool = False, say: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the lock file ``path``, in a folder that is there, and let others know who does.

    Args:
        path: of the lock file, which stays.
        wait: whether to wait for who holds it, which is said at once and then every half minute.
        say: where it is said; standard error unless given.

    Raises:
        LockedError: it is held, and ``wait`` is false.
    """
    from filelock import FileLock, Timeout

    lock, began, patience = FileLock(path), time.monotonic(), 0.0
    while not lock.is_locked:
        try:
            lock.acquire(timeout=patience)
        except Timeout:
            if not wait:
                raise LockedError(holder(path)) from None
            seconds, patience = time.monotonic() - began, _AGAIN
            (say or _to_stderr)(f"waiting for {path.parent}, for {seconds:.0f} s so far: {holder(path)} works in it")
    try:
        with named_holder(path):
            yield
    finally:
        lock.release()


@contextmanager
def named_holder(path: Path) -> Iterator[None]:
    """Say, beside a file that this process has locked, who it is."""
    with kept_temporary(_told_in(path)) as place:
        with suppress(OSError):  # a courtesy: a full disk is met, and named, by what is written next
            about = {"host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S"), "command": _command()}
            place.write_text(json.dumps(about), encoding="utf-8")
        yield


def remove_lock(path: Path) -> None:
    """Remove a lock file that this process holds, and what says so: its folder is to go.

    Raises:
        OSError: it cannot be removed.
    """
    for place, owner in _holders(path):
        if owner == Owner.this():
            place.unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def holder(path: Path) -> str:
    """Return who holds the lock file ``path``: process, machine, since when, by which command.

    >>> holder(Path("nowhere/.lock"))
    'another process'
    """
    living = [_described(owner, place) for place, owner in _holders(path) if not owner.is_gone()]
    return living[0] if living else "another process"


def _holders(path: Path) -> list[tuple[Path, Owner]]:
    beginning = f".{_told_in(path).name}.xlser-"
    try:
        places = sorted(place for place in path.parent.iterdir() if place.name.startswith(beginning))
    except OSError:
        return []
    owners = [(place, Owner.of_name(place.name)) for place in places]
    return [(place, owner) for place, owner in owners if owner is not None]


def _described(owner: Owner, place: Path) -> str:
    try:
        about = json.loads(place.read_text(encoding="utf-8"))
        host, since, command = (str(about[key]) for key in ("host", "since", "command"))
    except (OSError, ValueError, KeyError, TypeError):
        return f"process {owner.pid}"
    text = "".join(letter if letter.isprintable() else " " for letter in f"on {host}, since {since}: {command}")
    return f"process {owner.pid} ({text})"


def _told_in(path: Path) -> Path:
    return path.with_name(f"{path.name.lstrip('.')}.holder")


def _command() -> str:
    program, *rest = sys.argv or [""]
    words = printable(" ".join([Path(program).name.replace("main.py", "xlser"), *rest])).strip()
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]} …"


def _to_stderr(text: str) -> None:
    with suppress(OSError):
        print(printable(text), file=sys.stderr, flush=True)
