"""How two rows of a batch are compared: by signed difference, summed without pairs, or by Euclidean distance.

For rows i and j with embeddings of D numbers and labels y, n_ij is the difference of the embeddings over D and x_ij the
difference of the labels (Das et al. 2022, arXiv 2203.14867). Both carry the authors' offset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

FORMS = ("signed", "euclidean")
OFFSET = 1e-6


def centred(z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean latent coordinate (N,) and the label (N,), each less its mean over the batch.

    Signed differences do not change by it, and sums of squares keep their digits in float32 when a mean is large.

    >>> import torch
    >>> centred(torch.tensor([[1.0, 3.0], [5.0, 7.0]]), torch.tensor([10.0, 20.0]))
    (tensor([-2.,  2.]), tensor([-5.,  5.]))
    """
    return (z - z.mean(0)).mean(1), y - y.mean()


def signed_moment(u: Tensor, v: Tensor, shift_u: float | Tensor, shift_v: float | Tensor) -> Tensor:
    """Mean over i < j of (u_i - u_j + shift_u)(v_i - v_j + shift_v), exactly, in O(N) time and memory.

    Multiplied out, the products sum to N sum(uv) - sum(u) sum(v), and a difference alone, whose sign depends on the
    order of the rows, to the sum of (N - 1 - 2i) u_i.

    >>> import torch
    >>> u, v = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([0.0, 1.0, 5.0])
    >>> signed_moment(u, v, 0.5, 0.0)  # (-.5 * -1 + -2.5 * -5 + -1.5 * -4) / 3
    tensor(6.3333)
    """
    import torch

    n = len(u)
    pairs = n * (n - 1) / 2
    before = n - 1 - 2 * torch.arange(n, device=u.device, dtype=u.dtype)
    products = n * (u * v).sum() - u.sum() * v.sum()
    differences = shift_v * (before * u).sum() + shift_u * (before * v).sum()
    return (products + differences) / pairs + shift_u * shift_v


def euclidean_pairs(z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return n = sqrt(||z_i - z_j||^2 + 1e-6) / D and x = sqrt((y_i - y_j)^2 + 1e-6) for i < j, each (N(N-1)/2,).

    O(N^2) memory, O(N^2 D) time.

    >>> import torch
    >>> euclidean_pairs(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.tensor([1.0, 3.0]))
    (tensor([2.5000]), tensor([2.0000]))
    """
    import torch

    return smooth(torch.pdist(z)) / z.shape[1], smooth(torch.pdist(y[:, None]))


def smooth(distance: Tensor) -> Tensor:
    """Return sqrt(distance^2 + 1e-6): never 0, and with a finite slope where two rows coincide.

    >>> import torch
    >>> [round(value, 4) for value in smooth(torch.tensor([0.0, 2.0])).tolist()]
    [0.001, 2.0]
    """
    return (distance.square() + OFFSET).sqrt()
