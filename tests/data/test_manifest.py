"""The manifest: built from a folder, written, read back, and checked."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import soundfile
from pandas.testing import assert_frame_equal

from xlser.data.manifest import ADDED, SCHEMA, build_manifest, read_manifest, write_manifest
from xlser.errors import CorpusError, XlserError

NAMES = ("s1_ang_1.wav", "s1_hap_1.wav", "s2_ang_1.wav", "s2_sad_1.wav")
DIMENSIONS = {"file": "r.csv", "scale": [1, 5], "columns": {"activation": "activation", "valence": "valence"}}


@pytest.fixture
def card(make_card):
    return make_card(dimensions=DIMENSIONS, speaker_sex={"female": "s2"}, text="{take}")


@pytest.fixture
def folder(corpus):
    root = corpus(*NAMES)
    (root / "r.csv").write_text("filename,activation,valence\ns1_ang_1,5,1\ns1_hap_1,4,4.5\ns2_ang_1,3,3\n")
    return root


@pytest.fixture
def manifest(card, folder):
    return build_manifest(card, folder)


def test_the_columns_are_those_of_the_schema(manifest):
    assert list(manifest.frame.columns) == SCHEMA.names
    assert manifest.files() == [manifest.root / name for name in NAMES]


def test_headers_are_read_and_ratings_scaled(manifest):
    row = manifest.frame.iloc[0]
    assert (row.sample_rate, row.channels, row.start, row.end, row.duration) == (16_000, 1, 0, 0.4, 0.4)
    assert (row.activation_raw, row.activation, row.valence_raw, row.valence) == (5, 1, 1, -1)
    assert manifest.frame["activation"].tolist()[1:3] == [0.5, 0]
    assert manifest.frame[["activation", "valence_raw", "valence"]].iloc[3].isna().all()
    assert manifest.frame["dominance"].isna().all()


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_manifest_comes_back_as_it_was_written(manifest, tmp_path, suffix):
    manifest.frame.loc[0, ["id", "text"]] = ["007", 'NA "x", ü\n']
    manifest.frame.loc[1, "text"] = None
    manifest.frame.loc[2, "text"] = "NA"
    write_manifest(manifest, tmp_path / f"m{suffix}")
    back = read_manifest(tmp_path / f"m{suffix}")
    assert_frame_equal(back.frame, manifest.frame)
    assert back.card == "toy"


def test_parquet_keeps_what_stands_beside_the_table(manifest, folder, tmp_path):
    manifest.left_out["truncated"] = ["x.wav"]
    write_manifest(manifest, tmp_path / "m.parquet")
    back = read_manifest(tmp_path / "m.parquet")
    for name in ("root", "card", "card_hash", "synthetic", "left_out", "notes"):
        assert getattr(back, name) == getattr(manifest, name), name
    assert back.files()[0].is_file()


def test_ids_and_paths_are_the_same_when_the_folder_has_moved(card, manifest, folder, moved):
    other = build_manifest(card, moved(folder))
    assert other.root != manifest.root
    assert_frame_equal(other.frame, manifest.frame)


def test_a_full_disk_leaves_the_old_manifest(manifest, tmp_path, monkeypatch):
    path = tmp_path / "m.csv"
    write_manifest(manifest, path)
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(XlserError, match=r"cannot write .*m\.csv: No space left"):
        write_manifest(manifest, path)
    assert path.read_bytes() == before


def broken(root):
    """Put one file of every fault that a header shows into the folder."""
    (root / "s3_ang_1.wav").write_text("404 not found")
    (root / "s3_ang_2.wav").touch()
    soundfile.write(root / "s3_ang_3.wav", np.zeros(0), 16_000)
    data = (root / NAMES[0]).read_bytes()
    (root / "s3_ang_4.wav").write_bytes(data[: len(data) // 2])
    (root / "s3_ang_5.wav").symlink_to(root / "gone.wav")
    (root / "s3_ang_6.wav").write_bytes(bytes(range(200)))


def test_files_that_cannot_be_used_are_counted_and_named_and_the_others_stay(card, folder, manifest):
    broken(folder)
    found = build_manifest(card, folder)
    assert_frame_equal(found.frame, manifest.frame)
    assert found.left_out == {
        "text named as audio": ["s3_ang_1.wav"],
        "zero length": ["s3_ang_2.wav", "s3_ang_3.wav"],
        "truncated": ["s3_ang_4.wav"],
        "a link to nothing, or in a circle": ["s3_ang_5.wav"],
        "not audio that can be decoded, or cut short": ["s3_ang_6.wav"],
    }
    assert found.left_out_counts()["zero length"] == 2


def test_strict_stops_at_the_first_of_them_and_names_it(card, folder):
    broken(folder)
    with pytest.raises(CorpusError, match=r"s3_ang_1\.wav: text named as audio .*stopped because of --strict"):
        build_manifest(card, folder, strict=True)


def test_a_corpus_without_one_readable_file_says_why(card, tree):
    with pytest.raises(
        CorpusError, match=r"none of the 2 files in .* can be read as audio: zero length: an empty file"
    ):
        build_manifest(card, tree("s1_ang_1.wav", "s1_ang_2.wav"))


def test_one_header_read_or_many_at_once_give_the_same_table(card, folder, manifest):
    assert_frame_equal(build_manifest(card, folder, jobs=1).frame, manifest.frame)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_every_fault_of_a_foreign_table_is_told_at_once(manifest, tmp_path, suffix):
    path = tmp_path / f"m{suffix}"
    frame = manifest.frame.rename(columns={"speaker": "speakr"})
    frame.loc[0, "emotion"] = None
    frame.loc[1, "id"] = frame.loc[2, "id"]
    frame["duration"] = "long"
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
    with pytest.raises(CorpusError) as told:
        read_manifest(path)
    text = str(told.value)
    assert f"manifest {path} does not fit the schema" in text
    assert "column 'speaker' is missing; did you mean 'speakr'?" in text
    assert "column 'emotion' has 1 empty cells" in text
    assert "column 'id' has values that stand twice" in text
    assert "column 'duration' must be double, but is" in text


def test_a_table_without_rows_is_refused(manifest, tmp_path):
    manifest.frame.iloc[:0].to_csv(tmp_path / "m.csv", index=False)
    with pytest.raises(CorpusError, match="it has no rows"):
        read_manifest(tmp_path / "m.csv")


@pytest.mark.parametrize("content", [None, b"", b"not a table"], ids=["missing", "empty", "text"])
@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_file_that_is_no_manifest_is_named(tmp_path, suffix, content):
    path = tmp_path / f"m{suffix}"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CorpusError, match=rf"m\{suffix}"):
        read_manifest(path)


def test_a_manifest_of_schema_1_is_read_with_the_new_columns_empty(manifest, tmp_path):
    write_manifest(manifest, tmp_path / "m.parquet")
    table, added = pq.read_table(tmp_path / "m.parquet"), [column.name for column in ADDED]
    about = json.loads(table.schema.metadata[b"xlser"]) | {"schema": 1}
    pq.write_table(
        table.drop_columns(added).replace_schema_metadata({"xlser": json.dumps(about)}), tmp_path / "1.parquet"
    )
    found = read_manifest(tmp_path / "1.parquet").frame
    assert found[added].isna().all(axis=None)
    assert_frame_equal(found, manifest.frame)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_channels_votes_and_missing_labels_come_back_as_they_were_written(manifest, tmp_path, suffix):
    manifest.frame.loc[1, ["emotion", "emotion_raw", "channel", "partition"]] = ["unlabelled", "", 2, "Test1"]
    manifest.frame.loc[2, ["votes", "agreement", "secondary"]] = ['{"anger": 2, "neutral": 1}', 2 / 3, "fear"]
    write_manifest(manifest, tmp_path / f"m{suffix}")
    assert_frame_equal(read_manifest(tmp_path / f"m{suffix}").frame, manifest.frame)
