"""Read what a bench left behind, and say plainly what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from xlser.errors import RunError
from xlser.fileformats import check_version
from xlser.machine import pass_on_machine, pass_on_unreadable
from xlser.reporting.load import missing_columns
from xlser.version import __version__

_CELL = {"recipe", "source", "target", "about", "classes", "baseline", "normalise", "transfer", "correlation"}
_CELL |= {"confusion", "choices", "notes", "dimensions", "nuisances", "few_shot", "few_shot_areas", "trust"}
_PLACE = {"recipe", "source"}
_SCORE = {"value", "low", "high"}
_SHOTS = "cells.few_shot"
# What the report cannot do without; whatever else a newer bench writes is left alone.
_NEEDED: dict[str, set[str]] = {
    "cells": _CELL,
    "chosen": _PLACE,
    "matrix": _PLACE | _SCORE | {"target", "role", "protocol", "metric", "chance", "method", "classifier"},
    "comparisons": {"source", "target", "a", "b", "family", "difference", "p_holm"},
    "languages": _PLACE | _SCORE | {"protocol", "language", "corpora", "data"},
    _SHOTS: {"k", "way", "metric", "value", "without", "gain"},
}
_ABOUT = {"recipes", "sources", "targets", "few_shot", "seeds", "versions", "command", "finished"}


def is_bench(folder: str | Path) -> bool:
    """Say whether a folder's ``results.json`` is that of a bench; one that cannot be read is none.

    >>> is_bench("nowhere")
    False
    """
    try:
        return "cells" in json.loads((Path(folder) / "results.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError) as error:
        pass_on_machine(error, f"reading the results in {folder}")
        return False


def load_bench(folder: str | Path, tables: Iterable[str] = tuple(_NEEDED)) -> dict[str, Any]:
    """Read ``results.json`` of a bench, of which these tables are used.

    Raises:
        RunError: there is no bench, or it did not finish; the file is damaged, is that of something else, or was
            written by a version of xlser that arranged it otherwise.
    """
    path = Path(folder) / "results.json"
    again = f"run the same `xlser transfer ... --out {folder}` command again"
    if not path.is_file():
        raise RunError(f"{folder} holds no results.json: no bench finished there. To finish one, {again}.")
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        pass_on_unreadable(error, f"reading {path}")
        raise RunError(
            f"{path} is damaged ({error}). Delete it, then {again}: what is done is not done again."
        ) from error
    if not isinstance(results, dict) or "cells" not in results:
        raise RunError(f"{path} is no result of `xlser transfer`: it has no cells. Give the folder of a bench.")
    check_version("bench", results.get("schema"), path, again)
    missing = _missing(results, {name: _NEEDED[name] for name in tables})
    if missing:
        raise RunError(
            f"{path} lacks {', '.join(missing)}: it was written by another version of xlser, and this is xlser "
            f"{__version__}. To bring it up to date, {again}."
        )
    return results


def _missing(results: dict[str, Any], needed: dict[str, set[str]]) -> list[str]:
    """Name every key that the report needs and cannot find."""
    about = results.get("about")
    missing = [f"about.{key}" for key in sorted(_ABOUT - set(about))] if isinstance(about, dict) else ["about"]
    missing += [name for name in ("failed", "holes") if not isinstance(results.get(name), dict)]
    missing += missing_columns(results, {name: keys for name, keys in needed.items() if name != _SHOTS})
    if _SHOTS in needed and not missing:
        shots = {_SHOTS: [row for cell in results["cells"] for row in cell["few_shot"]]}
        missing += missing_columns(shots, {_SHOTS: needed[_SHOTS]})
    return missing
