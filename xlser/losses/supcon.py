"""The supervised contrastive loss: rows of a class near each other, and far from the rest of the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from xlser.losses.checks import above_zero, at_least_zero, classes, directions, embeddings
from xlser.losses.term import Group, Labels, OnClasses

if TYPE_CHECKING:
    from torch import Tensor


def supcon(
    z: Tensor, labels: Tensor, *, temperature: float = 0.1, groups: Tensor | None = None, cross_weight: float = 1.0
) -> Tensor:
    """Mean over anchors i of -sum over positives p of w_ip log(exp(u_i.u_p / t) / sum over a != i of exp(u_i.u_a / t)).

    u are the rows of z at unit length; the positives of an anchor are the other rows of its class, and their weights
    sum to one: 1/|P(i)| each, unless groups say otherwise. The value is at least 0, in nats, and has no upper bound
    but 2/t + log(N - 1).

    ============  ========  =====================================================================================
    Inputs        shape     meaning
    ============  ========  =====================================================================================
    z             (N, D)    embeddings of any length, any float dtype (half is widened to float32)
    labels        (N,)      class of a row, an integer of at least 0, gaps allowed
    temperature   float     t, above 0; the lower, the more the nearest rows decide
    groups        (N,)      language or corpus of a row, an integer of at least 0; None: all of one group
    cross_weight  float     weight, at least 0, of a positive of another group than the anchor's against 1 for one
                            of the same group: 1 is plain SupCon, above 1 draws the groups together, 0 keeps to
                            positives of the anchor's own group
    ============  ========  =====================================================================================

    Requirements:
        At least two classes in the batch and one anchor with a positive of a weight above 0; finite rows, none of
        length zero. Anchors without such a positive are left out of the mean, but stay in the sums of the others.

    Relations:
        For classes what ``kernel_contrastive`` is for a dimension. ``contrastive`` needs a margin and picks pairs; this
        takes all and needs large batches. O(N^2 D) time, O(N (D + 256)) memory: no (N, N) matrix is ever held. The
        gradient is worked out with the value, so there is no second one: RuntimeError.

    Degenerate case:
        Equal rows give log(N - 1), the value of chance. Two rows cannot meet the requirements. At t = 0.01 float32
        keeps about 1e-5 of the value.

    Returns:
        A tensor without dimensions, float32 or the wider dtype of z, also under autocast.

    Raises:
        ValueError: a requirement is not met, a shape is wrong, or an option is out of its range.

    Source:
        Khosla et al. 2020, arXiv 2004.11362, eq. 2 (L_out). The weight between groups, and the closed forms, are ours.

    Example:
        >>> import torch
        >>> z, labels = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]), torch.tensor([0, 0, 1, 1])
        >>> round(supcon(z, labels, temperature=1.0).item(), 4)  # log(1 + 2 / e)
        0.5514
        >>> supcon(z, torch.tensor([0, 1, 2, 3]))
        Traceback (most recent call last):
        ValueError: `labels` must give an anchor a positive of a weight above 0, but none of the 4 rows has one instead.
    """
    import torch

    from xlser.losses.log_sum_exp import WeighedLogSumExp

    above_zero("temperature", temperature)
    at_least_zero("cross_weight", cross_weight)
    z = embeddings("z", z)
    labels = classes(labels, z)
    if bool((labels == labels[0]).all()):
        raise ValueError(f"`labels` must hold at least two classes, but holds only {int(labels[0])} instead.")
    groups = torch.zeros_like(labels) if groups is None else classes(groups, z, name="groups")
    unit = directions(z)
    weight, similarity = _positives(unit, labels, groups, cross_weight)
    share = _share(weight)
    # Less one on both sides: near the optimum the two terms are small then, and their difference keeps its digits.
    return WeighedLogSumExp.apply(unit, share, temperature) - (share * (similarity - 1)).sum() / temperature


class SupCon(OnClasses):
    """``supcon`` as a term of a network's loss.

    Options:
        weight: above 0, 1.0 unless given.
        temperature: above 0, 0.1 unless given; the lower, the more the nearest rows decide.
        projection: width of the network of two layers through which the loss sees the embedding, 128 unless given;
            None: it sees the embedding itself.
        cross_weight: weight, at least 0, of a positive of another group than the anchor's against 1 for one of the
            same: above 1 draws the groups together.
        across: what those groups are: ``language`` unless given, ``speaker`` or ``corpus``; None: there are none.

    >>> import torch
    >>> from xlser.losses import Labels
    >>> z, labels = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]), Labels(torch.tensor([0, 0, 1, 1]))
    >>> round(SupCon(temperature=1.0)(z, labels).item(), 4)  # log(1 + 2 / e)
    0.5514
    """

    later: ClassVar[frozenset[str]] = frozenset({"across"})

    temperature: PositiveFloat = 0.1
    projection: PositiveInt | None = 128
    cross_weight: NonNegativeFloat = 1.0
    across: Group | None = "language"

    @model_validator(mode="after")
    def _weighs_something(self) -> SupCon:
        if self.cross_weight != 1 and self.across is None:
            raise ValueError(
                f"`cross_weight` {self.cross_weight:g} weighs nothing without `across`; "
                "give across: speaker, corpus or language"
            )
        return self

    @property
    def grouped(self) -> str | None:
        """What positives are weighed by."""
        return self.across

    def of_classes(self, z: Tensor, labels: Labels) -> Tensor:
        """Return ``supcon``; groups that are not known are needed only where they weigh something."""
        groups = None
        if self.across and (self.cross_weight != 1 or self.across in labels.groups):
            groups = labels.group(self.across)
        return supcon(
            z,
            labels.classes(),
            temperature=self.temperature,
            groups=groups,
            cross_weight=self.cross_weight,
        )


def _positives(unit: Tensor, labels: Tensor, groups: Tensor, cross_weight: float) -> tuple[Tensor, Tensor]:
    """Return the summed weight of each anchor's positives, and their weighed mean cosine (0 without any), each (N,)."""
    import torch

    labels, groups = (keys.unique(return_inverse=True)[1] for keys in (labels, groups))
    near_rows, near = _sums(unit, labels * len(labels) + groups)
    far_rows, far = _sums(unit, labels)
    # Near and far both hold the row itself, which is no positive of its own: it leaves the second term and the first.
    weight = near_rows - 1 + cross_weight * (far_rows - near_rows)
    total = (unit * (near - unit)).sum(1) + cross_weight * (unit * (far - near)).sum(1)
    return weight, torch.where(weight > 0, total, 0) / torch.where(weight > 0, weight, 1)


def _sums(unit: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    """Return how many rows share a row's key (N,), itself included, and their sum (N, D)."""
    _, own, rows = keys.unique(return_inverse=True, return_counts=True)
    return rows[own].to(unit.dtype), unit.new_zeros(len(rows), unit.shape[1]).index_add(0, own, unit)[own]


def _share(weight: Tensor) -> Tensor:
    """Return what each anchor counts in the mean (N,): the same for all that have a positive, 0 for the others."""
    anchors = weight > 0
    if not bool(anchors.any()):
        raise ValueError(
            "`labels` must give an anchor a positive of a weight above 0, "
            f"but none of the {len(weight)} rows has one instead."
        )
    return anchors.to(weight.dtype) / anchors.sum()
