"""What was fitted to speakers is kept under numbers: no name is left, and each is answered as before."""

import json
from types import SimpleNamespace

import numpy as np

from xlser.api.anonymous import Renamed, _search, _sentences, _speakers
from xlser.evaluation.adaptations import make_adaptation
from xlser.evaluation.adapting import Away, Chain, Home, restore

ROWS = np.random.default_rng(3).normal(size=(9, 4))
WHO = np.array(["nikos", "anna", "anna", "nikos", "anna", "unknown:calls/b.wav", "anna", "nikos", "anna"], dtype=object)


def test_speakers_of_a_search_are_numbered_and_answered_as_before():
    home = Home(ROWS[::-1] + 1, np.array(["x", "y", "x"] * 3), ("x", "y"), np.array(["c"] * 9), WHO)
    fitted = Chain([make_adaptation("speaker-statistics:shrink=1:sources=true")]).fit(home, Away(ROWS, WHO))
    state, arrays = fitted.state()
    chain = json.loads(json.dumps(state))
    chain["steps"][0]["notes"] = ["anna has 5 clips"]
    content = {"ab12": "anna", "cd34": "nikos", "ef56": ""}
    table = {"about": {"speakers": content}, "members": [{"chain": chain}], "chain": chain}
    renamed = Renamed.of(_speakers(table), SimpleNamespace(checkpoints=()))
    found = _search(table, renamed)
    assert not any(name in json.dumps(found) for name in ("anna", "nikos", "calls", "b.wav"))
    assert found["about"]["speakers"]["ef56"] == ""
    again = restore(found["members"][0]["chain"], arrays)
    for row, name in zip(ROWS, WHO, strict=True):
        before = fitted.embeddings(row[None], [name])
        np.testing.assert_array_equal(again.embeddings(row[None], [renamed.speaker(name)]), before)
    assert renamed.speaker("anna") == found["about"]["speakers"]["ab12"] != renamed.speaker("nikos")
    assert renamed.speaker("unknown:calls/b.wav").startswith("unknown:")


def test_checkpoints_bear_names_that_mean_the_same_everywhere():
    known = [
        SimpleNamespace(weights="/home/anna/w2v", hub="", commit="", revision=None),
        SimpleNamespace(weights="/cache/snapshots/0a", hub="openai/whisper-tiny", commit="0a", revision=None),
    ]
    renamed = Renamed.of([], SimpleNamespace(checkpoints=known))
    written = ["egemaps", {"encoder": {"weights": "/cache/snapshots/0a", "layer": 2}}]
    assert renamed.portable(written)[1]["encoder"] == {"weights": "openai/whisper-tiny", "layer": 2, "revision": "0a"}
    assert renamed.portable({"weights": "/home/anna/w2v", "revision": None}) == {"weights": "w2v", "revision": None}
    assert renamed.portable({"name": "/home/anna/w2v", "sha256": "x"}) == {"name": "w2v", "sha256": "x"}


def test_sentences_that_name_a_file_or_a_speaker_are_left_out():
    told = ("anna has 5 clips", "x/a.wav of toy was left out: silent", "of 29 speakers", "UA rose to 0.5")
    assert _sentences(told, {"anna", "29"}) == ("of 29 speakers", "UA rose to 0.5")
