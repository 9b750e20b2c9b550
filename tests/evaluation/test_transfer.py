"""Scores of a corpus over seeds: recalls of each class with intervals, against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import recall_score

from xlser.evaluation.bootstrap import SpeakerBootstrap, interval
from xlser.evaluation.transfer import View, class_rows

CLASSES = ("anger", "joy", "sadness")


@pytest.fixture
def corpus():
    rng = np.random.default_rng(3)
    truth = rng.choice([*CLASSES[:2], None], 120, p=[0.6, 0.3, 0.1])
    speakers = rng.choice([f"s{i}" for i in range(9)], 120)
    said = [np.where(rng.random(120) < 0.6, truth.astype(str), rng.choice(CLASSES, 120)) for _ in range(2)]
    return truth, speakers, said


def test_recalls_agree_with_sklearn_and_with_a_loop_over_draws(corpus):
    truth, speakers, said = corpus
    rows = np.ones(len(truth), dtype=bool)
    draws = SpeakerBootstrap(speakers, 200, seed=0)
    views = {"plain": [View(rows, {"knn": one}) for one in said]}
    _, confusion = class_rows(views, truth, CLASSES, draws, 0.9)
    diagonal = {row["truth"]: row for row in confusion if row["truth"] == row["prediction"]}
    known = np.isin(truth.astype(str), CLASSES)
    for name in CLASSES[:2]:
        expected = [recall_score(truth[known].astype(str), one[known], labels=[name], average=None)[0] for one in said]
        assert diagonal[name]["recall"] == pytest.approx(np.mean(expected))
        own = truth == name
        sample = []
        for weights in draws.weights:
            times = own * weights[np.searchsorted(draws.speakers, speakers)]
            sample.append(np.mean([(times * (one == name)).sum() / times.sum() for one in said]))
        low, high = interval(sample, 0.9, draws.effective(own))
        assert (diagonal[name]["low"], diagonal[name]["high"]) == pytest.approx((low, high))


def test_a_class_that_nobody_said_and_what_is_off_the_diagonal_have_no_recall(corpus):
    truth, speakers, said = corpus
    views = {"plain": [View(np.ones(len(truth), dtype=bool), {"knn": said[0]})]}
    _, confusion = class_rows(views, truth, CLASSES, SpeakerBootstrap(speakers, 100, seed=0), 0.95)
    for row in confusion:
        told = [np.isfinite(row[name]) for name in ("recall", "low", "high")]
        assert told == [row["truth"] == row["prediction"] != "sadness"] * 3
