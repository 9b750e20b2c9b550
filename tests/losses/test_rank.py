"""Rank-N-Contrast by sorting, against three loops."""

import math

import pytest
import torch

from xlser.losses import Labels, RankNContrast, rank_n_contrast


def by_loops(z, y, temperature=2.0):
    """Write the formula out; differentiable."""
    rows, terms = range(len(y)), []
    for i in rows:
        for j in rows:
            if i != j:
                far = [k for k in rows if k != i and (y[i] - y[k]).abs() >= (y[i] - y[j]).abs()]
                s = {k: -(z[i] - z[k]).norm() / temperature for k in [*far, j]}
                terms.append(torch.logsumexp(torch.stack([s[k] for k in far]), 0) - s[j])
    return torch.stack(terms).mean()


TIES = {
    "whole numbers": [1, 2, 3, 4, 5, 1, 2, 3],
    "two values": [0, 1, 0, 1, 1, 0, 0],
    "one apart": [2, 2, 2, 2, 7],
    "mirrored": [-2, -1, 0, 1, 2, 0.5, -0.5],
    "none": [0.13, 2.9, -1.7, 0.4, 8.1],
    "rounded differences": [0.1, 0.3, 0.5, 0.7, 0.9],
    "three": [0, 0, 1],
}


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("temperature", [0.01, 2.0, 30.0])
def test_value_and_gradient_are_those_of_the_loops(ties, temperature):
    y = torch.tensor(TIES[ties], dtype=torch.float64)
    z = torch.randn(len(y), 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    ours, theirs = rank_n_contrast(z, y, temperature=temperature), by_loops(z, y, temperature)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-9)
    torch.testing.assert_close(torch.autograd.grad(ours, z), torch.autograd.grad(theirs, z), rtol=1e-8, atol=1e-10)


def test_it_is_the_formula_on_hard_batches(hard):
    if len(hard[1]) < 3:
        with pytest.raises(ValueError, match="`z` must have at least 3 rows, but has 2"):
            rank_n_contrast(*hard)
    else:
        assert rank_n_contrast(*hard).item() == pytest.approx(by_loops(*hard).item(), rel=1e-9)


def test_gradients_are_those_of_finite_differences(ordinary):
    z, y = ordinary
    assert torch.autograd.gradcheck(lambda z: rank_n_contrast(z, y), (z,))
    assert torch.autograd.gradcheck(lambda z: rank_n_contrast(z, y.round()), (z,))


def test_equal_embeddings_give_the_value_of_chance_and_a_finite_gradient():
    z, y = torch.ones(3, 2, requires_grad=True), torch.tensor([0.0, 1.0, 3.0])
    loss = rank_n_contrast(z, y)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2) / 2)  # each row: log 1 for the farthest, log 2 for the other
    assert torch.isfinite(z.grad).all()


def test_the_unit_of_the_label_does_not_matter(ordinary):
    z, y = ordinary
    assert rank_n_contrast(z, 8 * y - 2).item() == pytest.approx(rank_n_contrast(z, y).item(), rel=1e-12)


def test_rows_in_the_order_of_their_labels_are_better_than_shuffled():
    y = torch.arange(10.0)
    shuffled = y[torch.randperm(10, generator=torch.Generator().manual_seed(0))]
    assert rank_n_contrast(y[:, None], y) < rank_n_contrast(shuffled[:, None], y)


def test_the_term_passes_its_temperature_on(ordinary):
    z, labels = ordinary[0], Labels(ratings={"activation": ordinary[1]})
    assert RankNContrast(temperature=0.5)(z, labels) == rank_n_contrast(*ordinary, temperature=0.5)
    assert RankNContrast()(z, labels) == rank_n_contrast(*ordinary)
    with pytest.raises(ValueError, match="`temperature` must be finite and above 0, but is 0"):
        rank_n_contrast(*ordinary, temperature=0)


def test_small_distances_far_from_the_origin_keep_their_digits_in_float32():
    rng = torch.Generator().manual_seed(0)
    # Whole multiples of 1/16 near 4096 are exact in float32: whatever differs is lost in the computation.
    z, y = (torch.randn(40, 2, generator=rng) * 16).round() / 16 + 4096, torch.randn(40, generator=rng)
    exact = rank_n_contrast(z.double(), y.double(), temperature=0.1).item()
    assert rank_n_contrast(z, y, temperature=0.1).item() == pytest.approx(exact, rel=1e-5)
