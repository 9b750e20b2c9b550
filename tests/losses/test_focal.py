"""The focal loss against its formula, row by row, and against what it becomes where gamma is 0."""

import math

import pytest
import torch

from xlser.losses import Focal, Labels, cross_entropy, focal


def by_hand(logits, labels, gamma=2.0, weights=None):
    total = share = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        p = math.exp(row[label]) / sum(map(math.exp, row))
        weight = 1.0 if weights is None else weights.tolist()[label]
        total -= weight * (1 - p) ** gamma * math.log(p)
        share += weight
    return total / share


def batch(seed, rows=9, classes=4):
    rng = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(rows, classes, generator=rng, dtype=torch.float64), torch.arange(rows) % classes


WEIGHTS = torch.tensor([2.0, 0.0, 1.0, 0.5], dtype=torch.float64)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_formula_row_by_row(seed, gamma, weights):
    logits, labels = batch(seed)
    expected = by_hand(logits, labels, gamma, weights)
    assert focal(logits, labels, gamma=gamma, weights=weights).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_without_gamma_it_is_the_cross_entropy(weights):
    logits, labels = batch(0)
    found = focal(logits, labels, gamma=0, weights=weights).item()
    assert found == pytest.approx(cross_entropy(logits, labels, weights=weights).item(), rel=1e-12)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_gradients_are_those_of_finite_differences(gamma):
    logits, labels = batch(1)
    assert torch.autograd.gradcheck(lambda z: focal(z, labels, gamma=gamma), (logits.requires_grad_(),))


def test_a_row_that_is_judged_well_counts_less():
    logits, labels = torch.tensor([[3.0, 0.0], [0.0, 3.0]], requires_grad=True), torch.tensor([0, 0])
    shares = []
    for gamma in (0.0, 1.0, 2.0, 4.0):
        (slopes,) = torch.autograd.grad(focal(logits, labels, gamma=gamma), logits)
        right, wrong = slopes.abs().sum(1)
        shares.append((right / wrong).item())
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("sure", [5.0, 20.0, 90.0, 1e4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_however_sure_the_classifier_value_and_gradient_are_numbers(gamma, sure, dtype):
    logits = torch.tensor([[sure, 0.0], [0.0, sure]], dtype=dtype, requires_grad=True)
    value = focal(logits, torch.tensor([0, 0]), gamma=gamma)
    value.backward()
    assert value.isfinite()
    assert logits.grad.isfinite().all()
    # The row that is judged wrongly costs its distance, the other one nothing to speak of.
    assert value.item() == pytest.approx(sure / 2, rel=0.05)


def test_digits_are_kept_in_float32_where_the_classifier_is_sure():
    logits, labels = torch.tensor([[9.0, 0.0], [0.0, 9.0]]), torch.tensor([0, 1])
    exact = by_hand(logits.double(), labels)
    assert focal(logits, labels).item() == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize("gamma", [-1.0, math.nan, math.inf])
def test_gamma_out_of_its_range_is_refused(gamma):
    with pytest.raises(ValueError, match=f"`gamma` must be finite and at least 0, but is {gamma}"):
        focal(*batch(0), gamma=gamma)


def test_the_term_passes_its_options_on():
    logits, labels = batch(2)
    known = Labels(labels, class_weights=WEIGHTS)
    assert Focal(gamma=3, balance=True)(logits, known) == focal(logits, labels, gamma=3, weights=WEIGHTS)
    assert Focal()(logits, known) == focal(logits, labels)
