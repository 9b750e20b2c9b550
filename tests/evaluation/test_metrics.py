"""Metrics against sklearn, scipy and samples whose rows are literally repeated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as reference

from xlser.evaluation import metrics

CLASSES = ["anger", "joy", "neutral", "sadness"]
CORRELATIONS = [metrics.pearson, metrics.spearman, metrics.ccc]
labels = st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)), min_size=1, max_size=30)
# Whole numbers: many ties, and no hair-thin variance on which two correct formulas may differ.
pairs = st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5), st.integers(0, 3)), min_size=1, max_size=25)


def slow_ccc(truth, prediction):
    pair = np.stack([truth, prediction]).astype(np.longdouble)
    mean = pair.sum(1) / pair.shape[1]
    about = pair - mean[:, None]
    cov = (about[:, None] * about[None]).sum(-1) / pair.shape[1]
    return float(2 * cov[0, 1] / (cov[0, 0] + cov[1, 1] + (mean[0] - mean[1]) ** 2))


SLOW = {
    metrics.pearson: lambda x, y: stats.pearsonr(x, y).statistic,
    metrics.spearman: lambda x, y: stats.spearmanr(x, y).statistic,
    metrics.ccc: slow_ccc,
}


def slow(metric, truth, prediction):
    if len(set(truth)) < 2 or len(set(prediction)) < 2:
        return np.nan
    return SLOW[metric](np.asarray(truth), np.asarray(prediction))


@given(labels)
def test_accuracies_agree_with_sklearn_whatever_class_is_missing(rows):
    truth, prediction = zip(*rows, strict=True)
    matrix = metrics.confusion(truth, prediction, CLASSES)
    recall = [np.mean([p == c for t, p in rows if t == c]) for c in sorted(set(truth))]
    assert matrix.dtype == np.int64
    assert (matrix == reference.confusion_matrix(truth, prediction, labels=CLASSES)).all()
    assert metrics.weighted_accuracy(matrix) == pytest.approx(reference.accuracy_score(truth, prediction), abs=1e-12)
    assert metrics.unweighted_accuracy(matrix) == pytest.approx(np.mean(recall), abs=1e-12)
    assert metrics.macro_f1(matrix) == pytest.approx(reference.f1_score(truth, prediction, average="macro"), abs=1e-12)


def test_a_class_missing_in_the_truth_takes_no_part_in_ua_but_counts_against_f1():
    matrix = metrics.confusion(["a", "a", "b"], ["a", "c", "b"], ["a", "b", "c", "d"])
    assert metrics.unweighted_accuracy(matrix) == pytest.approx(0.75, abs=1e-12)
    assert metrics.macro_f1(matrix) == pytest.approx((2 / 3 + 1 + 0) / 3, abs=1e-12)


def test_a_class_missing_in_the_prediction_has_recall_and_f1_of_zero():
    matrix = metrics.confusion(["a", "b"], ["a", "a"], ["a", "b"])
    assert metrics.unweighted_accuracy(matrix) == pytest.approx(0.5, abs=1e-12)
    assert metrics.macro_f1(matrix) == pytest.approx(1 / 3, abs=1e-12)


@pytest.mark.parametrize("metric", [metrics.weighted_accuracy, metrics.unweighted_accuracy, metrics.macro_f1])
def test_accuracies_take_leading_dimensions_and_give_nan_without_rows(metric):
    batch = np.random.default_rng(0).integers(0, 9, (2, 3, 4, 4))
    batch[0, 1] = 0
    found = metric(batch)
    assert found.shape == (2, 3)
    assert np.isnan(found[0, 1])
    assert found[1, 2] == metric(batch[1, 2])
    assert np.isnan(metric(metrics.confusion([], [], ["a", "b"])))


def test_an_unknown_label_is_named():
    with pytest.raises(ValueError, match=r"`prediction` must be among the classes \['a', 'b'\], but holds 'z'"):
        metrics.confusion(["a", "b"], ["a", "z"], ["a", "b"])
    with pytest.raises(ValueError, match=r"`truth`.*'None'"):
        metrics.confusion([None], ["a"], ["a"])
    with pytest.raises(ValueError, match="'a'"):
        metrics.confusion(["a"], ["a"], [])


def test_classes_listed_twice_and_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="`classes` must be distinct"):
        metrics.confusion(["a"], ["a"], ["a", "a"])
    with pytest.raises(ValueError, match="`prediction` must have the shape"):
        metrics.confusion(["a", "b"], ["a"], ["a", "b"])


@given(labels)
def test_chance_is_what_always_answering_the_majority_scores(rows):
    truth = [row[0] for row in rows]
    majority = max(CLASSES, key=truth.count)
    matrix = metrics.confusion(truth, [majority] * len(truth), CLASSES)
    for counts in (matrix, matrix.sum(1)):
        found = metrics.chance(counts)
        assert found["majority_wa"] == pytest.approx(truth.count(majority) / len(truth), abs=1e-12)
        assert found["majority_ua"] == pytest.approx(1 / len(set(truth)), abs=1e-12)
        assert found["majority_f1"] == pytest.approx(metrics.macro_f1(matrix), abs=1e-12)
        assert found["uniform_ua"] == 0.25


def test_chance_without_rows_is_nan_and_without_classes_an_error():
    assert np.isnan(metrics.chance([0, 0])["majority_ua"])
    with pytest.raises(ValueError, match="`counts`"):
        metrics.chance([])


@pytest.mark.parametrize("metric", CORRELATIONS)
@settings(max_examples=60, deadline=None)
@given(rows=pairs)
def test_whole_weights_are_rows_repeated(metric, rows):
    x, y, weights = (np.array(column) for column in zip(*rows, strict=True))
    repeated = slow(metric, np.repeat(x, weights), np.repeat(y, weights))
    assert metric(x, y, weights) == pytest.approx(repeated, abs=1e-10, nan_ok=True)
    draws = metric(x, y, np.stack([np.ones_like(weights), weights]))
    assert draws == pytest.approx([slow(metric, x, y), repeated], abs=1e-10, nan_ok=True)


@pytest.mark.parametrize("metric", CORRELATIONS)
def test_group_weights_are_the_weights_of_their_rows(metric):
    rng = np.random.default_rng(1)
    groups, weights = rng.integers(0, 6, 80), rng.random((7, 8))  # two groups without rows
    x, y = rng.normal(size=(2, 80)) + groups
    assert metric(x, y, weights, groups) == pytest.approx(metric(x, y, weights[:, groups]), abs=1e-12)


@pytest.mark.parametrize("metric", CORRELATIONS)
@pytest.mark.parametrize("offset", [0.0, 1e6, -1e6])
def test_five_rows_far_from_zero_keep_their_digits(metric, offset):
    # Dyadic steps: the shifted numbers are exact, so that any loss is the formula's own.
    x = np.array([0.25, 1.5, 1.5, 3.0, 4.125]) + offset
    y = np.array([1.0, 0.5, 2.75, 2.5, 5.0]) + offset
    expected = slow(metric, x - offset, y - offset)
    assert metric(x, y) == pytest.approx(expected, abs=1e-12)
    assert metric(x, y, np.ones((3, 5))) == pytest.approx(expected, abs=1e-12)


def test_a_shifted_prediction_costs_ccc_but_not_the_correlations():
    x = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert metrics.pearson(x, x + 2) == pytest.approx(1.0, abs=1e-12)
    assert metrics.spearman(x, x + 2) == pytest.approx(1.0, abs=1e-12)
    assert metrics.ccc(x, x + 2) == pytest.approx(2 * 2 / (2 + 2 + 4), abs=1e-12)
    assert metrics.ccc(x, x + 1e6) == pytest.approx(slow_ccc(x, x + 1e6), rel=1e-9)


@pytest.mark.parametrize("metric", CORRELATIONS)
@pytest.mark.parametrize(
    ("truth", "prediction"),
    [
        ([], []),
        ([1.0], [2.0]),
        ([0.1, 0.1, 0.1], [1.0, 2.0, 3.0]),
        ([1.0, 2.0, 3.0], [0.1, 0.1, 0.1]),
        ([0.1] * 3, [0.1] * 3),
        ([np.nan, 1.0, np.nan], [1.0, 2.0, 3.0]),
    ],
)
def test_too_few_rows_or_a_constant_give_nan(metric, truth, prediction):
    assert np.isnan(metric(truth, prediction))
    assert np.isnan(metric(truth, prediction, np.full((2, len(truth)), 0.3))).all()


@pytest.mark.parametrize("metric", CORRELATIONS)
def test_a_draw_left_with_a_constant_gives_nan_and_its_neighbours_do_not(metric):
    found = metric([0.1, 0.1, 0.7], [1.0, 2.0, 4.0], [[1, 1, 1], [3, 1, 0], [0, 0, 0]])
    assert np.isnan(found).tolist() == [False, True, True]


@pytest.mark.parametrize("metric", CORRELATIONS)
def test_rows_without_a_rating_are_left_out(metric):
    x, y = np.array([1.0, np.nan, 2.0, 5.0, 3.0]), np.array([2.0, np.nan, 1.0, 4.0, 4.5])
    weights = np.array([1, 7, 2, 1, 3])
    rated = ~np.isnan(x)
    assert metric(x, y, weights) == pytest.approx(metric(x[rated], y[rated], weights[rated]), abs=1e-14)


@pytest.mark.parametrize("metric", CORRELATIONS)
def test_bad_arguments_are_named(metric):
    x = [1.0, 2.0, 3.0]
    for arguments, message in [
        ((x, [1.0, 2.0]), "`prediction` must have the shape"),
        ((x, [1.0, np.nan, 2.0]), "`prediction` must be finite, but holds nan"),
        (([1.0, np.inf, 2.0], x), "`truth` must be finite, but holds inf"),
        ((x, x, [1, -1, 1]), "`weights` must be finite and not negative, but hold .-1"),
        ((x, x, [1, np.nan, 1]), "`weights` must be finite and not negative"),
        ((x, x, [1, 1, 1, 1]), "`weights` must have a column"),
        ((x, x, [1, 1], [0, 1, 2]), "`weights` must have a column"),
        ((x, x, [1, 1], [0, 1]), "`groups` must be of shape"),
        ((x, x, [1, 1]), "`weights` must have a column"),
    ]:
        with pytest.raises(ValueError, match=message):
            metric(*arguments)


@pytest.mark.parametrize("metric", CORRELATIONS)
def test_blocks_of_draws_do_not_change_the_answer(metric, monkeypatch):
    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 9, (2, 50))
    weights = rng.integers(0, 3, (33, 50))
    whole = metric(x, y, weights)
    monkeypatch.setattr(metrics, "_BLOCK_CELLS", 200)
    assert metric(x, y, weights) == pytest.approx(whole, abs=1e-12)
