"""IEMOCAP in its own layout, with everything in it that has led other readers astray."""

import pytest

from xlser.corpora.card import load_card
from xlser.corpora.hooks import iemocap
from xlser.corpora.scan import scan
from xlser.errors import CorpusError

HEAD = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
# Seconds, turn, label, valence, activation, dominance; then what evaluators and the actor said.
RATERS = (
    "C-E2:\tNeutral;\t()\nC-E3:\tNeutral; Frustration;\t(annoyed)\nC-F1:\tHappiness;\t()\n"
    "A-E3:\tval 3; act 2; dom  2;\t()\nA-E4:\tval ; act 3; dom  2;\t()\nA-F1:\tval 5; act 5; dom  5;\t()\n\n"
)
TURNS = {
    "Ses01F_impro01": (
        ("Ses01F_impro01_F000", "neu", "2.5000, 2.5000, 2.5000"),
        ("Ses01F_impro01_M001", "exc", "4.0000, 4.5000, 3.5000"),
        ("Ses01F_impro01_M002", "xxx", "1.0000, 2.0000, 3.0000"),
    ),
    "Ses01M_script01_1b": (
        ("Ses01M_script01_1b_F000", "fru", "2.0000, 3.0000, 4.0000"),
        ("Ses01M_script01_1b_M000", "ang", "1.5000, 4.5000, 5.0000"),
    ),
    "Ses05F_script03_2": (("Ses05F_script03_2_M044", "hap", "4.3333, 3.0000, 2.6667"),),
}


@pytest.fixture
def root(tree):
    audio = [f"Session{turn[4]}/sentences/wav/{d}/{turn}.wav" for d, turns in TURNS.items() for turn, *_ in turns]
    root = tree(*audio, "Session1/sentences/wav/Ses01F_impro01/._Ses01F_impro01_F000.wav")
    tree("Session1/dialog/wav/Ses01F_impro01.wav", "Session1/sentences/MOCAP_hand/Ses01F_impro01/x.txt")
    for dialogue, turns in TURNS.items():
        folder = root / f"Session{dialogue[4]}/dialog/EmoEvaluation"
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f"[6.2901 - 8.2357]\t{turn}\t{label}\t[{vad}]\n{RATERS}" for turn, label, vad in turns]
        (folder / f"{dialogue}.txt").write_text(HEAD + "".join(lines))
        (folder / f"._{dialogue}.txt").write_bytes(b"\x00\x05\x16\x07 Mac OS X")
        for below in ("Categorical", "Attribute", "Self-evaluation"):
            (folder / below).mkdir(exist_ok=True)
            wrong = f"[6.2901 - 8.2357]\t{turns[0][0]}\tsad\t[5.0000, 5.0000, 5.0000]\n"
            (folder / below / f"{dialogue}_e2.txt").write_text(wrong)
    transcript = root / "Session1/dialog/transcriptions/Ses01F_impro01.txt"
    transcript.parent.mkdir()
    transcript.write_text("Ses01F_impro01_FXX0 [006.2-008.2]: (BREATHING)\n")
    return root


@pytest.fixture
def rows(root):
    return {row["path"].rpartition("/")[2].removesuffix(".wav"): row for row in scan(load_card("iemocap"), root).rows}


def test_every_turn_with_audio_and_label_is_a_row_and_nothing_else_is(root, rows):
    found = scan(load_card("iemocap"), root)
    assert set(rows) == {turn for turns in TURNS.values() for turn, *_ in turns}
    assert found.left_out == {
        "audio that no `audio` pattern of the card names": ["Session1/dialog/wav/Ses01F_impro01.wav"]
    }
    assert found.notes == []


def test_the_talker_is_the_end_of_the_name_and_not_its_beginning(rows):
    told = {turn: (row["speaker"], row["sex"], row["session"]) for turn, row in rows.items()}
    assert told == {
        "Ses01F_impro01_F000": ("01F", "female", "01"),
        "Ses01F_impro01_M001": ("01M", "male", "01"),
        "Ses01F_impro01_M002": ("01M", "male", "01"),
        "Ses01M_script01_1b_F000": ("01F", "female", "01"),
        "Ses01M_script01_1b_M000": ("01M", "male", "01"),
        "Ses05F_script03_2_M044": ("05M", "male", "05"),
    }


