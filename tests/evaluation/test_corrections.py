"""Corrections of a model's probabilities by labelled clips, against slow and obvious second implementations."""

import json

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import DotProduct

from xlser.errors import CorpusError
from xlser.evaluation.adapting import FittedChain, restore
from xlser.evaluation.corrections import (
    INTERCEPT_PENALTY,
    NOISE,
    PENALTY,
    PSEUDO_COUNTS,
    WAYS,
    ZERO_SHOT,
    Shots,
    means_before,
    unit,
)
from xlser.evaluation.labelled_clips import best_way, fit_way, fit_with_shots, left_out, make_shots, protocol

CLASSES = ("joy", "anger", "fear")  # not in the order of the alphabet
NAMES = np.array(CLASSES)


@pytest.fixture(scope="module")
def away():
    """Synthetic: embeddings, codes, and a model's probabilities that confuse the first two classes."""
    rng = np.random.default_rng(0)
    codes = np.tile([0, 1, 2], 40)
    rows = np.eye(6)[codes] * 2 + rng.normal(size=(120, 6))
    logits = np.eye(3)[np.array([1, 0, 2])[codes]] + rng.normal(size=(120, 3))
    return rows, codes, np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


@pytest.fixture
def shots(away):
    rows, codes, said = away
    return make_shots(rows[:12], said[:12], codes[:12], rows, said)


def softmax(values):
    return np.array([np.exp(row) / np.exp(row).sum() for row in values])


def log(values):
    return np.log(np.maximum(values, 1e-3))


def test_residuals_are_those_of_a_gaussian_process_for_each_class(away, shots):
    rows, codes, said = away
    process = GaussianProcessRegressor(DotProduct(0.0, "fixed"), alpha=NOISE, optimizer=None)
    slow = np.array(said)
    for code in range(3):
        process.fit(unit(rows[:12]), (codes[:12] == code) - said[:12, code])
        slow[:, code] += process.predict(unit(rows))
    slow = np.maximum(slow, 1e-3)
    assert WAYS["residuals"](shots).posterior(rows, said) == pytest.approx(slow / slow.sum(1, keepdims=True))


@pytest.mark.parametrize("way", ["prior", "weights"])
def test_penalised_regressions_are_those_of_a_general_solver(away, shots, way):
    rows, codes, said = away
    used = unit(rows) if way == "weights" else np.zeros_like(rows)

    def loss(flat):
        slopes, offsets = flat[:18].reshape(6, 3), flat[18:]
        values = softmax(log(said[:12]) + used[:12] @ slopes + offsets)
        entropy = -sum(np.log(values[row, codes[row]]) for row in range(12))
        return entropy + PENALTY / 2 * (slopes**2).sum() + INTERCEPT_PENALTY / 2 * (offsets**2).sum()

    solved = minimize(loss, np.zeros(21), options={"gtol": 1e-6}).x
    slow = softmax(log(said) + used @ solved[:18].reshape(6, 3) + solved[18:])
    assert WAYS[way](shots).posterior(rows, said) == pytest.approx(slow, abs=5e-3)
    assert np.abs(slow - said).max() > 0.05


def test_means_are_those_of_pseudo_clips_and_shots(away, shots):
    rows, codes, said = away
    units, likelihoods = unit(rows), np.zeros((120, 3))
    for code in range(3):
        before = sum(said[row, code] * units[row] for row in range(120)) / said[:, code].sum()
        clips = [units[row] for row in range(12) if codes[row] == code]
        middle = np.sum([before * PSEUDO_COUNTS, *clips], axis=0) / (PSEUDO_COUNTS + len(clips))
        likelihoods[:, code] = [-0.5 * shots.steep * ((row - middle) ** 2).sum() for row in units]
    slow = softmax(0.5 * log(said) + 0.5 * likelihoods)
    assert WAYS["means"](shots).posterior(rows, said) == pytest.approx(slow)


def test_the_average_is_of_log_probabilities(away, shots):
    rows, _, said = away
    two = [log(WAYS[way](shots).posterior(rows, said)) for way in ("means", "residuals")]
    assert WAYS["averaged"](shots).posterior(rows, said) == pytest.approx(softmax(np.mean(two, axis=0)))


def test_gaussians_before_shots_spread_as_far_as_the_probabilities(away):
    rows, _, said = away
    known, steep = means_before(unit(rows), said)
    near = np.array([[-0.5 * steep * ((row - middle) ** 2).sum() for middle in known] for row in unit(rows)])
    spread = [np.std(values - values.mean(1, keepdims=True)) for values in (near, log(said))]
    assert spread[0] == pytest.approx(spread[1])


