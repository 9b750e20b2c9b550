"""Of which type everything in results.json is, table by table: what a reader behind may count on.

What must be there is the reader's to say (`xlser.evaluation.results_file`); here stands what it is where it is there.
Keys that are not named are left alone, so that a file of a newer xlser can be read.
"""

from __future__ import annotations

from typing import Any

from typing_extensions import NotRequired, TypedDict

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
    speakers: Count
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


@_typed
class Side(TypedDict, total=False):
    """What was taken for a target, or would have been best."""

    recipe: Text
    method: Text
    classifier: Text
    normalise: Text
    protocol: Text
    value: Number
    low: Number
    high: Number
    chance: Number


@_typed
class Validated(TypedDict, total=False):
    """What was chosen without the target's labels, beside the best in hindsight."""

    line: Text
    protocol: Text
    source: Text
    target: Text
    chosen: Side
    oracle: Side
    validation: Number
    by: Text
    places: Texts
    candidates: Count
    regret: Number
    regret_low: Number
    regret_high: Number


@_typed
class Regret(TypedDict, total=False):
    """What choosing without labels gave away, over several cells."""

    line: Text
    protocol: Text
    corpora: Text
    target: Text
    cells: Count
    regret: Number
    regret_low: Number
    regret_high: Number
    validated: Number
    oracle: Number


@_typed
class Test(TypedDict, total=False):
    """A paired test of two readings."""

    family: Text
    recipe: Text
    source: Text
    target: Text
    corpora: Text
    data: Text
    rival: Text
    normalise: Text
    difference: Number
    p: Number
    p_holm: Number
    speakers: Count
    cells: Count


@_typed
class Language(TypedDict, total=False):
    """A mean over the corpora of a language."""

    recipe: Text
    source: Text
    protocol: Text
    normalise: Text
    data: Text
    language: Text
    value: Number
    low: Number
    high: Number
    corpora: Count


@_typed
class Recipe(TypedDict, total=False):
    """What a recipe says that reports repeat."""

    name: Text
    description: Text
    source: Text
    targets: Texts
    emotions: Texts
    merge: dict[str, Any]
    split: dict[str, Any]
    evaluation: dict[str, Any]
    features: dict[str, Any] | None
    encoder: dict[str, Any] | None
    model: dict[str, Any] | None
    methods: dict[str, dict[str, Any]]
    training: dict[str, Any]


@_typed
class About(TypedDict, total=False):
    """Of which recipe, or recipes, by what, when."""

    recipe: Recipe
    recipes: dict[str, Recipe]
    recipe_hash: Text
    sources: Texts
    targets: Texts
    few_shot: list[Count]
    seeds: Count
    notes: Texts
    synthetic: Texts
    protocol: Text
    columns: Count
    baseline: Baseline
    versions: dict[str, Text]
    command: Text
    seconds: Number
    finished: Text


@_typed
class ResultsTable(TypedDict, total=False):
    """The whole file, of a run or of a bench."""

    about: About
    folds: Folds
    corpora: list[CorpusFacts]
    splits: list[Split]
    curves: list[Curve]
    choices: list[Choice]
    transfer: list[Score]
    correlation: list[Score]
    confusion: list[Score]
    failed: dict[str, Text]
    holes: dict[str, Text]
    cells: list[Cell]
    chosen: list[Choice]
    matrix: list[Score]
    comparisons: list[dict[str, Any]]
    languages: list[Language]
    trained: list[dict[str, Text]]
    validated: list[Validated]
    regrets: list[Regret]
    tests: list[Test]
    pretended: list[dict[str, Any]]


@_typed
class Said(TypedDict):
    """What a method said of each clip, for a seed."""

    method: Text
    classifier: Text
    seed: Count
    labels: list[Text | None]


@_typed
class Predictions(TypedDict):
    """What was said of every clip of a corpus."""

    id: Texts
    speaker: Texts
    truth: list[Text | None]
    said: list[Said]


@_typed
class _CellFile(Cell):
    key: Text
    predictions: Predictions


class CellFile(_CellFile, total=False):
    """A cell on its own, with what was said of every clip."""


@_typed
class SaidPacked(TypedDict):
    """`Said` with labels as numbers of a list."""

    method: Text
    classifier: Text
    seed: Count
    labels: list[int]


@_typed
class PredictionsPacked(TypedDict):
    """An entry of ``predictions.json``: `Predictions` with labels and speakers as numbers of lists."""

    corpus: Text
    role: Text
    protocol: Text
    classes: Texts
    emotions: Texts
    speakers: Texts
    id: Texts
    speaker: list[Count]
    truth: list[int]
    said: list[SaidPacked]


@_typed
class PredictionsFile(TypedDict):
    """``predictions.json`` of a run."""

    schema: NotRequired[Count]
    corpora: list[PredictionsPacked]
