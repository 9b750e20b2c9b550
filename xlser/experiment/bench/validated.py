"""How every target is read by what was chosen without its labels, beside the best in hindsight, and the regret."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from xlser.evaluation.choice import (
    Reading,
    ReadingChoice,
    best_in_hindsight,
    choose,
    choose_unlabelled,
    readings_of,
    told_by,
)
from xlser.evaluation.pretended import ALL_RECIPES, ALL_TARGETS, HOME, UNLABELLED, choose_for, rows_of
from xlser.evaluation.regret import Answers, Regret, mean_over_targets
from xlser.vocabulary import TARGET, TRANSDUCTIVE, ZERO_SHOT

Row = dict[str, Any]
Cell = Mapping[str, Any]
_PROTOCOLS = {ZERO_SHOT: (ZERO_SHOT,), TRANSDUCTIVE: (ZERO_SHOT, TRANSDUCTIVE)}
_SCORE = ("value", "low", "high", "chance")


def validated_rows(cells: Iterable[Cell], pretended: Iterable[Cell] = ()) -> tuple[list[Row], list[Row]]:
    """Choose a reading for every target, without its labels, and say what that costs.

    A target of several source corpora is read by what does best when each of them is left out in turn: trained on the
    others, adapted to it without its labels, scored by them. One of a single corpus, by what does best in the cells of
    the bench that have the target neither as source nor as target. Where there are none of these, by how much answers
    tell of the target's unlabelled recordings; or zero-shot, method and readout by the source's validation speakers.
    What may look at the target's recordings and what may not (``protocol``) are chosen apart; of several recipes each
    for itself, and all of them together.

    Args:
        cells: of the bench, those of sources themselves among them.
        pretended: cells that were made to choose by alone.

    Returns:
        Rows of ``line`` (a recipe or `ALL_RECIPES`), ``source, target, protocol``; ``chosen`` and ``oracle``, readings
        with their UA; ``validation``, the UA that chose, ``by`` and ``places``; ``candidates``, how many there were;
        and ``regret, regret_low, regret_high`` where the answers are kept. Then the mean regret of every line, protocol
        and kind of source (``corpora``: one or several) on each target and over `ALL_TARGETS`.
    """
    cells, pretended = list(cells), list(pretended)
    answers = {id(cell): found for cell in cells if (found := Answers.of(cell))}
    rows, regrets = [], []
    for line, mine in _lines(cells).items():
        recipes = {cell["recipe"] for cell in mine}
        others = [cell for cell in [*mine, *pretended] if cell["recipe"] in recipes]
        for several in _by_place(mine):
            for protocol in _protocols(several):
                row = _choice(several, others, _PROTOCOLS[protocol])
                if row is None:
                    continue
                rows.append({"line": line, "protocol": protocol} | row)
                if found := _regret(row, several, answers):
                    rows[-1] |= found.row
                    regrets.append((rows[-1], found))
    return rows, list(_means(regrets))


def _lines(cells: list[Cell]) -> dict[str, list[Cell]]:
    """Return the cells of every recipe, and of all of them where there are several."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell["recipe"], []).append(cell)
    return found | ({ALL_RECIPES: cells} if len(found) > 1 else {})


def _by_place(cells: list[Cell]) -> list[list[Cell]]:
    """Return the cells of every source and target, which may be of several recipes that score the same emotions."""
    found: dict[tuple, list[Cell]] = {}
    for cell in cells:
        if cell["source"] != cell["target"] and len(cell["classes"]) > 1:
            found.setdefault((cell["source"], cell["target"]), []).append(cell)
    alike = [several for several in found.values() if len({tuple(cell["classes"]) for cell in several}) == 1]
    return alike


def _protocols(cells: list[Cell]) -> list[str]:
    seen = {row["protocol"] for cell in cells for row in rows_of(cell) if row["role"] == TARGET}
    return [name for name in _PROTOCOLS if name in seen]


