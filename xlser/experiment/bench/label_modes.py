"""How a cell is read under other labels than those that source and target share; see `xlser.experiment.bench.modes`.

All modes are read by the reader that gives probabilities. In ``reject`` a system answers ``other`` where the largest
probability over the source's classes, its confidence, is low; in ``mapped`` the valence of the largest summed one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from xlser.evaluation.bootstrap import SpeakerBootstrap, interval
from xlser.evaluation.openset import auroc, reject_threshold, summed
from xlser.evaluation.transfer import View, Views, class_rows
from xlser.experiment.bench.extras import probabilities, probable
from xlser.experiment.bench.modes import OTHER, UNLABELLED, VALENCE, Mode, emotions_of, intersection, mapped, reject
from xlser.experiment.cases import Case
from xlser.experiment.corpora import AnyRecipe, Corpus
from xlser.experiment.readers import Reader
from xlser.experiment.scores import shared_classes
from xlser.features.normalise import PROTOCOL

Row = dict[str, object]
_TOLD = ("method", "classifier", "metric", "value", "low", "high", "chance")


def label_modes(
    readers: list[Reader], recipe: AnyRecipe, source: Corpus, case: Case, transfer: list[Row]
) -> tuple[list[Row], list[str]]:
    """Score every method of a case under each mode, over all seeds; notes say which mode is not possible.

    Rows of ``intersection`` are those of ``transfer`` by the same reader: nothing is scored twice. The threshold of
    ``reject`` is chosen for each seed on the source's validation speakers (see `reject_threshold`).

    Returns:
        Rows of ``method, classifier, metric, value, low, high, chance, mode, protocol, normalise, classes`` (names),
        ``utterances``; ``lost``, clips that the mode leaves out, by emotion; ``merged``, clips that it calls something
        else (``fear -> negative``); and of ``reject`` ``threshold``, the mean over seeds, and ``chosen_by``. The metric
        is UA, WA, macro-F1 and, of ``reject``, AUROC. Emotions are named as the recipe's ``merge`` leaves them.
    """
    classes, emotions = shared_classes(recipe, source, source), emotions_of(case.corpus, recipe)
    if len(classes) < 2:
        return [], []
    draws = SpeakerBootstrap(case.corpus.frame["speaker"], recipe.evaluation.draws, seed=0)
    table = _Table(case, emotions, _judged(readers, case), draws, recipe.evaluation.level)
    shared = intersection(shared_classes(recipe, source, case.corpus), emotions)
    rows, notes = table.told(shared, _already(readers, case, transfer)), []
    said = [_say(reader, case, emotions_of(source, recipe), classes) for reader in readers]
    for mode, read in ((reject(classes, emotions), table.refusing), (mapped(classes, emotions), table.summing)):
        if why := mode.impossible(table.judged):
            notes.append(f"{case.corpus.name}: no label mode {mode.name}, since {why}")
        else:
            rows += read(mode, said)
    return rows, notes


def _judged(readers: list[Reader], case: Case) -> np.ndarray:
    return np.logical_or.reduce([case.judged(reader.seed) for reader in readers])


def _already(readers: list[Reader], case: Case, transfer: list[Row]) -> list[Row]:
    """Return the rows of ``transfer`` in which a method's probabilities were read in this case."""
    names = {reader.method: probable(reader) for reader in readers}
    rows = [row for row in transfer if (row["role"], row["normalise"]) == (case.role, case.kind)]
    return [row for row in rows if names.get(row["method"]) == row["classifier"]]


@dataclass(frozen=True)
class _Said:
    """What a reader says of a case, ``given`` (N, C) over the source's classes, on ``rows`` (N,) that it may judge.

    Clips less confident than ``threshold`` are refused; ``how`` that was chosen.
    """

    reader: Reader
    classes: tuple[str, ...]
    rows: np.ndarray
    given: np.ndarray
    threshold: float
    how: str

    @property
    def confidence(self) -> np.ndarray:
        """The largest probability of each clip, (N,)."""
        return self.given.max(1)


