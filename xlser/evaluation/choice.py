"""Which method and readout a run or a bench is read by: chosen on the source's validation speakers, in one place."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from xlser.vocabulary import FEATURES, READOUTS, SHORTCUTS, VALIDATION

Name = TypeVar("Name")
# The axis of a rated dimension that a trained head gives.
HEAD_AXIS = "head"


@dataclass(frozen=True)
class Choice:
    """A ``method``, the ``classifier`` that reads it, and their UA on the source's ``validation`` speakers.

    ``validation`` lies in [0, 1]; it is nan where nothing could be scored there.
    """

    method: str
    classifier: str
    validation: float


def choose(
    rows: Iterable[Mapping[str, Any]], methods: Collection[str] | None = None, readouts: Collection[str] = READOUTS
) -> Choice | None:
    """Return the method and readout with the best UA on the source's validation speakers.

    Of equals the simplest is taken: the features before any network, then methods in the order of the rows, which is
    the recipe's, then readouts in the order of `READOUTS`. A score that is not known is below any other. Prediction,
    bench and comparison all ask this function, so that they mean the same model.

    Args:
        rows: scores as a run or a cell holds them, with ``role``, ``metric``, ``method``, ``classifier``, ``value``.
            Rows of another role or metric, or of other readouts, are passed over.
        methods: those that may be chosen; None for all that can predict, which a shortcut such as the duration cannot.
        readouts: those that may be chosen.

    Returns:
        None where no row is left.

    >>> row = {"role": VALIDATION, "metric": "UA", "method": "ce", "classifier": "probe", "value": 0.5}
    >>> choose([row, row | {"classifier": "knn"}, row | {"method": "supcon", "classifier": "knn"}])
    Choice(method='ce', classifier='knn', validation=0.5)
    >>> choose([row | {"role": "target"}]) is None
    True
    """
    mine = [row for row in rows if (row["role"], row["metric"]) == (VALIDATION, "UA")]
    mine = [row for row in mine if row["classifier"] in readouts and row["classifier"] in READOUTS]
    mine = [row for row in mine if (row["method"] not in SHORTCUTS if methods is None else row["method"] in methods)]
    order = list(dict.fromkeys([FEATURES, *(row["method"] for row in mine)]))
    best = min(
        mine,
        key=lambda row: (-_worth(row["value"]), order.index(row["method"]), READOUTS.index(row["classifier"])),
        default=None,
    )
    if best is None:
        return None
    return Choice(best["method"], best["classifier"], math.nan if best["value"] is None else float(best["value"]))


def choose_among(
    tables: Mapping[Name, Iterable[Mapping[str, Any]]], methods: Collection[str] | None = None
) -> tuple[Name, Choice] | None:
    """Return the best of what `choose` takes of several systems, each on its own source's validation speakers.

    Of equals it is the one without a network, then the first: a bench lists its recipes and sources in the order in
    which they were asked for.

    Args:
        tables: scores as `choose` takes them, by the name of the recipe and source that they are of.
        methods: see `choose`.

    Returns:
        The name and its choice; None where no row is left.

    >>> row = {"role": VALIDATION, "metric": "UA", "classifier": "knn", "value": 0.5}
    >>> choose_among({"a": [row | {"method": "ce"}], "b": [row | {"method": FEATURES}]})
    ('b', Choice(method='features', classifier='knn', validation=0.5))
    """
    choices = [(name, choice) for name, rows in tables.items() if (choice := choose(rows, methods))]
    return min(choices, key=lambda pair: (-_worth(pair[1].validation), pair[1].method != FEATURES), default=None)


def choose_rating(
    rows: Iterable[Mapping[str, Any]], methods: Collection[str] | None = None
) -> tuple[str, float] | None:
    """Return the method whose ratings agree best with those of the source's validation speakers, and its mean CCC.

    For models that learnt no emotions. Of each dimension a trained head counts where there is one, else the direction;
    of equal methods the first is taken, the features before any network.

    Args:
        rows: correlations as a run or a cell holds them, with ``role``, ``statistic``, ``method``, ``axis``,
            ``dimension`` and ``value``.
        methods: those that may be chosen; None for all.

    >>> row = {"role": VALIDATION, "statistic": "CCC", "axis": "direction", "dimension": "valence", "value": 0.5}
    >>> choose_rating([row | {"method": "plain"}, row | {"method": FEATURES}])
    ('features', 0.5)
    """
    found: dict[str, dict[str, float]] = {FEATURES: {}}
    for row in rows:
        mine = (row["role"], row["statistic"]) == (VALIDATION, "CCC") and (methods is None or row["method"] in methods)
        if mine and row["axis"] in ("direction", HEAD_AXIS):
            values = found.setdefault(row["method"], {})
            if row["axis"] == HEAD_AXIS or row["dimension"] not in values:
                values[row["dimension"]] = _worth(row["value"])
    means = {name: sum(values.values()) / len(values) for name, values in found.items() if values}
    best = max(means, key=lambda name: means[name], default=None)
    return None if best is None else (best, means[best] if math.isfinite(means[best]) else math.nan)


def _worth(value: float | None) -> float:
    return -math.inf if value is None or math.isnan(value) else value
