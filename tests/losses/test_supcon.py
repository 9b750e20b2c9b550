"""The supervised contrastive loss in closed form and in blocks, against loops over anchors and positives."""

import math

import pytest
import torch

from xlser.losses import Labels, SupCon, supcon


def by_loops(z, labels, temperature=0.1, groups=None, cross_weight=1.0):
    """Write the formula out row by row, in whatever dtype z has; differentiable."""
    groups = [0] * len(z) if groups is None else groups.tolist()
    rows, labels, terms = [row / row.norm() for row in z], labels.tolist(), []
    for i in range(len(rows)):
        others = [a for a in range(len(rows)) if a != i]
        positives = {p: 1.0 if groups[p] == groups[i] else cross_weight for p in others if labels[p] == labels[i]}
        if sum(positives.values()) > 0:
            logits = {a: (rows[i] * rows[a]).sum() / temperature for a in others}
            total = torch.logsumexp(torch.stack([logits[a] for a in others]), 0)
            share = sum(positives.values())
            terms.append(sum(w / share * (total - logits[p]) for p, w in positives.items()))
    return torch.stack(terms).mean()


def case(labels, seed=0, scale=1.0, dims=3, **options):
    z = scale * torch.randn(len(labels), dims, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    if "groups" in options:
        options["groups"] = torch.tensor(options["groups"])
    return z, torch.tensor(labels), options


def collapsed():
    z, labels, options = case([0, 0, 1, 1, 2])
    return torch.ones_like(z), labels, options


def opposite():
    z, labels, options = case([0, 0, 1, 1], temperature=0.01)
    z[1], z[3] = -z[0], -z[2]
    return z, labels, options


TEN = [0, 1, 2, 0, 1, 2, 0, 0, 2, 5]
HARD = {
    "three rows": case([0, 0, 1]),
    "anchors without a positive": case([4, 0, 9, 4, 4, 7]),
    "one dimension": case([0, 1, 0, 1], dims=1),
    "long rows": case(TEN, scale=1e6),
    "cold": case(TEN, temperature=0.01),
    "warm": case(TEN, temperature=50.0),
    "groups": case(TEN, groups=[0, 0, 0, 1, 1, 1, 2, 0, 1, 1], cross_weight=0.3),
    "across counts more": case(TEN, groups=[0, 0, 0, 1, 1, 1, 2, 0, 1, 1], cross_weight=4.0),
    "own group only": case(TEN, groups=[0, 0, 0, 1, 1, 1, 2, 0, 1, 1], cross_weight=0.0),
    "gaps in the groups": case(TEN, groups=[9, 9, 9, 4, 4, 4, 4, 9, 9, 9], cross_weight=0.5),
    "collapsed": collapsed(),
    "opposite and cold": opposite(),
    "more rows than a block": case([i * i % 7 for i in range(40)], dims=5, groups=[i % 3 for i in range(40)]),
}


@pytest.fixture(params=HARD)
def hard(request, monkeypatch):
    if request.param == "more rows than a block":
        # By its name in the import system: in the package the function hides the module.
        monkeypatch.setattr("xlser.losses.log_sum_exp.BLOCK", 16)
    z, labels, options = HARD[request.param]
    return z.clone().requires_grad_(), labels, options


def test_value_and_gradient_are_those_of_the_loops(hard):
    z, labels, options = hard
    ours, theirs = supcon(z, labels, **options), by_loops(z, labels, **options)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-9, abs=1e-11)
    (gradient,), (expected,) = torch.autograd.grad(ours, z), torch.autograd.grad(theirs, z)
    scale = 1 / z.detach().norm(dim=1, keepdim=True)
    torch.testing.assert_close(gradient / scale, expected / scale, rtol=1e-8, atol=1e-10)


def test_gradients_are_those_of_finite_differences(hard):
    z, labels, options = hard
    if z.abs().max() < 100:  # at 1e6 a step of 1e-6 is lost; the loops have looked at those rows
        assert torch.autograd.gradcheck(lambda z: supcon(z, labels, **options), (z,), atol=1e-4)


