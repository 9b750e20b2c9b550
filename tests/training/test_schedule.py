"""The learning rate over a run, and the epoch at which to stop."""

import itertools
import json
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xlser.training.schedule import EarlyStopping, rate

STEPS = 40


@pytest.mark.parametrize("warmup", [0.0, 0.25])
@pytest.mark.parametrize("decay", ["linear", "cosine", "constant"])
def test_it_is_what_torchs_schedulers_give(decay, warmup):
    rise = round(warmup * STEPS)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    after = {
        "linear": lambda: torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 1e-300, STEPS - rise),
        "cosine": lambda: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS - rise),
        "constant": lambda: torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0),
    }
    up = torch.optim.lr_scheduler.LinearLR(optimizer, 0.01, 1.0, max(1, rise))
    torchs = torch.optim.lr_scheduler.SequentialLR(optimizer, [up, after[decay]()], [rise]) if rise else after[decay]()
    if not rise:
        optimizer.param_groups[0]["lr"] = 1.0
    for step in range(STEPS):
        expected = optimizer.param_groups[0]["lr"]
        assert rate(step / STEPS, warmup=warmup, decay=decay) == pytest.approx(expected, rel=1e-6)
        optimizer.step()
        torchs.step()


@given(
    progress=st.floats(0, 1),
    warmup=st.floats(0, 1, exclude_max=True),
    decay=st.sampled_from(["linear", "cosine", "constant"]),
)
def test_it_stays_between_nought_and_one(progress, warmup, decay):
    assert 0 <= rate(progress, warmup=warmup, decay=decay) <= 1


@pytest.mark.parametrize("decay", ["linear", "cosine", "constant"])
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.99])
def test_the_first_step_learns_the_top_is_one_and_the_end_is_nought(decay, warmup):
    assert rate(0.0, warmup=warmup, decay=decay) == (0.01 if warmup else 1.0)
    assert rate(warmup, warmup=warmup, decay=decay) == 1.0
    assert rate(1.0, warmup=warmup, decay=decay) == (1.0 if decay == "constant" else 0.0)
    assert rate(0.0, warmup=0.5, decay=decay, first=0.3) == 0.3


def test_it_rises_and_then_falls():
    for decay in ("linear", "cosine"):
        curve = [rate(step / 100, warmup=0.2, decay=decay) for step in range(101)]
        assert all(a < b for a, b in itertools.pairwise(curve[:21]))
        assert all(a > b for a, b in itertools.pairwise(curve[20:]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"progress": 1.1}, r"`progress` must be in \[0, 1\], but is 1.1"),
        ({"progress": math.nan}, "`progress` must be"),
        ({"warmup": 1.0}, r"`warmup` must be in \[0, 1\), but is 1.0"),
        ({"warmup": -0.1}, "`warmup` must be"),
        ({"first": 0.0}, r"`first` must be in \(0, 1\], but is 0.0"),
        ({"decay": "square"}, "`decay` must be one of linear, cosine, constant, but is 'square'"),
    ],
)
def test_wrong_arguments_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        rate(**{"progress": 0.5, "warmup": 0.1, "decay": "linear"} | changes)


scores = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.3, math.nan]), st.sampled_from([-1.0, 0.0, 2.0])), max_size=12)


@given(scores=scores, patience=st.integers(1, 4))
def test_it_is_the_best_of_the_list_so_far(scores, patience):
    stopping = EarlyStopping(patience)
    for count in range(1, len(scores) + 1):
        before = [pair for pair in scores[: count - 1] if not math.isnan(pair[0])]
        score, tie = scores[count - 1]
        improved = not math.isnan(score) and all((score, tie) > pair for pair in before)
        assert stopping.update(score, tie) is improved
        # Slow and obvious: the position of the first best pair, or nowhere.
        finite = [(pair, -at) for at, pair in enumerate(scores[:count], 1) if not math.isnan(pair[0])]
        best_at = -max(finite)[1] if finite else 0
        assert stopping.over is (count - best_at >= patience)


@given(scores=scores, cut=st.integers(0, 12))
def test_a_state_that_went_through_json_goes_on_as_if_nothing_had_been(scores, cut):
    whole, first = EarlyStopping(3), EarlyStopping(3)
    told = [whole.update(*pair) for pair in scores]
    halves = [first.update(*pair) for pair in scores[:cut]]
    second = EarlyStopping(**json.loads(json.dumps(first.state(), allow_nan=False)))
    assert halves + [second.update(*pair) for pair in scores[cut:]] == told
    assert second == whole


def test_a_tie_breaker_that_is_not_finite_is_the_lowest_and_fits_json():
    stopping = EarlyStopping(2)
    assert stopping.update(0.5, math.nan)
    json.dumps(stopping.state(), allow_nan=False)
    assert not stopping.update(0.5, -math.inf)
    assert stopping.update(0.5, -1e300)


def test_scores_that_are_not_finite_never_improve():
    stopping = EarlyStopping(2)
    assert [stopping.update(score) for score in (math.nan, math.inf)] == [False, False]
    assert stopping.over
    assert stopping.score is None


def test_patience_must_be_at_least_one():
    with pytest.raises(ValueError, match="`patience` must be at least 1, but is 0"):
        EarlyStopping(0)
