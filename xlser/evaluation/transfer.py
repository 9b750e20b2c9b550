"""How much arrived: scores of one corpus over all seeds, with intervals from its speakers, beside chance and plain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from xlser.evaluation import metrics
from xlser.evaluation.bootstrap import SpeakerBootstrap, interval

CLASS_METRICS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "UA": metrics.unweighted_accuracy,
    "WA": metrics.weighted_accuracy,
    "macro-F1": metrics.macro_f1,
}
CHANCE = {"UA": "uniform_ua", "WA": "majority_wa", "macro-F1": "majority_f1"}
STATISTICS = ("Pearson", "Spearman", "CCC")
_UNKNOWN = dict.fromkeys(("recall", "low", "high"), float("nan"))


@dataclass(frozen=True)
class Baseline:
    """What gains are taken over: the same reader of ``method``, or the one that ``readers`` names for it."""

    method: str = "plain"
    readers: Mapping[str, str] = field(default_factory=dict)

    def of(self, key: tuple[str, ...]) -> tuple[str, ...]:
        """Return the key of the row that the one under ``key`` (method, reader, and more) is compared with."""
        return (self.method, self.readers.get(key[1], key[1]), *key[2:])


@dataclass
class View:
    """One corpus as one seed's model sees it.

    ``rows`` (N,) bool: rows that this model may be judged on. ``labels`` maps a classifier to predictions (N,).
    ``axes`` maps dimension and axis to values (N,).
    """

    rows: np.ndarray
    labels: dict[str, np.ndarray] = field(default_factory=dict)
    axes: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)


Views = dict[str, list[View]]
Row = dict[str, object]


def class_rows(
    views: Views,
    truth: np.ndarray,
    classes: tuple[str, ...],
    draws: SpeakerBootstrap,
    level: float,
    *,
    baseline: Baseline = Baseline(),
) -> tuple[list[Row], list[Row]]:
    """Score predicted classes against ``truth`` (N,), None where the emotion is not scored.

    Returns:
        Rows of ``method, classifier, metric, value, low, high, seed_sd, chance, gain, gain_low, gain_high,
        utterances``, where gain is over the baseline on the same draws; and the confusion matrices as rows of
        ``method, classifier, truth, prediction, count``, counts being means over seeds; on the diagonal ``recall, low,
        high`` too, nan elsewhere and for a class that nobody said.
    """
    scored = np.isin(truth.astype(str), classes)
    filled = np.where(scored, truth.astype(str), classes[0])
    table, confusions = [], []
    samples: dict[tuple[str, str, str], np.ndarray] = {}
    for method, classifier, seeds in _by_reader(views, lambda view: view.labels):
        matrices = [draws.confusions(filled, values, classes, rows & scored) for rows, values in seeds]
        pooled = _pooled(seeds)
        whole = matrices
        if pooled is not seeds:
            whole = [draws.confusions(filled, values, classes, rows & scored) for rows, values in pooled]
        speakers = draws.effective(np.logical_or.reduce([rows for rows, _ in pooled]) & scored)
        average = np.mean([m[0] for m in matrices], axis=0) if len(pooled) > 1 else whole[0][0].astype(float)
        chance = metrics.chance(average.sum(axis=1)[average.sum(axis=1) > 0])
        recalled = _recalls(whole, draws, _rows_of(pooled, truth, classes), level)
        confusions += [
            {"method": method, "classifier": classifier, "truth": t, "prediction": p, "count": float(average[i, j])}
            | (recalled[i] if i == j else _UNKNOWN)
            for i, t in enumerate(classes)
            for j, p in enumerate(classes)
        ]
        for name, score in CLASS_METRICS.items():
            sample = _mean([score(m) for m in whole])
            samples[method, classifier, name] = sample
            table.append(
                {
                    "method": method,
                    "classifier": classifier,
                    "metric": name,
                    **_summary(sample, [score(m[0]) for m in matrices], level, speakers),
                    "chance": chance[CHANCE[name]],
                    "utterances": round(float(average.sum())),
                }
            )
    _add_gains(table, samples, ("method", "classifier", "metric"), level, baseline)
    return table, confusions


def _rows_of(seeds: list[tuple[np.ndarray, np.ndarray]], truth: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """Return which rows of each class any seed judges, (C, N)."""
    judged = np.logical_or.reduce([rows for rows, _ in seeds])
    return judged & (truth.astype(str) == np.array(classes)[:, None])


def _recalls(matrices: list[np.ndarray], draws: SpeakerBootstrap, rows: np.ndarray, level: float) -> list[Row]:
    """Return the recall of each class with its interval, over the speakers who have that class."""
    sample = _mean([metrics.recalls(matrix) for matrix in matrices])
    found = []
    for column, own in zip(sample.T, rows, strict=True):
        low, high = interval(column, level, draws.effective(own)) if own.any() else (float("nan"), float("nan"))
        found.append({"recall": float(column[0]), "low": low, "high": high})
    return found


def correlation_rows(
    views: Views,
    ratings: dict[str, np.ndarray],
    draws: SpeakerBootstrap,
    level: float,
    *,
    baseline: Baseline = Baseline(),
) -> list[Row]:
    """Correlate every axis with every rated dimension.

    Returns:
        Rows of ``method, axis, axis_of, dimension, statistic, value, low, high, seed_sd, gain, gain_low, gain_high,
        utterances``. ``axis_of`` is the dimension that the axis was fitted to (or oriented by).
    """
    table = []
    samples: dict[tuple[str, ...], np.ndarray] = {}
    for method, (axis_of, axis), seeds in _by_reader(views, lambda view: view.axes):
        dimension, truth = axis_of, ratings[axis_of]
        rated = np.isfinite(truth)
        if not any((rows & rated).any() for rows, _ in seeds):
            continue
        # Latents of different models have different units; predictions on the ratings' scale may be pooled.
        whole = _pooled(seeds) if axis in {"direction", "head"} else seeds
        speakers = draws.effective(np.logical_or.reduce([rows for rows, _ in seeds]) & rated)
        for statistic in STATISTICS:
            score = {"Pearson": draws.pearson, "Spearman": draws.spearman, "CCC": draws.ccc}[statistic]
            sample = _mean([score(truth, values, rows) for rows, values in whole])
            singles = [float(_single(statistic)(truth[rows & rated], values[rows & rated])) for rows, values in seeds]
            samples[method, axis, dimension, statistic] = sample
            table.append(
                {
                    "method": method,
                    "axis": axis,
                    "dimension": dimension,
                    "statistic": statistic,
                    **_summary(sample, singles, level, speakers),
                    "chance": 0.0,
                    "utterances": int(np.logical_or.reduce([rows & rated for rows, _ in seeds]).sum()),
                }
            )
    _add_gains(table, samples, ("method", "axis", "dimension", "statistic"), level, baseline)
    return table


def ua_samples(
    seeds: Sequence[tuple[np.ndarray, np.ndarray]],
    truth: np.ndarray,
    classes: tuple[str, ...],
    draws: SpeakerBootstrap,
) -> np.ndarray:
    """Return the UA of one reader in the sample and in each draw, (draws + 1,): the numbers that `class_rows` sums up.

    Args:
        seeds: for each seed the rows (N,) bool that it is judged on, and its predictions (N,).
        truth: (N,) emotions, None where not scored.
        classes: that are scored.
        draws: of the N rows' speakers.
    """
    scored = np.isin(truth.astype(str), classes)
    filled = np.where(scored, truth.astype(str), classes[0])
    matrices = [draws.confusions(filled, said, classes, rows & scored) for rows, said in _pooled([*seeds])]
    return _mean([metrics.unweighted_accuracy(matrix) for matrix in matrices])


def pearson_samples(
    seeds: Sequence[tuple[np.ndarray, np.ndarray]], ratings: np.ndarray, draws: SpeakerBootstrap
) -> np.ndarray:
    """Return Pearson's r of predicted ratings with ``ratings`` (N,), nan where not rated; otherwise as `ua_samples`."""
    return _mean([draws.pearson(ratings, said, rows) for rows, said in _pooled([*seeds])])


