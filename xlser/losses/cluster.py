"""The class-cluster loss: tight classes, far apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import PositiveInt

from xlser.losses.checks import classes, embeddings
from xlser.losses.distances import smooth
from xlser.losses.term import Labels, OnClasses

if TYPE_CHECKING:
    from torch import Tensor


def class_cluster(z: Tensor, labels: Tensor) -> Tensor:
    """Mean distance of a row to its class centroid, over the mean distance between two centroids.

    Distances are sqrt(d^2 + 1e-6). The value is above 0 and has no unit; below 1, classes are tighter than they are far
    apart. Every row counts the same above the line, every pair of classes below it.

    ========  ========  ==========================================================
    Inputs    shape     meaning
    ========  ========  ==========================================================
    z         (N, D)    embeddings, any float dtype (half is widened to float32)
    labels    (N,)      class of a row, an integer of at least 0, gaps allowed
    ========  ========  ==========================================================

    Requirements:
        At least two classes in the batch, one of them with two rows; embeddings finite. An unlabelled row (negative) is
        refused, as its distance to no class would have to be invented: the caller drops it.

    Relations:
        For classes what ``continuous_metric`` is for a dimension. It knows no margin and no temperature, and does not
        depend on the scale of z. O(N D + C^2 D) for C classes.

    Degenerate case:
        Equal embeddings give 1.0, by the 1e-6 under each root, without a gradient.

    Returns:
        A tensor without dimensions, float32 or the wider dtype of z.

    Raises:
        ValueError: a requirement is not met or a shape is wrong.

    Source:
        Das et al. 2022, arXiv 2203.14867: the class-cluster variant of the authors' code. The 1e-6 is ours, after its
        siblings; so is the choice of plain means.

    Example:
        >>> import torch
        >>> z = torch.tensor([[0.0], [2.0], [10.0], [12.0]])
        >>> round(class_cluster(z, torch.tensor([0, 0, 1, 1])).item(), 4)
        0.1
    """
    import torch

    z = embeddings("z", z)
    own, counts = _classes(classes(labels, z))
    centroids = z.new_zeros(len(counts), z.shape[1]).index_add(0, own, z) / counts[:, None]
    within = smooth(torch.linalg.vector_norm(z - centroids[own], dim=1))
    return within.mean() / smooth(torch.pdist(centroids)).mean()


class ClassCluster(OnClasses):
    """``class_cluster`` as a term of a network's loss.

    Options:
        weight: above 0, 1.0 unless given.
        projection: width of the network of two layers through which the loss sees the embedding; None: none.

    >>> import torch
    >>> from xlser.losses import Labels
    >>> z = torch.tensor([[0.0], [2.0], [10.0], [12.0], [99.0]])
    >>> round(ClassCluster()(z, Labels(torch.tensor([0, 0, 1, 1, -1]))).item(), 4)  # the last row has no class
    0.1
    """

    projection: PositiveInt | None = None

    def of_classes(self, z: Tensor, labels: Labels) -> Tensor:
        """Return ``class_cluster``."""
        return class_cluster(z, labels.classes())


def _classes(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the place of each row's class (N,) and the rows of each class (C,)."""
    _, own, counts = labels.unique(return_inverse=True, return_counts=True)
    if len(counts) < 2:
        raise ValueError(f"`labels` must hold at least two classes, but holds only {int(labels[0])} instead.")
    if int(counts.max()) < 2:
        raise ValueError(f"`labels` must hold a class with two rows, but all {len(counts)} rows differ instead.")
    return own, counts
