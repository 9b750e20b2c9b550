"""Paired tests between the readings of a bench: another source, plain features, no adaptation; speakers are the units.

Intervals of two readings of the same clips say little of their difference: they share what is hard about the clips.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from xlser.evaluation.choice import Reading
from xlser.evaluation.paired import contributions, flip_test, holm
from xlser.evaluation.pretended import ALL_TARGETS, corpora_of
from xlser.evaluation.regret import NOBODY, Answers
from xlser.vocabulary import FEATURES, PROBE, ZERO_SHOT

Row = dict[str, Any]
Place = tuple[str, str]
# What a reading is set against. Each is a question of its own, with a correction of its own.
OTHER_SOURCE, PLAIN_FEATURES, NO_ADAPTATION = "another source", "plain features", "no adaptation"
ALL_SOURCES = "all sources"
_ABOUT = ("family", "recipe", "source", "target", "corpora", "data", "rival", "normalise")


def reading_tests(cells: Iterable[Mapping[str, Any]], chosen: Mapping[Place, Mapping[str, Any]]) -> list[Row]:
    """Test what was chosen in every transfer cell of a bench against its rivals on the same clips.

    - `OTHER_SOURCE`: the same recipe's choice on every other source, on one target. All pairs are tested, so that the
      best source may be picked afterwards.
    - `PLAIN_FEATURES`: the features before any network, read by logistic regression, adapted alike.
    - `NO_ADAPTATION`: the same method and readout, zero-shot.

    The last two are also tested in the mean over sources (`ALL_SOURCES`) of each target, and over `ALL_TARGETS`, whose
    speakers are independent of each other: single corpora and joined ones apart (``corpora``: one or several), and what
    has synthetic speech on either side apart from human speech (``data``).

    Args:
        cells: of a bench, each with its ``answers`` (see `pack_answers`); one without them has no test.
        chosen: ``method`` and ``classifier`` by recipe and source, as validation chose them.

    Returns:
        Rows of ``family, recipe, source, target, corpora, data``, ``rival`` (the other source, or the family) and
        ``normalise`` (how the first one was adapted); ``difference`` of UA, the first less its rival, in [-1, 1], its
        ``p`` by swapping the two speaker by speaker (see `paired_test`), ``speakers``, and ``p_holm``: corrected over
        the family, means of targets and of all targets each for themselves. Where plain features were chosen they
        count in the means, with a difference of 0; ``cells`` of a mean are the others. Nothing of two that are not of
        the same clips, labels and emotions.
    """
    mine: list[_Read] = []
    pairs: list[_Pair] = []
    cells = list(cells)
    artificial = {cell["target"] for cell in cells if cell.get("about", {}).get("synthetic")}
    for cell in cells:
        choice, answers = chosen.get((cell["recipe"], cell["source"])), Answers.of(cell)
        if not choice or answers is None or cell["source"] == cell["target"]:
            continue
        readings = [
            _Read(cell, answers, one, bool(artificial & corpora_of(f"{cell['source']}+{cell['target']}")))
            for one in answers.said
            if (one.method, one.classifier) == (choice["method"], choice["classifier"])
        ]
        own = [read for read in readings if read.reading.normalise == cell["normalise"]]
        mine += own
        pairs += [pair for read in own for pair in _against_features(read)]
        pairs += _against_none(readings)
    groups = [pairs, _means(pairs, "source"), _means(_means(pairs, "source"), "target")]
    return [
        row
        for several in (list(_between_sources(mine)), *groups)
        for family in dict.fromkeys(pair.about["family"] for pair in several)
        for row in _tested([pair for pair in several if pair.about["family"] == family])
    ]


@dataclass(frozen=True, eq=False)
class _Read:
    """One reading of a cell, and whether the cell has synthetic speech on either side."""

    cell: Mapping[str, Any]
    answers: Answers
    reading: Reading
    synthetic: bool

    @property
    def clips(self) -> tuple[Any, ...]:
        return self.answers.classes, self.answers.speakers, self.answers.truth

    @property
    def right(self) -> np.ndarray:
        """Where each seed was right, (R, N): 1 or 0, nan where a clip is not scored or not judged."""
        truth = np.array(list(self.answers.truth))
        said = np.array([list(labels) for labels in self.answers.said[self.reading]]).reshape(-1, len(truth))
        return np.where((said == NOBODY) | (truth == NOBODY), np.nan, (said == truth).astype(float))


@dataclass(frozen=True, eq=False)
class _Pair:
    """What each speaker, by name, adds to a difference of UA, and of how many cells; 0 of a reading and itself."""

    about: Row
    parts: Mapping[str, float]
    cells: int


def _against_features(own: _Read) -> Iterator[_Pair]:
    one = own.reading
    plain = Reading(one.recipe, FEATURES, PROBE, one.normalise, one.protocol)
    if plain in own.answers.said:
        yield from _pair(PLAIN_FEATURES, PLAIN_FEATURES, own, replace(own, reading=plain))


def _against_none(readings: list[_Read]) -> Iterator[_Pair]:
    base = next((read for read in readings if read.reading.protocol == ZERO_SHOT), None)
    for read in readings:
        if base is not None and read is not base:
            yield from _pair(NO_ADAPTATION, NO_ADAPTATION, read, base)


def _between_sources(mine: list[_Read]) -> Iterator[_Pair]:
    groups: dict[Place, list[_Read]] = {}
    for read in mine:
        groups.setdefault((read.cell["recipe"], read.cell["target"]), []).append(read)
    for several in groups.values():
        for one, other in combinations(several, 2):
            yield from _pair(OTHER_SOURCE, other.cell["source"], one, other)


def _pair(family: str, rival: str, one: _Read, other: _Read) -> Iterator[_Pair]:
    """Yield the difference of two readings, or nothing where they are not of the same clips."""
    if one.clips != other.clips:
        return
    right = [read.right for read in (one, other)]
    judged = np.isfinite(right[0]).any(axis=0) & np.isfinite(right[1]).any(axis=0)
    if not judged.any():
        return
    difference = np.nanmean(right[0][:, judged], axis=0) - np.nanmean(right[1][:, judged], axis=0)
    speakers, truth = np.array(one.answers.speakers)[judged], np.array(list(one.answers.truth))[judged]
    about = {"family": family, **{name: one.cell[name] for name in ("recipe", "source", "target")}}
    about["corpora"] = "several" if "+" in about["source"] else "one"
    about["data"] = "synthetic" if one.synthetic or other.synthetic else "real"
    about |= {"rival": rival, "normalise": one.reading.normalise}
    parts = contributions(difference, speakers, truth)
    named = dict(zip(np.unique(speakers).tolist(), parts.tolist(), strict=True))
    yield _Pair(about, named, int(one.reading != other.reading or one.cell is not other.cell))


def _means(pairs: list[_Pair], over: str) -> list[_Pair]:
    """Return the mean over sources of each target, whose speakers are the same, or over targets, whose are not."""
    groups: dict[tuple[Any, ...], list[_Pair]] = {}
    for pair in pairs:
        groups.setdefault(tuple(pair.about[name] for name in _ABOUT if name != over), []).append(pair)
    return [_mean(several, over) for several in groups.values()]


def _mean(several: list[_Pair], over: str) -> _Pair:
    parts: dict[str, float] = {}
    for pair in several:
        for name, part in pair.parts.items():
            whose = name if over == "source" else f"{pair.about['target']}/{name}"
            parts[whose] = parts.get(whose, 0.0) + part / len(several)
    about = several[0].about | {over: ALL_SOURCES if over == "source" else ALL_TARGETS}
    return _Pair(about, parts, sum(pair.cells for pair in several))


def _tested(several: list[_Pair]) -> list[Row]:
    """Return the tests of one family, corrected over all of them."""
    rows = []
    for pair in [pair for pair in several if pair.cells]:
        parts = np.array(list(pair.parts.values()))
        told = {"difference": float(parts.sum()), "p": flip_test(parts)[0]}
        rows.append(pair.about | told | {"speakers": len(parts), "cells": pair.cells})
    for row, adjusted in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = float(adjusted)
    return rows
