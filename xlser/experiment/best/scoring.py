"""How candidates are scored on pretended targets, until the time is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from xlser.evaluation.candidates import choose
from xlser.experiment.best.fits import Fits
from xlser.experiment.best.folds import Fold
from xlser.experiment.best.space import Candidate, tried
from xlser.experiment.best.trials import Trials


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

    def run(self, stages: Iterable[tuple[str, list[Candidate]]]) -> Candidate:
        """Score stage after stage, each a name and candidates, and return what is taken."""
        for stage, candidates in stages:
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
