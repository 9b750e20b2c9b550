"""The kernel-weighted contrastive loss: the nearer two labels, the more the rows attract each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import PositiveFloat

from xlser.losses.checks import above_zero, directions, embeddings, targets
from xlser.losses.term import OnRatings

if TYPE_CHECKING:
    from torch import Tensor


def kernel_contrastive(z: Tensor, y: Tensor, *, sigma: float, temperature: float = 0.1) -> Tensor:
    """Mean over anchors i of -sum over j != i of w_ij log(exp(u_i.u_j / t) / sum over a != i of exp(u_i.u_a / t)).

    u are the rows of z at unit length; w_ij is in proportion to exp(-(y_i - y_j)^2 / (2 sigma^2)), and an anchor's sum
    to one. The value is at least 0, in nats; its least value is above 0, as weights are spread over several rows.

    ============  ========  ========================================================================================
    Inputs        shape     meaning
    ============  ========  ========================================================================================
    z             (N, D)    embeddings of any length, any float dtype (half is widened to float32)
    y             (N,)      one dimensional label a row, such as activation
    sigma         float     above 0, in the units of y: how far apart two labels may be and still mean the same
    temperature   float     t, above 0; the lower, the more the nearest rows decide
    ============  ========  ========================================================================================

    Requirements:
        N >= 3 (of two rows each has only the other to choose), all values finite, y not constant, no row of length 0.

    Relations:
        For a dimension what ``supcon`` is for classes: with sigma far below the differences of distinct labels it is
        ``supcon`` of equal labels. ``rank_n_contrast`` needs no sigma. O(N^2 D) time, O(N^2) memory.

    Degenerate case:
        With sigma far below all differences, the nearest label of an anchor takes all its weight; far above, every row
        attracts every other alike, and the labels say nothing.

    Returns:
        A tensor without dimensions, float32 or the wider dtype of z, also under autocast.

    Raises:
        ValueError: a requirement is not met, a shape is wrong, or an option is not above 0.

    Source:
        Dufumier et al. 2021, "y-Aware InfoNCE", arXiv 2106.08808, eq. 2; within one view, so that the pair of a row
        with itself is left out.

    Example:
        >>> import torch
        >>> z, y = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), torch.tensor([0.0, 0.0, 1.0])
        >>> round(kernel_contrastive(z, y, sigma=0.1, temperature=1.0).item(), 4)  # (2 log(1 + 1 / e) + log 2) / 3
        0.4399
    """
    import torch

    above_zero("sigma", sigma)
    above_zero("temperature", temperature)
    z = embeddings("z", z, rows=3)
    y = targets(y, z)
    unit = directions(z)
    with torch.autocast(z.device.type, enabled=False):
        similarity = unit @ unit.T / temperature
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    # A softmax, in double: so the weights do not all vanish where the nearest label is very many sigma away.
    exponent = ((y[:, None] - y).double() / sigma).square() / -2
    weight = exponent.masked_fill(itself, -torch.inf).softmax(1).to(z.dtype)
    total = similarity.masked_fill(itself, -torch.inf).logsumexp(1)
    return (total - (weight * similarity).sum(1)).mean()


class KernelContrastive(OnRatings):
    """``kernel_contrastive`` as a term of a network's loss.

    Options:
        weight: above 0, 1.0 unless given.
        on, projection: as of `ContinuousMetric`.
        sigma: above 0, in the units of the ratings; 0.25 unless given, as ratings stand in [-1, 1]: half a point of a
            five-point scale.
        temperature: above 0, 0.1 unless given.

    >>> KernelContrastive(on="valence", sigma=0.5)
    KernelContrastive(weight=1.0, on='valence', projection=None, sigma=0.5, temperature=0.1)
    """

    sigma: PositiveFloat = 0.25
    temperature: PositiveFloat = 0.1

    def of_ratings(self, z: Tensor, ratings: Tensor) -> Tensor:
        """Return ``kernel_contrastive``."""
        return kernel_contrastive(z, ratings, sigma=self.sigma, temperature=self.temperature)
