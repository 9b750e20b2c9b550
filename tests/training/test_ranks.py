"""Two real processes on this machine against one: the same gathered rows, gradients and weights.

The file is also the program of those processes: `python test_ranks.py FOLDER`, with RANK and WORLD_SIZE set.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from xlser.errors import RunError
from xlser.training import gradcache, ranks
from xlser.training.ranks import Ranks, average_gradients, from_environment, gather_integers, gather_rows, joined

ROWS, SHARES, STEPS = 11, (7, 4), 3
VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK")


def parts():
    """Return a network, a head, a layer nobody uses, rows and labels."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 4)).double()
    return network, nn.Linear(4, 3).double(), nn.Linear(2, 2).double(), torch.randn(ROWS, 6).double(), labels()


def labels():
    return torch.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1])


def supcon(z, y, head):
    unit = nn.functional.normalize(z, dim=1)
    own = torch.eye(len(y), dtype=torch.bool)
    logits = (unit @ unit.T / 0.1).masked_fill(own, -1e9).log_softmax(1)
    same = (y[:, None] == y) & ~own
    rows = (logits * same).sum(1) / same.sum(1)
    return -rows.mean() + nn.functional.cross_entropy(head(z), y)


def gathered_gradient(network, head, x, y):
    supcon(gather_rows(network(x)), gather_integers(y), head).backward()


def cached_gradient(network, head, x, y):
    """As the ranks do it with chunks: the first cuts its share into four, the second into two."""

    def loss(whole):
        return {"loss": supcon(gather_rows(whole["embedding"]), gather_integers(y), head)}

    gradcache.backward(lambda rows, _: network(rows), x.split(2), loss, seed=0)


def trained(gradient, rows):
    """Return the gradients of the first step and the weights after three, on the rows of one rank or on all."""
    network, head, idle, x, y = parts()
    x, y = x[rows], y[rows]
    parameters = [*network.parameters(), *idle.parameters(), *head.parameters()]
    optimizer, first = torch.optim.AdamW(parameters, lr=0.01), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        gradient(network, head, x, y)
        average_gradients(parameters)
        first = first or [p.grad.clone() for p in parameters if p.grad is not None]
        optimizer.step()
    return {f"gradient{n}": g for n, g in enumerate(first)} | {f"weight{n}": p.data for n, p in enumerate(parameters)}


def rows_of(rank):
    return slice(0, SHARES[0]) if rank == 0 else slice(SHARES[0], ROWS)


def uneven(rank):
    """Rank 0 has two rows, rank 1 none; each weighs the gathered rows in its own way."""
    rows = torch.arange(6.0).view(2, 3)[: 2 * (rank == 0)].requires_grad_()
    whole = gather_rows(rows)
    (whole * (rank + 1) * torch.tensor([[1.0, 2, 3], [4, 5, 6]])).sum().backward()
    return {
        "whole": whole.detach(),
        "grad": rows.grad,
        "labels": gather_integers(torch.arange(3 * rank + 1) + 10 * rank),
    }


def half(rank):
    rows = torch.full((1 + rank, 2), 0.5 + rank, dtype=torch.bfloat16, requires_grad=True)
    whole = gather_rows(rows)
    whole.sum().backward()
    return {"half": whole.detach(), "half_grad": rows.grad}


def patchy(rank):
    """`a` and `e` have a gradient on both ranks, `b` on rank 1 only, `c` on none, and `d` is frozen."""
    a, b, c, d = (nn.Parameter(torch.zeros(3)) for _ in range(4))
    e = nn.Parameter(torch.zeros(2, 2, dtype=torch.float64))
    d.requires_grad_(False)
    a.grad, e.grad = torch.full((3,), 1.0 + rank), torch.full((2, 2), 10.0 * rank).double()
    b.grad = torch.full((3,), 4.0) if rank else None
    average_gradients([a, b, c, d, e])
    assert c.grad is None
    assert d.grad is None
    return {"both": a.grad, "one": b.grad, "double": e.grad}


