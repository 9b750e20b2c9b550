"""A 95 % interval holds the truth in 92 to 97 of 100 corpora if speakers are drawn, and in far fewer if clips are."""

import time

import numpy as np
import pytest
from scipy import stats

from xlser.evaluation import metrics
from xlser.evaluation.bootstrap import SpeakerBootstrap, interval

CLASSES, CLIPS, DRAWS, CORPORA = [*"anhs"], 20, 1000, 400
EASE = np.array([1.5, 0.5, 0.0, -0.5])  # log odds of a right answer, class by class
VOICE, FIT = 1.2, 0.7  # deviation of log odds over speakers, and over classes of one speaker


def expected_ua():
    """The UA of an endless corpus: the mean over speakers of the chance to be right, by quadrature."""
    points, weights = np.polynomial.hermite_e.hermegauss(80)
    odds = EASE[:, None] + np.hypot(VOICE, FIT) * points
    return float((1 / (1 + np.exp(-odds)) @ weights / weights.sum()).mean())


def corpora(rng, sizes):
    """Yield true classes and predictions of synthetic corpora, one speaker a size."""
    speakers = np.repeat(np.arange(len(sizes)), sizes)
    for _ in range(CORPORA):
        truth = rng.integers(0, 4, speakers.size)
        ease = EASE + VOICE * rng.normal(size=(len(sizes), 1)) + FIT * rng.normal(size=(len(sizes), 4))
        right = rng.random(speakers.size) < 1 / (1 + np.exp(-ease[speakers, truth]))
        wrong = (truth + rng.integers(1, 4, speakers.size)) % 4
        yield truth, np.where(right, truth, wrong)


def covered(rng, sizes, units, widened=True):
    """Return the share of corpora whose interval holds the UA of an endless one; ``units`` names what is drawn."""
    inside, target, names = 0, expected_ua(), np.array(CLASSES)
    # The draws do not depend on the labels, so one object serves every corpus.
    bootstrap = SpeakerBootstrap(units(np.repeat(np.arange(len(sizes)), sizes)), DRAWS, seed=1)
    for truth, guess in corpora(rng, sizes):
        samples = metrics.unweighted_accuracy(bootstrap.confusions(names[truth], names[guess], CLASSES))
        low, high = interval(samples, speakers=bootstrap.effective() if widened else None)
        inside += low <= target <= high
    return inside / CORPORA


def speaker(speakers):
    return speakers


def clip(speakers):
    return np.arange(len(speakers))


@pytest.mark.parametrize("speakers", [8, 12, 27])
def test_the_nominal_interval_holds_the_truth(speakers):
    found = covered(np.random.default_rng(speakers), [CLIPS] * speakers, speaker)
    assert 0.92 <= found <= 0.97


def test_it_does_where_some_speakers_have_ten_times_the_clips_of_others():
    assert 0.92 <= covered(np.random.default_rng(1), [8] * 8 + [20] * 6 + [80] * 4, speaker) <= 0.97


@pytest.mark.parametrize("widened", [False, True])
def test_clips_as_units_promise_far_too_much(widened):
    assert covered(np.random.default_rng(2), [CLIPS] * 16, clip, widened) < 0.75


def test_plain_percentiles_fall_short_with_few_speakers():
    assert covered(np.random.default_rng(3), [CLIPS] * 8, speaker, widened=False) < 0.915


def test_for_a_mean_the_wide_interval_is_students():
    values = np.random.default_rng(4).normal(size=10)
    bootstrap = SpeakerBootstrap(np.arange(10), draws=40_000)
    found = interval(bootstrap.means(values), 0.9, bootstrap.effective())
    expected = stats.t(9, values.mean(), stats.sem(values)).interval(0.9)
    assert found == pytest.approx(expected, abs=0.06 * (expected[1] - expected[0]))


def test_many_speakers_need_no_widening_and_one_takes_the_extremes():
    draws = np.random.default_rng(5).normal(size=1001)
    assert interval(draws, speakers=1e7) == pytest.approx(interval(draws), abs=1e-3)
    assert interval(draws, speakers=1) == (draws[1:].min(), draws[1:].max())
    widths = [np.ptp(interval(draws, speakers=count)) for count in (2, 5, 10, 40)]
    assert widths == sorted(widths, reverse=True)


def test_effective_speakers_are_kishs():
    sizes = np.array([3, 1, 0, 6])
    names = np.repeat([*"abcd"], sizes)
    bootstrap = SpeakerBootstrap([*names, "c"], draws=3)
    assert bootstrap.effective(np.arange(11) < 10) == pytest.approx(100 / 46)
    assert bootstrap.effective(np.arange(11) < 3) == 1
    assert bootstrap.effective(np.zeros(11, dtype=bool)) == 0


def test_means_and_sums_are_those_of_speakers_put_together():
    rng = np.random.default_rng(6)
    who, values, rows = rng.integers(0, 6, 50), rng.normal(size=50), rng.random(50) < 0.7
    values[:5] = np.nan
    bootstrap = SpeakerBootstrap(who, draws=30)
    found, sums = bootstrap.means(values, rows), bootstrap.sums([np.arange(50.0), np.ones(50)], rows)
    for draw, weights in enumerate(bootstrap.weights):
        taken = np.concatenate([np.flatnonzero((who == name) & rows) for name in np.repeat(np.arange(6), weights)])
        assert found[draw] == pytest.approx(np.nanmean(values[taken]), abs=1e-12)
        assert sums[draw] == pytest.approx([taken.sum(), len(taken)])
    assert np.isnan(SpeakerBootstrap(["a"] * 4, draws=3).means(np.ones(4))[1:]).all()
    assert np.isnan(bootstrap.means(np.full(50, np.nan))).all()


def test_a_thousand_draws_of_ten_thousand_clips_take_less_than_a_second():
    rng = np.random.default_rng(7)
    who, truth, guess = rng.integers(0, 90, 10_000), *rng.choice(CLASSES, (2, 10_000))
    begin = time.process_time()
    bootstrap = SpeakerBootstrap(who, 1000)
    interval(metrics.unweighted_accuracy(bootstrap.confusions(truth, guess, CLASSES)), speakers=bootstrap.effective())
    assert time.process_time() - begin < 1
