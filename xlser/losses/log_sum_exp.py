"""The sum over all pairs of a batch that a contrastive loss takes, without a matrix of all pairs."""

from __future__ import annotations

import torch
from torch import Tensor

# Anchors at a time: their similarities to a batch of 4,096 take 4 MiB, which a processor's cache still holds.
BLOCK = 256


class WeighedLogSumExp(torch.autograd.Function):
    """Sum over i of share_i log(sum over a != i of exp((u_i.u_a - 1) / t)), block by block, with its gradient."""

    @staticmethod
    def forward(ctx, unit: Tensor, share: Tensor, temperature: float) -> Tensor:
        """Return the sum of rows of unit length (N, D), shares (N,) and a temperature above 0."""
        with torch.autocast(unit.device.type, enabled=False):
            value, gradient = _blockwise(unit, share, temperature, ctx.needs_input_grad[0])
        ctx.save_for_backward(gradient)
        return value

    @staticmethod
    def backward(ctx, upstream: Tensor) -> tuple[Tensor, None, None]:
        """Return the gradient of the rows. RuntimeError: a second derivative is asked for."""
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
