"""One training step as pure functions: a network, a batch and an objective in, losses out. Knows no trainer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from xlser.losses import Labels, Term, draw_mix, kl_standard_normal
from xlser.losses.term import Columns, Group
from xlser.models.autoencoder import Autoencoder
from xlser.models.projection import projection
from xlser.models.vae import EmotionHead, VariationalAutoencoder
from xlser.training.objective import Objective
from xlser.training.recipe import ModelChoice
from xlser.vocabulary import DIMENSIONS

# Where a batch column of ratings stands; an objective's dimensions index it.
# The module that makes of the latent what the losses of a head take.
HEADS = {"classes": "head", "dimensions": "dimensions"}
# Likewise a batch column of group codes.
GROUPS: tuple[Group, ...] = ("speaker", "corpus", "language")


class Batch(NamedTuple):
    """``x``: z-scored features (N, F). ``ratings``: (N, 3) in [-1, 1], in the order of `DIMENSIONS`, NaN where not
    rated. ``emotion``: class codes (N,), -1 where the emotion is none of the recipe's. ``groups``: codes (N, 3) of at
    least 0, in the order of `GROUPS`. ``shares``: of the raters that name each class (N, C), NaN where nobody does;
    None where no loss asks for them."""

    x: Tensor
    ratings: Tensor
    emotion: Tensor
    groups: Tensor
    shares: Tensor | None = None

    def labels(self, class_weights: Tensor | None = None, generator: torch.Generator | None = None) -> Labels:
        """Return what the losses take of a batch."""
        ratings, groups = Columns(self.ratings, DIMENSIONS), Columns(self.groups, GROUPS)
        return Labels(self.emotion, ratings, groups, class_weights, generator, self.shares)


def build_network(
    choice: ModelChoice, features: int, classes: int, seed: int, terms: Mapping[str, Term] | None = None
) -> nn.ModuleDict:
    """Return fresh modules ``autoencoder`` and ``head``, and what ``terms`` need besides: ``dimensions``, a regression
    head, and ``projections``. The same seed gives the same weights."""
    kind, terms = VariationalAutoencoder if choice.kind == "vae" else Autoencoder, terms or {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = kind(features, choice.hidden, choice.latent)
        modules: dict[str, nn.Module] = {"autoencoder": network}
        modules["head"] = EmotionHead(choice.latent, max(2, classes))
        if any(term.head == "dimensions" for term in terms.values()):
            modules["dimensions"] = nn.Linear(choice.latent, len(DIMENSIONS))
        widths = {name: term.projected for name, term in terms.items() if term.projected}
        if widths:
            projections = {name: projection(choice.latent, width) for name, width in widths.items()}
            modules["projections"] = nn.ModuleDict(projections)
        return nn.ModuleDict(modules)


def add_noise(x: Tensor, deviation: float, generator: torch.Generator) -> Tensor:
    """Return ``x`` plus N(0, deviation^2) drawn from ``generator``; the denoising of Das et al. 2022 uses 1."""
    if deviation == 0:
        return x
    return x + deviation * torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)


def losses(
    network: nn.ModuleDict,
    batch: Batch,
    inputs: Tensor,
    objective: Objective,
    *,
    kl_weight: float = 0.0,
    class_weights: Tensor | None = None,
    generator: torch.Generator | None = None,
    mixing: torch.Generator | None = None,
) -> dict[str, Tensor]:
    """Return the parts of the objective and their combination under ``loss``.

    Args:
        network: what `build_network` gave.
        batch: clean rows; the reconstruction's target.
        inputs: what the encoder sees, shape of ``batch.x``: the noisy rows in training, the clean ones otherwise.
        objective: the recipe's method.
        kl_weight: weight of the KL term of a variational network. With unit observation noise the negative ELBO is
            half the squared error summed over F features plus KL; divided by F / 2 that is MSE + 2 KL / F.
        class_weights: for losses with ``balance``, (C,).
        generator: for the draw of a variational latent, and of pairs.
        mixing: in training, for the draw of mixup, so that nothing else is drawn otherwise with it; None mixes nothing.

    Rows without a label that a loss needs take no part in it.
    """
    if objective.reconstruct:
        out, latent = _reconstruct(network["autoencoder"], batch, inputs, generator)
        total = out["mse"]
    else:
        out, latent = {}, network["autoencoder"].encode(inputs)
        total = latent.new_zeros(())
    labels = batch.labels(class_weights, generator)
    for name, term in objective.of_latent.items():
        out[name] = term(network["projections"][name](latent) if term.projected else latent, labels)
        total = total + term.weight * out[name]
    if objective.of_latent and objective.combine == "log":
        total = torch.log(total)
    if "kl" in out:
        total = total + kl_weight * 2 * out["kl"] / batch.x.shape[1]
    for name, term in objective.of_heads.items():
        out[name] = term(*_judged(network, term, latent, labels, mixing))
        total = total + term.weight * out[name]
    return {**out, "loss": total}


def _judged(
    network: nn.ModuleDict, term: Term, latent: Tensor, labels: Labels, mixing: torch.Generator | None
) -> tuple[Tensor, Labels]:
    """Return what a head makes of the latent, and the labels of those rows: none that its loss then drops."""
    if term.on_classes:
        taught = term.taught(labels)
        latent, labels = mixed(latent[taught], labels.at(taught), term, mixing)
    return network[HEADS[term.head]](latent), labels


def mixed(rows: Tensor, labels: Labels, term: Term, mixing: torch.Generator | None) -> tuple[Tensor, Labels]:
    """Return the embeddings (N, D) that a term's head judges, mixed with each other where it asks for mixup.

    The labels then say how, so that the term mixes its targets alike.
    """
    if mixing is None or not term.mixes or not len(rows):
        return rows, labels
    mix = draw_mix(len(rows), term.mixes, mixing)
    return mix._replace(partner=mix.partner.to(rows.device)).of(rows), labels._replace(mix=mix)


def _reconstruct(
    network: nn.Module, batch: Batch, inputs: Tensor, generator: torch.Generator | None
) -> tuple[dict[str, Tensor], Tensor]:
    if isinstance(network, VariationalAutoencoder):
        rebuilt, latent, mean, logvar = network(inputs, generator)
        return {"mse": nn.functional.mse_loss(rebuilt, batch.x), "kl": kl_standard_normal(mean, logvar)}, latent
    rebuilt, latent = network(inputs)
    return {"mse": nn.functional.mse_loss(rebuilt, batch.x)}, latent
