"""What is known of each stored row: columns of text, as long as the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

Column = tuple[str, ...]


def rows_by_id(ids: list[str], rows: int) -> dict[str, int]:
    """Return the row of each id.

    Raises:
        ValueError: not one id a row, or an id given twice; the message names it.

    >>> rows_by_id(["a", "b"], 2)
    {'a': 0, 'b': 1}
    """
    if len(ids) != rows:
        raise ValueError(f"`ids` must hold one id an embedding ({rows}), but holds {len(ids)} instead.")
    position: dict[str, int] = {}
    for index, name in enumerate(ids):
        if position.setdefault(name, index) != index:
            raise ValueError(f"`ids` must be distinct, but {name!r} stands in rows {position[name]} and {index}.")
    return position


def text_column(name: str, values: Iterable[str], rows: int) -> Column:
    """Return ``values`` as a tuple of ``rows`` plain strings.

    Raises:
        ValueError: another length, or a value that is not text: None and nan are no labels, so drop those rows or
            write an empty string.

    >>> text_column("labels", ["joy", "anger"], 2)
    ('joy', 'anger')
    """
    column = tuple(values)
    if isinstance(values, str) or len(column) != rows:
        raise ValueError(f"`{name}` must hold one text an embedding ({rows}), but holds {len(column)} instead.")
    for row, value in enumerate(column):
        if not isinstance(value, str):
            raise ValueError(
                f"`{name}` must hold text, but row {row} is {value!r}. Drop such rows, or write '' where that may be."
            )
    return tuple(str(value) for value in column)  # numpy's strings become Python's


def joined(name: str, first: Column | None, second: Column | None) -> Column | None:
    """Return one column after the other, or None where both stores lack it.

    Raises:
        ValueError: only one of the stores has it.

    >>> joined("labels", ("joy",), ("anger",)), joined("labels", None, None)
    (('joy', 'anger'), None)
    """
    if (first is None) != (second is None):
        raise ValueError(f"`{name}` must be in both stores or in neither, but only the {_which(first)} one has it.")
    return None if first is None or second is None else first + second


def joined_all(first: Mapping[str, Column], second: Mapping[str, Column]) -> dict[str, Column]:
    """Return the columns of two stores, one after the other.

    Raises:
        ValueError: a column that only one of them has.

    >>> joined_all({"language": ("en",)}, {"language": ("ur", "ur")})
    {'language': ('en', 'ur', 'ur')}
    """
    names = list(dict.fromkeys([*first, *second]))
    return {name: joined(f"about[{name!r}]", first.get(name), second.get(name)) or () for name in names}


def left_out(name: str, wanted: Sequence[str | None] | None, known: Mapping[str, int], queries: int) -> np.ndarray:
    """Return what each query leaves out as its number in ``known``, int64 (Q,): -1 for nothing, or what is not stored.

    Raises:
        ValueError: not one a query.

    >>> left_out("exclude_groups", ["anna", "zoe"], {"anna": 0}, 2).tolist()
    [0, -1]
    """
    if wanted is None:
        return np.full(queries, -1)
    if len(wanted) != queries:
        what = name.removeprefix("exclude_")
        raise ValueError(f"`{name}` must hold {queries} {what}, one a query, but holds {len(wanted)}.")
    return np.array([known.get(str(value), -1) if value is not None else -1 for value in wanted], dtype=np.int64)


def _which(first: Column | None) -> str:
    return "second" if first is None else "first"
