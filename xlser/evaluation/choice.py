"""What a run or a bench is read by, chosen in one place and without a target's labels.

Method and readout are chosen on the source's validation speakers (`choose`). Nothing shifts there, so that how to adapt
is chosen on pretended targets: other corpora whose labels are known (`choose_reading`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from xlser.vocabulary import FEATURES, READOUTS, SHORTCUTS, TARGET, TRANSDUCTIVE, VALIDATION, ZERO_SHOT

Name = TypeVar("Name")
_BLIND = (ZERO_SHOT, TRANSDUCTIVE)
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


@dataclass(frozen=True, order=True)
class Reading:
    """How a target can be read: by which ``recipe``, ``method`` and ``classifier``, and adapted how.

    ``normalise`` is whose statistics z-score it, or the adaptation, as rows of ``transfer`` call it; ``protocol`` what
    that looks at.
    """

    recipe: str
    method: str
    classifier: str
    normalise: str
    protocol: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Reading:
        """Return the reading that a row of ``transfer`` is of; a recipe that it does not name is empty."""
        names = ("method", "classifier", "normalise", "protocol")
        return cls(row.get("recipe", ""), *(row[name] for name in names))


@dataclass(frozen=True)
class ReadingChoice:
    """A reading, and its mean UA over the pretended targets ``places`` that it was chosen on.

    ``validation`` lies in [0, 1]; it is nan where it could be scored on none.
    """

    reading: Reading
    validation: float
    places: tuple[str, ...]


@dataclass(frozen=True)
class Looked:
    """How much answers tell of recordings without labels (see `answer_information`), of each reading that has any.

    ``here`` of the real target, ``there`` of the pretended targets, by their names.
    """

    here: Mapping[Reading, float]
    there: Mapping[str, Mapping[Reading, float]]

    def gains(self, scores: Mapping[Reading, Mapping[str, float]]) -> dict[Reading, float]:
        """Return by how much UA each reading may be better on the real target than on the pretended ones.

        That is a slope times how much more than there its answers tell here, beside the other readings of its recipe,
        whose probabilities are alike sure. The slope, at least 0, is that of UA on what answers tell, among the
        readings of a recipe in each pretended target, whose labels are known. Of eight readings of EmoDB, URDU, RAVDESS
        and EMOVO the regret fell by this from 7.1 and 8.8 points (eGeMAPS, a state of Whisper's) to 2.0 and 2.8 in
        pairs, and from 12.1 and 8.7 to 4.1 and 1.6 where one corpus was left out.

        Args:
            scores: UA by the name of the pretended target.
        """
        known = [one for one in scores if one in self.here and all(one in self.there.get(at, ()) for at in scores[one])]
        away = {one: _mean({at: self.there[at][one] for at in scores[one]}) for one in known}
        products = squares = 0.0
        found: dict[Reading, float] = {}
        for recipe in dict.fromkeys(one.recipe for one in known):
            mine = [one for one in known if one.recipe == recipe]
            for at in dict.fromkeys(at for one in mine for at in scores[one]):
                told = _about_mean([self.there[at][one] for one in mine if at in scores[one]])
                right = _about_mean([scores[one][at] for one in mine if at in scores[one]])
                products += math.fsum(a * b for a, b in zip(told, right, strict=True))
                squares += math.fsum(a * a for a in told)
            found |= dict(zip(mine, _about_mean([self.here[one] - away[one] for one in mine]), strict=True))
        slope = max(0.0, products / squares) if squares > 0 and math.isfinite(products) else 0.0
        return {one: slope * more for one, more in found.items() if math.isfinite(more)}


def told_by(rows: Iterable[Mapping[str, Any]]) -> dict[Reading, float]:
    """Return how much answers tell, the mean over seeds, of rows of ``information`` by reading and ``seed``."""
    seen: dict[Reading, dict[str, float]] = {}
    for row in rows:
        if row["information"] is not None:
            seen.setdefault(Reading.of(row), {})[str(row.get("seed", 0))] = float(row["information"])
    return {reading: _mean(values) for reading, values in seen.items()}


def _about_mean(values: Sequence[float]) -> list[float]:
    mean = math.fsum(values) / len(values) if values else 0.0
    return [value - mean for value in values]


def readings_of(rows: Iterable[Mapping[str, Any]], protocols: Collection[str] | None = None) -> dict[Reading, float]:
    """Return the UA of every reading of a target that can predict, in the order of the rows.

    Args:
        rows: of ``transfer``; those of the source's own speakers, of other metrics and of shortcuts are passed over.
        protocols: those that count; None for all that look at no label of the target.
    """
    return {
        Reading.of(row): _worth(row["value"])
        for row in rows
        if (row["role"], row["metric"]) == (TARGET, "UA")
        and row["classifier"] in READOUTS
        and row["method"] not in SHORTCUTS
        and row["protocol"] in (_BLIND if protocols is None else protocols)
    }


def choose_reading(
    pretended: Mapping[str, Iterable[Mapping[str, Any]]],
    among: Collection[Reading] | None = None,
    protocols: Collection[str] | None = None,
    looked: Looked | None = None,
) -> ReadingChoice | None:
    """Return the reading that did best on pretended targets: adapted to without their labels, then scored by these.

    The mean of UA over all of them counts, so that readings are compared on the same clips: one that is missing in a
    place in which others are (an adaptation that needs more clips) is not taken, unless all are missing somewhere. Of
    equals the simplest is taken: zero-shot, then the features before any network, then the order of the rows. The real
    target's labels must be in none of the tables; whoever calls this sees to it. Bench, report and prediction ask it.

    Args:
        pretended: rows of ``transfer`` by what they are of, such as ``emodb+urdu to emovo``; each may name a recipe.
        among: readings that may be chosen, such as those that the real target was read by; None for all.
        protocols: see `readings_of`.
        looked: what answers tell of the real target and of the pretended ones, which corrects the means; None where
            nothing of the target may be looked at.

    Returns:
        None where nothing is left to choose from.

    >>> row = {"role": TARGET, "metric": "UA", "method": "plain", "classifier": "knn", "protocol": "transductive"}
    >>> tables = {"a to b": [row | {"normalise": "coral", "value": 0.5}, row | {"normalise": "prior", "value": 0.25}]}
    >>> choice = choose_reading(tables)
    >>> choice.reading.normalise, choice.validation, choice.places
    ('coral', 0.5, ('a to b',))
    """
    tables = {name: readings_of(rows, protocols) for name, rows in pretended.items()}
    seen: dict[Reading, dict[str, float]] = {}
    for name, table in tables.items():
        for reading, value in table.items():
            if among is None or reading in among:
                seen.setdefault(reading, {})[name] = value
    most = max(map(len, seen.values()), default=0)
    usual = [reading for reading, values in seen.items() if len(values) == most]
    more = looked.gains({reading: seen[reading] for reading in usual}) if looked else {}
    worth = {reading: _mean(seen[reading]) + more.get(reading, 0.0) for reading in usual}
    best = min(usual, key=lambda reading: (-worth[reading], *_simplicity(reading)), default=None)
    if best is None:
        return None
    mean = _mean(seen[best])
    return ReadingChoice(best, mean if math.isfinite(mean) else math.nan, tuple(seen[best]))


def choose_unlabelled(
    rows: Iterable[Mapping[str, Any]], among: Collection[Reading], protocols: Collection[str] | None = None
) -> ReadingChoice | None:
    """Return the reading whose answers tell most of a target's recordings (see `answer_information`), without labels.

    For a source and a target beside which there is no other corpus. Readings without probabilities cannot be chosen.

    Args:
        rows: ``information`` by ``recipe, method, classifier, normalise, protocol`` and seed, of which the mean counts.
        among: readings that may be chosen.
        protocols: see `readings_of`.

    Returns:
        Its ``validation`` is that mean, in nats; None where nothing is left to choose from.
    """
    blind = _BLIND if protocols is None else protocols
    told = {one: value for one, value in told_by(rows).items() if one in among and one.protocol in blind}
    best = min(told, key=lambda reading: (-told[reading], *_simplicity(reading)), default=None)
    return None if best is None else ReadingChoice(best, told[best], ())


def best_in_hindsight(readings: Mapping[Reading, float]) -> Reading | None:
    """Return the reading with the largest UA on the target itself, which only its labels can tell: the oracle.

    >>> best_in_hindsight({}) is None
    True
    """
    return min(readings, key=lambda reading: (-readings[reading], *_simplicity(reading)), default=None)


def _simplicity(reading: Reading) -> tuple[bool, bool, int]:
    return reading.protocol != ZERO_SHOT, reading.method != FEATURES, READOUTS.index(reading.classifier)


def _mean(values: Mapping[str, float]) -> float:
    return math.fsum(values.values()) / len(values)


def _worth(value: float | None) -> float:
    return -math.inf if value is None or math.isnan(value) else value
