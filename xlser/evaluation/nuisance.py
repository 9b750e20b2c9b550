"""What else an embedding tells: who speaks, which language, which corpus, how long, read by a linear probe."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from xlser.evaluation.bootstrap import SpeakerBootstrap, interval
from xlser.evaluation.metrics import unweighted_accuracy

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

FOLDS, DRAWS = 5, 500
Row = dict[str, object]


def nuisance_rows(
    embeddings: ArrayLike, nuisances: Mapping[str, ArrayLike], speakers: ArrayLike, *, seed: int = 0
) -> list[Row]:
    """Return a row for ``speaker`` and one for each of ``nuisances``: how well a linear probe reads it, beside chance.

    Numbers are probed by `probe_number`, everything else by `probe`; the speaker by `probe` with folds of clips.

    Args:
        embeddings: (N, D) finite numbers.
        nuisances: name to (N,) labels (None or nan where unknown) or numbers, such as sex, language, log duration.
        speakers: (N,) the speaker of each row.
        seed: of the folds.

    Returns:
        Rows of ``nuisance``, ``metric`` (``UA`` or ``R2``), ``value``, ``low``, ``high``, ``chance``, ``classes``,
        ``speakers``, ``rows``, and ``why``: the reason where value is nan.

    Raises:
        ValueError: shapes that do not fit.

    >>> rows = nuisance_rows(np.eye(4)[[0, 1, 0, 1]], {"language": ["de"] * 4}, [*"abab"])
    >>> [(row["nuisance"], row["value"], row["chance"]) for row in rows][0], rows[1]["why"]
    (('speaker', 1.0, 0.5), 'fewer than two classes that two speakers have')
    """
    rows = [{"nuisance": "speaker", **probe(embeddings, speakers, speakers, disjoint=False, seed=seed)}]
    for name, values in nuisances.items():
        number = np.asarray(values).dtype.kind in "iuf"
        read = probe_number if number else probe
        rows.append({"nuisance": name, **read(embeddings, values, speakers, seed=seed)})
    return rows


def probe(
    embeddings: ArrayLike, labels: ArrayLike, speakers: ArrayLike, *, disjoint: bool = True, seed: int = 0
) -> Row:
    """Read a class from the embedding by a balanced logistic regression, cross-validated in up to five folds.

    Embeddings are standardised within the training folds; the regression's C is 1 and is not tuned: the value is a
    floor to what can be read. Folds hold whole speakers, so that the probe cannot answer by knowing the voice; where
    the class is the speaker himself (``disjoint=False``) they hold clips, and clips of one recording session share
    more than the voice.

    Args:
        embeddings: (N, D) finite numbers.
        labels: (N,) names; None or nan where unknown. Left out with their rows: classes that fewer than two speakers
            (without ``disjoint``: fewer than two clips) have.
        speakers: (N,) the speaker of each row.
        disjoint: whether no speaker may be in two folds.
        seed: of the folds.

    Returns:
        ``metric`` "UA", ``value`` (balanced accuracy of the out-of-fold predictions), ``low`` and ``high`` (95 %, from
        drawing speakers), ``chance`` (1 / classes), ``classes``, ``speakers``, ``rows``, ``why``.

    Raises:
        ValueError: shapes that do not fit.

    >>> probe([[0.0], [1.0], [0.1], [1.1], [0.0], [1.0]], [*"fmfmfm"], [*"abcdef"])["value"]
    1.0
    """
    embeddings, speakers = _checked(embeddings, speakers)
    labels = _names(labels, len(speakers))
    units = speakers if disjoint else np.arange(len(speakers)).astype(str)
    counts = {name: len(np.unique(units[labels == name])) for name in np.unique(labels) if name}
    classes = sorted(name for name, count in counts.items() if count > 1)
    rows = np.isin(labels, classes)
    about = {
        "metric": "UA",
        "classes": len(classes),
        "speakers": len(np.unique(speakers[rows])),
        "rows": int(rows.sum()),
    }
    if len(classes) < 2:
        return _nothing(about, f"fewer than two classes that two {'speakers' if disjoint else 'clips'} have")
    embeddings, labels, units, speakers = embeddings[rows], labels[rows], units[rows], speakers[rows]
    folds = min(FOLDS, *(counts[name] for name in classes))
    guess = np.empty_like(labels)
    for train, test in _folds(labels, units, folds, disjoint, seed):
        guess[test] = _read(_classifier(), embeddings, labels, train, test)
    bootstrap = SpeakerBootstrap(speakers, DRAWS)
    samples = unweighted_accuracy(bootstrap.confusions(labels, guess, classes))
    return _scored(about, samples, bootstrap.effective(), 1 / len(classes))


def probe_number(embeddings: ArrayLike, values: ArrayLike, speakers: ArrayLike, *, seed: int = 0) -> Row:
    """Read a number from the embedding by a ridge regression, cross-validated in up to five folds of whole speakers.

    Embeddings are standardised within the training folds, whose generalised cross-validation chooses alpha.

    Args:
        embeddings: (N, D) finite numbers.
        values: (N,) numbers, nan where unknown; durations are best given as logarithms.
        speakers: (N,) the speaker of each row.
        seed: of the folds.

    Returns:
        As `probe`, with ``metric`` "R2", the share of the variance that the out-of-fold predictions explain (below zero
        where the mean predicts better), ``chance`` 0 and ``classes`` 0.

    Raises:
        ValueError: shapes that do not fit.

    >>> row = probe_number([[0.0], [1.0], [2.0], [3.0]] * 3, [0.0, 1.0, 2.0, 3.0] * 3, [*"aaaabbbbcccc"])
    >>> row["metric"], round(row["value"], 2)
    ('R2', 1.0)
    """
    z, who = _checked(embeddings, speakers)
    y = np.asarray(values, dtype=float)
    if y.shape != who.shape:
        raise ValueError(f"`values` must be of shape {who.shape}, but is of shape {y.shape} instead.")
    rows = np.isfinite(y)
    z, y, who = z[rows], y[rows], who[rows]
    distinct = len(np.unique(who))
    about: Row = {"metric": "R2", "classes": 0, "speakers": distinct, "rows": int(rows.sum())}
    if distinct < 2:
        return _nothing(about, "fewer than two speakers with a value")
    if np.ptp(y) == 0:
        return _nothing(about, "the same for every recording")
    guess, alike = np.empty(len(y)), np.zeros(len(y), dtype=int)
    for train, test in _folds(alike, who, min(FOLDS, distinct), True, seed):
        guess[test] = _read(_regressor(), z, y, train, test)
    bootstrap, about_mean = SpeakerBootstrap(who, DRAWS), y - y.mean()
    columns = [np.ones(len(y)), about_mean, about_mean**2, (y - guess) ** 2]
    count, total, squares, errors = bootstrap.sums(columns).T
    spread = squares - np.divide(total**2, count, out=np.zeros(len(count)), where=count > 0)
    unexplained = np.divide(errors, spread, out=np.full(len(count), np.nan), where=spread > 1e-12 * squares[0])
    return _scored(about, 1 - unexplained, bootstrap.effective(), 0.0)


def _folds(labels: np.ndarray, units: np.ndarray, folds: int, disjoint: bool, seed: int) -> Iterator[tuple]:
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    kind = StratifiedGroupKFold if disjoint else StratifiedKFold
    splits = kind(folds, shuffle=True, random_state=seed)
    return splits.split(labels, labels, units if disjoint else None)


def _read(
    model: Pipeline, embeddings: np.ndarray, values: np.ndarray, train: np.ndarray, test: np.ndarray
) -> np.ndarray:
    """Return the predictions on the test rows; a training fold of a single class predicts that one."""
    if not len(test):
        return values[test]
    if values.dtype.kind == "U" and len(np.unique(values[train])) < 2:
        return np.full(len(test), values[train][0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a separable fold may need more steps than it is given, and reads no worse
        return model.fit(embeddings[train], values[train]).predict(embeddings[test])


def _classifier() -> Pipeline:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=300))


def _regressor() -> Pipeline:
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), RidgeCV(alphas=[10.0**power for power in range(-2, 5)]))


def _checked(embeddings: ArrayLike, speakers: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    embeddings, speakers = np.asarray(embeddings, dtype=float), np.asarray(speakers, dtype=str)
    if embeddings.ndim != 2 or speakers.shape != embeddings.shape[:1]:
        raise ValueError(
            f"`embeddings` must be (N, D) and `speakers` (N,), "
            f"but are of shapes {embeddings.shape} and {speakers.shape} instead."
        )
    if not np.isfinite(embeddings).all():
        raise ValueError(f"`embeddings` must be finite, but holds {embeddings[~np.isfinite(embeddings)][0]} instead.")
    return embeddings, speakers


def _names(labels: ArrayLike, rows: int) -> np.ndarray:
    """Return labels as strings, (N,), the empty one where unknown (None or nan)."""
    labels = np.asarray(labels, dtype=object)
    if labels.shape != (rows,):
        raise ValueError(f"`labels` must be of shape ({rows},), but is of shape {labels.shape} instead.")
    known = [isinstance(name, str) or not (name is None or np.isnan(name)) for name in labels]
    return np.array([str(name) if there else "" for name, there in zip(labels, known, strict=True)], dtype=str)


def _scored(about: Row, samples: np.ndarray, effective: float, chance: float) -> Row:
    low, high = interval(samples, speakers=effective)
    return {**about, "value": float(samples[0]), "low": low, "high": high, "chance": chance, "why": ""}


def _nothing(about: Row, why: str) -> Row:
    return {**about, **dict.fromkeys(("value", "low", "high", "chance"), float("nan")), "why": why}
