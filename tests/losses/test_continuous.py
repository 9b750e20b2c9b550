"""The continuous metric loss: as written in the paper, pair by pair, and as derived in closed form."""

import math
import time

import pytest
import torch

from xlser.losses import ContinuousMetric, EuclideanMetric, Labels, continuous_metric


def by_pairs(z, y, form):
    z, y, dims = z.tolist(), y.tolist(), z.shape[1]
    n, x = [], []
    for i in range(len(y)):
        for j in range(i + 1, len(y)):
            difference = [a - b for a, b in zip(z[i], z[j], strict=True)]
            if form == "signed":
                n.append((sum(difference) + 1e-6) / dims)
                x.append(y[i] - y[j] + 1e-6)
            else:
                n.append(math.sqrt(sum(d * d for d in difference) + 1e-6) / dims)
                x.append(math.sqrt((y[i] - y[j]) ** 2 + 1e-6))
    b = sum(p * q for p, q in zip(x, n, strict=True)) / sum(p * p for p in x)
    return abs(b - 1) + sum((b * p - q) ** 2 for p, q in zip(x, n, strict=True)) / len(x)


@pytest.mark.parametrize("form", ["signed", "euclidean"])
def test_it_is_the_pair_form_as_written(hard, form):
    assert continuous_metric(*hard, form=form).item() == pytest.approx(by_pairs(*hard, form), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("form", ["signed", "euclidean"])
def test_the_offset_is_the_papers_where_it_decides(form):
    z, y = 1e-6 * torch.tensor([[1.0, 4], [2, -1], [9, 3]], dtype=torch.float64), torch.tensor([0, 1e-6, 3e-6]).double()
    assert continuous_metric(z, y, form=form).item() == pytest.approx(by_pairs(z, y, form), rel=1e-9)


def test_signed_is_the_derived_formula(ordinary):
    z, y = ordinary[0].detach(), ordinary[1]
    zbar, rows = z.mean(1), len(y)
    r = torch.corrcoef(torch.stack([y, zbar]))[0, 1]
    b = r * zbar.std() / y.std()
    derived = (b - 1).abs() + 2 * zbar.var(correction=0) * (1 - r**2) * rows / (rows - 1)
    assert continuous_metric(z, y).item() == pytest.approx(derived.item(), rel=1e-5)


@pytest.mark.parametrize("form", ["signed", "euclidean"])
def test_gradients_are_those_of_finite_differences(ordinary, form):
    z, y = ordinary
    assert torch.autograd.gradcheck(lambda z: continuous_metric(z, y, form=form), (z,))


def test_signed_gradient_is_that_of_the_pairs(ordinary):
    z, y = ordinary
    first, second = torch.triu_indices(len(y), len(y), 1)
    n, x = ((z[first] - z[second]).sum(1) + 1e-6) / z.shape[1], y[first] - y[second] + 1e-6
    b = (x @ n) / (x @ x)
    (pairs,) = torch.autograd.grad((b - 1).abs() + (b * x - n).square().mean(), z)
    (closed,) = torch.autograd.grad(continuous_metric(z, y), z)
    torch.testing.assert_close(closed, pairs, rtol=1e-9, atol=1e-12)


def test_signed_pulls_a_collapsed_batch_apart_and_euclidean_does_not():
    y = torch.tensor([1.0, 2.0, 4.0])
    grads = {}
    for form in ("signed", "euclidean"):
        z = torch.ones(3, 2, requires_grad=True)
        continuous_metric(z, y, form=form).backward()
        grads[form] = z.grad.abs().max().item()
    assert grads["signed"] > 0.01
    assert grads["euclidean"] == 0


def test_signed_keeps_its_digits_in_float32_under_a_large_mean():
    rng = torch.Generator().manual_seed(0)
    y = torch.randn(64, generator=rng)
    # Whole multiples of 1/16 near 4096 are exact in float32: whatever differs is lost in the computation.
    z = ((y[:, None] + torch.randn(64, 2, generator=rng)) * 16).round() / 16 + 4096
    exact = continuous_metric(z.double(), y.double()).item()
    assert continuous_metric(z, y).item() == pytest.approx(exact, rel=1e-5)


def test_signed_scatter_does_not_cancel_in_float32_when_the_fit_is_good():
    rng = torch.Generator().manual_seed(0)
    y = torch.randn(64, generator=rng)
    z = (y + 1e-3 * torch.randn(64, generator=rng))[:, None]
    assert continuous_metric(z, y).item() == pytest.approx(continuous_metric(z.double(), y.double()).item(), rel=1e-2)


def test_signed_never_holds_the_pairs():
    z, y = torch.randn(200_000, 2, requires_grad=True), torch.randn(200_000)
    start = time.perf_counter()
    continuous_metric(z, y).backward()
    # 2e10 pairs would need 80 GB for one list of them, or minutes. This takes some 10 ms; the bound allows for a busy
    # machine.
    assert time.perf_counter() - start < 5
    assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize(("form", "term"), [("signed", ContinuousMetric()), ("euclidean", EuclideanMetric())])
def test_each_form_has_its_term(ordinary, form, term):
    labels = Labels(ratings={"activation": ordinary[1]})
    assert term(ordinary[0], labels) == continuous_metric(*ordinary, form=form)


def test_an_unknown_form_is_refused(ordinary):
    with pytest.raises(ValueError, match="`form` must be one of signed, euclidean, but is 'cosine'"):
        continuous_metric(*ordinary, form="cosine")
