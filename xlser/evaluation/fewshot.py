"""How much a few labelled clips of the target bring: scores over clips a class, with intervals, and the area below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from xlser.evaluation import metrics
from xlser.evaluation.bootstrap import SpeakerBootstrap, interval
from xlser.evaluation.corrected import CHOSEN, ORACLE, Corrected, counted, in_hindsight
from xlser.evaluation.corrections import ZERO_SHOT
from xlser.evaluation.knn import checked_probabilities
from xlser.evaluation.readout import Part
from xlser.evaluation.shots import Ways, draw_shots
from xlser.evaluation.transfer import CLASS_METRICS

Row = dict[str, object]
# Of one way and one metric, by clips a class: (draws, resamples + 1), the first column being the sample itself.
Curve = dict[int, np.ndarray]


def few_shot(
    source: Part,
    target: Part,
    speakers: ArrayLike,
    classes: Sequence[str],
    ks: Sequence[int] = (1, 2, 5, 10, 20),
    *,
    draws: int = 20,
    seed: int = 0,
    probabilities: ArrayLike | None = None,
    chosen: Mapping[str, Any] | None = None,
    level: float = 0.95,
    resamples: int = 1000,
) -> tuple[list[Row], list[Row]]:
    """Score the ways of `Ways` with k labelled clips a class of the target, and without any.

    With ``probabilities`` the ways to correct them follow (see `xlser.evaluation.corrections`), beginning with
    ``zero-shot``, which stays as it is; ``chosen``, in each draw and for each k the way that its shots chose by leaving
    some of them out (validated); and ``oracle``, for each k that which has the best mean in hindsight, which flatters.

    Each draw takes the shots of the largest k (`draw_shots`); those of a smaller k are among them, and the queries, all
    clips of the other speakers, are the same for every k. So one draw's curve differs between two k by its shots alone,
    and a gain is the score less that of the same way without shots on the same queries. Who is judged hangs on the
    largest k: compare curves of the same ks. Nothing is chosen on the target: what `chosen` does not hold is fixed.

    ``low`` and ``high`` are the percentile interval of resamples of the mean over draws. Each resamples two
    things, both with replacement: the speakers of the target, the same sample for all draws, ways and k; and the
    draws, likewise. It tells how far the mean could be off for other speakers and other draws; how much one lucky or
    unlucky set of shots matters is ``sd_draws``. Draws of which less than two speakers are left to be judged take no
    part in it. With one draw only the speakers are resampled.

    Args:
        source: the source's training rows; those of other classes are left out.
        target: N rows by the same encoder; those of other classes are left out.
        speakers: (N,) the target's.
        classes: C classes, at least two, all in the source; the columns of ``probabilities``.
        ks: clips a class, distinct.
        draws: see `draw_shots`.
        seed: of draws and resamples.
        probabilities: (N, C) a classifier's, rows summing to 1, of the target as it was adapted to; without it nothing
            is ``interpolated`` or corrected.
        chosen: what source validation chose, the ``chosen`` of an `Interpolation` or of a `KnnClassifier`.
        level: of the intervals.
        resamples: at least 1.

    Returns:
        Rows of ``k, way, metric, value, low, high, sd_draws, without, gain, gain_low, gain_high, shots, queries``:
        ``value`` and ``without``, the same without shots, are means over draws, ``queries`` the mean number of clips.
        In the rows of k = 0 ``value`` is ``without`` and the gain nan. Rows of ``chosen`` and ``oracle`` have ``ways``,
        which: "averaged 14, means 6". Then the areas under these curves (see `area`),
        as rows of ``way, metric, value, low, high, sd_draws, without, gain, gain_low, gain_high``. Without shots is
        zero-shot only where the embeddings are: where unlabelled target data normalised them, it is transductive.

    Raises:
        ValueError: a draw that is not possible (see `draw_shots`), a class that the source lacks, fewer than two
            classes, ks that are not distinct, numbers that are not finite, or shapes that do not fit.

    >>> rng = np.random.default_rng(0)
    >>> labels = np.tile(["joy", "fear"], 20)
    >>> rows = (labels == "joy")[:, None] * 4.0 + rng.normal(size=(40, 2))
    >>> speakers = np.repeat(["anna", "ben", "cem", "dua"], 10)
    >>> table, areas = few_shot(Part(rows, labels, {}), Part(rows + 4, labels, {}), speakers, ["fear", "joy"], [1, 4])
    >>> [(row["k"], round(row["value"], 2)) for row in table if row["way"] == "swapped" and row["metric"] == "UA"]
    [(0, 0.5), (1, 0.98), (4, 0.99)]
    """
    ks, speakers = _checked_ks(ks), np.asarray(speakers).astype(str)
    _check(source, target, speakers, classes)
    # From here on a row of another class does not exist: its speaker is not resampled either.
    scored = np.isin(target.labels.astype(str), classes)
    labels, speakers = target.labels[scored].astype(str), speakers[scored]
    model = None if probabilities is None else checked_probabilities(probabilities, (len(scored), len(classes)))[scored]
    shots = draw_shots(labels, speakers, classes, ks[-1], draws=draws, seed=seed)
    rows, codes = _of_classes(source, classes)
    ways = Ways.of(rows, codes, target.embeddings[scored], len(classes), probabilities=model, chosen=chosen)
    queries = [~np.isin(speakers, speakers[draw]) for draw in shots]
    without = ways.without_shots()
    read = [{0: without} | ways.with_shots(draw, ks) for draw in shots]
    picked: dict[str, dict[int, str]] = {}
    if model is not None:
        corrected = Corrected.of(ways.scaled_source, codes, ways.scaled, model)
        without = without | corrected.without_shots()
        picked[CHOSEN] = _correct(corrected, read, shots, ks)
    judge = _Judge(labels, np.asarray(classes), queries, SpeakerBootstrap(speakers, resamples, seed))
    over_draws = _draw_weights(draws, resamples, seed)
    scores = {way: {k: judge.scores([draw[k][way] for draw in read]) for k in (0, *ks)} for way in without}
    table, areas = [], []
    for way in (*without, *[ORACLE] * (model is not None)):
        for metric in CLASS_METRICS:
            if way == ORACLE:
                best = in_hindsight({own: {k: of[k][metric] for k in of} for own, of in scores.items()}, (0, *ks))
                picked[way], curve = best, {k: scores[best[k]][k][metric] for k in (0, *ks)}
            else:
                curve = {k: values[metric] for k, values in scores[way].items()}
            key = {"way": way, "metric": metric}
            for k, row in _curve_rows(curve, over_draws, level, len(classes), queries):
                table.append({"k": k} | key | row | ({"ways": picked[way][k]} if way in picked else {}))
            areas.append(key | _summary(area(list(curve), list(curve.values())), curve[0], over_draws, level))
    return table, areas


def _correct(
    corrected: Corrected, read: list[dict[int, dict[str, np.ndarray]]], shots: list[np.ndarray], ks: Sequence[int]
) -> dict[int, str]:
    """Add the predictions of the ways that correct to those of each draw; return which ways were chosen, by k."""
    chosen: dict[int, list[str]] = {k: [] for k in ks}
    for draw, positions in zip(read, shots, strict=True):
        draw[0] = draw[0] | corrected.without_shots()
        for k in ks:
            more, way = corrected.with_shots(positions, k)
            draw[k] = draw[k] | more
            chosen[k].append(way)
    return {0: ZERO_SHOT} | {k: counted(ways) for k, ways in chosen.items()}


def area(ks: Sequence[int], values: ArrayLike) -> np.ndarray:
    """Return the mean height of the curve of ``values`` over log2(k + 1), by trapezoids: (K, ...) gives (...).

    The axis is 0 at k = 0 and grows by one where k + 1 doubles, so that the second clip counts for more than the
    twentieth. The area is divided by the axis' length, which leaves it in the unit of the values: a flat curve has the
    area of its height. A nan makes the area nan.

    Args:
        ks: K clips a class in ascending order, at least 0 each and at least two of them.
        values: one a k in the first dimension.

    Raises:
        ValueError: fewer than two ks, not in ascending order, or not one a value.

    >>> float(area([0, 1, 3], [0.0, 1.0, 1.0]))
    0.75
    """
    axis, values = np.log2(np.asarray(ks, dtype=float) + 1), np.asarray(values, dtype=float)
    if len(axis) < 2 or not (np.diff(axis) > 0).all() or len(values) != len(axis):
        raise ValueError(
            f"`ks` must be two or more in ascending order, one a value ({len(values)}), but are {list(ks)}."
        )
    heights = (values[1:] + values[:-1]) / 2
    return np.tensordot(np.diff(axis) / (axis[-1] - axis[0]), heights, axes=1)


@dataclass(frozen=True)
class _Judge:
    """Scores of predictions on each draw's queries, for the sample and for every resample of its speakers."""

    truth: np.ndarray
    classes: np.ndarray
    queries: list[np.ndarray]
    bootstrap: SpeakerBootstrap

    def scores(self, predictions: list[np.ndarray]) -> dict[str, np.ndarray]:
        """Return (draws, resamples + 1) a metric, from codes (N,) a draw."""
        pairs = zip(predictions, self.queries, strict=True)
        matrices = [
            self.bootstrap.confusions(self.truth, self.classes[codes], self.classes, rows) for codes, rows in pairs
        ]
        return {name: score(np.stack(matrices)) for name, score in CLASS_METRICS.items()}


