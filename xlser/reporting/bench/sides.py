"""A place that two runs, or two benches, both judged, with what each said of every clip there."""

from __future__ import annotations

from dataclasses import dataclass

from xlser.evaluation.verdicts import Verdicts, unlike
from xlser.reporting.bench.facts import Row

# Verdicts, or why there are none.
Said = Verdicts | str


@dataclass
class Place:
    """A corpus as both judged it: the rows of its UA on either side, and what was said of each clip.

    ``test`` is the paired test of B less A, None where there is none, or none yet.
    """

    name: str
    family: str
    rows: tuple[Row, Row]
    said: tuple[Said, Said]
    test: Row | None = None

    @property
    def why_not(self) -> str:
        """Why the two cannot be paired; empty where they can."""
        a, b = self.said
        return a if isinstance(a, str) else b if isinstance(b, str) else unlike(a, b)


@dataclass(frozen=True)
class Sides:
    """Two recipes, each as its own source validation chose to read it: ``heads`` say which, ``notes`` beware."""

    heads: list[str]
    places: list[Place]
    notes: list[str]
