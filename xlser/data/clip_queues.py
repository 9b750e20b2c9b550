"""The clips of one class that are still to be dealt, from long to short, and the sets that they can give.

Both queues hold places in an order of clips. A set is K clips: of any kind in `Queue`, of at least two different codes
(speakers, or languages) in `MixedQueue`. See `xlser.data.clip_buckets` for why a clip has a cost.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush, heapreplace


class Queue:
    """The places (n,) of a class in rising order; n // K sets can be made of them."""

    def __init__(self, places: list[int], quota: int) -> None:
        self.places, self.quota = places[::-1], quota  # the head is the end of the list

    def __len__(self) -> int:
        return len(self.places)

    def units(self) -> int:
        """Return how many sets the clips left can give."""
        return len(self.places) // self.quota

    def reach(self) -> int:
        """Return the last place that the next set takes."""
        return self.places[-self.quota]

    def take_set(self, later: int) -> list[int]:
        """Take a set, which leaves no less than the ``later`` batches can use, or one set less than there were."""
        return [self.places.pop() for _ in range(self.quota)]

    def head(self) -> int | None:
        """Return the first place, or None where no clip is left."""
        return self.places[-1] if self.places else None

    def costs(self, later: int) -> bool:
        """Tell whether the clip at the head breaks a set that one of ``later`` batches could use."""
        units, loose = divmod(len(self.places), self.quota)
        return not loose and units <= later

    def free(self, later: int) -> int | None:
        """Return the first place whose clip breaks no such set, or None."""
        return None if not self.places or self.costs(later) else self.places[-1]

    def take(self, place: int) -> None:
        """Take the clip that `head` or `free` returned."""
        self.places.pop()


class MixedQueue:
    """The places of a class in rising order, in one line a code; min(n // K, n - m) sets can be made of n places.

    A set has K >= 2 clips of two codes at least, so each needs one beside the code of most clips, m; and where each can
    have one, dealing clips to the sets in turn, code by code, gives none of them K clips of one code. Only a code of
    half the clips or more can bound the sets, so which of two longest lines is taken for the longest does not matter.

    Args:
        places: in rising order.
        quota: K, or more than there are places where no set is to be made.
        codes: the code of every place of the order.
    """

    def __init__(self, places: list[int], quota: int, codes: list[int]) -> None:
        self.quota, self.left, self.codes = quota, len(places), codes
        self.lines: dict[int, list[int]] = {}
        for place in reversed(places):
            self.lines.setdefault(codes[place], []).append(place)  # the head of a line is the end of its list
        self.heads = [(line[-1], code) for code, line in self.lines.items()]  # and some of clips taken meanwhile
        self.sizes = [(-len(line), code) for code, line in self.lines.items()]  # some of them as they were before
        heapify(self.heads)
        heapify(self.sizes)

    def __len__(self) -> int:
        return self.left

    def units(self) -> int:
        """Return how many sets the clips left can give."""
        return min(self.left // self.quota, self._beside())

    def reach(self) -> int:
        """Return the first place of another code than the head's, which the next set takes, or one near it."""
        return self.lines[self._first(but=self._first())][-1]

    def take_set(self, later: int) -> list[int]:
        """Take a set, which leaves no less than the ``later`` batches can use, or one set less than there were.

        Clips come from the head, but where only just enough are left beside the most frequent code, one of that code
        is taken, and the last clip is of another code than the rest of the set where these are all of one. At the start
        one clip more is left beside it than must be, so the two never ask for different clips.
        """
        goal = min(self.units() - 1, later)
        taken, found = [], set()
        for missing in reversed(range(self.quota)):
            code = self._first()
            if self._beside() == goal:
                code = self._longest()
            elif not missing and found == {code}:
                code = self._first(but=code)
            found.add(code)
            taken.append(self._pop(code))
        return taken

    def head(self) -> int | None:
        """Return the first place, or None where no clip is left."""
        return self.lines[self._first()][-1] if self.left else None

    def costs(self, later: int) -> bool:
        """Tell whether the clip at the head breaks a set that one of ``later`` batches could use."""
        return self._breaks(self._first(), later)

    def free(self, later: int) -> int | None:
        """Return the first place that breaks no such set, at the head or of the most frequent code, or None."""
        codes = (self._first(), self._longest()) if self.left else ()
        return next((self.lines[code][-1] for code in codes if not self._breaks(code, later)), None)

    def take(self, place: int) -> None:
        """Take the clip that `head` or `free` returned."""
        self._pop(self.codes[place])

    def _breaks(self, code: int, later: int) -> bool:
        beside = self._beside()
        of_longest = len(self.lines[code]) == self.left - beside
        after = min((self.left - 1) // self.quota, beside - (not of_longest))
        return after < min(self.units(), later)

    def _pop(self, code: int) -> int:
        line = self.lines[code]
        place = line.pop()
        self.left -= 1
        if line:
            heappush(self.heads, (line[-1], code))
        return place

    def _first(self, but: int | None = None) -> int:
        """Return the code whose next place comes first, of all or of all but one."""
        code = self._top()
        if code != but:
            return code
        own = heappop(self.heads)
        code = self._top()
        heappush(self.heads, own)
        return code

    def _top(self) -> int:
        heads, lines = self.heads, self.lines
        while lines[heads[0][1]][-1:] != [heads[0][0]]:
            heappop(heads)
        return heads[0][1]

    def _longest(self) -> int:
        """Return the code of most places; lines only become shorter, so that sizes are looked at when they come up."""
        sizes, lines = self.sizes, self.lines
        while -sizes[0][0] != (size := len(lines[sizes[0][1]])):
            heapreplace(sizes, (-size, sizes[0][1]))
        return sizes[0][1]

    def _beside(self) -> int:
        """Return how many places the most frequent code does not have."""
        return self.left - len(self.lines[self._longest()])
