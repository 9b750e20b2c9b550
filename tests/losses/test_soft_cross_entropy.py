"""Cross-entropy and KL to votes against loops over raters, and the degenerate cases: hard labels to the digit."""

import math

import pytest
import torch
from pydantic import ValidationError

from xlser.losses import CrossEntropy, Labels, Mix, class_weights, cross_entropy, soft_cross_entropy

VOTES = torch.tensor([[2, 1, 0], [0, 3, 0], [1, 1, 1], [5, 0, 1], [0, 0, 4]], dtype=torch.float64)
SHARES = VOTES / VOTES.sum(1, keepdim=True)
WEIGHTS = torch.tensor([0.5, 2.0, 0.0], dtype=torch.float64)


def logits_of(scale=1.0, rows=5, dtype=torch.float64):
    return scale * torch.randn(rows, 3, dtype=dtype, generator=torch.Generator().manual_seed(0))


def surprise(row, label):
    largest = max(row)
    return largest + math.log(sum(math.exp(value - largest) for value in row)) - row[label]


def by_raters(logits, votes, weights=(1, 1, 1)):
    """Each rater is a row with a hard label, which counts one part of all raters of the clip."""
    total = counted = 0.0
    for row, counts in zip(logits.tolist(), votes.tolist(), strict=True):
        for label, count in enumerate(counts):
            share = count / sum(counts) * weights[label]
            total, counted = total + share * surprise(row, label), counted + share
    return total / counted


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_it_is_the_mean_surprise_of_the_raters(weights, scale):
    logits, given = logits_of(scale), [1, 1, 1] if weights is None else weights.tolist()
    assert soft_cross_entropy(logits, SHARES, weights=weights).item() == pytest.approx(
        by_raters(logits, VOTES, given), rel=1e-9
    )


@pytest.mark.parametrize("weights", [None, WEIGHTS, torch.tensor([1.0, 0.2, 3.0], dtype=torch.float64)])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_kl_is_each_row_s_divergence_weighted_by_what_it_counts(weights, smoothing):
    logits, w = logits_of(), [1.0] * 3 if weights is None else weights.tolist()
    total = counted = 0.0
    for row, shares in zip(logits.tolist(), SHARES.tolist(), strict=True):
        spread = [(1 - smoothing) * share + smoothing / 3 for share in shares]
        mass = sum(weight * share for weight, share in zip(w, spread, strict=True))
        counted += sum(weight * share for weight, share in zip(w, shares, strict=True))
        for label, share in enumerate(spread):
            if q := w[label] * share / mass if mass else 0:
                total += mass * q * (math.log(q) + surprise(row, label))
    options = {"weights": weights, "smoothing": smoothing}
    found = soft_cross_entropy(logits, SHARES, **options, divergence="kl")
    assert found.item() == pytest.approx(total / counted, rel=1e-9)
    plain = soft_cross_entropy(logits, SHARES, **options)
    leaf = logits.clone().requires_grad_()
    grads = [
        torch.autograd.grad(soft_cross_entropy(leaf, SHARES, **options, divergence=name), leaf)[0]
        for name in ("kl", "cross-entropy")
    ]
    assert 0 <= found < plain
    assert torch.allclose(*grads, rtol=1e-12)


def test_a_classifier_that_says_what_the_raters_say_has_no_divergence_and_no_gradient():
    logits = SHARES.clamp_min(1e-300).log().requires_grad_()
    found = soft_cross_entropy(logits, SHARES, divergence="kl")
    found.backward()
    assert found.item() == pytest.approx(0, abs=1e-12)
    assert logits.grad.abs().max() < 1e-12


