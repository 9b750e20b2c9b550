"""Gradient caching against one graph over the whole batch: the same gradients, from one chunk's graph at a time."""

import random
import weakref

import numpy as np
import pytest
import torch
from torch import nn

from xlser.training.gradcache import backward

LENGTH, WIDTH = 5, 8


class Network(nn.Module):
    """A small transformer with a projection for the contrast and a pooled state beside it."""

    def __init__(self, dropout=0.0):
        super().__init__()
        layers = [nn.TransformerEncoderLayer(WIDTH, 2, 16, dropout, batch_first=True) for _ in range(2)]
        self.layers, self.projection = nn.Sequential(*layers), nn.Linear(WIDTH, 3)

    def forward(self, x):
        pooled = self.layers(x).mean(1)
        return {"pooled": pooled, "z": nn.functional.normalize(self.projection(pooled), dim=1)}


@pytest.fixture
def parts():
    """Return a function: network, head, rows and labels, the same at each call."""

    def make(dropout=0.0, dtype=torch.float64):
        with torch.random.fork_rng():
            torch.manual_seed(3)
            network, head = Network(dropout).to(dtype), nn.Linear(WIDTH, 2).to(dtype)
            return network, head, torch.randn(10, LENGTH, WIDTH, dtype=dtype), torch.tensor([0, 1] * 5)

    return make


def objective(head, labels):
    def loss(whole):
        similar = whole["z"] @ whole["z"].T / 0.1
        similar = similar.masked_fill(torch.eye(len(labels), dtype=torch.bool), -1e4)
        same = (labels[:, None] == labels) & ~torch.eye(len(labels), dtype=torch.bool)
        contrast = -similar.log_softmax(1)[same].mean()
        entropy = nn.functional.cross_entropy(head(whole["pooled"]), labels)
        return {"loss": contrast + 0.3 * entropy, "contrast": contrast, "entropy": entropy}

    return loss


def gradients(*modules):
    return [parameter.grad for module in modules for parameter in module.parameters()]


@pytest.mark.parametrize("sizes", [[10], [5, 5], [4, 1, 3, 2], [1] * 10])
def test_without_randomness_it_is_the_gradient_of_the_whole_batch(parts, sizes):
    network, head, x, labels = parts()
    plain = objective(head, labels)(network(x))
    plain["loss"].backward()
    expected = gradients(network, head)
    network, head, x, labels = parts()
    values = backward(lambda rows, _: network(rows), x.split(sizes), objective(head, labels), seed=0)
    torch.testing.assert_close(gradients(network, head), expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(values, plain, rtol=1e-12, atol=0)
    assert not any(value.requires_grad for value in values.values())


def test_in_float32_it_is_the_gradient_to_five_digits(parts):
    network, head, x, labels = parts(dtype=torch.float32)
    objective(head, labels)(network(x))["loss"].backward()
    expected = gradients(network, head)
    network, head, x, labels = parts(dtype=torch.float32)
    backward(lambda rows, _: network(rows), x.split(3), objective(head, labels), seed=0)
    torch.testing.assert_close(gradients(network, head), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [10, 4])
def test_with_dropout_it_is_one_graph_over_the_chunks_under_the_same_seeds(parts, size):
    network, head, x, labels = parts(dropout=0.4)
    seeds = []

    def embed(rows, number):
        seeds.append((number, torch.initial_seed()))
        return network(rows)

    backward(embed, x.split(size), objective(head, labels), seed=7)
    got, count = gradients(network, head), len(x.split(size))
    assert len({seed for _, seed in seeds}) == count
    assert seeds == seeds[:count] * (1 if count == 1 else 2)
    network, head, x, labels = parts(dropout=0.4)
    graphs = []
    with torch.random.fork_rng():
        for rows, (_, seed) in zip(x.split(size), seeds[:count], strict=True):
            torch.manual_seed(seed)
            graphs.append(network(rows))
    whole = {name: torch.cat([graph[name] for graph in graphs]) for name in graphs[0]}
    objective(head, labels)(whole)["loss"].backward()
    torch.testing.assert_close(got, gradients(network, head), rtol=1e-9, atol=1e-12)


def test_other_seeds_draw_other_masks_and_the_same_seed_the_same(parts):
    def gradient(seed):
        network, head, x, labels = parts(dropout=0.4)
        backward(lambda rows, _: network(rows), x.split(5), objective(head, labels), seed=seed)
        return torch.cat([g.flatten() for g in gradients(network)])

    assert torch.equal(gradient(1), gradient(1))
    assert not torch.allclose(gradient(1), gradient(2))


def test_numpy_and_python_are_seeded_too_and_every_state_is_put_back():
    draws, weight = [], torch.ones(2, requires_grad=True)

    def embed(rows, number):
        draws.append((torch.rand(1).item(), np.random.rand(), random.random()))
        return rows * weight * sum(draws[-1])

    np.random.seed(0), random.seed(0), torch.manual_seed(0)
    expected = torch.rand(1).item(), np.random.rand(), random.random()
    np.random.seed(0), random.seed(0), torch.manual_seed(0)
    backward(embed, torch.ones(4, 2).split(2), lambda whole: {"loss": whole["embedding"].sum()}, seed=5)
    assert draws[:2] == draws[2:]
    assert not set(draws[0]) & set(draws[1])
    assert (torch.rand(1).item(), np.random.rand(), random.random()) == expected


def test_under_autocast_the_weights_get_their_gradient_in_the_second_pass(parts):
    got = []
    for size in (10, 3):
        network, head, x, labels = parts(dtype=torch.float32)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            backward(lambda rows, _, net=network: net(rows), x.split(size), objective(head, labels), seed=0)
        got.append(gradients(network, head))
    for plain, cached in zip(*got, strict=True):
        assert (cached - plain).norm() <= 0.05 * plain.norm() + 1e-3


def test_the_scale_multiplies_gradients_and_not_the_values(parts):
    results = []
    for factor in (1, 1024):
        network, head, x, labels = parts()
        values = backward(
            lambda rows, _, net=network: net(rows),
            x.split(4),
            objective(head, labels),
            seed=0,
            scale=lambda value, by=factor: value * by,
        )
        results.append((values["loss"], gradients(network, head)))
    assert results[0][0] == results[1][0]
    torch.testing.assert_close(results[1][1], [g * 1024 for g in results[0][1]], rtol=1e-9, atol=1e-10)


def test_only_one_chunks_graph_is_alive_at_a_time(parts):
    network, head, x, labels = parts()
    weights = {parameter.data_ptr() for parameter in network.parameters()}
    alive, peak = 0, 0

    class Kept:
        def __init__(self, tensor):
            self.tensor = tensor

    def freed(size):
        nonlocal alive
        alive -= size

    def keep(tensor):
        nonlocal alive, peak
        kept, size = Kept(tensor), 0 if tensor.data_ptr() in weights else tensor.numel()
        alive, peak = alive + size, max(peak, alive + size)
        weakref.finalize(kept, freed, size)
        return kept

    peaks = []
    for size in (10, 2):
        alive, peak = 0, 0
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept.tensor):
            backward(lambda rows, _: network(rows), x.split(size), objective(head, labels), seed=0)
        peaks.append(peak)
        assert alive == 0
    assert peaks[1] < 0.3 * peaks[0]


