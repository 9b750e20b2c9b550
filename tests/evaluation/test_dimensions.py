"""Corrections, p-values over speakers and partial correlations against scipy and the closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from xlser.evaluation.bootstrap import SpeakerBootstrap
from xlser.evaluation.dimensions import correlation_p, false_discovery, partial_correlation, stability


def speech(rng, speakers=12, each=20, link=0.0):
    """Return two columns with strong speaker effects of their own and a link within clips, and the speakers."""
    who = np.repeat(np.arange(speakers), each)
    common = link * rng.normal(size=who.size)
    x, y = (rng.normal(size=speakers)[who] + rng.normal(size=who.size) + common for _ in range(2))
    return x, y, who.astype(str)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_false_discovery_is_scipys_and_leaves_nan_alone(p_values):
    expected = stats.false_discovery_control(p_values)
    assert false_discovery(p_values) == pytest.approx(expected, abs=1e-14)
    assert false_discovery([*p_values, np.nan])[:-1] == pytest.approx(expected, abs=1e-14)
    assert np.isnan(false_discovery([np.nan, 0.5])[0])
    assert len(false_discovery([])) == 0


@pytest.mark.parametrize("statistic", ["Pearson", "Spearman"])
def test_p_is_scipys_sign_flipping_of_the_speakers_parts(statistic):
    x, y, who = speech(np.random.default_rng(0), speakers=9, link=0.5)
    y = np.round(y)  # ties
    one, other = (stats.rankdata(part) for part in (x, y)) if statistic == "Spearman" else (x, y)
    products = (one - one.mean()) * (other - other.mean())
    parts = np.array([products[who == name].sum() for name in np.unique(who)])
    reference = stats.permutation_test(
        (parts, np.zeros(9)), lambda a, b: (a - b).sum(), permutation_type="samples", n_resamples=np.inf
    )
    assert correlation_p(x, y, who, statistic=statistic) == pytest.approx(reference.pvalue, abs=1e-12)
    assert correlation_p(y + 1e6, -7 * x, who, statistic=statistic) == pytest.approx(reference.pvalue, abs=1e-12)


def test_without_a_correlation_few_are_found_where_clips_as_units_find_many():
    rng, trials, found = np.random.default_rng(1), 400, np.zeros(3)
    for _ in range(trials):
        x, y, who = speech(rng)
        found += [
            correlation_p(x, y, who) <= 0.05,
            correlation_p(x, np.exp(y), who, statistic="Spearman") <= 0.05,
            stats.pearsonr(x, y).pvalue <= 0.05,
        ]
    assert found[:2] / trials == pytest.approx(0.05, abs=0.03)
    assert found[2] / trials > 0.3


def test_a_correlation_within_speakers_is_found():
    rng = np.random.default_rng(2)
    found = [correlation_p(*speech(rng, speakers=20, link=1.0)) <= 0.05 for _ in range(40)]
    assert np.mean(found) > 0.9


def test_p_is_nan_where_nothing_is_defined_and_unrated_rows_are_left_out():
    x, y, who = speech(np.random.default_rng(3))
    assert np.isnan(correlation_p(np.ones(240), y, who))
    assert np.isnan(correlation_p(x, y, ["s"] * 240))
    assert np.isnan(correlation_p([], [], []))
    gaps = np.where(np.arange(240) % 5, x, np.nan)
    kept = ~np.isnan(gaps)
    assert correlation_p(gaps, y, who) == correlation_p(x[kept], y[kept], who[kept])


def by_residuals(x, y, covariates):
    """Regress both on the covariates, one least squares each, and correlate what is left."""
    design = np.column_stack([np.ones(len(x)), covariates])
    left = [part - design @ np.linalg.lstsq(design, part, rcond=None)[0] for part in (x, y)]
    return stats.pearsonr(*left).statistic


def by_precision(x, y, covariates):
    precision = np.linalg.inv(np.corrcoef(np.column_stack([x, y, covariates]).T))
    return -precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1])


@pytest.fixture
def confounded():
    rng = np.random.default_rng(4)
    covariates = np.column_stack([rng.normal(size=80), rng.integers(0, 2, 80), 40 + 5 * rng.normal(size=80)])
    x, y = (covariates @ [1.0, 2.0, 0.3] + rng.normal(size=80) for _ in range(2))
    return x, y, covariates


def test_partial_correlation_is_that_of_residuals_and_of_the_precision(confounded):
    x, y, covariates = confounded
    row = partial_correlation(x, y, covariates)
    assert row["value"] == pytest.approx(by_residuals(x, y, covariates), abs=1e-10)
    assert row["value"] == pytest.approx(by_precision(x, y, covariates), abs=1e-10)
    assert abs(row["value"]) < 0.3 < 0.6 < stats.pearsonr(x, y).statistic
    assert (row["rows"], row["covariates"]) == (80, 3)
    small = partial_correlation(x[:6], y[:6], covariates[:6])["value"]
    assert small == pytest.approx(by_residuals(x[:6], y[:6], covariates[:6]), abs=1e-8)


def test_offsets_units_and_a_covariate_told_twice_change_nothing(confounded):
    x, y, covariates = confounded
    expected = by_residuals(x, y, covariates)
    moved = np.column_stack([1e6 + 1e-3 * covariates, covariates.sum(1), covariates[:, 0]])
    assert partial_correlation(1e6 + x, -1e4 * y, moved)["value"] == pytest.approx(-expected, abs=1e-6)


def test_without_covariates_it_is_pearson_and_missing_or_constant_ones_are_dropped(confounded):
    x, y, covariates = confounded
    plain = partial_correlation(x, y, np.empty((80, 0)))["value"]
    assert plain == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-12)
    empty = np.column_stack([np.full(80, np.nan), covariates[:, 0], np.full(80, 0.1)])
    row = partial_correlation(x, y, empty)
    assert row["covariates"] == 1
    assert row["value"] == pytest.approx(by_residuals(x, y, covariates[:, :1]), abs=1e-10)


def test_rows_with_a_gap_are_left_out_whatever_column_it_is_in(confounded):
    x, y, covariates = (part.copy() for part in confounded)
    x[3], y[7], covariates[11, 1] = np.nan, np.nan, np.nan
    keep = ~np.isin(np.arange(80), [3, 7, 11])
    row = partial_correlation(x, y, covariates)
    assert row["rows"] == 77
    assert row["value"] == pytest.approx(by_residuals(x[keep], y[keep], covariates[keep]), abs=1e-10)


def test_draws_of_the_partial_correlation_are_those_of_speakers_put_together(confounded):
    x, y, covariates = confounded
    who = np.random.default_rng(5).integers(0, 6, 80)
    bootstrap = SpeakerBootstrap(who, draws=40, seed=1)
    low, high = (partial_correlation(x, y, covariates, bootstrap, 0.5)[name] for name in ("low", "high"))
    values = []
    for weights in bootstrap.weights[1:]:
        rows = np.concatenate([np.flatnonzero(who == name) for name in np.repeat(np.arange(6), weights)])
        values.append(by_residuals(x[rows], y[rows], covariates[rows]))
    tail = stats.norm.sf(stats.t.isf(0.25, bootstrap.effective() - 1) * np.sqrt(1 + 1 / (bootstrap.effective() - 1)))
    assert [low, high] == pytest.approx(np.quantile(values, [tail, 1 - tail]), abs=1e-8)


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_too_few_rows_have_no_partial_correlation(confounded, rows):
    x, y, covariates = (part[:rows] for part in confounded)
    assert np.isnan(partial_correlation(x, y, covariates)["value"])


def test_what_the_covariates_explain_wholly_leaves_nothing(confounded):
    x, y, covariates = confounded
    assert np.isnan(partial_correlation(covariates @ [1, 2, 3], y, covariates)["value"])
    assert np.isnan(partial_correlation(x, np.full(80, 0.1), covariates)["value"])


def test_stability_is_one_for_the_same_and_minus_one_for_the_opposite():
    draws = np.array([0.6, 0.5, 0.7])
    for target, value in [(draws, 1), (-draws, -1), (0 * draws, 0), (draws / 2, 0.5), (-2 * draws, -0.5)]:
        assert stability(draws, target)["value"] == pytest.approx(value)
        assert stability(target, draws)["value"] == pytest.approx(value)
    assert np.isnan(stability([0.0], [0.0])["value"])
    assert np.isnan(stability([np.nan, 0.1], [0.2, 0.1])["value"])
    assert stability([0.5, 0.4, 0.6, 0.5], [0.1, -0.1, 0.1, -0.2])["same_sign"] == pytest.approx(1 / 3)


def test_stability_does_not_pair_the_draws_of_different_speakers():
    rng = np.random.default_rng(6)
    source = np.append(0.5, 0.5 + 0.1 * rng.normal(size=2000))
    row = stability(source, source)  # as two bootstraps of one seed and size would give
    assert row["low"] < 0.65
    assert row["same_sign"] > 0.99


def test_bad_arguments_are_named():
    for call, message in [
        (lambda: correlation_p([1, 2], [1, 2], ["a"]), "must be of the shape of `truth`"),
        (lambda: correlation_p([1, 2], [1, np.nan], ["a", "b"]), "must be finite"),
        (lambda: correlation_p([1, 2], [1, 2], ["a", "b"], statistic="CCC"), "`statistic` must be"),
        (lambda: partial_correlation([1, 2], [1, 2], [1, 2]), "`covariates`"),
        (lambda: partial_correlation([1, np.inf], [1, 2], [[1], [2]]), "infinite"),
        (lambda: stability([0.1, 0.2], [0.1]), "`target` must have the shape"),
        (lambda: false_discovery([-0.1]), "`p_values` must be"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
