"""What a model is called: source/recipe/method/seed, or as much of it as tells which is meant."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from itertools import combinations
from typing import NamedTuple

from xlser.errors import RunError

_SHOWN = 8


class Name(NamedTuple):
    """One model of a run or bench."""

    source: str
    recipe: str
    method: str
    seed: str


def named(text: str, names: Collection[Name], where: str, absent: str = "") -> set[Name]:
    """Return the models that a text means: some parts of a name in their order, with ``/`` between them.

    A text that is both a method and a recipe which has that method means the method. What it leaves open beside the
    recipe and the source (the method, the seed) is left to the choice.

    Args:
        text: such as ``emodb/dae/plain/0``, ``dae``, ``emodb/plain``.
        names: of all models.
        where: the folder, for messages.
        absent: what else should be there and is not, for messages.

    Raises:
        RunError: there is no such model, and the nearest are named; or several recipes or sources fit, and all are.

    >>> names = [Name("emodb", "dae", "plain", "0"), Name("urdu", "dae", "plain", "0")]
    >>> named("urdu/plain", names, "runs/bench") == {names[1]}
    True
    >>> named("plain", names, "runs/bench")
    Traceback (most recent call last):
    xlser.errors.RunError: runs/bench has several models 'plain': emodb/dae/plain, urdu/dae/plain. Name one of them.
    """
    readings: dict[tuple[int, ...], set[Name]] = {}
    for name in names:
        for fields, part in _parts(name):
            if part == text:
                readings.setdefault(fields, set()).add(name)
    if not readings:
        raise RunError(f"{where} has no model {text!r}; {_near(text, names)}{absent}")
    meant = min(readings.values(), key=len)
    if not all(meant <= other for other in readings.values()):
        meant = set.union(*readings.values())
    elif len({name[:2] for name in meant}) == 1:
        return meant
    listed = dict.fromkeys("/".join(name[:3]) for name in names if name in meant)
    raise RunError(f"{where} has several models {text!r}: {_few(list(listed))}. Name one of them.")


def _parts(name: Name) -> Iterator[tuple[tuple[int, ...], str]]:
    """Yield every way to name a model: the fields that are kept, and the text of these."""
    for count in range(1, len(name) + 1):
        for fields in combinations(range(len(name)), count):
            yield fields, "/".join(name[field] for field in fields)


def _near(text: str, names: Collection[Name]) -> str:
    every = dict.fromkeys(part for name in names for _, part in _parts(name))
    near = get_close_matches(text, every, n=3)
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    return f"known: {_few(list(dict.fromkeys('/'.join(name[:3]) for name in names)))}"


def _few(texts: list[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more
