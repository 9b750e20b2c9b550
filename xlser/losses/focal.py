"""The focal loss: cross-entropy that counts a row the less, the surer the classifier is of it already."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import NonNegativeFloat

from xlser.losses.checks import at_least_zero
from xlser.losses.cross_entropy import judged
from xlser.losses.term import Head, Labels, Term

if TYPE_CHECKING:
    from torch import Tensor


def focal(logits: Tensor, labels: Tensor, *, gamma: float = 2.0, weights: Tensor | None = None) -> Tensor:
    """Weighted mean over rows of -(1 - p)^gamma log p, p = softmax(logits)[label], in nats, at least 0.

    ========  ========  ======================================================================================
    Inputs    shape     meaning
    ========  ========  ======================================================================================
    logits    (N, C)    unnormalised log-probabilities, any float dtype (half is widened to float32)
    labels    (N,)      class of a row, an integer in [0, C)
    gamma     float     at least 0: how fast a row that is judged well stops counting; 0 is cross-entropy
    weights   (C,)      what a row of each class counts, at least 0, such as ``class_weights``; None: all alike
    ========  ========  ======================================================================================

    Requirements:
        N >= 1, C >= 2, all values finite, a row of a weight above 0. An unlabelled row (negative) is the caller's to
        drop.

    Relations:
        ``cross_entropy`` where gamma is 0. Acted corpora, whose recordings are clear and soon learnt, leave the
        gradient to the unclear ones with it; where labels are wrong, it dwells on those. Probabilities come out less
        sure than with cross-entropy. O(N C).

    Degenerate case:
        A row whose p rounds to 1 gives 0.0 and no gradient: nothing is left to learn from it.

    Returns:
        A tensor without dimensions, float32 or the wider dtype of the logits.

    Raises:
        ValueError: a requirement is not met, a shape is wrong, or ``gamma`` is below 0.

    Source:
        Lin et al. 2017, arXiv 1708.02002, eq. 5, of a softmax in place of a sigmoid. That weights are divided by their
        sum, as in ``cross_entropy``, is ours.

    Example:
        >>> import torch
        >>> round(focal(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item(), 4)  # log 2 / 4
        0.1733
    """
    import torch

    at_least_zero("gamma", gamma)
    logits, labels, weights = judged(logits, labels, weights)
    log_p = logits.log_softmax(1).gather(1, labels[:, None])[:, 0]
    # 1 - p keeps its digits so, and where p is 1 the power has a finite slope.
    unsure = -torch.expm1(log_p)
    each = -unsure.clamp_min(torch.finfo(unsure.dtype).tiny).pow(gamma) * log_p
    share = torch.ones_like(each) if weights is None else weights[labels]
    return (share * each).sum() / share.sum()


class Focal(Term):
    """``focal`` of a classifier as a term of a network's loss; the classifier is trained with it.

    Options:
        weight: above 0, 1.0 unless given.
        gamma: at least 0, 2.0 unless given: how fast a row that is judged well stops counting; 0 is cross-entropy.
        balance: weigh a class by the inverse of its share of the training rows, as ``class_weights`` has it.

    >>> import torch
    >>> from xlser.losses import Labels
    >>> logits, labels = torch.zeros(3, 2), Labels(torch.tensor([1, 0, -1]))  # the last row has no class
    >>> round(Focal(gamma=1)(logits, labels).item(), 4)  # log 2 / 2
    0.3466
    """

    head: ClassVar[Head] = "classes"
    on_classes: ClassVar[bool] = True

    gamma: NonNegativeFloat = 2.0
    balance: bool = False

    def __call__(self, z: Tensor, labels: Labels) -> Tensor:
        """Return ``focal`` of the logits (N, C) of the rows with a class."""
        known = labels.classes() >= 0
        weights = labels.weights() if self.balance else None
        return focal(z[known], labels.classes()[known], gamma=self.gamma, weights=weights)
