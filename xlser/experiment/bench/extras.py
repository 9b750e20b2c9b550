"""What a cell says beside its scores: few-shot curves, trust and dimensions.

These read the model of seed 0: they ask how a model behaves, and the scores say how models differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xlser.data.together import split_units
from xlser.evaluation import metrics
from xlser.evaluation.bootstrap import SpeakerBootstrap
from xlser.evaluation.calibration import abstention, aurc, brier, by_length, ece, reliability
from xlser.evaluation.conformal import calibrate, coverage, label_sets
from xlser.evaluation.dimensions import correlation_p, partial_correlation, stability
from xlser.evaluation.fewshot import few_shot
from xlser.evaluation.readout import Part
from xlser.experiment.cases import Case
from xlser.experiment.corpora import Corpus
from xlser.experiment.judge import INTERPOLATED
from xlser.experiment.readers import Reader
from xlser.vocabulary import TARGET

Row = dict[str, object]
PROMISE = 0.9  # what conformal label sets are made to cover
LENGTHS = (1.5, 2.5, 4.0)  # seconds: bounds between short and long clips
_RESAMPLES = 500  # of speakers and draws, for the intervals of few-shot curves
_POINTS = 20  # of a curve of abstention


def few_shot_rows(
    readers: list[Reader], case: Case, classes: tuple[str, ...], ks: tuple[int, ...]
) -> tuple[list[Row], list[Row], str]:
    """Return few-shot rows and areas of every method on a target, and a note where a k was too large for it."""
    if case.role != TARGET or not ks or len(classes) < 2:
        return [], [], ""
    rows, areas, note = [], [], ""
    for reader in first_seed(readers):
        target = _part(case.corpus, reader.system.embed(case))
        options = {
            "probabilities": probabilities(reader, target.embeddings, classes),
            "chosen": _chosen(reader, classes),
        }
        # Shots and the clips that judge them share no speaker, and no recording where two people talk in one.
        options |= {"speakers": split_units(case.corpus.frame), "classes": classes, "resamples": _RESAMPLES}
        found, below, kept, why = _possible(reader.train, target, ks, options)
        about = {"method": reader.method, "corpus": case.corpus.name}
        rows += [about | row for row in found]
        areas += [about | row for row in below]
        if kept != ks:
            note = f"{case.corpus.name}: few-shot stops at k = {max(kept, default=0)}: {why}"
    return rows, areas, note


def trust_rows(readers: list[Reader], case: Case, classes: tuple[str, ...]) -> list[Row]:
    """Return calibration, conformal sets, abstention and behaviour by length of every method's probabilities.

    Thresholds of label sets come from the source's validation speakers: in the source they promise `PROMISE`, in a
    target nothing, and the coverage there says how much of the promise arrived.
    """
    rows = []
    for reader in first_seed(readers):
        corpus = case.corpus
        known = np.flatnonzero(np.isin(corpus.labels.astype(str), classes) & case.judged(reader.seed))
        if len(known) == 0:
            continue
        said = probabilities(reader, reader.system.embed(case)[known], classes)
        held = np.isin(reader.validation.labels.astype(str), classes)
        before = probabilities(reader, reader.validation.embeddings[held], classes)
        truth = metrics.encode(corpus.labels[known].astype(str), classes)
        threshold = calibrate(before, metrics.encode(reader.validation.labels[held].astype(str), classes), PROMISE)
        sets = coverage(label_sets(said, threshold), truth, corpus.frame["speaker"].to_numpy()[known])
        right = said.argmax(axis=1) == truth
        rows.append(
            {
                "method": reader.method,
                "corpus": corpus.name,
                "ece": ece(said, truth),
                "brier": brier(said, truth),
                "aurc": aurc(said, truth),
                "reliability": reliability(said, truth, bins=10),
                "promise": PROMISE,
                "sets": sets,
                "abstention": _thinned(abstention(said, truth)),
                "by_length": by_length(corpus.frame["duration"].to_numpy()[known], right, LENGTHS),
            }
        )
    return rows


def dimension_rows(readers: list[Reader], source: Case, case: Case, draws: int, level: float) -> list[Row]:
    """Return of every method's axes how they follow a rating beyond duration, sex and loudness, and as in the source.

    ``p`` is not yet corrected: how many there are, only the whole bench knows.
    """
    corpus, rows = case.corpus, []
    bootstrap = SpeakerBootstrap(corpus.frame["speaker"], draws, seed=0)
    home = SpeakerBootstrap(source.corpus.frame["speaker"], draws, seed=0)
    covariates = _covariates(corpus)
    for reader in first_seed(readers):
        there, here = reader.system.embed(case), reader.system.embed(source)
        judged, own = case.judged(reader.seed), source.judged(reader.seed)
        for dimension, axis, values, before in _axes(reader, there, here):
            truth = np.where(judged, corpus.ratings[dimension], np.nan)
            if np.isfinite(truth).sum() < 3:
                continue
            known = np.where(own, source.corpus.ratings[dimension], np.nan)
            speakers = min(home.effective(np.isfinite(known)), bootstrap.effective(np.isfinite(truth)))
            both = home.pearson(known, before), bootstrap.pearson(truth, values)
            rows.append(
                {
                    "method": reader.method,
                    "corpus": corpus.name,
                    "dimension": dimension,
                    "axis": axis,
                    "r_source": float(both[0][0]),
                    "r": float(both[1][0]),
                    "p": correlation_p(truth, values, corpus.frame["speaker"], draws=2000),
                    "partial": partial_correlation(values, truth, covariates, bootstrap, level),
                    "stability": stability(*both, level, speakers),
                }
            )
    return rows


def first_seed(readers: list[Reader]) -> list[Reader]:
    """Return the readers of the first seed."""
    return [reader for reader in readers if reader.seed.place == 0]


def _part(corpus: Corpus, embedded: np.ndarray) -> Part:
    return Part(embedded, corpus.labels, corpus.ratings)


def _possible(
    train: Part, target: Part, ks: tuple[int, ...], options: dict
) -> tuple[list[Row], list[Row], tuple[int, ...], str]:
    """Take the largest k away until the target has clips and speakers enough."""
    why = ""
    while ks:
        try:
            return *few_shot(train, target, ks=ks, **options), ks, why
        except ValueError as error:
            ks, why = ks[:-1], str(error)
    return [], [], ks, why


def probable(reader: Reader) -> str:
    """Return the name that the reader with probabilities has among a method's classifiers."""
    return INTERPOLATED if reader.judge and reader.judge.chosen else "probe"


