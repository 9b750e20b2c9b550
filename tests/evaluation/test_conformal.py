"""Conformal sets keep their promise on exchangeable clips, and are seen to break it on others."""

import numpy as np
import pytest

from xlser.evaluation.bootstrap import SpeakerBootstrap
from xlser.evaluation.conformal import calibrate, coverage, label_sets

SCORES = ["lac", "aps"]


def softmax(logits):
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return odds / odds.sum(1, keepdims=True)


def clips(rng, rows, classes=5, signal=2.0):
    truth = rng.integers(0, classes, rows)
    return softmax(3 * (rng.normal(size=(rows, classes)) + signal * np.eye(classes)[truth])), truth


def slow_score(row, label, score):
    return 1 - row[label] if score == "lac" else sum(p for p in row if p >= row[label])


def slow_threshold(probabilities, truth, level, score):
    """The smallest score that at least (n + 1) level of the calibration scores reach not beyond."""
    scores = [slow_score(row, label, score) for row, label in zip(probabilities, truth, strict=True)]
    enough = [s for s in sorted(scores) if sum(t <= s for t in scores) >= (len(scores) + 1) * level - 1e-9]
    return enough[0] if enough else np.inf


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.99])
@pytest.mark.parametrize("rows", [1, 9, 10, 99, 100])
def test_threshold_and_sets_are_those_of_the_loops(score, level, rows):
    probabilities, truth = clips(np.random.default_rng(rows), rows)
    threshold = calibrate(probabilities, truth, level, score=score)
    assert threshold == pytest.approx(slow_threshold(probabilities, truth, level, score), abs=1e-12)
    sets = label_sets(probabilities, threshold, score=score)
    expected = [[slow_score(row, label, score) <= threshold + 1e-12 for label in range(5)] for row in probabilities]
    assert sets.tolist() == expected


@pytest.mark.parametrize("score", SCORES)
def test_equal_probabilities_are_in_or_out_together(score):
    probabilities = [[0.4, 0.3, 0.3], [0.2, 0.4, 0.4]]
    for threshold in np.linspace(0, 1, 41):
        sets = label_sets(probabilities, threshold, score=score)
        assert sets[0, 1] == sets[0, 2]
        assert sets[1, 1] == sets[1, 2]


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(("rows", "level"), [(19, 0.9), (100, 0.9), (60, 0.75)])
def test_on_exchangeable_clips_the_promise_is_kept_and_not_by_far_exceeded(score, rows, level):
    rng, found = np.random.default_rng(7), []
    for _ in range(600):
        threshold = calibrate(*clips(rng, rows, signal=1.0), level, score=score)
        probabilities, truth = clips(rng, 60, signal=1.0)
        found.append(label_sets(probabilities, threshold, score=score)[np.arange(60), truth].mean())
    error = np.std(found) / np.sqrt(len(found))
    # Without ties the coverage lies between the level and 1 / (n + 1) above it.
    assert level - 3 * error < np.mean(found) < level + 1 / (rows + 1) + 3 * error


def test_the_plain_quantile_would_break_the_promise_with_few_clips():
    rng, found = np.random.default_rng(8), []
    for _ in range(600):
        calibration, labels = clips(rng, 19, signal=0.5)
        plain = np.quantile(1 - calibration[np.arange(19), labels], 0.9)
        probabilities, truth = clips(rng, 60, signal=0.5)
        found.append(label_sets(probabilities, plain)[np.arange(60), truth].mean())
    assert np.mean(found) < 0.89


@pytest.mark.parametrize("score", SCORES)
def test_under_a_shift_the_shortfall_is_seen(score):
    rng = np.random.default_rng(9)
    threshold = calibrate(*clips(rng, 500), 0.9, score=score)
    speakers = np.repeat(np.arange(20), 50)
    rows = {}
    for name, signal in (("source", 2.0), ("target", 0.3)):
        probabilities, truth = clips(rng, 1000, signal=signal)
        rows[name] = coverage(label_sets(probabilities, threshold, score=score), truth, speakers)
    assert rows["source"]["low"] < 0.9 < rows["source"]["high"] + 0.02
    assert rows["target"]["high"] < 0.85
    assert 1 <= rows["source"]["size"] < 5


def test_aps_gives_every_label_where_the_true_one_is_too_often_the_last():
    probabilities, truth = np.tile([[0.5, 0.3, 0.2]], (100, 1)), np.repeat([0, 2], [85, 15])
    assert calibrate(probabilities, truth, 0.9, score="aps") == 1
    assert label_sets(np.array([[0.7, 0.2, 0.1], [1 / 3, 1 / 3, 1 / 3]]), 1.0, score="aps").all()


def test_too_few_clips_promise_with_every_label():
    probabilities, truth = clips(np.random.default_rng(2), 8)
    assert calibrate(probabilities, truth, 0.9) == np.inf
    assert label_sets(probabilities, np.inf).all()
    assert np.isfinite(calibrate(*clips(np.random.default_rng(2), 9), 0.9))
    assert calibrate(np.empty((0, 3)), np.empty(0, dtype=int)) == np.inf
    assert label_sets(np.empty((0, 3)), 0.5).shape == (0, 3)


def test_coverage_counts_and_draws_speakers():
    sets = np.array([[1, 0, 0], [0, 0, 0], [1, 1, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=bool)
    truth, speakers = np.array([0, 0, 1, 0, 1, 2]), np.array(list("aabbcc"))
    row = coverage(sets, truth, speakers, draws=300, seed=4)
    held = sets[np.arange(6), truth]
    assert row["coverage"] == pytest.approx(held.mean())
    assert (row["least"], row["size"]) == (pytest.approx(1 / 3), pytest.approx(8 / 6))
    assert (row["empty"], row["single"], row["clips"]) == (pytest.approx(1 / 6), pytest.approx(3 / 6), 6)
    weights = SpeakerBootstrap(speakers, 300, 4).weights[1:]
    draws = [np.mean([held[speakers == s].mean() for s in np.repeat(list("abc"), w)]) for w in weights]
    assert min(draws) <= row["low"] <= np.quantile(draws, 0.025)
    assert np.quantile(draws, 0.975) <= row["high"] <= max(draws)
    assert np.isnan(coverage(sets, truth, ["a"] * 6)["low"])


def test_bad_arguments_are_named():
    fair = [[0.5, 0.5]]
    for call, message in [
        (lambda: calibrate(fair, [0], 1.0), "`level` must be between 0 and 1"),
        (lambda: calibrate(fair, [0], score="raps"), "`score` must be 'lac' or 'aps'"),
        (lambda: label_sets([[0.5, 0.7]], 0.5), "sum to 1"),
        (lambda: coverage([[0.5, 1.0]], [0], ["a"]), "`sets` must be"),
        (lambda: coverage([[True, False]], [2], ["a"]), "`sets` must be"),
        (lambda: coverage(np.empty((0, 2), dtype=bool), np.empty(0, dtype=int), []), "at least one row"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
