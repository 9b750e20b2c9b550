"""The contrastive loss of siamese networks: pairs of a class drawn together, others pushed a margin apart."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xlser.losses.checks import above_zero, choice, classes, directions, embeddings
from xlser.losses.pair_selection import POLICIES, select_pairs


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
        >>> z, labels = torch.tensor([[0.0], [3.0], [3.5]]), torch.tensor([0, 0, 1])
        >>> contrastive(z, labels, policy="all", normalise=False)  # (3^2 + 0 + 0.5^2) / 3
        tensor(3.0833)
    """
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


class ContrastiveLoss(nn.Module):
    """Hold the options of ``contrastive``.

    Raises:
        ValueError: an option is unknown or out of its range.

    >>> ContrastiveLoss(policy="hard")
    ContrastiveLoss(margin=1.0, policy='hard', normalise=True)
    """

    def __init__(self, margin: float = 1.0, policy: str = "random-balanced", normalise: bool = True):
        super().__init__()
        above_zero("margin", margin)
        self.options = {"margin": margin, "policy": choice("policy", policy, tuple(POLICIES)), "normalise": normalise}

    def forward(self, z: Tensor, labels: Tensor, **known: Tensor | torch.Generator | None) -> Tensor:
        """Return ``contrastive`` of embeddings (N, D) and classes (N,); ``known``: speakers, languages, generator."""
        return contrastive(z, labels, **self.options, **known)

    def extra_repr(self) -> str:
        """Show the options."""
        return ", ".join(f"{name}={value!r}" for name, value in self.options.items())
