"""The loss of a fine-tuned encoder as pure functions of embeddings: knows no trainer and no audio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from xlser.errors import RecipeError
from xlser.losses import Labels, Term
from xlser.losses.term import Columns, Feed
from xlser.models.checkpoints import load_encoder
from xlser.models.classifier import EMBEDDING, EmotionNetwork
from xlser.models.lora import add_adapters
from xlser.models.pooling import LayerPool
from xlser.training.encoder_recipe import EncoderChoice
from xlser.training.loss_terms import Terms, weights_of
from xlser.training.step import mixed
from xlser.vocabulary import DIMENSIONS


class Given(NamedTuple):
    """What a term may need besides the batch: class weights for ``balance``, a generator of drawn pairs, and in
    training one of mixup."""

    balance: Tensor | None = None
    generator: torch.Generator | None = None
    mixing: torch.Generator | None = None


class Targets(NamedTuple):
    """What a batch of N clips is taught: ``emotion`` (N,) class codes, -1 where not scored; ``ratings`` (N, 3) in the
    order of `DIMENSIONS`, NaN where not rated; ``speaker`` and ``language`` (N,) codes; ``shares`` (N, C) of the raters
    that name each class, NaN where nobody does, None where no loss asks for them."""

    emotion: Tensor
    ratings: Tensor
    speaker: Tensor
    language: Tensor
    shares: Tensor | None = None

    def labels(self, given: Given) -> Labels:
        """Return them as the losses take them."""
        groups = {"speaker": self.speaker, "language": self.language}
        ratings = Columns(self.ratings, DIMENSIONS)
        return Labels(self.emotion, ratings, groups, given.balance, given.generator, self.shares)


def build_classifier(choice: EncoderChoice, terms: Terms, classes: int, seed: int) -> EmotionNetwork:
    """Return the checkpoint with fresh heads; the same seed gives the same weights.

    The encoder of ``random:`` weights is the same for every seed, as one that was read from a file would be.

    Raises:
        RunError: see `load_encoder`. RecipeError: a layer that the encoder does not have.
    """
    encoder = load_encoder(choice.weights, revision=choice.revision, dropout=choice.dropout)
    return assemble(encoder, choice, terms, classes, seed)


def assemble(encoder, choice: EncoderChoice, terms: Terms, classes: int, seed: int) -> EmotionNetwork:
    """Freeze ``encoder`` as chosen and put fresh heads on it, and adapters into it if chosen.

    Raises:
        RecipeError: a layer that the encoder does not have; or see `add_adapters`.
    """
    feeds = {name: term.fed for name, term in terms.given.items() if term.fed}
    _check_layers(encoder.layers, choice, feeds)
    if choice.longest > encoder.longest:
        raise RecipeError(
            f"encoder.longest must be {encoder.longest:g} s at most for {choice.weights}, but is {choice.longest:g}."
        )
    encoder.freeze({"nothing": -1, "front": 0, "all": encoder.layers}.get(choice.freeze, choice.freeze))
    projections = {name: term.projected for name, term in terms.given.items() if term.projected}
    feed = next(iter(feeds.values()), None)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pool = LayerPool(encoder.layers, encoder.width, choice.layer, choice.pooling)
        fed = LayerPool(encoder.layers, encoder.width, feed.layer, feed.pooling) if feed else None
        network = EmotionNetwork(encoder, pool, classes=classes, fed=fed, projections=projections, feeding=feeds)
        if choice.lora:  # last, so that the heads begin as they do without
            add_adapters(encoder, **choice.lora.model_dump(), last=network.highest)
        return network


def _check_layers(layers: int, choice: EncoderChoice, feeds: Mapping[str, Feed]) -> None:
    asked = {"encoder.layer": choice.layer, "encoder.freeze": choice.freeze}
    asked |= {f"{name}.feed.layer": feed.layer for name, feed in feeds.items()}
    if len(set(feeds.values())) > 1:
        raise RecipeError(
            f"{' and '.join(feeds)} must have one and the same `feed`, but have {len(set(feeds.values()))} of them."
        )
    for name, layer in asked.items():
        if not isinstance(layer, str) and not -layers - 1 <= layer <= layers:
            lowest = 1 if name.endswith("freeze") else -layers - 1
            raise RecipeError(
                f"{name} must be from {lowest} to {layers}, since {choice.weights} has {layers} layers, but is {layer}."
            )


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
    vectors, labels = {name: rows.float() for name, rows in embedded.items()}, targets.labels(given)
    parts = {
        name: term(*_seen(network, vectors, labels, name=name, term=term, mixing=given.mixing))
        for name, term in terms.given.items()
    }
    total = torch.stack([terms.given[name].weight * value for name, value in parts.items()]).sum()
    return {**parts, "loss": total}


def _seen(
    network: EmotionNetwork,
    vectors: Mapping[str, Tensor],
    labels: Labels,
    *,
    name: str,
    term: Term,
    mixing: torch.Generator | None,
) -> tuple[Tensor, Labels]:
    """Return what a term looks at, and the labels of those rows: a head judges no row that its loss then drops."""
    if term.head is None:
        return network.project(name, vectors), labels
    embedding = vectors[EMBEDDING]
    if term.on_classes:
        taught = term.taught(labels)
        embedding, labels = mixed(embedding[taught], labels.at(taught), term, mixing)
    return getattr(network, term.head)(embedding).float(), labels


def balance_of(labels: Tensor, terms: Terms, classes: int, shares: Tensor | None = None) -> Tensor | None:
    """Return the class weights that the recipe asks for, from the training labels, or votes (N, C)."""
    return weights_of(terms.given, Labels(labels, shares=shares), classes)
