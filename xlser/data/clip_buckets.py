"""Clips in buckets of near length, dealt into batches that each hold P classes of K clips.

Let class c have n_c clips left, and call n_c // K its sets. R batches that take P sets each, of P different classes,
can be dealt if and only if sum_c min(n_c // K, R) >= P R. A deal keeps this so for the batches still to come: it starts
with no more batches than the rule allows, gives each batch its P sets first, and hands on no clip that would break the
rule for the rest. So a batch without its sets cannot come about; what can is that clips are left over at the end.
"""

from __future__ import annotations

from heapq import heapify, heappop, heapreplace

import numpy as np

from xlser.data.clip_rules import Clips

WIDTH = 0.03  # of a bucket, in log seconds: its longest clip is about 3 % longer than its shortest one
_AHEAD = 1.05  # batches are filled this much beyond an even share, since padding takes room later on


def bucket_order(clips: Clips, rng: np.random.Generator) -> np.ndarray:
    """Return the rows (N,) from the longest bucket to the shortest one, each bucket in a random, even mix.

    Buckets are `WIDTH` wide and begin anywhere. In a bucket classes alternate in proportion to their clips, in a class
    the values of the last column of ``spread``, in these those of the column before it, and so on.
    """
    bucket = np.floor(np.log(clips.seconds) / WIDTH + rng.random())
    group = coarsest = np.unique(bucket, return_inverse=True)[1]
    groups = []
    for codes in (clips.classes, *clips.spread.T[::-1]):
        group = np.unique(group * (codes.max() + 1) + codes, return_inverse=True)[1]
        groups.append(group)
    order = rng.permutation(len(bucket))
    for group in reversed(groups):
        order = _interleaved(order, group, rng)
    return order[np.argsort(-coarsest[order], kind="stable")]


def _interleaved(order: np.ndarray, group: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Put the rows of every group at even distances between 0 and 1, from a random start, in the order they have."""
    of_row = group[order]
    counts = np.bincount(of_row)
    by_group = np.argsort(of_row, kind="stable")
    rank = np.empty(len(order))
    rank[by_group] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    places = (rank + rng.random(len(counts))[of_row]) / counts[of_row]
    return order[np.argsort(places, kind="stable")]


def deal(clips: Clips, batches: int, rng: np.random.Generator) -> list[np.ndarray] | None:
    """Return the rows of each batch, long batches first, or None where clips are left over or a batch is too small.

    Args:
        clips: what is dealt.
        batches: how many, from 1 to ``clips.most_batches``.
        rng: where the order of the clips comes from.
    """
    return _Deal(clips, batches, bucket_order(clips, rng)).hands()


class _Deal:
    """The places 0..N-1 of an order, in one queue a class; every batch takes from the heads of the queues."""

    def __init__(self, clips: Clips, batches: int, order: np.ndarray) -> None:
        self.sets, self.fewest, self.batches = clips.sets, clips.fewest, batches
        self.quota, self.room = clips.quota.tolist(), clips.room[order].tolist()
        self.order, self.unspent, self.most = order, float((1 / clips.room).sum()), int(clips.room.max())
        of_place = clips.classes[order]
        queues = np.split(np.argsort(of_place, kind="stable"), np.cumsum(np.bincount(of_place))[:-1])
        self.queues = [places[::-1].tolist() for places in queues]  # the head of a queue is the end of its list

    def hands(self) -> list[np.ndarray] | None:
        """Return the rows of each batch, or None."""
        hands = []
        for later in reversed(range(self.batches)):
            self._begin(later)
            for c in self._chosen():
                for _ in range(self.quota[c]):
                    self._take(c)
            self._fill()
            if len(self.hand) < self.fewest or self.unspent > later + 1e-6:
                return None
            hands.append(self.order[self.hand])
        return None if any(self.queues) else hands

    def _begin(self, later: int) -> None:
        self.later, self.hand, self.holds = later, [], self.most
        self.share = _AHEAD * self.unspent / (later + 1) if later else np.inf
        units = (len(queue) // quota for queue, quota in zip(self.queues, self.quota, strict=True))
        # By how many sets the rule is more than kept for the batches that come later.
        self.spare = sum(min(unit, later) for unit in units) - self.sets * later

    def _chosen(self) -> list[int]:
        """Return the classes of this batch's sets, those that reach least far down the order that the rule allows.

        A class with more sets than there are later batches loses nothing they could use; others are taken while sets
        are to spare. That P classes are found follows from the rule.
        """
        able = [c for c, queue in enumerate(self.queues) if len(queue) >= self.quota[c]]
        able.sort(key=lambda c: self.queues[c][-self.quota[c]])
        chosen, spare = [], self.spare
        for c in able:
            costs = len(self.queues[c]) // self.quota[c] <= self.later
            if len(chosen) < self.sets and (spare or not costs):
                chosen.append(c)
                spare -= costs
        return chosen

    def _fill(self) -> None:
        """Take clip by clip, from long to short, up to this batch's share; leave those that later batches need."""
        heads = [(queue[-1], c) for c, queue in enumerate(self.queues) if queue]
        heapify(heads)
        while heads and len(self.hand) < self.holds and not self._has_its_share():
            place, c = heads[0]
            if len(self.hand) >= self.room[place] or (self._costs(c) and not self.spare):
                heappop(heads)
                continue
            self._take(c)
            if self.queues[c]:
                heapreplace(heads, (self.queues[c][-1], c))
            else:
                heappop(heads)

    def _has_its_share(self) -> bool:
        return len(self.hand) >= max(self.fewest, self.share * self.holds)

    def _costs(self, c: int) -> bool:
        """Tell whether the next clip of a class breaks a set that a later batch could use."""
        units, loose = divmod(len(self.queues[c]), self.quota[c])
        return not loose and units <= self.later

    def _take(self, c: int) -> None:
        self.spare -= self._costs(c)
        place = self.queues[c].pop()
        self.hand.append(place)
        self.holds = min(self.holds, self.room[place])
        self.unspent -= 1 / self.room[place]
