"""Recipes from files: one's own, or xlser's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xlser.errors import RecipeError, did_you_mean
from xlser.features.extractor import parts_of
from xlser.features.extractors import make_extractor
from xlser.schema import validate
from xlser.shipped import shipped_folder
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe
from xlser.yamlfile import parse_yaml, read_yaml


def load_recipe(path: str | Path, overrides: tuple[str, ...] = ()) -> Recipe | EncoderRecipe:
    """Load a recipe from a file, or one of xlser's own by the same path outside a checkout.

    One that has ``encoder`` fine-tunes a speech encoder; any other trains autoencoders on acoustic features.

    Args:
        path: a YAML file; ``recipes/emodb/dae-activation.yaml`` and ``emodb/dae-activation`` find the shipped one.
        overrides: texts such as ``training.epochs=5``; the value is read as YAML.

    Raises:
        RecipeError: no such file, an unknown key, a wrong type or a value out of range; all of them at once.
    """
    found = find_recipe(Path(path))
    values = read_yaml(found, RecipeError)
    for text in overrides:
        _set(values, text)
    kind = EncoderRecipe if "encoder" in values else Recipe
    return validate(kind, values, f"recipe {found}", RecipeError)


def feature_libraries(recipe: Recipe | EncoderRecipe) -> dict[str, str]:
    """Return what a recipe's features need, import name to distribution; a fine-tuned encoder has no features."""
    if isinstance(recipe, EncoderRecipe):
        return {}
    parts = parts_of(make_extractor(recipe.features.extractor))
    return {name: called for part in parts for name, called in part.libraries.items()}


def recipe_paths() -> list[str]:
    """Return xlser's own recipes as ``corpus/name``, those of published tables as ``published/table/name``."""
    root = shipped_folder("recipes")
    return sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.yaml"))


def find_recipe(name: str | Path) -> Path:
    """Return the file of a recipe: a path, or the name of one of xlser's own.

    Raises:
        RecipeError: there is none.
    """
    path = Path(name)
    if path.is_file():
        return path
    parts = path.parts[1:] if path.parts[:1] == ("recipes",) else path.parts
    own = shipped_folder("recipes").joinpath(*parts).with_suffix(".yaml")
    if own.is_file() and not path.is_absolute():
        return own
    name = Path(*parts).with_suffix("").as_posix()
    raise RecipeError(f"no recipe at {path}; {did_you_mean(name, recipe_paths())}")


def _set(values: dict[str, Any], text: str) -> None:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise RecipeError(f"--set needs KEY=VALUE such as training.epochs=5, but is {text!r} instead.")
    *groups, last = key.strip().split(".")
    for group in groups:
        values = values.setdefault(group, {})
        if not isinstance(values, dict):
            raise RecipeError(f"--set {text}: {group!r} is a value, not a group of keys.")
    values[last] = parse_yaml(f"value: {value}", f"--set {text}", RecipeError)["value"]
