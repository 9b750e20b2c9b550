"""Which pairs of a batch a pair loss is taken over: the policies, each a function of what is known of the rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from xlser.losses.checks import choice, classes

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Pairs = tuple["Tensor", "Tensor"]


class Rows(NamedTuple):
    """What a policy may look at: distances (N, N), classes (N,), and what else the caller knows of the rows."""

    distances: Tensor
    labels: Tensor
    speakers: Tensor | None = None
    languages: Tensor | None = None
    generator: torch.Generator | None = None

    @property
    def same(self) -> Tensor:
        """Tell which ordered pairs (N, N) are of two rows of a class."""
        return (self.labels[:, None] == self.labels).fill_diagonal_(False)

    @property
    def different(self) -> Tensor:
        """Tell which ordered pairs (N, N) are of two classes."""
        return self.labels[:, None] != self.labels


def select_pairs(
    distances: Tensor,
    labels: Tensor,
    policy: str,
    *,
    speakers: Tensor | None = None,
    languages: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the pairs that a policy picks: the rows i (P,) and j (P,), and whether they are of one class (P,).

    ===================  ==========================================================================================
    policy               pairs
    ===================  ==========================================================================================
    ``all``              every pair i < j
    ``random-balanced``  as many positive as negative ones: all of the rarer kind, the others drawn without repeats
    ``hard``             of every anchor i the farthest positive and the nearest negative
    ``semi-hard``        every positive pair in both orders and, for each, the nearest negative of i that is farther
                         from i than j is; where none is farther, the farthest negative of i
    ``cross-speaker``    ``random-balanced``, but only two speakers make a positive pair
    ``cross-language``   ``random-balanced``, but only two languages make a positive pair
    ===================  ==========================================================================================

    ``hard`` and ``semi-hard`` go by anchor, so the same two rows may come twice, once in each order. The window of
    ``semi-hard`` needs no margin: a negative beyond it adds nothing to a loss that is 0 there.

    Args:
        distances: of all rows to all rows, (N, N); only ``hard`` and ``semi-hard`` look at them.
        labels: class of a row, (N,), an integer of at least 0.
        policy: one of the above.
        speakers: speaker of a row, (N,), an integer of at least 0; ``cross-speaker`` needs them.
        languages: language of a row, (N,), an integer of at least 0; ``cross-language`` needs them.
        generator: where the drawing policies draw from; None: PyTorch's own.

    Raises:
        ValueError: the policy is unknown, lacks the column it needs, or finds no positive or no negative pair.

    Source:
        Lian et al. 2018, arXiv 1910.11174, compare several policies without a formula that could be had; these are
        ours. ``semi-hard`` is Schroff et al. 2015, arXiv 1503.03832, section 3.2.

    Example:
        >>> import torch
        >>> z = torch.tensor([0.0, 1.0, 5.0])
        >>> i, j, same = select_pairs((z[:, None] - z).abs(), torch.tensor([0, 0, 1]), "all")
        >>> i.tolist(), j.tolist(), same.tolist()
        ([0, 0, 1], [1, 2, 2], [True, False, False])
    """
    import torch

    choice("policy", policy, tuple(POLICIES))
    labels = classes(labels, distances)
    columns = {"speakers": speakers, "languages": languages}
    known = {name: column if column is None else classes(column, labels, name=name) for name, column in columns.items()}
    if bool((labels == labels[0]).all()):
        raise ValueError(f"`labels` must hold at least two classes, but holds only {int(labels[0])} instead.")
    positive, negative = POLICIES[policy](Rows(distances.detach(), labels, **known, generator=generator))
    if len(positive[0]) == 0:
        lacks = {"cross-speaker": "rows of two speakers", "cross-language": "rows of two languages"}
        raise ValueError(
            f"`labels` must give the policy {policy} a positive pair, "
            f"but among {len(labels)} rows no class has {lacks.get(policy, 'two rows')} instead."
        )
    same = torch.arange(len(positive[0]) + len(negative[0]), device=labels.device) < len(positive[0])
    return torch.cat([positive[0], negative[0]]), torch.cat([positive[1], negative[1]]), same


def _every(rows: Rows) -> tuple[Pairs, Pairs]:
    return _once(rows.same), _once(rows.different)


def _balanced(rows: Rows, allowed: Tensor | bool = True) -> tuple[Pairs, Pairs]:
    positive, negative = _once(rows.same & allowed), _once(rows.different)
    count = min(len(positive[0]), len(negative[0]))
    return _draw(positive, count, rows.generator), _draw(negative, count, rows.generator)


def _across(column: str) -> Callable[[Rows], tuple[Pairs, Pairs]]:
    def policy(rows: Rows) -> tuple[Pairs, Pairs]:
        values = getattr(rows, column)
        if values is None:
            raise ValueError(f"`{column}` must be given for the policy cross-{column[:-1]}, but is None instead.")
        return _balanced(rows, values[:, None] != values)

    return policy


def _hard(rows: Rows) -> tuple[Pairs, Pairs]:
    import torch

    same, anchors = rows.same, torch.arange(len(rows.labels), device=rows.labels.device)
    farthest = rows.distances.masked_fill(~same, -torch.inf).argmax(1)
    nearest = rows.distances.masked_fill(~rows.different, torch.inf).argmin(1)
    paired = same.any(1)
    return (anchors[paired], farthest[paired]), (anchors, nearest)


def _semi_hard(rows: Rows) -> tuple[Pairs, Pairs]:
    import torch

    i, j = rows.same.nonzero(as_tuple=True)
    by_distance, order = rows.distances.masked_fill(~rows.different, torch.inf).sort(1)
    beyond = torch.searchsorted(by_distance, rows.distances.contiguous(), right=True)[i, j]
    last = rows.different.sum(1)[i] - 1
    return (i, j), (i, order[i, torch.minimum(beyond, last)])


def _once(pairs: Tensor) -> Pairs:
    return pairs.triu().nonzero(as_tuple=True)


def _draw(pairs: Pairs, count: int, generator: torch.Generator | None) -> Pairs:
    import torch

    if count == len(pairs[0]):
        return pairs
    device = generator.device if generator else "cpu"
    drawn = torch.randperm(len(pairs[0]), generator=generator, device=device)[:count].to(pairs[0].device)
    return pairs[0][drawn], pairs[1][drawn]


POLICIES: dict[str, Callable[[Rows], tuple[Pairs, Pairs]]] = {
    "all": _every,
    "random-balanced": _balanced,
    "hard": _hard,
    "semi-hard": _semi_hard,
    "cross-speaker": _across("speakers"),
    "cross-language": _across("languages"),
}
