"""The loss of a head that predicts a dimension: one less its concordance with the labels."""

from __future__ import annotations

from torch import Tensor, nn

from xlser.losses.checks import embeddings, targets


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


class DimensionCCCLoss(nn.Module):
    """``dimension_ccc`` as a module; it has no options.

    >>> DimensionCCCLoss()
    DimensionCCCLoss()
    """

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return ``dimension_ccc`` of predictions (N,) and labels (N,)."""
        return dimension_ccc(prediction, target)
