"""A JSON table on disk that may be missing or damaged without harm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from xlser.machine import pass_on_unreadable


def parse_json(text: str | bytes) -> Any:
    """Return what JSON from elsewhere holds.

    Raises:
        ValueError: it is none, or is nested more deeply than the stack is.

    >>> parse_json('{"a": [1]}')
    {'a': [1]}
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON table; an empty one where there is none that can be read.

    Raises:
        MachineError: what went wrong is not the file's.

    >>> read_json(Path("nowhere"))
    {}
    """
    try:
        table = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        pass_on_unreadable(error, f"reading {path}")
        return {}
    return table if isinstance(table, dict) else {}
