"""A folder of results: whose it is, whether it is finished, and what every file in it says of where it comes from."""

from __future__ import annotations

import json
import platform
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from xlser.atomic import write_text
from xlser.errors import RunError
from xlser.evaluation.results_file import CLAIM, RESULTS
from xlser.fileformats import VERSIONS, check_version
from xlser.jsonfile import read_json
from xlser.machine import machine_error
from xlser.version import __version__

LIBRARIES = (
    *("torch", "speechbrain", "transformers", "peft", "opensmile", "soxr", "faiss-cpu", "scikit-learn"),
    *("numpy", "pandas"),
)


@contextmanager
def own(out: Path, claim: dict[str, Any]) -> Iterator[None]:
    """Hold a folder against a second process, and refuse one that belongs to something else.

    Args:
        out: the folder; made if it is not there.
        claim: what stands in its ``recipe.json``; ``hash`` tells runs apart.

    Raises:
        RunError: it is a file, holds something else, or is in use; or the disk is full.
    """
    from filelock import FileLock, Timeout

    marker = out / CLAIM
    if out.exists() and not out.is_dir():
        raise RunError(f"{out} is a file; a run needs a folder. Choose another --out.")
    if out.is_dir() and not marker.exists() and any(not path.name.startswith(".") for path in out.iterdir()):
        raise RunError(f"{out} is not empty and holds no run of xlser. Choose another --out.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with FileLock(out / ".lock").acquire(timeout=0):
            _claim(marker, claim)
            yield
    except Timeout:
        raise RunError(f"another process is working in {out}. Wait for it, or choose another --out.") from None
    except OSError as error:
        raise machine_error(error, f"working in {out}") from error


def _claim(marker: Path, claim: dict[str, Any]) -> None:
    held = json.loads(marker.read_text(encoding="utf-8")) if marker.exists() else claim
    check_version("claim", held.get("schema"), marker, "choose another --out")
    if held.get("hash") != claim.get("hash"):
        raise RunError(f"{marker.parent} holds a run of another recipe. Choose another --out, or delete that folder.")
    write_text(marker, json.dumps({"schema": VERSIONS["claim"], **claim}, indent=1))


def finished(out: Path) -> bool:
    """Say whether a run folder holds results of today's schema: they come last. Which xlser wrote them does not matter.

    >>> finished(Path("nowhere"))
    False
    """
    results = read_json(out / RESULTS)
    return bool(results) and results.get("schema", 1) == VERSIONS["run"]


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
