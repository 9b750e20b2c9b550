"""The loss of a head that predicts a dimension: one less its concordance with the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from xlser.losses.checks import embeddings, targets
from xlser.losses.term import Head, Labels, Term
from xlser.vocabulary import DIMENSIONS, Dimension

if TYPE_CHECKING:
    from torch import Tensor


def dimension_ccc(prediction: Tensor, target: Tensor) -> Tensor:
    """One less the concordance of predicted and labelled values of a dimension: 1 - CCC, within [0, 2].

    CCC = 2 cov(p, y) / (var p + var y + (mean p - mean y)^2), population moments.

    ==========  ========  ============================================================================
    Inputs      shape     meaning
    ==========  ========  ============================================================================
    prediction  (N,)      predicted values, any float dtype (half is widened to float32)
    target      (N,)      labels of the same rows, in the units that the prediction should take on
    ==========  ========  ============================================================================

    Requirements:
        N >= 2, all values finite, target not constant. Rows without a label are the caller's to drop.

    Relations:
        Of a head's output, where ``ccc_pairs`` is of a latent. Concordance is of the batch: small batches make it
        noisy. O(N).

    Degenerate case:
        A constant prediction gives 1.0, and a gradient that draws it apart. A constant target gives 1.0 whatever the
        prediction, which is no loss: it is refused.

    Returns:
        A tensor without dimensions, float32 or the wider dtype of the prediction.

    Raises:
        ValueError: a requirement is not met or a shape is wrong.

    Source:
        Lin 1989, "A Concordance Correlation Coefficient to Evaluate Reproducibility".

    Example:
        >>> import torch
        >>> y = torch.tensor([1.0, 2.0, 3.0])
        >>> round(dimension_ccc(y + 1, y).item(), 4)  # 1 - 2 * 2/3 / (2/3 + 2/3 + 1)
        0.4286
    """
    if prediction.ndim != 1:
        raise ValueError(f"`prediction` must have shape (N,), but has {tuple(prediction.shape)} instead.")
    p = embeddings("prediction", prediction[:, None])[:, 0]
    y = targets(target, p, name="target")
    gap = p.mean() - y.mean()
    p, y = p - p.mean(), y - y.mean()
    return 1 - 2 * (p * y).mean() / (p.square().mean() + y.square().mean() + gap.square())


class Regression(Term):
    """Mean of ``dimension_ccc`` over the dimensions of a regression head, which is trained with it.

    A dimension without two different ratings in a batch takes no part in it.

    Options:
        weight: above 0, 1.0 unless given.
        of: the dimensions, one at least; all three unless given.

    >>> import torch
    >>> from xlser.losses import Labels
    >>> y = torch.tensor([1.0, 2.0, 3.0])
    >>> predicted = torch.stack([y + 1, y, y], dim=1)
    >>> round(Regression(of=["activation"])(predicted, Labels(ratings={"activation": y})).item(), 4)
    0.4286
    """

    head: ClassVar[Head] = "dimensions"

    of: tuple[Dimension, ...] = Field(default=DIMENSIONS, min_length=1)

    @property
    def learns(self) -> tuple[tuple[str, ...], ...]:
        """Any of its dimensions."""
        return (self.of,)

    def __call__(self, z: Tensor, labels: Labels) -> Tensor:
        """Return the mean loss of predictions (N, 3), in the order activation, valence, dominance."""
        import torch

        losses = []
        for name in self.of:
            rated = labels.rating(name).isfinite()
            ratings = labels.rating(name)[rated]
            if len(ratings.unique()) > 1:
                losses.append(dimension_ccc(z[rated, DIMENSIONS.index(name)], ratings))
        if not losses:
            names = ", ".join(self.of)
            raise ValueError(f"the batch must hold two different ratings of one of {names}, but holds none.")
        return torch.stack(losses).mean()
