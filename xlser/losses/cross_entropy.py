"""Cross-entropy of a classifier's logits, and the weights that make rare classes count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, NonNegativeFloat, model_validator

from xlser.losses.checks import classes, embeddings
from xlser.losses.soft_cross_entropy import Divergence, soft_cross_entropy
from xlser.losses.term import Head, Labels, Term

if TYPE_CHECKING:
    from torch import Tensor


def class_weights(labels: Tensor, count: int) -> Tensor:
    """Return a weight a class (count,), float32, inverse to its rows, with a mean of one over the classes present.

    A class without a row gets 0: any other weight would be invented, and no row of these labels asks for it.

    Args:
        labels: class of every row of the training set, (N,), integers in [0, count); or the share of each class in
            every row, (N, count).
        count: how many classes there are, at least 1.

    Raises:
        ValueError: no rows, not (N,), not integers, or a class out of range; or shares of another shape.

    Example:
        >>> import torch
        >>> class_weights(torch.tensor([0, 0, 0, 2]), 3)
        tensor([0.5000, 0.0000, 1.5000])
    """
    import torch

    if len(labels) == 0:
        raise ValueError("`labels` must have at least 1 row, but has 0 instead.")
    if labels.ndim == 2 and labels.shape[1] == count and labels.is_floating_point():
        rows = labels.sum(0)
    else:
        rows = _within(classes(labels, labels), count).bincount(minlength=count)
    inverse = torch.where(rows > 0, 1 / rows.where(rows > 0, 1), 0).float()
    return inverse / (inverse.sum() / (rows > 0).sum())


def cross_entropy(logits: Tensor, labels: Tensor, *, weights: Tensor | None = None, smoothing: float = 0.0) -> Tensor:
    """Weighted mean over rows of -log softmax(logits)[label], in nats, at least 0.

    =========  ========  ======================================================================================
    Inputs     shape     meaning
    =========  ========  ======================================================================================
    logits     (N, C)    unnormalised log-probabilities, any float dtype (half is widened to float32)
    labels     (N,)      class of a row, an integer in [0, C)
    weights    (C,)      what a row of each class counts, at least 0, such as ``class_weights``; None: all alike
    smoothing  float     share of the target, in [0, 1), that is spread evenly over all classes
    =========  ========  ======================================================================================

    Requirements:
        N >= 1, C >= 2, all values finite, a row of a weight above 0. An unlabelled row (negative) is the caller's to
        drop. One class only in a batch is fine: the logits of the others are told apart from it.

    Relations:
        The plain companion of ``supcon`` and ``contrastive``, which shape embeddings and decide nothing. O(N C).

    Degenerate case:
        Rows of weight 0 take no part. With ``smoothing`` the weights reach the spread share too, as in PyTorch.

    Returns:
        A tensor without dimensions, float32 or the wider dtype of the logits.

    Raises:
        ValueError: a requirement is not met, a shape is wrong, or ``smoothing`` is out of its range.

    Source:
        ``torch.nn.functional.cross_entropy``; smoothing is Szegedy et al. 2016, arXiv 1512.00567, section 7.

    Example:
        >>> import torch
        >>> round(cross_entropy(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item(), 4)  # log 2
        0.6931
    """
    import torch

    _smoothing(smoothing)
    logits, labels, weights = judged(logits, labels, weights)
    return torch.nn.functional.cross_entropy(logits, labels, weight=weights, label_smoothing=smoothing)


def judged(logits: Tensor, labels: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return what a loss of a classifier takes, checked: logits in at least float32, int64 classes, class weights.

    Raises:
        ValueError: see `cross_entropy`.

    >>> import torch
    >>> judged(torch.zeros(1, 2), torch.tensor([2]), None)
    Traceback (most recent call last):
    ValueError: `labels` must be below the number of classes (2), but holds 2 instead.
    """
    logits = embeddings("logits", logits, rows=1)
    if logits.shape[1] < 2:
        raise ValueError(f"`logits` must have at least 2 classes, but has {logits.shape[1]} instead.")
    labels = _within(classes(labels, logits), logits.shape[1]).long()
    return logits, labels, None if weights is None else _weights(weights.to(logits), labels, logits.shape[1])


class CrossEntropy(Term):
    """``cross_entropy`` of a classifier as a term of a network's loss; the classifier is trained with it.

    Options:
        weight: above 0, 1.0 unless given.
        balance: weigh a class by the inverse of its share of the training rows, as ``class_weights`` has it.
        smoothing: share of the target, in [0, 1), that is spread evenly over all classes.
        targets: ``labels``, or ``votes``: the shares of a clip's raters, and its label where nobody votes.
        undecided: with votes, learn from clips whose raters do not agree too.
        divergence: ``cross-entropy``, or ``kl``: what it is above the least that the targets allow (the same gradient).
        mixup: alpha of manifold mixup in training, at least 0; 0, unless given, mixes nothing. 0.2 to 2 are usual.

    >>> import torch
    >>> from xlser.losses import Labels
    >>> logits, labels = torch.zeros(3, 2), Labels(torch.tensor([1, 0, -1]))  # the last row has no class
    >>> round(CrossEntropy()(logits, labels).item(), 4)  # log 2
    0.6931
    """

    later: ClassVar[frozenset[str]] = frozenset({"targets", "undecided", "divergence", "mixup"})
    head: ClassVar[Head] = "classes"
    on_classes: ClassVar[bool] = True

    balance: bool = False
    smoothing: float = Field(default=0.0, ge=0, lt=1)
    targets: Literal["labels", "votes"] = "labels"
    undecided: bool = False
    divergence: Divergence = "cross-entropy"
    mixup: NonNegativeFloat = 0.0

    @model_validator(mode="after")
    def _undecided_votes(self) -> CrossEntropy:
        if self.undecided and not self.soft:
            raise ValueError("`undecided` clips have votes and no label: it belongs to `targets: votes`")
        return self

    def taught(self, labels: Labels) -> Tensor:
        """Tell which rows (N,) it learns from: those with a class, and, if asked, those with votes alone."""
        known = super().taught(labels)
        return known | labels.votes().isfinite().all(1) if self.undecided else known

    def distributions(self, labels: Labels, count: int) -> Tensor:
        """Return the target of every row (N, C) over ``count`` classes: votes where asked and there, else its label.

        Args:
            labels: of rows that it is `taught` by.
            count: C.
        """
        import torch

        label = classes(labels.classes().clamp_min(0), labels.classes())
        hard = torch.nn.functional.one_hot(_within(label, count).long(), count).float()
        if not self.soft:
            return hard
        votes = labels.votes()
        return torch.where(votes.isfinite().all(1, keepdim=True), votes, hard.to(votes))

    def __call__(self, z: Tensor, labels: Labels) -> Tensor:
        """Return ``cross_entropy`` of the logits (N, C) of the rows with a class, or ``soft_cross_entropy``."""
        taught = self.taught(labels)
        z, labels = z[taught], labels.at(taught)
        options: dict[str, Any] = {"weights": labels.weights() if self.balance else None, "smoothing": self.smoothing}
        if not (self.soft or labels.mix or self.divergence == "kl") or not len(z):
            return cross_entropy(z, labels.classes(), **options)
        target = self.distributions(labels, z.shape[1]).to(z)
        target = labels.mix.of(target) if labels.mix else target
        if self.divergence == "cross-entropy" and bool((target.amax(1) == 1).all()):
            return cross_entropy(z, target.argmax(1), **options)  # votes for one class are its label, to the last digit
        return soft_cross_entropy(z, target, **options, divergence=self.divergence)


def _within(labels: Tensor, count: int) -> Tensor:
    if (highest := int(labels.max())) >= count:
        raise ValueError(f"`labels` must be below the number of classes ({count}), but holds {highest} instead.")
    return labels


def _weights(weights: Tensor, labels: Tensor, count: int) -> Tensor:
    if weights.shape != (count,):
        raise ValueError(f"`weights` must have shape ({count},), but has {tuple(weights.shape)} instead.")
    if not bool(((weights >= 0) & weights.isfinite()).all()):
        raise ValueError(f"`weights` must be finite and at least 0, but holds {weights.tolist()} instead.")
    if not bool((weights[labels] > 0).any()):
        raise ValueError(f"`weights` must be above 0 for a class in the batch, but is {weights.tolist()} instead.")
    return weights


def _smoothing(smoothing: float) -> float:
    if not 0 <= smoothing < 1:
        raise ValueError(f"`smoothing` must be at least 0 and below 1, but is {smoothing} instead.")
    return smoothing
