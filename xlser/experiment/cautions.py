"""What a reader of a run should know before believing it, in sentences computed from the run."""

from __future__ import annotations

from collections import Counter

from xlser.experiment.autoencoders import Features, Trained
from xlser.experiment.corpora import AnyRecipe, Corpus, copies, twins
from xlser.experiment.seeds import Seed, fold_note
from xlser.features.extractors import random_weights
from xlser.training.recipe import Recipe
from xlser.vocabulary import FEATURES

_SHOWN = 3


def cautions(recipe: AnyRecipe, corpora: list[Corpus], systems: list[Features | Trained]) -> list[str]:
    """Return sentences on copied recordings, speakers never held out and training that was cut short.

    Those that make a number untrue, rather than doubtful, begin with ``WARNING``. ``corpora`` has the source first.
    """
    source, *targets = corpora
    seeds = list({system.seed.number: system.seed for system in systems}.values())
    trained = [system for system in systems if system.method != FEATURES]
    told = [_copied(source, target) for target in targets] + [_twins(corpus) for corpus in corpora]
    covered = "" if recipe.split.parts else _coverage(source, seeds)  # an official split tests whom it tests
    told += [_random(recipe), *fold_note(recipe, source), covered, *_unfinished(recipe, trained)]
    return [text for text in told if text]


def _random(recipe: AnyRecipe) -> str:
    """Say so where the features come from weights that were never trained; a report says it of a fine-tuned encoder."""
    names = random_weights(recipe.features.extractor) if isinstance(recipe, Recipe) else []
    if not names:
        return ""
    return (
        f"WARNING: The weights of {', '.join(names)}, whose states are the features, are random, not pretrained: the "
        "numbers say that the machinery works, not what the method reaches."
    )


def _copied(source: Corpus, target: Corpus) -> str:
    found = copies(source, target)
    if not found:
        return ""
    return (
        f"WARNING: {len(found)} of the {len(target.frame)} recordings of {target.name} are also in the source "
        f"{source.name}, such as {', '.join(found[:_SHOWN])}: the model was trained on them."
    )


def _twins(corpus: Corpus) -> str:
    pairs = twins(corpus)
    shown = "; ".join(f"{one} = {other}" for one, other in pairs[:_SHOWN])
    if not pairs:
        return ""
    what = "1 recording is a copy" if len(pairs) == 1 else f"{len(pairs)} recordings are copies"
    return f"{corpus.name}: {what} of another ({shown})."


def _coverage(source: Corpus, seeds: list[Seed]) -> str:
    tested = {name for seed in seeds for name in source.frame["speaker"].iloc[seed.split.test]}
    count = source.frame["speaker"].nunique()
    if len(seeds) > len({seed.split.hash for seed in seeds}):
        return (
            f"training.seeds ({len(seeds)}) is larger than the number of folds: some speakers are held out repeatedly."
        )
    if len(tested) == count or not any(len(seed.split.test) for seed in seeds):
        return ""
    return (
        f"{len(tested)} of the {count} speakers of {source.name} are ever held out: training.seeds ({len(seeds)}) "
        "is smaller than the number of folds. A seed for each fold tests them all."
    )


def _unfinished(recipe: AnyRecipe, trained: list[Trained]) -> list[str]:
    every = Counter(model.method for model in trained)
    late = Counter(model.method for model in trained if model.best_epoch == recipe.training.epochs)
    told = [f"{late[name]} of {every[name]} of “{name}”" for name in every if 2 * late[name] > every[name]]
    return (
        [f"Models that were best in their last epoch: {', '.join(told)}; more training.epochs may help."]
        if told
        else []
    )
