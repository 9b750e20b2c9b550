"""A safetensors file whose header has one order: the same tensors and notes are the same bytes, in every process."""

from __future__ import annotations

import json
from typing import Any


def in_order(written: bytes) -> bytes:
    """Return what `safetensors` wrote with its notes sorted by name; it keeps them in a map without an order.

    >>> from safetensors.numpy import load, save
    >>> import numpy as np
    >>> notes = {f"note {number}": "x" for number in range(9)}
    >>> one, other = (in_order(save({"a": np.ones(2)}, metadata=notes)) for _ in range(2))
    >>> one == other, load(one)["a"].tolist()
    (True, [1.0, 1.0])
    """
    size = int.from_bytes(written[:8], "little")
    header: dict[str, Any] = json.loads(written[8 : 8 + size])
    notes = header.pop("__metadata__", None)
    tensors = dict(sorted(header.items(), key=lambda item: (item[1]["data_offsets"], item[0])))
    known = {"__metadata__": dict(sorted(notes.items()))} if notes else {}
    text = json.dumps(known | tensors, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8 bytes
    return len(text).to_bytes(8, "little") + text + written[8 + size :]
