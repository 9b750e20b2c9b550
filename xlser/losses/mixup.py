"""Mixup: rows of a batch drawn towards each other, embedding and target alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from xlser.losses.checks import at_least_zero

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Mix(NamedTuple):
    """How the N rows of a batch are mixed: row i keeps ``share``, and gets the rest of row ``partner[i]``.

    ``share`` lies in [1/2, 1]. A share of 1 mixes nothing.
    """

    partner: Tensor
    share: float

    def of(self, rows: Tensor) -> Tensor:
        """Return rows (N, D), embeddings or targets, mixed.

        >>> import torch
        >>> Mix(torch.tensor([1, 0]), 0.75).of(torch.tensor([[0.0], [4.0]])).tolist()
        [[1.0], [3.0]]
        """
        if self.share == 1:
            return rows
        return self.share * rows + (1 - self.share) * rows[self.partner]


def draw_mix(rows: int, alpha: float, generator: torch.Generator) -> Mix:
    """Draw how a batch is mixed: one lambda ~ Beta(alpha, alpha) for all of it, and a permutation of its rows.

    Of lambda and 1 - lambda the larger is kept: over permutations both give the same batches, and a row then stays
    nearer to itself than to its partner.

    Args:
        rows: of the batch, at least 1.
        alpha: above 0. Towards 0 lambda is 1 and nothing is mixed, 1 draws it evenly, and large ones give one half.
        generator: of torch, on the CPU; the same state gives the same draw.

    Raises:
        ValueError: ``alpha`` is not finite or below 0, or there is no row.

    Source:
        Zhang et al. 2018, arXiv 1710.09412, of embeddings as in manifold mixup (Verma et al. 2019, arXiv 1806.05236).

    Example:
        >>> import torch
        >>> draw_mix(3, 1e-9, torch.Generator().manual_seed(0)).share
        1.0
    """
    import numpy as np
    import torch

    at_least_zero("alpha", alpha)
    if rows < 1:
        raise ValueError(f"`rows` must be at least 1, but is {rows} instead.")
    partner = torch.randperm(rows, generator=generator)
    if alpha == 0:
        return Mix(partner, 1.0)
    # torch draws no Beta from a generator of one's own.
    own = int(torch.randint(2**31, (1,), generator=generator))
    drawn = float(np.random.default_rng(own).beta(alpha, alpha))
    share = max(drawn, 1 - drawn)
    # Below about 1e-300 a Beta variable can no longer be computed; it is 0 or 1 then.
    return Mix(partner, share if share <= 1 else 1.0)
