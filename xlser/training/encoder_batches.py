"""The batches of fine-tuning, looked at before the first of them is computed."""

from __future__ import annotations

import numpy as np

from xlser.data.balanced_clips import BalancedClips
from xlser.data.clip_batches import ClipBatches
from xlser.data.spans import Span
from xlser.errors import RecipeError
from xlser.models.classifier import EmotionNetwork
from xlser.training.common import Balanced
from xlser.training.encoder_plan import EncoderPlan, Labelled
from xlser.training.loss_terms import Terms
from xlser.vocabulary import DIMENSIONS


def make_batches(
    plan: EncoderPlan, data: Labelled, train: np.ndarray, spans: list[Span], sample_rate: int
) -> ClipBatches | BalancedClips:
    """Return the sampler of a plan, after a look at the batches of every epoch.

    Raises:
        RecipeError: see `ClipBatches`, or a batch in which a term finds nothing to compare.
    """
    choice, ranks = plan.recipe.training, plan.ranks
    across, codes = _across(plan.terms, data)
    emotion, classes = data.emotion[train], choice.classes
    if (emotion < 0).all() and not (plan.terms.classifies or plan.terms.compares):
        emotion, classes = np.zeros_like(emotion), 1  # rated and not labelled: any clips make a batch
    seconds = np.array([span.stop - span.start for span in spans]) / sample_rate

    def of(rows: np.ndarray) -> ClipBatches:
        return ClipBatches(
            seconds[rows],
            emotion[rows],
            budget=choice.seconds,
            classes=classes,
            clips=choice.clips,
            spread=np.stack([data.speaker[train][rows], data.language[train][rows]], axis=1),
            seed=plan.seed,
            rank=ranks.rank,
            world=ranks.world,
            mixed=None if codes is None else codes[train][rows],
            mixed_name=across,
        )

    groups = _groups(data, train, choice.balance)
    batches = of(np.arange(len(train))) if groups is None else BalancedClips(groups, emotion, of, plan.seed)
    for epoch in range(1, choice.epochs + 1):
        batches.set_epoch(epoch)
        for rows in batches.whole():
            check_batch(plan.terms, data, train[rows])
    return batches


def _groups(data: Labelled, train: np.ndarray, balance: tuple[Balanced, ...]) -> np.ndarray | None:
    """Return the code of each training clip's group; None where all are of one, as without ``balance``."""
    columns = {"corpus": data.corpus, "emotion": data.emotion}
    several = [column[train] for name in balance if (column := columns[name]) is not None]
    codes = np.unique(np.stack(several), axis=1, return_inverse=True)[1].ravel() if several else np.zeros(1)
    return codes if codes.any() else None


def _across(terms: Terms, data: Labelled) -> tuple[str, np.ndarray | None]:
    """Return what pairs of a class must differ in, and its codes; every batch is made to hold such pairs."""
    name = next((term.parted for term in terms.given.values() if term.parted), "")
    return name, {"speaker": data.speaker, "language": data.language}.get(name)


def check_plan(plan: EncoderPlan, network: EmotionNetwork, data: Labelled, validation: np.ndarray) -> None:
    """Refuse what cannot be trained or judged, before the first step.

    Raises:
        RecipeError: nothing learns, validation clips that no epoch can be judged on, or float16 without a GPU.
    """
    terms = plan.terms
    learning = [*network.encoder.parameters(), *network.pools.parameters(), *network.projections.parameters()]
    if not (terms.heads or any(parameter.requires_grad for parameter in learning)):
        raise RecipeError(
            "nothing learns: the encoder is frozen, and no term has a head or a projection of its own. "
            "Set encoder.freeze to less than all, or give the term a projection."
        )
    if plan.recipe.training.precision == "float16" and not plan.ranks.device.startswith("cuda"):
        raise RecipeError("training.precision float16 needs a GPU. Use bfloat16 or float32.")
    labels = data.emotion[validation]
    counts = np.bincount(labels[labels >= 0])
    if not (counts.any() if terms.classifies else _comparable(counts) or not terms.compares):
        raise RecipeError(
            f"the validation speakers have too few clips of the recipe's emotions to judge an epoch by "
            f"({counts.sum():.0f}, of {np.count_nonzero(counts)} emotions). Choose another split or other emotions."
        )
    if not terms.classifies:
        check_batch(terms, data, validation, what="the validation set")


def check_batch(terms: Terms, data: Labelled, rows: np.ndarray, what: str = "a batch") -> None:
    """Refuse a batch in which a term finds nothing to compare: the sampler cannot promise ratings or languages.

    Raises:
        RecipeError: the term, what it lacks, and the way out.
    """
    # A head of several dimensions learns from those that a batch has.
    for names in [names for term in terms.given.values() for names in term.learns]:
        if not any(_varies(data.ratings[rows, DIMENSIONS.index(name)]) for name in names):
            raise RecipeError(
                f"{what} has no two different ratings of {' or '.join(names)}, which the recipe learns. "
                "Raise training.seconds, or choose a source with more ratings."
            )
    name, column = _across(terms, data)
    if column is not None and not _meets(data.emotion[rows], column[rows]):
        raise RecipeError(
            f"contrastive.pairs cross-{name}: {what} has no two clips of one emotion by different {name}s. "
            f"Raise training.seconds or training.clips, or train on a source with more {name}s."
        )


def _varies(ratings: np.ndarray) -> bool:
    return len(np.unique(ratings[np.isfinite(ratings)])) > 1


def _comparable(counts: np.ndarray) -> bool:
    """Tell whether there are two classes, and two clips of one."""
    return np.count_nonzero(counts) > 1 and counts.max() > 1


def _meets(emotion: np.ndarray, groups: np.ndarray) -> bool:
    pairs = np.unique(np.stack([emotion, groups])[:, emotion >= 0], axis=1)
    return bool((np.bincount(pairs[0]) > 1).any()) if pairs.size else False
