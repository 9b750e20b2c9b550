"""Everything that is imported runs: one small corpus in every format, wherever its recordings are."""

import json
import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from xlser.data.dataset import Dataset
from xlser.data.formats.anyformat import is_dataset
from xlser.errors import CorpusError

WORDS = ["anger", "sadness"]
ROWS = [
    {"path": f"{who}/{number:03}.wav", "emotion": emotion, "speaker": who, "language": "de", "split": part}
    for who, part in (("anna", "Train"), ("bert", "Test1"))
    for number, emotion in enumerate(WORDS)
]
FRAME = pd.DataFrame(ROWS)
FEATURES = {"emotion": {"names": WORDS, "_type": "ClassLabel"}, "audio": {"_type": "Audio"}}


@pytest.fixture
def folder(corpus):
    return corpus(*FRAME["path"])


def read(path, folder, **options):
    assert is_dataset(path)
    return Dataset.from_manifest(path, cache=folder.parent / "cache", **options)


def labels(dataset):
    """Return what a dataset says of every recording, by the last two names of its file."""
    names = ["/".join(path.parts[-2:]) for path in dataset.manifest.files()]
    columns = [dataset.frame[column] for column in ("emotion", "speaker", "language")]
    return dict(zip(names, zip(*columns, strict=True), strict=True))


WANTED = {row["path"]: (row["emotion"], row["speaker"], "de") for row in ROWS}
WRITERS = {
    "t.csv": lambda frame, path: frame.to_csv(path, index=False),
    "t.tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    "t.txt": lambda frame, path: frame.to_csv(path, index=False, sep="|", encoding="utf-16"),
    "t.jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True),
    "t.json": lambda frame, path: frame.to_json(path, orient="records"),
    "t.xlsx": lambda frame, path: frame.to_excel(path, index=False),
    "t.parquet": lambda frame, path: frame.to_parquet(path),
    "metadata.csv": lambda frame, path: frame.to_csv(path, index=False),
    "metadata.jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True),
    "metadata.parquet": lambda frame, path: frame.to_parquet(path),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_table_is_a_dataset_that_a_recipe_may_name(folder, name):
    from xlser.experiment.corpora import find_corpus
    from xlser.experiment.workplace import Workplace

    WRITERS[name](FRAME, folder / name)
    text = str(folder if name.startswith("metadata") else folder / name)
    (origin,) = find_corpus(text, Workplace(cache=folder.parent / "cache", progress=False))
    dataset = origin.read()
    assert labels(dataset) == WANTED
    assert dataset.frame["partition"].tolist() == ["Train", "Train", "Test1", "Test1"]
    assert any("Test1 (2)" in note for note in dataset.notes)


def arrow(folder, *, held):
    records = [
        {
            "audio": {
                "bytes": (folder / row["path"]).read_bytes() if held else None,
                "path": row["path"].replace("/", "_") if held else str(folder / row["path"]),
            },
            "emotion": WORDS.index(row["emotion"]),
            "speaker": row["speaker"],
            "language": "de",
        }
        for row in ROWS
    ]
    return pa.Table.from_pylist(records)


def save_to_disk(table, folder, split=None):
    """Write a table as `datasets.Dataset.save_to_disk` does."""
    folder.mkdir(parents=True)
    with (
        pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as file,
        pa.ipc.new_stream(file, table.schema) as out,
    ):
        out.write_table(table)
    state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_split": split}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text(json.dumps({"features": FEATURES}))


@pytest.mark.parametrize("held", [True, False])
def test_what_save_to_disk_wrote_is_read_with_its_audio_or_where_it_is(folder, tmp_path, held):
    table = arrow(folder, held=held)
    save_to_disk(table, tmp_path / "one")
    dataset = read(tmp_path / "one", folder)
    assert sorted(dataset.frame["emotion"]) == ["anger", "anger", "sadness", "sadness"]
    assert all(path.is_file() for path in dataset.manifest.files())
    for part, rows in (("train", table.slice(0, 3)), ("test", table.slice(3))):
        save_to_disk(rows, tmp_path / "two" / part, part)
    (tmp_path / "two" / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))
    assert read(tmp_path / "two", folder).frame["partition"].tolist() == ["train"] * 3 + ["test"]


