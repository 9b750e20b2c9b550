"""The speaker bootstrap against samples put together row by row."""

import numpy as np
import pytest
from scipy import stats

from xlser.evaluation import metrics
from xlser.evaluation.bootstrap import SpeakerBootstrap, interval

CLASSES = ["a", "b", "c"]


@pytest.fixture
def sample():
    rng = np.random.default_rng(0)
    speakers = rng.choice([f"s{n}" for n in range(7)], 120)
    truth, prediction = rng.choice(CLASSES, (2, 120))
    rating = rng.integers(1, 6, 120).astype(float)
    rating[::11] = np.nan
    return speakers, truth, prediction, rating, np.nan_to_num(rating) + rng.normal(size=120).round(1)


def resampled(bootstrap, speakers, rows):
    """The rows of each draw, speaker by speaker, as often as the speaker was drawn."""
    for weights in bootstrap.weights:
        drawn = [np.flatnonzero((speakers == name) & rows) for name in np.repeat(bootstrap.speakers, weights)]
        yield np.concatenate(drawn)


@pytest.mark.parametrize("masked", [False, True])
def test_every_draw_is_the_sample_put_together_speaker_by_speaker(sample, masked):
    speakers, truth, prediction, rating, guess = sample
    rows = np.isin(speakers, ["s1", "s4", "s5"]) if masked else np.ones(120, dtype=bool)
    bootstrap = SpeakerBootstrap(speakers, draws=60, seed=3)
    matrices = bootstrap.confusions(truth, prediction, CLASSES, rows)
    found = {name: getattr(bootstrap, name)(rating, guess, rows) for name in ("pearson", "spearman", "ccc")}
    assert matrices.dtype == np.int64
    for draw, taken in enumerate(resampled(bootstrap, speakers, rows)):
        assert (matrices[draw] == metrics.confusion(truth[taken], prediction[taken], CLASSES)).all()
        rated = taken[~np.isnan(rating[taken])]
        x, y = rating[rated], guess[rated]
        expected = {
            "pearson": stats.pearsonr(x, y).statistic if len(x) else np.nan,
            "spearman": stats.spearmanr(x, y).statistic if len(x) else np.nan,
            "ccc": 2 * np.cov(x, y, ddof=0)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
            if len(x)
            else np.nan,
        }
        for name, value in expected.items():
            assert found[name][draw] == pytest.approx(value, abs=1e-10, nan_ok=True), (name, draw)


def test_draw_zero_is_the_sample_itself(sample):
    speakers, truth, prediction, rating, guess = sample
    bootstrap = SpeakerBootstrap(speakers, draws=4)
    assert (bootstrap.weights[0] == 1).all()
    assert (bootstrap.weights.sum(1) == 7).all()
    assert (bootstrap.confusions(truth, prediction, CLASSES)[0] == metrics.confusion(truth, prediction, CLASSES)).all()
    assert bootstrap.ccc(rating, guess)[0] == pytest.approx(metrics.ccc(rating, guess), abs=1e-12)


def test_the_draws_do_not_depend_on_the_order_of_the_rows(sample):
    speakers, truth, prediction, *_ = sample
    order = np.random.default_rng(1).permutation(120)
    one = SpeakerBootstrap(speakers, seed=5).confusions(truth, prediction, CLASSES)
    other = SpeakerBootstrap(speakers[order], seed=5).confusions(truth[order], prediction[order], CLASSES)
    assert (one == other).all()
    assert (SpeakerBootstrap(speakers, seed=6).confusions(truth, prediction, CLASSES) != one).any()


def test_an_offset_shared_by_all_ratings_changes_nothing(sample):
    speakers, *_, guess = sample
    rating = np.random.default_rng(2).integers(1, 6, 120).astype(float)
    guess = np.round(guess * 8) / 8
    bootstrap = SpeakerBootstrap(speakers, draws=50)
    for name in ("pearson", "spearman", "ccc"):
        score = getattr(bootstrap, name)
        assert score(rating + 1e6, guess + 1e6) == pytest.approx(score(rating, guess), abs=1e-10)


