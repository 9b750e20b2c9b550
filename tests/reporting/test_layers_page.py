"""The page of a sweep over hidden states: its headline, what it marks, and what it says where there is nothing."""

import json
import re

import pandas as pd
import pytest

from xlser.evaluation.layers import DECODED, LEFT_OUT, MEAN, LayerScore, LayerSweep, Regret, State
from xlser.reporting.layers.page import layers_page, layers_text, write_layers
from xlser.reporting.layers.sections import headline
from xlser.vocabulary import TARGET, TRANSDUCTIVE, VALIDATION, ZERO_SHOT

CHOSEN, ORACLE, REFERENCE = State(1, "mean"), State(2, "mean"), State(None, "egemaps")
ABOUT = {
    "weights": "../models/small",
    "checkpoints": [{"weights": "../models/small", "sha256": "abc"}],
    "source": "emodb",
    "sources": ["emodb"],
    "targets": ["urdu", "<emovo>"],
    "corpora": [
        {"corpus": name, "synthetic": False, "language": "de", "utterances": 9, "speakers": 3, "ratings": "none"}
        | {"labels": {"kept": {"anger": 9}}, "licence": ""}
        for name in ("emodb", "urdu", "<emovo>")
    ],
    "seeds": 2,
    "level": 0.95,
    "notes": ["a note"],
    "command": "xlser probe-layers",
    "finished": "today",
    "seconds": 1.0,
    "versions": {"xlser": "0"},
}


def score(state, metric, corpus, role, value, protocol=ZERO_SHOT):
    return LayerScore(state, corpus, role, protocol, metric, value, value - 0.1, value + 0.1, 0.25, 40, 4)


def rows(state, rise):
    return [
        score(state, "UA", "emodb", VALIDATION, 0.9 - rise),
        score(state, "UA", "urdu", TARGET, 0.4 + rise),
        score(state, "UA", "<emovo>", TARGET, 0.5 + rise),
        score(state, "UA", MEAN, TARGET, 0.45 + rise),
        score(state, "UA", "urdu", TARGET, 0.6, TRANSDUCTIVE),
        score(state, "UA", MEAN, TARGET, 0.6, TRANSDUCTIVE),
        score(state, "corpus", "all", DECODED, 0.97, ""),
        score(state, "language", "all", DECODED, 0.97, ""),
        score(state, "speaker", "emodb", DECODED, 0.8 - rise, ""),
    ]


def sweep(scores, oracle=ORACLE, **about):
    regret = oracle and Regret(0.1, 0.013, 0.2)
    oracles = {"urdu": oracle} if oracle else {}
    return LayerSweep(ABOUT | about, CHOSEN, oracle, oracles, regret, tuple(scores))


@pytest.fixture
def swept():
    return sweep([*rows(CHOSEN, 0.0), *rows(ORACLE, 0.1), *rows(State(1, "mean+std"), 0.05), *rows(REFERENCE, -0.1)])


def test_the_headline_has_choice_interval_chance_reference_oracle_and_regret(swept):
    told = headline(swept)
    assert told.startswith("Hidden state 1, mean of small is best on emodb's validation speakers")
    for part in ("0.45 [0.35, 0.55]", "chance 0.25", "eGeMAPS 0.35", "state 2, mean, 0.55", "10.0 points [1.3, 20.0]"):
        assert part in told
    assert layers_page(swept).answer[0].text == told


def test_panels_are_marked_and_every_point_tells_its_number(swept, tmp_path):
    page, data, table = write_layers(swept, tmp_path)
    text = page.read_text(encoding="utf-8")
    panels = re.findall(r'<div class="panel">.*?</div>', text, re.DOTALL)
    assert ["chosen: state 1" in panel for panel in panels] == [True, False] * 2  # UA, and what else is read
    assert ["oracle: state 2" in panel for panel in panels] == [True, False] * 2
    assert "<title>urdu: hidden state 2, mean: 0.50 [0.40, 0.60], chance 0.25</title>" in text
    assert "corpus, which is language" in text
    assert "<emovo>" not in text
    assert {int(size) for size in re.findall(r'font-size="(\d+)"', text)} == {14}
    assert len(json.loads(data.read_text())["scores"]) == len(pd.read_csv(table)) == len(swept.scores)


def test_language_has_a_line_of_its_own_where_it_is_another_question(swept):
    apart = [s if s.metric != "language" else score(s.state, "language", "all", DECODED, 0.5, "") for s in swept.scores]
    from xlser.reporting.html import html

    assert "which is language" not in html(layers_page(sweep(apart)))


def test_a_table_on_a_terminal_marks_choice_and_oracle(swept):
    lines = layers_text(swept).splitlines()
    assert any(re.match(r"  state 1 +\(chosen\) +0\.90", line) for line in lines)
    assert any(re.match(r"  state 2 +\(oracle\) +0\.80", line) for line in lines)
    assert max(map(len, lines)) <= 100


def test_without_a_scored_target_it_says_so_and_draws_the_rest(tmp_path):
    mute = [s for state in (CHOSEN, ORACLE) for s in rows(state, 0.0) if s.role != TARGET]
    found = sweep(mute, oracle=None)
    assert "no target has emotions" in headline(found)
    assert "oracle" not in layers_text(found)
    assert write_layers(found, tmp_path)[0].is_file()


def test_a_choice_that_is_the_oracle_has_no_regret(swept):
    assert "the oracle too" in headline(sweep(swept.scores, oracle=CHOSEN))


def test_left_out_sources_are_named():
    two = [*rows(CHOSEN, 0.0), score(CHOSEN, "UA", "ravdess", LEFT_OUT, 0.5)]
    told = headline(sweep(two, oracle=CHOSEN, sources=["emodb", "ravdess"], source="emodb+ravdess"))
    assert "best on left-out sources (emodb and ravdess)" in told
    assert "ravdess, left out" in layers_text(sweep(two, oracle=CHOSEN))


def test_one_state_and_many_states_have_ticks(tmp_path):
    one = sweep([score(CHOSEN, "UA", "emodb", VALIDATION, 0.5)], oracle=None)
    assert ">1</text>" in write_layers(one, tmp_path / "one")[0].read_text()
    many = [score(State(k, "mean"), "UA", "emodb", VALIDATION, 0.5) for k in range(33)]
    text = write_layers(sweep([*many, score(REFERENCE, "UA", "emodb", VALIDATION, 0.4)], oracle=None), tmp_path)[0]
    labels = re.findall(r'text-anchor="middle">(\d+)</text>', text.read_text())
    assert [*dict.fromkeys(labels)] == ["0", "5", "10", "15", "20", "25", "32"]  # 30 would touch 32


def test_random_weights_and_synthetic_speech_are_warned_of(swept):
    corpora = [ABOUT["corpora"][0] | {"synthetic": True}]
    banners = layers_page(sweep(swept.scores, weights="random:tiny", corpora=corpora)).banners
    assert len(banners) == 2


def test_what_the_encoder_has_heard_of_a_target_stands_above_the_numbers(swept):
    hub = "ehcalabres/wav2vec2-lg-xlsr-en-speech-emotion-recognition"  # fine-tuned on RAVDESS, as its card says
    found = sweep(swept.scores, checkpoints=[{"weights": hub, "hub": hub}], targets=["ravdess"])
    (banner,) = layers_page(found).banners
    assert "fine-tuned on ravdess" in banner
    assert layers_page(swept).banners == []


def test_the_page_in_a_browser(swept, tmp_path, faults_of):
    assert faults_of(write_layers(swept, tmp_path)[0]) == []
