"""Means over the targets of a bench: human speech alone, unless there is none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from xlser.evaluation.pretended import ALL_RECIPES
from xlser.reporting.bench.facts import Bench, Key, Row, reading
from xlser.reporting.bench.hindsight import shown
from xlser.reporting.wording import known
from xlser.vocabulary import TRANSDUCTIVE, ZERO_SHOT

# Of rows of a score by the target that they are of.
ByTarget = Mapping[str, list[Row]]


def mean(rows: Iterable[Row]) -> Row:
    """Return the mean ``value`` of independent scores, ``low`` and ``high`` by adding their variances, and ``chance``.

    None where a score, or an interval, is not known.

    >>> mean([{"value": 0.5, "low": 0.25, "high": 0.75, "chance": 0.25}])
    {'value': 0.5, 'low': 0.25, 'high': 0.75, 'chance': 0.25}
    """
    rows = [row for row in rows if known(row["value"])]
    if not rows:
        return dict.fromkeys(("value", "low", "high", "chance"))
    value = _average(row["value"] for row in rows)
    ends: dict[str, float | None] = {"low": None, "high": None}
    if all(known(row["low"], row["high"]) for row in rows):
        half = {end: math.hypot(*(row[end] - row["value"] for row in rows)) / len(rows) for end in ends}
        ends = {"low": value - half["low"], "high": value + half["high"]}
    chances = [row["chance"] for row in rows if known(row.get("chance"))]
    return {"value": value, **ends, "chance": _average(chances) if chances else None}


def over_targets(found: ByTarget) -> Row:
    """Return the mean over targets of the means over each one's rows.

    Rows of one target share its speakers: their halves of intervals are averaged, which is rather too wide.
    """
    return mean(_alike(rows) for rows in found.values() if rows)


def _alike(rows: list[Row]) -> Row:
    return {
        name: _average(row[name] for row in rows) if all(known(row.get(name)) for row in rows) else None
        for name in ("value", "low", "high", "chance")
    }


def _average(values: Iterable[float]) -> float:
    several = list(values)
    return sum(several) / len(several)


def counted_targets(bench: Bench) -> list[str]:
    """Return the targets that means are over: those of human speech, or all where there is none."""
    human = [name for name in bench.targets if not bench.synthetic(name)]
    return human or bench.targets


def is_counted(bench: Bench, source: str, target: str) -> bool:
    """Say whether a cell is in the means: no synthetic speech on either side, unless all targets are synthetic."""
    among = counted_targets(bench)
    return target in among and (bench.synthetic(target) or not bench.synthetic(source))


def own(bench: Bench, recipe: str) -> dict[str, list[Row]]:
    """Return by target the UA of what a recipe's sources chose, under the protocol that it asks for."""
    return _by_target((key[2], row) for key in _counted(bench, recipe) if (row := bench.score(key)))


def _counted(bench: Bench, recipe: str) -> list[Key]:
    """Return the cells of single sources that are in means, of joined ones where there are no others."""
    keys = [key for key in bench.transfers if key[0] == recipe and is_counted(bench, *key[1:])]
    return [key for key in keys if "+" not in key[1]] or keys


def _by_target(pairs: Iterable[tuple[str, Row]]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for target, row in pairs:
        found.setdefault(target, []).append(row)
    return found


def trusted(bench: Bench) -> str:
    """Return the recipe with the best mean UA on its sources' validation speakers, which are no target's."""

    def worth(recipe: str) -> float:
        rows = [row for source in bench.sources if (row := bench.chosen(recipe, source))]
        found = [row["validation"] for row in rows if known(row.get("validation"))]
        return sum(found) / len(found) if found else -1.0

    return max(bench.recipes, key=worth, default="")


def chosen_rows(bench: Bench, protocol: str = "") -> list[Row]:
    """Return what was chosen without labels, of all recipes where they are several, of joined sources where there are.

    Where recipes score other emotions, so that none can be chosen among them, those of the `trusted` one.
    Under a protocol, or the one that may look at the target where anything does.
    """
    rows = [row for row in shown(bench) if is_counted(bench, row["source"], row["target"])]
    for name, wanted in (
        ("line", [ALL_RECIPES, trusted(bench)]),
        ("protocol", [protocol] if protocol else [TRANSDUCTIVE, ZERO_SHOT]),
    ):
        there = {row[name] for row in rows}
        first = next((one for one in wanted if one in there), None)
        rows = [row for row in rows if first is None or row[name] == first]
    joined = [row for row in rows if "+" in row["source"]]
    return joined or rows


def validated_mean(rows: Iterable[Row], which: str = "chosen") -> Row:
    """Return the mean UA over targets of what was ``chosen``, or of the ``oracle``."""
    return over_targets(_by_target((row["target"], row[which]) for row in rows))


def plain_features(bench: Bench, recipe: str) -> dict[str, list[Row]]:
    """Return by target the UA of logistic regression on the features before any network, adapted as the recipe asks."""
    found = [(key[2], row) for key in _counted(bench, recipe) for row in bench.cells[key]["transfer"]]
    return _by_target((target, row) for target, row in found if is_plain(bench, recipe, row))


def is_plain(bench: Bench, recipe: str, row: Row) -> bool:
    """Say whether a row of a cell is logistic regression on the features before any network, read as a recipe asks."""
    same = (row["role"], row["metric"], row["method"], row["classifier"])
    return same == ("target", "UA", "features", "probe") and reading(row) == bench.protocol(recipe)
