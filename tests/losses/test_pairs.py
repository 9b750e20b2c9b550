"""ELR and the concordance over pairs, against loops over the pairs."""

import math
from functools import partial

import pytest
import torch

from xlser.losses import Labels, PairCCC, ccc_pairs, elr


def euclidean(z, y):
    z, y, dims = z.tolist(), y.tolist(), z.shape[1]
    for i in range(len(y)):
        for j in range(i + 1, len(y)):
            n = math.sqrt(sum((a - b) ** 2 for a, b in zip(z[i], z[j], strict=True)) + 1e-6) / dims
            yield n, math.sqrt((y[i] - y[j]) ** 2 + 1e-6)


def signed(z, y, both=True):
    z, y, dims = z.tolist(), y.tolist(), z.shape[1]
    for i in range(len(y)):
        for j in range(len(y)):
            if j > i or (both and j < i):
                yield (sum(a - b for a, b in zip(z[i], z[j], strict=True)) + 1e-6) / dims, y[i] - y[j] + 1e-6


def one_less_ccc(pairs):
    pairs = list(pairs)
    mean_n = sum(n for n, _ in pairs) / len(pairs)
    mean_x = sum(x for _, x in pairs) / len(pairs)
    var_n = sum((n - mean_n) ** 2 for n, _ in pairs) / len(pairs)
    var_x = sum((x - mean_x) ** 2 for _, x in pairs) / len(pairs)
    cov = sum((n - mean_n) * (x - mean_x) for n, x in pairs) / len(pairs)
    return 1 - abs(2 * cov / (var_n + var_x + (mean_n - mean_x) ** 2))


def test_elr_is_the_mean_over_pairs(hard):
    slow = [math.log(max(abs(n / x - 1), 1e-6)) for n, x in euclidean(*hard)]
    assert elr(*hard).item() == pytest.approx(sum(slow) / len(slow), rel=1e-9, abs=1e-9)


def test_elr_stops_at_the_floor_when_every_ratio_is_one():
    y = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    z = y[:, None].clone().requires_grad_()
    loss = elr(z, y)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(1e-6))
    assert torch.isfinite(z.grad).all()


def test_signed_concordance_is_that_of_both_orders(hard):
    assert ccc_pairs(*hard).item() == pytest.approx(one_less_ccc(signed(*hard)), rel=1e-9, abs=1e-9)


def test_euclidean_concordance_is_that_of_the_pairs(hard):
    if len(hard[1]) < 3:
        with pytest.raises(ValueError, match="`z` must have at least 3 rows, but has 2"):
            ccc_pairs(*hard, form="euclidean")
    else:
        slow = one_less_ccc(euclidean(*hard))
        assert ccc_pairs(*hard, form="euclidean").item() == pytest.approx(slow, rel=1e-9, abs=1e-9)


def test_signed_concordance_over_one_order_would_depend_on_the_rows(ordinary):
    z, y = ordinary[0].detach(), ordinary[1]
    order = y.argsort()
    one_order = one_less_ccc(signed(z, y, both=False)) - one_less_ccc(signed(z[order], y[order], both=False))
    assert abs(one_order) > 0.01
    assert ccc_pairs(z, y).item() == pytest.approx(ccc_pairs(z[order], y[order]).item(), rel=1e-12)


def test_the_offset_is_the_papers_where_it_decides():
    z, y = 1e-6 * torch.tensor([[1.0, 4], [2, -1], [9, 3]], dtype=torch.float64), torch.tensor([0, 1e-6, 3e-6]).double()
    assert ccc_pairs(z, y).item() == pytest.approx(one_less_ccc(signed(z, y)), rel=1e-9)
    assert ccc_pairs(z, y, form="euclidean").item() == pytest.approx(one_less_ccc(euclidean(z, y)), rel=1e-9)


@pytest.mark.parametrize("form", ["signed", "euclidean"])
def test_concordance_stays_between_nought_and_one_and_is_nought_at_the_target(hard, form):
    z, y = hard
    if len(y) > 2:
        assert 0 <= ccc_pairs(z, y, form=form).item() <= 1
        assert ccc_pairs(y[:, None], y, form=form).item() == pytest.approx(0, abs=1e-9)


def test_signed_concordance_takes_either_direction():
    y = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    assert ccc_pairs(-y[:, None], y).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("loss", [elr, ccc_pairs, partial(ccc_pairs, form="euclidean")])
def test_gradients_are_those_of_finite_differences(ordinary, loss):
    z, y = ordinary
    assert torch.autograd.gradcheck(lambda z: loss(z, y), (z,))


def test_the_term_passes_its_form_on(ordinary):
    z, labels = ordinary[0], Labels(ratings={"valence": ordinary[1]})
    assert PairCCC(on="valence")(z, labels) == ccc_pairs(*ordinary)
    assert PairCCC(on="valence", form="euclidean")(z, labels) == ccc_pairs(*ordinary, form="euclidean")