def _curve_rows(
    curve: Curve, over_draws: np.ndarray, level: float, size: int, queries: list[np.ndarray]
) -> list[tuple[int, Row]]:
    asked = round(float(np.mean([rows.sum() for rows in queries])))
    unknown = dict.fromkeys(("gain", "gain_low", "gain_high"), float("nan"))
    rows = []
    for k, scores in curve.items():
        summary = _summary(scores, curve[0], over_draws, level) | (unknown if k == 0 else {})
        rows.append((k, summary | {"shots": k * size, "queries": asked}))
    return rows


def _summary(scores: np.ndarray, without: np.ndarray, over_draws: np.ndarray, level: float) -> Row:
    """Summarise scores (draws, resamples + 1) and their difference from those without shots."""
    sample, base, gain = (_mean_of_draws(values, over_draws) for values in (scores, without, scores - without))
    low, high = interval(sample, level)
    gain_low, gain_high = interval(gain, level)
    spread = float(np.std(scores[:, 0], ddof=1)) if len(scores) > 1 else float("nan")
    return {
        "value": float(sample[0]),
        "low": low,
        "high": high,
        "sd_draws": spread,
        "without": float(base[0]),
        "gain": float(gain[0]),
        "gain_low": gain_low,
        "gain_high": gain_high,
    }


