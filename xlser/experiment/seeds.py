"""Seeds: each holds out another part of the source's speakers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from xlser.data.dataset import Dataset
from xlser.data.official_split import official_notes
from xlser.data.splits import Split, adapted_splits
from xlser.errors import CorpusError, RecipeError
from xlser.experiment.corpora import Corpus
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe


@dataclass(frozen=True)
class Seed:
    """One training: ``number`` seeds its initial weights and its batches, ``split`` is that of ``fold``.

    ``place`` counts the trainings of a run: the first one is what pictures and questions beside the scores are of.
    """

    number: int
    split: Split
    fold: int = 0
    place: int = 0


def make_seeds(recipe: Recipe | EncoderRecipe, source: Corpus | Dataset) -> list[Seed]:
    """Split the source once and give each training a seed and a fold.

    With as many seeds as folds, and no repeats, every speaker is held out once.
    """
    splits, first = _splits(recipe, source)[0], recipe.training.first_seed
    folds = [place // recipe.split.repeats % len(splits) for place in range(recipe.training.seeds)]
    return [Seed(first + place, splits[fold], fold, place) for place, fold in enumerate(folds)]


def make_folds(recipe: Recipe | EncoderRecipe, source: Corpus) -> dict[str, int | str]:
    """Return how many folds were ``asked`` for and ``made``, and ``why`` they differ; empty where they do not.

    Kinds of split that take no number of folds ask for those that there are.
    """
    splits, why = _splits(recipe, source)
    asked = recipe.split.folds if recipe.split.kind in ("speaker-folds", "shared-speakers") else len(splits)
    return {"asked": asked, "made": len(splits), "why": why}


def fold_note(recipe: Recipe | EncoderRecipe, source: Corpus) -> list[str]:
    """Return a sentence where the folds are not those that were asked for, or parts of a split are left out."""
    folds = make_folds(recipe, source)
    told = f"{source.name}: split.folds is {folds['asked']}, but {folds['made']} folds were made, since {folds['why']}."
    official = official_notes(source.frame, recipe.split.parts) if recipe.split.parts else []
    return [told] * bool(folds["why"]) + [f"{source.name}: {note}." for note in official]


def _splits(recipe: Recipe | EncoderRecipe, source: Corpus | Dataset) -> tuple[list[Split], str]:
    choice = recipe.split
    given = [{part: list(members) for part, members in fold.items()} for fold in choice.given]
    try:
        return adapted_splits(
            source.frame,
            choice.kind,
            folds=choice.folds,
            seed=choice.seed,
            given=given,
            parts=choice.parts,
            validation_clips=choice.validation_clips,
        )
    except CorpusError as error:
        raise CorpusError(f"corpus {source.name}: {error}") from None


def check_ratings(recipe: Recipe | EncoderRecipe, source: Corpus | Dataset) -> None:
    """Stop before any training if a method needs ratings that the source does not have.

    Raises:
        RecipeError: the method, the dimension and the ways out are named.
    """
    for name, method in recipe.methods.items():
        for dimension in method.rated:
            if not np.isfinite(source.frame[dimension].to_numpy(dtype=float)).any():
                told = source if isinstance(source, Dataset) else source.dataset
                notes = "".join(f" ({note})" for note in told.notes)
                raise RecipeError(
                    f"methods.{name} learns {dimension}, but corpus {source.name} has no {dimension} "
                    f"ratings{notes}. Give the ratings, choose another source, or take positions of emotion "
                    "words instead: --set ratings=derived, or in Python dataset.with_derived_ratings()"
                )


def split_row(source: Corpus, seed: Seed) -> dict[str, Any]:
    """Return who trains, validates and is tested under a seed, JSON-able."""
    speakers = {
        part: sorted(set(source.frame["speaker"].iloc[getattr(seed.split, part)]))
        for part in ("train", "validation", "test")
    }
    sizes = {part: len(getattr(seed.split, part)) for part in speakers}
    return {
        "seed": seed.number,
        "fold": seed.fold,
        "hash": seed.split.hash,
        "speakers": speakers,
        "utterances": sizes,
        "shared": list(seed.split.shared),
    }