def test_speakers_far_apart_do_not_eat_the_digits_of_a_draw_with_one_of_them():
    speakers = ["low"] * 4 + ["high"] * 4
    x = np.array([1.0, 2.0, 3.0, 5.0] * 2) + np.repeat([0, 2.0**20], 4)
    y = np.array([2.0, 1.0, 4.0, 4.0] * 2) + np.repeat([0, 2.0**20], 4)
    bootstrap = SpeakerBootstrap(speakers, draws=20, seed=1)
    alone = (bootstrap.weights == 2).any(1)
    assert alone.any()
    assert bootstrap.pearson(x, y)[alone] == pytest.approx(stats.pearsonr(x[:4], y[:4]).statistic, abs=1e-10)


def test_a_single_speaker_has_a_point_estimate_and_no_interval():
    truth, prediction = ["a", "b", "a", "b"], ["a", "b", "b", "b"]
    bootstrap = SpeakerBootstrap(["anna"] * 4, draws=30)
    scores = metrics.unweighted_accuracy(bootstrap.confusions(truth, prediction, CLASSES))
    correlations = bootstrap.spearman([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 4.0])
    assert scores[0] == 0.75
    assert correlations[0] == pytest.approx(0.8, abs=1e-12)
    assert np.isnan(interval(scores)).all()
    assert np.isnan(interval(correlations)).all()


def test_a_fold_of_a_single_speaker_has_no_interval_either():
    bootstrap = SpeakerBootstrap(["anna", "anna", "ben", "ben"], draws=30)
    rows = [True, True, False, False]
    scores = metrics.weighted_accuracy(bootstrap.confusions(list("abab"), list("aaaa"), CLASSES, rows))
    assert scores[0] == 0.5
    assert np.isnan(interval(scores)).all()


def test_a_perfect_score_over_many_speakers_keeps_its_interval():
    labels = list("abab")
    bootstrap = SpeakerBootstrap(["s1", "s1", "s2", "s2"], draws=30)
    scores = metrics.unweighted_accuracy(bootstrap.confusions(labels, labels, CLASSES))
    assert interval(scores) == (1.0, 1.0)


def test_interval_is_the_percentiles_of_the_finite_draws():
    draws = np.random.default_rng(0).normal(size=400)
    draws[:150] = np.nan
    assert interval([99.0, *draws], 0.9) == pytest.approx(np.nanpercentile(draws, [5, 95]), abs=1e-12)
    draws[:201] = np.nan
    assert np.isnan(interval([99.0, *draws])).all()
    assert np.isnan(interval([1.0])).all()


def test_bad_arguments_are_named():
    bootstrap = SpeakerBootstrap(["anna", "ben"], draws=3)
    for call, message in [
        (lambda: SpeakerBootstrap([]), "`speakers` must have at least one row"),
        (lambda: SpeakerBootstrap(["anna"], draws=0), "`draws` must be at least 1, but is 0"),
        (lambda: bootstrap.confusions(["a"], ["a"], CLASSES), "`truth` must have a row per speaker"),
        (lambda: bootstrap.confusions(["a", "a"], ["a", "z"], CLASSES), "`prediction` must be among.*'z'"),
        (lambda: bootstrap.pearson([1.0, 2.0], [1.0]), "`prediction` must have a row per speaker"),
        (lambda: bootstrap.ccc([1.0, 2.0], [1.0, 2.0], rows=[0, 1]), "`rows` must be a boolean mask"),
        (lambda: interval([1.0, 2.0], level=95), "`level` must be between 0 and 1, but is 95"),
        (lambda: interval([[1.0, 2.0]]), "`samples` must be one-dimensional"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


def test_speakers_as_units_cover_the_truth_where_utterances_do_not():
    rng = np.random.default_rng(0)
    speakers, trials = np.repeat(np.arange(20), 25), 300
    covered = {"speaker": 0, "utterance": 0}
    # The draws do not depend on the labels, so one object serves every trial.
    units = {"speaker": SpeakerBootstrap(speakers, 200), "utterance": SpeakerBootstrap(np.arange(500), 200)}
    for _ in range(trials):
        skill = rng.beta(2, 2, 20)  # mean 0.5: how often the model is right about a speaker
        truth = rng.choice(["a", "b"], 500)
        right = rng.random(500) < skill[speakers]
        prediction = np.where(right, truth, np.where(truth == "a", "b", "a"))
        for name, bootstrap in units.items():
            scores = metrics.unweighted_accuracy(bootstrap.confusions(truth, prediction, ["a", "b"]))
            low, high = interval(scores)
            covered[name] += low <= 0.5 <= high
    assert covered["speaker"] / trials > 0.85
    assert covered["utterance"] / trials < 0.75
