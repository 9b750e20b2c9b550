"""The supervised contrastive loss: rows of a class near each other, and far from the rest of the batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xlser.losses.checks import above_zero, at_least_zero, classes, directions, embeddings

# Anchors at a time: their similarities to a batch of 4,096 take 4 MiB, which a processor's cache still holds.
BLOCK = 256


def supcon(
    z: Tensor, labels: Tensor, *, temperature: float = 0.1, groups: Tensor | None = None, cross_weight: float = 1.0
) -> Tensor:
    """Mean over anchors i of -sum over positives p of w_ip log(exp(u_i.u_p / t) / sum over a != i of exp(u_i.u_a / t)).

    u are the rows of z at unit length; the positives of an anchor are the other rows of its class, and their weights
    sum to one: 1/|P(i)| each, unless groups say otherwise. The value is at least 0, in nats, and has no upper bound
    but 2/t + log(N - 1).

    ============  ========  =====================================================================================
    Inputs        shape     meaning
    ============  ========  =====================================================================================
    z             (N, D)    embeddings of any length, any float dtype (half is widened to float32)
    labels        (N,)      class of a row, an integer of at least 0, gaps allowed
    temperature   float     t, above 0; the lower, the more the nearest rows decide
    groups        (N,)      language or corpus of a row, an integer of at least 0; None: all of one group
    cross_weight  float     weight, at least 0, of a positive of another group than the anchor's against 1 for one
                            of the same group: 1 is plain SupCon, above 1 draws the groups together, 0 keeps to
                            positives of the anchor's own group
    ============  ========  =====================================================================================

    Requirements:
        At least two classes in the batch and one anchor with a positive of a weight above 0; finite rows, none of
        length zero. Anchors without such a positive are left out of the mean, but stay in the sums of the others.

    Relations:
        For classes what ``kernel_contrastive`` is for a dimension. ``contrastive`` needs a margin and picks pairs; this
        takes all and needs large batches. O(N^2 D) time, O(N (D + 256)) memory: no (N, N) matrix is ever held. The
        gradient is worked out with the value, so there is no second one: RuntimeError.

    Degenerate case:
        Equal rows give log(N - 1), the value of chance. Two rows cannot meet the requirements. At t = 0.01 float32
        keeps about 1e-5 of the value.

    Returns:
        A tensor without dimensions, float32 or the wider dtype of z, also under autocast.

    Raises:
        ValueError: a requirement is not met, a shape is wrong, or an option is out of its range.

    Source:
        Khosla et al. 2020, arXiv 2004.11362, eq. 2 (L_out). The weight between groups, and the closed forms, are ours.

    Example:
        >>> z, labels = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]), torch.tensor([0, 0, 1, 1])
        >>> round(supcon(z, labels, temperature=1.0).item(), 4)  # log(1 + 2 / e)
        0.5514
        >>> supcon(z, torch.tensor([0, 1, 2, 3]))
        Traceback (most recent call last):
        ValueError: `labels` must give an anchor a positive of a weight above 0, but none of the 4 rows has one instead.
    """
    above_zero("temperature", temperature)
    at_least_zero("cross_weight", cross_weight)
    z = embeddings("z", z)
    labels = classes(labels, z)
    if bool((labels == labels[0]).all()):
        raise ValueError(f"`labels` must hold at least two classes, but holds only {int(labels[0])} instead.")
    groups = torch.zeros_like(labels) if groups is None else classes(groups, z, name="groups")
    unit = directions(z)
    weight, similarity = _positives(unit, labels, groups, cross_weight)
    share = _share(weight)
    # Less one on both sides: near the optimum the two terms are small then, and their difference keeps its digits.
    return _WeighedLogSumExp.apply(unit, share, temperature) - (share * (similarity - 1)).sum() / temperature


class SupConLoss(nn.Module):
    """Hold the options of ``supcon``.

    Raises:
        ValueError: an option is out of its range.

    >>> SupConLoss(cross_weight=2.0)
    SupConLoss(temperature=0.1, cross_weight=2.0)
    """

    def __init__(self, temperature: float = 0.1, cross_weight: float = 1.0):
        super().__init__()
        self.temperature = above_zero("temperature", temperature)
        self.cross_weight = at_least_zero("cross_weight", cross_weight)

    def forward(self, z: Tensor, labels: Tensor, groups: Tensor | None = None) -> Tensor:
        """Return ``supcon`` of embeddings (N, D), classes (N,) and, optionally, groups (N,)."""
        return supcon(z, labels, temperature=self.temperature, groups=groups, cross_weight=self.cross_weight)

    def extra_repr(self) -> str:
        """Show the options."""
        return f"temperature={self.temperature}, cross_weight={self.cross_weight}"


def _positives(unit: Tensor, labels: Tensor, groups: Tensor, cross_weight: float) -> tuple[Tensor, Tensor]:
    """Return the summed weight of each anchor's positives, and their weighed mean cosine (0 without any), each (N,)."""
    labels, groups = (keys.unique(return_inverse=True)[1] for keys in (labels, groups))
    near_rows, near = _sums(unit, labels * len(labels) + groups)
    far_rows, far = _sums(unit, labels)
    # Near and far both hold the row itself, which is no positive of its own: it leaves the second term and the first.
    weight = near_rows - 1 + cross_weight * (far_rows - near_rows)
    total = (unit * (near - unit)).sum(1) + cross_weight * (unit * (far - near)).sum(1)
    return weight, torch.where(weight > 0, total, 0) / torch.where(weight > 0, weight, 1)


