"""What recordings are labelled with: votes, ratings alone, parts of an official split, speakers nobody can tell."""

import math

import pytest

from xlser.corpora.scan import scan
from xlser.errors import CardError, CorpusError

NAMES = ("s1_a.wav", "s1_b.wav", "s2_c.wav", "s2_d.wav")
GRAMMAR = r"(?P<speaker>s\d)_.*"


@pytest.fixture
def read(make_card, tree):
    """Return a function: the rows by path of a folder with a table, read by a card."""

    def scanned(text, names=NAMES, columns=(), votes=None, **changes):
        root = tree(*names)
        (root / "labels.csv").write_text(text)
        table = {"file": "labels.csv", "key": "file", "columns": dict(columns)} | ({"votes": votes} if votes else {})
        return scan(make_card(**{"grammar": GRAMMAR, "table": table} | changes), root)

    return scanned


def labels(found):
    return {row["path"]: (row["emotion_raw"], row["emotion"], row.get("votes")) for row in found.rows}


THREE = {
    "s1_a.wav": ("ang", "anger", '{"anger": 2, "neutral": 1}'),
    "s1_b.wav": ("", "no-agreement", '{"anger": 1, "sadness": 1}'),
    "s2_c.wav": ("neu", "neutral", '{"neutral": 3}'),
}
COUNTS = "file,a,n,s\ns1_a.wav,2,1,0\ns1_b.wav,1,,1\ns2_c.wav,,3.0,\ns2_d.wav,,,\n"
COLUMNS = "file,r1,r2,r3\ns1_a,ang,neu,ang\ns1_b,ang,,sad\ns2_c,neu,neu,NEU\ns2_d,,,\n"
ROWS = "file,who,emo\ns1_a,x,ang\ns1_a,y,neu\ns1_b,x,ang\ns1_a,z,ang\ns1_b,y,sad\ns2_c,x,neu\ns2_c,y,neu\ns2_c,z,neu\n"


@pytest.mark.parametrize(
    ("text", "columns", "votes"),
    [
        (COUNTS, {}, {"columns": {"ang": "a", "neutral": "n", "sad": "s"}}),
        (COLUMNS, {}, {"columns": ["r1", "r2", "r3"]}),
        (ROWS, {"emotion": "emo"}, {"rater": "who"}),
        (ROWS, {"emotion": "emo"}, "rows"),
    ],
    ids=["counts", "a column a rater", "a row a rater", "rows of raters without a name"],
)
def test_three_ways_to_write_votes_give_the_same_labels(read, text, columns, votes):
    found = read(text, columns=columns, votes=votes)
    assert {path: row[1:] for path, row in labels(found).items()} == {path: row[1:] for path, row in THREE.items()}
    shares = {row["path"]: row["agreement"] for row in found.rows}
    assert shares == {"s1_a.wav": 2 / 3, "s1_b.wav": 1 / 2, "s2_c.wav": 1.0}
    assert [row.get("secondary") for row in found.rows] == ["neutral", "anger, sadness", None]
    assert list(found.left_out.values()) == [["s2_d.wav"]]


def test_a_rater_who_votes_twice_is_one_rater(read):
    text = "file,who,emo\ns1_a,x,ang\ns1_a,x,ang\ns1_a,X2,neu\n"
    found = read(text, columns={"emotion": "emo"}, votes={"rater": "who"})
    assert labels(found)["s1_a.wav"][1] == "no-agreement"
    assert labels(read(text, columns={"emotion": "emo"}, votes="rows"))["s1_a.wav"][1] == "anger"


def test_a_cell_may_hold_several_labels(read):
    found = read("file,r1,r2\ns1_a,ang;sad,ang\n", votes={"columns": ["r1", "r2"]})
    assert labels(found)["s1_a.wav"] == ("ang", "anger", '{"anger": 2, "sadness": 1}')