def buckets(rank):
    """Buckets smaller than some parameters, and a gradient that is not contiguous; the sizes sent are written down."""
    ranks.BUCKET, sent, send = 10, [], torch.distributed.all_reduce
    torch.distributed.all_reduce = lambda tensor, *rest: (sent.append(tensor.numel()), send(tensor, *rest))
    parameters = [nn.Parameter(torch.zeros(size)) for size in (4, 5, 30, 1, 9, 9)]
    for number, parameter in enumerate(parameters):
        parameter.grad = torch.arange(parameter.numel()).float() + 100 * number + rank
    square = nn.Parameter(torch.zeros(3, 4))
    square.grad = (torch.arange(12.0).view(4, 3) + rank).T
    average_gradients([*parameters, square])
    torch.distributed.all_reduce = send
    whole = {f"bucket{number}": parameter.grad for number, parameter in enumerate(parameters)}
    return whole | {"square": square.grad.contiguous(), "sent": torch.tensor(sent)}


def weights(rank):
    torch.manual_seed(rank)
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).to(torch.bfloat16)
    before = ranks.same_everywhere(network)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).to(torch.bfloat16)
    after = ranks.same_everywhere(network)
    network[1].running_mean += rank
    told = [before, after, ranks.same_everywhere(network)]
    return {"same": torch.tensor(told), "weight": network[0].weight.data}


def refused(rank):
    told = []
    for call in (lambda: gather_rows(torch.ones(2, 3 + rank)), lambda: gather_rows(torch.ones(2 * rank, 3 + rank))):
        try:
            call()
        except ValueError as error:
            told.append("rows of [3, 4] numbers" in str(error))
    return {"refused": torch.tensor(told)}


