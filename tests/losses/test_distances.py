"""Sums over pairs that never hold the pairs, and distances whose slope stays finite."""

import pytest
import torch

from xlser.losses.distances import euclidean_pairs, signed_moment


@pytest.mark.parametrize("rows", [2, 5, 30])
@pytest.mark.parametrize(("shift_u", "shift_v"), [(0.0, 0.0), (0.7, 0.0), (0.0, -0.3), (0.7, -0.3)])
def test_a_signed_moment_is_the_mean_over_pairs_centred_or_not(rows, shift_u, shift_v):
    u, v = torch.randn(2, rows, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 3
    a, b = u.tolist(), v.tolist()
    slow = [(a[i] - a[j] + shift_u) * (b[i] - b[j] + shift_v) for i in range(rows) for j in range(i + 1, rows)]
    assert signed_moment(u, v, shift_u, shift_v).item() == pytest.approx(sum(slow) / len(slow), rel=1e-9)


def test_equal_rows_are_a_thousandth_apart_and_have_no_slope():
    z = torch.ones(3, 2, dtype=torch.float64, requires_grad=True)
    n, x = euclidean_pairs(z, torch.zeros(3, dtype=torch.float64))
    n.sum().backward()
    assert n.tolist() == pytest.approx([0.0005] * 3)
    assert x.tolist() == pytest.approx([0.001] * 3)
    assert torch.equal(z.grad, torch.zeros_like(z))
