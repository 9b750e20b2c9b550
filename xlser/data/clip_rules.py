"""What is asked of a batch of clips, and whether the data at hand can give it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from xlser.errors import RecipeError


@dataclass(frozen=True)
class Clips:
    """N clips and the rules of their batches; made by `Clips.of`, which refuses what cannot be kept.

    ``classes`` (N,) are codes from 0 on, none skipped; clips without a class have one of their own. ``room`` (N,) is
    the most clips a batch may hold whose longest one this is. ``quota`` (C,) is the clips of a set, K, or more than the
    class has where no set can be made of it. ``fewest`` is the fewest clips in a batch. ``mixed`` (N,) are the codes of
    which every set holds two different ones at least, ``mixed_name`` the word for one.
    """

    seconds: np.ndarray
    labels: np.ndarray
    spread: np.ndarray
    classes: np.ndarray
    room: np.ndarray
    quota: np.ndarray
    budget: float
    sets: int
    size: int
    fewest: int
    mixed: np.ndarray | None
    mixed_name: str

    @staticmethod
    def of(
        seconds: np.ndarray,
        labels: np.ndarray,
        spread: np.ndarray | None,
        *,
        budget: float,
        sets: int,
        quota: int,
        world: int,
        mixed: np.ndarray | None = None,
        mixed_name: str = "group",
    ) -> Clips:
        """Return the clips of batches with ``sets`` classes of ``quota`` clips, one clip a process at least.

        Raises:
            ValueError: a shape, code or duration that cannot be.
            RecipeError: too few classes have so many clips, or a batch cannot hold so many of the longest clips.
        """
        seconds, labels = np.asarray(seconds, dtype=float), np.asarray(labels)
        spread = np.zeros((len(seconds), 0), dtype=int) if spread is None else np.asarray(spread)
        _check_values(seconds, labels, spread)
        mixed = None if mixed is None else _checked_codes(mixed, len(seconds), quota)
        _check_bounds(budget, sets, quota)
        codes, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
        units = np.minimum(counts // quota, _beside(classes, mixed))
        quotas = np.where((codes >= 0) & (units > 0), quota, counts + 1)
        room = np.minimum(np.floor(budget / seconds), len(seconds)).astype(int)
        room -= room * seconds > budget  # the quotient may have been rounded up
        fewest = max(sets * quota, world)
        clips = Clips(seconds, labels, spread, classes, room, quotas, budget, sets, quota, fewest, mixed, mixed_name)
        clips._check_classes()
        clips._check_room()
        return clips if mixed is None else replace(clips, room=np.minimum(room, clips._most_held()))

    @property
    def fewest_batches(self) -> int:
        """The number of batches below which no deal can stay: clip i fills 1 / room_i of a batch at least."""
        return ceil((1 / self.room).sum() - 1e-6)

    @property
    def most_batches(self) -> int:
        """The most batches M that can each hold ``sets`` sets: the largest with sum_c min(sets of c, M) >= P M."""
        units = np.minimum(np.bincount(self.classes) // self.quota, _beside(self.classes, self.mixed))
        most = int(units.sum()) // self.sets
        while most and (held := int(np.minimum(units, most).sum())) < self.sets * most:
            most = held // self.sets
        return most

    def no_deal(self) -> RecipeError:
        """Return the error for clips that leave no room for a deal."""
        least, most = self.fewest_batches, self.most_batches
        enough = self.budget * max(1.25, 1.1 * least / most)
        return RecipeError(
            f"training.seconds {self.budget:g} makes {least} batches or more of these {len(self.seconds)} clips, and "
            f"their classes (clips by class: {self._counts()}) give at most {most} batches with {self._wanted()}, each "
            f"of {self.fewest} clips or more; no deal was found. Raise training.seconds (try {enough:.0f}), lower "
            "training.classes or training.clips, or leave out the longest clips."
        )

    def _check_classes(self) -> None:
        able, large = int(self._able().sum()), sum(count >= self.size for count in self._counts().values())
        if able >= self.sets:
            return
        lack = f"{large} of the classes have {self.size} clips"
        if large >= self.sets:
            lack = f"{able} of the classes {'has' if able == 1 else 'have'} clips of two different {self.mixed_name}s"
        raise RecipeError(
            f"Every batch must have {self._wanted()}, but only {lack} (clips by class: {self._counts()}). "
            "Lower training.classes or training.clips, or add clips."
        )

    def _check_room(self) -> None:
        """See that a batch can hold each clip beside the sets, in one of them where its class has any."""
        need = np.maximum(self.fewest, self.sets * self.size + ~self._able()[self.classes])
        lack = need * self.seconds
        worst = int(np.argmax(np.where(self.room < need, lack, 0)))
        if self.room[worst] >= need[worst]:
            return
        if need[worst] > len(self.seconds):
            raise RecipeError(f"{self.fewest} processes need as many clips, but there are {len(self.seconds)}.")
        raise RecipeError(
            f"training.seconds {self.budget:g} must hold {need[worst]} clips as long as clip {worst} "
            f"({self.seconds[worst]:g} s), for {self._wanted()} in every batch and a clip for each process, but holds "
            f"{self.room[worst]}. Raise training.seconds to {ceil(lack[worst])}, lower training.classes or "
            "training.clips, use fewer processes, or leave out or cut the longest clips."
        )

    def _most_held(self) -> int:
        """Return the most clips of a batch that has the sets with the shortest clips: codes may differ in lengths."""
        order = np.argsort(self.seconds, kind="stable")
        held = []
        for c in np.flatnonzero(self._able()):
            rows = order[self.classes[order] == c]
            other = rows[np.argmax(self.mixed[rows] != self.mixed[rows[0]])]
            held.append(min(self.room[rows[self.size - 1]], self.room[other]))
        return sorted(held, reverse=True)[self.sets - 1]

    def _able(self) -> np.ndarray:
        """Return of each class whether sets can be made of it."""
        return np.bincount(self.classes) >= self.quota

    def _counts(self) -> dict[int, int]:
        codes, counts = np.unique(self.labels[self.labels >= 0], return_counts=True)
        return dict(zip(codes.tolist(), counts.tolist(), strict=True))

    def _wanted(self) -> str:
        mixed = "" if self.mixed is None else f" of two different {self.mixed_name}s"
        return f"{self.sets} classes of {self.size} clips{mixed}"


def _check_values(seconds: np.ndarray, labels: np.ndarray, spread: np.ndarray) -> None:
    shapes = seconds.shape, labels.shape, spread.shape[:1]
    if seconds.ndim != 1 or seconds.size == 0 or len(set(shapes)) > 1 or spread.ndim != 2:
        raise ValueError(
            "`seconds` (N,), `labels` (N,) and `spread` (N, S) must have one and the same N >= 1, but have the shapes "
            f"{seconds.shape}, {labels.shape} and {spread.shape} instead."
        )
    if not (good := np.isfinite(seconds) & (seconds > 0)).all():
        row = int(np.argmin(good))
        raise ValueError(f"`seconds` must be positive and finite, but clip {row} has {seconds[row]:g} instead.")
    if labels.min() < -1 or spread.min(initial=0) < 0:
        raise ValueError("`labels` must be integers from -1 on and `spread` from 0 on, but some are less.")


def _checked_codes(mixed: np.ndarray, rows: int, quota: int) -> np.ndarray:
    mixed = np.asarray(mixed)
    if mixed.shape != (rows,) or mixed.min() < 0:
        raise ValueError(
            f"`mixed` must have the shape ({rows},), as `seconds`, and codes from 0 on, but has the shape {mixed.shape}"
            f"{f' and the code {mixed.min()}' if mixed.size else ''} instead."
        )
    if quota < 2:
        raise ValueError(f"`clips` must be at least 2 where a set is to be `mixed`, but is {quota} instead.")
    return mixed


def _beside(classes: np.ndarray, mixed: np.ndarray | None) -> np.ndarray:
    """Return (C,) the clips of each class beside those of its most frequent code; all where codes do not matter."""
    counts = np.bincount(classes)
    if mixed is None:
        return counts
    (of_class, _), of_code = np.unique(np.stack([classes, mixed]), axis=1, return_counts=True)
    most = np.zeros_like(counts)
    np.maximum.at(most, of_class, of_code)
    return counts - most


def _check_bounds(budget: float, sets: int, quota: int) -> None:
    if not 0 < budget < np.inf or sets < 1 or quota < 1:
        raise ValueError(
            f"`budget` must be positive, `classes` and `clips` at least 1, but are {budget:g}, {sets} and {quota}."
        )
