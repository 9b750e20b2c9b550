"""Several processes, one batch: rows gathered with their gradient, gradients averaged once after the backward pass.

Let rank r of R embed its share of the batch as e_r, and let every rank s gather all rows and compute a loss L_s on
them, heads included. The backward pass of `gather_rows` adds over ranks: what arrives at e_r is sum_s dL_s/de_r. Rank r
then holds (de_r/dw)' sum_s dL_s/de_r for a parameter w of the network, and dL_r/dh for a parameter h of a head.
`average_gradients` adds over ranks and divides by R:

    for w: (1/R) sum_s sum_r (de_r/dw)' dL_s/de_r = d/dw (1/R) sum_s L_s        for h: d/dh (1/R) sum_s L_s

So the gradient is that of the mean over ranks of their losses. Where every rank computes the same L it is the gradient
a single process has on the whole batch, whatever the shares, with no factor left to choose. A term on a rank's own rows
only enters as a mean over ranks of means over shares, which is the mean over rows only where the shares are equal.

With gradient caching, gather inside the loss: `gradcache.backward(embed, my_chunks, loss, ...)` hands ``loss`` the
embeddings of this rank as leaves; ``loss`` gathers each name and goes on with all rows; what arrives at the leaves is
already added over ranks. The ranks may cut their shares into different numbers of chunks.

Every function here that talks is called by all ranks, in the same order; alone, none of them does anything.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

import torch
import torch.distributed as dist
from torch import Tensor, nn

from xlser.errors import RunError

BUCKET = 2**24  # numbers sent at once: enough to fill the line, little beside a network


@dataclass(frozen=True)
class Ranks:
    """This process's number, from 0, among ``world`` of them, and its torch device."""

    rank: int
    world: int
    device: str

    @staticmethod
    def alone() -> Ranks:
        """Return a single process on the first GPU, or on the CPU where there is none.

        >>> Ranks.alone().world
        1
        """
        return Ranks(0, 1, "cuda:0" if torch.cuda.is_available() else "cpu")


def from_environment() -> Ranks:
    """Return what torchrun tells its processes in RANK, WORLD_SIZE and LOCAL_RANK; alone where the first two are unset.

    The device is the GPU numbered LOCAL_RANK (RANK where unset), or the CPU where the machine has no GPU.

    Raises:
        RunError: a value is missing, is no whole number or is out of range, or there are fewer GPUs than processes.
    """
    if "RANK" not in os.environ and "WORLD_SIZE" not in os.environ:
        return Ranks.alone()
    world = _whole("WORLD_SIZE", 1, None)
    rank = _whole("RANK", 0, world - 1)
    local = _whole("LOCAL_RANK", 0, world - 1) if "LOCAL_RANK" in os.environ else rank
    if not torch.cuda.is_available():
        return Ranks(rank, world, "cpu")
    if local >= torch.cuda.device_count():
        raise RunError(
            f"LOCAL_RANK is {local}, but this machine shows {torch.cuda.device_count()} GPUs, numbered from 0. "
            "Give torchrun a smaller --nproc-per-node."
        )
    return Ranks(rank, world, f"cuda:{local}")


@contextmanager
def joined(ranks: Ranks, init_method: str = "env://") -> Iterator[None]:
    """Join the other processes, by gloo on CPUs and nccl on GPUs, and part from them at the end; alone: do nothing.

    Args:
        ranks: who this process is. On a GPU, its device becomes torch's current one.
        init_method: where they meet; by default at MASTER_ADDR and MASTER_PORT, which torchrun sets.

    Raises:
        RunError: they do not meet.
    """
    if ranks.world == 1:
        yield
        return
    gpu = torch.device(ranks.device) if ranks.device.startswith("cuda") else None
    if gpu:
        torch.cuda.set_device(gpu)
    try:
        dist.init_process_group(
            "nccl" if gpu else "gloo",
            init_method=init_method,
            rank=ranks.rank,
            world_size=ranks.world,
            device_id=gpu,
        )
    except (ValueError, RuntimeError) as error:
        raise RunError(f"Process {ranks.rank} of {ranks.world} cannot join: {error} Start them by torchrun.") from error
    try:
        yield
        dist.barrier()  # one that leaves early can take the others' connection down with it
    finally:
        dist.destroy_process_group()


def gather_rows(rows: Tensor) -> Tensor:
    """Return the rows of every rank, in the order of the ranks, on every rank, with gradient.

    Args:
        rows: (n_r, ...); n_r may differ by rank and be 0, the rest and the dtype may not. Whether it requires a
            gradient, and whether the loss uses the result, must be the same on every rank: the backward pass waits.

    Returns:
        (sum of n_r, ...). Its backward pass gives each rank the gradient of its own rows, added over the losses of all
        ranks. Alone: ``rows``.

    Raises:
        ValueError: the ranks' rows differ in size.

    >>> gather_rows(torch.ones(2, 3)).shape
    torch.Size([2, 3])
    """
    return _Gather.apply(rows) if _several() else rows


