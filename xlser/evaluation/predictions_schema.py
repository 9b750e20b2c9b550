"""Of which type files are that say what was said of every clip."""

from __future__ import annotations

from typing_extensions import NotRequired, TypedDict

from xlser.evaluation.cell_schema import Cell
from xlser.typedtable import Count, Text, Texts
from xlser.typedtable import typed as _typed


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
class CellFile(Cell):
    """A cell on its own, with what was said of every clip; nothing of that where it serves a choice alone."""

    key: NotRequired[Text]
    predictions: NotRequired[Predictions]


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
