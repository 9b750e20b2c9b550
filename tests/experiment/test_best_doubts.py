"""What a user is warned of where a target is small, or seems to hold one emotion."""

from types import SimpleNamespace

import numpy as np
import pytest

from xlser.experiment.best.doubts import doubts
from xlser.experiment.best.space import Candidate, Setting
from xlser.features.representation import Representation

CHOSEN = Candidate((Setting(Representation(True), "corpus", adapt="prior=uniform"),), adapt="prior=uniform")
CLASSES = ("anger", "happiness", "neutral", "sadness")


class Said:
    """Answers with a share of anger without a prior, and with none of it where one is assumed."""

    def __init__(self, share):
        self.share = share

    def probabilities(self, task, candidate):
        assert candidate.adapt == "" == candidate.settings[0].adapt
        assert candidate.settings[0].statistics == "corpus"
        count = len(task.away.values)
        codes = np.where(np.arange(count) < self.share * count, 0, 1 + np.arange(count) % 3)
        return np.eye(4)[codes]


def said(count, share, looks_at=("recordings", "prior")):
    task = SimpleNamespace(away=SimpleNamespace(name="field", values=np.zeros((count, 2))), classes=CLASSES)
    return doubts(task, CHOSEN, looks_at, Said(share))


def test_one_emotion_is_warned_of_with_its_share():
    (warning,) = said(40, 0.9)
    assert warning.startswith("WARNING: ")
    assert "90 % of its recordings are called anger" in warning


def test_a_mixed_target_is_told_what_is_assumed():
    (note,) = said(40, 0.3)
    assert not note.startswith("WARNING")


def test_few_recordings_are_warned_of():
    assert "5 recordings" in said(5, 0.3)[0]


@pytest.mark.parametrize("looks_at", [(), ("recordings",)])
def test_nothing_is_said_of_what_is_not_looked_at(looks_at):
    assert said(40, 0.9, looks_at) == []
