"""What a model says of one recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xlser.vocabulary import ZERO_SHOT


@dataclass(frozen=True)
class Neighbour:
    """A stored clip and its distance, in the metric that the model reads with; whether it ``voted`` for the answer."""

    corpus: str
    language: str
    speaker: str
    path: str
    emotion: str
    distance: float
    voted: bool = False


@dataclass(frozen=True)
class Prediction:
    """What a model says of one recording, or of one segment of it.

    ``emotion`` is empty and ``probabilities`` too where the model was trained on ratings alone; otherwise these sum to
    1. ``ratings`` are activation, valence and dominance on about [-1, 1], as far as the model was taught them.
    ``distance`` is that to the fifth nearest stored clip of the answered emotion and ``percentile`` the share of the
    stored clips, in percent, that lie nearer to clips of their own emotion by other speakers; above 99 there is a
    ``warning``. A warning is no proof of a wrong answer, nor its absence one of a right answer.

    ``protocol`` is ``zero-shot``, or ``transductive`` where the other recordings of the list were used, by ``adapt``.
    ``start`` and ``end`` are the segment's, in seconds of the file; None for a whole file. ``channel`` is which was
    heard, from 1, or ``mix``. ``columns`` are the cells of the list that named it, as they stood there.
    """

    file: str
    seconds: float
    emotion: str
    probabilities: dict[str, float]
    ratings: dict[str, float]
    distance: float
    percentile: float
    neighbours: list[Neighbour] = field(default_factory=list)
    warning: str = ""
    protocol: str = ZERO_SHOT
    adapt: str = ""
    start: float | None = None
    end: float | None = None
    channel: str = "mix"
    columns: Mapping[str, Any] = field(default_factory=dict)