def probabilities(reader: Reader, embedded: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """Return what the method's own classifier says; an autoencoder has none, and its linear probe stands in."""
    if reader.judge is not None:
        said = reader.judge.probabilities(embedded, classes)
        if said is not None:
            return said
    return reader.probed(embedded, classes)


def _chosen(reader: Reader, classes: tuple[str, ...]) -> dict:
    return reader.judge.chosen if reader.judge and reader.judge.chosen else reader.of_classes(classes)["knn"].chosen


def _axes(reader: Reader, there: np.ndarray, here: np.ndarray) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    for dimension, axes in reader.axes.items():
        values, before = axes.read(there), axes.read(here)
        for axis in values:
            yield dimension, axis, values[axis], before[axis]
    if reader.judge is not None:
        before = reader.judge.ratings(here)
        for dimension, values in reader.judge.ratings(there).items():
            yield dimension, "head", values, before[dimension]


def _covariates(corpus: Corpus) -> np.ndarray:
    """Return log duration, sex (0, 1, nan) and loudness, where the features hold it: (N, 2 or 3)."""
    frame = corpus.frame
    sex = frame["sex"].map({"female": 0.0, "male": 1.0}).to_numpy(float)
    columns = [np.log(frame["duration"].to_numpy(float)), sex]
    names: Sequence[str] = getattr(corpus.data, "columns", ())
    columns += [corpus.data.values[:, i] for i, name in enumerate(names) if name == "loudness_sma3_amean"]
    return np.column_stack(columns)


def _thinned(curve: dict[str, np.ndarray]) -> dict[str, list]:
    """Keep so many points of a curve as a picture shows."""
    count = len(curve["coverage"])
    kept = np.unique(np.linspace(0, count - 1, min(count, _POINTS)).round().astype(int))
    return {name: np.asarray(curve[name])[kept].tolist() for name in ("coverage", "UA", "WA")}
