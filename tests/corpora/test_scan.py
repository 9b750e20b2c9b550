"""From a folder to rows: what fits is read, what does not is counted, what contradicts the card stops."""

import unicodedata

import pytest

from xlser.corpora.scan import scan
from xlser.errors import CorpusError

GOOD = ("s1_ang_1.wav", "s2_hap_1.wav", "s2_sad_1.wav")
DIMENSIONS = {"file": "r.csv", "scale": [1, 5], "columns": {"activation": "activation", "valence": "valence"}}


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
    with pytest.raises(CorpusError, match=r"nowhere does not exist\. Give the folder that holds '\*\.wav': --root DIR"):
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
    found = scan(make_card(), tree(*GOOD, "readme.wav", "old/s1_ang_1.wav", "s1_ang_1.txt", "._s1_ang_1.wav"))
    assert [row["path"] for row in found.rows] == list(GOOD)
    assert found.left_out == {
        "name does not fit the card's grammar": ["readme.wav"],
        "audio outside the card's folders": ["old/s1_ang_1.wav"],
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


def test_a_speaker_that_comes_out_empty_is_refused(make_card, tree):
    card = make_card(grammar=r"(?P<speaker>s\d+)?_?(?P<emotion>[a-z]+)")
    with pytest.raises(CorpusError, match=r"no speaker: .* template comes out empty: 1 file, such as ang\.wav"):
        scan(card, tree("s1_ang.wav", "ang.wav"))


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


@pytest.fixture
def rated(make_card, tree):
    def read(ratings):
        root = tree(*GOOD)
        (root / "r.csv").write_text("filename,activation,valence\n" + ratings)
        return scan(make_card(dimensions=DIMENSIONS), root)

    return read


def test_ratings_are_joined_by_file_name_on_the_corpus_scale(rated):
    found = rated("S1_ANG_1.WAV,4.5,1\ns2_hap_1,4,5\ns2_sad_1.wav,1,2\n")
    assert [(row["activation_raw"], row["valence_raw"]) for row in found.rows] == [(4.5, 1), (4, 5), (1, 2)]
    assert found.notes == []


def test_ratings_and_recordings_that_do_not_meet_are_counted(rated):
    found = rated("s1_ang_1.wav,4,1\nzzz.wav,1,1\nyyy.wav,2,2\nxxx.wav,nan,nan\n")
    assert found.notes == [
        "r.csv: 1 incomplete row(s) passed over",
        "r.csv: 2 row(s) without audio, such as yyy, zzz",
        "r.csv: 2 recording(s) without ratings, such as s2_hap_1.wav, s2_sad_1.wav",
    ]
    assert found.rows[1]["activation_raw"] is None


def test_ratings_that_are_nowhere_are_a_note(make_card, tree):
    found = scan(make_card(dimensions=DIMENSIONS), tree(*GOOD))
    assert len(found.notes) == 1
    assert "no ratings: r.csv was not found (looked for" in found.notes[0]


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("5.5", "activation 5.5 is outside the card's scale [1, 5]"),
        ("0", "activation 0 is outside the card's scale [1, 5]"),
        ("inf", "activation inf is outside"),
        ("high", "activation 'high' is not a number"),
        ("'3'", "is not a number"),
    ],
)
def test_a_rating_that_cannot_be_is_refused_with_its_file(rated, cell, told):
    with pytest.raises(CorpusError) as error:
        rated(f"s1_ang_1.wav,{cell},1\n")
    assert told in str(error.value)
    assert "s1_ang_1.wav" in str(error.value)


NEMO = {
    "audio": "samples/*.wav",
    "grammar": ".*",
    "speaker": "{speaker_id}",
    "text": "{text}",
    "emotion": {"anger": "anger", "neutral": "neutral"},
    "table": {
        "file": "data.tsv",
        "key": "file_id",
        "separator": "\t",
        "columns": {"emotion": "emotion", "speaker_id": "speaker_id", "text": "raw_text", "sex": "gender"},
    },
    "sex": {"male": "male", "female": "female"},
}


@pytest.fixture
def nemo(make_card, tree):
    def read(lines, **changes):
        root = tree("samples/SB0_anger_s16.wav", "samples/SB0_neutral_s16.wav", "samples/JMI_anger_s1.wav")
        head = "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage\n"
        (root / "data.tsv").write_text(head + "".join(f"{line}\n" for line in lines))
        return scan(make_card(**NEMO, **changes), root)

    return read


LINES = (
    "SB0_anger_s16.wav\tanger\tNie, dziękuję.\tnie\t  SB0\tmale\t29",
    "SB0_neutral_s16.wav\tneutral\tTo jest.\tto\t  SB0\tmale\t29",
    "JMI_anger_s1.wav\tanger\tTak.\ttak\t JMI\tfemale\t30",
)


def test_a_corpus_described_by_a_table_is_read_from_it(nemo):
    found = nemo(LINES)
    assert [(r["speaker"], r["emotion"], r["sex"], r["text"]) for r in found.rows] == [
        ("JMI", "anger", "female", "Tak."),
        ("SB0", "anger", "male", "Nie, dziękuję."),
        ("SB0", "neutral", "male", "To jest."),
    ]


def test_recordings_that_the_table_does_not_list_are_left_out_and_listed(nemo):
    found = nemo(LINES[:2])
    assert found.left_out == {"no row in data.tsv": ["samples/JMI_anger_s1.wav"]}
    assert len(found.rows) == 2


def test_a_table_that_lists_none_of_the_recordings_is_blamed_and_not_the_grammar(nemo):
    with pytest.raises(CorpusError, match=r"data\.tsv has no row for any of the 3 recordings") as told:
        nemo([line.replace(".wav", "_x.wav") for line in LINES])
    assert "its keys: jmi_anger_s1_x, " in str(told.value)
    assert "grammar" not in str(told.value)


def test_a_missing_table_of_labels_stops_with_the_places_tried(make_card, tree):
    with pytest.raises(CorpusError, match=r"its table data\.tsv is missing; looked for .*labels/data\.tsv"):
        scan(make_card(**NEMO), tree("samples/a.wav"))
