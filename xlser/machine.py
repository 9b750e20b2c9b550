"""Whose fault an exception is: a recording's, or the machine's and what is installed on it."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xlser.errors import MachineError
from xlser.oddfiles import not_a_file

# What may be wrong with one file or its name. Whatever else the system says is about the machine, and so is an OSError
# without any number: a library that cannot be loaded raises such.
_OF_A_FILE = frozenset(
    {
        *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG),
        *(errno.EEXIST, errno.ENXIO, errno.EILSEQ),
    }
)
DOCTOR = "`xlser doctor` looks at the whole installation."
_WAYS_OUT = {
    errno.EMFILE: "This process has too many files open. Raise the limit, `ulimit -n 8192`, or give fewer --jobs.",
    errno.ENFILE: "The machine has too many files open. Close other programs, or give fewer --jobs.",
    errno.ENOSPC: "The disk is full. Free some space, or choose another folder (--out, --cache or XLSER_CACHE).",
    errno.EDQUOT: "Your quota is used up. Free some space, or choose another folder (--out, --cache or XLSER_CACHE).",
    errno.ENOMEM: "The machine is out of memory. Close other programs, or give fewer --jobs.",
    errno.EIO: "The disk or the network drive fails. Copy the data to another one; the system log says more.",
    errno.EROFS: "The file system is mounted for reading only. Choose another folder.",
    errno.EEXIST: "Something else has that name; choose another folder.",
    errno.ENOTDIR: "A file has the name of a folder there; choose another folder.",
    errno.ESTALE: "The network drive has lost the file. Mount it anew.",
    errno.EACCES: "You may not do this there. Change the permissions, or choose another folder.",
    errno.EPERM: "You may not do this there. Change the permissions, or choose another folder.",
}
_AGAIN = "Then give the same command again: what was done is kept."


def is_of_a_file(error: BaseException) -> bool:
    """Say whether an exception while a file is read can be the file's own fault: gone, not permitted, no file.

    >>> is_of_a_file(FileNotFoundError(errno.ENOENT, "")), is_of_a_file(OSError(errno.EMFILE, ""))
    (True, False)
    >>> is_of_a_file(OSError("libx.so: undefined symbol")), is_of_a_file(MemoryError())
    (False, False)
    """
    return isinstance(error, OSError) and error.errno in _OF_A_FILE


def number_of(error: BaseException) -> int | None:
    """Return the system's number of what went wrong; of libraries in Rust and of torch it stands in the text.

    >>> number_of(ValueError("I/O error: No space left on device (os error 28)"))
    28
    >>> number_of(RuntimeError("DefaultCPUAllocator: can't allocate memory")) == errno.ENOMEM
    True
    """
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return errno.ENOMEM
    if (number := getattr(error, "errno", None)) is not None:
        return int(number)
    said = re.search(r"\(os error (\d+)\)", str(error))
    return int(said[1]) if said else None


def check_opens(path: str | Path) -> None:
    """Open a file for reading and close it: libraries that open files themselves hide why they could not.

    Raises:
        OSError: with the system's number; that of no such device where it is a pipe, a folder or such.
    """
    if kind := not_a_file(path):
        raise OSError(errno.ENXIO, kind, str(path))
    with open(path, "rb"):
        pass


def way_out(error: BaseException) -> str:
    """Return what to do about an exception of the machine, a sentence or two; by its number where it has one.

    >>> way_out(OSError(errno.ENOSPC, "No space left on device")).partition(".")[0]
    'The disk is full'
    """
    number = number_of(error)
    return _WAYS_OUT.get(number or 0, DOCTOR)


def machine_error(error: BaseException, doing: str) -> MachineError:
    """Return the error that stops the work: what was being done, what failed, and the way out.

    Args:
        error: what was raised; raise the result ``from`` it.
        doing: such as ``reading a.wav``.
    """
    if isinstance(error, MachineError):
        return error
    name = type(error).__name__
    said = getattr(error, "strerror", None) or str(error) or name
    number = getattr(error, "errno", None)
    about = f"{name}: {said}" if number is None and said != name else said
    again = _AGAIN if number or isinstance(error, MemoryError) else ""
    return MachineError(f"{doing} failed through no fault of the recordings: {about}. {way_out(error)} {again}".strip())


def names_machine(error: BaseException) -> bool:
    """Say whether an exception can only be the machine's: out of memory, a missing module, a full or failing disk.

    The narrow counterpart of `is_of_a_file`, for libraries that raise plain OSError of what they are given.

    >>> names_machine(OSError(errno.ENOSPC, "")), names_machine(OSError("does not look like a checkpoint"))
    (True, False)
    """
    if isinstance(error, MemoryError | ImportError | MachineError):
        return True
    number = number_of(error)
    return number is not None and number not in _OF_A_FILE and number != errno.EINVAL


def pass_on_machine(error: BaseException, doing: str) -> None:
    """Raise `MachineError` from an exception that can only be the machine's (see `names_machine`); return otherwise.

    Raises:
        MachineError: see there.
    """
    if names_machine(error):
        raise machine_error(error, doing) from error


def pass_on_unreadable(error: BaseException, doing: str) -> None:
    """Raise `MachineError` where one of xlser's own files is there but cannot be read; return where it is not there or
    damaged, and can be made again.

    Raises:
        MachineError: see there.
    """
    missing = isinstance(error, FileNotFoundError | NotADirectoryError)
    if names_machine(error) or (isinstance(error, OSError) and not missing):
        raise machine_error(error, doing) from error


def stop_if_of_machine(error: BaseException, doing: str) -> None:
    """Raise `MachineError` from an exception that is not of a file; return otherwise.

    Raises:
        MachineError: see there.
    """
    if not is_of_a_file(error):
        raise machine_error(error, doing) from error


@contextmanager
def loading(library: str) -> Iterator[None]:
    """Say of whatever goes wrong while a library is imported or initialised that it is the library's.

    Raises:
        MachineError: the library cannot be used.

    >>> with loading("json"):
    ...     import json
    """
    try:
        yield
    except (MemoryError, MachineError):
        raise
    except Exception as error:  # libraries fail to start in exceptions of every kind
        # torch and its kin name the library that does not load, and only in the cause what it lacks
        said = " ".join(f"{error} {error.__cause__ or ''}".split())
        raise MachineError(
            f"{library} is installed but cannot be used ({type(error).__name__}: {said}). "
            f"Install what xlser was locked with: `make` in a checkout. {DOCTOR}"
            if not isinstance(error, ModuleNotFoundError)
            else f"{library} is not installed ({said}). Install xlser with all it needs: `make` in a checkout, "
            f"or `pip install xlser`. {DOCTOR}"
        ) from error


def many_alike(reasons: dict[str, str]) -> str:
    """Return a hint where several recordings fail for one and the same reason; empty otherwise.

    >>> many_alike({"a.wav": "zero length: an empty file", "b.wav": "silent"})
    ''
    """
    kinds = {reason.partition(" (")[0] for reason in reasons.values()}
    if len(reasons) < 2 or len(kinds) > 1:
        return ""
    return (
        " All fail for this one reason, which looks like the machine, a damaged copy or the wrong folder rather than "
        f"so many broken recordings. {DOCTOR}"
    )
