"""What every loss asks of a batch before it computes: each refusal quotes the argument, the rule and the value."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def embeddings(name: str, z: Tensor, *, rows: int = 2) -> Tensor:
    """Return ``z`` in at least float32 if it is a finite (N, D) float tensor of ``rows`` rows or more.

    Half precision is widened because a mean of squares over pairs overflows it.

    Raises:
        ValueError: not floating point, not (N, D) with D >= 1, too few rows, or a value that is not finite.

    >>> import torch
    >>> embeddings("z", torch.zeros(2, 3, dtype=torch.float16)).dtype
    torch.float32
    >>> embeddings("z", torch.zeros(1, 3))
    Traceback (most recent call last):
    ValueError: `z` must have at least 2 rows, but has 1 instead.
    """
    import torch

    if not z.is_floating_point():
        raise ValueError(f"`{name}` must be floating point, but is {z.dtype} instead.")
    if z.ndim != 2 or z.shape[1] == 0:
        raise ValueError(f"`{name}` must have shape (N, D) with D >= 1, but has {tuple(z.shape)} instead.")
    if len(z) < rows:
        raise ValueError(f"`{name}` must have at least {rows} rows, but has {len(z)} instead.")
    _finite(name, z)
    return z.to(torch.promote_types(z.dtype, torch.float32))


def directions(z: Tensor) -> Tensor:
    """Return the rows of ``z`` (N, D) at unit length, however long or short they are.

    Raises:
        ValueError: a row has length zero, and so no direction.

    >>> import torch
    >>> directions(torch.tensor([[3e30, 4e30], [3e-30, 4e-30]]))
    tensor([[0.6000, 0.8000],
            [0.6000, 0.8000]])
    """
    import torch

    # As length does not matter, the largest coordinate is taken out first, a constant: no square leaves the range.
    largest = z.detach().abs().amax(1, keepdim=True)
    if bool((largest == 0).any()):
        row = int((largest[:, 0] == 0).nonzero()[0])
        raise ValueError(f"`z` must have no row of length zero, but row {row} has instead.")
    z = z / largest
    return z / torch.linalg.vector_norm(z, dim=1, keepdim=True)


def targets(y: Tensor, z: Tensor, *, name: str = "y") -> Tensor:
    """Return ``y`` in the dtype of ``z`` if it is one finite number a row of ``z``, not all the same.

    Raises:
        ValueError: not (N,), not finite, or constant: no difference of labels to compare a distance with.

    >>> import torch
    >>> targets(torch.tensor([3, 3]), torch.zeros(2, 1))
    Traceback (most recent call last):
    ValueError: `y` must hold at least two different values, but holds only 3.0 instead.
    """
    _one_a_row(name, y, z)
    y = y.to(z.dtype)
    _finite(name, y)
    if bool((y == y[0]).all()):
        raise ValueError(f"`{name}` must hold at least two different values, but holds only {y[0].item()} instead.")
    return y


def classes(labels: Tensor, z: Tensor, *, name: str = "labels") -> Tensor:
    """Return ``labels`` if they are one integer of at least 0 a row of ``z``.

    Raises:
        ValueError: not (N,), not an integer dtype, or negative (an unlabelled row the caller has to drop).

    >>> import torch
    >>> classes(torch.tensor([0, -1]), torch.zeros(2, 1))
    Traceback (most recent call last):
    ValueError: `labels` must be at least 0 (drop unlabelled rows first), but holds -1 instead.
    """
    import torch

    _one_a_row(name, labels, z)
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise ValueError(f"`{name}` must be integers, but is {labels.dtype} instead.")
    if (lowest := int(labels.min())) < 0:
        raise ValueError(f"`{name}` must be at least 0 (drop unlabelled rows first), but holds {lowest} instead.")
    return labels


def choice(name: str, value: str, known: tuple[str, ...]) -> str:
    """Return ``value`` if it is one of ``known``.

    Raises:
        ValueError: it is not.

    >>> choice("form", "cosine", ("signed", "euclidean"))
    Traceback (most recent call last):
    ValueError: `form` must be one of signed, euclidean, but is 'cosine' instead.
    """
    if value not in known:
        raise ValueError(f"`{name}` must be one of {', '.join(known)}, but is {value!r} instead.")
    return value


def above_zero(name: str, value: float) -> float:
    """Return ``value`` if it is finite and above 0.

    Raises:
        ValueError: it is not.

    >>> above_zero("temperature", 0.0)
    Traceback (most recent call last):
    ValueError: `temperature` must be finite and above 0, but is 0.0 instead.
    """
    if not 0 < value < float("inf"):
        raise ValueError(f"`{name}` must be finite and above 0, but is {value} instead.")
    return value


def at_least_zero(name: str, value: float) -> float:
    """Return ``value`` if it is finite and at least 0.

    Raises:
        ValueError: it is not.

    >>> at_least_zero("cross_weight", -1.0)
    Traceback (most recent call last):
    ValueError: `cross_weight` must be finite and at least 0, but is -1.0 instead.
    """
    if not 0 <= value < float("inf"):
        raise ValueError(f"`{name}` must be finite and at least 0, but is {value} instead.")
    return value


def _one_a_row(name: str, values: Tensor, z: Tensor) -> None:
    # (N, 1) is refused too: it would broadcast against (N,) into all pairs and give a number nobody asked for.
    if values.shape != (len(z),):
        raise ValueError(f"`{name}` must have shape ({len(z)},), but has {tuple(values.shape)} instead.")


def _finite(name: str, values: Tensor) -> None:
    import torch

    bad = ~torch.isfinite(values.detach())
    if bool(bad.any()):
        row = int(bad.nonzero()[0, 0])
        raise ValueError(f"`{name}` must be finite, but row {row} holds {values.detach()[bad][0].item()} instead.")
