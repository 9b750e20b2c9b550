"""The KL term, against an integral and a loop, and its weight, against the published schedule."""

import math

import pytest
import torch

from xlser.losses import kl_standard_normal, kl_weight


def by_integral(mean, logvar, steps=20_000, reach=12.0):
    """KL of one dimension, as the integral of p log(p / q), by the midpoint rule."""
    sd = math.exp(logvar / 2)
    total = 0.0
    for k in range(steps):
        u = reach * (2 * (k + 0.5) / steps - 1)
        log_p, log_q = -u * u / 2 - math.log(sd), -((mean + sd * u) ** 2) / 2
        total += math.exp(log_p) * (log_p - log_q) * sd * 2 * reach / steps
    return total / math.sqrt(2 * math.pi)


@pytest.mark.parametrize(("mean", "logvar"), [(0.0, 0.0), (1.5, 0.0), (0.0, -3.0), (-2.0, 1.2)])
def test_one_dimension_is_the_integral(mean, logvar):
    kl = kl_standard_normal(*torch.tensor([[[mean]], [[logvar]]], dtype=torch.float64))
    assert kl.item() == pytest.approx(by_integral(mean, logvar), abs=1e-9)


@pytest.mark.parametrize(("rows", "dims"), [(1, 1), (5, 2), (3, 10)])
def test_it_sums_over_dimensions_and_averages_over_rows(rows, dims):
    mean, logvar = torch.randn(2, rows, dims, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    pairs = zip(mean.flatten().tolist(), logvar.flatten().tolist(), strict=True)
    slow = sum((math.exp(v) + m * m - 1 - v) / 2 for m, v in pairs) / rows
    assert kl_standard_normal(mean, logvar).item() == pytest.approx(slow, rel=1e-9)


def test_gradients_are_those_of_finite_differences():
    rng = torch.Generator().manual_seed(0)
    mean, logvar = (torch.randn(4, 2, dtype=torch.float64, generator=rng, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(kl_standard_normal, (mean, logvar))


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"`logvar` must have the shape of `mean`, \(3, 2\), but has \(1, 2\)"):
        kl_standard_normal(torch.zeros(3, 2), torch.zeros(1, 2))


@pytest.mark.parametrize(("cycles", "ratio"), [(1, 1.0), (4, 0.5), (3, 0.25), (2, 1.0)])
def test_the_weight_follows_the_published_schedule(cycles, ratio):
    warmup, maximum = 6, 0.3
    total = round(cycles * warmup / ratio)
    for step in range(total):
        tau = (step % math.ceil(total / cycles)) / (total / cycles)
        published = tau / ratio if tau <= ratio else 1.0
        weight = kl_weight(step, warmup=warmup, cycles=cycles, ratio=ratio, maximum=maximum)
        assert weight == pytest.approx(maximum * published)


def test_one_cycle_never_falls_whatever_the_ratio():
    for ratio in (0.1, 0.5, 1.0):
        weights = [kl_weight(step, warmup=7, ratio=ratio) for step in range(100)]
        assert weights == sorted(weights)
        assert (weights[0], weights[7]) == (0.0, 1.0)


def test_the_weight_stays_after_the_last_cycle():
    assert {kl_weight(step, warmup=5, cycles=3, maximum=0.2) for step in range(30, 90)} == {0.2}


def test_no_warmup_is_no_annealing():
    assert [kl_weight(step, warmup=0, cycles=2, maximum=0.5) for step in range(3)] == [0.5] * 3


@pytest.mark.parametrize("wrong", [{"warmup": -1}, {"cycles": 0}, {"ratio": 0.0}, {"ratio": 1.5}, {"maximum": -1.0}])
def test_options_out_of_range_are_refused_with_their_value(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"`{name}` must be .*, but is {value} instead"):
        kl_weight(0, **{"warmup": 10, **wrong})


def test_a_negative_step_is_refused():
    with pytest.raises(ValueError, match="`step` must be at least 0, but is -1"):
        kl_weight(-1, warmup=3)