def _say(reader: Reader, case: Case, emotions: np.ndarray, classes: tuple[str, ...]) -> _Said:
    """Read the case, and choose the threshold on validation rows, of which the source's ``emotions`` tell the truth."""
    validation = emotions[reader.seed.split.validation]
    named = ~np.isin(validation, UNLABELLED)
    codes = [classes.index(name) if name in classes else -1 for name in validation[named]]
    before = probabilities(reader, reader.validation.embeddings[named], classes)
    given = probabilities(reader, reader.system.embed(case), classes)
    return _Said(reader, classes, case.judged(reader.seed), given, *reject_threshold(before, codes))


@dataclass(frozen=True)
class _Table:
    """Makes rows: ``emotions`` (N,) of a case, the rows (N,) that any seed has ``judged``, and draws of speakers."""

    case: Case
    emotions: np.ndarray
    judged: np.ndarray
    draws: SpeakerBootstrap
    level: float

    def refusing(self, mode: Mode, said: list[_Said]) -> list[Row]:
        """Score the source's classes, and ``other`` where a reader is not sure enough."""

        def answer(one: _Said) -> np.ndarray:
            return np.where(one.confidence < one.threshold, OTHER, np.array(one.classes)[one.given.argmax(1)])

        table = self.told(mode, [*self._scored(mode, said, answer), *self._surer(mode, said)])
        chosen = {method: _chosen(several) for method, several in _by_method(said).items()}
        return [row | chosen[row["method"]] for row in table]

    def summing(self, mode: Mode, said: list[_Said]) -> list[Row]:
        """Score the valence that has most of the probability."""

        def answer(one: _Said) -> np.ndarray:
            groups = [VALENCE.get(name) for name in one.classes]
            return np.array(mode.classes)[summed(one.given, groups, mode.classes).argmax(1)]

        return self.told(mode, self._scored(mode, said, answer))

    def told(self, mode: Mode, table: list[Row]) -> list[Row]:
        """Return scores with what the mode is, loses and renames."""
        about = {"mode": mode.name, "protocol": PROTOCOL[self.case.kind], "normalise": self.case.kind}
        about |= {"classes": list(mode.classes), **mode.counts(self.emotions, self.judged)}
        return [{name: row[name] for name in _TOLD} | about for row in table]

    def _scored(self, mode: Mode, said: list[_Said], answer: Callable[[_Said], np.ndarray]) -> list[Row]:
        views: Views = {}
        for one in said:
            views.setdefault(one.reader.method, []).append(View(one.rows, {probable(one.reader): answer(one)}))
        return class_rows(views, mode.truth, mode.classes, self.draws, self.level)[0]

    def _surer(self, mode: Mode, said: list[_Said]) -> Iterator[Row]:
        """Score for every method how well confidence tells known emotions from others, at no threshold."""
        speakers, known, rows = (
            self.case.corpus.frame["speaker"].to_numpy(str),
            mode.truth != OTHER,
            self.judged & mode.kept,
        )
        for method, several in _by_method(said).items():
            pairs = _confidences(several, rows)
            sample = _mean([auroc(sure[of], known[of], speakers[of], self.draws) for of, sure in pairs])
            low, high = interval(sample, self.level, self.draws.effective(rows))
            about = {"method": method, "classifier": probable(several[0].reader), "metric": "AUROC", "chance": 0.5}
            yield about | {"value": float(sample[0]), "low": low, "high": high}


def _by_method(said: list[_Said]) -> dict[str, list[_Said]]:
    found: dict[str, list[_Said]] = {}
    for one in said:
        found.setdefault(one.reader.method, []).append(one)
    return found


def _chosen(several: list[_Said]) -> Row:
    thresholds, ways = [one.threshold for one in several], dict.fromkeys(one.how for one in several)
    return {"threshold": float(np.mean(thresholds)), "chosen_by": ", ".join(ways)}


def _confidences(several: list[_Said], rows: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return rows and confidence by seed; of seeds that judge disjoint rows (folds) as one, as classes are scored."""
    taken = [one.rows & rows for one in several]
    if len(several) > 1 and np.sum([one.rows for one in several], axis=0).max() == 1:
        return [(np.logical_or.reduce(taken), np.select(taken, [one.confidence for one in several]))]
    return [(of, one.confidence) for of, one in zip(taken, several, strict=True)]


def _mean(samples: list[np.ndarray]) -> np.ndarray:
    """Return the mean over seeds, draw by draw, of those that are defined there; nan where none is."""
    return np.ma.masked_invalid(samples).mean(axis=0).filled(np.nan)
