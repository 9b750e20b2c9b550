"""Installed versions against those that xlser asks for, from the packages' own metadata: milliseconds, no import."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING

from xlser.environment.check import Check

if TYPE_CHECKING:
    from packaging.requirements import Requirement

# These two are built against each other: one is never mended without the other.
_PAIR = ("torch", "torchaudio")


def requirements() -> dict[str, Requirement]:
    """Return what xlser needs here by name, without the extras; empty where xlser itself is not installed."""
    from packaging.requirements import Requirement

    try:
        wanted = [Requirement(text) for text in requires("xlser") or []]
    except PackageNotFoundError:
        return {}
    return {need.name: need for need in wanted if need.marker is None or need.marker.evaluate({"extra": ""})}


def check_versions(names: Iterable[str] | None = None) -> list[Check]:
    """Compare installed versions with the ranges of xlser's own metadata.

    Args:
        names: of distributions, such as ``torch``; all that xlser needs, unless given.

    Returns:
        A check for each library, torch and torchaudio as one.
    """
    needs = requirements()
    if not needs:
        return [Check("xlser", "warn", "not installed, only found on the path: versions were not compared")]
    chosen = [name for name in needs if names is None or name in set(names)]
    single = [_check([needs[name]]) for name in chosen if name not in _PAIR]
    pair = [needs[name] for name in _PAIR if name in chosen]
    return [*([_check(pair)] if pair else []), *single]


def _check(needs: list[Requirement]) -> Check:
    have = {need.name: _installed(need.name) for need in needs}
    wrong = [need for need in needs if not _fits(need, have[need.name])]
    name = ", ".join(have)
    said = " beside ".join(f"{library} {number or 'not installed'}" for library, number in have.items())
    if not wrong:
        return Check(name, "ok", said)
    rules = " and ".join(str(need) for need in needs)
    fault = "do not work together" if len(needs) > 1 else "does not do"
    return Check(name, "fail", f"{said} {fault}: xlser needs {rules}", _remedy(needs))


def _fits(need: Requirement, number: str | None) -> bool:
    # A build made by hand may be a pre-release; what its version says is all that counts here.
    return number is not None and need.specifier.contains(number, prereleases=True)


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _remedy(needs: list[Requirement]) -> str:
    root = Path(__file__).resolve().parents[2]
    words = " ".join(shlex.quote(str(need)) for need in needs)
    if (root / "requirements.lock").is_file() and Path(sys.prefix) == root / ".venv":
        # The stamp knows nothing of what pip did by hand: with it, make takes everything for done.
        where = shlex.quote(str(root))
        return f"Mend it with: rm -f {where}/.venv/.installed && make -C {where} setup (or: pip install {words})"
    return f"Mend it with: pip install {words}"
