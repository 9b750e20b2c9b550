"""What the audit says of a hand-made set, and of the real corpora, in words, JSON and HTML."""

import json
import re
import shutil

import numpy as np
import pytest
import soundfile

from xlser.experiment.audit import audit_corpora
from xlser.experiment.workplace import Workplace
from xlser.reporting.audit.findings import findings
from xlser.reporting.audit.page import audit_text, write_audit

CARD = """
name: {name}
title: A <toy> & more
languages: [de]
licence: CC0
elicitation: acted
audio: "*.wav"
grammar: '(?P<speaker>s\\d+)_(?P<emotion>[a-z]+)_(?P<text>\\d+)'
text: "{{text}}"
emotion: {{ang: anger, cal: calm, neu: neutral, sad: sadness}}
"""


@pytest.fixture(scope="module")
def toys(tmp_path_factory, voice):
    """Two corpora of few emotions a speaker, one of them with a copy under another name."""
    root = tmp_path_factory.mktemp("toys")
    cards = []
    for name, codes in (("one", ("ang", "cal", "sad")), ("two", ("ang", "neu", "sad"))):
        (root / name).mkdir()
        (root / f"{name}.yaml").write_text(CARD.format(name=name))
        cards.append(str(root / f"{name}.yaml"))
        for number in range(12):
            samples = voice(0.3 + 0.02 * number, pitch=90 + 9 * number + 4 * (name == "two"), seed=number)
            level = np.random.default_rng(number).uniform(0.3, 1)
            speaker = f"s{number // 2}"
            soundfile.write(root / name / f"{speaker}_{codes[number % 6 // 2]}_{number}.wav", level * samples, 16_000)
    shutil.copy(root / "one" / "s0_ang_0.wav", root / "one" / "s5_sad_99.wav")
    return root, cards


@pytest.fixture(scope="module")
def result(toys, tmp_path_factory):
    root, cards = toys
    place = Workplace(data_root=root, cache=tmp_path_factory.mktemp("cache"), progress=False)
    return audit_corpora(cards, place)


def kinds(result):
    return {(row["severity"], row["corpus"], row["kind"]) for row in findings(result)}


def test_findings_name_what_was_put_in(result):
    found = kinds(result)
    assert ("serious", "one", "exact duplicates") in found
    assert ("serious", "one", "speaker confound") in found
    assert ("note", "one", "labels apart") in found
    (copies,) = [row for row in findings(result) if row["kind"] == "exact duplicates"]
    assert copies["named"] == ["s0_ang_0.wav = s5_sad_99.wav"]
    assert "different emotions and speakers" in copies["sentence"]


def test_eight_kilohertz_beside_sixteen_are_said_to_miss_half_of_the_band(toys, voice, tmp_path):
    root, cards = toys
    shutil.copytree(root / "one", tmp_path / "one")
    for number in range(2):
        noisy = voice(0.5, rate=8_000) + np.random.default_rng(number).normal(0, 0.01, 4_000)
        soundfile.write(tmp_path / "one" / f"s6_ang_{number + 40}.wav", noisy, 8_000)
    place = Workplace(data_root=tmp_path, cache=tmp_path / "cache", progress=False)
    (found,) = [row for row in findings(audit_corpora(cards[:1], place)) if row["kind"] == "narrow band"]
    assert found["named"] == ["s6_ang_40.wav", "s6_ang_41.wav"]
    assert "2 recordings (13 %) hold nothing above 4 kHz" in found["sentence"]
    assert found["severity"] == "caution"


def test_a_copy_in_another_corpus_is_serious_but_no_conflict_of_speakers(result):
    pair = {"ids": ["one/a", "two/a"], "paths": ["a.wav", "a.wav"], "corpora": ["one", "two"], "conflicts": []}
    other = result | {"duplicates": {"exact": [pair], "near": [], "files": 2}}
    assert ("serious", "one + two", "exact duplicates") in kinds(other)


def test_the_worst_comes_first(result):
    order = [row["severity"] for row in findings(result)]
    assert order == sorted(order, key=["serious", "caution", "note"].index)


def test_files_are_whole_json_and_a_page_that_loads_nothing(result, tmp_path):
    page, data = write_audit(result, tmp_path / "out")
    assert json.loads(data.read_text())["findings"]
    text = page.read_text()
    assert not re.search(r"<script[^>]|<link|(?:src|href)=\"(?!#)|url\((?!#)|@import", text)
    assert "A &lt;toy&gt; &amp; more" in text
    assert "prefers-color-scheme: dark" in text
    assert text.count("<h1>") == 1
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(ids)


