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

    Args:
        keys: shape (rows, K), the ratings or class codes that a loss compares within a batch; K may be 0.
        batch: the most rows in a batch.
        seed: of the whole run.

    Raises:
        RecipeError: at set-up, if no deal in 100 gives every batch two different values of every key.
    """

    def __init__(self, keys: np.ndarray, batch: int, seed: int) -> None:
        self.keys = np.asarray(keys, dtype=float)
        self.count = max(1, -(-len(self.keys) // batch))
        self.batch, self.seed, self.epoch = batch, seed, 1
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
        rated = np.isfinite(self.keys).sum(axis=0).tolist()
        raise RecipeError(
            f"training.batch {self.batch} makes {self.count} batches, and in {_TRIES} deals some batch had "
            f"fewer than two different ratings (labels); rated rows: {rated} of {len(self.keys)}. "
            "Use a larger batch or a source with more ratings."
        )

    def _one_deal(self, rng: np.random.Generator) -> list[np.ndarray]:
        rows = len(self.keys)
        order = rng.permutation(rows)
        if self.keys.shape[1]:
            # A stable sort of a shuffled order breaks ties at random; NaN goes last.
            order = order[np.argsort(self.keys[order, 0], kind="stable")]
        rounds = -(-rows // self.count)
        hand = rng.permuted(np.tile(np.arange(self.count), (rounds, 1)), axis=1).ravel()[:rows]
        by_hand = order[np.argsort(hand, kind="stable")]
        return np.split(by_hand, np.cumsum(np.bincount(hand, minlength=self.count))[:-1])


def _varied(keys: np.ndarray) -> bool:
    low = np.fmin.reduce(keys, axis=0, initial=np.inf)
    high = np.fmax.reduce(keys, axis=0, initial=-np.inf)
    return bool((low < high).all())
