"""Batches of clips to which each corpus, or each emotion, gives equally many clips of an epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from xlser.data.clip_batches import ClipBatches
from xlser.errors import RecipeError


class BalancedClips:
    """Row positions in the batches of `ClipBatches`, other in every epoch, the same for the same seed and epoch.

    An epoch has as many clips as without, and each group gives equally many of them, to one clip: one that is larger
    than its share a random part of its clips, other in every epoch, a smaller one all its clips as often as whole times
    fit, and a random part for the rest. No clip stands in a batch twice: the epoch is made of rounds, as many as the
    smallest group is repeated, and each round deals clips once that were taken least often before, the classes of a
    group in the shares that they have there.

    Args:
        groups: (N,), an integer code of each clip.
        labels: (N,), its class.
        make: returns the batches of some of the N clips, by their positions.
        seed: of the whole run.

    Raises:
        RecipeError: at set-up or at an epoch, where the clips of a round cannot be batched; see `ClipBatches`.

    >>> groups = np.array([0] * 6 + [1] * 2)
    >>> labels = np.array([0, 1] * 4)
    >>> few = BalancedClips(groups, labels, lambda rows: ClipBatches(np.ones(4), labels[rows], budget=4), seed=0)
    >>> [sorted(groups[rows].tolist()) for rows in few.whole()]
    [[0, 0, 1, 1], [0, 0, 1, 1]]
    """

    def __init__(
        self, groups: np.ndarray, labels: np.ndarray, make: Callable[[np.ndarray], ClipBatches], seed: int
    ) -> None:
        self._groups = [np.flatnonzero(groups == code) for code in np.unique(groups)]
        self._labels = labels
        self._make, self.seed, self.epoch, self._first = make, seed, 1, 0
        self._rounds = self._dealt()

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose batches come next; another one than before begins with its first batch."""
        if epoch != self.epoch:
            self.epoch, self._first = epoch, 0
            self._rounds = self._dealt()

    def resume(self, step: int) -> None:
        """Let the next iteration of this epoch begin with batch ``step``, counted from 0; later ones begin with 0.

        Raises:
            ValueError: the epoch has fewer batches.
        """
        if not 0 <= step <= len(self):
            raise ValueError(f"`step` must be from 0 to the number of batches ({len(self)}), but is {step} instead.")
        self._first = step

    def __len__(self) -> int:
        return sum(len(batches) for _, batches in self._rounds)

    def __iter__(self) -> Iterator[np.ndarray]:
        first, self._first = self._first, 0
        return iter([rows[places] for rows, batches in self._rounds for places in batches][first:])

    def whole(self) -> list[np.ndarray]:
        """Return the batches of this epoch, from its first, with the rows of all ranks one after the other."""
        return [rows[places] for rows, batches in self._rounds for places in batches.whole()]

    def _dealt(self) -> list[tuple[np.ndarray, ClipBatches]]:
        """Return each round's clips, and their batches."""
        rng, count = np.random.default_rng([self.seed, self.epoch]), len(self._groups)
        least, over = divmod(sum(map(len, self._groups)), count)
        # Those that give one clip more are others in the next epoch, as in `DealtBatches`.
        shares = least + ((np.arange(count) + self.epoch) % count < over)
        rounds = max(-(-share // len(rows)) for rows, share in zip(self._groups, shares, strict=True))
        parts = [
            _parts(self._labels[rows], int(share), rounds, rng)
            for rows, share in zip(self._groups, shares, strict=True)
        ]
        parts = [[rows[places] for places in several] for rows, several in zip(self._groups, parts, strict=True)]
        dealt = [np.sort(np.concatenate(several)) for several in zip(*parts, strict=True)]
        try:
            made = [(rows, self._make(rows)) for rows in dealt]
        except RecipeError as error:
            raise RecipeError(
                f"{error} With training.balance an epoch is dealt in {rounds} rounds, as its smallest group has "
                f"{min(map(len, self._groups))} clips; another way is to leave it out."
            ) from error
        for _, batches in made:
            batches.set_epoch(self.epoch)
        return made


def _parts(labels: np.ndarray, share: int, rounds: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Return ``share`` places of clips (n,) in parts of nearly one size, none of which holds a clip twice."""
    taken, parts = np.zeros(len(labels), dtype=int), []
    for number in range(rounds):
        size = share // rounds + (number < share % rounds)
        places = np.lexsort((_spread(np.stack([taken, labels]), rng), taken))[:size]
        taken[places] += 1
        parts.append(places)
    return parts


def _spread(kinds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a number in [0, 1) of each clip (n,), by which clips of each kind (K, n) stand evenly spread."""
    codes = np.unique(kinds, axis=1, return_inverse=True)[1].ravel()
    out = np.empty(len(codes))
    for code in range(codes.max() + 1):
        rows = rng.permutation(np.flatnonzero(codes == code))
        out[rows] = (np.arange(len(rows)) + rng.random()) / len(rows)
    return out
