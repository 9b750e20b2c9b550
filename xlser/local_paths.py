"""Places of a machine in tables and sentences: they tell who made them, and mean nothing elsewhere."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any

# A whole text that is a place: of Unix, of a home, of Windows, of a network.
_WHOLE = re.compile(r"\s*(?:/[^/\s]|~[^\s/]*/|[A-Za-z]:[\\/]|\\\\)")
# One in the midst of a text: two parts at least, so that "and/or", a date and an address of the web are none.
_WITHIN = re.compile(r"(?<![\w:/.~\\])(?:~[\w.-]*)?/(?:[\w.@+-]+/)+[\w.@+-]*|(?<!\w)[A-Za-z]:[\\/][\w.@+\\/-]+")


def without_places(value: Any) -> Any:
    """Return a text, or whatever JSON holds, with the last name alone of every absolute path.

    >>> without_places({"weights": "/home/anna/my models/whisper", "n": 1, "url": "https://a.org/b/c"})
    {'weights': 'whisper', 'n': 1, 'url': 'https://a.org/b/c'}
    >>> without_places(["from /data/emodb/wav/a.wav, and/or C:\\\\Users\\\\anna\\\\b.wav", "~/x/y"])
    ['from a.wav, and/or b.wav', 'y']
    """
    if isinstance(value, dict):
        return {without_places(key): without_places(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_places(inner) for inner in value]
    if not isinstance(value, str):
        return value
    return "+".join(map(_last, value.split("+"))) if _WHOLE.match(value) and "\n" not in value else _within(value)


def _within(text: str) -> str:
    return _WITHIN.sub(lambda found: _name(found[0]), text)


def _last(text: str) -> str:
    return _name(text) if _WHOLE.match(text) else text


def _name(text: str) -> str:
    return PurePath(text.strip().replace("\\", "/")).name or "."
