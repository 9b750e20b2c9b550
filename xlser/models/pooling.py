"""From the frames of a padded batch to one vector a clip: which layer is read, and how its frames become one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from xlser.models.autoencoder import check_size

Layer = int | Literal["weighted"]
# Below this a variance counts as none: the square root has no finite slope at zero.
LEAST_VARIANCE = 1e-8


def valid_frames(frames: Tensor, lengths: Tensor) -> Tensor:
    """Return a mask (N, T), True where row i of ``frames`` (N, T, D) has one of its ``lengths[i]`` frames.

    Raises:
        ValueError: ``frames`` has not three dimensions, ``lengths`` is not one integer a row, or one is not in 1..T.

    >>> valid_frames(torch.zeros(2, 3, 1), torch.tensor([3, 1])).tolist()
    [[True, True, True], [True, False, False]]
    >>> valid_frames(torch.zeros(1, 3, 1), torch.tensor([4]))
    Traceback (most recent call last):
    ValueError: `lengths` must be 1 to 3, the frames there are, but holds 4 instead.
    """
    if frames.ndim != 3:
        raise ValueError(f"`frames` must have shape (N, T, D), but has {tuple(frames.shape)} instead.")
    rows, most = frames.shape[:2]
    if lengths.shape != (rows,) or lengths.is_floating_point() or lengths.dtype == torch.bool:
        raise ValueError(
            f"`lengths` must be one integer a row, shape ({rows},), but is {lengths.dtype} of shape "
            f"{tuple(lengths.shape)} instead."
        )
    wrong = lengths[(lengths < 1) | (lengths > most)]
    if len(wrong):
        raise ValueError(f"`lengths` must be 1 to {most}, the frames there are, but holds {wrong[0].item()} instead.")
    return torch.arange(most, device=frames.device) < lengths.to(frames.device)[:, None]


def masked_mean(frames: Tensor, lengths: Tensor) -> Tensor:
    """Return the mean (N, D) over the first ``lengths[i]`` frames of each row of ``frames`` (N, T, D).

    Half precision is widened to float32, in which sums of hundreds of frames keep their digits. What stands in the
    padding, even a NaN, has no influence. A single frame is its own mean.

    Raises:
        ValueError: see `valid_frames`.

    >>> masked_mean(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([2])).tolist()
    [[2.0]]
    """
    return _cleared(frames, valid_frames(frames, lengths)).sum(1) / lengths.to(frames.device)[:, None]


def moments(frames: Tensor, lengths: Tensor) -> Tensor:
    """Return mean, variance, least and greatest value of each row's valid frames, (N, 4, D), at least float32.

    The variance is about the mean and divided by the number of frames: a single frame has 0. What stands in the
    padding has no influence.

    Args:
        frames: (N, T, D).
        lengths: (N,) integers, 1..T.

    Raises:
        ValueError: see `valid_frames`.

    >>> moments(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([2])).flatten().tolist()
    [2.0, 1.0, 1.0, 3.0]
    """
    mask = valid_frames(frames, lengths)
    count, outside = lengths.to(frames.device)[:, None], ~mask[..., None]
    frames = _cleared(frames, mask)
    mean = frames.sum(1) / count
    variance = (frames - mean[:, None]).square().masked_fill(outside, 0.0).sum(1) / count
    least, most = (frames.masked_fill(outside, end) for end in (torch.inf, -torch.inf))
    return torch.stack([mean, variance, least.amin(1), most.amax(1)], dim=1)


def kept_frames(states: Sequence[Tensor], kept: Sequence[np.ndarray]) -> tuple[list[Tensor], Tensor]:
    """Return states with some of their frames alone, and how many there are of each row.

    Args:
        states: (N, T, D) each.
        kept: N masks, of a row's own frames each, T at most.

    Returns:
        States (N, most, D), and lengths (N,). Of a row without any its first frame is kept, since nothing has no mean.

    >>> states, lengths = kept_frames([torch.arange(6.0).view(2, 3, 1)], [np.array([False, True, True]), np.zeros(2)])
    >>> states[0].flatten().tolist(), lengths.tolist()
    ([1.0, 2.0, 3.0, 3.0], [2, 1])
    """
    lengths = [max(1, int(mask.sum())) for mask in kept]
    places = torch.zeros((len(kept), max(lengths)), dtype=torch.long)
    for row, mask in zip(places, kept, strict=True):
        frames = torch.from_numpy(np.flatnonzero(mask))
        row[: len(frames)] = frames
    device = states[0].device
    rows, columns = torch.arange(len(kept), device=device)[:, None], places.to(device)
    return [state[rows, columns] for state in states], torch.tensor(lengths, device=device)


class LayerPool(nn.Module):
    """Read one hidden state of an encoder, or a learned mixture of all, and pool its valid frames.

    ``weighted`` mixes hidden states 0..L by the softmax of L + 1 learned numbers that start equal. ``attentive`` is
    attentive statistics pooling: e_t = v . tanh(W h_t + b), a = softmax of e over the valid frames, and the weighted
    mean and standard deviation side by side. The scores' own offset is left out: the softmax takes it away.

    Args:
        layers: L, the transformer layers of the encoder, at least 1; there are L + 1 hidden states.
        width: D, their columns, at least 1.
        layer: the number of one hidden state, from the end when negative (-1 the last), or ``weighted``.
        pooling: ``mean`` (D columns) or ``attentive`` (2 D columns).
        bottleneck: columns of W, for ``attentive``.

    Attributes:
        lowest: the number of the lowest hidden state that is read; layers below it may be skipped by the caller.
        highest: the number of the highest one.
        width: the columns that come out.

    Degenerate case:
        One frame, or frames that do not change, have a standard deviation of 1e-4, with no gradient.

    Raises:
        ValueError: a size is not a whole number of at least 1, ``layer`` is out of range, ``pooling`` is unknown.

    Source:
        Yang et al. 2021, arXiv 2105.01051, for the mixture; Okabe et al. 2018, arXiv 1803.10963, equations 2 to 6, for
        attentive statistics. [A]: the bottleneck of 128 is an assumption.

    >>> pool = LayerPool(layers=2, width=4, layer="weighted")
    >>> pool([torch.zeros(5, 9, 4)] * 3, torch.full((5,), 9)).shape, pool.lowest
    (torch.Size([5, 4]), 0)
    >>> LayerPool(layers=2, width=4, pooling="attentive").width
    8
    """

    def __init__(
        self,
        layers: int,
        width: int,
        layer: Layer = -1,
        pooling: Literal["mean", "attentive"] = "mean",
        *,
        bottleneck: int = 128,
    ):
        super().__init__()
        check_size("layers", layers)
        check_size("width", width)
        check_size("bottleneck", bottleneck)
        if pooling not in ("mean", "attentive"):
            raise ValueError(f"`pooling` must be 'mean' or 'attentive', but is {pooling!r} instead.")
        self.layers, self.layer, self.pooling = layers, _layer(layer, layers), pooling
        self.lowest, self.highest = (0, layers) if self.layer == "weighted" else (self.layer, self.layer)
        self.width = width if pooling == "mean" else 2 * width
        self.weights = nn.Parameter(torch.zeros(layers + 1)) if self.layer == "weighted" else None
        self.scores = _scores(width, bottleneck) if pooling == "attentive" else None

    def forward(self, hidden: Sequence[Tensor], lengths: Tensor, *, first: int = 0) -> Tensor:
        """Pool hidden states number ``first``..L, each (N, T, D), to (N, width), at least float32.

        Raises:
            ValueError: ``hidden`` does not end at number L, ``first`` is above `lowest`, or see `valid_frames`.
        """
        if len(hidden) != self.layers + 1 - first:
            raise ValueError(
                f"`hidden` must hold hidden states {first} to {self.layers} ({self.layers + 1 - first}), but holds "
                f"{len(hidden)} instead."
            )
        if first > self.lowest:
            raise ValueError(f"`first` must be at most {self.lowest}, the lowest state read, but is {first} instead.")
        frames = self._read(hidden, first)
        return masked_mean(frames, lengths) if self.scores is None else self._statistics(frames, lengths)

    def from_means(self, means: Tensor) -> Tensor:
        """Return what ``mean`` pooling gives (N, D), from the mean of every hidden state, (N, L + 1, D).

        The mean over frames and the mixture over layers may change places, so stored means are enough.

        Raises:
            ValueError: the pooling is ``attentive``, or there are not L + 1 means a row.
        """
        if self.scores is not None:
            raise ValueError("`pooling` must be 'mean' to pool from stored means, but is 'attentive' instead.")
        if means.ndim != 3 or means.shape[1] != self.layers + 1:
            raise ValueError(
                f"`means` must have shape (N, {self.layers + 1}, D), but has {tuple(means.shape)} instead."
            )
        return self._read(_widened(means).unbind(1), 0)

    def extra_repr(self) -> str:
        """Show the options."""
        return f"layers={self.layers}, layer={self.layer!r}, pooling={self.pooling!r}, width={self.width}"

    def _read(self, hidden: Sequence[Tensor], first: int) -> Tensor:
        if self.weights is None:
            return hidden[self.lowest - first]
        parts = self.weights.softmax(0).unbind()
        # One term after the other: a stack of 25 layers would hold all of a batch twice.
        return sum(part * _widened(state) for part, state in zip(parts, hidden, strict=True))

    def _statistics(self, frames: Tensor, lengths: Tensor) -> Tensor:
        mask = valid_frames(frames, lengths)
        frames = _cleared(frames, mask)
        attention = self.scores(frames).masked_fill(~mask[..., None], -torch.inf).softmax(1)
        mean = (attention * frames).sum(1)
        # About the mean, not E[h^2] - mean^2, which rounds to nothing where the mean is large.
        variance = (attention * (frames - mean[:, None]).square()).sum(1)
        return torch.cat([mean, variance.clamp(min=LEAST_VARIANCE).sqrt()], dim=1)


def _scores(width: int, bottleneck: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, bottleneck), nn.Tanh(), nn.Linear(bottleneck, 1, bias=False))


def _layer(layer: Layer, layers: int) -> Layer:
    """Return the number of a hidden state, counted from 0, or ``weighted``."""
    if layer == "weighted":
        return layer
    if not isinstance(layer, int) or isinstance(layer, bool) or not -layers - 1 <= layer <= layers:
        raise ValueError(
            f"`layer` must be 'weighted' or a whole number from {-layers - 1} to {layers} (there are {layers + 1} "
            f"hidden states), but is {layer!r} instead."
        )
    return layer % (layers + 1)


def _cleared(frames: Tensor, mask: Tensor) -> Tensor:
    return _widened(frames).masked_fill(~mask[..., None], 0.0)


def _widened(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))
