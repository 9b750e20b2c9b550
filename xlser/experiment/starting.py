"""What can be seen to be wrong with a recipe before a recording is decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xlser.data.dataset import Dataset
from xlser.experiment.cases import drawn_clips
from xlser.experiment.corpora import AnyRecipe, joined, scored_labels
from xlser.experiment.seeds import check_ratings, make_seeds
from xlser.features.extractor import parts_of
from xlser.features.extractors import make_extractor
from xlser.training.encoder_recipe import EncoderRecipe


def check_start(recipe: AnyRecipe, parts: Mapping[str, Sequence[Dataset]]) -> None:
    """Refuse what a recipe needs and its corpora do not give (ratings, splits, clips), and unloadable checkpoints.

    Args:
        recipe: of a run.
        parts: the corpora that it names, by its texts.

    Raises:
        RecipeError, CorpusError, RunError: see `check_ratings`, `make_seeds`, `drawn_clips` and `check_checkpoints`.
    """
    source = joined(parts[recipe.source], recipe)
    check_ratings(recipe, source)
    make_seeds(recipe, source)
    for target in (joined(parts[text], recipe) for text in recipe.targets):
        labels, _ = scored_labels(target.frame["emotion"], recipe)
        drawn_clips(recipe, target.name, labels, target.frame["speaker"].to_numpy())
    check_checkpoints(recipe)


def check_checkpoints(recipe: AnyRecipe) -> None:
    """Load every pretrained encoder that a recipe names, and see that it has the layers that are asked for.

    Raises:
        RecipeError, RunError: it is not there or damaged, or its config does not fit; or it has no such layer.
    """
    if isinstance(recipe, EncoderRecipe):
        from xlser.models.checkpoints import load_encoder
        from xlser.training.encoder_step import assemble

        choice = recipe.encoder
        encoder = load_encoder(choice.weights, revision=choice.revision, dropout=choice.dropout)
        assemble(encoder, choice, next(iter(recipe.methods.values())), len(recipe.emotions), seed=0)
        return
    for part in parts_of(make_extractor(recipe.features.extractor)):
        if part.pretrained():
            part.columns()
            _ = part.shortest  # what one frame hears: the weights are loaded for it, and stay for the features
