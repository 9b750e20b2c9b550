"""EmoBox's tables in the shapes that they have on disk, quirks included, laid over manifests of ours."""

import json
from collections import Counter

import pandas as pd
import pytest

from xlser.corpora.card import load_card
from xlser.data.formats.emobox import read_emobox
from xlser.data.manifest import SCHEMA, Manifest, build_manifest
from xlser.errors import CorpusError


def manifest(tmp_path, *rows):
    """Make a manifest of (path, speaker, raw label, emotion) without any audio."""
    frame = pd.DataFrame(rows, columns=["path", "speaker", "emotion_raw", "emotion"])
    frame = frame.assign(id="toy/" + frame["path"].str.rsplit(".", n=1).str[0], start=0.0, end=1.0)
    return Manifest(frame.reindex(columns=SCHEMA.names), tmp_path, "toy", "")


def record(wav, emo, **more):
    return {"key": f"toy-{wav}", "dataset": "toy", "wav": wav, "type": "raw", "sample_rate": 16000} | {
        "num_frame": 16000.0,
        "task": "category",
        "length": 1.0,
        "emo": emo,
        "channel": 1,
        **more,
    }


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def emobox(tmp_path):
    """Return a function: the folder data/<name> with these folds; each maps a part to records."""

    def make(*folds, name="toy", labels=None, label_file="label_map.json"):
        folder = tmp_path / "data" / name
        for number, fold in enumerate(folds, 1):
            (folder / f"fold_{number}").mkdir(parents=True)
            for part, rows in fold.items():
                (folder / f"fold_{number}" / f"{name}_{part}_fold_{number}.jsonl").write_text(lines(rows))
        (folder / label_file).write_text(json.dumps(labels or {"ang": "Angry", "sad": "Sad"}))
        return folder

    return make


ROWS = (
    ("a/s1_1.wav", "s1", "ang", "anger"),
    ("a/s1_2.wav", "s1", "sad", "sadness"),
    ("a/s2_1.wav", "s2", "ang", "anger"),
    ("a/s2_2.wav", "s2", "sad", "sadness"),
    ("a/s3_1.wav", "s3", "ang", "anger"),
)


def by_speaker(speakers):
    return [record(f"downloads/toy/{path}", raw) for path, speaker, raw, _ in ROWS if speaker in speakers]


def test_a_fold_becomes_ids_and_validation_whole_speakers(emobox, tmp_path):
    folder = emobox({"train": by_speaker({"s1", "s2"}), "test": by_speaker({"s3"})})
    folds = read_emobox(folder, manifest(tmp_path, *ROWS))
    (fold,) = folds.given
    assert fold["test"] == ["toy/a/s3_1"]
    assert sorted(fold["train"] + fold["validation"]) == ["toy/a/s1_1", "toy/a/s1_2", "toy/a/s2_1", "toy/a/s2_2"]
    assert {row_id[:8] for row_id in fold["train"]}.isdisjoint(row_id[:8] for row_id in fold["validation"])
    assert folds.shared == [()]
    assert "no speaker on both sides" in folds.text()
    assert read_emobox(folder, manifest(tmp_path, *ROWS), validation=0).given[0].keys() == {"train", "test"}


def test_folds_are_in_order_of_their_numbers(emobox, tmp_path):
    folds = [{"train": by_speaker({"s1"}), "test": by_speaker({"s2"})}] * 9
    folder = emobox(*folds, {"train": by_speaker({"s2"}), "test": by_speaker({"s3"})})
    assert read_emobox(folder, manifest(tmp_path, *ROWS)).given[9]["test"] == ["toy/a/s3_1"]


def test_quirk_1_legacy_tables_beside_the_folds_are_not_read(emobox, tmp_path):
    folder = emobox({"train": by_speaker({"s1"}), "test": by_speaker({"s3"})}, name="emodb")
    legacy = [{"audio": "downloads/toy/a/s2_1.wav", "label": "ang"}]
    (folder / "fold_1" / "emodb_test_fold1.jsonl").write_text(lines(legacy))
    (folder / "fold_1" / "mer2023_test1_fold_1.jsonl").write_text(lines(legacy))
    assert read_emobox(folder, manifest(tmp_path, *ROWS)).given[0]["test"] == ["toy/a/s3_1"]


def test_quirk_1_legacy_fields_are(emobox, tmp_path):
    test = [{"key": "x", "audio": "downloads/toy/a/s3_1.wav", "label": "ang"}]
    folds = read_emobox(emobox({"train": by_speaker({"s1"}), "test": test}), manifest(tmp_path, *ROWS))
    assert folds.given[0]["test"] == ["toy/a/s3_1"]
    assert folds.labels["ang"] == "anger"