def gather_integers(values: Tensor) -> Tensor:
    """Return the labels (n_r, ...) of every rank in the order of `gather_rows`, without gradient.

    Raises:
        ValueError: the values are not integers, or the ranks' rows differ in size.

    >>> gather_integers(torch.tensor([2, 0])).tolist()
    [2, 0]
    """
    if values.is_floating_point() or values.is_complex():
        raise ValueError(f"`values` must be integers, but is {values.dtype} instead: gather_rows takes those.")
    return _all_rows(values)[0] if _several() else values


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace each gradient by its sum over ranks divided by their number.

    Call it once a step: after the last backward pass, before gradients are unscaled or clipped.

    A parameter without a gradient on some ranks has zero there; one without a gradient on any rank keeps none, so that
    the optimizer passes over it everywhere. Infinities reach every rank, so a GradScaler decides alike on all.

    Args:
        parameters: the same ones in the same order on every rank, frozen ones included or not.
    """
    parameters = [parameter for parameter in parameters if parameter.requires_grad]
    if not parameters or not _several():
        return
    has = torch.tensor([int(parameter.grad is not None) for parameter in parameters], device=parameters[0].device)
    dist.all_reduce(has, dist.ReduceOp.MAX)
    used = [parameter for parameter, some in zip(parameters, has.tolist(), strict=True) if some]
    for bucket in _buckets(used):
        _average(bucket)


def same_everywhere(module: nn.Module) -> bool:
    """Tell whether parameters and buffers are the same on every rank, bit by bit (compared by their sha256).

    >>> same_everywhere(nn.Linear(2, 1))
    True
    """
    tensors = [tensor.detach() for tensor in chain(module.parameters(), module.buffers())]
    if not tensors or not _several():
        return True
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.flatten().contiguous().cpu().view(torch.uint8).numpy())
    rows = gather_integers(torch.tensor([list(digest.digest())], device=tensors[0].device))
    return bool((rows == rows[0]).all())


def first_says(value: bool, ranks: Ranks) -> bool:
    """Return on every rank what rank 0 gives.

    >>> first_says(True, Ranks.alone())
    True
    """
    return bool(gather_integers(torch.tensor([int(value)], device=ranks.device))[0])


def barrier() -> None:
    """Wait until every rank has come here."""
    if _several():
        dist.barrier()


def _several() -> bool:
    return dist.is_initialized() and dist.get_world_size() > 1


def _whole(name: str, low: int, high: int | None) -> int:
    text = os.environ.get(name, "")
    if text.isdecimal() and low <= int(text) and (high is None or int(text) <= high):
        return int(text)
    rule = f"at least {low}" if high is None else f"from {low} to {high}"
    raise RunError(
        f"The environment variable {name} must be a whole number {rule}, but is {text!r} instead. "
        "torchrun sets RANK, WORLD_SIZE and LOCAL_RANK; without it, unset all three."
    )


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx, rows: Tensor) -> Tensor:
        whole, ctx.own = _all_rows(rows)
        return whole

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        total = grad.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total[ctx.own]


def _all_rows(rows: Tensor) -> tuple[Tensor, slice]:
    """Return the rows of every rank and where those of this one stand."""
    counts, most = _counts(rows)
    padded = rows.new_zeros(most, *rows.shape[1:])
    padded[: len(rows)] = rows.detach()
    pieces = [torch.empty_like(padded) for _ in counts]
    dist.all_gather(pieces, padded)
    before = sum(counts[: dist.get_rank()])
    whole = torch.cat([piece[:count] for piece, count in zip(pieces, counts, strict=True)])
    return whole, slice(before, before + len(rows))


def _counts(rows: Tensor) -> tuple[list[int], int]:
    own = torch.tensor([len(rows), rows.shape[1:].numel()], device=rows.device)
    pairs = [torch.empty_like(own) for _ in range(dist.get_world_size())]
    dist.all_gather(pairs, own)
    counts, sizes = zip(*(pair.tolist() for pair in pairs), strict=True)
    if len(set(sizes)) > 1:
        raise ValueError(
            f"The rows of every rank must be of one size, but the ranks have rows of {list(sizes)} numbers."
        )
    return list(counts), max(counts)


def _buckets(parameters: list[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    bucket, size = [], 0
    for parameter in parameters:
        if bucket and size + parameter.numel() > BUCKET:
            yield bucket
            bucket, size = [], 0
        bucket.append(parameter)
        size += parameter.numel()
    if bucket:
        yield bucket


def _average(parameters: list[nn.Parameter]) -> None:
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    flat = torch.cat([parameter.grad.flatten() for parameter in parameters])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for parameter, piece in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
        parameter.grad.copy_(piece.view_as(parameter))
