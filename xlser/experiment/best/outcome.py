"""What a search found, with the target's labels looked at for the first time: how good each candidate was there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xlser.evaluation.bootstrap import SpeakerBootstrap, interval
from xlser.evaluation.candidates import BestResult, Budget, Estimate, regret
from xlser.evaluation.transfer import ua_samples
from xlser.experiment.best.domains import Domain
from xlser.experiment.best.doubts import doubts
from xlser.experiment.best.fits import Task, make_chain
from xlser.experiment.best.scoring import Search
from xlser.experiment.best.space import BASELINE, CORPUS, SPEAKER, Candidate, tried
from xlser.experiment.results_folder import provenance
from xlser.systems.combined import Combined

LEVEL, DRAWS = 0.95, 1000


@dataclass(frozen=True)
class Outcome:
    """A result, and the model that was taken."""

    result: BestResult
    task: Task
    candidate: Candidate
    model: Combined

    @classmethod
    def of(
        cls, search: Search, task: Task, away: Domain, chosen: Candidate, *, decisions: list[str], chosen_by: str
    ) -> Outcome:
        """Score what was tried on the target, as far as it has labels: nothing is chosen after this.

        Args:
            search: that is over.
            task: the real one.
            away: the target with its labels.
            chosen: what was taken.
            decisions: sentences.
            chosen_by: a sentence.
        """
        rows = {one: tried(one, scores, search.seconds[one]) for one, scores in search.scores.items()}
        samples, speakers = _samples(search, task, away, [*rows])
        for one, values in samples.items():
            rows[one] = replace(rows[one], target=Estimate(float(values[0]), *interval(values, LEVEL, speakers)))
        named = {str(one): values for one, values in samples.items()}
        oracle, lost = regret(named, str(chosen), LEVEL, speakers) if named else (None, None)
        used = search.seconds_given - search.left
        result = BestResult(
            sources=tuple(domain.name for domain in task.sources),
            target=away.name,
            classes=task.classes,
            protocol=chosen.protocol,
            looks_at=looks_at(chosen),
            chosen_by=chosen_by,
            candidates=tuple(sorted(rows.values(), key=lambda row: -row.score)),
            chosen=str(chosen),
            baseline=str(BASELINE),
            oracle=oracle,
            regret=lost,
            decisions=tuple(decisions),
            notes=(*_notes(task, away), *doubts(task, chosen, looks_at(chosen), search.fits)),
            budget=Budget(search.seconds_given, round(used, 1), tuple(search.not_tried)),
            predictions=tuple(predictions(away, task, search.fits.probabilities(task, chosen))),
            about=provenance(used) | {"default": str(search.default)},
            samples=named,
        )
        return cls(result, task, chosen, search.fits.combined(task, chosen))


def looks_at(candidate: Candidate) -> tuple[str, ...]:
    """Return what of the target a candidate looks at."""
    steps = [make_chain(text) for text in (candidate.adapt, *(one.adapt for one in candidate.settings))]
    kinds = {one.statistics for one in candidate.settings}
    what = [name for step in steps for name in step.looks_at]
    what += ["recordings"] * bool(kinds & {CORPUS, SPEAKER}) + ["speakers"] * (SPEAKER in kinds)
    return tuple(name for name in ("recordings", "speakers", "prior") if name in what)


def _samples(
    search: Search, task: Task, away: Domain, several: list[Candidate]
) -> tuple[dict[Candidate, np.ndarray], float]:
    """Return the UA of each candidate in draws of the target's speakers, and how many speakers that is."""
    known = away.labelled(task.classes)
    if len(set(away.labels[known])) < 2:
        return {}, 0.0
    draws, every = SpeakerBootstrap(away.dataset.people, DRAWS, seed=0), np.ones(len(known), dtype=bool)
    samples = {}
    for one in several:
        emotions = np.array(task.classes)[search.fits.probabilities(task, one).argmax(axis=1)]
        samples[one] = ua_samples([(every, emotions)], away.labels, task.classes, draws)
    return samples, draws.effective(known)


def predictions(away: Domain, task: Task, shares: np.ndarray) -> list[dict[str, Any]]:
    """Return what is said of each recording of the target, by probabilities (N, C)."""
    frame, classes = away.dataset.frame, task.classes
    return [
        {"file": str(file), "emotion": classes[int(row.argmax())], "probabilities": [float(value) for value in row]}
        for file, row in zip(frame["path"], shares, strict=True)
    ]


def _notes(task: Task, away: Domain) -> list[str]:
    """Say what a reader should know of the corpora."""
    notes = [f"{path} of {away.name} was left out: {why}" for path, why in away.faults.items()]
    notes += [f"{path} of {own.name} was left out: {why}" for own in task.sources for path, why in own.faults.items()]
    lacking = {own.name: [name for name in task.classes if name not in own.classes] for own in task.sources}
    return notes + [f"{name} has no {', '.join(missing)}" for name, missing in lacking.items() if missing]
