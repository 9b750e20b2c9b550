"""The class-cluster loss, against loops over rows and centroids."""

import math

import pytest
import torch

from xlser.losses import class_cluster


def by_hand(z, labels):
    rows = {c: [r for r, k in zip(z.tolist(), labels.tolist(), strict=True) if k == c] for c in labels.tolist()}
    centroids = {
        c: [sum(column) / len(members) for column in zip(*members, strict=True)] for c, members in rows.items()
    }
    within = [distance(r, centroids[c]) for c, members in rows.items() for r in members]
    between = [distance(centroids[a], centroids[b]) for a in centroids for b in centroids if a < b]
    return (sum(within) / len(within)) / (sum(between) / len(between))


def distance(a, b):
    return math.sqrt(sum((p - q) ** 2 for p, q in zip(a, b, strict=True)) + 1e-6)


@pytest.mark.parametrize("labels", [[0, 0, 1], [7, 0, 7, 0, 3], [2, 2, 2, 2, 2, 9]])
@pytest.mark.parametrize("dims", [1, 2, 10])
@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (100, 0), (1, 1000)])
def test_it_is_the_ratio_of_mean_distances(labels, dims, scale, shift):
    z = scale * torch.randn(len(labels), dims, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + shift
    labels = torch.tensor(labels)
    assert class_cluster(z, labels).item() == pytest.approx(by_hand(z, labels), rel=1e-9)


def test_gradients_are_those_of_finite_differences(ordinary):
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0])
    assert torch.autograd.gradcheck(lambda z: class_cluster(z, labels), (ordinary[0],))


def test_equal_embeddings_give_one_and_a_finite_gradient():
    z = torch.ones(4, 2, requires_grad=True)
    loss = class_cluster(z, torch.tensor([0, 0, 1, 1]))
    loss.backward()
    assert loss.item() == pytest.approx(1)
    assert torch.isfinite(z.grad).all()


def test_moving_classes_apart_lowers_it(ordinary):
    z, labels = ordinary[0].detach(), torch.tensor([0, 0, 0, 1, 1, 1, 1])
    assert class_cluster(z + 10 * labels[:, None], labels) < class_cluster(z, labels)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([4, 4, 4], "at least two classes, but holds only 4"),
        ([0, 1, 2], "a class with two rows, but all 3 rows differ"),
        ([0, -1, 0], "at least 0 .* but holds -1"),
        ([0.0, 1.0, 1.0], "must be integers, but is torch.float32"),
        ([True, False, True], "must be integers, but is torch.bool"),
        ([0, 1], r"must have shape \(3,\), but has \(2,\)"),
    ],
)
def test_labels_that_say_nothing_are_refused(labels, message):
    with pytest.raises(ValueError, match=f"`labels` .*{message}"):
        class_cluster(torch.arange(6.0).reshape(3, 2), torch.tensor(labels))
