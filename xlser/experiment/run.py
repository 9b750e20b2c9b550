"""One recipe from corpora to result files; whatever a run folder already holds is not done again."""

from __future__ import annotations

import json
import math
import platform
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from xlser import __version__
from xlser.atomic import replacing, write_text
from xlser.data.manifest import write_manifest
from xlser.errors import RunError
from xlser.experiment.cautions import cautions
from xlser.experiment.corpora import Corpus, find_corpora, read_corpus
from xlser.experiment.models import Seed, Trained, check_ratings, make_seeds, train_all
from xlser.experiment.scores import Scores, score_all
from xlser.experiment.workplace import Workplace
from xlser.features.normalise import PROTOCOL
from xlser.training.recipe import Recipe

LIBRARIES = ("torch", "torchaudio", "speechbrain", "opensmile", "faiss-cpu", "scikit-learn", "numpy", "pandas")
RESULTS = "results.json"
TABLES = ("transfer", "correlation", "confusion")


def run_recipe(recipe: Recipe, out: str | Path, place: Workplace | None = None) -> Path:
    """Train on the recipe's source, read its targets, and write the numbers below ``out``.

    ``out`` gets ``recipe.json``, ``results.json`` and ``transfer.csv``, ``correlation.csv``,
    ``confusion.csv``, ``embedding.csv`` (the numbers), ``manifests/``, ``models/`` with weights, checkpoints and
    TensorBoard scalars. Started again after a kill it goes on where it was and ends with the same numbers; a run
    that is finished is left as it is.

    Raises:
        XlserError: bad input of any kind, before training wherever it can be seen before; see the callees.
    """
    place, out, began = place or Workplace(), Path(out), time.time()
    with _owned(out, recipe):
        if _finished(out):
            place.say(f"{out} is finished; choose another --out to run {recipe.name} anew")
            return out
        place.say(f"{recipe.name}: {recipe.source} to {', '.join(recipe.targets)}")
        found = find_corpora(recipe, place)
        source = read_corpus(*found[0], recipe, place)
        check_ratings(recipe, source)
        seeds = make_seeds(recipe, source)
        targets = [read_corpus(*pair, recipe, place) for pair in found[1:]]
        for corpus in (source, *targets):
            write_manifest(corpus.features.manifest, out / "manifests" / f"{corpus.card.name}.parquet")
        trained = train_all(recipe, source, seeds, out / "models", place)
        place.say(f"  {len(trained)} models trained or read back; scoring")
        # The matrices are small: threads gain nothing on them, and lose much where cores are shared.
        with threadpool_limits(1):
            scores = score_all(recipe, source, targets, trained)
        results = _results(recipe, [source, *targets], trained, scores, time.time() - began)
        _write(out, results, scores)
    return out


def default_out(recipe: Recipe) -> Path:
    """Return ``runs/<recipe>-<hash>``: another recipe never falls into the same folder."""
    return Path("runs") / f"{recipe.name}-{recipe.hash}"


@contextmanager
def _owned(out: Path, recipe: Recipe) -> Iterator[None]:
    """Hold the run folder against a second process, and refuse one that belongs to another recipe."""
    from filelock import FileLock, Timeout

    marker = out / "recipe.json"
    if out.exists() and not out.is_dir():
        raise RunError(f"{out} is a file; a run needs a folder. Choose another --out.")
    if out.is_dir() and not marker.exists() and any(not path.name.startswith(".") for path in out.iterdir()):
        raise RunError(f"{out} is not empty and holds no run of xlser. Choose another --out.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with FileLock(out / ".lock").acquire(timeout=0):
            _claim(marker, recipe)
            yield
    except Timeout:
        raise RunError(f"another process is working in {out}. Wait for it, or choose another --out.") from None
    except OSError as error:
        raise RunError(f"cannot work in {out}: {error}. What was done so far is kept.") from error


def _claim(marker: Path, recipe: Recipe) -> None:
    if marker.exists() and json.loads(marker.read_text(encoding="utf-8")).get("hash") != recipe.hash:
        raise RunError(f"{marker.parent} holds a run of another recipe. Choose another --out, or delete that folder.")
    write_text(marker, json.dumps({"hash": recipe.hash, "recipe": recipe.model_dump(mode="json")}, indent=1))


def _finished(out: Path) -> bool:
    """Say whether this version of xlser has already written the results: they come last."""
    try:
        results = json.loads((out / RESULTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return results["about"]["versions"]["xlser"] == __version__


def _write(out: Path, results: dict[str, Any], scores: Scores) -> None:
    """Write the tables first and ``results.json`` last: where it stands, the run is whole."""
    tables = {name: pd.DataFrame(getattr(scores, name)) for name in TABLES}
    for name, table in {**tables, "embedding": pd.concat(scores.grid)}.items():
        with replacing(out / f"{name}.csv") as temporary:
            table.to_csv(temporary, index=False)
    write_text(out / RESULTS, json.dumps(_plain(results), indent=1, allow_nan=False))


def _results(
    recipe: Recipe, corpora: list[Corpus], trained: list[Trained], scores: Scores, seconds: float
) -> dict[str, Any]:
    source = corpora[0]
    notes = cautions(recipe, corpora, trained) + scores.notes
    seeds = {model.seed.number: model.seed for model in trained}
    return {
        "about": _about(recipe, corpora, notes, seconds),
        "corpora": [corpus.about("source" if corpus is source else "target") for corpus in corpora],
        "splits": [_split_row(source, seed) for seed in seeds.values()],
        "curves": [
            {"method": m.method, "seed": m.seed.number, "best_epoch": m.best_epoch, "curve": m.curve} for m in trained
        ],
        "choices": scores.choices,
        **{name: getattr(scores, name) for name in TABLES},
    }


def _about(recipe: Recipe, corpora: list[Corpus], notes: list[str], seconds: float) -> dict[str, Any]:
    return {
        "recipe": recipe.model_dump(mode="json"),
        "recipe_hash": recipe.hash,
        "notes": notes,
        "synthetic": [c.card.name for c in corpora if c.card.synthetic],
        "protocol": PROTOCOL[recipe.features.normalise],
        "columns": len(corpora[0].features.columns),
        "versions": {"xlser": __version__, "python": platform.python_version(), **_versions()},
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "seconds": round(seconds, 1),
        "finished": time.strftime("%Y-%m-%d %H:%M:%S %z"),
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _split_row(source: Corpus, seed: Seed) -> dict[str, Any]:
    speakers = {
        part: sorted(set(source.frame["speaker"].iloc[getattr(seed.split, part)]))
        for part in ("train", "validation", "test")
    }
    sizes = {part: len(getattr(seed.split, part)) for part in speakers}
    return {
        "seed": seed.number,
        "hash": seed.split.hash,
        "speakers": speakers,
        "utterances": sizes,
        "shared": list(seed.split.shared),
    }


def _plain(value: Any) -> Any:
    """Return ``value`` with what JSON cannot hold put right: NaN becomes null, NumPy numbers become Python's."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
