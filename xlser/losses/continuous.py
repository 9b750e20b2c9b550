"""The continuous metric loss: distances in the latent space follow differences of a dimensional label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlser.losses.checks import choice, embeddings, targets
from xlser.losses.distances import FORMS, OFFSET, centred, euclidean_pairs, signed_moment
from xlser.losses.term import OnRatings

if TYPE_CHECKING:
    from torch import Tensor


def continuous_metric(z: Tensor, y: Tensor, *, form: str = "signed") -> Tensor:
    """Ask that latent differences n be the label differences x: slope one through the origin, and no scatter.

    L = |b - 1| + mean over i < j of (b x_ij - n_ij)^2, with b = (x . n) / (x . x). The value is at least 0, in squared
    label units for the second term.

    ========  ===========  =======================================================================================
    Inputs    shape        meaning
    ========  ===========  =======================================================================================
    z         (N, D)       embeddings, any float dtype (half is widened to float32)
    y         (N,)         one dimensional label a row, such as activation, in the units the latent should take on
    form      str          ``signed``: n = (sum_d (z_id - z_jd) + 1e-6) / D, x = y_i - y_j + 1e-6;
                           ``euclidean``: n = sqrt(||z_i - z_j||^2 + 1e-6) / D, x = sqrt((y_i - y_j)^2 + 1e-6)
    ========  ===========  =======================================================================================

    Requirements:
        N >= 2, all values finite, y not constant. Rows without a label are the caller's to drop.

    Relations:
        ``signed`` takes O(N) time and memory and gives the pair form exactly, offsets included. It constrains the mean
        latent coordinate only; what else the latent holds is left to the reconstruction. ``euclidean`` constrains every
        coordinate, takes O(N^2), does not know which way the label grows, and has no gradient where all rows coincide.
        ``ccc_pairs`` asks for the same in one bounded term; ``elr`` weighs ratios instead of squares.
        For ``signed``, up to the offsets, b = cov(y, zbar) / var(y) with zbar = mean_d z, and
        L = |b - 1| + 2 var(zbar) (1 - r^2) N / (N - 1).

    Degenerate case:
        N = 2 leaves no scatter: L = |b - 1| for ``euclidean`` and for ``signed``. The offsets tie ``signed`` to the
        order of the rows, by about 1e-6 over the spread of y.

    Returns:
        A tensor without dimensions, float32 or the wider dtype of z.

    Raises:
        ValueError: a requirement is not met, a shape is wrong, or ``form`` is unknown.

    Source:
        Das et al. 2022, arXiv 2203.14867, both forms of the loss; the closed form is derived here.

    Example:
        >>> import torch
        >>> y = torch.tensor([1.0, 2.0, 5.0])
        >>> round(continuous_metric(y[:, None], y).item(), 4)
        0.0
        >>> round(continuous_metric(3 * y[:, None], y).item(), 4)
        2.0
        >>> continuous_metric(y[:, None], torch.ones(3))
        Traceback (most recent call last):
        ValueError: `y` must hold at least two different values, but holds only 1.0 instead.
    """
    choice("form", form, FORMS)
    z = embeddings("z", z)
    y = targets(y, z)
    return _signed(z, y) if form == "signed" else _euclidean(z, y)


class ContinuousMetric(OnRatings):
    """``continuous_metric`` of signed differences as a term of a network's loss (Das et al. 2022).

    Options:
        weight: above 0, 1.0 unless given.
        on: ``activation`` unless given, ``valence`` or ``dominance``, or several of them, which share the embedding.
        projection: width of the network of two layers through which the loss sees the embedding; None: none.

    >>> import torch
    >>> from xlser.losses import Labels
    >>> y = torch.tensor([1.0, 2.0, 5.0, torch.nan])
    >>> z = 3 * torch.tensor([[1.0], [2.0], [5.0], [7.0]])
    >>> round(ContinuousMetric(on="valence")(z, Labels(ratings={"valence": y})).item(), 4)  # a slope of 3, not of 1
    2.0
    """

    def of_ratings(self, z: Tensor, ratings: Tensor) -> Tensor:
        """Return ``continuous_metric`` of signed differences."""
        return continuous_metric(z, ratings)


class EuclideanMetric(OnRatings):
    """``continuous_metric`` of Euclidean distances as a term of a network's loss; options as of `ContinuousMetric`.

    >>> EuclideanMetric(on="valence", weight=0.5)
    EuclideanMetric(weight=0.5, on='valence', projection=None)
    """

    def of_ratings(self, z: Tensor, ratings: Tensor) -> Tensor:
        """Return ``continuous_metric`` of Euclidean distances."""
        return continuous_metric(z, ratings, form="euclidean")


def _signed(z: Tensor, y: Tensor) -> Tensor:
    zbar, y = centred(z, y)
    offset = OFFSET / z.shape[1]
    slope = signed_moment(y, zbar, OFFSET, offset) / signed_moment(y, y, OFFSET, OFFSET)
    # The scatter is summed from each row's own residual: mean n^2 - b^2 mean x^2 cancels when the fit is good.
    residual, shift = slope * y - zbar, slope * OFFSET - offset
    return (slope - 1).abs() + signed_moment(residual, residual, shift, shift)


def _euclidean(z: Tensor, y: Tensor) -> Tensor:
    n, x = euclidean_pairs(z, y)
    slope = (x * n).mean() / x.square().mean()
    return (slope - 1).abs() + (slope * x - n).square().mean()
