"""The contrastive loss and its pair policies, against loops over rows."""

import pytest
import torch

from xlser.losses import Contrastive, Labels, contrastive
from xlser.losses.pair_selection import POLICIES, select_pairs

LABELS = torch.tensor([0, 1, 0, 2, 1, 0, 2, 2, 0, 5])
SPEAKERS = torch.tensor([0, 1, 0, 0, 2, 1, 0, 0, 3, 3])
LANGUAGES = torch.tensor([0, 0, 1, 0, 0, 1, 1, 0, 0, 1])
KNOWN = {"speakers": SPEAKERS, "languages": LANGUAGES}
DRAWING = ["random-balanced", "cross-speaker", "cross-language"]


@pytest.fixture
def rows():
    return torch.randn(10, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def picked(distances, labels, policy, **known):
    """Return the positive and the negative pairs, each a sorted list of (i, j)."""
    i, j, same = select_pairs(distances, labels, policy, **known)
    pairs = list(zip(i.tolist(), j.tolist(), same.tolist(), strict=True))
    return sorted((a, b) for a, b, s in pairs if s), sorted((a, b) for a, b, s in pairs if not s)


def unordered(labels, wanted):
    return [(i, j) for i in range(len(labels)) for j in range(i + 1, len(labels)) if wanted(i, j)]


def hard(distances, labels):
    positive, negative = [], []
    for i in range(len(labels)):
        same = [j for j in range(len(labels)) if j != i and labels[j] == labels[i]]
        others = [j for j in range(len(labels)) if labels[j] != labels[i]]
        positive += [(i, max(same, key=lambda j: distances[i][j]))] if same else []
        negative.append((i, min(others, key=distances[i].__getitem__)))
    return positive, negative


def semi_hard(distances, labels):
    positive, negative = [], []
    for i in range(len(labels)):
        others = [j for j in range(len(labels)) if labels[j] != labels[i]]
        for p in (j for j in range(len(labels)) if j != i and labels[j] == labels[i]):
            farther = [n for n in others if distances[i][n] > distances[i][p]]
            positive.append((i, p))
            negative.append((i, (min if farther else max)(farther or others, key=distances[i].__getitem__)))
    return positive, sorted(negative)


def test_all_takes_every_pair_once(rows):
    positive, negative = picked(torch.cdist(rows, rows), LABELS, "all")
    assert positive == unordered(LABELS, lambda i, j: LABELS[i] == LABELS[j])
    assert negative == unordered(LABELS, lambda i, j: LABELS[i] != LABELS[j])


@pytest.mark.parametrize(("policy", "slow"), [("hard", hard), ("semi-hard", semi_hard)])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("labels", [LABELS, torch.tensor([3, 3, 8]), torch.tensor([0] * 7 + [1] * 2)])
def test_the_anchor_policies_are_those_of_the_loops(policy, slow, seed, labels):
    z = torch.randn(len(labels), 2, generator=torch.Generator().manual_seed(seed))
    distances = torch.cdist(z, z)
    assert picked(distances, labels, policy) == slow(distances.tolist(), labels.tolist())


def test_semi_hard_wants_a_negative_that_is_farther_not_as_far():
    line = torch.tensor([0.0, 1.0, -1.0, 3.0, 0.5])
    distances = (line[:, None] - line).abs()
    positive, negative = picked(distances, torch.tensor([0, 0, 1, 1, 2]), "semi-hard")
    assert positive == [(0, 1), (1, 0), (2, 3), (3, 2)]
    # Of 0 the rows -1 (as far as the positive) and 0.5 (nearer) are passed over; of -1 none is farther than 3.
    assert negative == [(0, 3), (1, 2), (2, 1), (3, 0)]


def test_random_balanced_takes_all_positives_and_draws_as_many_negatives_without_repeats(rows):
    distances, everything = torch.cdist(rows, rows), picked(torch.cdist(rows, rows), LABELS, "all")
    draws = [
        picked(distances, LABELS, "random-balanced", generator=torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1)
    ]
    for positive, negative in draws:
        assert positive == everything[0]
        assert len(set(negative)) == len(negative) == len(positive)
        assert set(negative) <= set(everything[1])
    assert draws[0] == draws[1] != draws[2]


def test_where_positives_are_more_they_are_drawn():
    labels = torch.tensor([0] * 8 + [1])
    positive, negative = picked(torch.zeros(9, 9), labels, "random-balanced")
    assert negative == [(i, 8) for i in range(8)]
    assert len(set(positive)) == 8
    assert all(i < j < 8 for i, j in positive)


def test_over_many_draws_every_negative_comes_about_as_often():
    labels, rng = torch.tensor([0, 0, 1, 2, 3]), torch.Generator().manual_seed(0)
    counts = {}
    for _ in range(2000):
        ((pair,)) = picked(torch.zeros(5, 5), labels, "random-balanced", generator=rng)[1]
        counts[pair] = counts.get(pair, 0) + 1
    assert len(counts) == 9
    assert min(counts.values()) > 150 < max(counts.values()) < 300  # 222 expected, standard deviation 14


@pytest.mark.parametrize(("policy", "column"), [("cross-speaker", SPEAKERS), ("cross-language", LANGUAGES)])
def test_crossing_policies_take_positives_across_only_and_balance(rows, policy, column):
    rng = torch.Generator().manual_seed(0)
    positive, negative = picked(torch.cdist(rows, rows), LABELS, policy, **KNOWN, generator=rng)
    assert positive == unordered(LABELS, lambda i, j: LABELS[i] == LABELS[j] and column[i] != column[j])
    assert len(set(negative)) == len(positive)
    assert all(i < j and LABELS[i] != LABELS[j] for i, j in negative)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("margin", [0.5, 1.0, 3.0])
def test_the_loss_is_the_mean_over_the_picked_pairs(rows, policy, normalise, margin):
    def options(seed):
        return {"policy": policy, **KNOWN, "generator": torch.Generator().manual_seed(seed)}

    ours = contrastive(rows, LABELS, margin=margin, normalise=normalise, **options(5))
    points = [row / row.norm() if normalise else row for row in rows]
    distances = torch.stack([torch.stack([(a - b).norm() for b in points]) for a in points])
    terms = []
    for i, j, same in zip(*(column.tolist() for column in select_pairs(distances, LABELS, **options(5))), strict=True):
        d = distances[i, j].item()
        terms.append(d * d if same else max(0.0, margin - d) ** 2)
    assert ours.item() == pytest.approx(sum(terms) / len(terms), rel=1e-9)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("normalise", [True, False])
def test_gradients_are_those_of_finite_differences(rows, policy, normalise):
    def loss(z):
        rng = torch.Generator().manual_seed(2)
        return contrastive(z, LABELS, policy=policy, normalise=normalise, **KNOWN, generator=rng)

    assert torch.autograd.gradcheck(loss, (rows.requires_grad_(),))


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("normalise", [True, False])
def test_equal_rows_give_a_finite_gradient(policy, normalise):
    z = torch.ones(10, 3, requires_grad=True)
    loss = contrastive(z, LABELS, policy=policy, normalise=normalise, **KNOWN)
    loss.backward()
    assert loss.item() > 0  # the negative pairs lack the whole margin
    assert torch.isfinite(z.grad).all()


def test_a_small_distance_far_from_the_origin_keeps_its_digits():
    z = torch.tensor([[4096.0, 0.0], [4096.0, 0.0625]] + [[0.0, 4096.0 * k] for k in range(1, 30)])
    labels = torch.tensor([0, 0, *range(1, 30)])
    loss = contrastive(z, labels, policy="all", normalise=False)
    assert loss.item() == pytest.approx(0.0625**2 / (31 * 30 / 2), rel=1e-6)


@pytest.mark.parametrize("policy", POLICIES)
def test_no_positive_pair_is_refused_by_name(rows, policy):
    with pytest.raises(ValueError, match=f"policy {policy} a positive pair, but among 10 rows no class has"):
        contrastive(rows, torch.arange(10), policy=policy, **KNOWN)


@pytest.mark.parametrize("policy", POLICIES)
def test_no_negative_pair_is_refused(rows, policy):
    with pytest.raises(ValueError, match="`labels` must hold at least two classes, but holds only 4"):
        contrastive(rows, torch.full((10,), 4), policy=policy, **KNOWN)


@pytest.mark.parametrize("column", ["speakers", "languages"])
def test_crossing_policies_say_what_they_lack(rows, column):
    policy = f"cross-{column[:-1]}"
    with pytest.raises(ValueError, match=f"`{column}` must be given for the policy {policy}, but is None"):
        contrastive(rows, LABELS, policy=policy)
    with pytest.raises(ValueError, match=f"among 10 rows no class has rows of two {column}"):
        contrastive(rows, LABELS, policy=policy, **{column: torch.zeros(10, dtype=torch.long)})
    with pytest.raises(ValueError, match=rf"`{column}` must have shape \(10,\)"):
        contrastive(rows, LABELS, policy=policy, **{column: torch.tensor([1, 2])})


def test_options_out_of_range_are_refused_by_both(rows):
    with pytest.raises(ValueError, match="`margin` must be finite and above 0, but is 0"):
        contrastive(rows, LABELS, margin=0)
    with pytest.raises(ValueError, match=r"`policy` must be one of all, random-balanced, .* but is 'easy'"):
        contrastive(rows, LABELS, policy="easy")


def test_a_row_of_length_zero_is_refused_only_where_it_needs_a_direction(rows):
    rows[3] = 0
    with pytest.raises(ValueError, match="`z` must have no row of length zero, but row 3 has"):
        contrastive(rows, LABELS, policy="all")
    assert torch.isfinite(contrastive(rows, LABELS, policy="all", normalise=False))


@pytest.mark.parametrize("policy", POLICIES)
def test_the_term_passes_everything_on(rows, policy):
    def draw():
        return torch.Generator().manual_seed(1)

    term = Contrastive(margin=0.7, pairs=policy, normalise=False)
    groups = {"speaker": SPEAKERS, "language": LANGUAGES}
    expected = contrastive(rows, LABELS, margin=0.7, policy=policy, normalise=False, **KNOWN, generator=draw())
    assert term(rows, Labels(LABELS, groups=groups, generator=draw())) == expected
    assert term.parted == (policy.removeprefix("cross-") if policy.startswith("cross-") else None)


@pytest.mark.parametrize("policy", DRAWING)
def test_without_a_generator_the_draw_is_torchs_own(rows, policy):
    def draw(seed):
        torch.manual_seed(seed)
        return picked(torch.cdist(rows, rows), LABELS, policy, **KNOWN)

    with torch.random.fork_rng():
        assert draw(0) == draw(0)
        assert len({str(draw(seed)) for seed in range(5)}) > 1