def test_saved_folders_of_one_name_keep_their_recordings_apart(folder, tmp_path):
    table = arrow(folder, held=True)
    save_to_disk(table, tmp_path / "a" / "same")
    first = read(tmp_path / "a" / "same", folder)
    before = first.audio(0)[0]
    sounds = table["audio"].to_pylist()
    turned = [{"bytes": other["bytes"], "path": own["path"]} for own, other in zip(sounds, sounds[::-1], strict=True)]
    save_to_disk(table.set_column(0, "audio", pa.array(turned, table["audio"].type)), tmp_path / "b" / "same")
    second = read(tmp_path / "b" / "same", folder)
    assert np.array_equal(first.audio(0)[0], before)
    assert not np.array_equal(second.audio(0)[0], before)


def test_times_of_a_long_recording_without_a_unit_are_asked_for(tmp_path):
    soundfile.write(tmp_path / "long.wav", np.full(8_000 * 900, 0.1, dtype=np.float32), 8_000)
    text = "file,start,end,label\nlong.wav,0,250,joy\nlong.wav,300,800,sad\n"
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(CorpusError, match="--column start:milliseconds=HEADER"):
        Dataset.from_manifest(tmp_path / "t.csv", language="de", speaker="x")
    ms = {"start:ms": "start", "end:ms": "end"}
    frame = Dataset.from_manifest(tmp_path / "t.csv", language="de", speaker="x", columns=ms).frame
    assert frame["end"].tolist() == [0.25, 0.8]
    text = text.replace("start,end", "start_s,end_s")
    (tmp_path / "t.csv").write_text(text)
    assert Dataset.from_manifest(tmp_path / "t.csv", language="de", speaker="x").frame["end"].tolist() == [250, 800]


def test_parquet_with_audio_is_read_by_the_words_of_its_labels(folder, tmp_path):
    about = {"huggingface": json.dumps({"info": {"features": FEATURES}})}
    pq.write_table(arrow(folder, held=True).replace_schema_metadata(about), tmp_path / "held.parquet")
    assert read(tmp_path / "held.parquet", folder).frame["emotion"].tolist() == WORDS * 2


@pytest.mark.parametrize(
    "spell",
    [
        lambda path, folder: str(folder / path),
        lambda path, folder: f"../{folder.name}/{path}",
        lambda path, folder: f"C:\\data\\{path}".replace("/", "\\"),
        lambda path, folder: f"/mnt/other/{path}",
        lambda path, folder: path.removesuffix(".wav"),
        lambda path, folder: path.upper(),
        lambda path, folder: f".\\{path}",
    ],
    ids=["absolute", "above", "windows", "another machine", "no suffix", "capitals", "backslash"],
)
@pytest.mark.parametrize("root", [True, False])
def test_a_table_elsewhere_finds_its_recordings(folder, spell, root):
    table = folder.parent / "t.csv" if not root else folder.parent / "tables" / "t.csv"
    table.parent.mkdir(exist_ok=True)
    FRAME.assign(path=[spell(path, folder) for path in FRAME["path"]]).to_csv(table, index=False)
    assert labels(read(table, folder, **({"root": folder} if root else {}))) == WANTED


@pytest.mark.parametrize(
    "spell", [lambda path, folder: str(folder / path), lambda path, folder: f"../{folder.name}/{path}"]
)
def test_paths_that_lead_elsewhere_need_no_root(folder, spell):
    table = folder.parent / "tables" / "t.csv"
    table.parent.mkdir()
    FRAME.head(3).assign(path=[spell(path, folder) for path in FRAME["path"][:3]]).to_csv(table, index=False)
    dataset = read(table, folder)
    assert labels(dataset) == {path: WANTED[path] for path in FRAME["path"][:3]}
    assert any("no row names: bert/001.wav" in note for note in dataset.notes)


