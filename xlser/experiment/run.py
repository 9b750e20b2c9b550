"""One recipe from corpora to result files; whatever a run folder already holds is not done again."""

from __future__ import annotations

import json
import platform
import shlex
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from xlser.atomic import replacing, write_text
from xlser.data.manifest import write_manifest
from xlser.errors import RunError
from xlser.evaluation.transfer import Baseline
from xlser.experiment.cautions import cautions
from xlser.experiment.corpora import AnyRecipe, Corpus, find_corpora, read_corpora
from xlser.experiment.plain import plain
from xlser.experiment.scores import POINTS, Scores, System, score_all
from xlser.experiment.seeds import Seed, check_ratings, make_folds, make_seeds
from xlser.experiment.workplace import Workplace
from xlser.features.normalise import PROTOCOL
from xlser.fileformats import VERSIONS, check_version
from xlser.machine import machine_error, pass_on_unreadable
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.ranks import Ranks, barrier, from_environment, joined
from xlser.version import __version__
from xlser.vocabulary import FEATURES

LIBRARIES = (
    *("torch", "speechbrain", "transformers", "opensmile", "soxr", "faiss-cpu", "scikit-learn"),
    *("numpy", "pandas"),
)
RESULTS, PREDICTIONS = "results.json", "predictions.json"
TABLES = ("transfer", "correlation", "confusion")


def run_recipe(
    recipe: AnyRecipe, out: str | Path, place: Workplace | None = None, *, methods: Collection[str] | None = None
) -> Path:
    """Train on the recipe's source, read its targets, and write the numbers below ``out``.

    ``out`` gets ``recipe.json``, ``results.json`` and ``transfer.csv``, ``correlation.csv``,
    ``confusion.csv``, ``embedding.csv`` (the numbers), ``predictions.json`` (what was said of every clip, for `xlser
    compare`), ``manifests/``, ``models/`` with weights, checkpoints and TensorBoard scalars. Started again after a kill
    it goes on where it was and ends with the same numbers; a run that is finished is left as it is. Started by
    torchrun, all processes train an encoder together, and the first one does the rest. Of the recipe's ``methods``
    those that are named are trained, all unless given; the features themselves are always read.

    Raises:
        XlserError: bad input of any kind, before training wherever it can be seen before; see the callees.
    """
    place, out = place or Workplace(), Path(out)
    ranks = from_environment()
    with joined(ranks):
        if ranks.rank:
            _follow(recipe, out, place, ranks, methods)
        else:
            _lead(recipe, out, place, ranks, methods)
    return out


def _lead(recipe: AnyRecipe, out: Path, place: Workplace, ranks: Ranks, methods: Collection[str] | None) -> None:
    began = time.time()
    with own(out, {"hash": recipe.hash, "recipe": recipe.model_dump(mode="json")}):
        if finished(out):
            place.say(f"{out} is finished; choose another --out to run {recipe.name} anew")
            return
        place.say(f"{recipe.name}: {recipe.source} to {', '.join(recipe.targets)}")
        corpora = _read(recipe, place)
        for manifest in (manifest for corpus in corpora for manifest in corpus.dataset.manifests()):
            write_manifest(manifest, out / "manifests" / f"{manifest.card}.parquet")
        systems = train(recipe, corpora, out, place=place, ranks=ranks, methods=methods)
        trained = [system for system in systems if system.method != FEATURES]
        place.say(f"  {len(trained)} models trained or read back; scoring")
        source, *targets = corpora
        # The matrices are small: threads gain nothing on them, and lose much where cores are shared.
        with threadpool_limits(1):
            scores = score_all(recipe, source, targets, systems, baseline(recipe))
        results = _results(recipe, corpora, systems, scores, time.time() - began)
        if isinstance(recipe, EncoderRecipe):
            results["about"]["encoder"] = json.loads((out / "encoder" / "xlser.json").read_text(encoding="utf-8"))
        _write(out, results, scores)


def _follow(recipe: AnyRecipe, out: Path, place: Workplace, ranks: Ranks, methods: Collection[str] | None) -> None:
    """Train with rank 0 and say nothing; it has read the corpora, and left what they give in the cache, before."""
    quiet = replace(place, progress=False, say=lambda text: None)
    train(recipe, _read(recipe, quiet), out, place=quiet, ranks=ranks, methods=methods)


def _read(recipe: AnyRecipe, place: Workplace) -> list[Corpus]:
    found = find_corpora(recipe, place)
    source = read_corpora(found[recipe.source], recipe, place)
    check_ratings(recipe, source)
    make_seeds(recipe, source)  # a split that cannot be made is told before the targets are read
    return [source, *(read_corpora(found[name], recipe, place) for name in recipe.targets)]


