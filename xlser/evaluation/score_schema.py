"""Of which type the tables are that runs and benches share: scores, corpora, splits, curves, choices."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from xlser.typedtable import Count, Counts, Number, Text, Texts
from xlser.typedtable import typed as _typed


@_typed
class Score(TypedDict, total=False):
    """A row of ``transfer``, ``correlation``, ``confusion``, ``matrix``: one number and what it is a number of."""

    recipe: Text
    source: Text
    target: Text
    corpus: Text
    role: Text
    language: Text
    data: Text
    protocol: Text
    normalise: Text
    method: Text
    classifier: Text
    metric: Text
    axis: Text
    dimension: Text
    statistic: Text
    ratings: Text
    truth: Text
    prediction: Text
    classes: Count
    speakers: Count
    utterances: Count
    count: Number
    recall: Number
    value: Number
    low: Number
    high: Number
    chance: Number
    seed_sd: Number
    effective: Number
    gain: Number
    gain_low: Number
    gain_high: Number


@_typed
class Labels(TypedDict, total=False):
    """How many utterances each label kept, was merged into another, or lost."""

    kept: Counts
    merged: dict[str, Any]
    dropped: Counts


@_typed
class CorpusFacts(TypedDict, total=False):
    """What is known of a corpus that was read."""

    corpus: Text
    title: Text
    role: Text
    language: Text
    synthetic: bool
    licence: Text | None
    citation: Text | None
    verified: bool
    utterances: Count
    speakers: Count | None
    hours: Number
    ratings: Text
    rated: Counts
    emotions: Counts
    labels: Labels
    left_out: Counts
    notes: Texts


@_typed
class Parts(TypedDict, total=False):
    """The speakers of each part of a split."""

    train: Texts
    validation: Texts
    test: Texts


@_typed
class Split(TypedDict, total=False):
    """How the source was split for a seed."""

    seed: Count
    fold: Count | None
    hash: Text
    speakers: Parts
    utterances: Counts
    shared: list[Any]


@_typed
class Curve(TypedDict, total=False):
    """How training went."""

    method: Text
    seed: Count
    best_epoch: Count | None
    curve: list[dict[str, Number]]


@_typed
class Choice(TypedDict, total=False):
    """What was chosen for a reader on validation speakers."""

    method: Text
    seed: Count
    reader: Text
    corpus: Text
    role: Text
    protocol: Text
    normalise: Text
    classifier: Text
    recipe: Text
    source: Text
    k: Count
    c: Number
    alpha: Number
    validation: Number


@_typed
class Folds(TypedDict, total=False):
    """How many folds of speakers were asked for and made."""

    asked: Count
    made: Count
    why: Text