def test_a_table_of_one_folder_labels_no_other(folder):
    FRAME.assign(path=["000", "anna/001.wav", "001", "carl/000.wav"]).to_csv(folder / "t.csv", index=False)
    dataset = read(folder / "t.csv", folder)
    assert dataset.frame["path"].tolist() == ["anna/001.wav"]
    assert sorted(path for paths in dataset.left_out.values() for path in paths) == ["000", "001", "carl/000.wav"]
    assert any("3 recording(s) that no row names: anna/000.wav" in note for note in dataset.notes)


def test_a_table_whose_recordings_are_elsewhere_asks_for_the_root(folder, tmp_path):
    (tmp_path / "far").mkdir()
    FRAME.to_csv(tmp_path / "far" / "t.csv", index=False)
    with pytest.raises(CorpusError, match=r"4 no recording of this path.*import table .*t\.csv --name t --root FOLDER"):
        read(tmp_path / "far" / "t.csv", folder)


def test_what_a_table_lacks_is_said_with_the_command_that_adds_it(folder):
    FRAME[["path", "emotion"]].to_csv(folder / "t.csv", index=False)
    with pytest.raises(CorpusError, match=r"import table .* --speaker NAME --language de --out t\.parquet"):
        read(folder / "t.csv", folder)
    with pytest.raises(CorpusError, match=r"import table .* --language de --out t\.parquet"):
        read(folder / "t.csv", folder, speaker="x")
    assert read(folder / "t.csv", folder, speaker="x", language="de").speakers == ("x",)
    FRAME.assign(emotion="Q").to_csv(folder / "q.csv", index=False)
    with pytest.raises(CorpusError, match=r"import table .*q\.csv --name q --emotion"):
        read(folder / "q.csv", folder)


def test_a_manifest_is_moved_with_its_recordings_or_says_that_they_are_gone(folder, tmp_path):
    FRAME.to_csv(folder / "t.csv", index=False)
    read(folder / "t.csv", folder).write(folder / "m.parquet")
    moved = shutil.copytree(folder, tmp_path / "moved")
    shutil.copytree(folder, tmp_path / "beside" / folder.name)
    shutil.copy(folder / "m.parquet", tmp_path / "beside" / "m.parquet")
    (tmp_path / "alone").mkdir()
    alone = shutil.copy(folder / "m.parquet", tmp_path / "alone" / "m.parquet")
    shutil.rmtree(folder)
    for path in (moved / "m.parquet", tmp_path / "beside" / "m.parquet"):
        dataset = Dataset.from_manifest(path)
        assert labels(dataset) == WANTED
        assert dataset.audio(0)[0].any()
    with pytest.raises(CorpusError, match=r"none of the 4 recordings .* --root t=FOLDER"):
        Dataset.from_manifest(alone)
    assert labels(Dataset.from_manifest(alone, root=moved)) == WANTED


def test_a_root_of_the_command_line_is_a_tables_root(folder, tmp_path):
    from xlser.experiment.corpora import find_corpora
    from xlser.experiment.workplace import Workplace
    from xlser.training.recipe import Recipe

    (tmp_path / "far").mkdir()
    FRAME.to_csv(tmp_path / "far" / "mine.csv", index=False)
    FRAME.to_csv(folder / "other.csv", index=False)
    text = str(tmp_path / "far" / "mine.csv")
    recipe = Recipe(name="r", source=text, targets=(str(folder / "other.csv"),), methods={"none": {}})
    place = Workplace(roots={"mine": folder}, cache=tmp_path / "cache", progress=False)
    assert labels(find_corpora(recipe, place)[text][0].read()) == WANTED
    with pytest.raises(CorpusError, match="did you mean 'mine'"):
        find_corpora(recipe, Workplace(roots={"mime": folder}, cache=tmp_path / "cache", progress=False))


