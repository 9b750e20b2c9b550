"""Cross-entropy and class weights, against loops over rows."""

import math

import pytest
import torch

from xlser.losses import CrossEntropy, Labels, class_weights, cross_entropy


def by_hand(logits, labels, weights=None, smoothing=0.0):
    logits, labels = logits.tolist(), labels.tolist()
    weights = [1.0] * len(logits[0]) if weights is None else weights.tolist()
    total = 0.0
    for row, label in zip(logits, labels, strict=True):
        largest = max(row)
        norm = largest + math.log(sum(math.exp(value - largest) for value in row))
        surprise = [weight * (norm - value) for weight, value in zip(weights, row, strict=True)]
        total += (1 - smoothing) * surprise[label] + smoothing * sum(surprise) / len(row)
    return total / sum(weights[label] for label in labels)


@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 2.0, 0.0])])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_it_is_the_weighted_mean_of_the_surprise(weights, smoothing, scale):
    logits = scale * torch.randn(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 2, 2, 1, 0, 0])
    ours = cross_entropy(logits, labels, weights=weights, smoothing=smoothing)
    assert ours.item() == pytest.approx(by_hand(logits, labels, weights, smoothing), rel=1e-9)
    assert torch.autograd.gradcheck(
        lambda x: cross_entropy(x, labels, weights=weights, smoothing=smoothing), (logits.requires_grad_(),), atol=1e-4
    )


def test_one_row_and_one_class_only_are_fine():
    assert cross_entropy(torch.tensor([[0.0, 1.0]]), torch.tensor([1])).item() == pytest.approx(
        math.log(1 + math.exp(-1))
    )


@pytest.mark.parametrize("dtype", [torch.int8, torch.int32, torch.int64])
def test_any_integer_names_a_class(dtype):
    logits, labels = torch.eye(3), torch.tensor([2, 0, 1])
    assert cross_entropy(logits, labels.to(dtype)) == cross_entropy(logits, labels)
    assert class_weights(labels.to(dtype), 3).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("labels", "count"),
    [([0, 0, 0, 1], 2), ([0, 1, 2, 2, 2, 2, 2], 3), ([3, 3, 1], 5), ([0], 1), ([1] * 1000 + [0], 2)],
)
def test_weights_are_inverse_to_the_rows_and_one_on_average(labels, count):
    weights = class_weights(torch.tensor(labels), count).tolist()
    present = sorted(set(labels))
    assert sum(weights[c] for c in present) / len(present) == pytest.approx(1)
    assert [weights[c] for c in range(count) if c not in present] == [0] * (count - len(present))
    # Every class present has the same say: weight times rows.
    assert len({round(weights[c] * labels.count(c), 4) for c in present}) == 1


def test_under_its_weights_every_class_has_the_same_say():
    labels = torch.tensor([0] * 6 + [1] * 2)
    logits = torch.zeros(8, 2, requires_grad=True)
    cross_entropy(logits, labels, weights=class_weights(labels, 2)).backward()
    assert logits.grad[:6, 0].sum().item() == pytest.approx(logits.grad[6:, 1].sum().item())


@pytest.mark.parametrize(
    ("labels", "count", "message"),
    [
        ([0, 3], 3, r"`labels` must be below the number of classes \(3\), but holds 3"),
        ([0, -1], 3, "`labels` must be at least 0"),
        ([0.0, 1.0], 3, "`labels` must be integers"),
        ([[0, 1]], 3, r"`labels` must have shape \(1,\), but has \(1, 2\)"),
        ([], 3, "`labels` must have at least 1 row, but has 0"),
    ],
)
def test_labels_that_give_no_weights_are_refused(labels, count, message):
    with pytest.raises(ValueError, match=message):
        class_weights(torch.tensor(labels), count)


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ([0, 3], {}, r"`labels` must be below the number of classes \(3\), but holds 3"),
        ([0, -100], {}, "`labels` must be at least 0 .* but holds -100"),
        ([0, 1], {"weights": torch.ones(2)}, r"`weights` must have shape \(3,\), but has \(2,\)"),
        ([0, 1], {"weights": torch.tensor([1.0, -1.0, 1.0])}, "`weights` must be finite and at least 0"),
        ([0, 1], {"weights": torch.tensor([1.0, math.nan, 1.0])}, "`weights` must be finite and at least 0"),
        ([0, 1], {"weights": torch.tensor([0.0, 0.0, 1.0])}, "`weights` must be above 0 for a class in the batch"),
        ([0, 1], {"smoothing": 1.0}, "`smoothing` must be at least 0 and below 1, but is 1.0"),
        ([0, 1], {"smoothing": -0.1}, "`smoothing` must be at least 0 and below 1, but is -0.1"),
    ],
)
def test_what_has_no_value_is_refused(labels, options, message):
    with pytest.raises(ValueError, match=message):
        cross_entropy(torch.zeros(2, 3), torch.tensor(labels), **options)


def test_logits_of_one_class_are_refused():
    with pytest.raises(ValueError, match="`logits` must have at least 2 classes, but has 1"):
        cross_entropy(torch.zeros(2, 1), torch.tensor([0, 0]))


def test_the_term_passes_its_options_on():
    logits, emotion, weights = torch.eye(3), torch.tensor([2, 0, 1]), torch.tensor([1.0, 2.0, 3.0])
    weighed = CrossEntropy(balance=True, smoothing=0.2)(logits, Labels(emotion, class_weights=weights))
    assert weighed == cross_entropy(logits, emotion, weights=weights, smoothing=0.2)
    assert CrossEntropy()(logits, Labels(emotion, class_weights=weights)) == cross_entropy(logits, emotion)
    with pytest.raises(ValueError, match="`labels` must hold `class_weights`"):
        CrossEntropy(balance=True)(logits, Labels(emotion))
