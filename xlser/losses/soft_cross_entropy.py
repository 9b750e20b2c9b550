"""Cross-entropy to a distribution over the classes, such as the votes of a clip's raters, and KL divergence to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from xlser.losses.checks import choice, embeddings

if TYPE_CHECKING:
    from torch import Tensor

Divergence = Literal["cross-entropy", "kl"]
# Shares of votes are kept in single precision, and mixed; what differs from 1 by less than this sums to 1.
_ROUNDING = 1e-4


def soft_cross_entropy(
    logits: Tensor,
    shares: Tensor,
    *,
    weights: Tensor | None = None,
    smoothing: float = 0.0,
    divergence: Divergence = "cross-entropy",
) -> Tensor:
    """Weighted mean over rows of -sum_c shares_c log softmax(logits)_c, in nats, at least 0.

    ==========  ========  =====================================================================================
    Inputs      shape     meaning
    ==========  ========  =====================================================================================
    logits      (N, C)    unnormalised log-probabilities, any float dtype (half is widened to float32)
    shares      (N, C)    the share of each class in a row's target, in [0, 1]; a row sums to 1
    weights     (C,)      what a share of each class counts, at least 0, such as ``class_weights``; None: all alike
    smoothing   float     share of the target, in [0, 1), that is spread evenly over all classes
    divergence  str       ``cross-entropy``, or ``kl``: what it is above the least that the targets allow
    ==========  ========  =====================================================================================

    Requirements:
        N >= 1, C >= 2, all values finite, a share above 0 of a class whose weight is above 0.

    Relations:
        ``cross_entropy`` where every row has all its share in one class, weights and smoothing included. With ``kl``
        a classifier that says what the raters say gives 0, so that values of corpora of other agreement compare; the
        gradient is the same, as what is taken off does not depend on the logits. O(N C).

    Degenerate case:
        Shares of weight 0 take no part, and a row of such shares alone counts nothing. The weights reach the spread
        share too, as in ``cross_entropy``.

    Returns:
        A tensor without dimensions, float32 or the wider dtype of the logits.

    Raises:
        ValueError: a requirement is not met, a shape is wrong, or an option is out of its range.

    Source:
        Fayek et al. 2016, "Modeling subjectiveness in emotion recognition with deep neural networks"; with weights, a
        row of several votes is what as many rows of one label are.

    Example:
        >>> import torch
        >>> logits, votes = torch.zeros(1, 2), torch.tensor([[0.5, 0.5]])
        >>> round(soft_cross_entropy(logits, votes).item(), 4)
        0.6931
        >>> soft_cross_entropy(logits, votes, divergence="kl").item()
        0.0
    """
    import torch

    choice("divergence", divergence, ("cross-entropy", "kl"))
    if not 0 <= smoothing < 1:
        raise ValueError(f"`smoothing` must be at least 0 and below 1, but is {smoothing} instead.")
    logits = embeddings("logits", logits, rows=1)
    shares = _distributions(shares, logits)
    counted = shares if weights is None else shares * _weights(weights, logits)
    # With weights w and smoothed shares t the target is w t: what is left of it after dividing by its sum.
    target = (1 - smoothing) * shares + smoothing / shares.shape[1]
    target = target if weights is None else target * weights.to(logits)
    log_p = logits.log_softmax(1)
    # A class without a share says nothing, also where its logarithm is infinite.
    each = -torch.where(target > 0, target * log_p, 0).sum(1)
    if divergence == "kl":
        each = each + torch.xlogy(target, target / target.sum(1, keepdim=True)).nan_to_num().sum(1)
    if not bool(counted.sum() > 0):
        raise ValueError("`weights` must be above 0 for a class that has a share in the batch, but are 0 for all.")
    return each.sum() / counted.sum()


def _distributions(shares: Tensor, logits: Tensor) -> Tensor:
    if shares.shape != logits.shape or not shares.is_floating_point():
        raise ValueError(
            f"`shares` must be floating point and have the shape of `logits`, {tuple(logits.shape)}, but is "
            f"{shares.dtype} and has {tuple(shares.shape)} instead."
        )
    if logits.shape[1] < 2:
        raise ValueError(f"`logits` must have at least 2 classes, but has {logits.shape[1]} instead.")
    shares = shares.to(logits)
    wrong = ~((shares >= 0).all(1) & ((shares.sum(1) - 1).abs() < _ROUNDING))  # what is not finite is neither
    if bool(wrong.any()):
        row = int(wrong.nonzero()[0, 0])
        raise ValueError(
            f"`shares` must be at least 0 and sum to 1 in every row, but row {row} is {shares[row].tolist()}."
        )
    return shares


def _weights(weights: Tensor, logits: Tensor) -> Tensor:
    if weights.shape != (logits.shape[1],):
        raise ValueError(f"`weights` must have shape ({logits.shape[1]},), but has {tuple(weights.shape)} instead.")
    if not bool(((weights >= 0) & weights.isfinite()).all()):
        raise ValueError(f"`weights` must be finite and at least 0, but holds {weights.tolist()} instead.")
    return weights.to(logits)
