"""The small network through which a loss looks at an embedding, and which nothing uses afterwards."""

from __future__ import annotations

from torch import nn


def projection(inner: int, outer: int) -> nn.Sequential:
    """Return two layers with a ReLU between them, from embeddings (N, inner) to (N, outer).

    Source:
        The projection head of SimCLR (Chen et al. 2020, arXiv 2002.05709), as SupCon has it.

    >>> [tuple(weights.shape) for weights in projection(4, 2).parameters()]
    [(4, 4), (4,), (2, 4), (2,)]
    """
    return nn.Sequential(nn.Linear(inner, inner), nn.ReLU(), nn.Linear(inner, outer))
