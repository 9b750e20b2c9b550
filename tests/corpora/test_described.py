"""Corpora that tables and label files describe, as they are published: who joins whom, and in which column."""

import json

import pandas as pd
import pytest

from xlser.corpora.card import load_card
from xlser.corpora.scan import scan
from xlser.errors import CorpusError

MSP = "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set\n"


@pytest.fixture
def podcast(tree):
    def read(*lines, head=MSP, table="labels_consensus.csv", names=("0001_0008", "0001_0019")):
        root = tree(*(f"Audios/MSP-PODCAST_{name}.wav" for name in names))
        (root / "Labels").mkdir()
        (root / "Labels" / table).write_text(head + "".join(f"{line}\n" for line in lines))
        return scan(load_card("msp-podcast"), root)

    return read


FIRST = "MSP-PODCAST_0001_0008.wav,N,2.2,4.6,6.8,127,Male,Train"
SECOND = "MSP-PODCAST_0001_0019.wav,X,1,7,4,Unknown,Unknown,Test1"


def ratings(row):
    return row["valence_raw"], row["activation_raw"], row["dominance_raw"]


@pytest.mark.parametrize("table", ["labels_consensus.csv", "labels_concensus.csv"])
def test_msp_podcast_has_activation_before_valence(podcast, table):
    found = podcast(FIRST, SECOND, table=table)
    assert [ratings(row) for row in found.rows] == [(4.6, 2.2, 6.8), (7, 1, 4)]
    assert [(row["speaker"], row["sex"], row["partition"]) for row in found.rows] == [
        ("127", "male", "Train"),
        ("unknown:Audios/MSP-PODCAST_0001_0019", None, "Test1"),
    ]
    assert [row["emotion"] for row in found.rows] == ["neutral", "no-agreement"]


def test_columns_go_by_name_wherever_they_stand(podcast):
    head = "FileName,EmoVal,EmoClass,EmoDom,EmoAct,SpkrID,Gender,Split_Set\n"
    found = podcast("MSP-PODCAST_0001_0008.wav,4.6,N,6.8,2.2,127,Male,Train", head=head, names=["0001_0008"])
    assert ratings(found.rows[0]) == (4.6, 2.2, 6.8)


def test_swapped_scales_show_when_a_rating_leaves_them(podcast):
    with pytest.raises(CorpusError, match=r"valence is outside the card's `dimensions.scale` \[1, 7\]"):
        podcast(FIRST.replace("4.6", "7.5"), SECOND)


def test_a_row_without_a_rating_keeps_its_label(podcast):
    found = podcast(FIRST, "MSP-PODCAST_0001_0019.wav,A,,,,1,Female,Test1")
    assert (found.rows[1]["emotion"], *ratings(found.rows[1])) == ("anger", None, None, None)


def test_a_missing_column_is_named_with_the_nearest(podcast):
    with pytest.raises(CorpusError, match=r"labels_consensus\.csv has no column 'EmoDom'; did you mean 'emodim'"):
        podcast(head=MSP.replace("EmoDom", "EmoDim"))


def test_dialogues_of_meld_are_told_apart_by_their_part(tree):
    root = tree(
        "train_splits/dia0_utt0.mp4",
        "train_splits/dia125_utt3.mp4",
        "dev_splits_complete/dia0_utt0.mp4",
        "dev_splits_complete/dia110_utt7.mp4",
        "output_repeated_splits_test/dia0_utt0.mp4",
        "output_repeated_splits_test/dia110_utt7.mp4",
        "output_repeated_splits_test/final_videos_testdia0_utt0.mp4",
    )
    for part, feeling in (("train", "joy"), ("dev", "anger"), ("test", "fear")):
        lines = [
            f'{n},"Oh, \x92{part}",Chandler Bing,{feeling},negative,{d},{u},1,1' for n, d, u in ((1, 0, 0), (2, 110, 7))
        ]
        head = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode\n"
        (root / f"{part}_sent_emo.csv").write_text(head + "\n".join(lines), encoding="utf-8")
    found = scan(load_card("meld"), root)
    assert {row["path"].partition("/")[0]: row["emotion"] for row in found.rows} == {
        "train_splits": "happiness",
        "dev_splits_complete": "anger",
        "output_repeated_splits_test": "fear",
    }
    assert len(found.rows) == 4
    assert {row["speaker"] for row in found.rows} == {"Chandler Bing"}
    assert found.left_out["ignored by the card: broken clip"] == [
        "dev_splits_complete/dia110_utt7.mp4",
        "train_splits/dia125_utt3.mp4",
    ]