@pytest.mark.parametrize("rows", [257, 600])
def test_blocks_of_its_own_size_meet(rows):
    z, labels, _ = case([i % 5 for i in range(rows)], dims=8)
    unit, same = torch.nn.functional.normalize(z.requires_grad_()), labels[:, None] == labels
    itself = torch.eye(rows, dtype=torch.bool)
    log_p = (unit @ unit.T / 0.1).masked_fill(itself, -torch.inf).log_softmax(1)
    whole = -(log_p.masked_fill(~same | itself, 0).sum(1) / (same.sum(1) - 1)).mean()
    ours = supcon(z, labels)
    assert ours.item() == pytest.approx(whole.item(), rel=1e-12)
    torch.testing.assert_close(torch.autograd.grad(ours, z), torch.autograd.grad(whole, z), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", HARD)
def test_float32_agrees_even_when_cold(name):
    z, labels, options = HARD[name]
    exact = supcon(z, labels, **options).item()
    single = supcon(z.float(), labels, **options)
    assert single.dtype == torch.float32
    assert single.item() == pytest.approx(exact, rel=1e-5, abs=1e-5)


def test_half_precision_is_widened():
    z, labels, _ = case(TEN, dims=16)
    half = z.half().requires_grad_()
    loss = supcon(half, labels)
    loss.backward()
    assert loss.dtype == torch.float32
    assert half.grad.dtype == torch.float16
    assert loss.item() == pytest.approx(supcon(half.detach().double(), labels).item(), rel=1e-6)


def test_one_cross_weight_is_plain_and_one_group_knows_no_other():
    z, labels, _ = case(TEN)
    groups = torch.arange(len(labels)) % 2
    assert supcon(z, labels, groups=groups).item() == pytest.approx(supcon(z, labels).item(), rel=1e-12)
    alone = supcon(z, labels, groups=torch.full_like(labels, 3), cross_weight=0.0)
    assert alone.item() == pytest.approx(supcon(z, labels).item(), rel=1e-12)


def test_weighing_other_groups_more_draws_them_together():
    z, labels, _ = case([0, 0, 0, 0, 1, 1, 1, 1], dims=4)
    groups = torch.tensor([0, 0, 1, 1, 0, 0, 1, 1])

    def gap_after(cross_weight):
        x = z.clone().requires_grad_()
        adam = torch.optim.Adam([x], lr=0.05)
        for _ in range(40):
            adam.zero_grad()
            supcon(x, labels, groups=groups, cross_weight=cross_weight).backward()
            adam.step()
        unit = torch.nn.functional.normalize(x.detach())
        across = (labels[:, None] == labels) & (groups[:, None] != groups)
        return (unit @ unit.T)[across].mean()

    assert gap_after(1.0) > gap_after(0.0) + 0.1


def test_the_length_of_a_row_does_not_matter_however_extreme():
    z, labels, _ = case(TEN)
    lengths = torch.logspace(-30, 30, len(labels))[:, None]
    x = (z.float() * lengths).requires_grad_()
    loss = supcon(x, labels)
    loss.backward()
    assert loss.item() == pytest.approx(supcon(z, labels).item(), rel=1e-5)
    assert torch.isfinite(x.grad).all()


def test_equal_rows_give_the_value_of_chance():
    assert supcon(torch.ones(5, 2), torch.tensor([0, 0, 1, 1, 1])).item() == pytest.approx(math.log(4), abs=1e-5)


def test_the_gradient_follows_what_comes_after_and_comes_once():
    z, labels, _ = case(TEN)
    x = z.clone().requires_grad_()
    (once,) = torch.autograd.grad(supcon(x, labels), x)
    (thrice,) = torch.autograd.grad(3 * supcon(x, labels) + 1, x)
    torch.testing.assert_close(thrice, 3 * once)
    with pytest.raises(RuntimeError, match="`create_graph` must be False, as `supcon` has no"):
        torch.autograd.grad(supcon(x, labels), x, create_graph=True)


def operators(z, labels):
    with torch.autograd.profiler.profile() as profile:
        supcon(z, labels)
    return {event.name for event in profile.function_events}


def test_without_a_gradient_none_is_worked_out():
    z, labels, _ = case(TEN)
    assert "aten::addmm_" in operators(z.clone().requires_grad_(), labels)
    assert "aten::addmm_" not in operators(z, labels)
    with torch.no_grad():
        assert "aten::addmm_" not in operators(z.clone().requires_grad_(), labels)


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ([0, 1, 2, 3], {}, "`labels` must give an anchor a positive .* none of the 4 rows"),
        ([0, 0, 1, 1], {"groups": torch.arange(4), "cross_weight": 0.0}, "none of the 4 rows"),
        ([0, 0, 0, 0], {}, "at least two classes, but holds only 0"),
        ([0, 0, 1, 1], {"groups": torch.zeros(4)}, "`groups` must be integers"),
        ([0, 0, 1, 1], {"groups": torch.tensor([0, 1])}, r"`groups` must have shape \(4,\)"),
        ([0, 0, 1, 1], {"temperature": 0.0}, "`temperature` must be finite and above 0, but is 0.0"),
        ([0, 0, 1, 1], {"temperature": math.nan}, "`temperature` must be finite"),
        ([0, 0, 1, 1], {"cross_weight": -0.5}, "`cross_weight` must be finite and at least 0, but is -0.5"),
        ([0, 0, 1, 1], {"cross_weight": math.inf}, "`cross_weight` must be finite"),
    ],
)
def test_what_has_no_value_is_refused(labels, options, message):
    z = torch.arange(8.0).reshape(4, 2) + 1
    with pytest.raises(ValueError, match=message):
        supcon(z, torch.tensor(labels), **options)


