"""The batches of fine-tuning, looked at before the first of them is computed."""

from __future__ import annotations

import numpy as np

from xlser.data.clip_batches import ClipBatches
from xlser.errors import RecipeError
from xlser.models.classifier import DIMENSIONS
from xlser.training.encoder_plan import EncoderPlan, Labelled
from xlser.training.encoder_recipe import Terms
from xlser.training.inputs import Span


def make_batches(
    plan: EncoderPlan, data: Labelled, train: np.ndarray, spans: list[Span], sample_rate: int
) -> ClipBatches:
    """Return the sampler of a plan, after a look at the batches of every epoch.

    Raises:
        RecipeError: see `ClipBatches`, or a batch in which a term finds nothing to compare.
    """
    choice, ranks = plan.recipe.training, plan.ranks
    batches = ClipBatches(
        np.array([span.stop - span.start for span in spans]) / sample_rate,
        data.emotion[train],
        budget=choice.seconds,
        classes=choice.classes,
        clips=choice.clips,
        spread=np.stack([data.speaker[train], data.language[train]], axis=1),
        seed=plan.seed,
        rank=ranks.rank,
        world=ranks.world,
    )
    for epoch in range(1, choice.epochs + 1):
        batches.set_epoch(epoch)
        for rows in batches.whole():
            check_batch(plan.terms, data, train[rows])
    return batches


def check_batch(terms: Terms, data: Labelled, rows: np.ndarray) -> None:
    """Refuse a batch in which a term finds nothing to compare: the sampler cannot promise ratings or languages.

    Raises:
        RecipeError: the term, what it lacks, and the way out.
    """
    for name in terms.rated:
        ratings = data.ratings[rows, DIMENSIONS.index(name)]
        if len(np.unique(ratings[np.isfinite(ratings)])) < 2:
            raise RecipeError(
                f"a batch has no two different ratings of {name}, which the recipe learns. "
                "Raise training.seconds, or choose a source with more ratings."
            )
    policy = terms.contrastive.pairs if terms.contrastive else ""
    column = {"cross-speaker": data.speaker, "cross-language": data.language}.get(policy)
    if column is not None and not _meets(data.emotion[rows], column[rows]):
        what = policy.removeprefix("cross-")
        raise RecipeError(
            f"contrastive.pairs {policy}: a batch has no two clips of one emotion by different {what}s. "
            f"Raise training.seconds or training.clips, or train on a source with more {what}s."
        )


def _meets(emotion: np.ndarray, groups: np.ndarray) -> bool:
    pairs = np.unique(np.stack([emotion, groups])[:, emotion >= 0], axis=1)
    return bool((np.bincount(pairs[0]) > 1).any()) if pairs.size else False
