"""Rows joined to side tables: ratings by file name, and corpora that a table describes."""

import pytest

from xlser.corpora.scan import scan
from xlser.errors import CorpusError

GOOD = ("s1_ang_1.wav", "s2_hap_1.wav", "s2_sad_1.wav")
DIMENSIONS = {"file": "r.csv", "scale": [1, 5], "columns": {"activation": "activation", "valence": "valence"}}


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
        ("5.5", "activation is outside the card's `dimensions.scale` [1, 5]: 1 file, such as s1_ang_1.wav (5.5)"),
        ("0", "activation is outside the card's `dimensions.scale` [1, 5]: 1 file, such as s1_ang_1.wav (0)"),
        ("inf", "activation is outside"),
        ("high", "activation is not a number: 1 file, such as s1_ang_1.wav (high)"),
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
