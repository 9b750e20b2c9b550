"""Batches dealt like cards: every one of nearly the same size, every one able to serve its loss."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xlser.errors import RecipeError

_TRIES = 100


class DealtBatches:
    """Row positions in batches, other in every epoch, the same for the same seed and epoch.

    Rows are sorted by the first key and dealt in rounds, one row of each round to each batch in random order. A batch
    thus spans the range of that key, rows whose keys are missing (NaN) are spread evenly, and no short batch is left
    over. A deal in which some batch has fewer than two different values of a key is dealt again.

    With ``groups``, an epoch has as many rows as without, and each group gives equally many of them, to one row: one
    that is larger than its share a random part of its rows, other in every epoch, a smaller one all its rows as often
    as whole times fit, and a random part for the rest. Each group is dealt by itself, so that batches hold equally many
    rows of it, to one row; a row that comes more than once in an epoch may stand in a batch twice.

    Args:
        keys: shape (rows, K), the ratings or class codes that a loss compares within a batch; K may be 0.
        batch: the most rows in a batch.
        seed: of the whole run.
        groups: (rows,), an integer code of each row; rows below 0 are never drawn. None: every row once an epoch.

    Raises:
        RecipeError: at set-up, if no deal in 100 gives every batch two different values of every key.

    >>> batches = DealtBatches(np.empty((8, 0)), 4, seed=0, groups=np.array([0, 0, 0, 0, 0, 0, 1, 1]))
    >>> [sorted((rows >= 6).tolist()) for rows in batches]
    [[False, False, True, True], [False, False, True, True]]
    """

    def __init__(self, keys: np.ndarray, batch: int, seed: int, groups: np.ndarray | None = None) -> None:
        self.keys = np.asarray(keys, dtype=float)
        self.count = max(1, -(-len(self.keys) // batch))
        self.batch, self.seed, self.epoch = batch, seed, 1
        self.balanced, rows = groups is not None, np.arange(len(self.keys))
        self._groups = [rows] if groups is None else [rows[groups == code] for code in np.unique(groups[groups >= 0])]
        if not self._groups:
            raise self._no_deal()
        self._deal()

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose batches come next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[np.ndarray]:
        yield from self._deal()

    def _deal(self) -> list[np.ndarray]:
        rng = np.random.default_rng([self.seed, self.epoch])
        for _ in range(_TRIES):
            hands = self._one_deal(rng)
            if all(_varied(self.keys[rows]) for rows in hands):
                return hands
        raise self._no_deal()

    def _one_deal(self, rng: np.random.Generator) -> list[np.ndarray]:
        orders, hands, held = [], [], np.zeros(self.count, dtype=int)
        for rows, share in zip(self._groups, self._shares(), strict=True):
            orders.append(self._drawn(rows, share, rng))
            rounds = rng.permuted(np.tile(np.arange(self.count), (-(-share // self.count), 1)), axis=1)
            # What is left over of a group goes to batches that had the least so far: all stay of nearly one size.
            rounds[-1] = rounds[-1][np.argsort(held[rounds[-1]], kind="stable")]
            hands.append(rounds.ravel()[:share])
            held += np.bincount(hands[-1], minlength=self.count)
        by_hand = np.concatenate(orders)[np.argsort(np.concatenate(hands), kind="stable")]
        return np.split(by_hand, np.cumsum(held)[:-1])

    def _shares(self) -> np.ndarray:
        """Return how many rows each group gives; those that give one more are others in the next epoch."""
        least, over = divmod(len(self.keys), len(self._groups))
        return least + ((np.arange(len(self._groups)) + self.epoch) % len(self._groups) < over)

    def _drawn(self, rows: np.ndarray, share: int, rng: np.random.Generator) -> np.ndarray:
        """Return ``share`` of these rows in the order in which they are dealt."""
        order = np.concatenate([rng.permutation(rows) for _ in range(-(-share // len(rows)))])[:share]
        if self.keys.shape[1]:
            # A stable sort of a shuffled order breaks ties at random; NaN goes last.
            order = order[np.argsort(self.keys[order, 0], kind="stable")]
        return order

    def _no_deal(self) -> RecipeError:
        rated = np.isfinite(self.keys).sum(axis=0).tolist()
        way = ", or training.balance of fewer groups" if self.balanced else ""
        return RecipeError(
            f"training.batch {self.batch} makes {self.count} batches, and in {_TRIES} deals some batch had "
            f"fewer than two different ratings (labels); rated rows: {rated} of {len(self.keys)}. "
            f"Use a larger batch or a source with more ratings{way}."
        )


def _varied(keys: np.ndarray) -> bool:
    low = np.fmin.reduce(keys, axis=0, initial=np.inf)
    high = np.fmax.reduce(keys, axis=0, initial=-np.inf)
    return bool((low < high).all())