def _mean_of_draws(scores: np.ndarray, over_draws: np.ndarray) -> np.ndarray:
    """Return (resamples + 1,): the mean over draws, as often as each is held there, of those that are defined."""
    defined = np.isfinite(scores)
    total = np.einsum("db,bd->b", np.where(defined, scores, 0.0), over_draws)
    held = np.einsum("db,bd->b", defined.astype(float), over_draws)
    return np.divide(total, held, out=np.full(len(total), np.nan), where=held > 0)


def _draw_weights(draws: int, resamples: int, seed: int) -> np.ndarray:
    """Return (resamples + 1, draws), how often each resample holds each draw; the first row is the draws themselves."""
    rng = np.random.default_rng([seed, draws])
    return np.vstack([np.ones(draws), rng.multinomial(draws, np.full(draws, 1 / draws), size=resamples)])


def _of_classes(source: Part, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    known = source.labels.astype(str)
    rows = np.isin(known, classes)
    return source.embeddings[rows], metrics.encode(known[rows], classes)


def _check(source: Part, target: Part, speakers: np.ndarray, classes: Sequence[str]) -> None:
    if len(classes) < 2:
        raise ValueError(f"`classes` must be at least two, but are {list(map(str, classes))} instead.")
    if missing := [name for name in classes if name not in source.labels]:
        raise ValueError(f"`classes` must all be in the source, but it has no {str(missing[0])!r}.")
    rows = len(target.embeddings)
    for name, given in (("target.labels", target.labels), ("speakers", speakers)):
        if given.shape != (rows,):
            raise ValueError(f"`{name}` must be one an embedding, of shape ({rows},), but are of {given.shape}.")


def _checked_ks(ks: Sequence[int]) -> list[int]:
    if not len(ks) or len(set(ks)) < len(ks) or min(ks) < 1:
        raise ValueError(f"`ks` must be distinct and at least 1, and at least one of them, but are {list(ks)}.")
    return sorted(int(k) for k in ks)
