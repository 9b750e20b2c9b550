"""One job of a bench: train a recipe on its source, and score it where that has not been done yet."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from filelock import FileLock
from threadpoolctl import threadpool_limits

from xlser.errors import XlserError
from xlser.experiment.bench.cells import cell_key, read_cell, training_key, write_cell
from xlser.experiment.bench.extras import dimension_rows, few_shot_rows, nuisances, trust_rows
from xlser.experiment.bench.plan import Job
from xlser.experiment.bench.shortcut import shortcuts
from xlser.experiment.cases import Case, make_cases
from xlser.experiment.corpora import AnyRecipe, Corpus, find_corpus, read_corpora
from xlser.experiment.readers import Reader, make_reader
from xlser.experiment.run import baseline, train
from xlser.experiment.scores import Scores, score_case, shared_classes, tell_axes
from xlser.experiment.seeds import check_ratings
from xlser.experiment.workplace import Workplace
from xlser.training.ranks import Ranks

_PROCESS = Lock()


@dataclass
class Outcome:
    """What a job left: paths of its cells by corpus, holes (corpus: reason), the reason it failed, and its times."""

    name: str
    cells: dict[str, Path] = field(default_factory=dict)
    holes: dict[str, str] = field(default_factory=dict)
    failed: str = ""
    made: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


def run_job(job: Job, place: Workplace) -> Outcome:
    """Do what is missing of a job. What goes wrong with one target is a hole; what goes wrong before fails the job.

    Nothing is raised but a stop by the user: the other jobs of the bench go on.
    """
    outcome = Outcome(job.name)
    try:
        with _alone(job.folder):
            _run(job, place, outcome)
    except Exception as error:  # a fault of ours must not take the other jobs with it
        outcome.failed = _told(error)
    return outcome


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, XlserError) else f"{type(error).__name__}: {error}"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one job at a time into a process, and one process into the job's folder.

    Random numbers are drawn from one stream a process, which threads of a Dask worker would share. A scheduler that has
    lost sight of a worker gives its job to another one, while the first may still be at it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _PROCESS, FileLock(folder / ".lock"):
        yield


def _run(job: Job, place: Workplace, outcome: Outcome) -> None:
    recipe = job.recipe
    source = read_corpora(find_corpus(recipe.source, place), recipe, place)
    corpora = [source, *_targets(recipe, place, outcome)]
    keys = {corpus.name: cell_key(recipe, source, corpus, job.few_shot, job.adapt) for corpus in corpora}
    paths = {name: job.folder / "cells" / f"{name}.json" for name in keys}
    outcome.cells = {name: path for name, path in paths.items() if read_cell(path, keys[name])}
    missing = [corpus for corpus in corpora if corpus.name not in outcome.cells]
    if not missing:
        return
    check_ratings(recipe, source)
    with threadpool_limits(1):
        others = [corpus for corpus in missing if corpus is not source]
        trained = _trained(job, source, others, place, outcome)
        for name in (corpus.name for corpus in missing):
            began = time.perf_counter()
            try:
                cell = _cell(job, trained, name)
            except Exception as error:
                outcome.holes[name] = _told(error)
                continue
            outcome.seconds[name] = time.perf_counter() - began
            write_cell(paths[name], cell | {"seconds": outcome.seconds[name]}, keys[name])
            outcome.cells[name] = paths[name]
            outcome.made += 1


@dataclass(frozen=True)
class _Trained:
    """What reads the cases of a job, of which the source's validation and held-out speakers are the first two.

    ``alone`` are the readers of a shortcut.
    """

    cases: list[Case]
    readers: list[Reader]
    alone: list[Reader]


def _trained(job: Job, source: Corpus, others: list[Corpus], place: Workplace, outcome: Outcome) -> _Trained:
    recipe, began = job.recipe, time.perf_counter()
    # Weights of another recipe of this name, or of other recordings, are left where they are.
    folder = job.folder / f"trained-{training_key(recipe, source)}"
    systems = train(recipe, [source, *others], folder, place, Ranks.alone())
    outcome.seconds["training"] = time.perf_counter() - began
    cases = make_cases(recipe, source, others, job.adapt)
    readers = [make_reader(system, cases[0]) for system in systems]
    return _Trained(cases, readers, shortcuts(readers, cases[0]))


def _targets(recipe: AnyRecipe, place: Workplace, outcome: Outcome) -> list[Corpus]:
    read = []
    for name in recipe.targets:
        try:
            read.append(read_corpora(find_corpus(name, place), recipe, place))
        except (XlserError, OSError) as error:
            outcome.holes[name] = _told(error)
    return read


def _cell(job: Job, trained: _Trained, name: str) -> dict[str, Any]:
    """Score the corpus of this name."""
    recipe, readers, scores = job.recipe, trained.readers, Scores()
    cases, source = [case for case in trained.cases if case.corpus.name == name], trained.cases[0].corpus
    main = next(case for case in cases if case.main)
    corpus = main.corpus
    if corpus is source:
        tell_axes(scores, readers)
    said: list[dict] = []
    for case in cases:
        views = score_case(
            scores,
            recipe,
            source,
            case,
            readers=[*readers, *trained.alone],
            baseline=baseline(recipe),
            latents=False,
        )
        if case is main:
            said = _said(views, corpus)
    classes = shared_classes(recipe, source, corpus)
    trust = trust_rows(readers, main, classes) if len(classes) >= 2 else []
    few, areas, note = few_shot_rows(readers, main, classes, job.few_shot)
    return {
        "recipe": recipe.name,
        "source": source.name,
        "target": corpus.name,
        "about": corpus.about("source" if corpus is source else "target"),
        "classes": classes,
        "baseline": {"method": baseline(recipe).method, "readers": dict(baseline(recipe).readers)},
        "normalise": recipe.normalise,
        "transfer": scores.transfer,
        "correlation": scores.correlation,
        "confusion": scores.confusion,
        "choices": scores.choices,
        "notes": scores.notes + ([note] if note else []),
        "dimensions": dimension_rows(readers, trained.cases[1], main, recipe.evaluation.draws, recipe.evaluation.level),
        "nuisances": nuisances(readers, main),
        "few_shot": few,
        "few_shot_areas": areas,
        "trust": trust,
        "predictions": {
            "id": list(corpus.frame["id"]),
            "speaker": list(map(str, corpus.frame["speaker"])),
            "truth": [None if label is None else str(label) for label in corpus.labels],
            "said": said,
        },
    }


def _said(views: dict, corpus: Corpus) -> list[dict]:
    """Return what every method, classifier and seed said of each clip; None where a seed may not judge it."""
    rows = []
    for method, seeds in views.items():
        for number, view in enumerate(seeds):
            for classifier, labels in view.labels.items():
                said = np.where(view.rows, labels.astype(object), None)
                rows.append({"method": method, "classifier": classifier, "seed": number, "labels": said.tolist()})
    return rows
