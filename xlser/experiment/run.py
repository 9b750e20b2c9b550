"""One recipe from corpora to result files; whatever a run folder already holds is not done again."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from xlser.csvcells import write_frame
from xlser.data.dataset import Dataset
from xlser.data.manifest import write_manifest
from xlser.errors import XlserError
from xlser.evaluation.results_file import RESULTS, write_json
from xlser.evaluation.transfer import Views
from xlser.evaluation.verdicts import packed
from xlser.experiment.bench.plan import Job, recipe_adaptations
from xlser.experiment.cases import Case
from xlser.experiment.cautions import cautions
from xlser.experiment.changes import changed
from xlser.experiment.checkpoint_origins import checkpoint_origins
from xlser.experiment.corpora import AnyRecipe, Corpus, find_corpora, prepare_parts, read_corpora
from xlser.experiment.predictions import predictions
from xlser.experiment.results_folder import aside_of, finished, own, provenance
from xlser.experiment.run_inputs import RunInputs, read_inputs_of, with_contents, write_inputs
from xlser.experiment.scores import POINTS, Scores, about_case, shared_classes
from xlser.experiment.seeds import make_folds, split_row
from xlser.experiment.start import read_about_start
from xlser.experiment.starting import check_start
from xlser.experiment.trained import Trained, baseline, train
from xlser.experiment.workplace import Workplace
from xlser.features.normalise import PROTOCOL
from xlser.fileformats import VERSIONS
from xlser.ownfiles import OwnFiles
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.ranks import Ranks, first_says, from_environment, joined
from xlser.vocabulary import VALIDATION

PREDICTIONS = "predictions.json"
TABLES = ("transfer", "correlation", "confusion")


def run_recipe(
    recipe: AnyRecipe, out: str | Path, place: Workplace | None = None, *, methods: Collection[str] | None = None
) -> Path:
    """Train on the recipe's source, read its targets, and write the numbers below ``out``.

    ``out`` gets ``recipe.json``, ``results.json`` and ``transfer.csv``, ``correlation.csv``,
    ``confusion.csv``, ``embedding.csv`` (the numbers), ``predictions.json`` (what was said of every clip, for `xlser
    compare`), ``inputs.parquet``, ``manifests/``, ``models/`` with weights, checkpoints and TensorBoard scalars.
    Started again after a kill it goes on where it was and ends with the same numbers; a run that is finished is left
    as it is. Where a card, a table, a recording or a checkpoint has changed since, finished or not, what ``out`` held
    is moved into a folder beside it, and all is computed anew. A start that fails before anything was trained leaves
    ``out`` as it was. Started by torchrun, all processes train an encoder together, and the first one does the rest. Of
    the recipe's ``methods`` those that are named are trained, all unless given; the features themselves are always
    read.

    A run is a bench's job with its folder to itself: it stops at the first fault, where a bench notes a hole.

    Raises:
        XlserError: bad input of any kind, before training wherever it can be seen before; see the callees.
    """
    place, job = place or Workplace(), Job(recipe, Path(out), adapt=recipe_adaptations(recipe))
    ranks = from_environment()
    with joined(ranks):
        if ranks.rank:
            _follow(job, place, ranks, methods)
        else:
            _lead(job, place, ranks, methods)
    return job.folder


def _lead(job: Job, place: Workplace, ranks: Ranks, methods: Collection[str] | None) -> None:
    began, recipe, out = time.time(), job.recipe, job.folder
    with place.swept(), own(out, {"hash": recipe.hash, "recipe": recipe.model_dump(mode="json")}) as held:
        parts, inputs = _inputs(recipe, place, out)
        differs = changed(out, inputs)
        if first_says(not differs and finished(out), ranks):
            place.say(f"{out} is finished; choose another --out to run {recipe.name} anew")
            return
        place.say(f"{recipe.name}: {recipe.source} to {', '.join(recipe.targets)}")
        aside = aside_of(out) if differs else None
        if aside:
            place.say(f"  what {out} was computed from has changed, so that it is computed anew: {'; '.join(differs)}")
        check_start(recipe, parts)
        corpora = [prepare_parts(several, recipe, place) for several in parts.values()]
        held.begin(aside=aside)
        if aside:
            place.say(f"  what it held is kept in {aside}")
        write_inputs(with_contents(inputs, corpora), out)
        for manifest in (manifest for corpus in corpora for manifest in corpus.dataset.manifests()):
            write_manifest(manifest, out / "manifests" / f"{manifest.card}.parquet")
        systems = train(recipe, corpora, out, place=place, ranks=ranks, methods=methods)
        # The matrices are small: threads gain nothing on them, and lose much where cores are shared.
        with threadpool_limits(1):
            trained = Trained.of(recipe, systems, corpora, job.adapt)
            place.say(f"  {len(trained.networks)} models trained or read back; scoring")
            scores, predicted = Scores(), []
            for corpus in corpora:
                scored = [pair for pair in trained.score(scores, corpus) if _is_judged(*pair)]
                predicted += [_predictions(trained, *pair) for pair in scored]
        results = _results(trained, corpora, scores, time.time() - began)
        if isinstance(recipe, EncoderRecipe):
            results["about"]["encoder"] = read_about_start(out)
        _write(out, results, scores, predicted)


def _inputs(recipe: AnyRecipe, place: Workplace, out: Path) -> tuple[dict[str, list[Dataset]], RunInputs]:
    try:
        return read_inputs_of(recipe, place)
    except XlserError as error:
        if not finished(out):
            raise
        said = f"{error} Whether the results in {out} still hold cannot be seen; `xlser report {out}` shows them."
        raise type(error)(said) from error


def _follow(job: Job, place: Workplace, ranks: Ranks, methods: Collection[str] | None) -> None:
    """Train with rank 0 and say nothing; it reads the corpora too, and finds in the cache what another one left."""
    if first_says(False, ranks):
        return
    quiet = replace(place, progress=False, say=lambda text: None)
    corpora = [read_corpora(origins, job.recipe, quiet) for origins in find_corpora(job.recipe, quiet).values()]
    train(job.recipe, corpora, job.folder, place=quiet, ranks=ranks, methods=methods)


def default_out(recipe: AnyRecipe) -> Path:
    """Return ``runs/<recipe>-<hash>``: another recipe never falls into the same folder."""
    return Path("runs") / f"{recipe.name}-{recipe.hash}"


def _is_judged(case: Case, views: Views) -> bool:
    """Say whether what was said in a case is a result: choices are made on validation speakers."""
    return case.role != VALIDATION and any(view.rows.any() for several in views.values() for view in several)


def _predictions(trained: Trained, case: Case, views: Views) -> dict[str, Any]:
    classes = shared_classes(trained.recipe, trained.source, case.corpus)
    return about_case(case) | {"classes": classes} | packed(predictions(views, case.corpus))


def _write(out: Path, results: dict[str, Any], scores: Scores, predicted: list[dict[str, Any]]) -> None:
    """Write the tables first and ``results.json`` last: where it stands, the run is whole."""
    tables, own_files = {name: pd.DataFrame(getattr(scores, name)) for name in TABLES}, OwnFiles(out)
    for name, table in {**tables, "embedding": points(scores)}.items():
        with own_files.replacing(f"{name}.csv", durable=True) as temporary:
            write_frame(table, temporary)
    write_json(out / PREDICTIONS, {"schema": VERSIONS["predictions"], "corpora": predicted})
    write_json(out / RESULTS, results, indent=1)


def points(scores: Scores) -> pd.DataFrame:
    """Return where clips lie in the plane that is drawn of each network; no row where nothing was trained."""
    return pd.concat(scores.grid) if scores.grid else pd.DataFrame(columns=POINTS)


def _results(trained: Trained, corpora: list[Corpus], scores: Scores, seconds: float) -> dict[str, Any]:
    recipe, source, networks = trained.recipe, trained.source, trained.networks
    notes = cautions(recipe, corpora, list(trained.systems)) + scores.notes
    seeds = {system.seed.number: system.seed for system in trained.systems}
    return {
        "schema": VERSIONS["run"],
        "about": _about(recipe, corpora, notes) | provenance(seconds),
        "folds": make_folds(recipe, source),
        "corpora": [corpus.about("source" if corpus is source else "target") for corpus in corpora],
        "splits": [split_row(source, seed) for seed in seeds.values()],
        "curves": [
            {"method": m.method, "seed": m.seed.number, "best_epoch": m.best_epoch, "curve": m.curve} for m in networks
        ],
        "choices": scores.choices,
        **{name: getattr(scores, name) for name in TABLES},
    }


def _about(recipe: AnyRecipe, corpora: list[Corpus], notes: list[str]) -> dict[str, Any]:
    return {
        "recipe": recipe.model_dump(mode="json"),
        "recipe_hash": recipe.hash,
        "notes": notes,
        "synthetic": [c.name for c in corpora if c.synthetic],
        "protocol": PROTOCOL[recipe.normalise],
        "columns": len(getattr(corpora[0].data, "columns", ())),
        "baseline": asdict(baseline(recipe)),
        **checkpoint_origins(recipe),
    }