def test_dimensions_are_read_in_the_order_valence_activation_dominance(rows):
    row = rows["Ses01M_script01_1b_M000"]
    assert (row["valence_raw"], row["activation_raw"], row["dominance_raw"]) == (1.5, 4.5, 5.0)
    row = rows["Ses05F_script03_2_M044"]
    assert (row["valence_raw"], row["activation_raw"], row["dominance_raw"]) == (4.3333, 3.0, 2.6667)


def test_raw_labels_are_kept_and_excitement_and_disagreement_stay_what_they_are(rows):
    told = {row["emotion_raw"]: row["emotion"] for row in rows.values()}
    assert told == {
        "neu": "neutral",
        "exc": "excitement",
        "xxx": "no-agreement",
        "fru": "frustration",
        "ang": "anger",
        "hap": "happiness",
    }


def test_turns_without_audio_and_audio_without_a_turn_are_counted(root):
    (root / "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M002.wav").unlink()
    (root / "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F009.wav").touch()
    (root / "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_FXX0.wav").touch()
    found = scan(load_card("iemocap"), root)
    assert found.notes == ["EmoEvaluation: 1 row(s) without audio, such as ses01f_impro01_m002"]
    folder = "Session1/sentences/wav/Ses01F_impro01"
    assert found.left_out["no row in EmoEvaluation"] == [f"{folder}/Ses01F_impro01_F009.wav"]
    assert found.left_out["name does not fit the card's grammar"] == [f"{folder}/Ses01F_impro01_FXX0.wav"]


def test_two_lines_that_contradict_each_other_are_refused(root):
    path = root / "Session1/dialog/EmoEvaluation/Ses01F_impro02.txt"
    path.write_text("[1.0 - 2.0]\tSes01F_impro01_F000\tsad\t[2.5000, 2.5000, 2.5000]\n")
    with pytest.raises(CorpusError, match=r"Ses01F_impro02\.txt gives 'ses01f_impro01_f000' twice"):
        scan(load_card("iemocap"), root)


def test_missing_label_files_stop_with_the_place(tree):
    root = tree("Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav")
    with pytest.raises(CorpusError, match=r"corpus iemocap: no label file Session\[1-5\]/dialog/EmoEvaluation/\*\.txt"):
        scan(load_card("iemocap"), root)


def test_dos_line_ends_do_not_matter(root):
    path = root / "Session5/dialog/EmoEvaluation/Ses05F_script03_2.txt"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert iemocap.read(root).values["ses05f_script03_2_m044"]["emotion"] == "hap"


@pytest.mark.parametrize(
    ("printed", "left"),
    [
        ("4.0000, 3.0000, 0.5000", (4.0, 3.0, None)),  # Ses01M_script03_1_F026 of the release
        ("5.5000, 4.5000, 5.0000", (None, 4.5, 5.0)),
        ("1.0000, 5.0000, 5.0000", (1.0, 5.0, 5.0)),
    ],
)
def test_a_rating_off_the_scale_is_left_empty_and_the_others_stay(root, printed, left):
    path = root / "Session5/dialog/EmoEvaluation/Ses05F_script03_2.txt"
    path.write_text(path.read_text().replace("4.3333, 3.0000, 2.6667", printed))
    (row,) = [row for row in scan(load_card("iemocap"), root).rows if row["session"] == "05"]
    assert (row["valence_raw"], row["activation_raw"], row["dominance_raw"]) == left
    assert row["emotion"] == "happiness"


def test_turns_of_both_people_are_told_apart_in_improvised_and_scripted_dialogues_alike(tree):
    names = [
        *("Ses02M_impro01_F000", "Ses02M_impro01_M000", "Ses03M_impro05a_F000", "Ses03M_impro05a_M000"),
        *("Ses04F_script01_1_F000", "Ses04F_script01_1_M000", "Ses05M_script01_1b_F000", "Ses05M_script01_1b_M000"),
    ]
    root = tree(*(f"Session{name[4]}/sentences/wav/{name.rpartition('_')[0]}/{name}.wav" for name in names))
    for name in names:
        path = root / f"Session{name[4]}/dialog/EmoEvaluation/{name.rpartition('_')[0]}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"[0.1000 - 2.0000]\t{name}\tneu\t[3.0000, 3.0000, 3.0000]\n{RATERS}")
    found = scan(load_card("iemocap"), root)
    assert {row["id"]: row["speaker"] for row in found.rows} == {
        f"iemocap/Session{name[4]}/sentences/wav/{name.rpartition('_')[0]}/{name}": f"0{name[4]}{name[-4]}"
        for name in names
    }