@pytest.mark.slow
def test_the_page_in_a_browser(result, tmp_path, faults_of):
    assert faults_of(write_audit(result, tmp_path)[0], answered=False) == []


def test_the_terminal_holds_a_hundred_columns(result):
    text = audit_text(result)
    assert max(map(len, text.splitlines())) <= 100
    assert "Findings:" in text


def test_without_decoding_it_says_what_is_missing(toys, tmp_path):
    root, cards = toys
    place = Workplace(data_root=root, cache=tmp_path, progress=False)
    found = audit_corpora(cards[:1], place, decode=False)
    assert found["duplicates"] is None
    assert {path.name for path in tmp_path.iterdir()} <= {"scans"}
    assert "not decoded" in audit_text(found)
    write_audit(found, tmp_path / "out")


def test_a_split_with_shared_speakers_is_told(toys, tmp_path):
    root, cards = toys
    place = Workplace(data_root=root, cache=tmp_path, progress=False)
    (tmp_path / "folds.json").write_text('[{"test": ["s0_ang_0", "s1_cal_2"]}]')
    found = audit_corpora(cards[:1], place, split=str(tmp_path / "folds.json"), decode=False)
    (told,) = [row for row in findings(found) if row["kind"] == "speakers on both sides"]
    assert told["sentence"].startswith("2 of 6 speakers stand on both sides")
    assert told["named"] == ["s0", "s1"]


@pytest.fixture(scope="module")
def real(real_corpora, tmp_path_factory):
    missing = [name for name in ("emodb", "urdu", "ravdess") if not (real_corpora / name).is_dir()]
    if missing:
        pytest.skip(f"no {missing} in {real_corpora}")
    cache = tmp_path_factory.mktemp("audit")
    return audit_corpora(["emodb", "urdu", "ravdess"], Workplace(data_root=real_corpora, cache=cache, progress=False))


def of(result, corpus, kind):
    return [row for row in findings(result) if (row["corpus"], row["kind"]) == (corpus, kind)]


@pytest.mark.slow
def test_ravdess_actor_07_has_one_recording_twice(real):
    (found,) = of(real, "ravdess", "exact duplicates")
    assert found["named"] == ["Actor_07/03-01-03-01-02-01-07.wav = Actor_07/03-01-03-01-02-02-07.wav"]


def test_urdu_has_29_speakers_confounded_with_emotion(real):
    (found,) = of(real, "urdu", "speaker confound")
    assert "26 of 29 speakers show fewer than half of the 4 emotions" in found["sentence"]
    assert "Normalising by speaker would remove label information." in found["sentence"]
    assert found["severity"] == "serious"
    assert not of(real, "emodb", "speaker confound")
    assert not of(real, "ravdess", "speaker confound")


def test_urdu_has_one_recording_under_two_speakers_and_three_overlapping_cuts(real):
    """Found by the audit, then checked on the samples: they correlate at 0.99 and more where they overlap."""
    named = [pair for row in of(real, "urdu", "near duplicates") for pair in row["named"]]
    assert named == [
        "Happy/SF1_F4_H04.wav = Happy/SF4_F3_H019.wav",
        "Happy/SF6_F10_H034.wav = Happy/SF6_F5_H029.wav",
        "Sad/SM24_F14_S026.wav = Sad/SM24_F15_S027.wav",
        "Sad/SM25_F8_S058.wav = Sad/SM25_F9_S059.wav",
    ]
    assert len(real["duplicates"]["near"]) == 4


def test_emodb_s_ten_texts_stand_in_every_fold(real):
    (found,) = of(real, "emodb", "texts on both sides")
    assert "All 10 texts stand on both sides of every fold" in found["sentence"]
    assert [len(fold["texts"]) for fold in real["corpora"][0]["split"]["folds"]] == [10] * 5
    assert all(not fold["speakers"] for fold in real["corpora"][0]["split"]["folds"])


def test_urdu_can_be_won_without_listening(real):
    rows = {row["cue"]: row for row in real["corpora"][1]["shortcuts"]}
    assert rows["speaker's most frequent emotion"]["ua"] > 0.9
    assert rows["loudness"]["low"] > rows["loudness"]["chance"]
