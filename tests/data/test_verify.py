"""A folder against its card: complete, incomplete, too much, or wrong."""

import numpy as np
import pytest
import soundfile

from xlser.corpora.card import load_card
from xlser.data.audio import content_hash
from xlser.data.manifest import build_manifest
from xlser.data.verify import verify

NAMES = ("s1_ang_1.wav", "s1_hap_1.wav", "s2_ang_1.wav", "s2_sad_1.wav")
EXPECT = {"utterances": 4, "speakers": 2, "emotion": {"ang": 2, "hap": 1, "neu": 0, "sad": 1}}


@pytest.fixture
def card(make_card):
    return make_card(expect=EXPECT, speaker_sex={"female": "s2"})


def test_a_complete_corpus_is_said_to_be(card, corpus):
    found = verify(card, corpus(*NAMES))
    assert found.ok
    assert not found.gaps
    lines = found.text().splitlines()
    assert lines[0] == "toy: complete"
    assert "  4 utterances, 2 speakers (1 sex not given, 1 female), 0.00 h, 0.40 to 0.40 s" in lines
    assert "  emotions: ang anger 2, hap happiness 1, sad sadness 1" in lines
    assert "  audio: 16000 Hz: 4; channels: 1: 4" in lines
    assert "  ratings: none" in lines


def test_a_part_of_a_corpus_is_sound_and_its_gaps_are_counted(card, corpus):
    found = verify(card, corpus(*NAMES[:2]))
    assert found.ok
    assert found.gaps == ["utterances: 2 of 4", "speakers: 1 of 2", "ang (anger): 1 of 2", "sad (sadness): 0 of 1"]
    assert found.text().startswith("toy: incomplete, but sound\n")
    assert "  incomplete: utterances: 2 of 4" in found.text()


def test_more_than_the_complete_corpus_is_a_problem(card, corpus):
    found = verify(card, corpus(*NAMES, "s2_sad_2.wav"))
    assert not found.ok
    assert found.problems == [
        "utterances: 5, but the complete corpus has 4; are copies in the folder?",
        "sad (sadness): 2, but the complete corpus has 1; are copies in the folder?",
    ]
    assert found.text().startswith("toy: something is wrong\n")
    assert "  PROBLEM: utterances: 5" in found.text()


MORE = [f"s1_ang_{number}.wav" for number in range(10, 30)]


def test_a_card_that_misses_more_than_one_file_in_twenty_is_wrong(make_card, corpus):
    found = verify(make_card(audio="**/*.wav"), corpus(*NAMES, "readme.wav", "Anna 1.wav"))
    assert not found.ok
    assert f"only {len(NAMES)} of {len(NAMES) + 2} audio files are used" in found.text()


def test_files_that_the_card_keeps_out_are_told_and_no_problem(make_card, corpus):
    card = make_card(audio="**/*.wav", ignore=[{"files": "old/*", "reason": "copies"}])
    found = verify(card, corpus(*NAMES, *MORE, "old/s1_ang_1.wav", "readme.wav"))
    assert found.ok
    assert "1 left out, ignored by the card: copies: old/s1_ang_1.wav" in found.text()
    assert "1 left out, name does not fit the card's grammar: readme.wav" in found.text()


def test_broken_files_are_problems_with_their_names(card, corpus):
    root = corpus(*NAMES)
    (root / "s2_sad_1.wav").write_text("404")
    soundfile.write(root / "s2_ang_1.wav", np.zeros(800), 16_000)
    found = verify(card, root)
    assert "1 left out, text named as audio: s2_sad_1.wav" in found.problems
    assert "s2_ang_1.wav: silent: the loudest sample is 0.0e+00" in found.problems
    assert verify(card, root, decode=False).problems == found.problems[:1], "headers do not tell of silence"


def test_facts_that_nobody_has_checked_are_marked(make_card, corpus):
    assert "nobody has checked" in verify(make_card(name="kannada", verified=False), corpus(*NAMES)).text()
    assert "nobody has checked" not in verify(make_card(), corpus(*NAMES)).text()
    assert "nobody has checked" not in verify(make_card(verified="never"), corpus(*NAMES)).text()


@pytest.mark.parametrize(
    ("name", "utterances", "speakers", "sexes", "emotions"),
    [
        ("emodb", 535, 10, None, {"W": 127, "L": 81, "E": 46, "A": 69, "F": 71, "T": 62, "N": 79}),
        ("urdu", 400, 29, {"male": 344, "female": 56}, dict.fromkeys("AHNS", 100)),
    ],
)
def test_the_real_corpus_is_complete(real_corpora, name, utterances, speakers, sexes, emotions):
    found = verify(load_card(name), real_corpora / name)
    frame = found.manifest.frame
    assert found.text().startswith(f"{name}: complete")
    assert (len(frame), frame["speaker"].nunique()) == (utterances, speakers)
    assert frame["emotion_raw"].value_counts().to_dict() == emotions
    if sexes:
        assert frame["sex"].value_counts().to_dict() == sexes


def test_the_third_of_ravdess_that_lies_here_is_incomplete_and_sound(real_corpora):
    found = verify(load_card("ravdess"), real_corpora / "ravdess")
    assert found.ok
    assert "utterances: 480 of 1,440" in found.gaps
    assert "speakers: 8 of 24" in found.gaps
    assert "calm" in set(found.manifest.frame["emotion"])


def test_the_one_pair_of_equal_recordings_in_ravdess_has_one_content(real_corpora):
    names = [f"ravdess/Actor_07/03-01-03-01-02-0{take}-07.wav" for take in (1, 2)]
    others = sorted((real_corpora / "ravdess" / "Actor_07").glob("*.wav"))
    assert content_hash(real_corpora / names[0]) == content_hash(real_corpora / names[1])
    assert len({content_hash(path) for path in others}) == len(others) - 1


@pytest.mark.parametrize(("name", "rated"), [("emodb", 535), ("urdu", 400)])
def test_published_ratings_join_completely(real_corpora, name, rated):
    manifest = build_manifest(load_card(name), real_corpora / name)
    if any("was not found" in note for note in manifest.notes):
        pytest.skip(f"no ratings of Das et al. 2022: put das2022/ into {real_corpora.parent / 'labels'}")
    frame = manifest.frame
    assert manifest.notes == []
    assert frame[["activation_raw", "valence_raw"]].notna().all(axis=1).sum() == rated
    assert frame[["activation", "valence"]].min().min() >= -1
    assert frame[["activation", "valence"]].max().max() <= 1
    halves = frame[["activation_raw", "valence_raw"]].to_numpy() * 2
    assert (halves == halves.round()).all(), "the raters' scale has steps of one half"
