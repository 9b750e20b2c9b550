"""What a recogniser could do without listening: duration, loudness, bandwidth, the speaker's or the text's habit."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from xlser.data.splits import make_splits
from xlser.data.together import split_units
from xlser.errors import CorpusError
from xlser.evaluation.bootstrap import SpeakerBootstrap, interval
from xlser.evaluation.metrics import unweighted_accuracy

FOLDS, DRAWS, SHUFFLES = 5, 500, 50
# What each baseline is given; the columns are those of a manifest and of `Measured.table`.
CUES = {
    "duration": ("log_duration",),
    "loudness": ("rms_db",),
    "sample rate and bandwidth": ("sample_rate", "cutoff_hz"),
}


def shortcut_rows(frame: pd.DataFrame) -> list[dict]:
    """Return a row for each baseline: leave-speakers-out UA from one cue, and UA of habits, all beside chance.

    ``frame`` is a manifest with the columns that `CUES` names as far as they were measured; rows with nan are left out.
    Folds hold whole speakers (five, or as many as there are speakers); the interval draws speakers. A row has ``cue``,
    ``kind`` (``probe`` or ``habit``), ``ua``, ``low``, ``high``, ``chance``, ``classes``, ``rows`` and ``why`` (the
    reason where there is no number). The chance of a probe is 1 / classes; that of a habit, which knows the labels, is
    the mean over shuffled labels.
    """
    frame = frame.assign(log_duration=np.log(frame["duration"].clip(lower=1e-3)))
    rows = [_probe_row(frame, cue) for cue in CUES if set(CUES[cue]) <= set(frame.columns)]
    rows.append(_habit_row(frame, "speaker"))
    texts = frame["text"].dropna().nunique()
    return [*rows, _habit_row(frame.dropna(subset=["text"]), "text")] if 1 < texts < len(frame) / 2 else rows


def transfer_rows(source: pd.DataFrame, target: pd.DataFrame) -> list[dict]:
    """Return the rows of `shortcut_rows` for probes fitted on all of ``source`` and read on ``target``.

    Both are cut to the emotions they share, and each cue is z-scored within its corpus (transductive), so that a gain
    does not hide it. With fewer than two shared emotions there is no row, nor for a cue that is constant in either.
    """
    shared = sorted(set(source["emotion"]) & set(target["emotion"]))
    if len(shared) < 2:
        return []
    parts = [
        one[one["emotion"].isin(shared)].assign(log_duration=lambda part: np.log(part["duration"].clip(lower=1e-3)))
        for one in (source, target)
    ]
    rows = [
        _transferred(parts, shared, cue) for cue in CUES if all(set(CUES[cue]) <= set(one.columns) for one in parts)
    ]
    return [row for row in rows if row]


def _transferred(parts: list[pd.DataFrame], shared: list[str], cue: str) -> dict | None:
    columns = list(CUES[cue])
    usable = [one.dropna(subset=columns) for one in parts]
    if any((one[columns].nunique() < 2).all() for one in usable):
        return None
    for one in usable:
        one[columns] = ((one[columns] - one[columns].mean()) / one[columns].std().replace(0, 1)).fillna(0.0)
    guess = _fit_predict(*usable, columns)
    return _scored(usable[1], guess, shared, 1 / len(shared), cue=cue, kind="probe")


def _probe_row(frame: pd.DataFrame, cue: str) -> dict:
    columns = list(CUES[cue])
    usable = frame.dropna(subset=columns).reset_index(drop=True)
    classes = sorted(usable["emotion"].unique())
    if len(usable) and (usable[columns].nunique() < 2).all():
        return _none(cue, "probe", len(classes), len(usable), "the same for every recording: it tells nothing")
    try:
        folds = min(FOLDS, max(split_units(usable).nunique(), 3))
        splits = make_splits(usable, "speaker-folds", folds=folds)
    except CorpusError as error:
        return _none(cue, "probe", len(classes), len(usable), str(error))
    guess = np.empty(len(usable), dtype=object)
    for split in splits:
        rest = np.concatenate([split.train, split.validation])
        guess[split.test] = _fit_predict(usable.iloc[rest], usable.iloc[split.test], columns)
    return _scored(usable, guess, classes, 1 / max(len(classes), 1), cue=cue, kind="probe")


def _fit_predict(train: pd.DataFrame, test: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Return the guesses of a balanced logistic regression on the cue and its square: middling values may tell too."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    if train["emotion"].nunique() < 2:
        return np.full(len(test), train["emotion"].iloc[0], dtype=object)
    model = make_pipeline(
        StandardScaler(),
        PolynomialFeatures(2, include_bias=False),
        LogisticRegression(class_weight="balanced", max_iter=2000),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a constant cue, such as one sample rate, converges to nothing and may
        return model.fit(train[columns].to_numpy(float), train["emotion"]).predict(test[columns].to_numpy(float))


def _habit_row(frame: pd.DataFrame, by: str) -> dict:
    """Score always guessing the most frequent emotion of the speaker (text) among all labels, ties by the alphabet."""
    names, labels = np.unique(frame["emotion"].to_numpy(str), return_inverse=True)
    groups = np.unique(frame[by].to_numpy(str), return_inverse=True)[1]
    rng = np.random.default_rng(0)
    shuffled = [rng.permutation(labels) for _ in range(SHUFFLES)]
    chance = np.mean([_balanced(order, _habit(order, groups, len(names)), len(names)) for order in shuffled])
    guess = names[_habit(labels, groups, len(names))]
    return _scored(frame, guess, names.tolist(), float(chance), cue=f"{by}'s most frequent emotion", kind="habit")


def _habit(labels: np.ndarray, groups: np.ndarray, classes: int) -> np.ndarray:
    counts = np.bincount(groups * classes + labels, minlength=(groups.max() + 1) * classes).reshape(-1, classes)
    return counts.argmax(1)[groups]


def _balanced(truth: np.ndarray, guess: np.ndarray, classes: int) -> float:
    counts = np.bincount(truth * classes + guess, minlength=classes * classes).reshape(classes, classes)
    return float(unweighted_accuracy(counts))


def _scored(frame: pd.DataFrame, guess: np.ndarray, classes: list[str], chance: float, *, cue: str, kind: str) -> dict:
    if len(frame) == 0 or len(classes) < 2:
        return _none(cue, kind, len(classes), len(frame), "fewer than two emotions have a value of it")
    bootstrap = SpeakerBootstrap(frame["speaker"], draws=DRAWS)
    samples = unweighted_accuracy(bootstrap.confusions(frame["emotion"], guess.astype(str), classes))
    low, high = interval(samples)
    row = {"cue": cue, "kind": kind, "ua": float(samples[0]), "low": low, "high": high, "chance": chance}
    return row | {"classes": len(classes), "rows": len(frame), "why": ""}


def _none(cue: str, kind: str, classes: int, rows: int, why: str) -> dict:
    nothing = dict.fromkeys(("ua", "low", "high", "chance"), float("nan"))
    return {"cue": cue, "kind": kind, **nothing, "classes": classes, "rows": rows, "why": why}
