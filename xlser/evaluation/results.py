"""What results.json holds of every recipe and source, whether of a run or of a bench: a run is a bench of one cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from xlser.evaluation.choice import VALIDATION, Choice, choose, choose_among

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


def chosen_of(results: Mapping[str, Any]) -> tuple[Place, Choice] | None:
    """Return recipe and source, and the method and readout, that a prediction by this run or bench would take.

    None where nothing was scored on validation speakers.
    """
    return choose_among(own_scores(results))


def as_bench(results: Mapping[str, Any]) -> Row:
    """Return the results of a run as those of a bench with one recipe on one source, with what comparing needs.

    Its cells are under the recipe's own protocol; a bench's own results are returned as they are.
    """
    if "cells" in results:
        return dict(results)
    about = results["about"]
    (((recipe, source), _),) = home_cells(results).items()
    targets = list(dict.fromkeys(row["corpus"] for row in results["transfer"] if row["corpus"] != source))
    features = about["recipe"].get("features") or {}
    place = {"recipe": recipe, "source": source}
    told = {row["corpus"]: row for row in results["corpora"]}
    cells = [
        place
        | {"target": name, "about": told.get(name, {}), "normalise": features.get("normalise", "source")}
        | {"transfer": [row for row in results["transfer"] if row["corpus"] == name]}
        for name in (source, *targets)
    ]
    choice = choose(results["transfer"])
    chosen = [place | asdict(choice)] if choice else []
    judged = [row for row in results["transfer"] if row["role"] != VALIDATION]
    matrix = [
        place | {"target": row["corpus"]} | row
        for row in judged
        if choice and (row["method"], row["classifier"]) == (choice.method, choice.classifier)
    ]
    named = {"recipes": {recipe: about["recipe"]}, "sources": [source], "targets": targets}
    return {"about": about | named, "cells": cells, "chosen": chosen, "matrix": matrix, "failed": {}, "holes": {}}
