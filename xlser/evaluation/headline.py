"""What a report says first of a model's targets: the report and `xlser predict` both ask here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from xlser.evaluation.results import CellScore
from xlser.features.normalise import PROTOCOL
from xlser.vocabulary import FEATURES, SHORTCUTS, TARGET, TRANSDUCTIVE, ZERO_SHOT

PLAIN = "plain"


def protocol_of(recipe: Mapping[str, Any]) -> str:
    """Return the protocol that a recipe reads its targets by, and its report speaks of first.

    >>> protocol_of({"features": {"normalise": "corpus"}}), protocol_of({"encoder": {}})
    ('transductive', 'zero-shot')
    """
    return PROTOCOL[(recipe.get("features") or {}).get("normalise", "source")]


def main_methods(methods: Collection[str], encoder: bool) -> list[str]:
    """Return the methods that a report speaks of: those that the recipe adds, or without any the plain network.

    Args:
        methods: all that were scored, in the order of the results.
        encoder: whether an encoder was fine-tuned: its recipe may call a method of its own ``plain``.

    >>> main_methods(["plain", "valence", "features"], False), main_methods(["features"], False)
    (['valence'], ['features'])
    """
    given = (FEATURES, *SHORTCUTS) if encoder else (PLAIN, FEATURES, *SHORTCUTS)
    alone = PLAIN if PLAIN in methods or encoder else FEATURES
    return [name for name in methods if name not in given] or [alone]


@dataclass(frozen=True)
class Headline:
    """The UA that a report gives of one method and readout on its targets.

    Attributes:
        protocol: the recipe's own, of which the report's first numbers are.
        methods: those that the report's first sentences are about.
        scores: of the method and readout on every target, under every protocol and adaptation.
    """

    protocol: str
    methods: tuple[str, ...]
    scores: tuple[CellScore, ...]

    @classmethod
    def of(cls, recipe: Mapping[str, Any], scores: Iterable[CellScore], method: str, readout: str | None) -> Headline:
        """Pick what concerns one model out of all scores of its recipe on its source."""
        scores = list(scores)
        methods = main_methods(list(dict.fromkeys(score.method for score in scores)), "encoder" in recipe)
        mine = [score for score in scores if (score.role, score.method, score.readout) == (TARGET, method, readout)]
        return cls(protocol_of(recipe), tuple(methods), tuple(mine))

    @property
    def adaptations(self) -> tuple[str, ...]:
        """Whose statistics, or which adaptations, made transductive scores, the recipe's own first."""
        found = [score for score in self.scores if score.protocol == TRANSDUCTIVE]
        found.sort(key=lambda score: score.normalise not in PROTOCOL)
        return tuple(dict.fromkeys(score.normalise for score in found))

    def read_by(self, protocol: str, normalise: str = "") -> dict[str, float]:
        """Return the UA by target, under a protocol, and of an adaptation where it is named.

        >>> Headline("zero-shot", ("plain",), ()).read_by("zero-shot")
        {}
        """
        return {
            score.corpus: score.value
            for score in self.scores
            if score.protocol == protocol and normalise in ("", score.normalise)
        }

    @property
    def zero_shot(self) -> dict[str, float]:
        """The UA by target, nothing of it seen."""
        return self.read_by(ZERO_SHOT)
