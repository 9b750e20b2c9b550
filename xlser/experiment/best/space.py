"""What may be chosen among: representations, statistics, readouts, adaptations and ensembles of these."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from xlser.evaluation.candidates import Tried
from xlser.features.representation import Representation
from xlser.vocabulary import TRANSDUCTIVE, ZERO_SHOT

SOURCE, CORPUS, SPEAKER = "source", "corpus", "speaker"
POOLED, EACH = "pooled", "one model a source"
EQUAL, ALIKE = "equal weights", "eGeMAPS and each state alike"


@dataclass(frozen=True)
class Setting:
    """One linear model, or one a source: what it hears, whose statistics it is z-scored by, and how it is read.

    Attributes:
        representation: what it hears.
        statistics: ``source``, ``corpus`` or ``speaker``, of the target.
        c: of the logistic regression.
        each: one model a source, averaged; or one of all sources pooled.
        adapt: further steps of adaptation, as recipes write a chain.
    """

    representation: Representation
    statistics: str = SOURCE
    c: float = 0.01
    each: bool = False
    adapt: str = ""

    @property
    def protocol(self) -> str:
        """What of the target it looks at."""
        return ZERO_SHOT if self.statistics == SOURCE and not self.adapt else TRANSDUCTIVE

    @property
    def combination(self) -> str:
        """In words."""
        return f"{EACH}, {EQUAL}" if self.each else POOLED

    @property
    def complexity(self) -> int:
        """A rank: more parts, more statistics of the target and more steps are less simple."""
        steps = len([part for part in self.adapt.split("|") if part])
        return 10 * self.representation.parts + 3 * self.each + (SOURCE, CORPUS, SPEAKER).index(self.statistics) + steps

    def __str__(self) -> str:
        """All of it in words."""
        parts = [str(self.representation), f"{self.statistics} statistics", self.combination]
        return ", ".join([*parts, f"C {self.c:g}", *([self.adapt] if self.adapt else [])])


@dataclass(frozen=True)
class Candidate:
    """A setting, or an ensemble of several: their log-probabilities are averaged, and then come the steps ``adapt``."""

    settings: tuple[Setting, ...]
    weights: tuple[float, ...] = ()
    weighting: str = EQUAL
    adapt: str = ""

    @property
    def shares(self) -> tuple[float, ...]:
        """The weight of each setting."""
        return self.weights or (1.0,) * len(self.settings)

    @property
    def protocol(self) -> str:
        """What of the target it looks at."""
        zero_shot = not self.adapt and all(one.protocol == ZERO_SHOT for one in self.settings)
        return ZERO_SHOT if zero_shot else TRANSDUCTIVE

    @property
    def complexity(self) -> int:
        """A rank; see `Setting.complexity`."""
        return sum(one.complexity for one in self.settings) + bool(self.adapt)

    @property
    def combination(self) -> str:
        """In words."""
        if len(self.settings) == 1:
            return self.settings[0].combination
        return f"ensemble of {len(self.settings)}, {self.weighting}"

    def __str__(self) -> str:
        """All of it in words."""
        if len(self.settings) == 1:
            return ", ".join([str(self.settings[0]), *([self.adapt] if self.adapt else [])])
        parts = [f"ensemble of {len(self.settings)} ({'; '.join(map(str, self.settings))})", self.weighting]
        return ", ".join([*parts, *([self.adapt] if self.adapt else [])])


BASELINE = Candidate((Setting(Representation(egemaps=True)),))


def changed(candidate: Candidate, **changes: Any) -> Candidate:
    """Return a candidate with some changes of all its settings."""
    return replace(candidate, settings=tuple(replace(one, **changes) for one in candidate.settings))


def tried(candidate: Candidate, validated: dict[str, float], seconds: float) -> Tried:
    """Return a candidate in words, with what it was scored."""
    first = candidate.settings[0]
    return Tried(
        name=str(candidate),
        representation="; ".join(dict.fromkeys(str(one.representation) for one in candidate.settings)),
        statistics=" and ".join(dict.fromkeys(one.statistics for one in candidate.settings)),
        combination=candidate.combination,
        adaptation="|".join(part for part in (first.adapt, candidate.adapt) if part),
        readout=f"logistic regression (C {first.c:g})",
        protocol=candidate.protocol,
        complexity=candidate.complexity,
        validated=validated,
        score=float(np.mean([*validated.values()])) if validated else float("nan"),
        seconds=seconds,
    )
