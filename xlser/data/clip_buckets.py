"""Clips in buckets of near length, dealt into batches that each hold P classes of K clips.

Let the clips left of class c give u_c sets: n_c // K of them, or, where a set is to hold two codes (speakers, or
languages) at least, min(n_c // K, n_c - m_c), where m_c of the n_c clips are of the most frequent code. R batches that
take P sets each, of P different classes, can be dealt if and only if sum_c min(u_c, R) >= P R. A deal keeps this so for
the batches still to come: it starts with no more batches than the rule allows, gives each batch its P sets first, and
hands on no clip that would break the rule for the rest. So a batch without its sets cannot come about; what can is that
clips are left over at the end.
"""

from __future__ import annotations

from heapq import heapify, heappop, heapreplace

import numpy as np

from xlser.data.clip_queues import MixedQueue, Queue
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
        self.room, self.order = clips.room[order].tolist(), order
        self.unspent, self.most = float((1 / clips.room).sum()), int(clips.room.max())
        of_place = clips.classes[order]
        places = np.split(np.argsort(of_place, kind="stable"), np.cumsum(np.bincount(of_place))[:-1])
        each = zip([found.tolist() for found in places], clips.quota.tolist(), strict=True)
        if clips.mixed is None:
            self.queues = [Queue(*one) for one in each]
        else:
            codes = clips.mixed[order].tolist()
            self.queues = [MixedQueue(*one, codes) for one in each]

    def hands(self) -> list[np.ndarray] | None:
        """Return the rows of each batch, or None."""
        hands = []
        for later in reversed(range(self.batches)):
            self._begin(later)
            for queue in self._chosen():
                self.spare -= queue.units() <= later
                for place in queue.take_set(later):
                    self._hold(place)
            self._fill()
            if len(self.hand) < self.fewest or self.unspent > later + 1e-6:
                return None
            hands.append(self.order[self.hand])
        return None if any(self.queues) else hands

    def _begin(self, later: int) -> None:
        self.later, self.hand, self.holds = later, [], self.most
        self.share = _AHEAD * self.unspent / (later + 1) if later else np.inf
        # By how many sets the rule is more than kept for the batches that come later.
        self.spare = sum(min(queue.units(), later) for queue in self.queues) - self.sets * later

    def _chosen(self) -> list[Queue] | list[MixedQueue]:
        """Return the queues of this batch's sets, those that reach least far down the order that the rule allows.

        A class with more sets than there are later batches loses nothing they could use; others are taken while sets
        are to spare. That P classes are found follows from the rule.
        """
        able = sorted((queue for queue in self.queues if queue.units()), key=lambda queue: queue.reach())
        chosen, spare = [], self.spare
        for queue in able:
            costs = queue.units() <= self.later
            if len(chosen) < self.sets and (spare or not costs):
                chosen.append(queue)
                spare -= costs
        return chosen

    def _fill(self) -> None:
        """Take clip by clip, from long to short, up to this batch's share; leave those that later batches need."""
        heads = [(queue.head(), c) for c, queue in enumerate(self.queues) if queue]
        heapify(heads)
        while heads and len(self.hand) < self.holds and not self._has_its_share():
            place, c = heads[0]
            following = self._offered(place, self.queues[c])
            if following is None:
                heappop(heads)
            else:
                heapreplace(heads, (following, c))

    def _offered(self, place: int, queue: Queue | MixedQueue) -> int | None:
        """Take the clip at a place where that is allowed; return the place that is next, or None for this batch."""
        able = place if self.spare else queue.free(self.later)
        if able != place:
            return able
        if len(self.hand) >= self.room[place]:
            return None
        self.spare -= self.spare > 0 and queue.costs(self.later)
        queue.take(place)
        self._hold(place)
        return queue.head()

    def _has_its_share(self) -> bool:
        return len(self.hand) >= max(self.fewest, self.share * self.holds)

    def _hold(self, place: int) -> None:
        self.hand.append(place)
        self.holds = min(self.holds, self.room[place])
        self.unspent -= 1 / self.room[place]