def test_quirk_2_labels_are_matched_without_case_and_misspellings_read(emobox, tmp_path):
    labels = {"Neutral": "Neutral", "boredem": "Bored", "ang": "Angry"}
    test = [record("a/s3_1.wav", "neutral"), record("a/s2_1.wav", "boredem"), record("a/s2_2.wav", "odd")]
    folds = read_emobox(emobox({"train": by_speaker({"s1"}), "test": test}, labels=labels), manifest(tmp_path, *ROWS))
    assert folds.labels == {"ang": "anger", "sad": None, "neutral": "neutral", "boredem": "boredom", "odd": None}
    assert "label map does not say what these labels mean: odd, sad" in folds.text()


def test_quirk_3_the_label_map_may_be_called_label_dict(emobox, tmp_path):
    folder = emobox({"train": by_speaker({"s1"}), "test": by_speaker({"s3"})}, label_file="label_dict.json")
    assert read_emobox(folder, manifest(tmp_path, *ROWS)).labels == {"ang": "anger", "sad": "sadness"}


def test_quirks_4_and_5_corpus_cfg_and_stm_are_not_believed(emobox, tmp_path):
    folder = emobox({"train": by_speaker({"s1", "s2"}), "test": [record("a/s1_1.wav", "ang")]})
    (folder / "corpus.cfg").write_text("[Corpus]\nname=aesdd\nlanguage=amharic\n[AudioSpec]\nsamplingrate=44100\n")
    (folder / "data.seg.wrd.stm").write_text("toy-s1_1 1 Ses01F 0 1 <id=x,lang=en,spk=Ses01F,emotion=ang> ang\n")
    folds = read_emobox(folder, manifest(tmp_path, *ROWS))
    assert folds.shared == [("s1",)], "the speaker is the manifest's, not the stm's"
    assert "1 SPEAKERS ON BOTH SIDES: s1" in folds.text()


@pytest.mark.parametrize(
    ("wav", "path"),
    [
        ("downloads/t/1984_sk_eger.wav", "Sound Source/Angry/1984_sk_eger.WAV"),
        ("downloads/m/MSP-PODCAST_0001_0008.wav", "Audios/MSP-PODCAST_0001_0008.flac"),
        ("downloads\\x\\a.b_c-d.wav", "a.b_c-d.wav"),
    ],
)
def test_quirk_6_recordings_are_matched_by_file_name_and_not_by_key(emobox, tmp_path, wav, path):
    folder = emobox({"train": by_speaker({"s1"}), "test": [record(wav, "ang", key="msppodcast-MSP_x.wav")]})
    folds = read_emobox(folder, manifest(tmp_path, *ROWS, (path, "s9", "ang", "anger")))
    assert folds.given[0]["test"] == ["toy/" + path.rsplit(".", 1)[0]]


def test_quirk_7_a_validation_table_is_taken_as_it_is(emobox, tmp_path):
    fold = {"train": by_speaker({"s1"}), "valid": by_speaker({"s2"}), "test": by_speaker({"s3"})}
    (given,) = read_emobox(emobox(fold), manifest(tmp_path, *ROWS)).given
    assert given["validation"] == ["toy/a/s2_1", "toy/a/s2_2"]


def test_two_files_of_one_name_are_told_apart_by_their_folders(emobox, tmp_path):
    rows = [("x/liu/angry/201.wav", "liu", "angry", "anger"), ("x/liu/sad/201.wav", "liu", "sad", "sadness")]
    test = [record("downloads/casia/liu/sad/201.wav", "sad")]
    folds = read_emobox(emobox({"train": by_speaker({"s1"}), "test": test}), manifest(tmp_path, *ROWS, *rows))
    assert folds.given[0]["test"] == ["toy/x/liu/sad/201"]
    rows = [(path.replace("x/liu", "liu"), *rest) for path, *rest in rows]
    test = [record("201.wav", "sad"), record("a/s3_1.wav", "ang")]
    again = emobox({"train": by_speaker({"s1"}), "test": test}, name="other")
    folds = read_emobox(again, manifest(tmp_path, *ROWS, *rows))
    assert folds.given[0]["test"] == ["toy/a/s3_1"], "which of the two is meant nobody can tell"
    assert "1 of EmoBox's recordings are not in the manifest, such as 201.wav" in folds.text()