@pytest.mark.parametrize("labels", [[0, 0], [0, 1]])
def test_two_rows_are_refused(labels):
    with pytest.raises(ValueError, match="`labels` must"):
        supcon(torch.eye(2), torch.tensor(labels))


def test_a_row_of_length_zero_is_refused():
    z = torch.ones(4, 2)
    z[2] = 0
    with pytest.raises(ValueError, match="`z` must have no row of length zero, but row 2 has"):
        supcon(z, torch.tensor([0, 0, 1, 1]))


def test_no_matrix_of_all_pairs_is_made():
    rows = 4000
    z = torch.randn(rows, 4, requires_grad=True)
    with torch.autograd.profiler.profile(profile_memory=True) as profile:
        supcon(z, torch.arange(rows) % 3).backward()
    # One block of similarities is seen, so a matrix of them all, 16 times as large, would be.
    assert max(event.cpu_memory_usage for event in profile.function_events) == 256 * rows * 4


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_same_under_autocast_too():
    z, labels, options = HARD["groups"]
    z, options = z.float(), options | {"groups": options["groups"].cuda()}
    x = z.cuda().requires_grad_()
    with torch.autocast("cuda", dtype=torch.float16):
        loss = supcon(x, labels.cuda(), **options)
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(by_loops(*HARD["groups"][:2], **HARD["groups"][2]).item(), rel=1e-5)
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("across", ["speaker", "corpus", "language"])
def test_the_term_passes_its_options_on(across):
    z, labels, options = HARD["groups"]
    groups = options["groups"]
    term = SupCon(temperature=0.2, cross_weight=0.3, across=across)
    expected = supcon(z, labels, temperature=0.2, groups=groups, cross_weight=0.3)
    assert term(z, Labels(labels, groups={"other": groups * 0, across: groups})) == expected
    assert SupCon()(z, Labels(labels)) == supcon(z, labels)
    with pytest.raises(ValueError, match=f"`labels` must hold `groups` of {across}, but holds none"):
        term(z, Labels(labels))


def test_a_weight_between_groups_without_groups_is_refused():
    assert SupCon(across=None).grouped is None
    with pytest.raises(ValueError, match="`cross_weight` 2 weighs nothing without `across`"):
        SupCon(across=None, cross_weight=2)


@pytest.mark.parametrize("option", [{"temperature": -1.0}, {"cross_weight": -1.0}])
def test_an_option_out_of_its_range_is_refused(option):
    z, labels, _ = HARD["groups"]
    with pytest.raises(ValueError, match=f"`{next(iter(option))}` must be"):
        supcon(z, labels, **option)
