"""results.json of a run or bench on disk: one writer, and one reader that takes a file whole or says what is wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from xlser.atomic import write_text
from xlser.errors import RunError, brief
from xlser.evaluation.results_schema import ResultsTable
from xlser.fileformats import check_version
from xlser.jsonfile import parse_json
from xlser.machine import pass_on_machine, pass_on_unreadable
from xlser.oddfiles import read_file
from xlser.typedtable import check_types
from xlser.version import __version__

Kind = Literal["run", "bench"]
Table = dict[str, Any]
RESULTS, CLAIM = "results.json", "recipe.json"

_ROW = {"corpus", "role", "protocol", "method"}
_PLACE = {"recipe", "source"}
_SCORE = {"value", "low", "high"}
_GAIN = {"gain", "gain_low", "gain_high", "utterances"}
_CELL = {"target", "about", "classes", "baseline", "normalise", "transfer", "correlation", "confusion", "choices"}
_CELL |= _PLACE | {"notes", "dimensions", "nuisances", "few_shot", "few_shot_areas", "trust"}
_SHOTS = "cells.few_shot"
# What cannot be done without, by table; whatever else a newer xlser writes is left alone.
_TABLES: dict[Kind, dict[str, set[str]]] = {
    "run": {
        "corpora": {"corpus", "title", "role", "language", "synthetic", "utterances", "speakers", "ratings", "labels"},
        "splits": {"seed", "hash", "speakers", "utterances", "shared"},
        "curves": {"method", "seed", "best_epoch", "curve"},
        "choices": {"method", "seed", "reader"},
        "transfer": _ROW | _SCORE | _GAIN | {"classifier", "metric", "chance", "classes", "speakers"},
        "correlation": _ROW | _SCORE | _GAIN | {"axis", "dimension", "statistic", "ratings"},
        "confusion": _ROW | {"classifier", "truth", "prediction", "count"},
    },
    "bench": {
        "cells": _CELL,
        "chosen": _PLACE,
        "matrix": _PLACE | _SCORE | {"target", "role", "protocol", "metric", "chance", "method", "classifier"},
        "comparisons": {"source", "target", "a", "b", "family", "difference", "p_holm"},
        "languages": _PLACE | _SCORE | {"protocol", "language", "corpora", "data"},
        _SHOTS: {"k", "way", "metric", "value", "without", "gain"},
    },
}
_ABOUT: dict[Kind, set[str]] = {
    "run": {"recipe", "recipe_hash", "notes", "synthetic", "protocol", "versions", "command", "finished"},
    "bench": {"recipes", "sources", "targets", "few_shot", "seeds", "versions", "command", "finished"},
}
_INNER = {"recipe": "name", "versions": "xlser"}
# Newer runs say what gains are over; where they do not, it is the plain autoencoder.
_BASELINE = {"method", "readers"}


def plain(value: Any) -> Any:
    """Return ``value`` with what JSON cannot hold put right: NaN becomes null, NumPy numbers become Python's.

    >>> plain({"value": float("nan"), "interval": (0.25, 0.5)})
    {'value': None, 'interval': [0.25, 0.5]}
    """
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_json(path: Path, value: Any, indent: int | None = None) -> None:
    """Write a table in one step, onto the disk (`replacing`, durable); numbers that JSON does not know become null."""
    write_text(path, json_text(value, indent), durable=True)


def json_text(value: Any, indent: int | None = None) -> str:
    """Return a table as JSON; numbers that JSON does not know become null."""
    separators = (",", ":") if indent is None else None
    return json.dumps(plain(value), indent=indent, separators=separators, allow_nan=False)


def kind_of(folder: str | Path) -> Kind | None:
    """Return what a folder is, finished or not, by the file that claims it, or else by its results; None for neither.

    >>> kind_of("nowhere") is None
    True
    """
    claim = _seen(Path(folder) / CLAIM)
    if isinstance(claim, dict):
        return "bench" if claim.get("bench") else "run"
    results = _seen(Path(folder) / RESULTS)
    return ("bench" if "cells" in results else "run") if isinstance(results, dict) else None


def is_bench(folder: str | Path) -> bool:
    """Say whether a folder is that of a bench, finished or not.

    >>> is_bench("nowhere")
    False
    """
    return kind_of(folder) == "bench"


def load_results(run_dir: str | Path) -> Table:
    """Read ``results.json`` of a run folder; raises as `read_table`."""
    return read_table(run_dir, "run")


def load_bench(folder: str | Path, tables: Iterable[str] | None = None) -> Table:
    """Read ``results.json`` of a bench, of which these tables are used: all unless named. Raises as `read_table`."""
    return read_table(folder, "bench", tables)


def _seen(path: Path) -> object:
    try:
        return parse_json(read_file(path))
    except (OSError, ValueError) as error:
        pass_on_machine(error, f"reading {path}")
        return None


def read_table(folder: str | Path, kind: Kind, tables: Iterable[str] | None = None) -> Table:
    """Read ``results.json`` of a run or bench, of which these tables are used: all unless they are named.

    Raises:
        RunError: there is no run or bench, or it did not finish; the file is damaged, is that of something else, or was
            written by a version of xlser that arranged it otherwise. The file and the way out are named.
    """
    path = Path(folder) / RESULTS
    again = f"run the same `xlser {'run' if kind == 'run' else 'transfer'} ... --out {folder}` command again"
    _check_there(path, kind, again)
    try:
        results = parse_json(read_file(path))
    except (OSError, ValueError) as error:
        pass_on_unreadable(error, f"reading {path}")
        kept = "" if kind == "run" else ": what is done is not done again"
        raise RunError(f"{path} is damaged ({brief(error)}). Delete it, then {again}{kept}.") from error
    if kind == "bench" and not (isinstance(results, dict) and "cells" in results):
        raise RunError(f"{path} is no result of `xlser transfer`: it has no cells. Give the folder of a bench.")
    elsewhere = f"{again} into a new folder" if kind == "run" else again
    schema = results.get("schema") if isinstance(results, dict) else None
    check_version(kind, schema, path, elsewhere, by=_writer(results))
    wanted = None if tables is None else {name.partition(".")[0] for name in tables} | {"about", "failed", "holes"}
    check_types(ResultsTable, results, path, f"It was changed or damaged: {elsewhere}.", only=wanted)
    if missing := _missing(results, kind, _TABLES[kind] if tables is None else set(tables)):
        raise RunError(
            f"{path} lacks {', '.join(missing)}: it was written by another version, xlser {_writer(results)}, and this "
            f"is xlser {__version__}. Use that version to read it, or {elsewhere}."
        )
    return results


def _check_there(path: Path, kind: Kind, again: str) -> None:
    if path.is_file():
        return
    if kind == "bench":
        raise RunError(f"{path.parent} holds no results.json: no bench finished there. To finish one, {again}.")
    if not path.with_name(CLAIM).is_file():
        raise RunError(
            f"no run folder at {path.parent}. Give what `xlser run` or `xlser transfer` wrote to (its --out)."
        )
    raise RunError(f"{path.parent} holds no results.json: the run did not finish. To finish it, {again}.")


def _missing(results: Any, kind: Kind, wanted: Iterable[str]) -> list[str]:
    """Name every key that is needed and is not there."""
    if not isinstance(results, dict):
        return ["a table of results"]
    needed = {name: _TABLES[kind][name] for name in wanted}
    about: Any = results.get("about")
    missing = [f"about.{key}" for key in sorted(_ABOUT[kind] - set(about))] if isinstance(about, dict) else ["about"]
    if kind == "run" and not missing:
        missing += [f"about.{key}.{inner}" for key, inner in _INNER.items() if inner not in about[key]]
        missing += [f"about.baseline.{key}" for key in sorted(_BASELINE - set(about.get("baseline", _BASELINE)))]
    if kind == "bench":
        missing += [name for name in ("failed", "holes") if not isinstance(results.get(name), dict)]
    missing += _columns(results, {name: keys for name, keys in needed.items() if name != _SHOTS})
    if _SHOTS in needed and not missing:
        shots = {_SHOTS: [row for cell in results["cells"] for row in cell["few_shot"]]}
        missing += _columns(shots, {_SHOTS: needed[_SHOTS]})
    return missing


def _columns(results: Mapping[str, Any], needed: Mapping[str, set[str]]) -> list[str]:
    """Name every table that is not a list of rows, and every key that a row of it lacks."""
    missing = []
    for name, keys in needed.items():
        rows = results.get(name)
        if not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
            missing.append(name)
            continue
        lacking = set().union(*(keys - set(row) for row in rows)) if rows else set()
        missing += [f"{name}.{key}" for key in sorted(lacking)]
    return missing


def _writer(results: Any) -> str:
    try:
        return str(results["about"]["versions"]["xlser"])
    except (KeyError, TypeError):
        return "of an unknown version"
