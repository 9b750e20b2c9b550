"""The kernel-weighted contrastive loss, against loops over rows."""

import math

import pytest
import torch

from xlser.losses import KernelContrastive, Labels, kernel_contrastive, supcon


def by_loops(z, y, sigma, temperature):
    """Write the formula out; differentiable."""
    unit, terms = [row / row.norm() for row in z], []
    for i in range(len(y)):
        others = [j for j in range(len(y)) if j != i]
        weights = [math.exp(-((y[i] - y[j]).item() ** 2) / (2 * sigma**2)) for j in others]
        s = torch.stack([(unit[i] * unit[j]).sum() / temperature for j in others])
        log_p = s - torch.logsumexp(s, 0)
        terms.append(-sum(w / sum(weights) * p for w, p in zip(weights, log_p, strict=True)))
    return torch.stack(terms).mean()


@pytest.mark.parametrize("sigma", [0.3, 1.0, 100.0])
@pytest.mark.parametrize("temperature", [0.01, 0.1, 2.0])
def test_value_and_gradient_are_those_of_the_loops(ordinary, sigma, temperature):
    z, y = ordinary
    ours = kernel_contrastive(z, y, sigma=sigma, temperature=temperature)
    theirs = by_loops(z, y, sigma, temperature)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-9)
    torch.testing.assert_close(torch.autograd.grad(ours, z), torch.autograd.grad(theirs, z), rtol=1e-8, atol=1e-10)


def test_it_is_the_formula_on_hard_batches(hard):
    z, y = hard
    sigma = y.std().item()
    if len(y) < 3:
        with pytest.raises(ValueError, match="`z` must have at least 3 rows, but has 2"):
            kernel_contrastive(z, y, sigma=sigma)
    else:
        assert kernel_contrastive(z, y, sigma=sigma).item() == pytest.approx(
            by_loops(z, y, sigma, 0.1).item(), rel=1e-9
        )


def test_gradients_are_those_of_finite_differences(ordinary):
    z, y = ordinary
    assert torch.autograd.gradcheck(lambda z: kernel_contrastive(z, y, sigma=0.5), (z,))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_narrow_kernel_of_equal_labels_is_supcon(dtype):
    z = torch.randn(8, 3, dtype=dtype, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 0, 1, 1, 2, 2, 0, 1])
    narrow = kernel_contrastive(z, labels.to(dtype), sigma=1e-3)
    assert narrow.item() == pytest.approx(supcon(z, labels).item(), rel=1e-5)


@pytest.mark.parametrize("sigma", [1e-3, 1e-20, 1e-30])
def test_weights_do_not_vanish_where_all_labels_are_very_many_sigma_away(sigma):
    z, y = torch.eye(3), torch.tensor([0.0, 1.0, 3.0])
    z[1, 0] = 1.0  # the nearest of 0 is 1, of 1 is 0, of 3 is 1
    pull = {(0, 1): 0.5**0.5, (1, 0): 0.5**0.5, (2, 1): 0.0}
    total = {0: math.exp(0.5**0.5) + 1, 1: math.exp(0.5**0.5) + 1, 2: 2.0}
    expected = sum(math.log(total[i]) - cosine for (i, _), cosine in pull.items()) / 3
    assert kernel_contrastive(z, y, sigma=sigma, temperature=1.0).item() == pytest.approx(expected, rel=1e-6)


def test_a_wide_kernel_does_not_know_the_labels(ordinary):
    z, y = ordinary
    wide = kernel_contrastive(z, y, sigma=1e6).item()
    assert wide == pytest.approx(kernel_contrastive(z, y.flip(0), sigma=1e6).item(), rel=1e-9)
    assert kernel_contrastive(z, y, sigma=0.5).item() != pytest.approx(
        kernel_contrastive(z, y.flip(0), sigma=0.5).item(), rel=1e-3
    )


def test_rows_of_length_zero_are_refused():
    with pytest.raises(ValueError, match="`z` must have no row of length zero, but row 0 has"):
        kernel_contrastive(torch.zeros(3, 2), torch.arange(3.0), sigma=1.0)


@pytest.mark.parametrize("option", ["sigma", "temperature"])
@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_options_out_of_range_are_refused_by_both(ordinary, option, bad):
    options = {"sigma": 1.0, option: bad}
    with pytest.raises(ValueError, match=f"`{option}` must be finite and above 0, but is {bad}"):
        kernel_contrastive(*ordinary, **options)


def test_the_term_passes_its_options_on(ordinary):
    z, labels = ordinary[0], Labels(ratings={"activation": ordinary[1]})
    expected = kernel_contrastive(*ordinary, sigma=0.4, temperature=0.3)
    assert KernelContrastive(sigma=0.4, temperature=0.3)(z, labels) == expected
    assert KernelContrastive()(z, labels) == kernel_contrastive(*ordinary, sigma=0.25)
