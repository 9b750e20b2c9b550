"""From the cells of a bench to what can only be said of all of them: choices, comparisons, means, corrections."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from xlser.evaluation.dimensions import false_discovery
from xlser.evaluation.paired import holm, paired_test
from xlser.experiment.bench.cells import read_cell
from xlser.experiment.bench.look import Outcome
from xlser.experiment.bench.shortcut import DURATION
from xlser.experiment.cases import HELD_OUT, TARGET, VALIDATION

Cell = dict[str, Any]
Row = dict[str, Any]


def gather(outcomes: list[Outcome]) -> dict[str, Any]:
    """Return ``cells``, ``chosen``, ``matrix``, ``comparisons`` and ``languages`` of a bench.

    ``chosen`` names for every recipe and source the method and reader with the best UA on the source's validation
    speakers; ``matrix`` holds its row in every cell. ``comparisons`` are paired tests between recipes by what they
    chose, on the clips of one target, Holm's correction over all of them. The p-values of dimensions are corrected for
    the false discovery rate over the whole bench.
    """
    cells = [cell for outcome in outcomes for path in outcome.cells.values() if (cell := read_cell(path))]
    cells.sort(key=lambda cell: (cell["recipe"], cell["source"], cell["target"]))
    chosen = {(cell["recipe"], cell["source"]): _chosen(cell) for cell in cells if cell["source"] == cell["target"]}
    matrix = [row for cell in cells for row in _rows_of_choice(cell, chosen.get((cell["recipe"], cell["source"])))]
    comparisons = _comparisons(cells, chosen)
    _correct(cells)
    for cell in cells:
        cell.pop("predictions")
    told = [{"recipe": recipe, "source": source} | row for (recipe, source), row in chosen.items()]
    return {
        "cells": cells,
        "chosen": told,
        "matrix": matrix,
        "comparisons": comparisons,
        "languages": _by_language(matrix),
    }


def _chosen(cell: Cell) -> Row:
    """Return method and reader with the best UA on the source's validation speakers; the first of equals."""
    rows = [
        row
        for row in cell["transfer"]
        if row["role"] == VALIDATION and row["metric"] == "UA" and row["method"] not in ("features", DURATION)
    ]
    best = max(rows, key=lambda row: row["value"] or 0, default=None)
    return {name: best[name] for name in ("method", "classifier")} | {"validation": best["value"]} if best else {}


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
        for one, other in combinations(several, 2):
            found = _compared(one, other, chosen)
            if found:
                rows.append({"source": source, "target": target, "a": one["recipe"], "b": other["recipe"], **found})
    for row, adjusted in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = float(adjusted)
    return rows


def _compared(one: Cell, other: Cell, chosen: dict[tuple[str, str], Row]) -> Row | None:
    """Test the difference in UA on the clips that both judged."""
    if one["classes"] != other["classes"] or one["predictions"]["id"] != other["predictions"]["id"]:
        return None
    truth = np.array([str(label) for label in one["predictions"]["truth"]])
    scored = np.isin(truth, one["classes"])
    right = [_right(cell, chosen[cell["recipe"], cell["source"]], truth)[:, scored] for cell in (one, other)]
    if not scored.any() or min(map(len, right)) == 0:
        return None
    speakers = np.array(one["predictions"]["speaker"])[scored]
    judged = np.isfinite(right[0]).any(0) & np.isfinite(right[1]).any(0)
    if not judged.any():
        return None
    found = paired_test(right[0][:, judged], right[1][:, judged], speakers[judged], truth[scored][judged])
    return {name: found[name] for name in ("difference", "p", "speakers", "clips", "exact")}


def _right(cell: Cell, chosen: Row, truth: np.ndarray) -> np.ndarray:
    """Return 1 where a seed was right, 0 where not, nan where it may not judge: (seeds, N)."""
    rows = [
        said["labels"]
        for said in cell["predictions"]["said"]
        if said["method"] == chosen["method"] and said["classifier"] == chosen["classifier"]
    ]
    said = np.array(rows, dtype=object).reshape(len(rows), len(truth))
    return np.where(said == None, np.nan, (said == truth).astype(float))  # noqa: E711 (element by element)


def _correct(cells: list[Cell]) -> None:
    rows = [row for cell in cells for row in cell["dimensions"]]
    known = [np.nan if row["p"] is None else row["p"] for row in rows]
    for row, adjusted in zip(rows, false_discovery(known), strict=True):
        row["p_fdr"] = float(adjusted)


def _by_language(matrix: list[Row]) -> list[Row]:
    """Return the mean UA of every recipe and source in each language, and over languages.

    The interval takes the corpora as independent and adds their variances, which it reads off their intervals.
    """
    rows = []
    groups: dict[tuple, list[Row]] = {}
    for row in matrix:
        if row["metric"] == "UA" and row["role"] == TARGET:
            key = ("recipe", "source", "protocol", "normalise")
            groups.setdefault(tuple(row[name] for name in key), []).append(row)
    for group, several in groups.items():
        about = dict(zip(key, group, strict=True))
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
