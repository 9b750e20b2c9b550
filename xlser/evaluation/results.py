"""Read what a run or a bench left behind, and say plainly what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlser.errors import RunError
from xlser.fileformats import check_version
from xlser.machine import pass_on_machine, pass_on_unreadable
from xlser.version import __version__

if TYPE_CHECKING:
    import pandas as pd

_ROW = {"corpus", "role", "protocol", "method"}
_SCORE = {"value", "low", "high", "gain", "gain_low", "gain_high", "utterances"}
# What the report cannot do without; whatever else a newer run writes is left alone.
_NEEDED: dict[str, set[str]] = {
    "corpora": {"corpus", "title", "role", "language", "synthetic", "utterances", "speakers", "ratings", "labels"},
    "splits": {"seed", "hash", "speakers", "utterances", "shared"},
    "curves": {"method", "seed", "best_epoch", "curve"},
    "choices": {"method", "seed", "reader"},
    "transfer": _ROW | _SCORE | {"classifier", "metric", "chance", "classes", "speakers"},
    "correlation": _ROW | _SCORE | {"axis", "dimension", "statistic", "ratings"},
    "confusion": _ROW | {"classifier", "truth", "prediction", "count"},
}
_ABOUT = {"recipe", "recipe_hash", "notes", "synthetic", "protocol", "versions", "command", "finished"}
_INNER = {"recipe": "name", "versions": "xlser"}
# Newer runs say what gains are over; where they do not, it is the plain autoencoder.
_BASELINE = {"method", "readers"}
_POINTS = {"method", "corpus", "x", "y", "activation"}
_CELL = {"recipe", "source", "target", "about", "classes", "baseline", "normalise", "transfer", "correlation"}
_CELL |= {"confusion", "choices", "notes", "dimensions", "nuisances", "few_shot", "few_shot_areas", "trust"}
_PLACE = {"recipe", "source"}
_BENCH_SCORE = {"value", "low", "high"}
_SHOTS = "cells.few_shot"
# What the report cannot do without; whatever else a newer bench writes is left alone.
_BENCH_NEEDED: dict[str, set[str]] = {
    "cells": _CELL,
    "chosen": _PLACE,
    "matrix": _PLACE | _BENCH_SCORE | {"target", "role", "protocol", "metric", "chance", "method", "classifier"},
    "comparisons": {"source", "target", "a", "b", "family", "difference", "p_holm"},
    "languages": _PLACE | _BENCH_SCORE | {"protocol", "language", "corpora", "data"},
    _SHOTS: {"k", "way", "metric", "value", "without", "gain"},
}
_BENCH_ABOUT = {"recipes", "sources", "targets", "few_shot", "seeds", "versions", "command", "finished"}


def load_results(run_dir: str | Path) -> dict[str, Any]:
    """Read ``results.json`` of a run folder.

    Raises:
        RunError: there is no run folder, or its run did not finish; the file is damaged, or was written by a version
            of xlser that arranged it otherwise.
    """
    path = Path(run_dir) / "results.json"
    again = f"run the same `xlser run ... --out {run_dir}` command again"
    if not path.is_file() and not path.with_name("recipe.json").is_file():
        raise RunError(f"no run folder at {run_dir}. Give the folder that `xlser run` wrote to (its --out).")
    if not path.is_file():
        raise RunError(f"{run_dir} holds no results.json: the run did not finish. To finish it, {again}.")
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        pass_on_unreadable(error, f"reading {path}")
        raise RunError(f"{path} is damaged ({error}). Delete it, then {again}.") from error
    schema = results.get("schema") if isinstance(results, dict) else None
    check_version("run", schema, path, f"{again} into a new folder", by=_writer(results))
    missing = _missing_of_run(results)
    if missing:
        raise RunError(
            f"{path} lacks {', '.join(missing)}: it was written by xlser {_writer(results)}, and this is xlser "
            f"{__version__}. Use that version to report on it, or {again} into a new folder."
        )
    return results


def load_grid(run_dir: str | Path) -> tuple[pd.DataFrame | None, str]:
    """Read ``embedding.csv`` of a run folder.

    Returns:
        The table and an empty text, or None and a sentence that says why there is no table.
    """
    import pandas as pd

    path = Path(run_dir) / "embedding.csv"
    if not path.is_file():
        return None, "The grid of embeddings is not shown: embedding.csv is missing from the run folder."
    try:
        # Names stay text: a corpus or method may be called "01", "nan" or "None".
        points = pd.read_csv(
            path,
            dtype={"method": str, "corpus": str},
            na_filter=True,
            keep_default_na=False,
            na_values={name: ["", "nan", "NaN"] for name in ("x", "y", "activation", "valence")},
        )
    except (OSError, ValueError) as error:
        pass_on_machine(error, f"reading the grid of {run_dir}")
        return None, f"The grid of embeddings is not shown: embedding.csv is damaged ({error})."
    lacking = ", ".join(sorted(_POINTS - set(points.columns)))
    if lacking:
        return None, f"The grid of embeddings is not shown: embedding.csv lacks the columns {lacking}."
    return points, ""


def load_predictions(run_dir: str | Path) -> list[dict[str, Any]]:
    """Read ``predictions.json`` of a run folder: what every method said of every clip, an entry a corpus and protocol.

    Returns:
        Entries with ``corpus, role, protocol, classes`` and what `xlser.evaluation.verdicts.Verdicts.of` reads; none
        where the run is of an older version, which did not keep them, or the file cannot be read.
    """
    from xlser.evaluation.verdicts import unpacked

    entries = read_json(Path(run_dir) / "predictions.json").get("corpora", [])
    return [entry | unpacked(entry) for entry in entries]


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON table; an empty one where there is none that can be read.

    >>> read_json(Path("nowhere"))
    {}
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        pass_on_unreadable(error, f"reading {path}")
        return {}
    return found if isinstance(found, dict) else {}


def _missing_of_run(results: Any) -> list[str]:
    """Name every key that the report needs and cannot find."""
    if not isinstance(results, dict):
        return ["a table of results"]
    about = results.get("about")
    missing = [] if isinstance(about, dict) else ["about"]
    missing += [f"about.{key}" for key in sorted(_ABOUT - set(about))] if isinstance(about, dict) else []
    if not missing:
        missing += [f"about.{key}.{inner}" for key, inner in _INNER.items() if inner not in about[key]]
        missing += [f"about.baseline.{key}" for key in sorted(_BASELINE - set(about.get("baseline", _BASELINE)))]
    return missing + _missing_columns(results, _NEEDED)


def _missing_columns(results: dict[str, Any], needed: dict[str, set[str]]) -> list[str]:
    """Name every table that is not a list of rows, and every key that a row of it lacks."""
    missing = []
    for name, keys in needed.items():
        rows = results.get(name)
        if not isinstance(rows, list):
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


def load_bench(folder: str | Path, tables: Iterable[str] = tuple(_BENCH_NEEDED)) -> dict[str, Any]:
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
    missing = _missing_of_bench(results, {name: _BENCH_NEEDED[name] for name in tables})
    if missing:
        raise RunError(
            f"{path} lacks {', '.join(missing)}: it was written by another version of xlser, and this is xlser "
            f"{__version__}. To bring it up to date, {again}."
        )
    return results


def _missing_of_bench(results: dict[str, Any], needed: dict[str, set[str]]) -> list[str]:
    """Name every key that the report needs and cannot find."""
    about = results.get("about")
    missing = [f"about.{key}" for key in sorted(_BENCH_ABOUT - set(about))] if isinstance(about, dict) else ["about"]
    missing += [name for name in ("failed", "holes") if not isinstance(results.get(name), dict)]
    missing += _missing_columns(results, {name: keys for name, keys in needed.items() if name != _SHOTS})
    if _SHOTS in needed and not missing:
        shots = {_SHOTS: [row for cell in results["cells"] for row in cell["few_shot"]]}
        missing += _missing_columns(shots, {_SHOTS: needed[_SHOTS]})
    return missing
