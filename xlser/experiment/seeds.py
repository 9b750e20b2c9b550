"""Seeds: each holds out another part of the source's speakers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xlser.data.splits import Split, adapted_splits
from xlser.errors import RecipeError
from xlser.experiment.corpora import Corpus
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe


@dataclass(frozen=True)
class Seed:
    """One seed and its split of the source."""

    number: int
    split: Split


def make_seeds(recipe: Recipe | EncoderRecipe, source: Corpus) -> list[Seed]:
    """Split the source once and give each seed a fold: with as many seeds as folds every speaker is held out once."""
    splits = _splits(recipe, source)[0]
    return [Seed(number, splits[number % len(splits)]) for number in range(recipe.training.seeds)]


def make_folds(recipe: Recipe | EncoderRecipe, source: Corpus) -> dict[str, int | str]:
    """Return how many folds were ``asked`` for and ``made``, and ``why`` they differ; empty where they do not.

    Kinds of split that take no number of folds ask for those that there are.
    """
    splits, why = _splits(recipe, source)
    asked = recipe.split.folds if recipe.split.kind in ("speaker-folds", "shared-speakers") else len(splits)
    return {"asked": asked, "made": len(splits), "why": why}


def fold_note(recipe: Recipe | EncoderRecipe, source: Corpus) -> list[str]:
    """Return a sentence where the folds are not those that were asked for."""
    folds = make_folds(recipe, source)
    told = f"{source.name}: split.folds is {folds['asked']}, but {folds['made']} folds were made, since {folds['why']}."
    return [told] if folds["why"] else []


def _splits(recipe: Recipe | EncoderRecipe, source: Corpus) -> tuple[list[Split], str]:
    choice = recipe.split
    given = [{part: list(members) for part, members in fold.items()} for fold in choice.given]
    return adapted_splits(source.frame, choice.kind, folds=choice.folds, seed=choice.seed, given=given)


def check_ratings(recipe: Recipe | EncoderRecipe, source: Corpus) -> None:
    """Stop before any training if a method needs ratings that the source does not have.

    Raises:
        RecipeError: the method, the dimension and the ways out are named.
    """
    for name, method in recipe.methods.items():
        for dimension in method.rated:
            if not np.isfinite(source.ratings[dimension]).any():
                notes = "".join(f" ({note})" for note in source.dataset.notes)
                raise RecipeError(
                    f"methods.{name} learns {dimension}, but corpus {source.name} has no {dimension} "
                    f"ratings{notes}. Give the ratings, choose another source, or take positions of emotion "
                    "words instead: --set ratings=derived, or in Python dataset.with_derived_ratings()"
                )
