"""Of which type a cell of a bench is, table by table."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from xlser.evaluation.score_schema import Choice, CorpusFacts, Folds, Score, Split
from xlser.typedtable import Count, Number, Text, Texts
from xlser.typedtable import typed as _typed


@_typed
class FewShot(TypedDict, total=False):
    """What labelled clips of the target gave."""

    method: Text
    corpus: Text
    k: Count
    way: Text
    metric: Text
    value: Number
    low: Number
    high: Number
    sd_draws: Number
    without: Number
    gain: Number
    gain_low: Number
    gain_high: Number


@_typed
class Nuisance(TypedDict, total=False):
    """What else than emotion an embedding tells."""

    method: Text
    corpus: Text
    nuisance: Text
    metric: Text
    classes: Count
    speakers: Count
    rows: Count
    value: Number
    low: Number
    high: Number
    chance: Number
    why: Text


@_typed
class Interval(TypedDict, total=False):
    """A number with its interval."""

    value: Number
    low: Number
    high: Number
    same_sign: Number
    rows: Count
    covariates: Count


@_typed
class Dimension(TypedDict, total=False):
    """How an axis goes with a rating."""

    method: Text
    corpus: Text
    dimension: Text
    axis: Text
    r_source: Number
    r: Number
    p: Number
    p_fdr: Number
    partial: Interval
    stability: Interval


@_typed
class Bin(TypedDict, total=False):
    """What stands in a range of confidences or of lengths."""

    low: Number
    high: Number
    confidence: Number
    accuracy: Number
    WA: Number
    count: Count


@_typed
class Trust(TypedDict, total=False):
    """How far probabilities can be trusted."""

    method: Text
    corpus: Text
    ece: Number
    brier: Number
    aurc: Number
    promise: Number
    reliability: list[Bin]
    by_length: list[Bin]
    sets: dict[str, Number]
    abstention: dict[str, list[Number]]


@_typed
class Point(TypedDict, total=False):
    """Where a clip lies."""

    method: Text
    id: Text
    x: Number
    y: Number
    emotion: Text | None
    activation: Number
    valence: Number
    speaker: Text


@_typed
class LabelMode(TypedDict, total=False):
    """A score with labels merged or left out."""

    method: Text
    classifier: Text
    metric: Text
    mode: Text
    protocol: Text
    normalise: Text
    value: Number
    low: Number
    high: Number
    chance: Number
    classes: Texts
    utterances: Count
    lost: dict[str, Any]
    merged: dict[str, Any]
    threshold: Number


@_typed
class Baseline(TypedDict, total=False):
    """What gains are over."""

    method: Text
    readers: dict[str, Any]


@_typed
class Cell(TypedDict, total=False):
    """A recipe on a source, judged on a target."""

    recipe: Text
    source: Text
    target: Text
    about: CorpusFacts
    classes: Texts
    baseline: Baseline
    normalise: Text
    transfer: list[Score]
    correlation: list[Score]
    confusion: list[Score]
    choices: list[Choice]
    points: list[Point]
    splits: list[Split]
    folds: Folds
    notes: Texts
    dimensions: list[Dimension]
    nuisances: list[Nuisance]
    few_shot: list[FewShot]
    few_shot_areas: list[FewShot]
    trust: list[Trust]
    label_modes: list[LabelMode]
    adapted: list[dict[str, Any]]
    unlabelled: list[dict[str, Any]]
