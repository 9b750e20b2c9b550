"""One less the concordance of a predicted dimension, against Lin's formula over plain lists."""

import math
import statistics

import pytest
import torch

from xlser.losses import dimension_ccc


def by_hand(p, y):
    p, y = p.tolist(), y.tolist()
    mean_p, mean_y = statistics.fmean(p), statistics.fmean(y)
    cov = statistics.fmean((a - mean_p) * (b - mean_y) for a, b in zip(p, y, strict=True))
    return 1 - 2 * cov / (statistics.pvariance(p) + statistics.pvariance(y) + (mean_p - mean_y) ** 2)


def test_it_is_one_less_lins_concordance(hard):
    prediction, target = hard[0][:, 0], hard[1]
    assert dimension_ccc(prediction, target).item() == pytest.approx(by_hand(prediction, target), rel=1e-9, abs=1e-9)


def test_gradients_are_those_of_finite_differences(ordinary):
    z, y = ordinary
    assert torch.autograd.gradcheck(lambda p: dimension_ccc(p, y), (z.detach()[:, 0].clone().requires_grad_(),))


def test_it_is_nought_at_the_target_one_for_a_constant_and_two_for_the_mirror_image(ordinary):
    y = ordinary[1]
    assert dimension_ccc(y, y).item() == pytest.approx(0, abs=1e-12)
    assert dimension_ccc(2 * y.mean() - y, y).item() == pytest.approx(2)
    constant = torch.full_like(y, 0.3).requires_grad_()
    loss = dimension_ccc(constant, y)
    loss.backward()
    assert loss.item() == pytest.approx(1)
    assert torch.corrcoef(torch.stack([constant.grad, y]))[0, 1] == pytest.approx(-1)


def test_float32_keeps_its_digits_under_a_large_mean():
    rng = torch.Generator().manual_seed(0)
    # Whole multiples of 1/16 near 4096 are exact in float32: whatever differs is lost in the computation.
    y = (torch.randn(64, generator=rng) * 16).round() / 16 + 4096
    p = y + (torch.randn(64, generator=rng) * 16).round() / 16
    assert dimension_ccc(p, y).item() == pytest.approx(by_hand(p.double(), y.double()), rel=1e-5)


def test_integer_labels_will_do():
    p, y = torch.tensor([1.0, 2.5, 2.0]), torch.tensor([1, 3, 2])
    assert dimension_ccc(p, y).item() == pytest.approx(by_hand(p, y.float()), rel=1e-6)


@pytest.mark.parametrize(
    ("prediction", "target", "message"),
    [
        ([1.0, 1.0], [2.0, 2.0], "`target` must hold at least two different values, but holds only 2.0"),
        ([1.0, 5.0], [2.0, 2.0], "`target` must hold at least two different values"),
        ([1.0, 2.0], [2.0, math.nan], "`target` must be finite, but row 1 holds nan"),
        ([math.inf, 2.0], [2.0, 1.0], "`prediction` must be finite, but row 0 holds inf"),
        ([[1.0], [2.0]], [2.0, 1.0], r"`prediction` must have shape \(N,\), but has \(2, 1\)"),
        ([1.0, 2.0], [[2.0], [1.0]], r"`target` must have shape \(2,\), but has \(2, 1\)"),
        ([1.0], [1.0], "`prediction` must have at least 2 rows, but has 1"),
    ],
)
def test_what_has_no_concordance_is_refused(prediction, target, message):
    with pytest.raises(ValueError, match=message):
        dimension_ccc(torch.tensor(prediction), torch.tensor(target))
