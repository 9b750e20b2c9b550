"""One job of a bench: train a recipe on its source, and score it where that has not been done yet."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from xlser.errors import XlserError
from xlser.experiment.bench.cells import cell_key, read_cell, write_cell
from xlser.experiment.bench.extras import dimension_rows, few_shot_rows, nuisances, trust_rows
from xlser.experiment.bench.plan import Job
from xlser.experiment.cases import HELD_OUT, TARGET, Case, make_cases
from xlser.experiment.corpora import AnyRecipe, Corpus, find_corpus, read_corpora
from xlser.experiment.readers import Reader, make_reader
from xlser.experiment.run import baseline, train
from xlser.experiment.scores import Scores, score_case, shared_classes, tell_axes
from xlser.experiment.seeds import check_ratings
from xlser.experiment.workplace import Workplace
from xlser.training.ranks import Ranks


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
        _run(job, place, outcome)
    except XlserError as error:
        outcome.failed = str(error)
    except Exception as error:  # a fault of ours must not take the other jobs with it
        outcome.failed = f"{type(error).__name__}: {error}"
    return outcome


def _run(job: Job, place: Workplace, outcome: Outcome) -> None:
    recipe = job.recipe
    source = read_corpora(find_corpus(recipe.source, place), recipe, place)
    targets = _targets(recipe, place, outcome)
    keys = {corpus.name: cell_key(recipe, source, corpus, job.few_shot) for corpus in [source, *targets]}
    outcome.cells = {name: job.folder / "cells" / f"{name}.json" for name in keys}
    missing = [corpus for corpus in [source, *targets] if not read_cell(outcome.cells[corpus.name], keys[corpus.name])]
    if not missing:
        return
    check_ratings(recipe, source)
    began = time.perf_counter()
    corpora = [source, *(corpus for corpus in missing if corpus is not source)]
    with threadpool_limits(1):
        systems = train(recipe, corpora, job.folder, place, Ranks.alone())
        outcome.seconds["training"] = time.perf_counter() - began
        cases = make_cases(recipe, source, corpora[1:])
        readers = [make_reader(system, cases[0]) for system in systems]
        for corpus in missing:
            began = time.perf_counter()
            cell = _cell(job, cases, [case for case in cases if case.corpus is corpus], readers)
            outcome.seconds[corpus.name] = time.perf_counter() - began
            write_cell(outcome.cells[corpus.name], cell | {"seconds": outcome.seconds[corpus.name]}, keys[corpus.name])
            outcome.made += 1


def _targets(recipe: AnyRecipe, place: Workplace, outcome: Outcome) -> list[Corpus]:
    read = []
    for name in recipe.targets:
        try:
            read.append(read_corpora(find_corpus(name, place), recipe, place))
        except XlserError as error:
            outcome.holes[name] = str(error)
    return read


def _cell(job: Job, every: list[Case], cases: list[Case], readers: list[Reader]) -> dict[str, Any]:
    """Score one corpus; ``every`` begins with the source's validation and held-out speakers."""
    recipe, source, corpus, scores = job.recipe, every[0].corpus, cases[-1].corpus, Scores()
    if corpus is source:
        tell_axes(scores, readers)
    said: list[dict] = []
    for case in cases:
        views = score_case(scores, recipe, source, case, readers=readers, baseline=baseline(recipe))
        if case.main and case.role in (TARGET, HELD_OUT):
            said = _said(views, corpus)
    main = cases[-1]
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
        "dimensions": dimension_rows(readers, every[1], main, recipe.evaluation.draws, recipe.evaluation.level),
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
