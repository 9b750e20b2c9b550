"""One cell of a stranger's table."""

from __future__ import annotations

import math
from pathlib import PurePosixPath

import pandas as pd

from xlser.corpora.globbing import nfc
from xlser.errors import CorpusError


def is_inside(path: str) -> bool:
    """Tell whether a relative path stays in its folder, by its words alone.

    >>> is_inside("a/b.wav"), is_inside("../b.wav"), is_inside("/b.wav"), is_inside("C:/b.wav")
    (True, False, False, False)
    """
    parts = PurePosixPath(path.replace("\\", "/")).parts
    return bool(parts) and ".." not in parts and not parts[0].startswith("/") and not parts[0].endswith(":")


def cell_text(value: object) -> str | None:
    """Return a cell as text, None where it is empty; pandas has four ways to say so."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    return nfc(str(value)).strip() or None


def cell_number(value: object, name: str) -> float | None:
    """Return a cell as a number (a time difference in seconds), None where it is empty; ``name`` is for the message.

    Raises:
        CorpusError: it is no number.
    """
    if value is None or value is pd.NaT or cell_text(value) is None:
        return None
    try:
        return value.total_seconds() if isinstance(value, pd.Timedelta) else float(str(value))
    except ValueError:
        raise CorpusError(f"{name} {value!r} is not a number") from None
