"""Two losses over the pairs of a batch that compare latent with label differences: by ratio, and by concordance."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from xlser.losses.checks import choice, embeddings, targets
from xlser.losses.distances import FORMS, OFFSET, centred, euclidean_pairs
from xlser.losses.term import OnRatings

if TYPE_CHECKING:
    from torch import Tensor

# Near a ratio of one float32 cannot tell 1e-7 from nothing; the floor stands well above that.
FLOOR = 1e-6


def elr(z: Tensor, y: Tensor) -> Tensor:
    """Draw the ratio of latent distance n to label distance x to one, on a log scale: mean over i < j of log|n/x - 1|.

    n = sqrt(||z_i - z_j||^2 + 1e-6) / D, x = sqrt((y_i - y_j)^2 + 1e-6). The value has no unit, no upper bound, and a
    lower bound of log 1e-6 = -13.8: |n/x - 1| is clamped there, where log would run to -inf.

    ========  ========  ==========================================================
    Inputs    shape     meaning
    ========  ========  ==========================================================
    z         (N, D)    embeddings, any float dtype (half is widened to float32)
    y         (N,)      one dimensional label a row
    ========  ========  ==========================================================

    Requirements:
        N >= 2, all values finite, y not constant.

    Relations:
        The nearer a pair is to its target, the harder it pulls: prefer ``continuous_metric``, which settles, unless the
        authors' variant itself is wanted. O(N^2) time and memory, Euclidean only.

    Degenerate case:
        A pair within the floor gives -13.8 and no gradient; a pair of equal embeddings gives no gradient either, so a
        batch of equal embeddings stays where it is.

    Returns:
        A tensor without dimensions, float32 or the wider dtype of z.

    Raises:
        ValueError: a requirement is not met or a shape is wrong.

    Source:
        Das et al. 2022, arXiv 2203.14867: the variant ELR of the authors' code. The clamp is ours.

    Example:
        >>> import torch
        >>> y = torch.tensor([1.0, 2.0, 4.0])
        >>> round(elr(3 * y[:, None], y).item(), 4)  # every ratio is 3: log 2
        0.6931
    """
    z = embeddings("z", z)
    n, x = euclidean_pairs(z, targets(y, z))
    return (n / x - 1).abs().clamp_min(FLOOR).log().mean()


def ccc_pairs(z: Tensor, y: Tensor, *, form: str = "signed") -> Tensor:
    """One less the absolute concordance of latent and label differences over pairs: 1 - |CCC(n, x)|, within [0, 1].

    CCC = 2 cov(n, x) / (var n + var x + (mean n - mean x)^2), population moments.

    ========  ========  =======================================================================================
    Inputs    shape     meaning
    ========  ========  =======================================================================================
    z         (N, D)    embeddings, any float dtype (half is widened to float32)
    y         (N,)      one dimensional label a row, in the units the latent should take on
    form      str       ``signed``: n = (sum_d (z_id - z_jd) + 1e-6) / D, x = y_i - y_j + 1e-6, over i != j;
                        ``euclidean``: n = sqrt(||z_i - z_j||^2 + 1e-6) / D, x = sqrt((y_i - y_j)^2 + 1e-6), i < j
    ========  ========  =======================================================================================

    Requirements:
        N >= 2 (``euclidean``: 3, as one distance has no variance), all values finite, y not constant.

    Relations:
        Bounded where ``continuous_metric`` is not, but a latent that falls as the label grows is as good as one that
        grows with it. ``signed`` takes O(N): over both orders of each pair, unlike i < j alone, the value does not
        depend on the order of the rows. ``euclidean`` takes O(N^2).

    Degenerate case:
        Equal embeddings have no concordance: 1.0, without a gradient.

    Returns:
        A tensor without dimensions, float32 or the wider dtype of z.

    Raises:
        ValueError: a requirement is not met, a shape is wrong, or ``form`` is unknown.

    Source:
        Das et al. 2022, arXiv 2203.14867: the variant 1 - |CCC| of the authors' code, there over i < j; the concordance
        is Lin's (1989). Both orders in ``signed``, and its closed form, are ours.

    Example:
        >>> import torch
        >>> y = torch.tensor([1.0, 2.0, 4.0])
        >>> round(ccc_pairs(3 * y[:, None], y).item(), 4)  # CCC = 2 * 3 / (9 + 1)
        0.4
    """
    choice("form", form, FORMS)
    z = embeddings("z", z, rows=2 if form == "signed" else 3)
    y = targets(y, z)
    return 1 - (_signed_ccc(z, y) if form == "signed" else _euclidean_ccc(z, y)).abs()


class ELR(OnRatings):
    """``elr`` as a term of a network's loss; its value can be negative. Options as of `ContinuousMetric`.

    >>> ELR(on="valence")
    ELR(weight=1.0, on='valence', projection=None)
    """

    negative: ClassVar[bool] = True

    def of_ratings(self, z: Tensor, ratings: Tensor) -> Tensor:
        """Return ``elr``."""
        return elr(z, ratings)


class PairCCC(OnRatings):
    """``ccc_pairs`` as a term of a network's loss.

    Options:
        weight: above 0, 1.0 unless given.
        on, projection: as of `ContinuousMetric`.
        form: ``signed`` unless given, or ``euclidean``.

    >>> PairCCC(form="euclidean").form
    'euclidean'
    """

    form: Literal["signed", "euclidean"] = "signed"

    def of_ratings(self, z: Tensor, ratings: Tensor) -> Tensor:
        """Return ``ccc_pairs``."""
        return ccc_pairs(z, ratings, form=self.form)


def _signed_ccc(z: Tensor, y: Tensor) -> Tensor:
    # Over both orders each mean difference is its offset alone, and each (co)variance 2 N / (N - 1) times the rows'.
    zbar, y = centred(z, y)
    per_row = 2 / (len(y) - 1)
    spread = per_row * (zbar.square().sum() + y.square().sum())
    return 2 * per_row * (zbar * y).sum() / (spread + (OFFSET - OFFSET / z.shape[1]) ** 2)


def _euclidean_ccc(z: Tensor, y: Tensor) -> Tensor:
    n, x = euclidean_pairs(z, y)
    gap = n.mean() - x.mean()
    n, x = n - n.mean(), x - x.mean()
    return 2 * (n * x).mean() / (n.square().mean() + x.square().mean() + gap.square())
