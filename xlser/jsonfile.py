"""JSON as xlser writes it: read strictly, so that no reader behind meets what JSON alone would let through."""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate
from pathlib import Path
from typing import Any

from xlser.errors import brief
from xlser.machine import pass_on_unreadable
from xlser.oddfiles import read_file

# No file of xlser's is nested deeper than a tenth of this, and no number of its is larger.
DEEPEST, LARGEST = 200, 2**63
# Only where one of these stands can a number be too large for what it becomes.
_NO_BRACKET, _STRING = re.compile(r"[^\[\]{}]+"), re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_STEP = {"[": 1, "{": 1, "]": -1, "}": -1}
_LONG_NUMBER = re.compile(r"\d{19}|\d[eE]\+?\d{3}")


def parse_json(text: str | bytes) -> Any:
    """Return what a JSON text holds.

    Raises:
        ValueError: no JSON, no UTF-8, a name that stands twice in a table, NaN or infinity, a number of more than 64
            bits, or brackets more than 200 deep.

    >>> parse_json('{"a": [1, null]}')
    {'a': [1, None]}
    >>> parse_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ValueError: 'a' stands twice in one table
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    _check_depth(text)
    numbers: dict[str, Any] = {"parse_float": _finite, "parse_int": _whole} if _LONG_NUMBER.search(text) else {}
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number, **numbers)
    except RecursionError:  # closing brackets in strings may hide how deep it is
        raise ValueError(f"brackets are more than {DEEPEST} deep") from None


def parse_lenient(text: str | bytes) -> Any:
    """Return what JSON of other programs holds: NaN and infinity pass, and of two equal names the last one counts.

    Raises:
        ValueError: it is none, or its brackets are nested more deeply than the stack is.

    >>> parse_lenient('{"a": [1, NaN]}')
    {'a': [1, nan]}
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("brackets are nested too deeply") from error


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON table; an empty one where there is none that can be read.

    Raises:
        MachineError: what went wrong is not the file's.

    >>> read_json(Path("nowhere"))
    {}
    """
    try:
        table = parse_json(read_file(path))
    except (OSError, ValueError) as error:
        pass_on_unreadable(error, f"reading {path}")
        return {}
    return table if isinstance(table, dict) else {}


def _check_depth(text: str) -> None:
    """Count brackets: all of them first, which is fast, then those outside of strings."""
    if _deepest(_NO_BRACKET.sub("", text)) > DEEPEST and _deepest(_NO_BRACKET.sub("", _STRING.sub("", text))) > DEEPEST:
        raise ValueError(f"brackets are more than {DEEPEST} deep")


def _deepest(brackets: str) -> int:
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise ValueError(f"{brief(repr(twice), 60)} stands twice in one table")
    return table


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{brief(text, 60)} is too large for a number")
    return value


def _whole(text: str) -> int:
    if len(text) > 20 or not -LARGEST <= int(text) < LARGEST:
        raise ValueError(f"{brief(text, 60)} is too large for a number")
    return int(text)
