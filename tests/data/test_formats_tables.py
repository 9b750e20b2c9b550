"""Audio folders, Parquet with audio in it, plain tables and SpeechBrain's JSON."""

import io
import json
import subprocess
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from xlser.data.formats.folders import read_audio_folder
from xlser.data.formats.parquet import read_parquet
from xlser.data.formats.rows import About
from xlser.data.formats.speechbrain_json import speechbrain_records, write_speechbrain
from xlser.data.formats.table_options import TableOptions
from xlser.data.formats.tables import read_csv
from xlser.data.manifest import build_manifest, read_manifest, write_manifest
from xlser.errors import CorpusError
from xlser.ownfiles import RECORD

TOY = About("toy", language="de", speaker="one")


def sound(seconds=0.25, kind="WAV"):
    buffer = io.BytesIO()
    soundfile.write(buffer, [0.1] * int(16_000 * seconds), 16_000, format=kind)
    return buffer.getvalue()


def test_a_folder_with_metadata(corpus):
    root = corpus("a.wav", "sub/b.wav", "c.wav")
    (root / "metadata.csv").write_text(
        "file_name,label,speaker_id,gender\na.wav,happy,7,F\nsub/b.wav,Wut,8,m\nc.wav,,8,m\n"
    )
    found = read_audio_folder(root, About("toy", language="German", licence="CC0"))
    rows = found.manifest.frame[["id", "emotion_raw", "emotion", "speaker", "sex", "language", "licence"]]
    assert rows.to_numpy().tolist() == [
        ["toy/a", "happy", "happiness", "7", "female", "de", "CC0"],
        ["toy/sub/b", "Wut", "anger", "8", "male", "de", "CC0"],
    ]
    assert found.manifest.left_out == {"no emotion label": ["c.wav"]}
    assert found.split is None


def test_metadata_in_the_folder_of_each_part_and_as_json_lines(corpus):
    root = corpus("train/a.wav", "test/a.wav")
    for part in ("train", "test"):
        row = {"file_name": "a.wav", "emotion": "sad", "speaker": part, "arousal": 2}
        (root / part / "metadata.jsonl").write_text(json.dumps(row) + "\n")
    found = read_audio_folder(root, About("toy", language="de", scale=(0, 4)))
    assert found.split == {"train": ["toy/train/a"], "test": ["toy/test/a"]}
    assert found.manifest.frame["activation"].tolist() == [0, 0]


def test_folders_of_classes(corpus):
    root = corpus("train/anger/1.wav", "validation/tristesse/1.wav", "loose.wav")
    with pytest.raises(CorpusError, match="no row can be used: 2 no speaker"):
        read_audio_folder(root, About("toy", language="fr"))
    found = read_audio_folder(root, TOY)
    assert found.manifest.frame["emotion"].tolist() == ["anger", "sadness"]
    assert found.split == {"train": ["toy/train/anger/1"], "validation": ["toy/validation/tristesse/1"]}


def test_a_folder_without_either_is_told(corpus, tmp_path):
    with pytest.raises(CorpusError, match="is not a folder"):
        read_audio_folder(tmp_path / "nowhere", TOY)
    with pytest.raises(CorpusError, match="holds no audio in folders of classes"):
        read_audio_folder(corpus("a.wav"), TOY)


@pytest.fixture
def parquet(tmp_path):
    """Return a function: a Parquet file of CAMEO's shape with these rows."""

    def make(*rows, name="data.parquet", metadata=None):
        table = pa.Table.from_pylist(list(rows))
        path = tmp_path / "in" / name
        path.parent.mkdir(exist_ok=True)
        pq.write_table(table.replace_schema_metadata(metadata), path)
        return path

    return make


def cameo(path, data, emotion="anger", **more):
    audio = {"bytes": data, "path": path}
    return {"file_id": None, "audio": audio, "emotion": emotion, "speaker_id": "9", "language": "Polish"} | {
        "gender": "female",
        "transcription": "Tak.",
        "license": "CC BY 4.0",
        **more,
    }


def test_parquet_of_cameos_shape(parquet, tmp_path):
    path = parquet(cameo("a.flac", sound(kind="FLAC")), cameo("x/b.wav", sound(0.5), "neutral", language="German"))
    frame = read_parquet(path, tmp_path / "out", About("cameo")).manifest.frame
    columns = ["path", "emotion", "speaker", "sex", "language", "text", "licence", "duration"]
    assert frame[columns].to_numpy().tolist() == [
        ["a.flac", "anger", "9", "female", "pl", "Tak.", "CC BY 4.0", 0.25],
        ["b.wav", "neutral", "9", "female", "de", "Tak.", "CC BY 4.0", 0.5],
    ]