def test_names_that_stand_in_two_dialogues_of_resd_are_joined_by_their_path(tree):
    names = ("train/fear_anger_01/01_fear_anger_a_010", "train/06_happiness_enthusiasm/01_fear_anger_a_010")
    odd = "test/06_happiness_enthusiasm/06_happiness_enthusiasm e_060"
    root = tree(*(f"{name}.wav" for name in (*names, odd)))
    rows = [f"x,{name.partition('/')[2]}.wav,{label}" for name, label in zip(names, ("anger", "fear"), strict=True)]
    (root / "train.csv").write_text("\n".join(["name,path,emotion", *rows]))
    (root / "test.csv").write_text(f"name,path,emotion\nx,{odd.partition('/')[2]}.wav,enthusiasm\n")
    found = {row["path"].removesuffix(".wav"): row for row in scan(load_card("resd"), root).rows}
    assert [found[name]["emotion"] for name in (*names, odd)] == ["anger", "fear", "enthusiasm"]
    assert found[odd]["speaker"] == "06_happiness_enthusiasm"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_texts_of_esd_are_read_whatever_their_encoding(tree, encoding):
    root = tree("0001/Angry/train/0001_000351.wav", "0011/Sad/0011_001052.wav")
    (root / "0001/0001.txt").write_bytes("0001_000351\t打远一看\t生气\n\nbroken line\n".encode(encoding))
    found = scan(load_card("esd"), root)
    told = [(row["language"], row["sex"], row["speaker"], row["emotion"], row["text"]) for row in found.rows]
    assert told == [("zh", "female", "0001", "anger", "打远一看"), ("en", "male", "0011", "sadness", None)]
    assert found.notes == [
        "00NN.txt: 1 incomplete row(s) passed over",
        "00NN.txt: 1 recording(s) without a row, such as 0011/Sad/0011_001052.wav",
    ]


def test_english_texts_of_esd_are_not_taken_for_chinese(tree):
    root = tree("0016/Sad/test/0016_001052.wav")
    (root / "0016/0016.txt").write_bytes("0016_001052\tThe café\u2019s here.\tSad\n".encode("cp1252"))
    assert scan(load_card("esd"), root).rows[0]["text"] == "The café\u2019s here."


def test_esd_can_be_read_without_its_texts(tree):
    found = scan(load_card("esd"), tree("0020/Happy/test/0020_000701.wav"))
    assert (found.rows[0]["emotion"], found.rows[0]["sex"], found.rows[0]["text"]) == ("happiness", "male", None)
    assert "no label file 00[0-2][0-9]/00[0-2][0-9].txt" in found.notes[0]


def test_msp_improv_has_activation_before_valence_and_may_lack_ratings(tree):
    names = ("MSP-IMPROV-S01A-F01-P-FM01", "MSP-IMPROV-S02H-M06-S-MF01")
    root = tree(*(f"Audio/session1/S01A/P/{name}.wav" for name in names))
    lines = (
        "UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:3.250000; V:1.500000; D:2.000000 ; N:4.000000;",
        "0006_AAA; Angry; Angry,Sad; A:5.000000; V:5.000000; D:5.000000; N:5.000000;",
        "",
        "UTD-IMPROV-S02H-M06-S-MF01.avi; X; A:NaN; V:NaN; D:NaN ; N:NaN;",
    )
    (root / "Evalution.txt").write_text("\n".join(lines))
    first, second = scan(load_card("msp-improv"), root).rows
    assert (first["speaker"], first["sex"], first["session"], *ratings(first)) == ("F01", "female", "1", 1.5, 3.25, 2.0)
    assert (first["emotion"], second["emotion"], *ratings(second)) == ("neutral", "no-agreement", None, None, None)


def test_thai_ser_files_of_another_shape_are_refused_by_name(tree):
    root = tree("studio001/con/s001_con_actor001_impro1_1.flac")
    for wrong in ("[1]", "{", '{"a": []}', '{"a": [{"assigned": "Angry"}]}'):
        (root / "emotion_label.json").write_text(wrong)
        with pytest.raises(CorpusError, match=r"emotion_label\.json: it does not have THAI-SER's shape"):
            scan(load_card("thai-ser"), root)
    label = {"s001_con_actor001_impro1_1.wav": [{"annotated": [["Sad"], ["Sad"], ["Sad", "Happy"]]}]}
    (root / "emotion_label.json").write_text(json.dumps(label))
    (row,) = scan(load_card("thai-ser"), root).rows
    assert (row["emotion"], row["speaker"], row["session"]) == ("sadness", "actor001", "s001")


