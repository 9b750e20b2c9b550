"""Calibration and abstention against sklearn and loops over the clips."""

from itertools import pairwise, permutations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import balanced_accuracy_score, brier_score_loss

from xlser.evaluation.calibration import abstention, aurc, brier, by_length, check_probabilities, ece, reliability


def softmax(logits):
    odds = np.exp(logits)
    return odds / odds.sum(1, keepdims=True)


@pytest.fixture
def judged():
    rng = np.random.default_rng(0)
    truth = rng.choice(4, 300, p=[0.6, 0.2, 0.15, 0.05])
    return softmax(2 * rng.normal(size=(300, 4)) + 2 * np.eye(4)[truth]), truth


@pytest.fixture
def tied():
    """Few distinct confidences, on the bins' edges, and whole ones."""
    rng = np.random.default_rng(1)
    share = rng.choice([0.6, 0.8, 1.0], 40)
    return np.stack([share, 1 - share], 1)[np.arange(40)[:, None], rng.permuted(np.tile([0, 1], (40, 1)), axis=1)], (
        rng.integers(0, 2, 40)
    )


def slow_ece(probabilities, truth, edges):
    error = 0.0
    for low, high in pairwise(edges):
        rows = [
            i for i, p in enumerate(probabilities) if low < max(p) <= high or (low == edges[0] and max(p) == edges[0])
        ]
        if rows:
            right = [float(np.argmax(probabilities[i]) == truth[i]) for i in rows]
            error += len(rows) * abs(np.mean(right) - np.mean([max(probabilities[i]) for i in rows]))
    return error / len(truth)


@pytest.mark.parametrize("bins", [1, 5, 15])
@pytest.mark.parametrize("sample", ["judged", "tied"])
def test_ece_is_that_of_the_loops(request, sample, bins):
    probabilities, truth = request.getfixturevalue(sample)
    assert ece(probabilities, truth, bins) == pytest.approx(
        slow_ece(probabilities, truth, np.linspace(0, 1, bins + 1)), abs=1e-12
    )
    edges = np.unique(np.quantile(probabilities.max(1), np.linspace(0, 1, bins + 1)))
    assert ece(probabilities, truth, bins, adaptive=True) == pytest.approx(
        slow_ece(probabilities, truth, edges), abs=1e-12
    )


@pytest.mark.parametrize(("adaptive", "strategy"), [(False, "uniform"), (True, "quantile")])
def test_reliability_is_sklearns_curve_of_being_right(judged, adaptive, strategy):
    probabilities, truth = judged
    rows = [row for row in reliability(probabilities, truth, 8, adaptive=adaptive) if row["count"]]
    right = probabilities.argmax(1) == truth
    accuracy, confidence = calibration_curve(right, probabilities.max(1), n_bins=8, strategy=strategy)
    assert [row["accuracy"] for row in rows] == pytest.approx(accuracy, abs=1e-12)
    assert [row["confidence"] for row in rows] == pytest.approx(confidence, abs=1e-12)
    assert sum(row["count"] for row in rows) == 300


def test_empty_bins_stay_and_adaptive_bins_do_not_part_equals(tied):
    rows = reliability(*tied, bins=10)
    assert [row["count"] > 0 for row in rows] == [False] * 5 + [True, False, True, False, True]
    assert np.isnan(rows[0]["accuracy"])
    order = np.random.default_rng(2).permutation(40)
    shuffled = reliability(tied[0][order], tied[1][order], bins=10, adaptive=True)
    rows = reliability(*tied, bins=10, adaptive=True)
    assert [row["count"] for row in rows] == [row["count"] for row in shuffled]
    assert reliability([[1.0, 0.0]] * 3, [0, 1, 0], adaptive=True)[0]["count"] == 3


def test_what_is_calibrated_has_little_error_and_what_is_sharpened_has_more():
    rng = np.random.default_rng(3)
    probabilities = softmax(1.5 * rng.normal(size=(20_000, 4)))
    truth = (rng.random((20_000, 1)) > np.cumsum(probabilities, 1)).sum(1).clip(max=3)
    sharp = probabilities**3 / (probabilities**3).sum(1, keepdims=True)
    assert ece(probabilities, truth) < 0.015
    assert ece(sharp, truth) > 0.15
    assert brier(sharp, truth) > brier(probabilities, truth)


def test_brier_is_sklearns(judged):
    probabilities, truth = judged
    assert brier(probabilities, truth) == pytest.approx(
        brier_score_loss(truth, probabilities, labels=range(4), scale_by_half=False), abs=1e-12
    )
    assert brier(np.full((9, 4), 0.25), np.arange(9) % 4) == pytest.approx(0.75)


