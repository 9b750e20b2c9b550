"""One training step as pure functions: a network, a batch and an objective in, losses out. Knows no trainer."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from xlser.losses import (
    ccc_pairs,
    class_cluster,
    continuous_metric,
    contrastive,
    elr,
    kernel_contrastive,
    kl_standard_normal,
    rank_n_contrast,
    supcon,
)
from xlser.models.autoencoder import Autoencoder
from xlser.models.vae import EmotionHead, VariationalAutoencoder
from xlser.training.recipe import ON_CLASSES, Group, ModelChoice, Objective
from xlser.vocabulary import DIMENSIONS

# Half a point of a five-point scale: ratings stand in [-1, 1].
KERNEL_WIDTH = 0.25
METRICS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "signed": continuous_metric,
    "euclidean": lambda z, y: continuous_metric(z, y, form="euclidean"),
    "elr": elr,
    "ccc": ccc_pairs,
    "class-cluster": class_cluster,
    "rank-n-contrast": rank_n_contrast,
    "kernel": lambda z, y: kernel_contrastive(z, y, sigma=KERNEL_WIDTH),
    "supcon": supcon,
    "contrastive": lambda z, labels: contrastive(z, labels, policy="all"),
}
# Where a batch column of ratings stands; an objective's dimensions index it.
# Likewise a batch column of group codes.
GROUPS: tuple[Group, ...] = ("speaker", "corpus", "language")


class Batch(NamedTuple):
    """``x``: z-scored features (N, F). ``ratings``: (N, 3) in [-1, 1], in the order of `DIMENSIONS`, NaN where not
    rated. ``emotion``: class codes (N,), -1 where the emotion is none of the recipe's. ``groups``: codes (N, 3) of at
    least 0, in the order of `GROUPS`."""

    x: Tensor
    ratings: Tensor
    emotion: Tensor
    groups: Tensor


def build_network(choice: ModelChoice, features: int, classes: int, seed: int) -> nn.ModuleDict:
    """Return fresh modules ``autoencoder`` and ``head``; the same seed gives the same weights."""
    kind = VariationalAutoencoder if choice.kind == "vae" else Autoencoder
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = kind(features, choice.hidden, choice.latent)
        return nn.ModuleDict({"autoencoder": network, "head": EmotionHead(choice.latent, max(2, classes))})


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
    generator: torch.Generator | None = None,
) -> dict[str, Tensor]:
    """Return the parts of the objective and their combination under ``loss``.

    Args:
        network: what `build_network` gave.
        batch: clean rows; the reconstruction's target.
        inputs: what the encoder sees, shape of ``batch.x``: the noisy rows in training, the clean ones otherwise.
        objective: the recipe's method.
        kl_weight: weight of the KL term of a variational network. With unit observation noise the negative ELBO is
            half the squared error summed over F features plus KL; divided by F / 2 that is MSE + 2 KL / F.
        generator: for the draw of a variational latent.

    Rows without a rating take part in the reconstruction only.
    """
    if objective.reconstruct:
        out, latent = _reconstruct(network["autoencoder"], batch, inputs, generator)
        total = out["mse"]
    else:
        out, latent = {}, network["autoencoder"].encode(inputs)
        total = latent.new_zeros(())
    if objective.metric != "none":
        out["metric"] = metric_term(latent, batch, objective)
        total = total + objective.weight * out["metric"]
    if objective.metric != "none" and objective.combine == "log":
        total = torch.log(total)
    if "kl" in out:
        total = total + kl_weight * 2 * out["kl"] / batch.x.shape[1]
    if objective.emotion_head:
        known = batch.emotion >= 0
        out["cross_entropy"] = nn.functional.cross_entropy(network["head"](latent[known]), batch.emotion[known])
        total = total + out["cross_entropy"]
    return {**out, "loss": total}


def metric_term(latent: Tensor, batch: Batch, objective: Objective) -> Tensor:
    """Return the metric loss on the rated rows; ``on: both`` splits the latent and adds the two."""
    if objective.metric in ON_CLASSES:
        return _on_classes(latent, batch, objective)
    metric = METRICS[objective.metric]
    parts = latent.tensor_split(len(objective.rated), dim=1)
    terms = [
        _on_rated(metric, part, batch.ratings[:, DIMENSIONS.index(name)])
        for part, name in zip(parts, objective.rated, strict=True)
    ]
    return torch.stack(terms).sum()


def _on_classes(latent: Tensor, batch: Batch, objective: Objective) -> Tensor:
    known = batch.emotion >= 0
    if objective.across is None:
        return METRICS[objective.metric](latent[known], batch.emotion[known])
    groups = batch.groups[known, GROUPS.index(objective.across)]
    return supcon(latent[known], batch.emotion[known], groups=groups, cross_weight=objective.cross_weight)


def _on_rated(metric: Callable[[Tensor, Tensor], Tensor], latent: Tensor, ratings: Tensor) -> Tensor:
    rated = torch.isfinite(ratings)
    if rated.all():
        return metric(latent, ratings)
    return metric(latent[rated], ratings[rated])


def _reconstruct(
    network: nn.Module, batch: Batch, inputs: Tensor, generator: torch.Generator | None
) -> tuple[dict[str, Tensor], Tensor]:
    if isinstance(network, VariationalAutoencoder):
        rebuilt, latent, mean, logvar = network(inputs, generator)
        return {"mse": nn.functional.mse_loss(rebuilt, batch.x), "kl": kl_standard_normal(mean, logvar)}, latent
    rebuilt, latent = network(inputs)
    return {"mse": nn.functional.mse_loss(rebuilt, batch.x)}, latent
