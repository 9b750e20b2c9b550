"""The reference, made from the code: commands, cards, recipes, emotions and the Python API as Markdown."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import click
from pydantic import BaseModel

from xlser.corpora.card import Card, card_paths, load_card
from xlser.corpora.emotions import KNOWN
from xlser.corpora.words import words_of
from xlser.docs.schemas import described
from xlser.schema import models_in
from xlser.shipped import shipped_folder
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.load import recipe_paths
from xlser.training.recipe import Recipe
from xlser.vocabulary import DIMENSIONS
from xlser.yamlfile import read_yaml


def reference_pages(group: click.Group) -> dict[str, str]:
    """Return the text of every page of the reference by its name without suffix.

    Args:
        group: the command line.
    """
    return {
        "commands": "# Commands\n\n" + "\n".join(_commands(group, "xlser")),
        "cards": "# Corpus cards\n\n" + _model(Card) + _table(("card", "title", "licence"), _cards()),
        "recipes": "# Recipes\n\n" + _table(("recipe", "what it is for"), _recipes()),
        "recipe-keys": "# Keys of a recipe\n\n" + _model(Recipe),
        "encoder-recipe-keys": "# Keys of a recipe that fine-tunes an encoder\n\n" + _model(EncoderRecipe),
        "emotions": "# Canonical emotions\n\n" + _emotions(),
        "python": "# Python\n\n" + "\n".join(_python()),
    }


def _commands(command: click.Command, name: str) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    yield f"## {name}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for verb in command.list_commands(context):
            inner = command.get_command(context, verb)
            if inner is not None and not inner.hidden:
                yield from _commands(inner, f"{name} {verb}")


def _model(model: type[BaseModel]) -> str:
    """Return the keys of a model and of those in it, each with its type and default, under its docstring."""
    parts = []
    for inner in models_in(model):
        said = described()[inner.__name__]
        rows = [
            (f"`{name}`", said[name], f"`{_type(field.annotation)}`", _default(field))
            for name, field in inner.model_fields.items()
        ]
        parts.append(
            f"## {inner.__name__}\n\n{_prose(inner)}\n\n" + _table(("key", "what it means", "type", "default"), rows)
        )
    return "\n".join(parts)


def _prose(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").replace("``", "`")


def _type(annotation: Any) -> str:
    text = getattr(annotation, "__name__", None) if isinstance(annotation, type) else None
    text = text or str(annotation)
    for noise in ("typing.", "xlser.corpora.parts.", "xlser.training.", "NoneType"):
        text = text.replace(noise, "")
    return text.replace("|", "or")[:120]


def _default(field: Any) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    return f"`{'null' if value is None else str(value).replace('|', 'or')[:80]}`"


def _cards() -> Iterator[tuple[str, str, str]]:
    for name in card_paths():
        card = load_card(name)
        yield f"`{name}`", card.title, card.licence


def _recipes() -> Iterator[tuple[str, str]]:
    for name in recipe_paths():
        values = read_yaml(shipped_folder("recipes") / f"{name}.yaml")
        yield f"`{name}`", " ".join(str(values.get("description", "")).split())


def _emotions() -> str:
    rows = [(f"`{name}`", ", ".join(words_of(name)[:12])) for name in sorted(KNOWN)]
    dimensions = ", ".join(f"`{name}`" for name in DIMENSIONS)
    return (
        _table(("emotion", "labels that `corpora init` takes for it, among others"), rows)
        + f"\nDimensions: {dimensions}, on about [-1, 1]. An emotion of a corpus alone is declared in its card: "
        "`own_emotions: [poker_face]`.\n"
    )


def _python() -> Iterator[str]:
    import xlser

    for name in sorted(xlser.__all__):
        thing = getattr(xlser, name)
        if inspect.ismodule(thing) or not callable(thing):
            continue
        yield f"## xlser.{name}\n\n```text\n{name}{_signature(thing)}\n\n{inspect.getdoc(thing) or ''}\n```\n"
        members = inspect.getmembers(thing, inspect.isfunction) if inspect.isclass(thing) else []
        for verb, method in members:
            if not verb.startswith("_") and method.__module__.startswith("xlser"):
                said = f"{verb}{_signature(method)}\n\n{inspect.getdoc(method) or ''}"
                yield f"### {name}.{verb}\n\n```text\n{said}\n```\n"


def _signature(thing: Any) -> str:
    try:
        return str(inspect.signature(thing)).replace("xlser.", "")
    except (TypeError, ValueError):
        return "(...)"


def _table(heads: tuple[str, ...], rows: Any) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(cell.replace("\n", " ") for cell in row) + " |" for row in rows]) + "\n"