@pytest.mark.parametrize(
    ("name", "table", "head", "file", "key"),
    [
        ("cafe", "CAFE", "filname,activation ,valence", "Colère/Fort/01-C-2-1.wav", "01-C-2-1.wav"),
        ("aesdd", "AESD", "filename,activation,valence ", "anger/a06 (5)b.wav", "a06 (5)b.wav"),
        ("emodb", "EMO_DB", "filename,activation,valence ", "wav/03a01Wa.wav", "03a01Wa.wav"),
        ("urdu", "URDU", ",,filename,activation,valence", "Sad/SM6_F4_S0100.wav", ",,SM6_F4_S0100.wav"),
    ],
)
def test_the_ratings_of_das_et_al_are_read_with_their_blemishes(tree, name, table, head, file, key):
    root = tree(file)
    (root / "das2022").mkdir()
    (root / f"das2022/{table}.csv").write_text(f"{head}\n{key},4.5,1\n")
    (row,) = scan(load_card(name), root).rows
    assert ratings(row) == (1, 4.5, None)


PAVOQUE = """
- prompt: spike0001
  text: 'Nein: nie!'
  style: angry
  start: 0.0
  end: 3.52
  segments:
  - {lab: n, end: 0.52}
- {prompt: spike0002, text: Doch., style: angry, start: 3.52, end: 6.1, segments: []}
"""


def test_pavoque_is_cut_by_its_lists_of_prompts(tree):
    root = tree("Recordings/pavoque-0.2-angry.flac", "Recordings/pavoque-0.2-sad.flac")
    (root / "pavoque-angry.yaml").write_text(PAVOQUE)
    (root / "pavoque-sad.yaml").write_text("[{text: Ach., style: sad, start: 1, end: 2.5, prompt: no}]")
    (root / "pavoque-outtakes.yaml").write_text("[{text: Oh., style: sad, start: 1, end: 2, prompt: no}]")
    found = scan(load_card("pavoque"), root)
    assert [(row["path"][-9:], row["segment"][:2], row["emotion"], row["text"]) for row in found.rows] == [
        ("ngry.flac", (0.0, 3.52), "anger", "Nein: nie!"),
        ("ngry.flac", (3.52, 6.1), "anger", "Doch."),
        ("-sad.flac", (1.0, 2.5), "sadness", "Ach."),
    ]
    assert found.notes == []


def test_tables_in_other_files_than_csv_say_the_same(make_card, tree):
    rows = [{"file": "a.wav", "label": "ang", "who": 3}, {"file": "b.wav", "label": "NA", "who": 4}]
    card = {"grammar": ".+", "speaker": "{who}", "emotion": {"ang": "anger", "NA": "neutral"}}
    root = tree("a.wav", "b.wav")
    frame = pd.DataFrame(rows)
    frame.to_excel(root / "t.xlsx", index=False)
    frame.to_parquet(root / "t.parquet")
    frame.to_csv(root / "t.csv", index=False)
    frame.to_json(root / "t.jsonl", orient="records", lines=True)
    (root / "t.json").write_text(json.dumps(rows))
    (root / "t.yaml").write_text(json.dumps(rows))
    for name in ("t.xlsx", "t.parquet", "t.jsonl", "t.json", "t.yaml"):
        table = {"file": name, "key": "file", "columns": {"emotion": "label", "who": "who"}}
        found = scan(make_card(**card, table=table), root).rows
        assert [(row["emotion_raw"], row["speaker"]) for row in found] == [("ang", "3"), ("NA", "4")], name


@pytest.mark.parametrize("name", ["t.ods", "t.json", "t.yaml", "t.xlsx", "t.parquet", "t.jsonl"])
def test_a_table_that_is_none_is_named(make_card, tree, name):
    root = tree("a.wav")
    (root / name).write_text("{not: [a, table")
    table = {"file": name, "key": "file", "columns": {"emotion": "label"}}
    with pytest.raises(CorpusError, match=rf"table .*{name}"):
        scan(make_card(grammar=".+", speaker="x", table=table), root)