def test_segments_of_one_file_are_told_apart_by_their_start(emobox, tmp_path):
    ours = manifest(tmp_path, *ROWS, ("p/angry.flac", "p", "ang", "anger"), ("p/angry.flac", "p", "ang", "anger"))
    ours.frame.loc[5:, "id"] = ["toy/p/angry#0", "toy/p/angry#1"]
    ours.frame.loc[6, "start"] = 1.5
    test = [record("downloads/p/angry.flac", "ang", start_time=1.501, end_time=2.0)]
    folds = read_emobox(emobox({"train": by_speaker({"s1"}), "test": test}), ours)
    assert folds.given[0]["test"] == ["toy/p/angry#1"]


def test_labels_that_emobox_merges_are_counted(emobox, tmp_path):
    labels = {"ang": "Angry", "sad": "Sad", "exc": "Happy"}
    rows = [*ROWS, ("a/s3_2.wav", "s3", "exc", "excitement")]
    test = [record("a/s3_2.wav", "exc"), record("a/s3_1.wav", "ang")]
    folder = emobox(*[{"train": by_speaker({"s1"}), "test": test}] * 2, labels=labels)
    folds = read_emobox(folder, manifest(tmp_path, *rows))
    assert folds.merged == Counter({("excitement", "happiness"): 1}), "counted once, not once a fold"
    assert "1 recordings are excitement by our card and happiness by EmoBox" in folds.text()
    assert "2 recordings of the manifest are in no fold" in folds.text()


def test_a_fold_as_one_json_object_is_read_too(emobox, tmp_path):
    folder = emobox({"train": by_speaker({"s1"})})
    rows = {"toy-1": {"wav": "a/s3_1.wav", "length": 1.0, "emo": "ang", "dataset": "toy", "channel": 1}}
    (folder / "fold_1" / "toy_test_fold_1.json").write_text(json.dumps(rows))
    assert read_emobox(folder, manifest(tmp_path, *ROWS)).given[0]["test"] == ["toy/a/s3_1"]


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda folder: (folder / "fold_1").rename(folder / "folds"), "holds no folder fold_1"),
        (
            lambda folder: (folder / "fold_1" / "toy_test_fold_1.jsonl").unlink(),
            "no toy_test_fold_1.jsonl; it holds toy_tr",
        ),
        (lambda folder: (folder / "fold_1" / "toy_test_fold_1.jsonl").write_text("{"), "cannot read EmoBox table"),
        (lambda folder: (folder / "fold_1" / "toy_test_fold_1.jsonl").write_text('{"key": 1}'), "KeyError 'audio'"),
        (lambda folder: (folder / "label_map.json").write_text("[]"), "cannot read EmoBox label map"),
    ],
)
def test_a_broken_folder_is_told(emobox, tmp_path, break_it, said):
    folder = emobox({"train": by_speaker({"s1"}), "test": by_speaker({"s3"})})
    break_it(folder)
    with pytest.raises(CorpusError, match=said):
        read_emobox(folder, manifest(tmp_path, *ROWS))


def test_tables_of_another_corpus_are_refused(emobox, tmp_path):
    folder = emobox({"train": [record("x.wav", "ang")], "test": [record("y.wav", "ang")]})
    with pytest.raises(CorpusError, match=r"none of EmoBox's recordings .* such as x\.wav"):
        read_emobox(folder, manifest(tmp_path, *ROWS))


def test_a_fold_of_emodb_shares_its_ten_speakers(emobox, real_corpora):
    if not (real_corpora / "emodb").is_dir():
        pytest.skip(f"no emodb in {real_corpora}")
    names = sorted(path.name for path in (real_corpora / "emodb" / "wav").glob("*.wav"))
    # Kaggle's lists are dealt by recording: every fifth tests, whoever speaks it.
    words = {
        "W": "anger",
        "L": "boredem",
        "E": "disgust",
        "A": "fear",
        "F": "happiness",
        "T": "sadness",
        "N": "neutral",
    }
    records = [record(f"downloads/emodb/wav/{name}", words[name[5]]) for name in names]
    folder = emobox(
        {"train": [row for n, row in enumerate(records) if n % 5], "test": records[::5]},
        name="emodb",
        labels={word: word.title() for word in words.values()},
    )
    folds = read_emobox(folder, build_manifest(load_card("emodb"), real_corpora / "emodb"))
    assert [len(shared) for shared in folds.shared] == [10]
    assert sum(len(ids) for ids in folds.given[0].values()) == 535
    assert not folds.merged
    assert "10 SPEAKERS ON BOTH SIDES: 03, 08, 09, 10, 11, 12, 13, 14, 15, 16" in folds.text()
