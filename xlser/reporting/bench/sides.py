"""A place that two runs, or two benches, both judged, with what each said of every clip there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlser.evaluation.verdicts import Verdicts, unlike
from xlser.machine import pass_on_unreadable
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


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON table; an empty one where there is none that can be read.

    >>> read_json(Path("nowhere"))
    {}
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        pass_on_unreadable(error, f"reading {path}")
        return {}
    return found if isinstance(found, dict) else {}