def test_a_majority_may_be_asked_for(read):
    text = "file,r1,r2,r3,r4\ns1_a,ang,ang,sad,neu\n"
    columns = ["r1", "r2", "r3", "r4"]
    assert labels(read(text, votes={"columns": columns}))["s1_a.wav"][1] == "anger"
    assert labels(read(text, votes={"columns": columns, "rule": "majority"}))["s1_a.wav"][1] == "no-agreement"


def test_a_label_of_its_own_goes_before_the_votes(read):
    votes, emotion = {"columns": {"anger": "a", "neutral": "n"}}, {"sad": "sadness", "neu": "neutral"}
    found = read("file,emo,a,n\ns1_a,sad,2,1\ns1_b,neu,1,1\n", columns={"emotion": "emo"}, votes=votes, emotion=emotion)
    rows = [(row["emotion"], row["agreement"], row["secondary"]) for row in found.rows]
    assert rows == [("sadness", 0, "anger, neutral"), ("neutral", 0.5, "anger")]


def test_a_row_for_each_rater_without_votes_is_refused_with_the_way_out(read):
    with pytest.raises(CorpusError, match=r"labels\.csv gives 's1_a' twice.*table\.votes: \{rater: "):
        read(ROWS, columns={"emotion": "emo"})


def test_what_does_not_concern_raters_must_be_the_same_in_all_rows(read):
    text = "file,who,emo,spk\ns1_a,x,ang,Ann\ns1_a,y,neu,Bob\n"
    with pytest.raises(
        CorpusError, match=r"'s1_a'.* a row for each rater, of which 'speaker' is once Ann and once Bob"
    ):
        read(text, columns={"emotion": "emo", "speaker": "spk"}, votes="rows")


@pytest.mark.parametrize("cell", ["-1", "two", "inf"])
def test_a_count_that_is_none_is_named(read, cell):
    with pytest.raises(CorpusError, match=rf"labels\.csv, 's1_a': 'a' .*'{cell}'"):
        read(f"file,a,n\ns1_a,{cell},1\n", votes={"columns": {"ang": "a", "neu": "n"}})


def test_a_vote_that_the_card_does_not_know_is_named(read):
    with pytest.raises(CorpusError, match=r"vote 'xyz' is not in the card's `emotion` table"):
        read("file,r1,r2\ns1_a,ang,xyz\n", votes={"columns": ["r1", "r2"]})


def test_columns_of_counts_are_codes_or_canonical_names(make_card):
    table = {"file": "t.csv", "key": "f", "columns": {}, "votes": {"columns": {"angry": "a"}}}
    with pytest.raises(CardError, match=r"table\.votes\.columns.*'angry' is written 'anger'"):
        make_card(grammar=GRAMMAR, table=table)


RATED = {"scale": [1, 5], "columns": {"valence": "v", "activation": "a"}}


def test_a_corpus_may_be_rated_and_have_no_labels(read):
    text = "file,v,a\ns1_a,2.3333333333333335,1\ns1_b,5,\ns2_c,,\n"
    found = read(text, emotion=None, dimensions=RATED)
    rows = {row["path"]: row for row in found.rows}
    assert labels(found) == {"s1_a.wav": ("", "unlabelled", None), "s1_b.wav": ("", "unlabelled", None)}
    assert rows["s1_a.wav"]["valence_raw"] == 7 / 3
    assert (rows["s1_b.wav"]["valence_raw"], rows["s1_b.wav"]["activation_raw"]) == (5.0, None)


def test_ratings_may_lie_in_a_table_of_their_own(make_card, tree):
    root = tree(*NAMES)
    card = make_card(grammar=GRAMMAR, emotion=None, dimensions={**RATED, "file": "r.csv", "rater": "who"})
    with pytest.raises(CorpusError, match=r"its table r\.csv is missing"):
        scan(card, root)
    (root / "r.csv").write_text("file,who,v,a\ns1_a,x,1,3\ns1_a,y,2,\ns1_a,z,2,4\ns1_b,x,3,3\ns1_b,x,5,3\n")
    found = scan(card, root)
    rows = {row["path"]: (row["valence_raw"], row["activation_raw"]) for row in found.rows}
    assert rows == {"s1_a.wav": (pytest.approx(5 / 3), 3.5), "s1_b.wav": (4.0, 3.0)}
    assert found.left_out == {"neither label nor rating": ["s2_c.wav", "s2_d.wav"]}


