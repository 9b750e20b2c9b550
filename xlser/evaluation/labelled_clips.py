"""Which way to use a few labelled clips: chosen by leaving some of them out, never by the clips that are judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from xlser.errors import CorpusError
from xlser.evaluation import metrics
from xlser.evaluation.corrections import WAYS, ZERO_SHOT, Correction, Shots, means_before, unit

# Shots are left out one by one, and in so many parts where there are more.
PARTS = 10
# The steady ways, and what they are ahead by, in nats: by so much better another must tell the shots left out. The
# average is drawn to the zero-shot way itself, and where both tell them alike the zero-shot way is kept.
STEADY, AHEAD = (ZERO_SHOT, "averaged"), 1.0
# Of each probability so much is spread over all classes, so that a single clip cannot decide alone.
_DOUBT = 0.1


def fit_with_shots(
    rows: ArrayLike,
    probabilities: ArrayLike,
    labels: Sequence[str | None],
    classes: Sequence[str],
    *,
    around: tuple[ArrayLike, ArrayLike],
    speakers: ArrayLike | None = None,
    way: str | None = None,
) -> Correction:
    """Return what corrects a model's probabilities for a target, of which a few clips are labelled.

    The way is chosen by leaving shots out (see `left_out` and `best_way`), with the zero-shot way among the ways. What
    is returned is a step of an adaptation: it can end a fitted chain, is saved with
    it, and reads further clips one by one::

        shots = fit_with_shots(rows[known], said[known], labels, classes, around=(rows, said))
        corrected = shots.posterior(rows, said)
        chain = FittedChain((*chain.steps, shots))

    Args:
        rows: (n, D) embeddings of the labelled clips, as the readout sees them, after the target's adaptation.
        probabilities: (n, C) of the adapted model, which has not seen the labels.
        labels: n emotions. Clips of another class, or of None, are left out, and ``notes`` say so.
        classes: C of them, at least two, in the order of the columns.
        around: (M, D) and (M, C): embeddings and probabilities of the target's recordings, or embeddings of the source
            and its labels as 1 and 0. They tell where the classes' means are before any shot.
        speakers: (n,) who speaks in the labelled clips, for a warning alone; None: not known.
        way: `ZERO_SHOT` or of `WAYS`, where nothing is to be chosen.

    Returns:
        A `Correction` with its ``way``; its ``notes`` say what was chosen and why.

    Raises:
        CorpusError: no clip of these classes, numbers that are not finite, or shapes that do not fit.

    >>> away = np.array([[3.0, 1.0], [3.0, -1.0], [-3.0, 1.0], [-3.0, -1.0]] * 5)
    >>> said = np.full((20, 2), 0.5)
    >>> shots = fit_with_shots(away[:8], said[:8], [*"aabbaabb"], "ab", around=(away, said))
    >>> shots.posterior(away, said)[:4].argmax(axis=1).tolist()
    [0, 0, 1, 1]
    """
    rows, before = (np.asarray(values, dtype=float) for values in (rows, probabilities))
    home, shares = (np.asarray(values, dtype=float) for values in around)
    classes = [str(name) for name in classes]
    names = np.array([str(label) for label in labels])
    _check((rows, before, names), (home, shares), classes)
    if way is not None and way not in (ZERO_SHOT, *WAYS):
        raise CorpusError(f"no way to use labelled clips is called {way!r}; there are {', '.join((ZERO_SHOT, *WAYS))}")
    known = np.isin(names, classes)
    notes = _doubts(names, known, classes, None if speakers is None else np.asarray(speakers).astype(str))
    shots = make_shots(rows[known], before[known], metrics.encode(names[known], classes), home, shares)
    scores = left_out(shots)
    best = way or best_way(scores)
    notes.append(_why(best, scores, way is not None))
    return replace(fit_way(best, shots), notes=tuple(notes), left_out=scores[best])


def make_shots(rows: np.ndarray, before: np.ndarray, codes: np.ndarray, home: np.ndarray, shares: np.ndarray) -> Shots:
    """Return shots of rows (n, D) of any length, with class means of ``home`` (M, D) and ``shares`` (M, C)."""
    return Shots(unit(rows), before, codes, *means_before(unit(home), shares))


def fit_way(way: str, shots: Shots) -> Correction:
    """Return the correction of one of the ways; of `ZERO_SHOT`, and without a shot, what changes nothing."""
    return Correction() if way == ZERO_SHOT or not len(shots.rows) else WAYS[way](shots)


def left_out(shots: Shots, parts: int = PARTS) -> dict[str, float]:
    """Return how well each way tells shots that it was fitted without: the sum of their log-probabilities, in nats.

    Each shot is left out by itself, or, where there are more than ``parts``, with others: shot i is of part i modulo
    ``parts``. With a single shot nothing is left to fit a way to, and all ways are the zero-shot way.

    Args:
        shots: n of them; at least 1.
        parts: at least 2.
    """
    part = np.arange(len(shots.rows)) % min(parts, len(shots.rows))
    scores = dict.fromkeys((ZERO_SHOT, *WAYS), 0.0)
    for number in range(part.max() + 1):
        asked, rest = shots.take(part == number), shots.take(part != number)
        for way in scores:
            said = fit_way(way, rest).posterior(asked.rows, asked.before)
            doubted = (1 - _DOUBT) * said + _DOUBT / said.shape[1]
            scores[way] += float(np.log((doubted * asked.truth).sum(axis=1)).sum())
    return scores


def best_way(scores: Mapping[str, float], ahead: float = AHEAD) -> str:
    """Return the way of the best score, those of `STEADY` being ahead; of equals the first.

    >>> best_way({"zero-shot": -8.0, "means": -7.5}), best_way({"zero-shot": -8.0, "means": -6.5})
    ('zero-shot', 'means')
    """
    return max(scores, key=lambda way: scores[way] + (ahead if way in STEADY else 0.0))


def protocol(labels: Sequence[str | None], classes: Sequence[str]) -> str:
    """Return the protocol of a model that was fitted with labelled clips: how many a class.

    >>> protocol(["joy", "joy", "fear"], ["joy", "fear"]), protocol(["joy", "fear"], ["joy", "fear"])
    ('few-shot 1 to 2', 'few-shot 1')
    """
    counts = [sum(str(label) == name for label in labels) for name in classes]
    return f"few-shot {min(counts)}" + (f" to {max(counts)}" if max(counts) > min(counts) else "")


def _why(best: str, scores: Mapping[str, float], stated: bool) -> str:
    if stated:
        return f"labelled clips are used by the way {best}, as was asked for"
    each = ", ".join(f"{way} {score:.1f}" for way, score in scores.items())
    return (
        f"labelled clips are used by the way {best}: of clips that were left out the log-probabilities are {each}, and "
        f"{' and '.join(STEADY)} are ahead of the others by {AHEAD:g}"
    )


def _doubts(names: np.ndarray, known: np.ndarray, classes: Sequence[str], speakers: np.ndarray | None) -> list[str]:
    notes = []
    if not known.all():
        others = ", ".join(sorted(set(names[~known])))
        notes.append(f"{(~known).sum()} labelled clips are left out, since the model does not tell {others} apart")
    if missing := [str(name) for name in classes if name not in names]:
        notes.append(f"warning: no clip is labelled {', '.join(missing)}: label some, or these may be missed")
    if speakers is not None and len(set(speakers[known])) == 1:
        notes.append(f"warning: all labelled clips are of the speaker {speakers[known][0]}: others may speak otherwise")
    return notes


def _check(
    labelled: tuple[np.ndarray, np.ndarray, np.ndarray], around: tuple[np.ndarray, np.ndarray], classes: Sequence[str]
) -> None:
    rows, before, names = labelled
    home, shares = around
    if len(classes) < 2:
        raise CorpusError(f"`classes` must be at least two, but are {list(map(str, classes))}")
    if rows.ndim != 2 or home.ndim != 2 or rows.shape[1] != home.shape[1]:
        raise CorpusError(f"labelled clips must have the columns of `around`, but are {rows.shape}, not {home.shape}")
    for name, given, count in (("probabilities", before, len(rows)), ("around", shares, len(home))):
        if given.shape != (count, len(classes)):
            raise CorpusError(
                f"`{name}` must be a row a clip and a column a class, {(count, len(classes))}, but are {given.shape}"
            )
    if names.shape != (len(rows),):
        raise CorpusError(f"`labels` must be one a labelled clip, {len(rows)}, but are {len(names)}")
    for name, given in (("rows", rows), ("probabilities", before), ("around", home), ("around", shares)):
        if not np.isfinite(given).all():
            row = int(np.argwhere(~np.isfinite(given))[0][0])
            raise CorpusError(
                f"`{name}` must be finite, but row {row} is not. Leave the clip out, or mend its features."
            )
    if not np.isin(names, classes).any():
        raise CorpusError(
            f"no labelled clip is of {', '.join(map(str, classes))}, which the model tells apart, but of "
            f"{', '.join(sorted(set(names))) or 'none'}. Label clips with these names."
        )
