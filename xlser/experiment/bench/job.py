"""One job of a bench: train a recipe on its source, and score it where that has not been done yet."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from filelock import FileLock
from threadpoolctl import threadpool_limits

from xlser.errors import MachineError
from xlser.experiment.bench.cells import write_cell
from xlser.experiment.bench.extras import dimension_rows, few_shot_rows, trust_rows
from xlser.experiment.bench.label_modes import label_modes
from xlser.experiment.bench.look import Look, Outcome, Shelf, look, told
from xlser.experiment.bench.nuisances import nuisances, origins
from xlser.experiment.bench.plan import Job
from xlser.experiment.bench.shortcut import shortcuts
from xlser.experiment.cases import Case, make_cases
from xlser.experiment.predictions import predictions
from xlser.experiment.readers import Reader, make_reader
from xlser.experiment.run import baseline, train
from xlser.experiment.scores import Scores, score_case, shared_classes, tell_axes
from xlser.experiment.seeds import check_ratings, fold_note, make_folds
from xlser.experiment.workplace import Workplace
from xlser.machine import machine_error, stop_if_of_machine
from xlser.training.ranks import Ranks

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
    lost sight of a worker gives its job to another one, while the first may still be at it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _PROCESS, FileLock(folder / ".lock"):
        yield


def _run(job: Job, place: Workplace, shelf: Shelf, outcome: Outcome) -> None:
    seen = look(job, place, shelf, outcome)
    if not seen.missing:
        return
    check_ratings(job.recipe, seen.source)
    with threadpool_limits(1):
        trained = _trained(job, seen, place, outcome)
        for name in (corpus.name for corpus in seen.missing):
            began = time.perf_counter()
            try:
                cell = _cell(job, trained, name)
            except (MachineError, MemoryError):
                raise
            except Exception as error:
                outcome.holes[name] = told(error)
                continue
            outcome.seconds[name] = time.perf_counter() - began
            write_cell(seen.paths[name], cell | {"seconds": outcome.seconds[name]}, seen.keys[name])
            outcome.cells[name] = seen.paths[name]
            outcome.made += 1


@dataclass(frozen=True)
class _Trained:
    """What reads the cases of a job, of which the source's validation and held-out speakers are the first two.

    ``alone`` are the readers of a shortcut.
    """

    cases: list[Case]
    readers: list[Reader]
    alone: list[Reader]

    @property
    def home(self) -> Case:
        """The source as a target is set beside it: its held-out speakers, or without any those of validation."""
        tested = any(self.cases[1].judged(reader.seed).any() for reader in self.readers)
        return self.cases[1] if tested else self.cases[0]


def _trained(job: Job, seen: Look, place: Workplace, outcome: Outcome) -> _Trained:
    recipe, source, began = job.recipe, seen.source, time.perf_counter()
    others = [corpus for corpus in seen.missing if corpus is not source]
    systems = train(recipe, [source, *others], outcome.trained, place, Ranks.alone())
    outcome.seconds["training"] = time.perf_counter() - began
    cases = make_cases(recipe, source, others, job.adapt)
    readers = [make_reader(system, cases[0]) for system in systems]
    return _Trained(cases, readers, shortcuts(readers, cases[0]))


def _cell(job: Job, trained: _Trained, name: str) -> dict[str, Any]:
    """Score the corpus of this name."""
    recipe, readers, scores = job.recipe, trained.readers, Scores()
    cases, source = [case for case in trained.cases if case.corpus.name == name], trained.cases[0].corpus
    main = next(case for case in cases if case.main)
    corpus = main.corpus
    if corpus is source:
        tell_axes(scores, readers)
    said: dict[str, Any] = {}
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
            said = predictions(views, corpus)
    return {
        "recipe": recipe.name,
        "source": source.name,
        "target": corpus.name,
        "about": corpus.about("source" if corpus is source else "target"),
        "classes": shared_classes(recipe, source, corpus),
        "baseline": {"method": baseline(recipe).method, "readers": dict(baseline(recipe).readers)},
        "normalise": recipe.normalise,
        "transfer": scores.transfer,
        "correlation": scores.correlation,
        "confusion": scores.confusion,
        "choices": scores.choices,
        "points": _points(scores),
        **_beside(job, trained, main, scores),
        "predictions": said,
    }


def _beside(job: Job, trained: _Trained, main: Case, scores: Scores) -> dict[str, Any]:
    """Return what a cell says beside its scores; see `xlser.experiment.bench.extras` and the files beside it."""
    readers, evaluation, home = trained.readers, job.recipe.evaluation, trained.home
    classes = shared_classes(job.recipe, home.corpus, main.corpus)
    few, areas, note = few_shot_rows(readers, main, classes, job.few_shot)
    judged = any(main.judged(reader.seed).any() for reader in readers)
    modes, told = label_modes(readers, job.recipe, home.corpus, main, scores.transfer) if judged else ([], [])
    return {
        "folds": make_folds(job.recipe, home.corpus),
        "notes": fold_note(job.recipe, home.corpus) + scores.notes + told + ([note] if note else []),
        "dimensions": dimension_rows(readers, home, main, evaluation.draws, evaluation.level),
        "nuisances": nuisances(readers, main) + origins(readers, home, main),
        "few_shot": few,
        "few_shot_areas": areas,
        "trust": trust_rows(readers, main, classes) if len(classes) >= 2 else [],
        "label_modes": modes,
    }


def _points(scores: Scores) -> list[dict[str, Any]]:
    """Return where clips lie in the plane that is drawn, to the precision of a picture: all, or a random `DRAWN`."""
    columns, rows = ["method", "id", "x", "y", "emotion", "activation", "valence"], []
    for frame in scores.grid:
        kept = np.sort(np.random.default_rng(0).permutation(len(frame))[:DRAWN])
        rows += frame[columns].iloc[kept].round(4).to_dict("records")
    return rows
