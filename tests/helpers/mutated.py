"""Damage to files: JSON by its values, anything by its bytes; the same seed gives the same damage."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

# What stands in the place of a value: of every other type, of no size that is meant, and texts that act.
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 10**12, 10**400, 1e308, -0.5, "", "x", "\x1b[2J\u202e", "../../x", "NaN", "9" * 5000),
    *([], {}, [[]], {"": {}}, [None], ["x"], [0], {"x": 1}, [[[]] * 3]),
)
# JSON that json.dumps does not write.
RAW = ("NaN", "Infinity", "-Infinity", "1e999", "9" * 400, "[" * 3000, '{"a":' * 3000, "tru", "'x'", "\x00")
_MARK = "\ue000raw\ue000"


def places(value: Any, above: tuple = ()) -> Iterator[tuple]:
    """Yield the path of every value of a table, those of long lists in the first three rows alone."""
    if isinstance(value, dict):
        rows = list(value.items())
    elif isinstance(value, list):
        rows = list(enumerate(value[:3]))
    else:
        rows = []
    for key, inner in rows:
        yield (*above, key)
        yield from places(inner, (*above, key))


def mutated_json(text: str, seed: int, only: Callable[[tuple], bool] = bool) -> tuple[str, bytes]:
    """Return what was done to a JSON text, and the text; ``only`` picks the places that are changed."""
    rng, table = random.Random(seed), json.loads(text)
    where = rng.choice([place for place in places(table) if only(place)])
    holder = table
    for key in where[:-1]:
        holder = holder[key]
    last, kind = where[-1], rng.choice(["value"] * 5 + ["delete"] * 3 + ["raw", "twice", "again", "empty"])
    if kind == "delete":
        del holder[last]
    elif kind == "raw":
        raw, holder[last] = rng.choice(RAW), _MARK
        return f"{raw[:20]!r} at {where}", json.dumps(table).replace(json.dumps(_MARK), raw).encode()
    elif kind == "twice":
        inner = f'"{last}": null, "{last}": 1' if isinstance(holder, dict) else "null, null"
        holder[last] = _MARK
        found = f"{json.dumps(str(last))}: {json.dumps(_MARK)}" if isinstance(holder, dict) else json.dumps(_MARK)
        return f"twice at {where}", json.dumps(table).replace(found, inner).encode()
    elif kind == "again" and isinstance(holder, list):
        holder.insert(0, holder[last])
    elif kind == "empty" and isinstance(holder[last], (list, dict, str)):
        holder[last] = type(holder[last])()
    else:
        value = rng.choice(VALUES)
        holder[last] = value
        kind = f"{str(value)[:20]!r}"
    return f"{kind} at {where}", json.dumps(table).encode()


def mutated_bytes(data: bytes, seed: int) -> tuple[str, bytes]:
    """Return what was done to the bytes of a file, and the bytes."""
    rng = random.Random(seed)
    at, kind = rng.randrange(max(1, len(data))), rng.choice(["cut", "empty", "flip", "insert", "utf-8", "zeros"])
    changed = {
        "cut": data[:at],
        "empty": b"",
        "flip": data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :] if data else b"",
        "insert": data[:at] + b"\x00\xff[{" + data[at:],
        "utf-8": data[:at] + b"\xc3\x28\xff" + data[at + 3 :],
        "zeros": data[:at] + b"\x00" * (len(data) - at),
    }
    return f"{kind} at byte {at}", changed[kind]
