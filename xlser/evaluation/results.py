"""What results.json holds of every recipe and source, whether of a run or of a bench: a run is a bench of one cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = dict[str, Any]
Place = tuple[str, str]


def home_cells(results: Mapping[str, Any]) -> dict[Place, Mapping[str, Any]]:
    """Return, by recipe and source, the table in which a source's own speakers were scored.

    They stand in the order in which recipes and sources were asked for: of equals the first is chosen. A run has one
    such table, itself; a bench has none where a job failed.

    >>> run = {"about": {"recipe": {"name": "dae", "source": "emodb"}}, "corpora": [], "transfer": []}
    >>> list(home_cells(run))
    [('dae', 'emodb')]
    >>> cells = [{"recipe": "dae", "source": name, "target": name} for name in ("emodb", "urdu")]
    >>> about = {"recipes": {"dae": {}}, "sources": ["urdu", "emodb"]}
    >>> list(home_cells({"about": about, "cells": cells}))
    [('dae', 'urdu'), ('dae', 'emodb')]
    """
    about = results["about"]
    if "cells" not in results:
        names = [row["corpus"] for row in results["corpora"] if row["role"] == "source"]
        return {(about["recipe"]["name"], (names or [about["recipe"]["source"]])[0]): results}
    own = {(cell["recipe"], cell["source"]): cell for cell in results["cells"] if cell["source"] == cell["target"]}
    asked = [(recipe, source) for recipe in about["recipes"] for source in about["sources"]]
    return {place: own[place] for place in dict.fromkeys([*asked, *own]) if place in own}


def own_scores(results: Mapping[str, Any]) -> dict[Place, list[Row]]:
    """Return the scores that `xlser.evaluation.choice.choose_among` chooses by, as `home_cells` orders them."""
    return {place: cell["transfer"] for place, cell in home_cells(results).items()}