def main(folder):
    torch.set_num_threads(1)
    mine = from_environment()
    mine = Ranks(mine.rank, mine.world, "cpu")
    with joined(mine, f"file://{folder}/meeting"):
        own, rank = rows_of(mine.rank), mine.rank
        out = {f"gathered.{k}": v for k, v in trained(gathered_gradient, own).items()}
        out |= {f"cached.{k}": v for k, v in trained(cached_gradient, own).items()}
        out |= uneven(rank) | half(rank) | patchy(rank) | weights(rank) | refused(rank) | buckets(rank)
        ranks.barrier()
    save_file(out, folder / f"{mine.rank}.safetensors")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Run the two processes once; return what each wrote."""
    folder = tmp_path_factory.mktemp("ranks")
    package = str(Path(ranks.__file__).parents[2])
    shared = os.environ | {"WORLD_SIZE": "2", "GLOO_SOCKET_IFNAME": "lo", "PYTHONPATH": package}
    command = [sys.executable, __file__, str(folder)]
    running = [
        subprocess.Popen(command, env=shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)}, stderr=subprocess.PIPE)
        for rank in range(2)
    ]
    try:
        for process in running:
            _, told = process.communicate(timeout=100)
            assert process.returncode == 0, told.decode()[-2000:]
    finally:
        for process in running:
            process.kill()
    return [load_file(folder / f"{rank}.safetensors") for rank in range(2)]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["gathered", "cached"])
def test_gradients_and_three_steps_are_those_of_one_process(both, way):
    single = trained(lambda network, head, x, y: supcon(network(x), y, head).backward(), slice(None))
    assert sum(name.startswith("gradient") for name in single) == 6
    for found in both:
        ours = {name.removeprefix(f"{way}."): value for name, value in found.items() if name.startswith(f"{way}.")}
        torch.testing.assert_close(ours, single, rtol=1e-9, atol=1e-12)


def test_rows_are_gathered_in_order_where_one_rank_has_none(both):
    for found in both:
        assert found["whole"].tolist() == [[0, 1, 2], [3, 4, 5]]
        assert found["labels"].tolist() == [0, 10, 11, 12, 13]


def test_the_gradient_of_own_rows_is_added_over_the_losses_of_all(both):
    assert both[0]["grad"].tolist() == [[3, 6, 9], [12, 15, 18]]
    assert both[1]["grad"].shape == (0, 3)


def test_bfloat16_rows_are_gathered_as_they_are(both):
    for rank, found in enumerate(both):
        assert found["half"].tolist() == [[0.5, 0.5], [1.5, 1.5], [1.5, 1.5]]
        assert found["half_grad"].tolist() == [[2, 2]] * (1 + rank)


def test_a_gradient_that_is_missing_on_one_rank_counts_as_zero(both):
    for found in both:
        assert found["both"].tolist() == [1.5] * 3
        assert found["one"].tolist() == [2] * 3
        assert found["double"].tolist() == [[5, 5], [5, 5]]


def test_buckets_give_back_every_gradient_to_its_parameter(both):
    for found in both:
        for number, size in enumerate((4, 5, 30, 1, 9, 9)):
            assert torch.equal(found[f"bucket{number}"], torch.arange(size) + 100 * number + 0.5)
        assert found["sent"].tolist() == [7, 9, 30, 10, 9, 12]
        assert torch.equal(found["square"], (torch.arange(12.0).view(4, 3) + 0.5).T)


def test_the_weights_of_rank_0_go_to_all_and_a_changed_buffer_shows(both):
    for found in both:
        assert found["same"].tolist() == [False, True, False]
    assert torch.equal(both[0]["weight"], both[1]["weight"])


def test_rows_of_two_sizes_are_refused_on_every_rank(both):
    assert all(found["refused"].tolist() == [True, True] for found in both)


def test_alone_nothing_is_sent():
    layer, rows = nn.Linear(2, 1), torch.ones(3, 2)
    with joined(Ranks(0, 1, "cpu")):
        assert not torch.distributed.is_initialized()
        assert gather_rows(rows) is rows
        layer(rows).sum().backward()
        before = layer.weight.grad.clone()
        average_gradients(layer.parameters())
        ranks.barrier()
    assert torch.equal(layer.weight.grad, before)


def test_labels_must_be_integers():
    with pytest.raises(ValueError, match=r"torch.float32 instead: gather_rows takes those"):
        gather_integers(torch.ones(2))


@pytest.fixture
def environment(monkeypatch):
    def give(**values):
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return give


def gpus(monkeypatch, count):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


@pytest.mark.parametrize(("count", "device"), [(0, "cpu"), (4, "cuda:1")])
def test_ranks_are_what_torchrun_says(environment, monkeypatch, count, device):
    gpus(monkeypatch, count)
    environment(RANK="5", WORLD_SIZE="8", LOCAL_RANK="1")
    assert from_environment() == Ranks(5, 8, device)


@pytest.mark.parametrize(("count", "device"), [(0, "cpu"), (4, "cuda:0")])
def test_without_torchrun_a_process_is_alone(environment, monkeypatch, count, device):
    gpus(monkeypatch, count)
    environment(LOCAL_RANK="3")
    assert from_environment() == Ranks.alone() == Ranks(0, 1, device)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"RANK": "0"}, "WORLD_SIZE must be a whole number at least 1, but is ''"),
        ({"WORLD_SIZE": "2"}, "RANK must be a whole number from 0 to 1, but is ''"),
        ({"WORLD_SIZE": "two", "RANK": "0"}, "WORLD_SIZE must be a whole number at least 1, but is 'two'"),
        ({"WORLD_SIZE": "0", "RANK": "0"}, "WORLD_SIZE must be a whole number at least 1, but is '0'"),
        ({"WORLD_SIZE": "2", "RANK": "2"}, "RANK must be a whole number from 0 to 1, but is '2'"),
        ({"WORLD_SIZE": "2", "RANK": "-1"}, "RANK must be a whole number from 0 to 1, but is '-1'"),
        ({"WORLD_SIZE": "2", "RANK": "1.0"}, "RANK must be a whole number from 0 to 1, but is '1.0'"),
        ({"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "x"}, "LOCAL_RANK must be a whole number"),
    ],
)
def test_damaged_variables_are_named(environment, values, message):
    environment(**values)
    with pytest.raises(RunError, match=message):
        from_environment()


def test_more_processes_than_gpus_are_refused(environment, monkeypatch):
    gpus(monkeypatch, 2)
    environment(RANK="2", WORLD_SIZE="3", LOCAL_RANK="2")
    with pytest.raises(RunError, match="LOCAL_RANK is 2, but this machine shows 2 GPUs"):
        from_environment()


def test_no_meeting_point_is_a_run_error(monkeypatch):
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(RunError, match=r"Process 0 of 2 cannot join: .*MASTER_ADDR"), joined(Ranks(0, 2, "cpu")):
        pass


if __name__ == "__main__":
    main(Path(sys.argv[1]))
