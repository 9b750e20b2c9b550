"""Read what a run left behind, and say plainly what is wrong with it."""

from __future__ import annotations

import json
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
    missing = _missing(results)
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


def _missing(results: Any) -> list[str]:
    """Name every key that the report needs and cannot find."""
    if not isinstance(results, dict):
        return ["a table of results"]
    about = results.get("about")
    missing = [] if isinstance(about, dict) else ["about"]
    missing += [f"about.{key}" for key in sorted(_ABOUT - set(about))] if isinstance(about, dict) else []
    if not missing:
        missing += [f"about.{key}.{inner}" for key, inner in _INNER.items() if inner not in about[key]]
        missing += [f"about.baseline.{key}" for key in sorted(_BASELINE - set(about.get("baseline", _BASELINE)))]
    return missing + missing_columns(results, _NEEDED)


def missing_columns(results: dict[str, Any], needed: dict[str, set[str]]) -> list[str]:
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
