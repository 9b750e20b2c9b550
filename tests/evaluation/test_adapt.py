"""Adaptation against second ways to the same numbers, and what each must leave as it is."""

import numpy as np
import pytest
from scipy.linalg import fractional_matrix_power
from scipy.optimize import minimize
from scipy.stats import spearmanr
from sklearn.covariance import ledoit_wolf

from xlser.evaluation.adapt import by_speaker, coral, prior_correction, quantile


def rows(count, columns, seed, spread=1.0, offset=0.0):
    """Synthetic rows whose columns go together."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, columns)) @ rng.normal(size=(columns, columns)) * spread + offset


# --- coral


@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_after_coral_mean_and_covariance_are_the_sources(offset):
    source, target = rows(300, 5, 0), rows(60, 5, 1, spread=7.0, offset=offset)
    found = coral(source, target, shrinkage=0.0)
    assert found.mean(0) == pytest.approx(source.mean(0), abs=1e-6)
    assert np.cov(found.T) == pytest.approx(np.cov(source.T), abs=1e-6)


def test_coral_is_that_of_matrix_powers_and_of_ledoit_wolf():
    source, target = rows(300, 5, 0), rows(60, 5, 1, offset=3.0)
    covariances = [np.cov(part.T, ddof=1) for part in (source, target)]
    amounts = [ledoit_wolf(part)[1] for part in (source, target)]
    assert 0 < amounts[1] < 1
    for shrinkage in (None, 0.3, 1.0):
        used = amounts if shrinkage is None else [shrinkage] * 2
        shrunk = [(1 - s) * c + s * np.trace(c) / 5 * np.eye(5) for s, c in zip(used, covariances, strict=True)]
        power = fractional_matrix_power(shrunk[1], -0.5) @ fractional_matrix_power(shrunk[0], 0.5)
        assert coral(source, target, shrinkage) == pytest.approx(
            (target - target.mean(0)) @ power + source.mean(0), abs=1e-9
        )


def test_fully_shrunk_only_the_size_of_the_cloud_is_changed():
    source, target = rows(30, 4, 0), rows(50, 4, 1, offset=2.0)
    sizes = [np.sqrt(np.cov(part.T).trace()) for part in (source, target)]
    expected = (target - target.mean(0)) * sizes[0] / sizes[1] + source.mean(0)
    assert coral(source, target, 1.0) == pytest.approx(expected)


@pytest.mark.parametrize("shrinkage", [None, 0.0, 0.5])
@pytest.mark.parametrize("count", [8, 200])
def test_coral_leaves_the_source_as_it_is(count, shrinkage):
    source = rows(count, 12, 0, offset=4.0)
    assert coral(source, source, shrinkage) == pytest.approx(source, abs=1e-6)


@pytest.mark.parametrize("shrinkage", [None, 0.0])
def test_coral_of_fewer_rows_than_columns_is_finite_and_about_the_right_size(shrinkage):
    source, target = rows(400, 40, 0), rows(15, 40, 1, spread=50.0)
    found = coral(source, target, shrinkage)
    assert np.isfinite(found).all()
    assert found.mean(0) == pytest.approx(source.mean(0))
    assert 0.1 < found.var(0).sum() / source.var(0).sum() < 3
    assert np.linalg.matrix_rank(found - found.mean(0)) == 14


@pytest.mark.parametrize("shrinkage", [None, 0.0, 0.2])
def test_coral_of_what_does_not_vary(shrinkage):
    source, target = rows(50, 3, 0), rows(20, 3, 1)
    target[:, 1] = 9.0
    found = coral(source, target, shrinkage)
    assert np.isfinite(found).all()
    assert found.mean(0) == pytest.approx(source.mean(0))
    assert coral(source, np.full((4, 3), 7.0), shrinkage) == pytest.approx(np.tile(source.mean(0), (4, 1)))
    assert coral(np.full((4, 3), 7.0), target, shrinkage) == pytest.approx(np.full((20, 3), 7.0))


def test_coral_of_tiny_and_huge_numbers():
    source, target = rows(50, 3, 0), rows(20, 3, 1)
    expected = coral(source, target)
    for scale in (1e-90, 1e90):
        assert coral(source, target * scale) == pytest.approx(expected, rel=1e-6)
        assert coral(source * scale, target) == pytest.approx(expected * scale, rel=1e-6)


# --- quantile


def test_quantiles_are_those_of_numpy_at_the_middle_rank():
    source, target = rows(37, 3, 0), rows(20, 3, 1).round(1)
    found = quantile(source, target)
    for column in range(3):
        for row, value in enumerate(target[:, column]):
            below, same = (target[:, column] < value).sum(), (target[:, column] == value).sum()
            place = (below + (same - 1) / 2) / 19
            assert found[row, column] == pytest.approx(np.quantile(source[:, column], place))


def test_quantile_maps_are_monotone_and_reach_both_ends():
    source, target = rows(50, 4, 0), rows(31, 4, 1, spread=9.0, offset=5.0)
    found = quantile(source, target)
    for column in range(4):
        assert spearmanr(found[:, column], target[:, column]).statistic == pytest.approx(1.0)
    assert (found.min(0) == source.min(0)).all()
    assert (found.max(0) == source.max(0)).all()
    assert quantile(source, np.exp(target / 20)) == pytest.approx(found)  # ranks are all that is used


def test_quantiles_leave_the_source_as_it_is():
    source = rows(40, 3, 0)
    source[:, 1] = source[:, 1].round()  # with ties
    assert (quantile(source, source) == source).all()
    order = np.random.default_rng(0).permutation(40)
    assert (quantile(source[order], source) == source).all()


def test_quantiles_of_constant_columns():
    source, target = rows(41, 2, 0), rows(20, 2, 1)
    target[:, 0] = 3.0
    assert quantile(source, target)[:, 0] == pytest.approx(np.full(20, np.median(source[:, 0])))
    source[:, 1] = -2.0
    assert (quantile(source, target)[:, 1] == -2.0).all()


@pytest.mark.parametrize("adapt", [coral, quantile])
@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (np.ones((3, 2)), np.ones((1, 2)), r"`target` must be of two rows or more .* shape \(1, 2\)"),
        (np.ones((1, 2)), np.ones((3, 2)), "`source` must be of two rows or more"),
        (np.ones((3, 2)), np.ones((3, 1)), r"`target` must be .* shape \(3, 1\)"),
        (np.ones((3, 0)), np.ones((3, 0)), "`source` must be"),
        (np.ones(3), np.ones(3), "`source` must be"),
        (np.ones((3, 2)), np.full((3, 2), np.nan), "`target` must be finite, but holds nan"),
    ],
)
def test_rows_that_cannot_be_adapted_are_refused(adapt, source, target, message):
    with pytest.raises(ValueError, match=message):
        adapt(source, target)


@pytest.mark.parametrize("shrinkage", [-0.1, 1.1, np.nan])
def test_a_shrinkage_out_of_range_is_refused(shrinkage):
    with pytest.raises(ValueError, match="`shrinkage` must be between 0 and 1"):
        coral(np.eye(2), np.eye(2), shrinkage)


# --- by speaker


def test_each_speaker_gets_the_sources_mean_and_deviation_and_a_rare_one_the_corpuss():
    source, target = rows(80, 3, 0), rows(47, 3, 1, offset=4.0)
    speakers = ["anna"] * 20 + ["ben"] * 23 + ["rare"] * 4
    target[:20] *= 3.0
    found = by_speaker(source, target, speakers)
    for name in ("anna", "ben"):
        own = np.array([other == name for other in speakers])
        assert found[own].mean(0) == pytest.approx(source.mean(0), abs=1e-6)
        assert found[own].std(0) == pytest.approx(source.std(0), rel=1e-6)
    whole = (target[43:] - target.mean(0)) / target.std(0) * source.std(0) + source.mean(0)
    assert found[43:] == pytest.approx(whole, abs=1e-5)


def test_a_speaker_who_never_varies_stands_at_the_sources_mean():
    source = rows(30, 2, 0)
    assert by_speaker(source, np.ones((6, 2)), ["anna"] * 6) == pytest.approx(np.tile(source.mean(0), (6, 1)))


def test_every_row_needs_a_speaker():
    with pytest.raises(ValueError, match="`speakers` must be one for each of 6 rows, but are 5 instead"):
        by_speaker(np.ones((3, 2)), np.ones((6, 2)), ["anna"] * 5)


# --- prior


def calibrated(prior, under, count, seed):
    """Synthetic rows of Gaussian classes, drawn by ``prior``, and their exact posteriors as seen ``under`` another."""
    rng = np.random.default_rng(seed)
    codes = rng.choice(len(prior), size=count, p=prior)
    x = rng.normal(size=count) + 2.0 * codes
    weighed = np.exp(-((x[:, None] - 2.0 * np.arange(len(prior))) ** 2) / 2) * under
    return weighed / weighed.sum(1, keepdims=True), codes


def log_likelihood(model, prior, before):
    return np.log((model * (prior / before)).sum(1)).sum()


@pytest.mark.parametrize("shifted", [(0.7, 0.2, 0.1), (0.05, 0.05, 0.9), (0.2, 0.5, 0.3)])
def test_a_shifted_prior_is_found_and_the_posteriors_are_those_under_it(shifted):
    before = np.array([0.2, 0.5, 0.3])
    model, codes = calibrated(np.array(shifted), before, 5_000, 0)
    found, prior = prior_correction(model, before)
    assert prior == pytest.approx(np.bincount(codes) / len(codes), abs=0.03)
    exact = calibrated(np.array(shifted), np.array(shifted), 5_000, 0)[0]
    assert found == pytest.approx(exact, abs=0.08)
    assert found.sum(1) == pytest.approx(np.ones(5_000))
    assert (found.argmax(1) == codes).mean() >= (model.argmax(1) == codes).mean() - 5e-3


def test_the_prior_is_the_most_likely_one():
    before = np.array([0.3, 0.3, 0.4])
    model, _ = calibrated(np.array([0.6, 0.3, 0.1]), before, 200, 1)

    def loss(logits):
        raised = np.exp(np.append(logits, 0.0))
        return -log_likelihood(model, raised / raised.sum(), before)

    best = np.exp(np.append(minimize(loss, np.zeros(2), tol=1e-12).x, 0.0))
    assert prior_correction(model, before)[1] == pytest.approx(best / best.sum(), abs=1e-4)


def test_each_step_is_more_likely_and_is_that_of_a_loop():
    before = np.array([0.3, 0.3, 0.4])
    model, _ = calibrated(np.array([0.6, 0.3, 0.1]), before, 50, 2)
    prior, steps = before.tolist(), [log_likelihood(model, before, before)]
    for count in range(1, 15):
        weighed = [[p * now / old for p, now, old in zip(row, prior, before, strict=True)] for row in model]
        prior = [sum(row[code] / sum(row) for row in weighed) / len(model) for code in range(3)]
        found = prior_correction(model, before, count)[1]
        assert found == pytest.approx(np.array(prior))
        steps.append(log_likelihood(model, found, before))
    assert (np.diff(steps) > 0).all()


def test_nothing_is_corrected_where_nothing_shifted():
    model, _ = calibrated(np.array([0.5, 0.5]), np.array([0.5, 0.5]), 100, 3)
    for before, iterations in ((model.mean(0), 1000), (np.array([0.9, 0.1]), 0)):
        found, prior = prior_correction(model, before, iterations)
        assert found == pytest.approx(model)
        assert prior == pytest.approx(before)


def test_priors_of_no_row_one_row_and_sure_rows():
    found, prior = prior_correction(np.empty((0, 2)), [0.25, 0.75])
    assert found.shape == (0, 2)
    assert prior.tolist() == [0.25, 0.75]
    assert prior_correction([[0.4, 0.6]], [0.5, 0.5])[1] == pytest.approx([0.0, 1.0], abs=1e-6)
    found, prior = prior_correction([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [0.9, 0.1])
    assert found.tolist() == [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    assert prior == pytest.approx([1 / 3, 2 / 3])


@pytest.mark.parametrize(
    ("probabilities", "prior", "iterations", "message"),
    [
        ([[0.5, 0.5]], [0.5, 0.6], 9, "`prior_source` must be above 0 and sum to 1"),
        ([[0.5, 0.5]], [0.0, 1.0], 9, "`prior_source` must be above 0"),
        ([[0.5, 0.5]], [np.nan, 1.0], 9, "`prior_source` must be above 0"),
        ([[0.5, 0.5]], [0.2, 0.2, 0.6], 9, r"of shape \(1, 3\)"),
        ([[0.5, 0.9]], [0.5, 0.5], 9, "sum to 1 in each row"),
        ([[0.5, 0.5]], [0.5, 0.5], -1, "`iterations` must be at least 0"),
    ],
)
def test_what_is_no_distribution_is_refused(probabilities, prior, iterations, message):
    with pytest.raises(ValueError, match=message):
        prior_correction(probabilities, prior, iterations)
