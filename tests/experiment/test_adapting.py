"""Chains on one target share what they have in common, and give what each gives alone."""

import numpy as np
import pytest

from xlser.evaluation import decided
from xlser.evaluation.adaptations import make_adaptation
from xlser.evaluation.adapting import Away, Home
from xlser.experiment.adapted import Adapting

CLASSES = ("anger", "sadness")


@pytest.fixture
def sides():
    rng = np.random.default_rng(0)
    labels, voices = np.array(CLASSES * 30), np.repeat([*"abc"], 20)
    rows = rng.normal(size=(60, 4)) + 3 * (labels == "anger")[:, None] * np.eye(4)[0]
    who = np.repeat([*"xyz"], 20)
    shift = 4 * np.eye(4)[1:][np.repeat([0, 1, 2], 20)]
    home = Home(rows, labels, CLASSES, np.repeat([*"mn"], 30), voices)
    return home, Away(rows[::-1] + shift, who)


CHAINS = [
    "speaker-or-corpus",
    "speaker-or-corpus:sources=true",
    "speaker-or-corpus:clip=2|prior=uniform",
    "pseudo-speakers|speaker-statistics",
    "pseudo-speakers|speaker-or-corpus",
]


def test_each_chain_gives_what_it_gives_alone(sides):
    home, away = sides
    adapting = Adapting(home, Away(away.embeddings, None))
    named = Adapting(*sides)
    for text in CHAINS:
        for both, target in ((adapting, Away(away.embeddings, None)), (named, Away(away.embeddings, away.speakers))):
            alone = make_adaptation(text).fit(home, target)
            found = both.adapt(text)
            np.testing.assert_array_equal(found.embedded, alone.embeddings(target.embeddings, target.speakers))
            assert found.fitted.notes == alone.notes


def test_speaker_or_corpus_decides_once_for_each_target_whatever_its_options(sides, monkeypatch):
    fits = []

    def counted(home):
        fits.append(home)
        return decided_fit(home)

    decided_fit = decided.fit_linear
    monkeypatch.setattr(decided, "fit_linear", counted)
    adapting = Adapting(*sides)
    for text in CHAINS[:3]:
        adapting.adapt(text)
    assert len(fits) == 2  # by corpus and by speaker statistics
    adapting.adapt("speaker-or-corpus:shrink=3")
    assert len(fits) == 4
    home, away = sides
    other = Home(home.embeddings[:40], home.labels[:40], CLASSES, home.corpora[:40], home.speakers[:40])
    make_adaptation("speaker-or-corpus").fit(other, away)
    assert len(fits) == 6
