"""Parts of recordings: long ones in windows, windows of near length in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple


class Span(NamedTuple):
    """A part of a clip: samples ``start`` to ``stop`` of row ``row``."""

    row: int
    start: int
    stop: int


def windows(row: int, samples: int, longest: int) -> list[Span]:
    """Cut a clip of ``samples`` into the fewest parts of equal length that are at most ``longest``.

    >>> windows(7, 10, 4)
    [Span(row=7, start=0, stop=3), Span(row=7, start=3, stop=6), Span(row=7, start=6, stop=10)]
    """
    count = max(1, -(-samples // longest))
    edges = [samples * part // count for part in range(count + 1)]
    return [Span(row, start, stop) for start, stop in pairwise(edges)]


def batches(spans: Iterable[Span], budget: int) -> Iterator[list[Span]]:
    """Group spans of near length; a group's count times its longest span is at most ``budget`` samples, or one span.

    >>> [[span.row for span in group] for group in batches([Span(0, 0, 5), Span(1, 0, 9), Span(2, 2, 8)], 12)]
    [[1], [2, 0]]
    """
    group: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start - s.stop, s.row, s.start)):  # the longest first
        longest = group[0].stop - group[0].start if group else 0
        if group and (len(group) + 1) * longest > budget:
            yield group
            group = []
        group.append(span)
    if group:
        yield group