def test_a_class_that_nothing_is_of_gets_the_mean_of_all_and_equal_rows_no_steepness():
    known, steep = means_before(np.eye(2), np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert known[1].tolist() == [0.5, 0.5]
    assert steep == 0  # both means are the same
    assert means_before(np.ones((3, 2)), np.eye(3))[1] == 0


@pytest.mark.parametrize("way", WAYS)
def test_each_clip_is_read_by_itself_and_saved_and_read_again(away, shots, way):
    rows, _, said = away
    fitted = fit_way(way, shots)
    many = fitted.posterior(rows, said)
    assert many.sum(1) == pytest.approx(1)
    assert (many > 0).all()
    assert fitted.posterior(rows[7:8], said[7:8]) == pytest.approx(many[7:8])
    about, arrays = FittedChain([fitted]).state()
    again = restore(json.loads(json.dumps(about)), arrays)
    assert (again.posterior(rows, said) == many).all()


@pytest.mark.parametrize("way", [name for name in WAYS if name != "prior"])  # shares alone tell no classes apart
def test_shots_help_in_a_target_that_confuses_two_classes(away, way):
    rows, codes, said = away
    fitted = fit_way(way, make_shots(rows[:60], said[:60], codes[:60], rows, np.eye(3)[codes]))
    right = [(values[60:].argmax(1) == codes[60:]).mean() for values in (said, fitted.posterior(rows, said))]
    assert right[1] > right[0] + 0.15


def test_left_out_is_a_loop_over_shots(shots):
    slow = dict.fromkeys((ZERO_SHOT, *WAYS), 0.0)
    for group in ([0, 10], [1, 11], *([row] for row in range(2, 10))):
        rest = shots.take(np.setdiff1d(np.arange(12), group))
        for way in slow:
            for row in group:
                said = fit_way(way, rest).posterior(shots.rows[[row]], shots.before[[row]])[0]
                slow[way] += np.log(0.9 * said[shots.codes[row]] + 0.1 / 3)
    assert left_out(shots) == pytest.approx(slow)
    assert slow[ZERO_SHOT] != slow["means"]


def test_the_steady_ways_are_ahead():
    scores = {"zero-shot": -5.0, "weights": -4.1, "averaged": -5.0}
    assert best_way(scores) == "zero-shot"
    assert best_way(scores | {"averaged": -4.9}) == "averaged"
    assert best_way(scores | {"weights": -3.9}) == "weights"


def fitted(away, known, labels=None, **more):
    rows, codes, said = away
    names = NAMES[codes[known]] if labels is None else labels
    return fit_with_shots(rows[known], said[known], names, CLASSES, around=(rows, said), **more)


def test_the_choice_is_that_of_clips_left_out(away, shots):
    found = fitted(away, np.arange(12))
    assert found.way == best_way(left_out(shots)) != ZERO_SHOT
    assert any(f"by the way {found.way}" in note for note in found.notes)
    assert (found.slopes == fit_way(found.way, shots).slopes).all()
    assert fitted(away, np.arange(12), way="prior").way == "prior"


def test_one_shot_changes_nothing_by_itself(away):
    found = fitted(away, [4])
    assert found.way == ZERO_SHOT
    assert any("no clip is labelled joy, fear" in note for note in found.notes)
    assert (found.posterior(away[0], away[2]) == away[2]).all()
    moved = fitted(away, [4], way="residuals").posterior(away[0], away[2])
    assert np.isfinite(moved).all()
    assert moved[4, 1] > away[2][4, 1]


@pytest.mark.parametrize("way", WAYS)
def test_a_class_without_shots_can_still_be_said(away, way):
    rows, codes, _ = away
    said = np.eye(3)[codes] * 0.4 + 0.2
    known = np.flatnonzero(codes < 2)[:10]
    found = fit_with_shots(rows[known], said[known], NAMES[codes[known]], CLASSES, around=(rows, said), way=way)
    assert (found.posterior(rows, said)[codes == 2].argmax(1) == 2).mean() > 0.5
    assert any("no clip is labelled fear" in note for note in found.notes)


def test_shots_of_other_classes_are_left_out_and_said_so(away):
    labels = np.append(NAMES[away[1][:12]], ["boredom", None]).astype(object)
    found = fitted(away, np.arange(14), labels)
    assert found.slopes == pytest.approx(fitted(away, np.arange(12)).slopes)
    assert any("2 labelled clips are left out" in note and "boredom" in note for note in found.notes)


def test_one_speaker_is_warned_of(away):
    assert any("speaker anna" in note for note in fitted(away, np.arange(12), speakers=["anna"] * 12).notes)
    assert not any("speaker" in note for note in fitted(away, np.arange(12), speakers=["anna", "ben"] * 6).notes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": ["boredom"] * 3}, "no labelled clip is of joy, anger, fear.*boredom"),
        ({"labels": []}, "`labels` must be one a labelled clip, 3, but are 0"),
        ({"rows": np.full((3, 6), np.nan)}, "`rows` must be finite, but row 0"),
        ({"rows": np.ones((3, 5))}, "must have the columns of `around`"),
        ({"probabilities": np.full((3, 2), 0.5)}, "`probabilities` must be a row a clip"),
        ({"classes": ["joy"]}, "`classes` must be at least two"),
        ({"way": "mean"}, "called 'mean'; there are zero-shot, prior, means"),
    ],
)
def test_what_does_not_fit_is_refused(away, change, message):
    rows, codes, said = away
    given = {"rows": rows[:3], "probabilities": said[:3], "labels": NAMES[codes[:3]], "classes": CLASSES}
    with pytest.raises(CorpusError, match=message):
        fit_with_shots(**given | change, around=(rows, said))


def test_the_protocol_counts_clips_a_class():
    assert protocol(["joy", "anger", "fear"] * 5, CLASSES) == "few-shot 5"
    assert protocol(["joy", "joy", "anger", "boredom", None], CLASSES) == "few-shot 0 to 2"


def test_shots_is_a_plain_table_of_clips(shots):
    assert isinstance(shots.take(np.array([2, 0])), Shots)
    assert shots.take(np.array([2, 0])).truth.argmax(1).tolist() == [2, 0]
