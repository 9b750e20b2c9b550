"""From a folder to rows: what fits is read, what does not is counted, what contradicts the card stops."""

import unicodedata

import pytest

from xlser.corpora.scan import scan
from xlser.errors import CorpusError

GOOD = ("s1_ang_1.wav", "s2_hap_1.wav", "s2_sad_1.wav")


def by_path(found):
    return {row["path"]: row for row in found.rows}


def test_a_row_holds_what_the_name_says(make_card, tree):
    card = make_card(text="{take}", session="{speaker}x", speaker_sex={"female": "s2"}, languages=["tr"])
    row = by_path(scan(card, tree(*GOOD)))["s2_hap_1.wav"]
    assert row == {
        "id": "toy/s2_hap_1",
        "corpus": "toy",
        "path": "s2_hap_1.wav",
        "language": "tr",
        "speaker": "s2",
        "sex": "female",
        "emotion_raw": "hap",
        "emotion": "happiness",
        "valence_raw": None,
        "activation_raw": None,
        "dominance_raw": None,
        "text": "1",
        "session": "s2x",
        "licence": "CC0",
    }


def test_a_folder_that_is_not_there_comes_with_the_way_out(make_card, tmp_path):
    with pytest.raises(CorpusError, match=r"nowhere does not exist\. Give the folder that holds '\*\.wav'"):
        scan(make_card(), tmp_path / "nowhere")


def test_a_file_in_place_of_the_folder_is_refused(make_card, tmp_path):
    (tmp_path / "corpus.zip").touch()
    with pytest.raises(CorpusError, match=r"corpus\.zip is not a folder"):
        scan(make_card(), tmp_path / "corpus.zip")


def test_an_empty_folder_says_so(make_card, tree):
    with pytest.raises(CorpusError, match=r"no file below .* fits '\*\.wav'\. It holds no audio file at all"):
        scan(make_card(), tree())


def test_a_wrong_folder_shows_the_audio_that_it_has(make_card, tree):
    with pytest.raises(CorpusError, match=r"It holds audio elsewhere, such as b/x\.flac, wav/s1_ang_1\.wav"):
        scan(make_card(), tree("wav/s1_ang_1.wav", "b/x.flac", "notes.txt"))


def test_a_grammar_that_fits_nothing_shows_three_names(make_card, tree):
    root = tree("a.wav", "b.wav", "c.wav", "d.wav")
    with pytest.raises(CorpusError, match=r"(?s)fits none of the 4 files.*failed on: a, b, c and 1 more") as told:
        scan(make_card(), root)
    assert make_card().grammar in str(told.value)


def test_names_that_do_not_fit_are_left_out_and_listed(make_card, tree):
    found = scan(
        make_card(),
        tree(*GOOD, "readme.wav", "s1_ang_1 copy.wav", "old/s1_ang_1.wav", "s1_ang_1.txt", "._s1_ang_1.wav"),
    )
    assert [row["path"] for row in found.rows] == list(GOOD)
    assert found.left_out == {
        "name does not fit the card's grammar": ["readme.wav", "s1_ang_1 copy.wav"],
        "audio that no `audio` pattern of the card names": ["old/s1_ang_1.wav"],
    }


def test_what_the_card_ignores_is_counted_under_its_reason(make_card, tree):
    card = make_card(audio="**/*.wav", ignore=[{"files": "copies/*", "reason": "filtered copies"}])
    found = scan(card, tree(*GOOD, "copies/s1_ang_1.wav", "copies/zzz.wav"))
    assert len(found.rows) == 3
    assert found.left_out == {"ignored by the card: filtered copies": ["copies/s1_ang_1.wav", "copies/zzz.wav"]}


def test_unknown_labels_are_told_with_files_and_the_known_codes(make_card, tree):
    with pytest.raises(CorpusError) as told:
        scan(make_card(), tree(*GOOD, "s1_xxx_1.wav", "s1_xxx_2.wav", "s1_yyy_1.wav"))
    text = str(told.value)
    assert "'xxx' is not in the card's `emotion` table (ang, hap, neu, sad): 2 files, such as s1_xxx_1.wav" in text
    assert "label 'yyy'" in text


def test_where_no_recording_has_a_speaker_it_is_refused(make_card, tree):
    card = make_card(grammar=r"(?P<speaker>s\d+)?_?(?P<emotion>[a-z]+)")
    with pytest.raises(CorpusError, match=r"no speaker: 1 file, such as ang\.wav\. .* template comes out empty"):
        scan(card, tree("ang.wav"))


def test_blanks_around_what_the_grammar_finds_do_not_count(make_card, tree):
    card = make_card(grammar="(?P<speaker>[^-]*)-(?P<emotion>.*)")
    (row,) = scan(card, tree("s1 - ang .wav")).rows
    assert (row["speaker"], row["emotion_raw"]) == ("s1", "ang")
    assert scan(card, tree("  -ang.wav")).left_out == {"no speaker": ["  -ang.wav"]}


def test_a_sex_code_that_the_card_does_not_know_is_refused(make_card, tree):
    grammar, root = "(?P<sex>.)(?P<speaker>.)_(?P<emotion>...)", tree("F1_ang.wav", "W2_ang.wav")
    with pytest.raises(CorpusError, match=r"sex 'W' is not in .* `sex` table \(F, M\): 1 file, such as W2_ang"):
        scan(make_card(grammar=grammar, sex={"F": "female", "M": "male"}), root)
    found = scan(make_card(grammar=grammar, sex={"F": "female", "W": "female"}), root)
    assert [row["sex"] for row in found.rows] == ["female", "female"]


def test_two_files_with_one_id_are_refused(make_card, tree):
    with pytest.raises(CorpusError, match=r"1 ids stand for two files, such as s1_ang_1\.flac and s1_ang_1\.wav"):
        scan(make_card(audio="*.{wav,flac}"), tree("s1_ang_1.wav", "s1_ang_1.flac"))


def test_a_grammar_with_a_slash_is_for_the_path(make_card, tree):
    grammar = r"(?P<emotion>[^/]+)/(?P<speaker>[^/]+)/\d+"
    card = make_card(audio="*/*/*.wav", grammar=grammar, emotion={"Colère": "anger"})
    root = tree(unicodedata.normalize("NFD", "Colère/Zoë/1.wav"))
    (row,) = scan(card, root).rows
    assert (row["emotion"], row["speaker"], row["id"]) == ("anger", "Zoë", "toy/Colère/Zoë/1")
    assert (root / row["path"]).is_file(), "the path must stay as it is on disk"


def test_a_corpus_of_two_languages_has_a_language_a_row(make_card, tree):
    grammar = "(?P<tongue>zh|en)_(?P<speaker>.)_(?P<emotion>...)"
    card = make_card(languages=["zh", "en"], language="{tongue}", grammar=grammar)
    found = scan(card, tree("zh_1_ang.wav", "en_2_ang.wav"))
    assert {row["speaker"]: row["language"] for row in found.rows} == {"1": "zh", "2": "en"}
