"""Gradient caching: the gradient of one large contrastive batch in the memory of a small one."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

Chunk = TypeVar("Chunk")
Embeddings = dict[str, Tensor]
# Two passes in bfloat16 with kernels chosen anew differ by about a hundredth; another draw of dropout by far more.
_TOLERANCE = 0.05


def backward(
    embed: Callable[[Chunk, int], Tensor | Embeddings],
    chunks: Sequence[Chunk],
    loss: Callable[[Embeddings], dict[str, Tensor]],
    *,
    seed: int,
    scale: Callable[[Tensor], Tensor] = lambda value: value,
) -> dict[str, Tensor]:
    """Add the gradients of a loss over all chunks together to the parameters, with one chunk's graph alive at a time.

    The chunks are embedded without a graph; the loss is taken on all embeddings and its gradient with respect to them
    is kept; then each chunk is embedded again, with a graph, and the kept gradient goes on through it. That costs one
    more forward pass of the network. A single chunk takes the plain forward and backward pass.

    Args:
        embed: called with a chunk and its number from 0; returns named embeddings, each (n, D_name), or one tensor,
            which takes the name ``embedding``. n and D may differ by name, n by chunk.
        chunks: at least one; the embeddings are joined in this order.
        loss: called once with the joined embeddings; returns ``loss``, a number, and any parts of it. Parameters of
            its own, such as heads, get their gradients directly. It may hold `xlser.training.ranks.gather_rows`.
        seed: at least 0; another one at each step and rank, or the same dropout masks come again.
        scale: what is applied to the loss before its backward pass: ``GradScaler.scale`` for float16.

    Returns:
        What ``loss`` returned, unscaled and without a graph.

    Randomness:
        Each chunk is embedded under its own seed, made of ``seed`` and its number, for torch (CPU and the current CUDA
        device), numpy and ``random``: wav2vec2 draws its masks from numpy. Both passes thus see the same dropout, and
        the state of the caller is put back. Without randomness the gradient does not depend on how the batch is cut;
        with it the masks do, and the gradient is that of one graph over the chunks under the same seeds. ``loss`` draws
        from the caller's state.

    Requirements:
        The rows of a batch must not see one another within ``embed`` (batch normalisation: its means would be those of
        a chunk, and its running ones be updated twice). Autocast, if any, is entered by the caller around the call.

    Raises:
        ValueError: there is no chunk, the chunks differ in the names of their embeddings, the seed is negative, or a
            chunk's embedding of the second pass is not that of the first (by more than 5% of its norm).

    Source:
        Gao et al. 2021, Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup, arXiv 2101.06983.

    Example:
        >>> layer = torch.nn.Linear(2, 1, bias=False)
        >>> def spread(whole):
        ...     return {"loss": whole["embedding"].var()}
        >>> rows, grads = torch.tensor([[1.0, 0.0], [0.0, 1.0], [4.0, 2.0]]), []
        >>> for chunks in ([rows], rows.split(2)):
        ...     layer.zero_grad()
        ...     _ = backward(lambda chunk, number: layer(chunk), chunks, spread, seed=0)
        ...     grads.append(layer.weight.grad)
        >>> torch.allclose(*grads)
        True
    """
    if len(chunks) == 0:
        raise ValueError("`chunks` must hold at least one chunk, but is empty instead.")
    if len(chunks) == 1:
        return _through_loss(loss, _embedded(embed, chunks[0], 0, seed), scale)
    first = _without_graph(embed, chunks, seed)
    whole = {name: _leaf([part[name] for part in first]) for name in first[0]}
    values = _through_loss(loss, whole, scale)
    for number, (chunk, grads) in enumerate(zip(chunks, _by_chunk(whole, first), strict=True)):
        _through_chunk(_embedded(embed, chunk, number, seed), first[number], grads, number)
    return values


def _without_graph(embed: Callable, chunks: Sequence[Chunk], seed: int) -> list[Embeddings]:
    with torch.no_grad():
        first = [_embedded(embed, chunk, number, seed) for number, chunk in enumerate(chunks)]
    # Autocast of torch 2.8 (no longer of 2.11) keeps the half-precision copies of the weights made here, which have no
    # graph, and would take them again in the second pass.
    torch.clear_autocast_cache()
    for number, part in enumerate(first):
        if part.keys() != first[0].keys():
            raise ValueError(
                f"`embed` must name the embeddings of every chunk alike, but chunk 0 has {sorted(first[0])} "
                f"and chunk {number} has {sorted(part)}."
            )
    return first


def _leaf(parts: list[Tensor]) -> Tensor:
    whole = torch.cat(parts)
    return whole.requires_grad_(whole.is_floating_point())


def _through_loss(loss: Callable, whole: Embeddings, scale: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    values = loss(whole)
    scale(values["loss"]).backward()
    return {name: value.detach() for name, value in values.items()}


def _by_chunk(whole: Embeddings, first: list[Embeddings]) -> list[Embeddings]:
    grads = {
        name: leaf.grad.split([len(part[name]) for part in first])
        for name, leaf in whole.items()
        if leaf.grad is not None
    }
    return [{name: pieces[number] for name, pieces in grads.items()} for number in range(len(first))]


def _through_chunk(again: Embeddings, first: Embeddings, grads: Embeddings, number: int) -> None:
    for name, value in first.items():
        _check_same(f"{name} of chunk {number}", value, again[name].detach())
    through = [name for name in grads if again[name].requires_grad]
    if through:
        torch.autograd.backward([again[name] for name in through], [grads[name] for name in through])


def _check_same(what: str, first: Tensor, again: Tensor) -> None:
    # What is not a number compares as equal: a loss that is not finite is the caller's to tell.
    if first.shape != again.shape or (first.float() - again.float()).norm() > _TOLERANCE * first.float().norm():
        raise ValueError(
            f"`embed` must give the same {what} in both passes, but gave another the second time. Draw from the "
            "global random state, which is seeded before each call, or seed a generator by the chunk's number."
        )


def _embedded(embed: Callable, chunk: Chunk, number: int, seed: int) -> Embeddings:
    with _seeded(seed, number):
        out = embed(chunk, number)
    return {"embedding": out} if isinstance(out, Tensor) else out


@contextmanager
def _seeded(seed: int, number: int) -> Iterator[None]:
    if seed < 0:
        raise ValueError(f"`seed` must be at least 0, but is {seed} instead.")
    own = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    devices = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(own)
        np.random.seed(own)
        random.seed(own)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
