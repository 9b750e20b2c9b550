"""The search: candidates are tried on pretended targets and one is taken; only then is a target's label looked at."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from xlser.data.dataset import Dataset
from xlser.evaluation.candidates import BestResult, choose
from xlser.experiment.best.domains import Domain, check_sources, read_domain, without_copies
from xlser.experiment.best.fits import Fits, Task
from xlser.experiment.best.folds import Fold, pretended
from xlser.experiment.best.outcome import Outcome, tried
from xlser.experiment.best.saving import save_best
from xlser.experiment.best.shots import with_shots
from xlser.experiment.best.space import Candidate
from xlser.experiment.best.stages import Stages
from xlser.experiment.best.trials import Trials
from xlser.experiment.workplace import Workplace
from xlser.features.extractor import Extractor
from xlser.features.representation import SOUNDING, Representation, columns_of, together
from xlser.vocabulary import EMOTIONS


@dataclass(frozen=True)
class Progress:
    """How far a search is: what is being tried, how many were, seconds used and left, and the best name so far."""

    stage: str
    tried: int
    seconds: float
    left: float
    best: str = ""


OnProgress = Callable[[Progress], object]


@dataclass
class Search:
    """Scores candidates on folds until the time is over.

    Attributes:
        folds: pretended targets.
        seconds_given: of search; at least the first batch is scored.
        jobs: threads; they change no number.
        fits: what was fitted so far.
        on_progress: gets a `Progress` after every batch.
        default: what stands unless another one is clearly better; the stages say which.
        trials: what was scored before, by a search of the same corpora that was stopped.
    """

    folds: Sequence[Fold]
    seconds_given: float
    jobs: int
    fits: Fits = field(default_factory=Fits)
    on_progress: OnProgress | None = None
    trials: Trials = field(default_factory=Trials)
    default: Candidate | None = None
    scores: dict[Candidate, dict[str, float]] = field(default_factory=dict)
    seconds: dict[Candidate, float] = field(default_factory=dict)
    not_tried: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def run(self, stages: Stages) -> Candidate:
        """Score stage after stage, and return what is taken."""
        for stage, candidates in stages.run(self):
            if not self.score(candidates, stage):
                break
        return self.best()

    def score(self, candidates: Sequence[Candidate], stage: str) -> bool:
        """Score what was not scored yet; say whether there was time for all of it."""
        fresh = [one for one in dict.fromkeys(candidates) if one not in self.scores]
        for start in range(0, len(fresh), self.jobs):
            if self.left <= 0 and self.scores:
                self.not_tried.append(f"{stage}: {len(fresh) - start} of {len(fresh)} candidates, and what follows")
                return False
            batch = fresh[start : start + self.jobs]
            with threadpool_limits(1):
                found = Parallel(self.jobs, backend="threading")(delayed(self._of)(one) for one in batch)
            for candidate, (scores, seconds) in zip(batch, found, strict=True):
                self.scores[candidate], self.seconds[candidate] = scores, seconds
                self.trials.put(str(candidate), scores, seconds, self.seconds_given - self.left)
            self._say(stage)
        return True

    @property
    def left(self) -> float:
        """Seconds that are left of those that were given, in this process and before."""
        return self.began + self.seconds_given - self.trials.before - time.monotonic()

    def ranked(self, among: Sequence[Candidate] | None = None) -> list[Candidate]:
        """Return candidates that were scored, the best first: all, or some of them."""
        several = [one for one in (self.scores if among is None else among) if one in self.scores]
        return sorted(several, key=lambda one: -np.mean([*self.scores[one].values()]))

    def best(self) -> Candidate:
        """Return what would be taken now."""
        rows = [tried(one, scores, self.seconds[one]) for one, scores in self.scores.items()]
        taken = choose(rows, str(self.default)).name
        return next(one for one in self.scores if str(one) == taken)

    def _of(self, candidate: Candidate) -> tuple[dict[str, float], float]:
        if kept := self.trials.get(str(candidate)):
            return kept
        began = time.monotonic()
        scores = {fold.name: fold.ua(self.fits.probabilities(fold.task, candidate)) for fold in self.folds}
        return scores, time.monotonic() - began

    def _say(self, stage: str) -> None:
        if self.on_progress is not None:
            used = self.seconds_given - self.left
            self.on_progress(Progress(stage, len(self.scores), used, max(0.0, self.left), str(self.best())))


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
    trials: Trials | None = None,
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
        few_shot: labelled recordings of the target, ``file`` and ``emotion``: they correct what was found without.
        transductive: False leaves out every candidate that looks at the target.
        on_progress: gets a `Progress` after every batch.
        trials: where scores are kept, so that a search that is stopped can go on.

    Raises:
        CorpusError: a source without a scored emotion; nothing left to learn from without what the target holds too.
    """
    layers = hidden_states(encoder)
    extractor = everything(layers, encoder, transductive)
    read = [read_domain(dataset, extractor, emotions, place) for dataset in sources]
    away = read_domain(target, extractor, emotions, place)
    jobs = place.jobs or os.cpu_count() or 1
    question = Question(tuple(emotions), tuple(columns_of(extractor)), layers, transductive, 60 * minutes, jobs)
    outcome = find_among(read, away, question, Fits(), on_progress, trials=trials)
    if few_shot is not None:
        outcome = with_shots(outcome, away, few_shot)
    if out is not None:
        save_best(outcome, Path(out), encoder)
    return outcome.result


@dataclass(frozen=True)
class Question:
    """What a search is asked besides its corpora: see `find_best`."""

    emotions: tuple[str, ...]
    columns: tuple[str, ...]
    layers: tuple[int, ...]
    transductive: bool
    seconds: float
    jobs: int


def find_among(
    read: Sequence[Domain],
    away: Domain,
    question: Question,
    fits: Fits,
    on_progress: OnProgress | None = None,
    *,
    trials: Trials | None = None,
) -> Outcome:
    """Do as `find_best`, with corpora whose features are there; ``fits`` of the same corpora may be used again."""
    kept, decisions = without_copies(read, away)
    classes = check_sources(kept, question.emotions)
    task = Task(tuple(kept), away.hidden(speakers=True), classes, question.columns)
    folds, chosen_by = pretended(task)
    search = Search(folds, question.seconds, question.jobs, fits, on_progress, trials or Trials())
    chosen = search.run(Stages(question.layers, question.transductive))
    with threadpool_limits(1):
        decisions += fits.notes(task, chosen)
        return Outcome.of(search, task, away, chosen, decisions=decisions, chosen_by=chosen_by)


def hidden_states(encoder: str | None) -> tuple[int, ...]:
    """Return the numbers of an encoder's hidden states; none without one.

    Raises:
        RecipeError, RunError: the weights are not there.
    """
    if encoder is None:
        return ()
    from xlser.models.checkpoints import checkpoint_facts

    return tuple(range(checkpoint_facts(encoder, revision=None, seed=0).layers + 1))


def everything(layers: tuple[int, ...], encoder: str | None, transductive: bool = True) -> Extractor:
    """Return the extractor of all that any candidate hears: without a look at the target, frames that sound alone."""
    heard = ("all", SOUNDING) if transductive else (SOUNDING,)
    states = [Representation(False, layers, "mean+std", frames) for frames in heard] if layers else []
    return together([Representation(True), *states], encoder)
