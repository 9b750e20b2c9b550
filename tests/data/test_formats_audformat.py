"""audformat and back: what xlser writes audformat loads, what audformat writes xlser loads, and nothing runs code."""

import os
import pickle

import audformat
import numpy as np
import pandas as pd
import pytest
import soundfile

from xlser.corpora.card import load_card
from xlser.data.formats.audformat_db import read_audformat
from xlser.data.formats.audformat_write import write_audformat
from xlser.data.formats.rows import About
from xlser.data.formats.speechbrain_json import speechbrain_records
from xlser.data.manifest import build_manifest
from xlser.errors import CorpusError


@pytest.fixture
def rated(make_card, corpus, tmp_path):
    """Return a manifest with ratings, sexes and texts, made by a scan."""
    root = corpus("s1_ang_1.wav", "s2_hap_1.wav", "s2_sad_2.wav", "s3_neu_1.wav")
    (root / "r.csv").write_text("file,v,a\ns1_ang_1,1.5,4\ns2_hap_1,4.5,\ns2_sad_2,2,1\n")
    card = make_card(
        text="{take}",
        speaker_sex={"male": "s1", "female": "s2"},
        dimensions={"file": "r.csv", "scale": [1, 5], "columns": {"valence": "v"}},
    )
    return build_manifest(card, root)


def segments(root):
    """Make two recordings of 2 s at 16 kHz."""
    root.mkdir(parents=True, exist_ok=True)
    for name in ("a.wav", "b.wav"):
        soundfile.write(root / name, np.full(32_000, 0.1), 16_000)
    return root


def test_a_manifest_comes_back_equal(rated, tmp_path):
    write_audformat(rated, tmp_path / "db")
    back = read_audformat(tmp_path / "db").manifest
    pd.testing.assert_frame_equal(back.frame, rated.frame)
    assert (back.card, back.left_out) == ("toy", {})


def test_audformat_itself_loads_what_is_written(rated, tmp_path):
    path = write_audformat(rated, tmp_path / "db", source="https://example.org")
    assert sorted(p.name for p in path.parent.glob("db*")) == ["db.speaker.csv", "db.utterances.csv", "db.yaml"]
    database = audformat.Database.load(str(path.parent), load_data=True)
    assert (database.name, database.languages, database.license) == ("toy", ["deu"], "CC0")
    assert database["utterances"].is_filewise
    table = database["utterances"].get()
    assert table["emotion"].tolist() == rated.frame["emotion"].tolist()
    assert table["speaker"].tolist() == rated.frame["speaker"].tolist()
    assert table["valence"].equals(pd.Series([1.5, 4.5, 2.0, np.nan], index=table.index, name="valence"))
    assert (database.schemes["valence"].minimum, database.schemes["valence"].maximum) == (1, 5)
    sexes = database["speaker"].get()["sex"]
    assert sexes["s1"] == "male"
    assert pd.isna(sexes["s3"])
    assert database.media["audio"].sampling_rate == 16_000


def test_a_split_goes_out_and_comes_back(rated, tmp_path):
    ids = rated.frame["id"].tolist()
    split = {"train": ids[:2], "validation": ids[2:3], "test": ids[3:]}
    write_audformat(rated, tmp_path / "db", split=split)
    database = audformat.Database.load(str(tmp_path / "db"), load_data=True)
    assert {name: database.splits[name].type for name in database.splits} == {
        "train": "train",
        "validation": "dev",
        "test": "test",
    }
    back = read_audformat(tmp_path / "db")
    assert back.split == split
    frame = back.manifest.frame.sort_values("id", ignore_index=True)
    assert frame["partition"].tolist() == ["train", "train", "validation", "test"]
    pd.testing.assert_frame_equal(frame.assign(partition=None), rated.frame.assign(partition=None))


def test_a_row_of_one_channel_is_not_exported_as_one_of_both(rated, tmp_path):
    rated.frame.loc[1, "channel"] = 2
    with pytest.raises(CorpusError, match="one channel"):
        write_audformat(rated, tmp_path / "db")
    assert not (tmp_path / "db").exists()
    assert speechbrain_records(rated)[rated.frame["id"][1]]["channel"] == 2


