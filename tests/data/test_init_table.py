"""A first card for the tables that people really have: it loads, and reads the folder as the table says."""

import csv
import re

import numpy as np
import pandas as pd
import pytest
import soundfile

from xlser.corpora.card import load_card
from xlser.data.formats.table_options import TableOptions
from xlser.data.init_card import first_card
from xlser.data.manifest import build_manifest
from xlser.errors import CardError


@pytest.fixture
def unfinished(tmp_path, voice):
    """Return a function: the draft of a table that cannot be read yet, and what loading it as a card says."""

    def make(rows):
        (tmp_path / "corpus").mkdir()
        for name in ("a.wav", "b.wav"):
            soundfile.write(tmp_path / "corpus" / name, voice(1.0), 16_000)
        with (tmp_path / "corpus/labels.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
        draft = first_card(tmp_path / "corpus/labels.csv")
        (tmp_path / "card.yaml").write_text(draft.text, encoding="utf-8")
        with pytest.raises(CardError, match="not finished") as error:
            load_card(tmp_path / "card.yaml")
        return draft, str(error.value)

    return make


@pytest.fixture
def drafted(tmp_path, voice):
    """Return a function: the manifest, the card and the draft of a first card for a table beside recordings."""

    def make(rows, name="labels.csv", seconds=2.0, files=("a.wav", "b.wav"), folder=False, separator=",", channels=1):
        root = tmp_path / "corpus"
        root.mkdir()
        for number, file in enumerate(files):
            (root / file).parent.mkdir(exist_ok=True, parents=True)
            wave = np.stack([voice(seconds, seed=number)] * channels, axis=1)
            soundfile.write(root / file, wave, 16_000)
        frame = pd.DataFrame(rows[1:], columns=rows[0])
        if name.endswith(".xlsx"):
            frame.to_excel(root / name, index=False)
        elif name.endswith(".jsonl"):
            frame.to_json(root / name, orient="records", lines=True)
        else:
            with (root / name).open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, delimiter=separator).writerows(rows)
        draft = first_card(root if folder else root / name)
        (tmp_path / "card.yaml").write_text(draft.text, encoding="utf-8")
        card = load_card(tmp_path / "card.yaml")
        return build_manifest(card, root), card, draft

    return make


def times(made):
    return made.frame[["path", "start", "end", "emotion", "speaker"]].to_numpy().tolist()


WORDS = {"anger": "angry", "sadness": "sad"}
WANTED = [["a.wav", 0.0, 0.75, "anger", "x"], ["a.wav", 0.75, 1.5, "sadness", "y"], ["b.wav", 0.5, 1.5, "anger", "x"]]


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("name", ["labels.csv", "labels.xlsx", "labels.jsonl"])
def test_a_table_of_segments(drafted, name, folder):
    rows = [["file", "onset", "offset", "emotion", "speaker"]]
    rows += [[path, start, end, WORDS[label], who] for path, start, end, label, who in WANTED]
    made, card, draft = drafted(rows, name, folder=folder)
    assert times(made) == WANTED
    assert card.table.columns["start"] == ("onset",)
    assert any(line.startswith("times: no header names a unit") for line in draft.check)
    assert "read with this card: 3 segments of 2 recordings, 2 speaker(s)" in draft.guessed


@pytest.mark.parametrize(
    ("heads", "factor", "lasting"),
    [
        (("Start (ms)", "End (ms)"), 1000, False),
        (("begin", "length"), 1000, True),
        (("begin_sample", "end_sample"), 16_000, False),
        (("begin", "end"), 16_000, False),
        (("start_time", "duration"), 1, True),
    ],
)
def test_times_in_other_units_are_found_by_header_or_by_the_recordings(drafted, heads, factor, lasting):
    rows = [["file", *heads, "emotion", "speaker"]]
    for path, start, end, label, who in WANTED:
        cells = [start * factor, (end - lasting * start) * factor]
        cells = [int(cell) if factor > 1 else cell for cell in cells]
        rows.append([path, *cells, WORDS[label], who])
    made, _, _ = drafted(rows)
    assert times(made) == WANTED


