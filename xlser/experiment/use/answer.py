"""What a model says of one recording."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Neighbour:
    """A stored clip and its distance, in the metric that the model reads with."""

    corpus: str
    language: str
    speaker: str
    path: str
    emotion: str
    distance: float


@dataclass(frozen=True)
class Prediction:
    """What a model says of one recording.

    ``probabilities`` sum to 1; ``ratings`` are activation, valence and dominance on about [-1, 1], as far as the model
    was taught them. ``distance`` is that to the fifth nearest stored clip and ``percentile`` the share of the stored
    clips, in percent, that lie nearer to clips of other speakers; above 99 there is a ``warning``. A warning is no
    proof of a wrong answer, nor its absence one of a right answer.
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