def test_segments_and_whole_files_go_out_and_come_back(tmp_path):
    root = segments(tmp_path / "db")
    database = audformat.Database("seg", usage="research", languages=["tur"])
    database.schemes["emotion"] = audformat.Scheme("str", labels=["anger", "joy"])
    database.schemes["arousal"] = audformat.Scheme("float", minimum=-3, maximum=3)
    index = audformat.segmented_index(["a.wav", "a.wav", "b.wav"], ["0s", "0.5s", "0s"], ["0.5s", "1.25s", pd.NaT])
    table = database["emotion"] = audformat.Table(index)
    table["emotion"] = audformat.Column(scheme_id="emotion")
    table["emotion"].set(["anger", "joy", "joy"])
    arousal = database["arousal"] = audformat.Table(index[[2, 0]])
    arousal["arousal"] = audformat.Column(scheme_id="arousal")
    arousal["arousal"].set([-3, 0])
    speaker = database["files"] = audformat.Table(audformat.filewise_index(["a.wav", "b.wav"]))
    speaker["speaker"] = audformat.Column()
    speaker["speaker"].set(["x", "y"])
    database.save(str(root), storage_format="csv")
    frame = read_audformat(root).manifest.frame
    assert frame[["start", "end", "duration"]].to_numpy().tolist() == [[0, 0.5, 0.5], [0.5, 1.25, 0.75], [0, 2, 2]]
    assert frame["emotion"].tolist() == ["anger", "happiness", "happiness"]
    assert frame["emotion_raw"].tolist() == ["anger", "joy", "joy"]
    assert frame["speaker"].tolist() == ["x", "x", "y"]
    assert frame["activation"].tolist()[0] == 0
    assert frame["activation"].tolist()[2] == -1
    assert np.isnan(frame["activation"][1])
    assert set(frame["language"]) == {"tr"}
    again = read_audformat(root).manifest
    write_audformat(again, tmp_path / "again")
    out = audformat.Database.load(str(tmp_path / "again"), load_data=True)["utterances"]
    assert out.is_segmented
    assert out.ends.isna().tolist() == [False, False, True], "the end of a whole file stays NaT"
    pd.testing.assert_frame_equal(read_audformat(tmp_path / "again").manifest.frame, frame)


@pytest.fixture
def by_hand(tmp_path):
    """Return a function: a hand-written database without hashes, its emotion table being this text."""
    root = segments(tmp_path / "hand")
    (root / "db.yaml").write_text(
        "name: hand\nsource: http://x\nusage: research\nlanguages: [deu]\nlicense: CC-BY-4.0\n"
        "raters: {gold: {type: vote}}\nschemes:\n  emotion: {dtype: str, labels: [anger, neutral]}\n"
        "  gender: {dtype: str, labels: [female, male]}\n  speaker: {dtype: str, labels: speaker}\n"
        "splits: {train: {type: train}}\ntables:\n  emotion.categories.train.gold_standard:\n"
        "    type: filewise\n    split_id: train\n    columns:\n"
        "      emotion: {scheme_id: emotion, rater_id: gold}\n      speaker: {scheme_id: speaker}\n"
        "misc_tables:\n  speaker: {levels: {speaker: str}, columns: {gender: {scheme_id: gender}}}\n"
    )
    (root / "db.speaker.csv").write_text("speaker,gender\nx,female\ny,\n")

    def make(text="file,emotion,speaker\na.wav,anger,x\nb.wav,neutral,y\n"):
        (root / "db.emotion.categories.train.gold_standard.csv").write_text(text)
        return root

    return make


def test_a_database_written_by_hand_is_read(by_hand):
    found = read_audformat(by_hand())
    frame = found.manifest.frame
    assert frame["sex"].tolist() == ["female", None]
    assert set(frame["licence"]) == {"CC-BY-4.0"}
    assert found.split == {"train": ["hand/a", "hand/b"]}


def test_labels_outside_the_scheme_are_no_labels(by_hand):
    found = read_audformat(by_hand("file,emotion,speaker\na.wav,anger,x\nb.wav,rage,y\n"))
    assert found.manifest.left_out == {"no emotion label": ["b.wav"]}


def test_paths_out_of_the_folder_and_lost_recordings_are_left_out(by_hand):
    rows = "a.wav,anger,x\n../b.wav,anger,x\n/etc/b.wav,anger,x\nlost.wav,anger,x\n"
    found = read_audformat(by_hand("file,emotion,speaker\n" + rows))
    assert found.manifest.left_out == {
        "path leads out of the folder": ["../b.wav", "/etc/b.wav"],
        "the file is gone": ["lost.wav"],
    }


