"""JSON schemas of cards and recipes for editors: what they complete, explain and underline."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from xlser.corpora.card import Card
from xlser.schema import models_in
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe
from xlser.yamlfile import read_yaml

KINDS: dict[str, tuple[type[BaseModel], ...]] = {"card": (Card,), "recipe": (Recipe, EncoderRecipe)}


@cache
def described() -> dict[str, dict[str, str]]:
    """Return a sentence for every key, by the name of its model."""
    return read_yaml(Path(__file__).parent / "fields.yaml")


def json_schema(kind: str) -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a ``card`` or a ``recipe``, with a description of every key.

    It is made of the models that read them: what it refuses, they refuse, but for numbers in quotes. They know more
    than a schema can say (which keys go together, which columns a template names), so that what it takes may still be
    refused.

    >>> json_schema("card")["properties"]["licence"]["type"]
    'string'
    """
    models = KINDS[kind]
    made = [_described(model) for model in models]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"xlser {kind}"}
    if len(made) == 1:
        return head | made[0] | {"title": head["title"]}
    definitions = {name: part for schema in made for name, part in schema.pop("$defs", {}).items()}
    network, encoder = made
    # An encoder makes the one kind: an editor then underlines by that kind's keys, and not by all.
    choice = {"if": {"required": ["encoder"]}, "then": encoder, "else": network}
    return head | {"type": "object", **choice, "$defs": definitions}


# What may be written for short, which the models spell out before they look at it.
_SHORT: dict[str, list[dict[str, Any]]] = {
    "Card.verified": [{"const": "never"}],
    "Table.votes": [{"const": "rows"}],
    "Recipe.adapt": [{"type": "array"}],
    "EncoderRecipe.adapt": [{"type": "array"}],
    "Recipe.model": [{"const": "none"}],
    "Recipe.features": [{"type": "array"}, {"type": "object", "required": ["encoder"]}],
    "FeatureChoice.extractor": [{"type": ["array", "object"]}],
    "Objective.losses": [{"type": "array"}],
    "EncoderChoice.lora": [{"type": "integer"}],
    "Terms": [{"type": "number"}],
}


def _with_texts(part: Any) -> Any:
    """Return a schema in which a text stands for a list of it alone, wherever in it."""
    if isinstance(part, list):
        return [_with_texts(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    made = {name: _with_texts(inner) for name, inner in part.items()}
    items = part.get("items")
    return {"anyOf": [items, made]} if isinstance(items, dict) and items.get("type") == "string" else made


def _described(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    parts = {model.__name__: schema, **schema.get("$defs", {})}
    for inner in models_in(model):
        properties = parts[inner.__name__]["properties"]
        for key in inner.model_fields:
            short = _SHORT.get(f"{inner.__name__}.{key}", _SHORT.get(inner.__name__, []))
            value = _with_texts(properties[key])
            properties[key] = ({"anyOf": [value, *short]} if short else value) | {
                "description": described()[inner.__name__][key]
            }
    return schema
