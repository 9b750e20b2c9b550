"""The contrastive loss of siamese networks: pairs of a class drawn together, others pushed a margin apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PositiveFloat, PositiveInt

from xlser.losses.checks import above_zero, classes, directions, embeddings
from xlser.losses.pair_selection import select_pairs
from xlser.losses.term import Feed, Labels, OnClasses

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Policy = Literal["random-balanced", "all", "hard", "semi-hard", "cross-speaker", "cross-language"]


def contrastive(
    z: Tensor,
    labels: Tensor,
    *,
    margin: float = 1.0,
    policy: str = "random-balanced",
    normalise: bool = True,
    speakers: Tensor | None = None,
    languages: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Mean over the selected pairs of d^2 for two rows of a class, and of max(0, margin - d)^2 for two of different.

    d is the Euclidean distance of the two rows. The value is at least 0, in squared units of d.

    ===========  ========  ========================================================================================
    Inputs       shape     meaning
    ===========  ========  ========================================================================================
    z            (N, D)    embeddings, any float dtype (half is widened to float32)
    labels       (N,)      class of a row, an integer of at least 0, gaps allowed
    margin       float     distance, above 0, beyond which two classes are far enough apart
    policy       str       which pairs: ``all``, ``random-balanced``, ``hard``, ``semi-hard``, ``cross-speaker`` or
                           ``cross-language``; see ``select_pairs``
    normalise    bool      bring rows to unit length first, so that d is within [0, 2] and a margin has a scale
    speakers     (N,)      speaker of a row, for ``cross-speaker``
    languages    (N,)      language of a row, for ``cross-language``
    generator              where the three policies that draw draw from; None: PyTorch's own
    ===========  ========  ========================================================================================

    Requirements:
        At least two classes and one positive pair that the policy takes; all values finite; with ``normalise``, no row
        of length zero.

    Relations:
        ``supcon`` takes all rows of the batch for negatives and needs no margin; this one suits small batches, and
        policies that ask for a certain kind of pair. O(N^2 D) time, O(N^2) memory.

    Degenerate case:
        Two equal rows have no direction to part in: the pair has a value but no gradient. Classes that are tight and a
        margin apart give 0.0: nothing is left to learn.

    Returns:
        A tensor without dimensions, float32 or the wider dtype of z.

    Raises:
        ValueError: a requirement is not met, a shape is wrong, or an option is unknown or out of its range.

    Source:
        Hadsell et al. 2006, eq. 4, without its factor of 1/2; for speech emotion Lian et al. 2018, arXiv 1910.11174.
        The formula of the latter, its margin and whether it normalises could not be had: both are assumptions of ours.

    Example:
        >>> import torch
        >>> z, labels = torch.tensor([[0.0], [3.0], [3.5]]), torch.tensor([0, 0, 1])
        >>> contrastive(z, labels, policy="all", normalise=False)  # (3^2 + 0 + 0.5^2) / 3
        tensor(3.0833)
    """
    import torch

    above_zero("margin", margin)
    z = embeddings("z", z)
    labels = classes(labels, z)
    z = directions(z) if normalise else z
    # Not by matrix product: it loses the digits of a small distance.
    distances = torch.cdist(z, z, compute_mode="donot_use_mm_for_euclid_dist")
    known = {"speakers": speakers, "languages": languages, "generator": generator}
    i, j, same = select_pairs(distances, labels, policy, **known)
    d = distances[i, j]
    return torch.where(same, d, (margin - d).clamp_min(0)).square().mean()


class Contrastive(OnClasses):
    """``contrastive`` as a term of a network's loss: siamese, on pairs chosen by ``pairs``.

    Options:
        weight: above 0, 1.0 unless given.
        margin: distance, above 0, beyond which two classes are far enough apart; of unit rows, 2 at most.
        pairs: ``random-balanced`` unless given, ``all``, ``hard``, ``semi-hard``, ``cross-speaker`` or
            ``cross-language``; see ``select_pairs``.
        projection: width of the network of two layers through which the loss sees the embedding; None: none.
        feed: layer and pooling of an encoder that give the vectors to compare; None: the embedding itself.
        normalise: whether rows are brought to unit length first.

    >>> import torch
    >>> from xlser.losses import Labels
    >>> z, labels = torch.tensor([[0.0], [3.0], [3.5]]), Labels(torch.tensor([0, 0, 1]))
    >>> Contrastive(pairs="all", normalise=False)(z, labels)  # (3^2 + 0 + 0.5^2) / 3
    tensor(3.0833)
    """

    later: ClassVar[frozenset[str]] = frozenset({"normalise"})
    on_latent: ClassVar[dict[str, str]] = {"pairs": "all"}

    margin: PositiveFloat = 1.0
    pairs: Policy = "random-balanced"
    projection: PositiveInt | None = None
    feed: Feed | None = None
    normalise: bool = True

    @property
    def parted(self) -> str | None:
        """Speaker or language, where only two of them make a positive pair."""
        return self.pairs.removeprefix("cross-") if self.pairs.startswith("cross-") else None

    @property
    def grouped(self) -> str | None:
        """Likewise."""
        return self.parted

    def of_classes(self, z: Tensor, labels: Labels) -> Tensor:
        """Return ``contrastive`` of the selected pairs."""
        return contrastive(
            z,
            labels.classes(),
            margin=self.margin,
            policy=self.pairs,
            normalise=self.normalise,
            **({f"{self.parted}s": labels.group(self.parted)} if self.parted else {}),
            generator=labels.generator,
        )
