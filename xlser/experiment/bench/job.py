"""One job of a bench: train a recipe on its source, and score it where that has not been done yet."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from xlser.errors import MachineError
from xlser.evaluation.regret import pack_answers
from xlser.evaluation.transfer import Views
from xlser.experiment.bench.cells import write_cell
from xlser.experiment.bench.extras import dimension_rows, few_shot_rows, trust_rows
from xlser.experiment.bench.label_modes import label_modes
from xlser.experiment.bench.look import Look, Outcome, Shelf, look, told
from xlser.experiment.bench.nuisances import nuisances, origins
from xlser.experiment.bench.plan import Job
from xlser.experiment.bench.shortcut import shortcuts
from xlser.experiment.cases import Case
from xlser.experiment.checkpoint_origins import checkpoint_origins
from xlser.experiment.corpora import Corpus
from xlser.experiment.predictions import predictions
from xlser.experiment.readers import Reader
from xlser.experiment.scores import Scores, about_case, shared_classes
from xlser.experiment.seeds import check_ratings, fold_note, make_folds, split_row
from xlser.experiment.trained import Trained, baseline, train
from xlser.experiment.workplace import Workplace
from xlser.locks import locked
from xlser.machine import machine_error, stop_if_of_machine
from xlser.training.ranks import Ranks
from xlser.vocabulary import SHORTCUTS

DRAWN = 1000  # clips on a map: more hide each other, and a page of a large corpus would not open
_PROCESS = Lock()


def run_job(job: Job, place: Workplace, shelf: Shelf | None = None) -> Outcome:
    """Do what is missing of a job. What goes wrong with one target is a hole; what goes wrong before fails the job.

    The other jobs of the bench go on, whatever is raised here.

    Raises:
        MachineError: a fault of the machine, which every other job would meet too.
    """
    outcome = Outcome(job.name)
    try:
        with _alone(job.folder):
            _run(job, place, shelf or Shelf(), outcome)
    except (MachineError, MemoryError) as error:
        # Every other job would meet it too: the bench stops, and says it once.
        raise error if isinstance(error, MachineError) else machine_error(error, f"job {job.name}") from error
    except OSError as error:
        stop_if_of_machine(error, f"job {job.name}")
        outcome.failed = told(error)
    except Exception as error:  # a fault of ours must not take the other jobs with it
        outcome.failed = told(error)
    return outcome


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one job at a time into a process, and one process into the job's folder.

    Random numbers are drawn from one stream a process, which threads of a Dask worker would share. A scheduler that has
    lost sight of a worker gives its job to another one, while the first may still be at it: that is said, and waited
    for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _PROCESS, locked(folder / ".lock", wait=True):
        yield


def _run(job: Job, place: Workplace, shelf: Shelf, outcome: Outcome) -> None:
    seen = look(job, place, shelf, outcome)
    if not seen.missing:
        return
    check_ratings(job.recipe, seen.source)
    with threadpool_limits(1):
        trained = _trained(job, seen, place, outcome)
        alone = [] if job.pretended else shortcuts(trained.readers, trained.cases[0])
        for corpus in seen.missing:
            name, began = corpus.name, time.perf_counter()
            try:
                cell = _cell(job, trained, alone, corpus)
            except (MachineError, MemoryError):
                raise
            except Exception as error:
                outcome.holes[name] = told(error)
                continue
            outcome.seconds[name] = time.perf_counter() - began
            write_cell(seen.paths[name], cell | {"seconds": outcome.seconds[name]}, seen.keys[name])
            outcome.cells[name] = seen.paths[name]
            outcome.made += 1


def _trained(job: Job, seen: Look, place: Workplace, outcome: Outcome) -> Trained:
    recipe, source, began = job.recipe, seen.source, time.perf_counter()
    others = [corpus for corpus in seen.missing if corpus is not source]
    systems = train(recipe, [source, *others], seen.weights, place=place, ranks=Ranks.alone())
    outcome.seconds["training"] = time.perf_counter() - began
    return Trained.of(recipe, systems, [source, *others], job.adapt)


def _cell(job: Job, trained: Trained, alone: list[Reader], corpus: Corpus) -> dict[str, Any]:
    """Score a corpus; ``alone`` are the readers of a shortcut."""
    recipe, source, scores = job.recipe, trained.source, Scores()
    place = {"recipe": recipe.name, "source": source.name, "target": corpus.name}
    if job.pretended:
        trained.score(scores, corpus, latents=False, ratings=False)
        kept = [row for row in scores.transfer if row["metric"] == "UA"]
        return place | {"pretended": True, "transfer": kept, "unlabelled": scores.unlabelled}
    scored = trained.score(scores, corpus, shortcuts=alone, latents=False)
    main, views = next((case, views) for case, views in scored if case.main)
    return {
        **place,
        "about": corpus.about("source" if corpus is source else "target"),
        "classes": shared_classes(recipe, source, corpus),
        "baseline": {"method": baseline(recipe).method, "readers": dict(baseline(recipe).readers)},
        "normalise": recipe.normalise,
        **checkpoint_origins(recipe),
        "transfer": scores.transfer,
        "correlation": scores.correlation,
        "confusion": scores.confusion,
        "choices": scores.choices,
        "adapted": scores.adapted,
        "unlabelled": scores.unlabelled,
        "points": _points(scores),
        **_beside(job, trained, main, scores),
        "predictions": predictions(views, corpus),
        "answers": _answers(job, trained, scored),
    }


def _answers(job: Job, trained: Trained, scored: list[tuple[Case, Views]]) -> dict[str, Any]:
    """Return what every reading of a target says of its clips; nothing of the source, which nothing adapts to."""
    corpus = scored[0][0].corpus
    if corpus is trained.source:
        return {}
    classes = shared_classes(job.recipe, trained.source, corpus)
    read = [
        (about_case(case), {method: several for method, several in views.items() if method not in SHORTCUTS})
        for case, views in scored
    ]
    kept = pack_answers(read, corpus.labels, list(map(str, corpus.frame["speaker"])), classes)
    return kept | {"draws": job.recipe.evaluation.draws, "level": job.recipe.evaluation.level}


def _beside(job: Job, trained: Trained, main: Case, scores: Scores) -> dict[str, Any]:
    """Return what a cell says beside its scores; see `xlser.experiment.bench.extras` and the files beside it."""
    readers, evaluation, home = trained.readers, job.recipe.evaluation, trained.home
    classes = shared_classes(job.recipe, home.corpus, main.corpus)
    few, areas, note = few_shot_rows(readers, main, classes, job.few_shot)
    judged = any(main.judged(reader.seed).any() for reader in readers)
    seeds = {reader.seed.number: reader.seed for reader in readers} if main.corpus is home.corpus else {}
    modes, told = label_modes(readers, job.recipe, home.corpus, main, scores.transfer) if judged else ([], [])
    told += _warnings(scores, main.corpus)
    return {
        "splits": [split_row(home.corpus, seed) for seed in seeds.values()],
        "folds": make_folds(job.recipe, home.corpus),
        "notes": fold_note(job.recipe, home.corpus) + scores.notes + told + ([note] if note else []),
        "dimensions": dimension_rows(readers, home, main, evaluation.draws, evaluation.level),
        "nuisances": nuisances(readers, main) + origins(readers, home, main),
        "few_shot": few,
        "few_shot_areas": areas,
        "trust": trust_rows(readers, main, classes) if len(classes) >= 2 else [],
        "label_modes": modes,
    }


def _warnings(scores: Scores, corpus: Corpus) -> list[str]:
    """Return what adaptations warn of, each once, whatever it was that they adapted."""
    pairs = [(row["normalise"], note.partition(": ")) for row in scores.adapted for note in row["notes"]]
    told = [f"{corpus.name}, adapted by {name}: {text}" for name, (kind, _, text) in pairs if kind == "warning"]
    return list(dict.fromkeys(told))


def _points(scores: Scores) -> list[dict[str, Any]]:
    """Return where clips lie in the plane that is drawn, to the precision of a picture: all, or a random `DRAWN`."""
    columns, rows = ["method", "id", "x", "y", "emotion", "activation", "valence"], []
    for frame in scores.grid:
        kept = np.sort(np.random.default_rng(0).permutation(len(frame))[:DRAWN])
        rows += frame[columns].iloc[kept].round(4).to_dict("records")
    return rows
