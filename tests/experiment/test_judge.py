"""What a classifier takes for granted of how frequent the classes are, and how that is made up for."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from xlser.evaluation.adapt import prior_correction
from xlser.evaluation.adapting import Away, Home
from xlser.evaluation.readout import Part
from xlser.experiment.adapted import Adapting
from xlser.experiment.judge import Heads, HeadsJudge
from xlser.experiment.readers import Reader
from xlser.training.encoder_recipe import Terms

CLASSES = ("a", "b", "c")


def corrected(judge, train, target):
    """What a reader with this judge answers, by readout, under the prior that is estimated in the target."""
    adapted = Adapting(Home(train.embeddings, train.labels.astype(str), CLASSES), Away(target)).adapt("prior")
    given = Reader(None, train, train, {}, judge).corrected(adapted, CLASSES)
    return {name: np.array(CLASSES)[shares.argmax(axis=1)] for name, shares in given.items()}


COUNTS = {"a": 60, "b": 25, "c": 5}
ALONE, NEIGHBOURS, HALF = 0.0, 1.0, 0.5


def reader(judge, train):
    return Reader(None, train, train, {}, judge)


def part(rng, counts=COUNTS):
    labels = np.repeat(list(counts), list(counts.values())).astype(object)
    centres = np.array([CLASSES.index(name) for name in labels])
    rows = np.eye(3)[centres] * 2 + rng.normal(size=(len(labels), 3))
    return Part(rows, labels, {})


def heads(balanced):
    return Heads(CLASSES, np.eye(3), np.zeros(3), (), np.zeros((0, 3)), np.zeros(0), balanced)


def judge(balanced, weight, train):
    fitted = HeadsJudge.fit(heads(balanced), train, train)
    chosen = fitted.interpolation.chosen | {"weight": weight}
    return HeadsJudge(fitted.heads, replace(fitted.interpolation, chosen=chosen))


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("weight", [ALONE, HALF, NEIGHBOURS])
def test_a_balanced_classifier_takes_equal_shares_and_its_neighbours_those_of_the_clips(balanced, weight):
    rng = np.random.default_rng(0)
    train, target = part(rng), part(rng, {"a": 5, "b": 5, "c": 60}).embeddings
    own = judge(balanced, weight, train)
    there = np.array([60, 25, 5]) / 90
    told = np.full(3, 1 / 3) if balanced else there
    shares = [(1 - weight) * a + weight * b for a, b in zip(told, there, strict=True)]
    expected = prior_correction(own.probabilities(target, CLASSES), shares)[0].argmax(axis=1)
    said = corrected(own, train, target)["classifier + knn"]
    assert said.tolist() == [CLASSES[code] for code in expected]


def test_equal_shares_and_those_of_the_clips_give_other_answers():
    rng = np.random.default_rng(0)
    train, target = part(rng), part(rng, {"a": 20, "b": 20, "c": 20}).embeddings
    said = [corrected(judge(balanced, ALONE, train), train, target)["classifier + knn"] for balanced in (False, True)]
    assert (said[0] != said[1]).any()


def test_a_class_without_a_training_clip_is_not_corrected():
    rng = np.random.default_rng(0)
    train = part(rng, {"a": 30, "b": 30})
    said = corrected(judge(True, HALF, train), train, train.embeddings)
    assert set(said) == {"probe"}


@pytest.mark.parametrize(
    ("terms", "balanced"),
    [
        ({"cross_entropy": {"balance": True}}, True),
        ({"cross_entropy": 1.0}, False),
        ({"dimensions": 1.0}, False),
        ({"supcon": 1.0}, None),
    ],
)
def test_heads_know_whether_their_classes_were_balanced(terms, balanced):
    terms = Terms.model_validate(terms)
    weights = {
        **{"classes.weight": torch.zeros(3, 2), "classes.bias": torch.zeros(3)},
        **{"dimensions.weight": torch.zeros(3, 2), "dimensions.bias": torch.zeros(3)},
    }
    found = Heads.of(weights, CLASSES, terms)
    assert (found and found.balanced) is balanced
    assert (found is None) or Heads.of(weights, CLASSES, terms, ("emotion",)).balanced
    assert (found and Heads.of(weights, CLASSES, terms, ("corpus",)).balanced) is balanced