def test_some_recordings_may_be_labelled_and_others_only_rated(read):
    text = "file,emo,v,a\ns1_a,ang,,\ns1_b,,2,3\ns2_c,,,\ns2_d,hap,4,4\n"
    found = read(text, columns={"emotion": "emo"}, dimensions=RATED)
    emotions = {path: row[1] for path, row in labels(found).items()}
    assert emotions == {"s1_a.wav": "anger", "s1_b.wav": "unlabelled", "s2_d.wav": "happiness"}
    assert "labels.csv: 1 incomplete row(s) passed over" in found.notes


def test_nothing_that_says_anything_is_refused(make_card):
    with pytest.raises(CardError, match=r"group named `emotion`.*`table\.votes`.*`dimensions` and no `emotion`"):
        make_card(grammar=GRAMMAR, emotion=None)


def test_a_part_of_the_official_split_is_kept_by_its_own_name(read):
    text = "file,emo,part\ns1_a,ang,Train\ns1_b,ang,\ns2_c,neu,Test 1\n"
    found = read(text, columns={"emotion": "emo", "part": "part"}, partition="{part}")
    assert [row.get("partition") for row in found.rows] == ["Train", None, "Test 1"]


SPEAKERS = "file,emo,spk\ns1_a,ang,Ann\ns1_b,ang,Unknown\ns2_c,neu,\ns2_d,neu,UNK\n"
SPOKEN = {"emotion": "emo", "speaker": "spk"}


@pytest.mark.parametrize(
    ("how", "speakers", "left_out"),
    [
        (None, ["Ann", "unknown:s1_b", "unknown:s2_d"], {"no speaker": ["s2_c.wav"]}),
        ("own", ["Ann", "unknown:s1_b", "unknown:s2_c", "unknown:s2_d"], {}),
        ("leave-out", ["Ann"], {"ignored by the card: the speaker is unknown": ["s1_b.wav", "s2_c.wav", "s2_d.wav"]}),
    ],
)
def test_unknown_speakers_are_not_one_person(read, how, speakers, left_out):
    found = read(SPEAKERS, columns=SPOKEN, grammar=".+", unknown_speaker=how)
    assert [row["speaker"] for row in found.rows] == speakers
    assert found.left_out == left_out
    counted = [note for note in found.notes if "unknown speakers" in note]
    assert len(counted) == (how != "leave-out")
    assert all(note.startswith(f"{len(speakers) - 1} recording(s) of unknown speakers") for note in counted)


def test_names_of_unknown_speakers_are_the_cards_to_say(read):
    found = read(SPEAKERS, columns=SPOKEN, grammar=".+", unknown_names=["Ann"])
    assert [row["speaker"] for row in found.rows] == ["unknown:s1_a", "Unknown", "UNK"]


def test_a_fixed_speaker_is_what_the_card_says(read):
    found = read(SPEAKERS, columns={"emotion": "emo"}, grammar=".+", speaker="unknown")
    assert {row["speaker"] for row in found.rows} == {"unknown"}


def test_secondary_emotions_are_read_by_the_card_or_by_name(read):
    text = 'file,emo,also\ns1_a,ang,"sad; disgust"\ns1_b,ang,\n'
    found = read(text, columns={"emotion": "emo", "secondary": "also"})
    assert [row.get("secondary") for row in found.rows] == ["sadness, disgust", None]
    with pytest.raises(CorpusError, match="secondary emotion 'angry' is neither"):
        read("file,emo,also\ns1_a,ang,angry\n", columns={"emotion": "emo", "secondary": "also"})


def test_agreement_is_a_number_wherever_somebody_voted(read):
    found = read(COLUMNS, votes={"columns": ["r1", "r2", "r3"]})
    assert all(0 < row["agreement"] <= 1 and not math.isnan(row["agreement"]) for row in found.rows)
