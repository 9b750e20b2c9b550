"""Pretended targets: sources that are left out in turn, seen as the real target is, and scored by their labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlser.errors import CorpusError
from xlser.evaluation.bootstrap import SpeakerBootstrap
from xlser.evaluation.transfer import ua_samples
from xlser.experiment.best.domains import Domain
from xlser.experiment.best.fits import Task

LEFT_OUT = (
    "the mean UA on sources that were each left out in turn as a pretended target; the default, a wide ensemble, "
    "stands unless another candidate is better there by more than a point and more than chance"
)
FOLDS_OF_SPEAKERS = (
    "the mean UA on folds of the single source's own speakers, where nothing shifts: they choose what is heard and how "
    "it is read; what makes up for the target's shift they cannot choose, and it is the default"
)
# Folds of a single source.
COUNT = 3


@dataclass(frozen=True, eq=False)
class Fold:
    """A pretended target: the task without its labels, and these, by which alone it is scored.

    ``shifts``: it is another corpus than those that are learnt from.
    """

    name: str
    task: Task
    labels: np.ndarray
    shifts: bool = True

    def ua(self, probabilities: np.ndarray) -> float:
        """Return the UA of probabilities (M, C)."""
        classes = self.task.classes
        said, draws = np.array(classes)[probabilities.argmax(axis=1)], SpeakerBootstrap(self.labels.astype(str), 1)
        return float(ua_samples([(np.ones(len(said), dtype=bool), said)], self.labels, classes, draws)[0])


def pretended(task: Task) -> tuple[list[Fold], str]:
    """Return a fold for each source of several, or folds of a single one's speakers; and what they are, in words.

    Each is seen as the real target is, its speakers hidden where those are. A source that shares fewer than two
    emotions with the others gives none.

    Raises:
        CorpusError: the sources are too small to be split.
    """
    left = [fold for out in task.sources if len(task.sources) > 1 for fold in _left_out(task, out)]
    if left:
        return left, LEFT_OUT
    folds = [fold for source in task.sources for fold in _of_speakers(task, source)]
    if not folds:
        names = ", ".join(source.name for source in task.sources)
        raise CorpusError(
            f"nothing can be chosen on {names}: there must be two recordings at least of two emotions. "
            "Give more of them."
        )
    return folds, FOLDS_OF_SPEAKERS


def _left_out(task: Task, out: Domain) -> list[Fold]:
    rest = tuple(domain for domain in task.sources if domain is not out)
    classes = tuple(name for name in task.classes if any(name in domain.classes for domain in rest))
    if len(set(classes) & set(out.classes)) < 2:
        return []
    away = out.hidden(speakers=task.away.speakers is not None)
    return [Fold(out.name, Task(rest, away, classes, task.columns), out.labels)]


def _of_speakers(task: Task, source: Domain) -> list[Fold]:
    """Return folds of whole speakers, or of recordings where fewer than two speakers are known."""
    names = np.arange(len(source.labels)).astype(str)
    if source.speakers is not None and len(set(source.speakers)) > 1:
        names = source.speakers.astype(str)
    people = np.random.default_rng(0).permutation(np.unique(names))
    folds = []
    for number in range(min(COUNT, len(people))):
        held = np.isin(names, people[number::COUNT])
        if not held.any() or held.all():
            continue
        rest, out = (
            source.take(~held, f"{source.name}, without fold {number + 1}"),
            source.take(held, f"fold {number + 1}"),
        )
        if len(rest.classes) < 2 or len(set(rest.classes) & set(out.classes)) < 2:
            continue
        away = out.hidden(speakers=task.away.speakers is not None)
        classes = tuple(name for name in task.classes if name in rest.classes)
        made = Task((rest,), away, classes, task.columns)
        folds.append(Fold(f"{source.name}, {out.name}", made, out.labels, shifts=False))
    return folds