def train(
    recipe: AnyRecipe,
    corpora: list[Corpus],
    out: Path,
    *,
    place: Workplace,
    ranks: Ranks,
    methods: Collection[str] | None = None,
) -> list[System]:
    """Train methods (all, unless some are named) for every seed on the first corpus, or read back what is there."""
    seeds = make_seeds(recipe, corpora[0])
    if isinstance(recipe, EncoderRecipe):
        from xlser.experiment.encoders import train_encoders

        barrier()
        return train_encoders(recipe, corpora, seeds, out, place=place, ranks=ranks, methods=methods)
    from xlser.experiment.autoencoders import train_autoencoders

    return train_autoencoders(recipe, corpora[0], seeds, out / "models", place=place, methods=methods)


def baseline(recipe: AnyRecipe) -> Baseline:
    """Return what gains are over: the plain autoencoder, or the first method, at its classifier where there is one.

    Without any network it is the features, which then gain nothing.
    """
    if not isinstance(recipe, EncoderRecipe):
        return Baseline(FEATURES if recipe.model is None else "plain")
    return Baseline(next(iter(recipe.methods)), {"classifier + knn": "classifier"})


def default_out(recipe: AnyRecipe) -> Path:
    """Return ``runs/<recipe>-<hash>``: another recipe never falls into the same folder."""
    return Path("runs") / f"{recipe.name}-{recipe.hash}"


@contextmanager
def own(out: Path, claim: dict[str, Any]) -> Iterator[None]:
    """Hold a run folder against a second process, and refuse one that belongs to something else.

    Args:
        out: the folder; made if it is not there.
        claim: what stands in its ``recipe.json``; ``hash`` tells runs apart.

    Raises:
        RunError: it is a file, holds something else, or is in use; or the disk is full.
    """
    from filelock import FileLock, Timeout

    marker = out / "recipe.json"
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
    try:
        results = json.loads((out / RESULTS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        pass_on_unreadable(error, f"reading {out / RESULTS}")
        return False
    return isinstance(results, dict) and results.get("schema", 1) == VERSIONS["run"]


def _write(out: Path, results: dict[str, Any], scores: Scores) -> None:
    """Write the tables first and ``results.json`` last: where it stands, the run is whole."""
    tables = {name: pd.DataFrame(getattr(scores, name)) for name in TABLES}
    for name, table in {**tables, "embedding": points(scores)}.items():
        with replacing(out / f"{name}.csv") as temporary:
            table.to_csv(temporary, index=False)
    write_text(
        out / PREDICTIONS,
        json.dumps(plain({"schema": VERSIONS["predictions"], "corpora": scores.predictions}), separators=(",", ":")),
    )
    write_text(out / RESULTS, json.dumps(plain(results), indent=1, allow_nan=False))


def points(scores: Scores) -> pd.DataFrame:
    """Return where clips lie in the plane that is drawn of each network; no row where nothing was trained."""
    return pd.concat(scores.grid) if scores.grid else pd.DataFrame(columns=POINTS)


def _results(
    recipe: AnyRecipe, corpora: list[Corpus], systems: list[System], scores: Scores, seconds: float
) -> dict[str, Any]:
    source, trained = corpora[0], [system for system in systems if system.method != FEATURES]
    notes = cautions(recipe, corpora, systems) + scores.notes
    seeds = {system.seed.number: system.seed for system in systems}
    return {
        "schema": VERSIONS["run"],
        "about": _about(recipe, corpora, notes, seconds),
        "folds": make_folds(recipe, source),
        "corpora": [corpus.about("source" if corpus is source else "target") for corpus in corpora],
        "splits": [_split_row(source, seed) for seed in seeds.values()],
        "curves": [
            {"method": m.method, "seed": m.seed.number, "best_epoch": m.best_epoch, "curve": m.curve} for m in trained
        ],
        "choices": scores.choices,
        **{name: getattr(scores, name) for name in TABLES},
    }


def _about(recipe: AnyRecipe, corpora: list[Corpus], notes: list[str], seconds: float) -> dict[str, Any]:
    return {
        "recipe": recipe.model_dump(mode="json"),
        "recipe_hash": recipe.hash,
        "notes": notes,
        "synthetic": [c.name for c in corpora if c.synthetic],
        "protocol": PROTOCOL[recipe.normalise],
        "columns": len(getattr(corpora[0].data, "columns", ())),
        "baseline": asdict(baseline(recipe)),
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


def _split_row(source: Corpus, seed: Seed) -> dict[str, Any]:
    speakers = {
        part: sorted(set(source.frame["speaker"].iloc[getattr(seed.split, part)]))
        for part in ("train", "validation", "test")
    }
    sizes = {part: len(getattr(seed.split, part)) for part in speakers}
    return {
        "seed": seed.number,
        "fold": seed.fold,
        "hash": seed.split.hash,
        "speakers": speakers,
        "utterances": sizes,
        "shared": list(seed.split.shared),
    }