@pytest.mark.parametrize("sample", ["judged", "tied"])
def test_abstention_is_the_score_of_what_is_kept(request, sample):
    probabilities, truth = request.getfixturevalue(sample)
    curve, confidence, guess = abstention(probabilities, truth), probabilities.max(1), probabilities.argmax(1)
    assert curve["threshold"].tolist() == sorted(set(confidence), reverse=True)
    for index, threshold in enumerate(curve["threshold"]):
        kept = confidence >= threshold
        assert curve["coverage"][index] == pytest.approx(kept.mean(), abs=1e-12)
        assert curve["WA"][index] == pytest.approx((guess == truth)[kept].mean(), abs=1e-12)
        recalls = [(guess == truth)[kept & (truth == code)].mean() for code in set(truth[kept])]
        assert curve["UA"][index] == pytest.approx(np.mean(recalls), abs=1e-12)
        assert curve["classes"][index] == len(recalls)
    assert curve["UA"][-1] == pytest.approx(balanced_accuracy_score(truth, guess), abs=1e-12)


def test_aurc_is_the_mean_error_of_the_most_confident(judged):
    probabilities, truth = judged
    wrong = (probabilities.argmax(1) != truth)[np.argsort(-probabilities.max(1))]
    assert aurc(probabilities, truth) == pytest.approx(np.mean([wrong[: k + 1].mean() for k in range(300)]), abs=1e-12)


def test_aurc_of_ties_is_the_mean_over_their_orders():
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.7, 0.3], [0.3, 0.7], [0.6, 0.4]])
    truth = np.array([0, 1, 0, 0, 1])
    wrong = (probabilities.argmax(1) != truth).astype(float)
    areas = [np.mean([wrong[[0, *middle, 4]][: k + 1].mean() for k in range(5)]) for middle in permutations([1, 2, 3])]
    assert aurc(probabilities, truth) == pytest.approx(np.mean(areas), abs=1e-12)


def test_by_length_parts_at_the_edges():
    durations, correct = np.array([0.0, 0.9, 1.0, 1.5, 2.0, 9.0]), np.array([1, 0, 1, 1, 0, 0.5])
    rows = by_length(durations, correct, [1.0, 2.0, 20.0], truth=[*"aababa"])
    assert [row["count"] for row in rows] == [2, 2, 2, 0]
    assert [row["WA"] for row in rows[:3]] == [0.5, 1.0, 0.25]
    assert [row["UA"] for row in rows[:3]] == [0.5, 1.0, 0.25]
    assert (rows[3]["low"], rows[3]["high"], rows[3]["classes"]) == (20, np.inf, 0)
    assert np.isnan([rows[3]["WA"], rows[3]["UA"]]).all()
    unequal = by_length([1.0, 1.0, 1.0], [1, 1, 0], [], truth=[*"aab"])
    assert (unequal[0]["WA"], unequal[0]["UA"]) == (pytest.approx(2 / 3), 0.5)


def test_no_clips_give_nan_and_no_points():
    nothing, codes = np.empty((0, 3)), np.empty(0, dtype=int)
    assert np.isnan([ece(nothing, codes), ece(nothing, codes, adaptive=True), brier(nothing, codes)]).all()
    assert np.isnan(aurc(nothing, codes))
    assert len(abstention(nothing, codes)["UA"]) == 0


def test_bad_arguments_are_named():
    fair = [[0.5, 0.5]]
    for call, message in [
        (lambda: check_probabilities([0.5, 0.5], [0]), "must be of shape"),
        (lambda: check_probabilities([[0.5, 0.6]], [0]), "must not be negative and sum to 1"),
        (lambda: check_probabilities([[1.5, -0.5]], [0]), "must not be negative and sum to 1"),
        (lambda: check_probabilities([[np.nan, 1]], [0]), "must not be negative and sum to 1"),
        (lambda: check_probabilities(fair, [2]), "`truth` must be"),
        (lambda: check_probabilities(fair, [-1]), "`truth` must be"),
        (lambda: check_probabilities(fair, [0.0]), "`truth` must be"),
        (lambda: check_probabilities(fair, [0, 1]), "`truth` must be"),
        (lambda: ece(fair, [0], bins=0), "`bins` must be at least 1"),
        (lambda: by_length([1.0], [1, 0], [1.0]), "must be of the shape of `durations`"),
        (lambda: by_length([np.nan], [1], [1.0]), "`durations` must be finite"),
        (lambda: by_length([1.0], [1], [2.0, 1.0]), "`edges` must ascend"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
