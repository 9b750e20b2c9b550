"""Refusal and valence, against sklearn and obvious loops."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from xlser.data.scales import DERIVED
from xlser.evaluation.bootstrap import SpeakerBootstrap
from xlser.evaluation.openset import BY_UA, auroc, reject_threshold, summed, valence_class


def clips(seed, rows=60, classes=4, unknown=0.3, digits=1):
    """Probabilities that often tie, and codes of which some are unknown."""
    rng = np.random.default_rng(seed)
    truth = np.where(rng.random(rows) < unknown, -1, rng.integers(0, classes, rows))
    logits = rng.normal(size=(rows, classes)) + 1.5 * np.eye(classes)[truth] * (truth >= 0)[:, None]
    odds = np.exp(logits).round(digits) + 0.1
    return odds / odds.sum(1, keepdims=True), truth


def ua_at(threshold, probabilities, truth):
    said = [-1 if max(row) < threshold else int(np.argmax(row)) for row in probabilities]
    return balanced_accuracy_score(truth, said)


@pytest.mark.filterwarnings("ignore:y_pred contains classes")
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rows", [3, 17, 80])
def test_the_threshold_is_the_lowest_of_the_best(seed, rows):
    probabilities, truth = clips(seed, rows, unknown=0.4)
    truth[:2] = 0, -1
    threshold, how = reject_threshold(probabilities, truth)
    tried = np.unique(probabilities.max(1))
    scores = np.array([ua_at(value, probabilities, truth) for value in tried])
    assert how == BY_UA
    assert threshold == min(tried[scores > scores.max() - 1e-10])


@pytest.mark.parametrize("keep", [0.5, 0.9, 0.95, 1.0])
@pytest.mark.parametrize("rows", [1, 20, 99, 100])
def test_without_unknown_clips_the_share_is_kept_and_no_higher_threshold_keeps_it(keep, rows):
    probabilities, truth = clips(3, rows, unknown=0.0, digits=9)
    threshold, how = reject_threshold(probabilities, truth, keep)
    confidence = probabilities.max(1)
    assert how == f"{keep:.0%} kept"
    assert (confidence >= threshold).mean() >= keep - 1e-12
    higher = confidence[confidence > threshold]
    assert not len(higher) or (confidence >= higher.min()).mean() < keep - 1e-12


def test_clips_of_equal_confidence_are_kept_or_refused_together():
    probabilities = [[0.6, 0.4]] * 5 + [[0.9, 0.1]]
    assert reject_threshold(probabilities, [0] * 6, 0.5) == (0.6, "50% kept")
    assert reject_threshold(probabilities, [0, 0, 0, -1, -1, 0]) == (0.9, BY_UA)
    assert reject_threshold(probabilities, [0, 0, 0, 0, 0, -1]) == (0.6, BY_UA)


def repeated(column, speakers, bootstrap, draw):
    """Repeat the rows of every speaker as often as a draw holds him."""
    times = dict(zip(bootstrap.speakers, bootstrap.weights[draw], strict=True))
    return np.repeat(column, [times[name] for name in speakers])


@pytest.mark.parametrize("digits", [1, 6])
@pytest.mark.parametrize("seed", range(3))
def test_auroc_of_every_draw_is_that_of_sklearn_on_the_repeated_clips(seed, digits):
    rng = np.random.default_rng(seed)
    speakers = rng.choice([*"abcde"], 70)
    known = (rng.random(70) < 0.7) & (speakers != "e")  # one speaker has unknown clips only
    confidence = (rng.random(70) + 0.3 * known).round(digits)
    bootstrap = SpeakerBootstrap(speakers, draws=40, seed=seed)
    found = auroc(confidence, known, speakers, bootstrap)
    for draw in range(41):
        drawn = [repeated(column, speakers, bootstrap, draw) for column in (known, confidence)]
        both = 0 < drawn[0].sum() < len(drawn[0])
        assert found[draw] == pytest.approx(roc_auc_score(*drawn) if both else np.nan, nan_ok=True)


def test_auroc_of_some_rows_uses_the_draws_of_all_speakers():
    bootstrap = SpeakerBootstrap([*"aabbcc"], draws=30)
    found = auroc([0.9, 0.2, 0.5, 0.6], [True, False, True, False], [*"aabb"], bootstrap)
    assert found[0] == 0.75
    without = bootstrap.weights[:, :2].sum(1) == 0
    assert np.isnan(found[without]).all()
    assert np.isfinite(found[~without]).all()


def test_auroc_is_not_a_number_without_both_kinds_and_has_no_draws_of_one_speaker():
    bootstrap = SpeakerBootstrap([*"ab"], draws=10)
    for known in ([True, True], [False, False]):
        assert np.isnan(auroc([0.1, 0.2], known, [*"ab"], bootstrap)).all()
    assert np.isnan(auroc([], [], [], bootstrap)).all()
    alone = auroc([0.1, 0.2], [False, True], [*"aa"], bootstrap)
    assert alone[0] == 1.0
    assert np.isnan(alone[1:]).all()


def test_every_word_of_the_table_has_its_class_but_surprise():
    found = {name: valence_class(position["valence"]) for name, position in DERIVED.items()}
    negative = dict.fromkeys(("anger", "boredom", "disgust", "fear", "sadness"), "negative")
    assert found == negative | {"happiness": "positive", "neutral": "neutral", "surprise": None}


def test_probabilities_are_summed_by_group_and_those_of_none_are_left_out():
    probabilities, _ = clips(0, 20, 5)
    groups, names = ["a", None, "b", "a", "c"], ["b", "a", "empty"]
    slow = [[sum(p for p, g in zip(row, groups, strict=True) if g == name) for name in names] for row in probabilities]
    assert summed(probabilities, groups, names) == pytest.approx(np.array(slow))
    assert summed(np.empty((0, 5)), groups, names).shape == (0, 3)


def test_bad_arguments_are_named():
    fair, bootstrap = [[0.5, 0.5]], SpeakerBootstrap([*"ab"], draws=2)
    for call, message in [
        (lambda: reject_threshold(fair, [0], 0.0), "`keep` must be above 0"),
        (lambda: reject_threshold(fair, [-1]), "`truth` must hold a known class"),
        (lambda: reject_threshold(np.empty((0, 2)), []), "`truth` must hold a known class"),
        (lambda: reject_threshold(fair * 2, [0, -2]), "whole numbers from 0 to 1"),
        (lambda: reject_threshold([[0.5, 0.7]], [0]), "sum to 1"),
        (lambda: auroc([0.5], [True, False], ["a"], bootstrap), r"must be \(N,\)"),
        (lambda: auroc([np.nan], [True], ["a"], bootstrap), "`confidence` must be finite"),
        (lambda: auroc([0.5], [True], ["z"], bootstrap), "among the bootstrap's, but hold 'z'"),
        (lambda: summed(fair, ["a"], ["a"]), "`groups` must name one of each column"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