@pytest.mark.parametrize(
    "name", ["../../evil.wav", "/tmp/evil.wav", "..\\evil.wav", "C:\\evil.wav", "...", "", None, "a\0b.wav", "x" * 400]
)
def test_no_name_in_a_parquet_leads_out_of_the_folder(parquet, tmp_path, name):
    before = {path for path in tmp_path.rglob("*") if path.is_file()} | {parquet(cameo(name, sound()))}
    found = read_parquet(tmp_path / "in", tmp_path / "out", About("toy"))
    new = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert new - {tmp_path / "out" / RECORD} == set(found.manifest.files())
    assert {path.parent for path in new} == {tmp_path / "out"}


def test_recordings_of_one_name_do_not_write_over_each_other(parquet, tmp_path):
    path = parquet(cameo("a/x.wav", sound(0.25)), cameo("b/X.wav", sound(0.5)), cameo("c/x.wav", sound(0.75)))
    frame = read_parquet(path, tmp_path / "out", About("toy")).manifest.frame
    assert dict(zip(frame["path"], frame["duration"], strict=True)) == {"x.wav": 0.25, "X-2.wav": 0.5, "x-3.wav": 0.75}


def test_class_numbers_and_parts_are_read(parquet, tmp_path):
    features = {"info": {"features": {"label": {"names": ["sad", "happy"], "_type": "ClassLabel"}}}}
    rows = [{"audio": {"bytes": sound(), "path": f"{n}.wav"}, "label": n, "spk": "s"} for n in (0, 1)]
    for part in ("train", "test"):
        parquet(*rows, name=f"{part}-00000-of-00001.parquet", metadata={"huggingface": json.dumps(features)})
    found = read_parquet(tmp_path / "in", tmp_path / "out", About("toy", language="de"))
    assert found.manifest.frame["emotion_raw"].tolist() == ["sad", "happy"] * 2
    assert {part: len(ids) for part, ids in found.split.items()} == {"train": 2, "test": 2}


def test_rows_without_audio_are_counted(parquet, tmp_path):
    path = parquet(cameo("a.wav", sound()), cameo("b.wav", None), cameo("c.wav", b""), cameo("d.wav", b"no audio"))
    left_out = read_parquet(path, tmp_path / "out", About("toy")).manifest.left_out
    assert left_out == {"no audio in the table": ["b.wav", "c.wav"], "text named as audio": ["d.wav"]}


def test_parquet_that_is_none_or_without_audio_is_told(parquet, tmp_path):
    (tmp_path / "x.parquet").write_text("no")
    with pytest.raises(CorpusError, match=r"cannot read .*x\.parquet"):
        read_parquet(tmp_path / "x.parquet", tmp_path / "out", TOY)
    with pytest.raises(CorpusError, match=r"1 no recording of this path, such as a\.wav"):
        read_parquet(parquet({"audio": "a.wav", "label": "x"}), tmp_path / "out", TOY)
    with pytest.raises(CorpusError, match="has no column of path; its columns: sound, label"):
        read_parquet(parquet({"sound": "a.wav", "label": "x"}), tmp_path / "out", TOY)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match=r"holds no \.parquet file"):
        read_parquet(tmp_path / "empty", tmp_path / "out", TOY)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_plain_table(corpus, delimiter):
    root = corpus("a.wav", "b.wav")
    rows = [
        ["path", "emotion", "speaker", "start", "end"],
        ["a.wav", "Ärger", "1", "0.1", "0.3"],
        ["b.wav", "N", "1", "", ""],
    ]
    (root / "t.csv").write_text("\n".join(delimiter.join(row) for row in rows), encoding="utf-8-sig")
    about = About("toy", language="de", emotions={"N": "neutral"})
    frame = read_csv(root / "t.csv", about).manifest.frame
    assert frame["emotion"].tolist() == ["anger", "neutral"]
    assert frame["id"].tolist() == ["toy/a#0.100-0.300", "toy/b"]
    assert frame["duration"].tolist() == [pytest.approx(0.2), 0.4]


