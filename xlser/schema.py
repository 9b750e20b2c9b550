"""Strict pydantic models whose errors read like sentences: all at once, each with the nearest known key."""

from __future__ import annotations

import typing
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, ValidationError, model_serializer

from xlser.errors import XlserError, did_you_mean, shortened
from xlser.filenames import LONGEST


class Strict(BaseModel):
    """A frozen model that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Grown(Strict):
    """A model to which fields were added after its dumps had been hashed.

    Those in ``later`` are dumped only where they differ from their defaults: what was hashed without them keeps its
    hash.

    >>> class Net(Grown):
    ...     later = frozenset({"bias"})
    ...     width: int = 2
    ...     bias: bool = True
    >>> Net().model_dump(), Net(bias=False).model_dump()
    ({'width': 2}, {'width': 2, 'bias': False})
    """

    later: ClassVar[frozenset[str]] = frozenset()

    def __hash__(self) -> int:
        return hash(self.model_dump_json())  # a field may be a mapping

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        silent = {
            name for name in self.later if getattr(self, name) == fields[name].get_default(call_default_factory=True)
        }
        return {name: value for name, value in dump(self).items() if name not in silent}


# Pydantic speaks of tuples and patterns; whoever writes YAML knows lists and words.
_MESSAGES = {
    "missing": "is missing",
    "tuple_type": "must be a list such as [a, b]",
    "too_short": "needs at least {min_length} of them",
    "dict_type": "must be a mapping such as {{key: value}}",
    "model_type": "must be a mapping such as {{key: value}}",
    "string_type": "must be text",
    "string_pattern_mismatch": "does not fit {pattern}: use lower-case letters, digits, - and _ for a name",
    "literal_error": "must be one of {expected}",
}

Model = TypeVar("Model", bound=BaseModel)


def validate(model: type[Model], values: dict[str, Any], name: str, error: type[XlserError]) -> Model:
    """Return ``model`` made from ``values``, or raise ``error`` with every problem, a line each.

    ``name`` says what is being read (a file name); it opens the message.
    """
    try:
        return model.model_validate(values)
    except ValidationError as problem:
        lines = [_line(model, item) for item in problem.errors()]
        raise error(f"{name}: {len(lines)} problem{'s' * (len(lines) > 1)}\n  " + "\n  ".join(lines)) from None


def _line(model: type[BaseModel], item: dict[str, Any]) -> str:
    parts = tuple(str(part) for part in item["loc"])
    # A key that is refused itself stands in its message; one of thousands of signs would hide what is wrong below it.
    parts = parts[:-2] if parts[-1:] == ("[key]",) else parts
    place = tuple(part if len(part) <= LONGEST else shortened(part) for part in parts)
    if item["type"] == "extra_forbidden":
        return f"{'.'.join(place)}: unknown key; {did_you_mean(place[-1], _keys_at(model, place[:-1]))}"
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] in _MESSAGES:
        message = _MESSAGES[item["type"]].format_map(item.get("ctx", {}))
    if isinstance(item["input"], bool) and item["type"] == "string_type":
        message = "must be text; YAML reads yes, no, on and off as true and false: put it in quotes"
    got = "" if item["type"] in {"missing", "value_error"} else f" (got {shortened(item['input'])})"
    return f"{'.'.join(place) or 'as a whole'}: {message}{got}"


def _keys_at(model: type[BaseModel], place: tuple[str, ...]) -> list[str]:
    for part in place:
        field = model.model_fields.get(part)
        inner = _model_in(field.annotation) if field else None
        model = inner or model
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    # In Python 3.10 dict[str, X] is an instance of type too, and issubclass then fails on it.
    if not typing.get_args(annotation) and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in typing.get_args(annotation) if (found := _model_in(part))), None)


def models_in(model: type[BaseModel]) -> list[type[BaseModel]]:
    """Return a model and the models that its fields hold, each once, the outer ones first."""
    found = [model]
    for outer in found:  # grows while it is walked
        for field in outer.model_fields.values():
            found += [inner for inner in _all_models_in(field.annotation) if inner not in found]
    return found


def _all_models_in(annotation: Any) -> list[type[BaseModel]]:
    if not typing.get_args(annotation) and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in typing.get_args(annotation) for found in _all_models_in(part)]
