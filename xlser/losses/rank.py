"""The ranking loss: rows whose labels are near are nearer each other than rows whose labels are far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import PositiveFloat

from xlser.losses.checks import above_zero, embeddings, targets
from xlser.losses.term import OnRatings

if TYPE_CHECKING:
    from torch import Tensor


def rank_n_contrast(z: Tensor, y: Tensor, *, temperature: float = 2.0) -> Tensor:
    """Mean over i != j of -log(exp(s_ij) / sum of exp(s_ik) over the k != i with |y_i - y_k| >= |y_i - y_j|).

    s_ij = -||z_i - z_j|| / t. The value is at least 0, in nats.

    ============  ========  ======================================================
    Inputs        shape     meaning
    ============  ========  ======================================================
    z             (N, D)    embeddings, any float dtype (half is widened to float32)
    y             (N,)      one dimensional label a row; its unit does not matter
    temperature   float     t, above 0, in units of z
    ============  ========  ======================================================

    Requirements:
        N >= 3 (of two rows each has only the other to choose), all values finite, y not constant.

    Relations:
        Asks for the order of the distances alone, where ``continuous_metric`` asks for the distances: the scale of the
        labels need not be the latent's. ``kernel_contrastive`` goes by how near labels are, not by rank. O(N^2 log N)
        time, O(N^2) memory.

    Degenerate case:
        Equal embeddings have a value but no gradient. Labels are tied where their differences are equal as computed in
        the dtype of z: |0.3 - 0.1| and |0.5 - 0.3| are not.

    Returns:
        A tensor without dimensions, float32 or the wider dtype of z.

    Raises:
        ValueError: a requirement is not met, a shape is wrong, or ``temperature`` is not above 0.

    Source:
        Zha et al. 2023, "Rank-N-Contrast", arXiv 2210.01189, eq. 2 and the authors' code, where t = 2.

    Example:
        >>> import torch
        >>> z, y = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([0.0, 1.0, 3.0])
        >>> round(rank_n_contrast(z, y).item(), 4)  # (log(1 + e^-1) + log(1 + e^-.5) + log(1 + e^-.5)) / 6
        0.2102
    """
    import torch

    above_zero("temperature", temperature)
    z = embeddings("z", z, rows=3)
    y = targets(y, z)
    # Not by matrix product: it loses the digits of a small distance.
    similarity = torch.cdist(z, z, compute_mode="donot_use_mm_for_euclid_dist") / -temperature
    # A row itself, at -1, comes last and is cut off; up to any other, all that are at least as far come before it.
    farness = (y[:, None] - y).abs().fill_diagonal_(-1)
    farness, order = (column[:, :-1] for column in farness.sort(1, descending=True))
    similarity = similarity.gather(1, order)
    return (similarity.logcumsumexp(1).gather(1, _last_of_a_tie(farness)) - similarity).mean()


class RankNContrast(OnRatings):
    """``rank_n_contrast`` as a term of a network's loss.

    Options:
        weight: above 0, 1.0 unless given.
        on, projection: as of `ContinuousMetric`.
        temperature: above 0, 2.0 unless given, in units of the embedding.

    >>> RankNContrast(on=["activation", "valence"]).rated
    ('activation', 'valence')
    """

    temperature: PositiveFloat = 2.0

    def of_ratings(self, z: Tensor, ratings: Tensor) -> Tensor:
        """Return ``rank_n_contrast``."""
        return rank_n_contrast(z, ratings, temperature=self.temperature)


def _last_of_a_tie(falling: Tensor) -> Tensor:
    """Return, in rows that fall (N, M), the last place that holds the same value as each place."""
    import torch

    rising = -falling.contiguous()
    return torch.searchsorted(rising, rising, right=True) - 1