def test_times_that_are_elsewhere_are_ignored_and_said(drafted):
    made, card, draft = drafted(
        [["file", "StartTime", "EndTime", "emotion", "speaker"], ["a.wav", "0:16:16", "0:16:18", "angry", "x"]]
    )
    assert made.frame["duration"].tolist() == [2.0]
    assert card.table.ignore == ("StartTime", "EndTime")
    assert any("are outside the recordings" in line for line in draft.check)


def test_columns_of_parts_channels_sexes_and_people(drafted):
    made, _, draft = drafted(
        [
            ["Audio File", "Emotion Label", "Speaker ID", "Gender", "Split", "Channel", "Mood of the day"],
            ["C:\\data\\calls\\a.wav", "angry", 3, "F", "Train", 1, "x"],
            ["C:\\data\\calls\\a.wav", "sad", 4, "M", "Train", 2, "x"],
            ["C:\\data\\calls\\b.wav", "sad", 5, "other", "Test1", 1, "x"],
        ],
        channels=2,
    )
    columns = ["path", "speaker", "sex", "partition", "channel"]
    assert made.frame[columns].astype(object).where(made.frame[columns].notna(), None).to_numpy().tolist() == [
        ["a.wav", "3", "female", "Train", 1.0],
        ["a.wav", "4", "male", "Train", 2.0],
        ["b.wav", "5", None, "Test1", 1.0],
    ]
    assert any("columns not read: Mood of the day" in line for line in draft.check)


def test_means_of_raters_have_a_scale_that_holds_them(drafted):
    third = 4 + 2 / 3
    rows = [["file", "emotion", "speaker", "valence", "arousal"], ["a.wav", "angry", "x", 1 / 3 + 1, third]]
    made, card, draft = drafted([*rows, ["b.wav", "sad", "y", 4.999999999999, 2]])
    assert card.dimensions.scale == (1, 5)
    assert made.frame["activation_raw"].tolist() == [third, 2]
    assert "dimensions: the ratings lie in [1.333, 5]; write the ends of their scale" in draft.check


def test_ratings_with_decimal_commas_and_no_labels(drafted):
    rows = [["file", "speaker", "valence"], ["a.wav", "x", "0,25"], ["b.wav", "y", "-0,5"]]
    made, card, _ = drafted(rows, separator=";")
    assert made.frame["valence_raw"].tolist() == [0.25, -0.5]
    assert set(made.frame["emotion"]) == {"unlabelled"}
    assert card.dimensions.scale == (-1, 1)


@pytest.mark.parametrize(
    "rows",
    [
        [
            ["file", "speaker", "rater", "emotion"],
            *(["a.wav", "x", rater, "sad" if rater == 3 else "angry"] for rater in (1, 2, 3)),
        ],
        [["file", "speaker", "emotion"], *(["a.wav", "x", emotion] for emotion in ("angry", "angry", "sad"))],
        [["file", "speaker", "angry_votes", "sad_votes"], ["a.wav", "x", 2, 1]],
        [["file", "speaker", "rater1", "rater2", "rater3"], ["a.wav", "x", "angry", "sad", "angry"]],
    ],
    ids=["a row a rater", "rows without raters", "counts", "a column a rater"],
)
def test_votes(drafted, rows):
    made, _, _ = drafted(rows)
    assert made.frame[["emotion", "votes"]].to_numpy().tolist() == [["anger", '{"anger": 2, "sadness": 1}']]


def test_a_table_whose_paths_are_nobodys_says_where_it_looked(unfinished):
    draft, said = unfinished([["file", "emotion", "speaker"], ["zzz/q.wav", "angry", "x"]])
    assert re.search(r"none of its 1 paths, such as zzz/q\.wav, is .* recordings.*--root", draft.text)
    assert "key: EDIT" in said


def test_other_folders_than_on_the_disk(drafted):
    made, card, _ = drafted([["file", "emotion", "speaker"], ["raw/a.wav", "angry", "x"]])
    assert made.frame["path"].tolist() == ["a.wav"]
    assert card.table.match == "name"


def test_counts_of_raters_who_heard_something_else_count(drafted):
    rows = [["file", "speaker", "angry", "sad", "other"], ["a.wav", "x", "2", "1", "3"], ["b.wav", "y", "2", "1", "0"]]
    made, _, draft = drafted(rows)
    assert made.frame["emotion"].tolist() == ["other", "anger"]
    assert not any("not read" in line for line in draft.check)


