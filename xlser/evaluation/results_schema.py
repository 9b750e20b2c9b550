"""Of which type everything in results.json is, table by table: what a reader behind may count on.

What must be there is the reader's to say (`xlser.evaluation.results_file`); here stands what it is where it is there.
Keys that are not named are left alone, so that a file of a newer xlser can be read.
"""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from xlser.evaluation.cell_schema import Baseline, Cell
from xlser.evaluation.score_schema import Choice, CorpusFacts, Curve, Folds, Score, Split
from xlser.typedtable import Count, Number, Text, Texts
from xlser.typedtable import typed as _typed


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