@pytest.mark.parametrize("divergence", ["cross-entropy", "kl"])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_its_gradient_is_that_of_small_steps(divergence, weights):
    assert torch.autograd.gradcheck(
        lambda x: soft_cross_entropy(x, SHARES, weights=weights, smoothing=0.1, divergence=divergence),
        (logits_of().requires_grad_(),),
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_shares_of_one_class_are_hard_labels(weights, smoothing):
    labels = torch.tensor([0, 1, 2, 1, 0])
    options = {"weights": weights, "smoothing": smoothing}
    hard, soft = torch.nn.functional.one_hot(labels, 3).double(), logits_of()
    assert soft_cross_entropy(soft, hard, **options).item() == pytest.approx(
        cross_entropy(soft, labels, **options).item(), rel=1e-14
    )


def test_a_class_without_a_share_says_nothing_even_where_it_is_impossible():
    logits = torch.tensor([[0.0, 3e38, -3e38]])
    found = soft_cross_entropy(logits, torch.tensor([[0.0, 1.0, 0.0]]))
    assert found.item() == 0


@pytest.mark.parametrize(
    ("shares", "options", "message"),
    [
        ([[0.5, 0.4, 0.0]], {}, r"`shares` must be at least 0 and sum to 1 in every row, but row 0 is \[0\.5"),
        ([[1.5, -0.5, 0.0]], {}, "`shares` must be at least 0 and sum to 1"),
        ([[math.nan] * 3], {}, "`shares` must be at least 0 and sum to 1"),
        ([[0.5, 0.5]], {}, r"`shares` must be .* the shape of `logits`, \(1, 3\)"),
        ([[1, 0, 0]], {}, r"`shares` must be floating point .*int64"),
        (
            [[1.0, 0, 0]],
            {"weights": torch.tensor([0.0, 1, 1])},
            "`weights` must be above 0 for a class that has a share",
        ),
        ([[1.0, 0, 0]], {"weights": torch.tensor([-1.0, 1, 1])}, "`weights` must be finite and at least 0"),
        ([[1.0, 0, 0]], {"weights": torch.ones(2)}, r"`weights` must have shape \(3,\), but has \(2,\)"),
        ([[1.0, 0, 0]], {"smoothing": 1.0}, "`smoothing` must be at least 0 and below 1"),
        ([[1.0, 0, 0]], {"divergence": "js"}, "`divergence` must be one of cross-entropy, kl"),
    ],
)
def test_what_is_no_distribution_is_refused(shares, options, message):
    with pytest.raises(ValueError, match=message):
        soft_cross_entropy(torch.zeros(1, 3), torch.tensor(shares), **options)


def rows(emotion, shares):
    return Labels(torch.tensor(emotion), shares=torch.tensor(shares))


NOBODY = [math.nan] * 3


def test_the_term_takes_votes_where_there_are_any_and_else_the_label():
    labels = rows([0, 1, -1, 2], [[0.5, 0.5, 0.0], NOBODY, [0.0, 0.4, 0.6], [0.0, 0.0, 1.0]])
    logits = logits_of(rows=4, dtype=torch.float32)
    by_hand = torch.tensor([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    decided = CrossEntropy(targets="votes")(logits, labels)
    assert decided.item() == soft_cross_entropy(logits[[0, 1, 3]], by_hand).item()
    every = torch.cat([by_hand[:2], torch.tensor([[0.0, 0.4, 0.6]]), by_hand[2:]])
    undecided = CrossEntropy(targets="votes", undecided=True)(logits, labels)
    assert undecided.item() == soft_cross_entropy(logits, every).item()
    assert CrossEntropy()(logits, labels).item() == cross_entropy(logits[[0, 1, 3]], torch.tensor([0, 1, 2])).item()


@pytest.mark.parametrize("options", [{}, {"smoothing": 0.1}, {"balance": True}])
def test_votes_for_one_class_are_its_label_to_the_digit(options):
    emotion = [0, 2, 1, 1, 0]
    one_hot = torch.eye(3)[emotion].tolist()
    one_hot[3] = NOBODY
    labels = rows(emotion, one_hot)._replace(class_weights=torch.tensor([1.0, 0.3, 2.0]))
    logits = logits_of(dtype=torch.float32)
    found = [CrossEntropy(targets=name, **options)(logits, labels).item() for name in ("votes", "labels")]
    assert found[0] == found[1]
    # What the votes say counts, not the label beside them.
    other = labels._replace(emotion=torch.tensor([1, 1, 1, 1, 1]))
    assert CrossEntropy(targets="votes", **options)(logits, other).item() == found[0]


def test_a_mixed_batch_has_mixed_targets():
    logits, labels = logits_of(dtype=torch.float32), rows([0, 1, 2, 0, 1], [NOBODY] * 5)
    mix = Mix(torch.tensor([4, 3, 2, 1, 0]), 0.75)
    target = torch.eye(3)[[0, 1, 2, 0, 1]]
    mixed = 0.75 * target + 0.25 * target[[4, 3, 2, 1, 0]]
    assert CrossEntropy()(logits, labels._replace(mix=mix)).item() == soft_cross_entropy(logits, mixed).item()


def test_weights_of_votes_are_inverse_to_their_sums():
    found = class_weights(SHARES, 3)
    inverse = 1 / SHARES.sum(0)
    assert torch.allclose(found, (inverse / inverse.mean()).float())
    labels = torch.tensor([0, 0, 2, 0])
    assert class_weights(torch.eye(4)[labels], 4).tolist() == class_weights(labels, 4).tolist()


def test_undecided_clips_belong_to_votes_and_votes_must_be_there():
    with pytest.raises(
        ValidationError, match="`undecided` clips have votes and no label: it belongs to `targets: votes`"
    ):
        CrossEntropy(undecided=True)
    with pytest.raises(ValueError, match="`labels` must hold `shares`"):
        CrossEntropy(targets="votes")(torch.zeros(2, 2), Labels(torch.tensor([0, 1])))


def test_what_was_hashed_before_keeps_its_hash():
    assert list(CrossEntropy().model_dump()) == ["weight", "balance", "smoothing"]
    assert CrossEntropy(mixup=0.2).model_dump()["mixup"] == 0.2
