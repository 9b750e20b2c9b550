"""The search: candidates are tried on pretended targets, one is taken, and only then a label of the target is looked at."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from xlser.data.dataset import Dataset
from xlser.errors import CorpusError
from xlser.evaluation.bootstrap import SpeakerBootstrap, interval
from xlser.evaluation.candidates import BestResult, Budget, Estimate, Tried, choose, regret
from xlser.evaluation.transfer import ua_samples
from xlser.experiment.best.domains import Domain, check_sources, read_domain, without_copies
from xlser.experiment.best.fits import Fits, Task
from xlser.experiment.best.saving import save_best
from xlser.experiment.best.space import BASELINE, Candidate
from xlser.experiment.best.stages import Stages
from xlser.experiment.results_folder import provenance
from xlser.experiment.workplace import Workplace
from xlser.features.representation import Representation, together
from xlser.vocabulary import EMOTIONS

LEVEL, DRAWS = 0.95, 1000
CHOSEN_BY = "the mean UA on sources that were each left out in turn as a pretended target"


@dataclass(frozen=True)
class Progress:
    """How far a search is: what is being tried, how many were, seconds used and left, and the best name so far."""

    stage: str
    tried: int
    seconds: float
    left: float
    best: str = ""


OnProgress = Callable[[Progress], object]


@dataclass(frozen=True, eq=False)
class Fold:
    """A source left out as a pretended target: the task without its labels, and these, by which alone it is scored."""

    task: Task
    labels: np.ndarray

    def ua(self, probabilities: np.ndarray) -> float:
        """Return the UA of probabilities (M, C)."""
        classes = self.task.classes
        said, draws = np.array(classes)[probabilities.argmax(axis=1)], SpeakerBootstrap(self.labels.astype(str), 1)
        return float(ua_samples([(np.ones(len(said), dtype=bool), said)], self.labels, classes, draws)[0])


@dataclass
class Search:
    """Scores candidates on folds until the time is over.

    Attributes:
        folds: pretended targets.
        deadline: by `time.monotonic`.
        jobs: threads; they change no number.
    """

    folds: Sequence[Fold]
    deadline: float
    jobs: int
    fits: Fits = field(default_factory=Fits)
    scores: dict[Candidate, dict[str, float]] = field(default_factory=dict)
    seconds: dict[Candidate, float] = field(default_factory=dict)
    not_tried: list[str] = field(default_factory=list)

    def score(self, candidates: Sequence[Candidate], stage: str, on_batch: Callable[[str], object]) -> bool:
        """Score what was not scored yet; say whether there was time for all of it."""
        fresh = [one for one in dict.fromkeys(candidates) if one not in self.scores]
        for start in range(0, len(fresh), self.jobs):
            if time.monotonic() >= self.deadline and self.scores:
                self.not_tried.append(f"{stage}: {len(fresh) - start} of {len(fresh)} candidates")
                return False
            batch = fresh[start : start + self.jobs]
            with threadpool_limits(1):
                found = Parallel(self.jobs, backend="threading")(delayed(self._of)(one) for one in batch)
            for candidate, (scores, seconds) in zip(batch, found, strict=True):
                self.scores[candidate], self.seconds[candidate] = scores, seconds
            on_batch(stage)
        return True

    def _of(self, candidate: Candidate) -> tuple[dict[str, float], float]:
        began = time.monotonic()
        scores = {f.task.away.name: f.ua(self.fits.probabilities(f.task, candidate)) for f in self.folds}
        return scores, time.monotonic() - began

    def tried(self) -> list[Tried]:
        """Return every candidate that was scored, the best first."""
        rows = [_tried(one, scores, self.seconds[one]) for one, scores in self.scores.items()]
        return sorted(rows, key=lambda row: -row.score)

    def best(self) -> Candidate:
        """Return what would be taken now."""
        taken = choose(self.tried()).name
        return next(one for one in self.scores if str(one) == taken)


def find_best(
    sources: Sequence[Dataset],
    target: Dataset,
    place: Workplace,
    *,
    encoder: str | None = None,
    emotions: Sequence[str] = EMOTIONS,
    minutes: float = 10.0,
    out: str | Path | None = None,
    few_shot: pd.DataFrame | None = None,
    transductive: bool = True,
    on_progress: OnProgress | None = None,
) -> BestResult:
    """Find the best model for a target that can be had from sources, without a look at any of its labels.

    Args:
        sources: learnt from; with two or more each is left out in turn as a pretended target.
        target: its recordings are adapted to; its labels, if there are any, are only scored by, at the very end.
        place: where features are cached.
        encoder: weights of a pretrained speech encoder, whose hidden states are candidates beside eGeMAPS.
        emotions: that are told apart, as far as the sources have them.
        minutes: of search, features excepted.
        out: a folder for the model and ``best.json``; nothing is written unless given.
        few_shot: labelled recordings of the target.
        transductive: False leaves out every candidate that looks at the target.
        on_progress: gets a `Progress` after every batch.

    Raises:
        CorpusError: a source without a scored emotion; nothing left of one without what stands in the target too.
    """
    began = time.monotonic()
    layers = _layers(encoder)
    every = [Representation(True)] + ([Representation(False, layers, "mean+std")] if layers else [])
    extractor = together(every, encoder)
    read = [read_domain(dataset, extractor, emotions, place) for dataset in sources]
    away = read_domain(target, extractor, emotions, place)
    read, decisions = without_copies(read, away)
    classes = check_sources(read, emotions)
    columns = tuple(extractor.columns())
    hidden = away.hidden(speakers=True)
    task = Task(tuple(read), hidden, classes, columns)
    folds = pretended(task)
    search = Search(folds, time.monotonic() + 60 * minutes, place.jobs or os.cpu_count() or 1)

    def say(stage: str) -> None:
        if on_progress is not None:
            used = time.monotonic() - began
            left = max(0.0, search.deadline - time.monotonic())
            on_progress(Progress(stage, len(search.scores), used, left, str(search.best())))

    for stage, candidates in Stages(layers, transductive).run(search):
        if not search.score(candidates, stage, say):
            break
    chosen = search.best()
    model = search.fits.combined(task, chosen)
    with threadpool_limits(1):
        said = {one: search.fits.probabilities(task, one) for one in search.scores}
    result = _result(search, task, away, chosen, said, decisions, began, minutes)
    if out is not None:
        save_best(model, task, chosen, result, Path(out), encoder)
    return result


def pretended(task: Task) -> list[Fold]:
    """Return a fold for each source of several: it is seen as the real target is, its speakers hidden where those are.

    A source that shares fewer than two emotions with the others gives none.
    """
    folds = []
    for out in task.sources if len(task.sources) > 1 else ():
        rest = tuple(domain for domain in task.sources if domain is not out)
        classes = tuple(name for name in task.classes if any(name in domain.classes for domain in rest))
        if len(set(classes) & set(out.classes)) < 2 or len(classes) < 2:
            continue
        away = out.hidden(speakers=task.away.speakers is not None)
        folds.append(Fold(Task(rest, away, classes, task.columns), out.labels))
    return folds


def _layers(encoder: str | None) -> tuple[int, ...]:
    if encoder is None:
        return ()
    from xlser.models.checkpoints import checkpoint_facts

    return tuple(range(checkpoint_facts(encoder, revision=None, seed=0).layers + 1))


def _tried(candidate: Candidate, validated: dict[str, float], seconds: float) -> Tried:
    first = candidate.settings[0]
    adapt = "|".join(part for part in (first.adapt if len(candidate.settings) == 1 else "", candidate.adapt) if part)
    return Tried(
        name=str(candidate),
        representation="; ".join(dict.fromkeys(str(one.representation) for one in candidate.settings)),
        statistics=" and ".join(dict.fromkeys(one.statistics for one in candidate.settings)),
        combination=candidate.combination,
        adaptation=adapt,
        readout=f"logistic regression (C {first.c:g})",
        protocol=candidate.protocol,
        complexity=candidate.complexity,
        validated=validated,
        score=float(np.mean([*validated.values()])) if validated else float("nan"),
        seconds=seconds,
    )


def _result(
    search: Search,
    task: Task,
    away: Domain,
    chosen: Candidate,
    said: dict[Candidate, np.ndarray],
    decisions: list[str],
    began: float,
    minutes: float,
) -> BestResult:
    rows = {row.name: row for row in search.tried()}
    draws = SpeakerBootstrap(away.dataset.people, DRAWS, seed=0)
    known = away.labelled(task.classes)
    samples: dict[str, np.ndarray] = {}
    if len(set(away.labels[known])) >= 2:
        every = np.ones(len(known), dtype=bool)
        for one, shares in said.items():
            emotions = np.array(task.classes)[shares.argmax(axis=1)]
            samples[str(one)] = ua_samples([(every, emotions)], away.labels, task.classes, draws)
    speakers = draws.effective(known) if known.any() else 0.0
    for name, values in samples.items():
        rows[name] = replace(rows[name], target=Estimate(float(values[0]), *interval(values, LEVEL, speakers)))
    oracle, lost = regret(samples, str(chosen), LEVEL, speakers) if samples else (None, None)
    looks_at = _looks_at(chosen)
    return BestResult(
        sources=tuple(domain.name for domain in task.sources),
        target=away.name,
        classes=task.classes,
        protocol=chosen.protocol,
        looks_at=looks_at,
        chosen_by=CHOSEN_BY,
        candidates=tuple(rows.values()),
        chosen=str(chosen),
        baseline=str(BASELINE),
        oracle=oracle,
        regret=lost,
        decisions=tuple(decisions),
        notes=(),
        budget=Budget(60 * minutes, round(time.monotonic() - began, 1), tuple(search.not_tried)),
        predictions=tuple(_predictions(away, task.classes, said[chosen])),
        about=provenance(time.monotonic() - began),
    )


def _looks_at(candidate: Candidate) -> tuple[str, ...]:
    if candidate.protocol == "zero-shot":
        return ()
    adapts = "|".join([candidate.adapt, *(one.adapt for one in candidate.settings)])
    speakers = any(one.statistics == "speaker" for one in candidate.settings)
    return ("recordings", *["speakers"] * speakers, *["prior"] * ("prior" in adapts))


def _predictions(away: Domain, classes: tuple[str, ...], shares: np.ndarray) -> list[dict[str, Any]]:
    files = away.dataset.frame["path"]
    return [
        {"file": str(file), "emotion": classes[int(row.argmax())], "probabilities": [float(value) for value in row]}
        for file, row in zip(files, shares, strict=True)
    ]