def _by_reader(views: Views, readers: Callable[[View], dict]) -> Iterable[tuple]:
    """Yield method, reader and the seeds' (rows, values) for every reader that every seed has."""
    for method, seeds in views.items():
        for reader in readers(seeds[0]) if seeds else ():
            yield method, reader, [(view.rows, readers(view)[reader]) for view in seeds if reader in readers(view)]


def _pooled(seeds: list[tuple[np.ndarray, np.ndarray]]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Merge seeds that judge disjoint rows (folds) into one set of out-of-fold values; leave others as they are."""
    times = np.sum([rows for rows, _ in seeds], axis=0)
    if len(seeds) < 2 or times.max() > 1:
        return seeds
    merged = seeds[0][1].copy().astype(np.result_type(*(values for _, values in seeds)))
    for rows, values in seeds:
        merged[rows] = values[rows]
    return [(times > 0, merged)]


def _single(statistic: str) -> Callable[[np.ndarray, np.ndarray], float]:
    return {"Pearson": metrics.pearson, "Spearman": metrics.spearman, "CCC": metrics.ccc}[statistic]


def _mean(samples: list[np.ndarray]) -> np.ndarray:
    """Mean over seeds, draw by draw, of the seeds that are defined there; nan where none is."""
    stacked = np.stack(samples)
    defined = np.isfinite(stacked)
    total = np.where(defined, stacked, 0.0).sum(axis=0)
    return np.divide(total, defined.sum(axis=0), out=np.full(total.shape, np.nan), where=defined.any(axis=0))


def _summary(sample: np.ndarray, seeds: list[float], level: float, speakers: float) -> Row:
    low, high = interval(sample, level, speakers)
    finite = [float(value) for value in seeds if np.isfinite(value)]
    return {
        "value": float(sample[0]),
        "low": low,
        "high": high,
        "seed_sd": float(np.std(finite, ddof=1)) if len(finite) > 1 else float("nan"),
        "effective": speakers,
    }


def _add_gains(
    table: list[Row], samples: dict[tuple, np.ndarray], keys: tuple[str, ...], level: float, baseline: Baseline
) -> None:
    """Add the difference to the baseline, on the same draws of speakers."""
    for row in table:
        key = tuple(row[name] for name in keys)
        base = samples.get(baseline.of(key))
        if base is None or key == baseline.of(key):
            row |= {"gain": float("nan"), "gain_low": float("nan"), "gain_high": float("nan")}
            continue
        difference = samples[key] - base
        low, high = interval(difference, level, row["effective"])
        row |= {"gain": float(difference[0]), "gain_low": low, "gain_high": high}