def test_what_the_database_does_not_say_the_caller_does(by_hand):
    root = by_hand("file,emotion\na.wav,anger\n")
    text = (root / "db.yaml").read_text()
    (root / "db.yaml").write_text(text.replace("      speaker: {scheme_id: speaker}\n", "").replace("[deu]", "[]"))
    with pytest.raises(CorpusError, match="no row can be used: 1 no speaker"):
        read_audformat(root)
    with pytest.raises(CorpusError, match="no language is given"):
        read_audformat(root, About("hand", speaker="one"))
    frame = read_audformat(root, About("mine", language="de", speaker="one", emotions={"anger": "rage"})).manifest.frame
    assert frame[["id", "speaker", "language", "emotion"]].iloc[0].tolist() == ["mine/a", "one", "de", "rage"]


def test_no_pickle_and_no_yaml_tag_runs_code(by_hand, tmp_path):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    root = by_hand()
    table = root / "db.emotion.categories.train.gold_standard.csv"
    table.with_suffix(".pkl").write_bytes(pickle.dumps(Harm()))
    assert len(read_audformat(root).manifest.frame) == 2
    table.unlink()
    with pytest.raises(CorpusError, match="as a pickle only, which could run code"):
        read_audformat(root)
    with (root / "db.yaml").open("a") as file:
        file.write(f"meta: !!python/object/apply:os.mkdir ['{tmp_path / 'harm'}']\n")
    with pytest.raises(CorpusError, match="no audformat database"):
        read_audformat(root)
    assert not (tmp_path / "harm").exists()


def test_a_folder_that_is_no_database_is_told(tmp_path, by_hand):
    with pytest.raises(CorpusError, match="no audformat database in"):
        read_audformat(tmp_path)
    with pytest.raises(CorpusError, match=r"no table 'x'; it has emotion\.categories"):
        read_audformat(by_hand(), tables=["x"])
    with pytest.raises(CorpusError, match="audformat cannot read"):
        read_audformat(by_hand("file,mood\na.wav,anger\n"))


def test_a_second_label_is_counted(by_hand):
    root = by_hand()
    text = (root / "db.yaml").read_text()
    more = "  other:\n    type: filewise\n    columns:\n      emotion: {scheme_id: emotion}\nmisc_tables"
    (root / "db.yaml").write_text(text.replace("misc_tables", more))
    (root / "db.other.csv").write_text("file,emotion\na.wav,neutral\nb.wav,neutral\n")
    found = read_audformat(root).manifest
    assert found.frame["emotion"].tolist() == ["anger", "neutral"]
    assert found.notes == ["1 recordings have another label in another table: the first one counts"]


def test_texts_that_look_empty_survive(rated, tmp_path):
    texts = ["NA", "null", 'a, "b"\nc', None]
    rated.frame["text"] = pd.Series(texts, dtype=object)
    write_audformat(rated, tmp_path / "db")
    assert read_audformat(tmp_path / "db").manifest.frame["text"].tolist() == texts


def test_a_scale_that_nothing_tells_must_be_given(rated, tmp_path):
    rated.frame[["valence_raw", "valence"]] = [3.0, 0.0]
    with pytest.raises(CorpusError, match="their scale cannot be told"):
        write_audformat(rated, tmp_path / "db")
    write_audformat(rated, tmp_path / "db", scale=(1, 5))
    assert set(read_audformat(tmp_path / "db").manifest.frame["valence"]) == {0.0}


@pytest.mark.parametrize(
    ("options", "said"),
    [({"usage": "x"}, "audformat database"), ({"split": {"test": ["x"]}}, "1 ids .* such as x")],
)
def test_what_cannot_be_written_is_told(rated, tmp_path, options, said):
    with pytest.raises(CorpusError, match=said):
        write_audformat(rated, tmp_path / "db", **options)
    assert not (tmp_path / "db").exists()


def test_a_speaker_with_two_sexes_is_told(rated, tmp_path):
    rated.frame["sex"] = ["male", "male", "female", None]
    with pytest.raises(CorpusError, match=r"1 speaker\(s\) with two sexes, such as s2"):
        write_audformat(rated, tmp_path / "db")


def test_emodb_goes_out_and_comes_back(real_corpora, tmp_path):
    if not (real_corpora / "emodb").is_dir():
        pytest.skip(f"no emodb in {real_corpora}")
    manifest = build_manifest(load_card("emodb"), real_corpora / "emodb")
    write_audformat(manifest, tmp_path / "db")
    pd.testing.assert_frame_equal(read_audformat(tmp_path / "db").manifest.frame, manifest.frame)