def test_a_row_a_rater_names_the_column_of_raters(drafted):
    rows = [["file", "speaker", "rater", "emotion"]]
    rows += [["a.wav", "x", who, said] for who, said in (("1", "angry"), ("1", "angry"), ("2", "sad"))]
    _, card, draft = drafted([*rows, ["b.wav", "y", "1", "sad"]])
    assert card.table.votes.rater == ("rater",)
    assert not any("not read" in line for line in draft.check)


def test_a_recording_whose_row_has_no_label_is_told_from_one_without_a_row(drafted):
    rows = [["file", "speaker", "emotion"], ["a.wav", "x", "angry"], ["b.wav", "y", ""], ["e.wav", "y", "sad"]]
    made, _, _ = drafted(rows, files=("a.wav", "b.wav", "c.wav", "e.wav"))
    assert made.left_out == {"neither label nor rating in labels.csv": ["b.wav"], "no row in labels.csv": ["c.wav"]}


@pytest.mark.parametrize(("name", "language"), [("off", "no"), ("yes", "de"), ("2024", "no")])
def test_names_and_languages_that_yaml_would_read_otherwise(tmp_path, voice, name, language):
    for file in ("a", "b"):
        soundfile.write(tmp_path / f"{file}.wav", voice(0.5), 16_000)
    rows = [f"a.wav,x,angry,{language}", f"b.wav,y,sad,{language}"]
    (tmp_path / "labels.csv").write_text("\n".join(["file,speaker,emotion,language", *rows]))
    (tmp_path / "card.yaml").write_text(first_card(tmp_path / "labels.csv", name).text)
    card = load_card(tmp_path / "card.yaml")
    assert (card.name, card.languages) == (name, (language,))


def test_a_missing_column_of_labels_is_asked_for_and_can_be_named(unfinished, tmp_path):
    rows = [["recording", "who", "feeling", "note"], ["a.wav", "x", "angry", "-"], ["b.wav", "y", "sad", "-"]]
    draft, said = unfinished(rows)
    assert "--column emotion='feeling'" in draft.text
    assert draft.missing == {"emotion": rows[0], "speaker": rows[0]}
    assert "emotion: EDIT, speaker: EDIT" in said
    named = {"emotion": "feeling", "speaker": "who"}
    assert first_card(tmp_path / "corpus/labels.csv", options=TableOptions(columns=named)).finished


POLISH = [["Plik", "Mówca", "Płeć", "Emocja"], ["a.wav", "Ąnna", "K", "złość"], ["b.wav", "Łukasz", "M", "nuda"]]
GERMAN = [
    ["Datei", "Sprecher", "Geschlecht", "Gefühl"],
    ["a.wav", "Jörg", "M", "Ärger"],
    ["b.wav", "Rosa", "W", "Ekel"],
]
RUSSIAN = [["Файл", "Диктор", "Пол", "Эмоция"], ["a.wav", "Анна", "Ж", "гнев"], ["b.wav", "Олег", "М", "скука"]]
GREEK = [
    ["Αρχείο", "Ομιλητής", "Φύλο", "Συναίσθημα"],
    ["a.wav", "Άννα", "Γ", "θυμός"],
    ["b.wav", "Νίκος", "Α", "φόβος"],
]
CHINESE = [["文件名", "说话人", "性别", "情感"], ["a.wav", "王", "女", "愤怒"], ["b.wav", "李", "男", "悲伤"]]
SPANISH = [
    ["archivo", "hablante", "sexo", "emoción"],
    ["a.wav", "Íñigo", "H", "enojo"],
    ["b.wav", "Bego", "M", "miedo"],
]


