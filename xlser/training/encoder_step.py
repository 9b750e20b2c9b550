"""The loss of a fine-tuned encoder as pure functions of embeddings: knows no trainer and no audio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from xlser.errors import RecipeError
from xlser.losses import class_weights, contrastive, cross_entropy, dimension_ccc, supcon
from xlser.models.checkpoints import load_encoder
from xlser.models.classifier import EMBEDDING, EmotionNetwork
from xlser.models.pooling import LayerPool
from xlser.training.encoder_recipe import EncoderChoice, Feed, Terms
from xlser.training.step import METRICS
from xlser.vocabulary import DIMENSIONS


class Targets(NamedTuple):
    """What a batch of N clips is taught: ``emotion`` (N,) class codes, -1 where not scored; ``ratings`` (N, 3) in the
    order of `DIMENSIONS`, NaN where not rated; ``speaker`` and ``language`` (N,) codes."""

    emotion: Tensor
    ratings: Tensor
    speaker: Tensor
    language: Tensor


def build_classifier(choice: EncoderChoice, terms: Terms, classes: int, seed: int) -> EmotionNetwork:
    """Return the checkpoint with fresh heads; the same seed gives the same weights.

    The encoder of ``random:`` weights is the same for every seed, as one that was read from a file would be.

    Raises:
        RunError: see `load_encoder`. RecipeError: a layer that the encoder does not have.
    """
    encoder = load_encoder(choice.weights, revision=choice.revision, dropout=choice.dropout)
    return assemble(encoder, choice, terms, classes, seed)


def assemble(encoder, choice: EncoderChoice, terms: Terms, classes: int, seed: int) -> EmotionNetwork:
    """Freeze ``encoder`` as chosen and put fresh heads on it.

    Raises:
        RecipeError: a layer that the encoder does not have.
    """
    feed = terms.contrastive.feed if terms.contrastive else None
    _check_layers(encoder.layers, choice, feed)
    encoder.freeze({"nothing": -1, "front": 0, "all": encoder.layers}.get(choice.freeze, choice.freeze))
    projections = {name: term.projection for name, term in terms.given.items() if getattr(term, "projection", None)}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pool = LayerPool(encoder.layers, encoder.width, choice.layer, choice.pooling)
        fed = LayerPool(encoder.layers, encoder.width, feed.layer, feed.pooling) if feed else None
        return EmotionNetwork(encoder, pool, classes=classes, fed=fed, projections=projections)


def _check_layers(layers: int, choice: EncoderChoice, feed: Feed | None) -> None:
    asked = {"encoder.layer": choice.layer, "encoder.freeze": choice.freeze}
    if feed:
        asked["contrastive.feed.layer"] = feed.layer
    for name, layer in asked.items():
        if not isinstance(layer, str) and not -layers - 1 <= layer <= layers:
            raise RecipeError(f"{name} is {layer}, but {choice.weights} has {layers} layers, numbered from 1.")


class Given(NamedTuple):
    """What a term may need besides the batch: class weights of the cross-entropy, and a generator of drawn pairs."""

    balance: Tensor | None = None
    generator: torch.Generator | None = None


def weighted_sum(
    network: EmotionNetwork, embedded: Mapping[str, Tensor], targets: Targets, terms: Terms, given: Given | None = None
) -> dict[str, Tensor]:
    """Return each term by name and their weighted sum under ``loss``.

    Args:
        network: its heads and projections.
        embedded: what `EmotionNetwork.embed` gave for the whole batch.
        targets: of the same rows. Rows without a class take no part in losses on classes, rows without a rating none
            in those on that dimension.
        terms: the method.
        given: class weights and generator.

    Raises:
        ValueError: a loss cannot be computed on this batch.
    """
    given = given or Given()
    parts = {
        name: TERMS[name](network, {k: v.float() for k, v in embedded.items()}, targets, term, given)
        for name, term in terms.given.items()
    }
    total = torch.stack([getattr(terms, name).weight * value for name, value in parts.items()]).sum()
    return {**parts, "loss": total}


def _cross_entropy(network, embedded, targets, term, given) -> Tensor:
    known = targets.emotion >= 0
    logits = network.classes(embedded[EMBEDDING][known]).float()
    return cross_entropy(logits, targets.emotion[known], weights=given.balance, smoothing=term.smoothing)


def _supcon(network, embedded, targets, term, given) -> Tensor:
    known = targets.emotion >= 0
    return supcon(
        network.project("supcon", embedded)[known],
        targets.emotion[known],
        temperature=term.temperature,
        groups=targets.language[known],
        cross_weight=term.cross_weight,
    )


def _contrastive(network, embedded, targets, term, given) -> Tensor:
    known = targets.emotion >= 0
    return contrastive(
        network.project("contrastive", embedded)[known],
        targets.emotion[known],
        margin=term.margin,
        policy=term.pairs,
        speakers=targets.speaker[known],
        languages=targets.language[known],
        generator=given.generator,
    )


def _metric(network, embedded, targets, term, given) -> Tensor:
    rating = targets.ratings[:, DIMENSIONS.index(term.on)]
    rated = torch.isfinite(rating)
    return METRICS[term.metric](network.project("metric", embedded)[rated], rating[rated])


def _dimensions(network, embedded, targets, term, given) -> Tensor:
    """Mean of 1 - CCC over the dimensions; one without two different ratings in this batch takes no part in it."""
    predicted, losses = network.dimensions(embedded[EMBEDDING]).float(), []
    for name in term.of:
        column = DIMENSIONS.index(name)
        rated = torch.isfinite(targets.ratings[:, column])
        if len(torch.unique(targets.ratings[rated, column])) > 1:
            losses.append(dimension_ccc(predicted[rated, column], targets.ratings[rated, column]))
    if not losses:
        raise ValueError(f"the batch must hold two different ratings of one of {', '.join(term.of)}, but holds none.")
    return torch.stack(losses).mean()


TERMS = {
    "cross_entropy": _cross_entropy,
    "supcon": _supcon,
    "contrastive": _contrastive,
    "metric": _metric,
    "dimensions": _dimensions,
}


def balance_of(labels: Tensor, terms: Terms, classes: int) -> Tensor | None:
    """Return the class weights that the recipe asks for, from the training labels."""
    if not (terms.cross_entropy and terms.cross_entropy.balance):
        return None
    return class_weights(labels[labels >= 0], classes)
