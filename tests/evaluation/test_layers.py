"""The choice of a hidden state, and what it gives away, against numbers worked out by hand."""

import math

import numpy as np
import pytest

from xlser.evaluation.bootstrap import SpeakerBootstrap, interval
from xlser.evaluation.layers import State, choose_state, mean_samples, regret_of
from xlser.evaluation.transfer import View, class_rows, ua_samples

A, B, C = State(0, "mean"), State(1, "mean"), State(0, "mean+std")


def test_of_equals_the_first_is_chosen_and_the_unknown_is_worst():
    assert choose_state({A: math.nan, B: 0.4, C: 0.4}) == B
    assert choose_state({A: math.nan}) == A
    with pytest.raises(ValueError, match="at least one state"):
        choose_state({})


def test_a_regret_is_of_the_same_draws():
    chosen = np.random.default_rng(0).normal(0.5, 0.1, 101)
    best, regret = regret_of({A: chosen, B: chosen + 0.02, C: chosen - 0.1}, A, 0.95, 9.0)
    assert best == B
    assert tuple(regret) == pytest.approx((0.02, 0.02, 0.02))


def test_the_choice_is_its_own_oracle_where_none_is_better():
    same = np.full(11, 0.5)
    assert regret_of({A: same, B: same}, B, 0.95, 9.0) == (B, (0.0, 0.0, 0.0))
    assert regret_of({}, B, 0.95, 9.0) == (None, None)


def test_a_mean_over_targets_keeps_states_paired_and_not_targets():
    one = np.random.default_rng(0).normal(0.5, 0.1, 1001)
    mean = mean_samples([one, one])
    assert mean[0] == one[0]
    assert mean[1:].std() < 0.8 * one[1:].std()  # drawn alike it would be as wide as one
    np.testing.assert_allclose(mean_samples([one + 0.1, one]), mean + 0.05)


@pytest.mark.parametrize("disjoint", [True, False])
def test_samples_are_those_that_tables_sum_up(disjoint):
    rng = np.random.default_rng(1)
    truth = rng.choice(["a", "b", None], 60)
    draws = SpeakerBootstrap(rng.choice([*"stuvw"], 60), 50)
    places = [np.arange(60) % 2 == seed if disjoint else rng.random(60) < 0.7 for seed in range(2)]
    seeds = [(rows, rng.choice(["a", "b"], 60)) for rows in places]
    views = {"m": [View(rows, {"probe": said}) for rows, said in seeds]}
    row = class_rows(views, truth, ("a", "b"), draws, 0.95)[0][0]
    samples = ua_samples(seeds, truth, ("a", "b"), draws)
    assert (row["metric"], row["value"]) == ("UA", samples[0])
    assert (row["low"], row["high"]) == interval(samples, 0.95, row["effective"])
