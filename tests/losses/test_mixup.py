"""Mixup: drawn as Beta, permuted evenly, and nothing at all as alpha goes to 0."""

import numpy as np
import pytest
import torch

from xlser.losses import TERMS, CrossEntropy, Labels, Mix, draw_mix
from xlser.training.step import mixed


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_the_larger_of_lambda_and_its_rest_is_drawn_from_beta(alpha):
    scipy = pytest.importorskip("scipy.stats")
    generator = seeded()
    drawn = np.array([draw_mix(2, alpha, generator).share for _ in range(2000)])
    assert drawn.min() >= 0.5
    # P(max(l, 1 - l) <= x) = 2 F(x) - 1
    assert scipy.kstest(drawn, lambda x: 2 * scipy.beta(alpha, alpha).cdf(x) - 1).pvalue > 0.001


def test_partners_are_a_permutation_every_one_as_often():
    generator, seen = seeded(), {}
    for _ in range(600):
        partner = tuple(draw_mix(3, 1.0, generator).partner.tolist())
        seen[partner] = seen.get(partner, 0) + 1
    assert len(seen) == 6
    assert min(seen.values()) > 60


def test_rows_are_mixed_one_by_one():
    rows = torch.randn(5, 3, generator=seeded(), dtype=torch.float64)
    mix = draw_mix(5, 1.0, seeded(4))
    for i, row in enumerate(mix.of(rows)):
        by_hand = [mix.share * a + (1 - mix.share) * b for a, b in zip(rows[i], rows[mix.partner[i]], strict=True)]
        assert row.tolist() == pytest.approx([value.item() for value in by_hand], rel=1e-12)


def test_the_gradient_goes_to_both_partners():
    mix = Mix(torch.tensor([2, 0, 1]), 0.7)
    rows = torch.randn(3, 2, generator=seeded(), dtype=torch.float64, requires_grad=True)
    target = torch.eye(3, dtype=torch.float64)

    def loss(x):
        logits = mix.of(x) @ torch.ones(2, 3, dtype=torch.float64).cumsum(1)
        return CrossEntropy()(logits, Labels(torch.arange(3), mix=mix)) + 0 * target.sum()

    assert torch.autograd.gradcheck(loss, (rows,))


@pytest.mark.parametrize("alpha", [0, 1e-9, 1e-300, 5e-324])
def test_towards_nought_nothing_is_mixed_to_the_digit(alpha):
    rows, labels = torch.randn(6, 4, generator=seeded()), Labels(torch.tensor([0, 1, 2, 0, 1, 2]))
    term = CrossEntropy(mixup=alpha)
    for seed in range(20):
        z, told = mixed(rows, labels, term, seeded(seed))
        assert torch.equal(z, rows)
        assert term(z[:, :3], told).item() == CrossEntropy()(rows[:, :3], labels).item()


def test_one_row_and_one_class_stay_what_they_are():
    z, told = mixed(torch.ones(1, 2), Labels(torch.tensor([1])), CrossEntropy(mixup=1), seeded())
    assert torch.allclose(z, torch.ones(1, 2))
    assert CrossEntropy(mixup=1)(z, told).item() == pytest.approx(np.log(2))
    z, told = mixed(torch.eye(3), Labels(torch.tensor([1, 1, 1])), CrossEntropy(mixup=1), seeded())
    assert CrossEntropy()(z, told).item() == pytest.approx(CrossEntropy()(z, told._replace(mix=None)).item(), rel=1e-6)


def test_only_in_training_and_only_where_it_is_asked_for():
    rows, labels = torch.eye(3), Labels(torch.arange(3))
    assert mixed(rows, labels, CrossEntropy(mixup=1), None) == (rows, labels)
    for kind in TERMS.values():
        assert mixed(rows, labels, kind(), seeded()) == (rows, labels)


@pytest.mark.parametrize(("rows", "alpha", "told"), [(3, -1.0, "`alpha` must be finite"), (0, 1.0, "`rows` must be")])
def test_what_cannot_be_drawn_is_refused(rows, alpha, told):
    with pytest.raises(ValueError, match=told):
        draw_mix(rows, alpha, seeded())
