"""Tables that xlser wrote and reads back, by types: one fault, one message, before anything behind can stumble."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Union

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from xlser.errors import RunError, XlserError, brief
from xlser.jsonfile import parse_json
from xlser.machine import pass_on_unreadable
from xlser.oddfiles import read_file

# A number of a table is finite, or null where it is not known.
Number = Union[Annotated[float, Field(ge=-1e15, le=1e15)], None]  # noqa: UP007  (pydantic reads it in Python 3.10 too)
Count = Annotated[int, Field(ge=0, le=10**15)]
# A share or a weight.
Share = Annotated[float, Field(ge=0, le=1)]
Text = str
Texts = list[str]
Counts = dict[str, Count]
# Of a table: keys that are not named are left alone, so that what a newer xlser adds can be read.
typed = with_config(ConfigDict(strict=True, extra="allow", allow_inf_nan=False))


def read_typed(path: Path, kind: Any, way: str, *, error: type[XlserError] = RunError) -> dict[str, Any]:
    """Return the table of a JSON file, once all of it is of the types that it must be.

    Args:
        path: of the file, which is there.
        kind: a TypedDict.
        way: out, a sentence.
        error: what is raised.

    Raises:
        XlserError: it is missing, no JSON, or of other types. MachineError: what went wrong is not the file's.
    """
    try:
        table = parse_json(read_file(path))
    except (OSError, ValueError) as problem:
        pass_on_unreadable(problem, f"reading {path}")
        raise error(f"cannot read {path}: {brief(problem)}. {way}") from problem
    check_types(kind, table, path, way, error=error)
    return dict(table)


def is_typed(kind: Any, table: Any) -> bool:
    """Say whether a table is of a type, where one that is not counts as missing.

    >>> from typing_extensions import TypedDict
    >>> @typed
    ... class Row(TypedDict, total=False):
    ...     value: Number
    >>> is_typed(Row, {"value": None, "more": 1}), is_typed(Row, {"value": "x"}), is_typed(Row, [])
    (True, False, False)
    """
    try:
        _adapter(kind).validate_python(table)
    except ValidationError:
        return False
    return True


def is_of(hint: Any, value: Any) -> bool:
    """Say whether a value is of a type, strictly: a number is no truth value, and finite.

    >>> is_of(tuple[str, ...], ("a",)), is_of(float | None, None), is_of(int, True), is_of(float, 1)
    (True, True, False, True)
    """
    try:
        _of(hint).validate_python(value)
    except ValidationError:
        return False
    return True


def check_types(
    kind: Any,
    table: Any,
    path: Path | str,
    way: str,
    *,
    only: set[str] | None = None,
    error: type[XlserError] = RunError,
) -> None:
    """See that a table is of a type.

    Args:
        kind: a TypedDict.
        table: what the file holds.
        path: of the file, for the message.
        way: out, a sentence.
        only: keys to look at; all unless given.
        error: what is raised.

    Raises:
        XlserError: something is of another type; the first few are named, each with its key, the rule and the value.

    >>> from typing_extensions import TypedDict
    >>> @typed
    ... class Row(TypedDict, total=False):
    ...     value: Number
    >>> check_types(Row, {"value": 0.5, "more": []}, "results.json", "Run again.")
    >>> check_types(Row, {"value": "0.5"}, "results.json", "Run again.")
    Traceback (most recent call last):
    xlser.errors.RunError: results.json: `value` must be a number, but is '0.5' instead. Run again.
    """
    part = table if only is None or not isinstance(table, dict) else {k: v for k, v in table.items() if k in only}
    try:
        _adapter(kind).validate_python(part)
    except ValidationError as problem:
        faults = problem.errors(include_url=False)
        said = "; ".join(_fault(fault) for fault in faults[:3])
        more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise error(f"{path}: {said}{more}. {way}") from problem


def _fault(fault: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in fault["loc"] if "[" not in str(part))
    rule = _RULES.get(fault["type"]) or fault["msg"][:1].lower() + fault["msg"][1:]
    return f"`{brief(where, 120) or 'all of it'}` must be {rule}, but is {brief(repr(fault['input']), 60)} instead"


_RULES = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "a text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a table",
    "none_required": "null",
    "greater_than_equal": "a number that is not too small",
    "less_than_equal": "a number that is not too large",
}


@cache
def _of(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint, config=ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True))


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """Return what checks a type; to make it takes milliseconds."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}