@pytest.fixture
def call(tmp_path):
    """Return a folder with one stereo recording of two seconds, left and right of another tone."""
    t = np.arange(32_000) / 16_000
    sides = np.stack([0.1 * np.sin(2 * np.pi * 200 * t), 0.1 * np.sin(2 * np.pi * 500 * t)], axis=1)
    (tmp_path / "calls").mkdir()
    soundfile.write(tmp_path / "calls" / "call.wav", sides.astype(np.float32), 16_000)
    return tmp_path / "calls"


def test_segments_and_channels_of_a_call(call):
    rows = ["0.5,1.5,0,joy,a", "0.5,1.5,1,sad,b", "1.5,2.04,1,sad,b"]
    text = "file,onset,offset,channel,label,spk,mood\n" + "".join(f"call,{row},x\n" for row in rows)
    (call / "t.csv").write_text(text)
    dataset = read(call / "t.csv", call, language="de")
    frame = dataset.frame
    assert frame[["start", "end", "channel"]].to_numpy().tolist() == [[0.5, 1.5, 1], [0.5, 1.5, 2], [1.5, 2.0, 2]]
    assert frame["id"].tolist() == ["t/call#0.500-1.500@1", "t/call#0.500-1.500@2", "t/call#1.500-2.000@2"]
    assert frame["emotion"].tolist() == ["happiness", "sadness", "sadness"]
    notes = " ".join(dataset.notes)
    assert "'mood'" in notes
    assert "count from 0" in notes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,start,end,label\ncall,500,1500,joy\n", "fit it as milliseconds.*--column start:milliseconds="),
        ("file,label\ncall,joy\ncall,sad\n", "stand twice.*--column start="),
        ("file,label,channel\ncall,joy,3\n", "channel 3 of a recording that has 2"),
        ("file,start,end,label\ncall,1.5,9e12,joy\n", "segment outside the file"),
        ("file,start,end,label\ncall,1.5,1,joy\n", "segment outside the file"),
    ],
)
def test_segments_that_cannot_be_are_refused(call, text, said):
    (call / "t.csv").write_text(text)
    with pytest.raises(CorpusError, match=said):
        read(call / "t.csv", call, language="de", speaker="x")


def test_ids_that_stand_twice_are_made_anew(folder):
    FRAME.assign(utterance_id=[0, 1, 0, 1]).to_csv(folder / "t.csv", index=False)
    dataset = read(folder / "t.csv", folder)
    assert dataset.frame["id"].tolist() == ["t/anna/000", "t/anna/001", "t/bert/000", "t/bert/001"]
    assert any("'0' stands twice" in note for note in dataset.notes)


def test_ratings_alone_are_enough_and_unknown_speakers_are_many(folder):
    frame = FRAME.drop(columns="emotion").assign(arousal=[1, 2, None, 5], speaker=["Unknown", "unknown", "x", ""])
    frame.to_csv(folder / "t.csv", index=False)
    dataset = read(folder / "t.csv", folder, scale=(1, 5))
    assert dataset.frame["emotion"].tolist() == ["unlabelled", "unlabelled"]
    assert dataset.frame["emotion_raw"].tolist() == ["", ""]
    assert dataset.frame["activation"].tolist() == [-1, -0.5]
    assert dataset.speakers == ("unknown:anna/000", "unknown:anna/001")
    assert dataset.left_out == {"no emotion label": ["bert/000.wav"], "no speaker": ["bert/001.wav"]}
    dataset.write(folder / "m.csv")
    assert Dataset.from_manifest(folder / "m.csv").frame["emotion"].tolist() == ["unlabelled", "unlabelled"]


VOTES = [
    "anger,happy,neutral\n2,1,0\n1,1,0\n0,0,0\n0,3,0",
    "n_anger,happy_votes,neutral count\n2,1,0\n1,1,0\n,,\n0,3,0",
    "rater1,rater2,rater3\nanger,joy,Wut\nanger,joy,\n,,\njoy,joy,joy",
]


