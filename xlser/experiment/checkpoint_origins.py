"""Which pretrained checkpoints a recipe rests on, and where each comes from, for its results."""

from __future__ import annotations

from typing import Any

from xlser.errors import XlserError
from xlser.experiment.corpora import AnyRecipe
from xlser.features.extractors import make_extractor
from xlser.models.origin import origin
from xlser.training.encoder_recipe import EncoderRecipe


def checkpoint_origins(recipe: AnyRecipe) -> dict[str, list[dict[str, Any]]]:
    """Return, under ``checkpoints``, a row for each (see `xlser.models.origin`); empty where there is none.

    Random weights are none. What cannot be found any more is named as the recipe names it.

    >>> from xlser.training.recipe import Recipe
    >>> checkpoint_origins(Recipe(name="dae", source="emodb", targets=("urdu",)))
    {}
    """
    rows = [_row(about) for about in _asked(recipe) if not str(about["weights"]).startswith("random:")]
    return {"checkpoints": rows} if rows else {}


def _asked(recipe: AnyRecipe) -> list[dict[str, Any]]:
    if isinstance(recipe, EncoderRecipe):
        return [{"weights": recipe.encoder.weights, "revision": recipe.encoder.revision}]
    return make_extractor(recipe.features.extractor).pretrained()


def _row(about: dict[str, Any]) -> dict[str, Any]:
    try:
        return about | origin(about["weights"], revision=about.get("revision"))
    except XlserError:  # results must not be lost because a checkpoint is gone that training no longer needs
        return about
