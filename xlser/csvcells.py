r"""Cells of CSV files, which people open in a spreadsheet: a text that would be a formula there is none.

A text that begins with ``=``, ``+``, ``-``, ``@``, a tab or the end of a line goes out behind an apostrophe, as a
spreadsheet itself marks a text; so does one that begins with apostrophes before such a sign, which makes the way back
exact: `exact` gives every text as it was. Numbers, also those that are spelled as texts, stay as they are. JSON and
Parquet are for programs and hold every text as it is.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# The wide forms are those of East Asian keyboards, which spreadsheets take for the same signs.
_FORMULA = re.compile(r"'*\s*[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan)", re.IGNORECASE)


def neutral(value: Any) -> Any:
    """Return a cell as it is written; what is no text, and a number spelled as one, as it is.

    >>> neutral("=1+1"), neutral("'-x"), neutral("-0.3"), neutral(-0.3), neutral("a=b")
    ("'=1+1", "''-x", '-0.3', -0.3, 'a=b')
    """
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value) else value


def exact(value: Any) -> Any:
    """Return a cell that `neutral` wrote as it was.

    >>> [exact(neutral(text)) for text in ("=1+1", "'-x", "-0.3", "'quoted'")]
    ['=1+1', "'-x", '-0.3', "'quoted'"]
    """
    return value[1:] if isinstance(value, str) and value[:1] == "'" and _FORMULA.match(value) else value


def write_frame(frame: pd.DataFrame, file: Any) -> None:
    """Write a table as CSV without its index, every text and heading `neutral`."""
    frame = _mapped(frame, neutral)
    # A lone carriage return is the end of a line to whatever reads, and Python's writer does not quote it.
    returns = any("\r" in cell for name, cells in frame.items() for cell in [name, *cells] if isinstance(cell, str))
    frame.to_csv(file, index=False, quoting=csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL)


def exact_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table that `write_frame` wrote, and pandas read, with every text and heading as it was.

    >>> import io, pandas as pd
    >>> file = io.StringIO()
    >>> write_frame(pd.DataFrame({"=a": ["+b", None], "n": [-0.5, 1.0]}), file)
    >>> file.getvalue().splitlines()[1]
    "'+b,-0.5"
    >>> exact_frame(pd.read_csv(io.StringIO(file.getvalue()))).to_dict("list")["=a"][0]
    '+b'
    """
    return _mapped(frame, exact)


class Writer:
    """Rows of CSV, as `csv.writer` writes them, every text `neutral`."""

    def __init__(self, file: IO[str]):
        self._rows = csv.writer(file, lineterminator="\n")
        self._quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)

    def writerow(self, cells: Iterable[Any]) -> None:
        """Write one row."""
        row = [neutral(cell) for cell in cells]
        returns = any("\r" in cell for cell in row if isinstance(cell, str))
        (self._quoted if returns else self._rows).writerow(row)


def _mapped(frame: pd.DataFrame, change: Any) -> pd.DataFrame:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    frame = frame.copy()
    for place, kind in enumerate(frame.dtypes):
        if not (is_numeric_dtype(kind) or is_bool_dtype(kind)):
            changed = [change(value) for value in frame.iloc[:, place]]
            if any(a is not b for a, b in zip(changed, frame.iloc[:, place], strict=True)):
                frame.isetitem(place, changed)
    frame.columns = [change(name) for name in frame.columns]
    return frame
