"""Of which type everything in best.json, tried.jsonl and model.json of `xlser best` is."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import NotRequired, TypedDict

from xlser.evaluation.score_schema import CorpusFacts
from xlser.typedtable import Count, Number, Text, Texts, typed


@typed
class TriedRow(TypedDict):
    """One candidate."""

    name: Text
    representation: Text
    statistics: Text
    combination: Text
    adaptation: Text
    readout: Text
    protocol: Text
    complexity: Count
    validated: dict[str, Number]
    score: Number
    seconds: float
    target: list[Number] | None


@typed
class BudgetRow(TypedDict):
    """Seconds."""

    asked: float
    used: float
    not_tried: Texts


@typed
class PredictionRow(TypedDict):
    """One recording."""

    file: Text
    emotion: Text
    probabilities: list[Number]


@typed
class BestAbout(TypedDict, total=False):
    """Versions, corpora and more."""

    versions: dict[str, Text]
    command: Text
    seconds: Number
    finished: Text
    default: Text
    out: Text
    encoder: Any
    corpora: list[CorpusFacts]


@typed
class BestFile(TypedDict):
    """``best.json``."""

    sources: Texts
    target: Text
    classes: Texts
    protocol: Text
    looks_at: Texts
    chosen_by: Text
    candidates: list[TriedRow]
    chosen: Text
    baseline: Text
    oracle: Text | None
    regret: list[Number] | None
    decisions: Texts
    notes: Texts
    budget: BudgetRow
    predictions: list[PredictionRow]
    about: BestAbout


@typed
class TrialRow(TypedDict):
    """A line of ``tried.jsonl``."""

    schema: Count
    candidate: Text
    validated: dict[str, Number]
    seconds: float
    used: float


@typed
class RepresentationRow(TypedDict):
    """What a member hears."""

    egemaps: bool
    states: list[Count]
    pooling: Text
    frames: Text


@typed
class MemberRow(TypedDict):
    """One member of what is averaged."""

    representation: RepresentationRow
    sources: Texts
    classes: Texts
    weight: Annotated[float, Field(ge=0, le=1e6)]
    clip: Number
    chain: dict[str, Any]


@typed
class CombinedAbout(TypedDict):
    """What a model is called, from what and for what it was made."""

    name: Text
    sources: Texts
    target: Text
    recordings: Count
    protocol: Text
    looks_at: Texts
    adaptation: Text
    extractor: Any  # one by its name, several as a list, an encoder as a table
    pretrained: list[dict[str, Any]]
    fingerprint: Text
    speakers: dict[str, Text]


@typed
class CombinedFile(TypedDict):
    """``model.json`` of a model of `xlser best`."""

    kind: Text
    classes: Texts
    columns: Texts
    members: list[MemberRow]
    chain: dict[str, Any]
    about: NotRequired[dict[str, Any]]