@pytest.mark.parametrize("text", VOTES, ids=["counts", "named counts", "a column a rater"])
def test_votes_give_a_label_and_its_share(folder, text):
    head, *cells = text.split("\n")
    rows = [f"{row['path']},{row['speaker']},{cell}" for row, cell in zip(ROWS, cells, strict=True)]
    (folder / "t.csv").write_text("\n".join([f"path,speaker,{head}", *rows]))
    frame = read(folder / "t.csv", folder, language="de").frame
    assert frame["path"].tolist() == ["anna/000.wav", "anna/001.wav", "bert/001.wav"]
    assert frame["emotion"].tolist() == ["anger", "no-agreement", "happiness"]
    assert frame["agreement"].tolist() == pytest.approx([2 / 3, 1 / 2, 1])
    assert json.loads(frame["votes"][0]) == {"anger": 2, "happiness": 1}


def test_votes_for_something_else_count(folder):
    rows = [f"{row['path']},{row['speaker']},2,1,{other}" for row, other in zip(ROWS, (3, 0, 2, 1), strict=True)]
    (folder / "t.csv").write_text("\n".join(["path,speaker,anger,sad,other", *rows]))
    frame = read(folder / "t.csv", folder, language="de").frame
    assert frame["emotion"].tolist() == ["other", "anger", "no-agreement", "anger"]


def test_a_row_for_each_rater(folder):
    text = (
        "path,spk,annotator,emotion,valence\nanna/000.wav,a,1,anger,1\nanna/000.wav,a,2,joy,2\nanna/000.wav,,3,anger,6\n"
        "bert/000.wav,b,1,sad,5\n"
    )
    (folder / "t.csv").write_text(text)
    frame = read(folder / "t.csv", folder, language="de", scale=(1, 7)).frame
    assert frame["emotion"].tolist() == ["anger", "sadness"]
    assert frame["agreement"].tolist() == pytest.approx([2 / 3, 1])
    assert frame["valence_raw"].tolist() == [3, 5]
    (folder / "t.csv").write_text(text.replace("anna/000.wav,,3", "anna/000.wav,c,3"))
    with pytest.raises(CorpusError, match="several values of speaker: a and c"):
        read(folder / "t.csv", folder, language="de", scale=(1, 7))


def test_votes_stand_beside_a_label_and_intensities_are_none(folder):
    FRAME.assign(anger=[2, 0, 1, 0], sad=[1, 3, 1, 2]).to_csv(folder / "t.csv", index=False)
    frame = read(folder / "t.csv", folder).frame
    assert frame["emotion"].tolist() == WORDS * 2
    assert frame["agreement"].tolist() == pytest.approx([2 / 3, 1, 1 / 2, 1])
    FRAME.assign(anger=[0.3, 0.1, 0.9, 0.2], sad=[0.9, 0.8, 0.1, 0.2]).to_csv(folder / "t.csv", index=False)
    dataset = read(folder / "t.csv", folder)
    assert dataset.frame["votes"].isna().all()
    assert any("not read: 'anger', 'sad'" in note for note in dataset.notes)


def test_from_frame_reads_what_tables_read(call, folder):
    table = pd.DataFrame({"file": ["call.wav"] * 2, "onset_ms": [0, 500], "duration_ms": [500, 500], "who": "a"})
    table = table.assign(valence=[1, 3], ch=["left", "right"], part=["Test1", "x"], mood=0)
    with pytest.warns(UserWarning, match="'part', 'mood'"):
        dataset = Dataset.from_frame(table, speaker="who", language="de", root=call, scale=(1, 5))
    frame = dataset.frame
    assert frame[["start", "end", "channel"]].to_numpy().tolist() == [[0, 0.5, 1], [0.5, 1, 2]]
    assert frame["emotion"].tolist() == ["unlabelled"] * 2
    windows = FRAME.assign(path=["C:\\x\\" + path.replace("/", "\\") for path in FRAME["path"]])
    with pytest.warns(UserWarning, match="matched by"):
        assert labels(Dataset.from_frame(windows, root=folder)) == WANTED
    with pytest.raises(CorpusError, match="no recording of this path: carl/000"):
        Dataset.from_frame(FRAME.assign(path=["carl/000.wav", *FRAME["path"][1:]]), root=folder)