def test_what_the_loss_leaves_out_or_cannot_differentiate_gets_no_gradient(parts):
    network, _, x, labels = parts()
    network.layers.requires_grad_(False)

    def embed(rows, number):
        out = network(rows)
        return {"z": out["z"], "frozen": out["pooled"], "unused": out["z"], "label": labels.split(4)[number]}

    def loss(whole):
        assert torch.equal(whole["label"], labels)
        return {"loss": (whole["z"].sum(1) * whole["frozen"].sum(1) * whole["label"]).sum()}

    backward(embed, x.split(4), loss, seed=0)
    cached = gradients(network.projection)
    network.zero_grad()
    out = network(x)
    (out["z"].sum(1) * out["pooled"].sum(1) * labels).sum().backward()
    torch.testing.assert_close(cached, gradients(network.projection))
    assert all(gradient is None for gradient in gradients(network.layers))


def test_gradients_add_to_those_that_are_there(parts):
    network, head, x, labels = parts()
    for _ in range(2):
        backward(lambda rows, _: network(rows), x.split(4), objective(head, labels), seed=0)
    twice = gradients(network, head)
    network, head, x, labels = parts()
    backward(lambda rows, _: network(rows), x.split(4), objective(head, labels), seed=0)
    torch.testing.assert_close(twice, [2 * g for g in gradients(network, head)])


def test_a_draw_of_its_own_in_the_second_pass_is_refused(parts):
    network, head, x, labels = parts()
    own = torch.Generator().manual_seed(0)

    def embed(rows, number):
        return network(rows + torch.randn(rows.shape, generator=own, dtype=rows.dtype))

    with pytest.raises(ValueError, match="same pooled of chunk 0 in both passes"):
        backward(embed, x.split(4), objective(head, labels), seed=0)


def test_a_loss_that_is_not_finite_is_the_callers_to_tell():
    weight = torch.ones(2, requires_grad=True)
    rows = torch.tensor([[1.0, float("nan")], [1, 2]])
    values = backward(lambda x, _: x * weight, rows.split(1), lambda whole: {"loss": whole["embedding"].sum()}, seed=0)
    assert values["loss"].isnan()


@pytest.mark.parametrize(
    ("chunks", "seed", "message"),
    [
        ([], 0, "`chunks` must hold at least one chunk"),
        ([1], -1, "`seed` must be at least 0, but is -1"),
        ([1, 2], 0, r"chunk 0 has \['1'\] and chunk 1 has \['2'\]"),
    ],
)
def test_wrong_arguments_are_named(chunks, seed, message):
    with pytest.raises(ValueError, match=message):
        backward(lambda chunk, _: {str(chunk): torch.ones(1, 1)}, chunks, lambda whole: {}, seed=seed)