def _choice(several: list[Cell], others: list[Cell], protocols: tuple[str, ...]) -> Row | None:
    """Choose for one source and target, of which ``several`` recipes have a cell."""
    source, target = several[0]["source"], several[0]["target"]
    rows = [row for cell in several for row in rows_of(cell)]
    here = readings_of(rows, protocols)
    oracle = best_in_hindsight(here)
    if oracle is None:
        return None
    # No protocol but the second may look at the target.
    looked = [row | {"recipe": cell["recipe"]} for cell in several for row in cell.get("unlabelled", ())]
    told = told_by(looked) if TRANSDUCTIVE in protocols else None
    choice, by = choose_for(source, target, others, here, protocols, here=told)
    if choice is None:
        choice, by = choose_unlabelled(looked, here, protocols) if TRANSDUCTIVE in protocols else None, UNLABELLED
    if choice is None:
        choice, by = _at_home(source, others, here), HOME
    if choice is None:
        return None
    about = {Reading.of(row): {name: row[name] for name in _SCORE if name in row} for row in _scored(rows)}
    return {
        "source": source,
        "target": target,
        "chosen": _told(choice.reading) | about[choice.reading],
        "oracle": _told(oracle) | about[oracle],
        "validation": choice.validation,
        "by": by,
        "places": list(choice.places),
        "candidates": len(here),
    }


def _scored(rows: list[Row]) -> list[Row]:
    return [row for row in rows if (row["role"], row["metric"]) == (TARGET, "UA")]


def _told(reading: Reading) -> Row:
    names = ("recipe", "method", "classifier", "normalise", "protocol")
    return {name: getattr(reading, name) for name in names}


def _at_home(source: str, cells: list[Cell], here: Mapping[Reading, float]) -> ReadingChoice | None:
    """Return the method and readout that the source chose, read as they are where nothing adapts, or by the recipe."""
    own = [cell for cell in cells if cell["source"] == cell["target"] == source]
    found = [(choice, cell["recipe"]) for cell in own if (choice := choose(cell["transfer"]))]
    if not found:
        return None
    choice, recipe = max(found, key=lambda pair: pair[0].validation)
    usual = {cell["recipe"]: cell.get("normalise", "source") for cell in own}[recipe]
    same = [
        one for one in here if (one.recipe, one.method, one.classifier) == (recipe, choice.method, choice.classifier)
    ]
    same.sort(key=lambda one: (one.normalise != usual, one.protocol != ZERO_SHOT))
    return ReadingChoice(same[0], choice.validation, (source,)) if same else None


def _regret(row: Row, several: list[Cell], answers: Mapping[int, Answers]) -> Regret | None:
    by_recipe = {cell["recipe"]: answers.get(id(cell)) for cell in several}
    chosen, oracle = (Reading.of(row[name]) for name in ("chosen", "oracle"))
    mine, best = by_recipe[chosen.recipe], by_recipe[oracle.recipe]
    if mine is None or best is None or mine.truth != best.truth:
        return None
    return Regret.of(mine, chosen, oracle, best)


def _means(regrets: list[tuple[Row, Regret]]) -> Iterator[Row]:
    groups: dict[tuple, dict[str, list[tuple[Row, Regret]]]] = {}
    for row, regret in regrets:
        kind = "several" if "+" in row["source"] else "one"
        by_target = groups.setdefault((row["line"], row["protocol"], kind), {})
        by_target.setdefault(row["target"], []).append((row, regret))
    for (line, protocol, kind), by_target in groups.items():
        about = {"line": line, "protocol": protocol, "corpora": kind}
        means = []
        for target, pairs in by_target.items():
            mean = Regret.mean([regret for _, regret in pairs]).row | _accuracies([row for row, _ in pairs])
            means.append(mean)
            yield about | {"target": target, "cells": len(pairs)} | mean
        values = {name: sum(row[name] for row in means) / len(means) for name in ("validated", "oracle")}
        count = sum(map(len, by_target.values()))
        yield about | {"target": ALL_TARGETS, "cells": count} | mean_over_targets(means) | values


def _accuracies(rows: list[Row]) -> Row:
    pairs = {"validated": "chosen", "oracle": "oracle"}
    return {name: sum(row[key]["value"] for row in rows) / len(rows) for name, key in pairs.items()}
