"""From clips to a fine-tuned network: batches, loaders, and the brain that goes through them."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from xlser.data.spans import Span
from xlser.errors import RunError
from xlser.models.classifier import EmotionNetwork
from xlser.models.threads import NARROW, one_thread
from xlser.training.encoder_batches import check_plan, make_batches
from xlser.training.encoder_brain import EncoderBrain
from xlser.training.encoder_plan import EncoderPlan, FittedEncoder, Labelled
from xlser.training.inputs import middle
from xlser.training.ranks import same_everywhere


def fit_encoder(
    plan: EncoderPlan, network: EmotionNetwork, data: Labelled, train: np.ndarray, validation: np.ndarray
) -> FittedEncoder:
    """Fine-tune one network, going on from the newest checkpoint in ``plan.folder`` if there is one.

    Args:
        plan: recipe, method, seed and folder.
        network: fresh, from `build_classifier`; its weights are changed.
        data: clips and targets of the source.
        train: rows to train on.
        validation: rows of the source's validation speakers; the epoch with the best UA on them is the one kept.

    Raises:
        RecipeError: batches that cannot serve the losses, before any training.
        RunError: a loss or an embedding that is not finite (clips are named), out of memory, a checkpoint of
            another recipe, or processes that began with different weights.
    """
    longest = int(plan.recipe.encoder.longest * network.encoder.rate)
    spans = [middle(int(row), int(data.clips.samples[row]), longest) for row in train]
    check_plan(plan, network, data, validation)
    if not same_everywhere(network):
        raise RunError(
            f"the processes began with different weights of {plan.recipe.encoder.weights}. Give encoder.revision a "
            "commit, or the folder of one checkpoint that all of them see."
        )
    batches = make_batches(plan, data, train, spans, network.encoder.rate)
    brain = EncoderBrain(plan, network, data, train, batches)
    loader = DataLoader(_Spans(spans), sampler=batches, batch_size=None, collate_fn=_as_is)
    whole = DataLoader(_Rows(validation), sampler=[0], batch_size=None, collate_fn=_as_is)
    with one_thread(network.encoder.width < NARROW):
        brain.fit(brain.remaining(), loader, whole)
    network = brain.network.eval()
    network.load_state_dict({**network.state_dict(), **_inner(brain.best)})
    return FittedEncoder(network, brain.best_epoch, brain.curve)


class _Spans(Dataset):
    """What the sampler's positions stand for: the trained part of each clip."""

    def __init__(self, spans: list[Span]) -> None:
        self.spans = spans

    def __len__(self) -> int:
        return len(self.spans)

    def __getitem__(self, positions: np.ndarray) -> list[Span]:
        return [self.spans[position] for position in positions]


class _Rows(Dataset):
    def __init__(self, rows: np.ndarray) -> None:
        self.rows = rows

    def __getitem__(self, _: int) -> np.ndarray:
        return self.rows


def _inner(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix("network."): tensor for name, tensor in tensors.items()}


def _as_is(item: Any) -> Any:
    return item
