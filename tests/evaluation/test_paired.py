"""Swapping two recipes' predictions speaker by speaker, against loops over every swap and against scipy."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from xlser.evaluation.paired import EXACT_SPEAKERS, flip_test, holm, paired_test

p_lists = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@pytest.fixture
def clips():
    rng = np.random.default_rng(0)
    speakers = rng.choice([f"s{n}" for n in range(7)], 90, p=[0.4, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05])
    truth = rng.choice(["a", "b", "c"], 90, p=[0.7, 0.2, 0.1])
    return rng.random(90) < 0.7, rng.random(90) < 0.5, speakers, truth


def recall(correct, truth):
    return np.mean([correct[truth == name].mean() for name in sorted(set(truth))])


def slow_test(a, b, speakers, truth):
    """Swap the predictions of every subset of speakers and score both recipes anew."""
    names, sizes = np.unique(speakers), []
    for swapped in product([False, True], repeat=len(names)):
        swap = np.isin(speakers, names[list(swapped)])
        sizes.append(abs(recall(np.where(swap, b, a), truth) - recall(np.where(swap, a, b), truth)))
    return np.mean(np.array(sizes) >= sizes[0] - 1e-12)


@pytest.mark.parametrize("unweighted", [True, False])
def test_p_is_the_share_of_all_swaps_that_differ_as_much(clips, unweighted):
    a, b, speakers, truth = clips
    classes = truth if unweighted else np.full(90, "x")
    row = paired_test(a, b, speakers, truth if unweighted else None)
    assert row["difference"] == pytest.approx(recall(a, classes) - recall(b, classes), abs=1e-12)
    assert row["p"] == pytest.approx(slow_test(a, b, speakers, classes), abs=1e-12)
    assert (row["speakers"], row["clips"], row["exact"]) == (7, 90, True)


def test_the_sides_may_be_changed_and_the_rows_reordered(clips):
    a, b, speakers, truth = clips
    order = np.random.default_rng(1).permutation(90)
    one = paired_test(a, b, speakers, truth)
    other = paired_test(b[order], a[order], speakers[order], truth[order])
    assert other["difference"] == pytest.approx(-one["difference"], abs=1e-12)
    assert other["p"] == one["p"]


def test_exact_p_is_that_of_scipy_with_ties_between_sums():
    parts = np.array([3.0, 1.0, -1.0, 2.0, 2.0, -3.0, 1.0, 0.0, 5.0]) / 7
    reference = stats.permutation_test(
        (parts, np.zeros(9)), lambda x, y: (x - y).sum(), permutation_type="samples", n_resamples=np.inf
    )
    assert flip_test(parts)[0] == pytest.approx(reference.pvalue, abs=1e-12)


def test_drawn_p_is_close_to_the_exact_one_and_never_zero():
    parts = np.random.default_rng(3).normal(0.4, 1, EXACT_SPEAKERS + 2)
    signs = np.array(list(product([-1, 1], repeat=len(parts))))
    expected = np.mean(np.abs(signs @ parts) >= abs(parts.sum()) - 1e-12)
    found, exact = flip_test(parts, draws=20_000, seed=1)
    assert not exact
    assert found == pytest.approx(expected, abs=0.012)
    assert flip_test(parts, draws=500, seed=2) == flip_test(parts, draws=500, seed=2)
    assert flip_test(np.ones(60), draws=999)[0] == 1 / 1000


def test_seeds_count_by_their_mean_and_folds_by_who_judges_the_clip(clips):
    a, b, speakers, truth = clips
    seeds = np.random.default_rng(5).random((4, 90)) < 0.6
    row = paired_test(seeds, b, speakers, truth)
    expected = np.mean([recall(seed, truth) for seed in seeds]) - recall(b, truth)
    assert row["difference"] == pytest.approx(expected, abs=1e-12)
    folds = np.where(np.arange(90) % 3 == np.arange(3)[:, None], a, np.nan)
    assert paired_test(folds, b, speakers, truth) == pytest.approx(paired_test(a, b, speakers, truth))


def test_clips_that_neither_judges_are_left_out_and_a_clip_of_one_alone_is_refused(clips):
    a, b, speakers, truth = clips
    keep = np.arange(90) >= 20
    half, other = np.where(keep, a, np.nan), np.where(keep, b, np.nan)
    assert paired_test(half, other, speakers, truth) == pytest.approx(
        paired_test(a[keep], b[keep], speakers[keep], truth[keep])
    )
    with pytest.raises(ValueError, match="20 of 90 are judged by one alone"):
        paired_test(half, b, speakers, truth)


def test_equal_recipes_have_p_one_and_a_single_speaker_has_none(clips):
    a, _, speakers, truth = clips
    same = paired_test(a, a, speakers, truth)
    assert (same["difference"], same["p"], same["p_least"]) == (0, 1, 1)
    assert np.isnan(paired_test(a, ~a, np.full(90, "s"))["p"])
    assert np.isnan(paired_test([], [], [])["difference"])


@pytest.mark.parametrize("speakers", [2, 5, 6])
def test_no_p_is_below_what_so_many_speakers_can_reach(speakers):
    row = paired_test(np.ones(speakers), np.zeros(speakers), np.arange(speakers))
    assert row["p"] == row["p_least"] == 2.0 ** (1 - speakers)


def test_under_the_hypothesis_one_in_twenty_is_found_where_clips_as_units_find_many_more():
    rng = np.random.default_rng(6)
    trials, speakers, found = 400, np.repeat(np.arange(10), 20), np.zeros(2)
    for _ in range(trials):
        # Which of the two suits a voice differs from speaker to speaker, and neither is better on the whole.
        lean = rng.normal(0, 0.25, 10)[speakers]
        a, b = (rng.random(200) < 0.5 + np.clip(side * lean, -0.5, 0.5) for side in (1, -1))
        found += [paired_test(a, b, unit, draws=400)["p"] <= 0.05 for unit in (speakers, np.arange(200))]
    assert found[0] / trials == pytest.approx(0.05, abs=0.025)
    assert found[1] / trials > 0.2


def slow_holm(p_values):
    """Step down: a hypothesis is rejected at the smallest level at which it and all smaller ones are."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


@settings(max_examples=60, deadline=None)
@given(p_lists)
def test_holm_is_the_step_down_and_leaves_nan_alone(p_values):
    assert holm(p_values) == pytest.approx(slow_holm(p_values), abs=1e-14)
    with_gap = holm([np.nan, *p_values])
    assert np.isnan(with_gap[0])
    assert with_gap[1:] == pytest.approx(slow_holm(p_values), abs=1e-14)


def test_bad_arguments_are_named():
    for call, message in [
        (lambda: paired_test([1, 0], [1], ["a", "b"]), "`correct_b` must have a row per clip"),
        (lambda: paired_test([1, 0], [1, 0], ["a"]), "`speakers` must have a row per clip"),
        (lambda: paired_test([2, 0], [1, 0], ["a", "b"]), "`correct_a` must be"),
        (lambda: flip_test([1.0, np.nan]), "`contributions` must be"),
        (lambda: flip_test([1.0, 2.0], draws=0), "`draws` must be at least 1"),
        (lambda: holm([0.1, 1.2]), "`p_values` must be"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
