"""Numbers in half precision, a power of two a row: two bytes each, and no row too large or too small for them."""

from __future__ import annotations

import numpy as np

# The largest number of a row is brought to at least 2^14 and below 2^15; half precision ends at 65504.
_TOP = 15


def to_half(rows: np.ndarray) -> np.ndarray:
    """Return ``rows`` (R, D) as float16 (R, D + 1): scaled to fit, and the scale's exponent in the last column.

    11 binary digits of each number are kept: it moves by a 2,048th of itself at most. Only numbers below a
    536,870,912th of the row's largest lose more of themselves. What is not finite stays so, and spoils its row.

    >>> to_half(np.array([[3.0, -0.001], [3e30, 0.0]], np.float32)).tolist()
    [[24576.0, -8.1953125, -13.0], [19392.0, 0.0, 87.0]]
    """
    largest = np.abs(rows).max(axis=1)
    exponents = np.frexp(np.where(np.isfinite(largest), largest, 0.0))[1].astype(np.int64) - _TOP
    with np.errstate(over="ignore"):
        scaled = np.ldexp(rows.astype(np.float64), -exponents[:, None]).astype(np.float16)
    return np.concatenate([scaled, exponents[:, None].astype(np.float16)], axis=1)


def from_half(halves: np.ndarray) -> np.ndarray:
    """Return the rows (R, D), float32, of which `to_half` made ``halves`` (R, D + 1).

    >>> rows = np.array([[3.0, -0.001]], np.float32)
    >>> bool((np.abs(from_half(to_half(rows)) - rows) <= np.abs(rows) / 2048).all())
    True
    """
    return np.ldexp(halves[:, :-1].astype(np.float32), halves[:, -1:].astype(np.int32))
