"""A folder of results: whose it is, whether it is finished, and what every file in it says of where it comes from."""

from __future__ import annotations

import json
import platform
import shlex
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from xlser.atomic import write_text
from xlser.errors import RunError
from xlser.evaluation.results_file import CLAIM, RESULTS
from xlser.evaluation.results_schema import ResultsTable
from xlser.fileformats import VERSIONS, check_version
from xlser.jsonfile import read_json
from xlser.locks import LockedError, locked, remove_lock
from xlser.machine import machine_error
from xlser.ownfiles import RECORD
from xlser.temporaries import sweep
from xlser.typedtable import Text, is_typed, typed
from xlser.version import __version__

LIBRARIES = (
    *("torch", "speechbrain", "transformers", "peft", "opensmile", "soxr", "faiss-cpu", "scikit-learn"),
    *("numpy", "pandas"),
)
_DEEP = 32  # folders within folders, more than any result has
# What only training, or a search, writes.
TRAINED = ("models/**/model.safetensors", "models/**/state.ckpt", "tried.jsonl")
# What a start that fails before that may have made; whatever else appeared meanwhile is another's.
_MADE = (CLAIM, "inputs.parquet", "manifests", "models", "encoder", "jobs", "choosing")
# What a claim holds, by the kind of its folder.
_KINDS = {".json", ".parquet", ".safetensors", ".ckpt", ".csv"}
_CLAIMS = {"bench": ("bench", bool), "search": ("best", dict), "run": ("recipe", dict)}


class Held:
    """A folder of results that this process alone works in. Nothing is written into it before `begin`."""

    def __init__(self, out: Path, claim: dict[str, Any]) -> None:
        """Remember what was there before."""
        self._out, self._claim = out, claim
        self._aside: Path | None = None
        self._resumed = (out / CLAIM).exists()
        self._before = {*_visible(out), *([RECORD] if (out / RECORD).is_file() else [])}

    def begin(self, *, aside: Path | None = None) -> None:
        """Write whose folder it is; move what it holds into the folder ``aside`` before, where one is given."""
        if aside is not None:
            _move(self._before, self._out, aside)
            self._aside, self._resumed = aside, False
        write_text(self._out / CLAIM, json.dumps({"schema": VERSIONS["claim"], **self._claim}, indent=1), durable=True)

    def undo(self) -> None:
        """Make the folder what it was, unless it was begun earlier, or anything was trained since."""
        if self._resumed or any(next(self._out.rglob(name), None) for name in TRAINED):
            return
        for name in set(_MADE) - (set() if self._aside else self._before):
            _remove(self._out / name)
        if self._aside:
            _move(self._before, self._aside, self._out)
            self._aside.rmdir()


@contextmanager
def own(out: Path, claim: dict[str, Any]) -> Iterator[Held]:
    """Hold a folder against a second process, and refuse one that belongs to something else.

    Where what is done in it fails before anything was trained, the folder is left as it was, and one that was made for
    it is removed.

    Args:
        out: the folder; made if it is not there.
        claim: what `Held.begin` writes into its ``recipe.json``; ``hash`` tells runs apart.

    Raises:
        RunError: it is a file, holds something else (a ``recipe.json`` of another's too), or is in use; or the disk is
            full.
    """
    marker = out / CLAIM
    if out.exists() and not out.is_dir():
        raise RunError(f"{out} is a file; a run needs a folder. Choose another --out.")
    if out.is_dir() and not marker.exists() and _visible(out):
        raise RunError(f"{out} is not empty and holds no run of xlser. Choose another --out.")
    _check_claim(marker, claim)  # before a lock is left in a folder of another's, and again with the lock
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with locked(out / ".lock"):
            _check_claim(marker, claim)
            sweep(out, _DEEP)
            held = Held(out, claim)
            try:
                yield held
            except BaseException:
                held.undo()
                _remove_empty(out, made)
                raise
            finally:
                sweep(out, _DEEP)  # workers of a process that was killed may have outlived it by a moment
    except LockedError as error:
        raise RunError(f"{error} is working in {out}. Wait for it, or choose another --out.") from None
    except OSError as error:
        raise machine_error(error, f"working in {out}") from error


