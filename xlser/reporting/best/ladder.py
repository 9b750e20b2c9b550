"""The way from the plainest model to the chosen one, a step at a time, over candidates that were tried."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from xlser.evaluation.candidates import BestResult, Tried
from xlser.reporting.best.answer import heard, steps

# What candidates differ by, in the order in which a signal passes it.
FIELDS = ("representation", "statistics", "combination", "adaptation", "readout")
# A step that changes two things at once says of neither what it brought: two steps of one change are nearer.
_COSTS = (0.0, 1.0, 2.5, 5.0, 8.0, 12.0)


@dataclass(frozen=True)
class Rung:
    """A candidate on the way, and what it changed of the one before; ``changes`` is empty for the first."""

    candidate: Tried
    changes: tuple[str, ...]


def ladder(result: BestResult) -> list[Rung]:
    """Return the way from the baseline to the chosen candidate that changes least at a time; both are on it."""
    start, end = (result.get(name) for name in (result.baseline, result.chosen))
    path = _shortest(result.candidates, start, end)
    return [Rung(start, ())] + [Rung(two, _changes(one, two)) for one, two in pairwise(path)]


def _shortest(candidates: Sequence[Tried], start: Tried, end: Tried) -> list[Tried]:
    """Return the cheapest path, by Dijkstra's algorithm; of paths that cost as much the one over better candidates."""
    by_name = {row.name: row for row in candidates}
    queue: list[tuple[float, float, str, tuple[str, ...]]] = [(0.0, 0.0, start.name, (start.name,))]
    done: set[str] = set()
    while queue:
        cost, worth, name, path = heapq.heappop(queue)
        if name == end.name:
            return [by_name[step] for step in path]
        if name in done:
            continue
        done.add(name)
        for other in candidates:
            if other.name not in done:
                price = _COSTS[min(_apart(by_name[name], other), len(_COSTS) - 1)]
                better = other.score if math.isfinite(other.score) else 0.0
                heapq.heappush(queue, (cost + price, worth - better, other.name, (*path, other.name)))
    return [start, end]


def _apart(one: Tried, other: Tried) -> int:
    """Return how many things differ: fields, and of adaptations each step that only one of them takes."""
    fields = [name for name in _differing(one, other) if name != "adaptation"]
    return len(fields) + len(set(_steps(one)) ^ set(_steps(other)))


def _steps(candidate: Tried) -> list[str]:
    return [step for step in candidate.adaptation.split("|") if step]


def _differing(one: Tried, other: Tried) -> list[str]:
    return [name for name in FIELDS if getattr(one, name) != getattr(other, name)]


def _changes(one: Tried, other: Tried) -> tuple[str, ...]:
    return tuple(_change(name, getattr(one, name), getattr(other, name)) for name in _differing(one, other))


def _change(field: str, was: str, now: str) -> str:
    """Return what changed in words.

    >>> _change("adaptation", "prior=uniform", "prior=uniform|gaussian-em"), _change("statistics", "source", "corpus")
    ('+ gaussian-em', 'corpus statistics')
    >>> _change("representation", "egemaps", "egemaps + hidden state 2 (mean)")
    '+ hidden state 2 (mean)'
    """
    if field == "adaptation":
        more = now.removeprefix(f"{was}|" if was else "")
        return f"+ {steps(more)}" if now.startswith(was) and more else f"{steps(now) if now else 'no adaptation'}"
    if field == "statistics":
        return f"{now} statistics"
    if field == "representation" and now.startswith(f"{was} + "):
        return now.removeprefix(f"{was} ")
    return heard(now) if field == "representation" else now