@pytest.mark.parametrize(
    ("rows", "encoding", "emotions", "sexes"),
    [
        (POLISH, "cp1250", ["anger", "boredom"], ["female", "male"]),
        (GERMAN, "cp1252", ["anger", "disgust"], ["male", "female"]),
        (RUSSIAN, "cp1251", ["anger", "boredom"], ["female", "male"]),
        (GREEK, "cp1253", ["anger", "fear"], ["female", "male"]),
        (CHINESE, "gb18030", ["anger", "sadness"], ["female", "male"]),
        (SPANISH, "utf-8", ["anger", "fear"], ["male", "female"]),
    ],
)
def test_tables_of_many_languages_and_encodings(tmp_path, voice, rows, encoding, emotions, sexes):
    for number, row in enumerate(rows[1:]):
        soundfile.write(tmp_path / row[0], voice(1.0, seed=number), 16_000)
    (tmp_path / "t.csv").write_text("\n".join(map(";".join, rows)), encoding=encoding)
    for source in (tmp_path / "t.csv", tmp_path):
        draft = first_card(source)
        assert draft.finished
        (tmp_path / "card.yaml").write_text(draft.text, encoding="utf-8")
        frame = build_manifest(load_card(tmp_path / "card.yaml"), tmp_path).frame.sort_values("path")
        assert frame["emotion"].tolist() == emotions
        assert frame["sex"].tolist() == sexes
        assert frame["speaker"].tolist() == [row[1] for row in rows[1:]]


def test_what_a_table_says_of_text_and_session_is_read(drafted):
    heads = ["file", "emotion", "speaker", "text", "session"]
    made, _, _ = drafted([heads, ["a.wav", "sad", "x", "well", "2"], ["b.wav", "sad", "y", "no", "3"]])
    assert made.frame["text"].tolist() == ["well", "no"]
    assert made.frame["session"].tolist() == ["2", "3"]


def test_a_label_nearly_written_like_a_canonical_name_is_no_emotion_of_its_own(drafted):
    made, card, draft = drafted([["file", "emotion", "speaker"], ["a.wav", "neutrall", "x"], ["b.wav", "zork", "y"]])
    assert made.frame["emotion"].tolist() == ["neutral", "zork"]
    assert card.own_emotions == ("zork",)
    assert any("'neutrall' mean neutral" in line for line in draft.check)


@pytest.mark.parametrize("folder", [False, True])
def test_recordings_are_named_by_cells_where_no_heading_says_so(drafted, tmp_path, folder):
    heads = ["q1", "q2", "emotion"]
    made, card, draft = drafted([heads, ["1", "a.wav", "sad"], ["2", "b.wav", "fear"]], folder=folder)
    assert card.table.key == ("q2",)
    assert made.frame["emotion"].tolist() == ["sadness", "fear"]
    assert any(line.startswith("path: 'q2'") for line in draft.check)


def test_a_table_without_headings_loses_no_row(unfinished):
    draft, said = unfinished([["a.wav", "x", "angry"], ["b.wav", "y", "sad"]])
    assert "no line names its columns" in "".join(draft.check)
    assert "key: EDIT" in said


def test_a_key_whose_cells_are_nobodys_says_so_at_its_line(unfinished):
    _, said = unfinished([["file", "speaker", "emotion"], ["c.wav", "x", "angry"], ["d.wav", "y", "sad"]])
    assert "such as c.wav, name no recording" in said


def test_a_letter_of_a_sex_is_read_beside_other_things(drafted):
    made, _, _ = drafted(
        [["Plik", "Emocja", "Płeć"], ["a.wav", "smutna", "K"], ["b.wav", "zły", "M"], ["c", "zły", "?"]]
    )
    assert made.frame["sex"].tolist() == ["female", "male"]


def test_among_several_tables_that_which_names_the_recordings_is_read(tmp_path, voice):
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.wav", voice(0.5), 16_000)
    (tmp_path / "rooms.csv").write_text("room;size\nx;3\n")
    (tmp_path / "q.csv").write_text("q1;emotion\na.wav;sad\nb.wav;fear\n")
    draft = first_card(tmp_path)
    assert draft.finished
    assert 'file: "q.csv"' in draft.text


def test_why_the_table_of_a_folder_cannot_be_read_is_the_reason(tmp_path, voice):
    soundfile.write(tmp_path / "a.wav", voice(0.5), 16_000)
    (tmp_path / "q.csv").write_text("file;mood\na.wav;zork\n")
    (reason,) = [line for line in first_card(tmp_path).check if "NOT FINISHED" in line]
    assert "q.csv has no column of emotion" in reason
