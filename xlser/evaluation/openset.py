"""What becomes of emotions that a model never learnt: refused for want of confidence, or read as valence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from xlser.evaluation.bootstrap import SpeakerBootstrap
from xlser.evaluation.calibration import check_probabilities

BY_UA = "best UA"
VALENCES = ("negative", "neutral", "positive")
_NEUTRAL, _SIGNED = 0.25, 0.5


def reject_threshold(probabilities: ArrayLike, truth: ArrayLike, keep: float = 0.95) -> tuple[float, str]:
    """Return the confidence below which a clip is refused, and how it was chosen: ``best UA`` or ``95% kept``.

    Confidence is the largest probability of a clip. Where there are clips of unknown classes, the threshold is the one
    with the best unweighted accuracy over the known classes and the unknown ones as one more; of several that do as
    well the lowest. Otherwise it is the highest that refuses at most 1 - ``keep`` of the clips. Only confidences that
    occur are tried, so that the surest clip is always answered.

    Args:
        probabilities: (N, C), rows summing to 1, of clips that took no part in training.
        truth: (N,) codes of the true classes, -1 for a class that is unknown.
        keep: the share of known clips to answer where none is unknown, above 0 and at most 1.

    Raises:
        ValueError: no clip of a known class, ``keep`` or codes out of range, or see `check_probabilities`.

    >>> reject_threshold([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], [0, 1, -1])
    (0.8, 'best UA')
    >>> reject_threshold([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [1.0, 0.0]], [0, 1, 0, 0], keep=0.75)
    (0.8, '75% kept')
    """
    if not 0 < keep <= 1:
        raise ValueError(f"`keep` must be above 0 and at most 1, but is {keep} instead.")
    truth = np.asarray(truth)
    if not (truth >= 0).any():
        raise ValueError("`truth` must hold a known class, but every code is below 0 or there is none.")
    probabilities, _ = check_probabilities(probabilities, np.where(truth == -1, 0, truth))
    confidence = probabilities.max(1)
    if (truth >= 0).all():
        # 1e-9 above: (1 - keep) n may miss a whole number by a rounding, and would then refuse one clip fewer.
        return float(np.sort(confidence)[int((1 - keep) * len(truth) + 1e-9)]), f"{keep:.0%} kept"
    values, place = np.unique(confidence, return_inverse=True)
    scores = _open_ua(place, probabilities.argmax(1) == truth, truth, len(values))
    # Rounded, so that of sums that differ by a rounding alone the first counts as equal.
    return float(values[scores.round(12).argmax()]), BY_UA


def _open_ua(place: np.ndarray, right: np.ndarray, truth: np.ndarray, size: int) -> np.ndarray:
    """Return UA with the unknown as one more class if clips placed below 0, 1, ... ``size`` - 1 are refused."""
    recalls = []
    for code in np.unique(truth):
        rows = truth == code
        if code < 0:
            refused = np.bincount(place[rows], minlength=size)
            recalls.append((np.cumsum(refused) - refused) / rows.sum())
        else:
            answered = np.bincount(place[rows & right], minlength=size)
            recalls.append(np.cumsum(answered[::-1])[::-1] / rows.sum())
    return np.mean(recalls, axis=0)


def auroc(confidence: ArrayLike, known: ArrayLike, speakers: ArrayLike, bootstrap: SpeakerBootstrap) -> np.ndarray:
    """Return in each draw of speakers how often a known clip is surer than an unknown one, (draws + 1,) in [0, 1].

    The area under the ROC of telling them apart by confidence, whatever the threshold: 0.5 is chance, and clips of
    equal confidence count half (Hanley & McNeil 1982). A draw holds the pairs of clips of the speakers drawn, each as
    often as both of its speakers. nan without both kinds of clips; with one speaker draw 0 is all there is.

    Args:
        confidence: (N,) finite numbers.
        known: (N,) bool.
        speakers: (N,) the speaker of each clip, all among the bootstrap's.
        bootstrap: the draws; draw 0 is the sample itself.

    Raises:
        ValueError: shapes that differ, a confidence that is not finite, or a speaker that the bootstrap lacks.

    >>> bootstrap = SpeakerBootstrap(["anna", "ben"], draws=5)
    >>> float(auroc([0.9, 0.4, 0.4, 0.3], [True, True, False, False], ["anna", "ben", "anna", "ben"], bootstrap)[0])
    0.875
    """
    confidence, known, codes = _coded(confidence, known, speakers, bootstrap)
    size, weights = len(bootstrap.speakers), bootstrap.weights.astype(float)
    surer = np.zeros((size, size))  # pairs won by a known speaker's clips (down) over an unknown one's (across)
    for code in np.unique(codes[~known]):
        theirs = np.sort(confidence[~known & (codes == code)])
        won = sum(np.searchsorted(theirs, confidence[known], side) for side in ("left", "right")) / 2
        surer[:, code] = np.bincount(codes[known], won, size)
    counts = [np.bincount(codes[rows], minlength=size) for rows in (known, ~known)]
    pairs = (weights @ counts[0]) * (weights @ counts[1])
    if len(np.unique(codes)) < 2:
        pairs[1:] = 0
    total = np.einsum("ds,ds->d", weights @ surer, weights)
    return np.divide(total, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def _coded(
    confidence: ArrayLike, known: ArrayLike, speakers: ArrayLike, bootstrap: SpeakerBootstrap
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    confidence, known = np.asarray(confidence, dtype=float), np.asarray(known, dtype=bool)
    speakers = np.asarray(speakers, dtype=str)
    if confidence.ndim != 1 or not confidence.shape == known.shape == speakers.shape:
        shapes = f"{confidence.shape}, {known.shape} and {speakers.shape}"
        raise ValueError(f"`confidence`, `known` and `speakers` must be (N,), but are of shapes {shapes} instead.")
    if not np.isfinite(confidence).all():
        raise ValueError(f"`confidence` must be finite, but holds {confidence[~np.isfinite(confidence)][0]} instead.")
    codes = np.searchsorted(bootstrap.speakers, speakers).clip(max=len(bootstrap.speakers) - 1)
    strange = speakers[bootstrap.speakers[codes] != speakers]
    if len(strange):
        raise ValueError(f"`speakers` must be among the bootstrap's, but hold {str(strange[0])!r} instead.")
    return confidence, known, codes


def valence_class(valence: float) -> str | None:
    """Return which of `VALENCES` a position in [-1, 1] belongs to, None where that is undecided.

    Neutral is within 0.25 of zero, the signed classes begin at 0.5 from it. What lies between belongs to neither: in
    the table of `xlser.data.scales` that is surprise, of which people do not agree whether it pleases.

    >>> [valence_class(value) for value in (-0.51, 0.0, 0.81, 0.40, float("nan"))]
    ['negative', 'neutral', 'positive', None, None]
    """
    if abs(valence) <= _NEUTRAL:
        return "neutral"
    if abs(valence) >= _SIGNED:
        return "positive" if valence > 0 else "negative"
    return None


def summed(probabilities: ArrayLike, groups: Sequence[str | None], names: Sequence[str]) -> np.ndarray:
    """Return the summed probability of each group, (N, G), where ``groups`` names the group of each of the C classes.

    A class whose group is None or not among ``names`` gives its probability to none. Two classes of a group count
    twice: a model that cannot tell anything apart answers the group with the most classes.

    Raises:
        ValueError: ``groups`` does not name a group for each column.

    >>> summed([[0.3, 0.3, 0.4]], ["negative", "negative", "positive"], ["negative", "positive"]).tolist()
    [[0.6, 0.4]]
    """
    probabilities = np.asarray(probabilities, dtype=float)
    if probabilities.ndim != 2 or probabilities.shape[1] != len(groups):
        raise ValueError(
            f"`groups` must name one of each column, but are {len(groups)} for a shape of {probabilities.shape}."
        )
    member = [[group == name for name in names] for group in groups]
    return probabilities @ np.asarray(member, dtype=float).reshape(len(groups), len(names))