def _sums(unit: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    """Return how many rows share a row's key (N,), itself included, and their sum (N, D)."""
    _, own, rows = keys.unique(return_inverse=True, return_counts=True)
    return rows[own].to(unit.dtype), unit.new_zeros(len(rows), unit.shape[1]).index_add(0, own, unit)[own]


def _share(weight: Tensor) -> Tensor:
    """Return what each anchor counts in the mean (N,): the same for all that have a positive, 0 for the others."""
    anchors = weight > 0
    if not bool(anchors.any()):
        raise ValueError(
            "`labels` must give an anchor a positive of a weight above 0, "
            f"but none of the {len(weight)} rows has one instead."
        )
    return anchors.to(weight.dtype) / anchors.sum()


class _WeighedLogSumExp(torch.autograd.Function):
    """Sum over i of share_i log(sum over a != i of exp((u_i.u_a - 1) / t)), block by block, with its gradient."""

    @staticmethod
    def forward(ctx, unit: Tensor, share: Tensor, temperature: float) -> Tensor:
        with torch.autocast(unit.device.type, enabled=False):
            value, gradient = _blockwise(unit, share, temperature, ctx.needs_input_grad[0])
        ctx.save_for_backward(gradient)
        return value

    @staticmethod
    def backward(ctx, upstream: Tensor) -> tuple[Tensor, None, None]:
        if torch.is_grad_enabled():
            # The kept gradient no longer knows what it was made of: a second derivative would be wrong without a word.
            raise RuntimeError("`create_graph` must be False, as `supcon` has no second derivative, but is True.")
        return upstream * ctx.saved_tensors[0], None, None


def _blockwise(unit: Tensor, share: Tensor, temperature: float, differentiate: bool) -> tuple[Tensor, Tensor | None]:
    value, gradient = unit.new_zeros(()), torch.zeros_like(unit) if differentiate else None
    room = unit.new_empty(min(BLOCK, len(unit)), len(unit))
    for start in range(0, len(unit), BLOCK):
        rows = slice(start, min(start + BLOCK, len(unit)))
        anchors, shares = unit[rows], share[rows]
        exponentials = torch.mm(anchors / temperature, unit.T, out=room[: len(anchors)])
        exponentials[:, rows].fill_diagonal_(-torch.inf)
        top = exponentials.amax(1, keepdim=True)
        total = exponentials.sub_(top).exp_().sum(1)
        value += (shares * (top[:, 0] - 1 / temperature + total.log())).sum()
        if differentiate:
            # share_i P_ia / t, of which the block's rows are the anchors and its columns what they are compared with.
            scale = (shares / total / temperature)[:, None]
            gradient[rows].addcmul_(exponentials @ unit, scale)
            gradient.addmm_(exponentials.T, anchors * scale)
    return value, gradient
