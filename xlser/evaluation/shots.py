"""A few labelled clips of a target corpus: drawn, and read in six ways that choose nothing on the target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from xlser.evaluation import metrics
from xlser.evaluation.expected import unconverged
from xlser.evaluation.knn import checked_probabilities, knn_distribution, median_distance, mixed
from xlser.store.datastore import Datastore, Metric

_TRIES = 100

# What stands in for choices of source validation that are not given.
FIXED: dict[str, Any] = {"k": 9, "distance": "l2", "temperature": 1.0, "weight": 0.5}


def draw_shots(
    labels: ArrayLike, speakers: ArrayLike, classes: Sequence[str], k: int, *, draws: int, seed: int
) -> list[np.ndarray]:
    """Draw k clips of every class from a few speakers, so that the other speakers still have clips of every class.

    The speakers are walked through in random order. One is taken where it has a clip of a class that is still short of
    k; then each that the others can spare is given back, the first taken first. Each class draws its k among the clips
    of those kept, which makes every one of them give a shot. An order that leaves the others without some class is
    drawn anew. Thus shots come from as few voices as such a walk needs (for small k from one, where a speaker has all
    classes) and speakers with many clips give more often, but many speakers are left: the queries are all clips of
    those who gave no shot.

    Args:
        labels: (N,) classes; a clip of another class, or None, is no shot.
        speakers: (N,) the speaker of each clip; ids that occur in several corpora must carry the corpus's name.
        classes: C distinct classes.
        k: clips of each class, at least 1.
        draws: at least 1.
        seed: draw number d depends on it and on d, not on how many are drawn.

    Returns:
        ``draws`` arrays int (C, k): row c are the positions of the shots of class c, in random order, so that the
        first j columns are a draw of j clips a class from the same speakers.

    Raises:
        ValueError: a class has no more than k clips or a single speaker, no order of 100 leaves clips of every class,
            ``k`` or ``draws`` below 1, or shapes that differ.

    >>> speakers = ["anna", "anna", "ben", "ben", "cem", "cem"]
    >>> shots = draw_shots(["joy", "fear"] * 3, speakers, ["joy", "fear"], 1, draws=2, seed=0)
    >>> [draw.tolist() for draw in shots]
    [[[4], [5]], [[4], [5]]]
    """
    if min(k, draws) < 1:
        raise ValueError(f"`k` and `draws` must be at least 1, but are {k} and {draws} instead.")
    codes, who = _coded(labels, speakers, classes)
    counts = np.zeros((who.max(initial=-1) + 1, len(classes)), dtype=int)
    np.add.at(counts, (who[codes >= 0], codes[codes >= 0]), 1)
    _check_classes(counts, classes, k)
    found = [_draw(codes, who, counts, k, np.random.default_rng([seed, draw])) for draw in range(draws)]
    if any(shots is None for shots in found):
        scarce = int(counts.sum(0).argmin())
        raise ValueError(
            f"`k` = {k} must leave clips of every class to speakers who gave none, but in {_TRIES} orders of the "
            f"{len(counts)} speakers it never did: {str(classes[scarce])!r} has {counts[:, scarce].sum()} clips of "
            f"{(counts[:, scarce] > 0).sum()} speakers. Use a smaller k or fewer classes."
        )
    return found


@dataclass(frozen=True)
class Ways:
    """The target's N embeddings, read with the source's alone or with shots; predictions are (N,) codes of C classes.

    Four ways vote among the k nearest, a vote weighing exp(-d / T); T is the source's, as are k and w:

    - swapped: only the shots are stored; with fewer than k of them all vote;
    - extended: the source's rows and the shots are stored and every one counts the same, so that four shots among
      thousands of rows are seldom found;
    - balanced: the same neighbours, but a shot counts as often as there are source rows a shot, which gives both sides
      the same weight in the store as a whole; a query without a shot among its k nearest is read as before;
    - interpolated: extended, and mixed with the classifier; left out where it has no probabilities.

    ``probe`` is a logistic regression (C = 1, classes weighted to balance) and ``prototype`` the nearest class mean by
    Euclidean distance (Snell et al. 2017, equation 2): both fitted to the shots alone, or, without shots, to the
    source alone, and both on columns that have the source's mean 0 and deviation 1.

    Attributes:
        rows: (N, D) the target's embeddings, ``scaled`` the same on the source's scale.
        near: (N, k) distances of the source's nearest rows, ``near_codes`` their classes.
        scaled_source: (S, D) and ``source_codes`` (S,), what the source's probe and prototypes are fitted to.
        chosen: ``k``, ``distance``, ``temperature``, ``scale`` and ``weight``, as of `Interpolation`.
        model: (N, C) the classifier's probabilities, or None.
        size: C.
    """

    rows: np.ndarray
    scaled: np.ndarray
    near: np.ndarray
    near_codes: np.ndarray
    scaled_source: np.ndarray
    source_codes: np.ndarray
    chosen: Mapping[str, Any]
    model: np.ndarray | None
    size: int

    @classmethod
    def of(
        cls,
        source: np.ndarray,
        codes: np.ndarray,
        rows: np.ndarray,
        size: int,
        *,
        probabilities: ArrayLike | None = None,
        chosen: Mapping[str, Any] | None = None,
    ) -> Ways:
        """Find the source's neighbours of every target row; what is not ``chosen`` is as in ``FIXED``.

        A ``scale`` that is not given is the median distance of the source's rows to their own k nearest.

        Raises:
            ValueError: numbers that are not finite, or shapes that do not fit.
        """
        from sklearn.preprocessing import StandardScaler

        picked = FIXED | dict(chosen or {})
        store = Datastore(source, [str(row) for row in range(len(source))], metric=picked["distance"])
        near, positions = store.search(rows, min(picked["k"], len(store)))
        if "scale" not in picked:
            around = min(picked["k"], len(store) - 1)
            picked["scale"] = median_distance(store.search(source, around, store.ids)[0]) if around else 1.0
        model = None if probabilities is None else checked_probabilities(probabilities, (len(rows), size))
        scaler = StandardScaler().fit(source)
        scaled = scaler.transform(rows), scaler.transform(source)
        return cls(rows, scaled[0], near, codes[positions], scaled[1], codes, picked, model, size)

    def without_shots(self) -> dict[str, np.ndarray]:
        """Return the predictions of each way without a shot: three of them are then the same neighbours."""
        votes = self._votes(self.near, self.near_codes)
        out = dict.fromkeys(("swapped", "extended", "balanced"), votes) | self._with_model(votes)
        return {name: found.argmax(1) for name, found in out.items()} | self._fitted(
            self.scaled_source, self.source_codes
        )

    def with_shots(self, shots: np.ndarray, ks: Sequence[int]) -> dict[int, dict[str, np.ndarray]]:
        """Return the predictions of each way with the first k shots of every class, for each of ``ks``.

        Args:
            shots: (C, most) positions in the target, as of `draw_shots`.
            ks: each 1 to most.
        """
        distances = _distances(self.rows, shots.ravel(), self.chosen["distance"]).reshape(-1, *shots.shape)
        return {k: self._read(shots[:, :k], distances[:, :, :k].reshape(len(self.rows), -1)) for k in ks}

    def _read(self, shots: np.ndarray, distances: np.ndarray) -> dict[str, np.ndarray]:
        codes = np.repeat(np.arange(self.size), shots.shape[1])
        all_codes = np.broadcast_to(codes, distances.shape)
        both, both_codes = np.hstack([self.near, distances]), np.hstack([self.near_codes, all_codes])
        extended = self._votes(both, both_codes)
        counts = np.r_[np.ones(self.near.shape[1]), np.full(len(codes), len(self.source_codes) / len(codes))]
        out = {"swapped": self._votes(distances, all_codes), "extended": extended}
        out |= {"balanced": self._votes(both, both_codes, counts)} | self._with_model(extended)
        return {name: found.argmax(1) for name, found in out.items()} | self._fitted(self.scaled[shots.ravel()], codes)

    def _votes(self, distances: np.ndarray, codes: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
        """Return p(y), (N, C), of the k nearest columns; ``counts`` (columns,) is how often each one votes."""
        nearest = np.argsort(distances, axis=1, kind="stable")[:, : self.chosen["k"]]
        found = np.take_along_axis(distances, nearest, 1).astype(float)
        temperature = self.chosen["temperature"] * self.chosen["scale"]
        if counts is not None:
            found -= temperature * np.log(counts[nearest])  # n votes of exp(-d / T) are one of exp(-(d - T ln n) / T)
        return knn_distribution(found, np.take_along_axis(codes, nearest, 1), self.size, temperature)

    def _with_model(self, votes: np.ndarray) -> dict[str, np.ndarray]:
        return {} if self.model is None else {"interpolated": mixed(self.model, votes, self.chosen["weight"])}

    def _fitted(self, rows: np.ndarray, codes: np.ndarray) -> dict[str, np.ndarray]:
        readers: dict[str, Callable] = {"probe": _probe, "prototype": _prototype}
        return {name: read(rows, codes, self.scaled) for name, read in readers.items()}


def _probe(rows: np.ndarray, codes: np.ndarray, queries: np.ndarray) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression

    with unconverged():
        return LogisticRegression(C=1.0, class_weight="balanced", max_iter=5000).fit(rows, codes).predict(queries)


def _prototype(rows: np.ndarray, codes: np.ndarray, queries: np.ndarray) -> np.ndarray:
    means = np.stack([rows[codes == code].mean(0) for code in range(codes.max() + 1)])
    # |q - m|^2 less |q|^2, which is the same for every class
    return ((means**2).sum(1) - 2 * queries @ means.T).argmin(1)


def _distances(rows: np.ndarray, shots: np.ndarray, metric: Metric) -> np.ndarray:
    """Return the distance of every row to every shot, (N, shots)."""
    found, positions = Datastore(rows[shots], shots.tolist(), metric=metric).search(rows, len(shots))
    out = np.empty_like(found)
    np.put_along_axis(out, positions, found, 1)
    return out


def _draw(
    codes: np.ndarray, who: np.ndarray, counts: np.ndarray, k: int, rng: np.random.Generator
) -> np.ndarray | None:
    """Return one draw (C, k), or None where no order leaves clips of every class."""
    for _ in range(_TRIES):
        givers = _givers(counts, k, rng.permutation(len(counts)))
        if (counts.sum(0) - counts[givers].sum(0)).min() > 0:
            given = np.isin(who, givers)
            rows = [np.flatnonzero(given & (codes == code)) for code in range(counts.shape[1])]
            return np.stack([rng.permutation(clips)[:k] for clips in rows])
    return None


def _givers(counts: np.ndarray, k: int, order: np.ndarray) -> list[int]:
    """Return the speakers that the walk in this order keeps; ``counts`` (speakers, C) are their clips."""
    have, taken = np.zeros(counts.shape[1], dtype=int), []
    for speaker in order.tolist():
        if (counts[speaker] > 0)[have < k].any():
            taken.append(speaker)
            have += counts[speaker]
    for speaker in tuple(taken):
        if (have - counts[speaker] >= k).all():
            taken.remove(speaker)
            have -= counts[speaker]
    return taken


def _coded(labels: ArrayLike, speakers: ArrayLike, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return (N,) the class of each row, -1 for none, and (N,) its speaker as a number."""
    labels, speakers = np.asarray(labels).astype(str), np.asarray(speakers).astype(str)
    if labels.ndim != 1 or labels.shape != speakers.shape:
        raise ValueError(f"`speakers` must have a row a label {labels.shape}, but has {speakers.shape} instead.")
    if not len(classes):
        raise ValueError("`classes` must hold at least one class, but is empty instead.")
    kept, codes = np.isin(labels, classes), np.full(len(labels), -1)
    codes[kept] = metrics.encode(labels[kept], classes)
    return codes, np.unique(speakers, return_inverse=True)[1]


def _check_classes(counts: np.ndarray, classes: Sequence[str], k: int) -> None:
    for name, clips, voices in zip(classes, counts.sum(0), (counts > 0).sum(0), strict=True):
        if clips <= k:
            raise ValueError(f"`k` must be below the clips of every class, but is {k} and {str(name)!r} has {clips}.")
        if voices < 2:
            raise ValueError(
                f"every class must have at least two speakers, one for shots and one for queries, but all {clips} "
                f"clips of {str(name)!r} are of one."
            )
