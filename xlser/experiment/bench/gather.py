"""From the cells of a bench to what can only be said of all of them: choices, comparisons, means, corrections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np

from xlser.evaluation.choice import choose
from xlser.evaluation.dimensions import false_discovery
from xlser.evaluation.tested import reading_tests
from xlser.evaluation.verdicts import HELD_OUT as AT_HOME
from xlser.evaluation.verdicts import TRANSFER, Verdicts, correct_families, paired
from xlser.experiment.bench.cells import read_cell
from xlser.experiment.bench.look import Outcome
from xlser.experiment.bench.validated import validated_rows
from xlser.vocabulary import HELD_OUT, TARGET

Cell = dict[str, Any]
Row = dict[str, Any]
_PRETENDED = ("recipe", "source", "target", "transfer", "unlabelled")
_GROUP = ("recipe", "source", "protocol", "normalise", "data")


def gather(outcomes: list[Outcome]) -> dict[str, Any]:
    """Return ``cells``, ``chosen``, ``matrix``, ``comparisons``, ``languages`` and what was ``validated`` of a bench.

    ``chosen`` names for every recipe and source what `choose` takes on the source's validation speakers; ``matrix``
    holds its row in every cell. ``comparisons`` are paired tests between recipes by what they chose, on the clips of
    one target; Holm's correction is over all of a ``family``: transfer, or held-out speakers of the source. The
    p-values of dimensions are corrected for the false discovery rate over the whole bench. ``validated`` and
    ``regrets`` are those of `validated_rows`, ``tests`` those of `reading_tests`, and ``pretended`` holds the UA of
    cells that only serve to choose by.
    """
    cells = [cell for outcome in outcomes for path in outcome.cells.values() if (cell := read_cell(path))]
    pretended = [cell for cell in cells if cell.get("pretended")]
    cells = [cell for cell in cells if not cell.get("pretended")]
    pretended.sort(key=lambda cell: (cell["recipe"], cell["source"], cell["target"]))
    cells.sort(key=lambda cell: (cell["recipe"], cell["source"], cell["target"]))
    chosen = {(cell["recipe"], cell["source"]): _chosen(cell) for cell in cells if cell["source"] == cell["target"]}
    matrix = [row for cell in cells for row in _rows_of_choice(cell, chosen.get((cell["recipe"], cell["source"])))]
    comparisons = _comparisons(cells, chosen)
    _correct(cells)
    validated, regrets = validated_rows(cells, pretended)
    tests = reading_tests(cells, chosen)
    for cell in cells:
        _place_answers(cell, chosen.get((cell["recipe"], cell["source"])))
        cell.pop("predictions")
        cell.pop("answers", None)
    told = [{"recipe": recipe, "source": source} | row for (recipe, source), row in chosen.items()]
    return {
        "cells": cells,
        "chosen": told,
        "matrix": matrix,
        "comparisons": comparisons,
        "languages": _by_language(matrix),
        "validated": validated,
        "regrets": regrets,
        "tests": tests,
        "pretended": [{name: cell[name] for name in _PRETENDED} for cell in pretended],
    }


def _chosen(cell: Cell) -> Row:
    """Return method, classifier and validation UA of what `choose` takes; nothing where nothing was scored."""
    choice = choose(cell["transfer"])
    return asdict(choice) if choice else {}


def _rows_of_choice(cell: Cell, chosen: Row | None) -> Iterator[Row]:
    if not chosen:
        return
    for row in cell["transfer"]:
        same = all(row[name] == chosen[name] for name in ("method", "classifier"))
        if same and row["role"] in (TARGET, HELD_OUT):
            yield {"recipe": cell["recipe"], "source": cell["source"], "target": cell["target"], **row}


def _comparisons(cells: list[Cell], chosen: dict[tuple[str, str], Row]) -> list[Row]:
    rows = []
    by_place: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        if chosen.get((cell["recipe"], cell["source"])):
            by_place.setdefault((cell["source"], cell["target"]), []).append(cell)
    for (source, target), several in by_place.items():
        about = {"source": source, "target": target, "family": AT_HOME if source == target else TRANSFER}
        said = {cell["recipe"]: _verdicts(cell, chosen[cell["recipe"], source]) for cell in several}
        for one, other in combinations(said, 2):
            if found := paired(said[one], said[other]):
                rows.append(about | {"a": one, "b": other} | found)
    correct_families(rows)
    return rows


def _verdicts(cell: Cell, chosen: Row) -> Verdicts:
    return Verdicts.of(cell["predictions"], cell["classes"], chosen["method"], chosen["classifier"])


def _place_answers(cell: Cell, chosen: Row | None) -> None:
    """Give every point of a cell's maps its ``speaker``, and those of the chosen method how often they are ``right``.

    That is the share of the seeds that judge a clip; a clip that none judges, or that is not scored, has none.
    """
    if not chosen or not cell.get("points"):
        return
    said = _verdicts(cell, chosen)
    shares = [
        [value for value in column if np.isfinite(value)] if scored else []
        for column, scored in zip(said.right.T, said.scored, strict=True)
    ]
    speakers, right = dict(zip(said.ids, said.speakers, strict=True)), dict(zip(said.ids, shares, strict=True))
    for point in cell["points"]:
        point["speaker"] = speakers.get(point["id"])
        if point["method"] == chosen["method"] and right.get(point["id"]):
            point["right"] = float(np.mean(right[point["id"]]))


def _correct(cells: list[Cell]) -> None:
    rows = [row for cell in cells for row in cell["dimensions"]]
    known = [np.nan if row["p"] is None else row["p"] for row in rows]
    for row, adjusted in zip(rows, false_discovery(known), strict=True):
        row["p_fdr"] = float(adjusted)


def _by_language(matrix: list[Row]) -> list[Row]:
    """Return the mean UA of every recipe and source in each language, and over languages.

    ``data`` says whose: the means of human speech are ``real``, and synthetic speech has means of its own. The interval
    takes the corpora as independent and adds their variances, which it reads off their intervals.
    """
    rows = []
    groups: dict[tuple, list[Row]] = {}
    for row in matrix:
        if row["metric"] == "UA" and row["role"] == TARGET:
            groups.setdefault(tuple(row[name] for name in _GROUP), []).append(row)
    for group, several in groups.items():
        about = dict(zip(_GROUP, group, strict=True))
        means = []
        for language in dict.fromkeys(_spoken(row) for row in several):
            means.append(_mean([row for row in several if _spoken(row) == language]))
            rows.append(about | {"language": language} | means[-1])
        rows.append(about | {"language": "all languages"} | _mean(means) | {"corpora": len(several)})
    return rows


def _spoken(row: Row) -> str:
    """Return the language without its region: American and British English count as one."""
    return "+".join(tag.split("-")[0] for tag in row["language"].split("+"))


def _mean(rows: list[Row]) -> Row:
    values = np.array([row["value"] for row in rows], dtype=float)
    halves = np.array([[row["low"], row["high"]] for row in rows], dtype=float)
    half = float(np.sqrt((np.diff(halves, axis=1) ** 2).sum()) / 2 / len(rows))
    value = float(values.mean())
    return {
        "value": value,
        "low": float(np.clip(value - half, 0, 1)),
        "high": float(np.clip(value + half, 0, 1)),
        "corpora": len(rows),
    }