def test_a_table_in_another_encoding_is_told_and_read(corpus):
    root = corpus("ä.wav")
    (root / "t.csv").write_text("file,emotion\nä.wav,colère\n", encoding="cp1252")
    with pytest.raises(CorpusError, match=r"is not utf-8: .*--encoding cp1252"):
        read_csv(root / "t.csv", TOY)
    assert read_csv(root / "t.csv", TOY, TableOptions(encoding="cp1252")).manifest.frame["emotion"].tolist() == [
        "anger"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no rows"),
        ("file,emotion\n", "has no rows"),
        ("file,mood\na.wav,x\n", "no column of emotion; its columns: file, mood"),
        ("name,label\na.wav,x\n", "no column of path"),
        ("file,emotion\na.wav,A\na.wav,B\n", r"what these labels mean: 'A' \(1\), 'B' \(1\)\. Name each: --emotion"),
        ("file,emotion\na.wav,anger\na.wav,fear\n", "1 ids stand twice, such as 'toy/a'"),
        ("file,emotion,valence\na.wav,anger,3\n", "ratings of valence, but no scale"),
        ("file,emotion,start,end\na.wav,anger,0.1,9e9\n", "1 segment outside the file"),
        ("file,emotion,end\na.wav,anger,x\n", "end 'x': time 'x' is no number"),
        ("file,emotion,language\na.wav,anger,Klingonish\n", "no language that xlser knows"),
    ],
)
def test_a_table_that_cannot_be_read_is_told(corpus, text, said):
    root = corpus("a.wav")
    (root / "t.csv").write_text(text)
    with pytest.raises(CorpusError, match=said):
        read_csv(root / "t.csv", TOY)


def test_ratings_outside_the_scale_are_told(corpus):
    root = corpus("a.wav")
    (root / "t.csv").write_text("file,emotion,valence\na.wav,anger,6\n")
    with pytest.raises(CorpusError, match=r"valence 6 is outside the scale \[1, 5\]"):
        read_csv(root / "t.csv", About("toy", language="de", speaker="one", scale=(1, 5)))


def test_our_own_csv_manifest_comes_back_equal(make_card, corpus):
    manifest = build_manifest(
        make_card(emotion={"joy": "happiness", "ang": "frustration"}), corpus("s1_joy_1.wav", "s2_ang_1.wav")
    )
    write_manifest(manifest, manifest.root / "m.csv")
    back = read_csv(manifest.root / "m.csv", About("toy")).manifest
    pd.testing.assert_frame_equal(back.frame, manifest.frame)


@pytest.fixture
def manifest(make_card, corpus):
    dimensions = {"file": "r.csv", "scale": [1, 5], "columns": {"valence": "v"}}
    root = corpus("s1_ang_1.wav", "s2_hap_1.wav", "s3_sad_1.wav")
    (root / "r.csv").write_text("file,v\ns1_ang_1,2\n")
    return build_manifest(make_card(dimensions=dimensions, speaker_sex={"male": "s1"}), root)


def test_speechbrain_gets_what_is_known(manifest):
    records = speechbrain_records(manifest)
    assert records["toy/s1_ang_1"] == {
        "wav": "{data_root}/s1_ang_1.wav",
        "start": 0.0,
        "stop": 0.4,
        "length": 0.4,
        "emo": "anger",
        "spk_id": "s1",
        "lang": "de",
        "gender": "male",
        "valence": -0.5,
    }
    assert records["toy/s2_hap_1"].keys() == {"wav", "start", "stop", "length", "emo", "spk_id", "lang"}
    assert speechbrain_records(manifest, movable=False)["toy/s2_hap_1"]["wav"] == f"{manifest.root}/s2_hap_1.wav"


def test_speechbrain_manifests_are_written_whole_and_by_part(manifest, tmp_path):
    (path,) = write_speechbrain(manifest, tmp_path)
    assert path.name == "toy.json"
    assert json.loads(path.read_text()) == speechbrain_records(manifest)
    ids = manifest.frame["id"].tolist()
    paths = write_speechbrain(manifest, tmp_path, split={"train": ids[:1], "validation": ids[1:2], "test": ids[2:]})
    assert [path.name for path in paths] == ["train.json", "valid.json", "test.json"]
    assert list(json.loads(paths[1].read_text())) == ids[1:2]


@pytest.mark.slow
def test_speechbrain_itself_reads_it(manifest, tmp_path):
    (path,) = write_speechbrain(manifest, tmp_path)
    code = (  # in a process of its own: speechbrain's lazy modules disturb whatever looks through sys.modules later
        "import json, sys; from speechbrain.dataio.dataset import DynamicItemDataset as D\n"
        "data = D.from_json(sys.argv[1], replacements={'data_root': sys.argv[2]})\n"
        "data.set_output_keys(['id', 'wav', 'emo']); print(json.dumps(data[0]))"
    )
    done = subprocess.run([sys.executable, "-c", code, path, manifest.root], check=True, capture_output=True, text=True)
    first = json.loads(done.stdout.splitlines()[-1])
    assert first == {"id": "toy/s1_ang_1", "wav": f"{manifest.root}/s1_ang_1.wav", "emo": "anger"}


def test_an_imported_manifest_is_written_and_read_back(corpus, tmp_path):
    found = read_audio_folder(corpus("anger/1.wav", "fear/2.wav"), TOY).manifest
    write_manifest(found, tmp_path / "m.parquet")
    pd.testing.assert_frame_equal(read_manifest(tmp_path / "m.parquet").frame, found.frame)