def aside_of(out: Path) -> Path:
    """Return the folder beside ``out`` for what it holds now, named after the time; nothing is there yet."""
    out = out if out.name not in ("", "..") else out.resolve()
    name = f"{out.name}-before-{time.strftime('%Y-%m-%d-%H%M%S')}"
    tries = (out.with_name(f"{name}-{number}" if number else name) for number in count())
    return next(path for path in tries if not path.exists())


def _visible(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if not path.name.startswith(".")]


def _remove(path: Path) -> None:
    """Remove a file, or a folder with all that a run writes; links, and files of other kinds, stay where they are."""
    if path.is_dir() and not path.is_symlink():
        for inner in path.iterdir():
            _remove(inner)
        with suppress(OSError):  # something of another's is in it
            path.rmdir()
    elif path.is_file() and not path.is_symlink() and _is_ours(path.name):
        path.unlink()


def _is_ours(name: str) -> bool:
    return Path(name).suffix in _KINDS or name == ".lock" or name.startswith("events.")


def _move(names: Iterable[str], of: Path, to: Path) -> None:
    """Move some of a folder's files, its results first: a kill on the way leaves no folder that looks finished."""
    to.mkdir(parents=True, exist_ok=True)
    for name in sorted(names, key=lambda name: (name != RESULTS, name)):
        shutil.move(of / name, to / name)


def _remove_empty(out: Path, made: Iterable[Path]) -> None:
    """Remove folders that were made for nothing; the lock goes first, while it is held, so that nobody else has it."""
    if made and not _visible(out):
        with suppress(OSError):  # another process is about to work there
            remove_lock(out / ".lock")
            for folder in made:
                folder.rmdir()


@typed
class Claim(TypedDict, total=False):
    """``recipe.json``: whose folder it is."""

    hash: Text
    recipe: dict[str, Any]
    bench: bool
    best: dict[str, Any]


def _check_claim(marker: Path, claim: dict[str, Any]) -> None:
    if not marker.exists() and not marker.is_symlink():
        return
    held = {} if marker.is_symlink() else read_json(marker)
    kind = _kind(held) if is_typed(Claim, held) else None
    if kind is None:
        raise RunError(
            f"{marker} is not what xlser writes to say whose a folder is: everything in {marker.parent} is left alone. "
            "Choose another --out, or move that file away."
        )
    check_version("claim", held.get("schema"), marker, "choose another --out")
    if kind != _kind(claim):
        raise RunError(f"{marker.parent} holds a {kind}. Choose another --out, or delete that folder.")
    if held.get("hash") != claim.get("hash"):
        raise RunError(f"{marker.parent} holds a run of another recipe. Choose another --out, or delete that folder.")


def _kind(claim: dict[str, Any]) -> str | None:
    """Return what a folder with this claim holds; None where xlser writes no such claim."""
    kind = next((kind for kind, (key, _) in _CLAIMS.items() if key in claim), None)
    if kind is None or not isinstance(claim[_CLAIMS[kind][0]], _CLAIMS[kind][1]):
        return None
    return kind if kind == "bench" or isinstance(claim.get("hash"), str) else None


def finished(out: Path) -> bool:
    """Say whether a run folder holds results of today's schema: they come last. Which xlser wrote them does not matter.

    >>> finished(Path("nowhere"))
    False
    """
    results = read_json(out / RESULTS)
    return bool(results) and results.get("schema", 1) == VERSIONS["run"] and is_typed(ResultsTable, results)


def provenance(seconds: float) -> dict[str, Any]:
    """Return by which ``versions`` and ``command``, in how many ``seconds`` and when results were ``finished``."""
    return {
        "versions": {"xlser": __version__, "python": platform.python_version(), **versions()},
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "seconds": round(seconds, 1),
        "finished": time.strftime("%Y-%m-%d %H:%M:%S %z"),
    }


def versions() -> dict[str, str]:
    """Return the versions of the libraries that can change a number."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
