"""The Kullback-Leibler term of a variational autoencoder, and how its weight grows during training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlser.losses.checks import embeddings

if TYPE_CHECKING:
    from torch import Tensor


def kl_standard_normal(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mean, exp(logvar)) || N(0, 1)) in nats: summed over the dimensions, averaged over the batch.

    1/2 sum_d (exp(logvar) + mean^2 - 1 - logvar), at least 0.

    ========  ========  ===============================================
    Inputs    shape     meaning
    ========  ========  ===============================================
    mean      (N, L)    means of the latent
    logvar    (N, L)    natural logarithms of the latent's variances
    ========  ========  ===============================================

    Requirements:
        N >= 1, equal shapes, all values finite.

    Relations:
        Takes no labels; ``kl_weight`` weighs it so that the latent is used before it is priced.

    Degenerate case:
        exp(logvar) leaves float32 above logvar = 88: inf.

    Returns:
        A tensor without dimensions, float32 or the wider dtype of the mean.

    Raises:
        ValueError: a requirement is not met.

    Source:
        Kingma and Welling 2014, arXiv 1312.6114, appendix B.

    Example:
        >>> import torch
        >>> kl_standard_normal(torch.tensor([[1.0, 2.0]]), torch.zeros(1, 2))
        tensor(2.5000)
    """
    mean, logvar = embeddings("mean", mean, rows=1), embeddings("logvar", logvar, rows=1)
    if mean.shape != logvar.shape:
        raise ValueError(f"`logvar` must have the shape of `mean`, {tuple(mean.shape)}, but has {tuple(logvar.shape)}.")
    return 0.5 * (logvar.exp() + mean.square() - 1 - logvar).sum(1).mean()


def kl_weight(step: int, *, warmup: int, cycles: int = 1, ratio: float = 0.5, maximum: float = 1.0) -> float:
    """Weight of the KL term at a step: up from 0 in a straight line over ``warmup`` steps, then level at ``maximum``.

    With more cycles than one, each takes ``warmup / ratio`` steps (rounded), rises over the first ``warmup`` of them
    and is level for the rest; the next starts again at 0, and after the last the weight stays. One cycle is the usual
    monotonic annealing, and ``ratio`` has no part in it. In Fu et al.'s letters: M = cycles, R = ratio,
    T = cycles * warmup / ratio.

    Args:
        step: optimiser steps taken so far, from 0.
        warmup: steps of one rise; 0 is no annealing: always ``maximum``.
        cycles: how often to rise, at least 1.
        ratio: share of a cycle spent rising, in (0, 1].
        maximum: the level reached, at least 0.

    Raises:
        ValueError: an argument is out of its range.

    Source:
        Fu et al. 2019, "Cyclical Annealing Schedule", arXiv 1903.10145, the cyclical schedule with f linear.

    Example:
        >>> [kl_weight(step, warmup=2) for step in range(5)]
        [0.0, 0.5, 1.0, 1.0, 1.0]
        >>> [kl_weight(step, warmup=2, cycles=2) for step in range(10)]
        [0.0, 0.5, 1.0, 1.0, 0.0, 0.5, 1.0, 1.0, 1.0, 1.0]
    """
    _schedule(step, warmup, cycles, ratio, maximum)
    length = round(warmup / ratio)
    if step >= cycles * length:
        return float(maximum)
    return maximum * min(1.0, step % length / warmup)


def _schedule(step: int, warmup: int, cycles: int, ratio: float, maximum: float) -> None:
    rules = [
        ("step", step, step >= 0, "at least 0"),
        ("warmup", warmup, warmup >= 0, "at least 0"),
        ("cycles", cycles, cycles >= 1, "at least 1"),
        ("ratio", ratio, 0 < ratio <= 1, "above 0 and at most 1"),
        ("maximum", maximum, maximum >= 0, "at least 0"),
    ]
    for name, value, holds, rule in rules:
        if not holds:
            raise ValueError(f"`{name}` must be {rule}, but is {value} instead.")
