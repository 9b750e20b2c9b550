"""Datasets: made of a card, a table or a file; merged, kept, taken and put together."""

import numpy as np
import pandas as pd
import pytest
import soundfile
from ragged import make_ragged

from xlser.data.dataset import Dataset, load_corpus
from xlser.errors import CorpusError


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_ragged(tmp_path_factory.mktemp("ragged"))


@pytest.fixture
def german(data, tmp_path):
    return load_corpus("synthetic-de", data / "synthetic-de", cache=tmp_path)


@pytest.fixture
def turkish(data, tmp_path):
    return load_corpus("synthetic-tr", data / "synthetic-tr", cache=tmp_path)


@pytest.fixture
def table(german):
    """What a user holds: other names for everything, absolute paths, labels of one letter."""
    return pd.DataFrame(
        {
            "wav file": [str(path) for path in german.manifest.files()],
            "emo": german.frame["emotion_raw"].to_numpy(),
            "who": german.frame["speaker"].to_numpy(),
            "aro": german.frame["activation_raw"].to_numpy(),
        },
        index=range(100, 100 + len(german)),
    )


LETTERS = {"W": "anger", "F": "happiness", "N": "neutral", "T": "sadness", "A": "fear", "L": "boredom"}
COLUMNS = {"audio": "wav file", "emotion": "emo", "speaker": "who", "language": "de", "activation": "aro"}


def test_merge_keeps_the_raw_label_and_counts_what_moved(german):
    merged = german.merge(boredom="neutral")
    was = german.frame["emotion"] == "boredom"
    assert (merged.frame["emotion"][was] == "neutral").all()
    assert merged.frame["emotion"][~was].tolist() == german.frame["emotion"][~was].tolist()
    assert merged.frame["emotion_raw"].equals(german.frame["emotion_raw"])
    assert merged.merged == {"boredom -> neutral": was.sum()}
    assert german.merged == {}


def test_keep_counts_what_it_drops_and_adds_to_what_was_dropped_before(german):
    counts = german.frame["emotion"].value_counts()
    kept = german.keep("anger", "sadness", "fear").keep("anger")
    assert set(kept.frame["emotion"]) == {"anger"}
    assert kept.dropped == {name: count for name, count in counts.items() if name != "anger"}
    assert len(kept) + sum(kept.dropped.values()) == len(german)


def test_rows_are_taken_by_position_or_by_mask(german):
    rows = [5, 2, 30]
    assert german.take(rows).frame["id"].tolist() == german.frame["id"].iloc[rows].tolist()
    mask = german.frame["speaker"] == german.frame["speaker"].iloc[0]
    assert german.take(mask).frame["id"].tolist() == german.frame["id"][mask].tolist()
    for bad in ([], [len(german)], mask[:-1]):
        with pytest.raises(CorpusError, match="take"):
            german.take(bad)


def test_audio_is_the_recording_that_the_row_names(german, turkish):
    joined = german.concat(turkish)
    for dataset, row in ((german, 3), (joined, 3), (joined, len(german) + 2)):
        samples, rate = dataset.audio(row)
        of, place = (german, row) if row < len(german) else (turkish, row - len(german))
        expected, own = soundfile.read(of.manifest.root / of.frame["path"].iloc[place], dtype="float32")
        assert rate == own
        np.testing.assert_array_equal(samples, expected)
    assert len(german.audio(0, rate=8_000)[0]) == pytest.approx(len(german.audio(0)[0]) / 2, abs=1)


def test_corpora_put_together_keep_their_speakers_apart(german, turkish):
    joined = german.concat(turkish)
    assert joined.name == "synthetic-de+synthetic-tr"
    assert joined.language == "de+tr"
    assert len(joined.speakers) == len(german.speakers) + len(turkish.speakers)
    assert joined.frame["emotion"].tolist() == [*german.frame["emotion"], *turkish.frame["emotion"]]
    assert joined.frame["id"].is_unique
    for bad in ((german,), (joined,)):
        with pytest.raises(CorpusError, match="synthetic-de"):
            german.concat(*bad)


def test_a_joined_dataset_comes_apart_and_goes_to_disk_as_it_was(german, turkish, tmp_path):
    german.manifest.left_out["silent"] = ["wav/x.wav"]
    joined = german.concat(turkish)
    back = Dataset.from_manifest(joined.write(tmp_path / "both.parquet"))
    for dataset in (joined, back):
        for part, own in zip(dataset.manifests(), (german, turkish), strict=True):
            pd.testing.assert_frame_equal(part.frame, own.frame, check_dtype=False)
            assert (part.card, part.root, part.left_out) == (own.name, own.manifest.root, own.left_out)
    assert back.manifest.files() == joined.manifest.files()


def test_derived_ratings_are_marked_and_are_not_written_as_human_ones(german):
    bare = german.frame.assign(**{f"{n}{raw}": np.nan for n in ("activation", "valence") for raw in ("", "_raw")})
    from dataclasses import replace

    unrated = Dataset.of(replace(german.manifest, frame=bare), german.facts)
    derived = unrated.with_derived_ratings()
    assert (unrated.ratings_kind, derived.ratings_kind) == ("none", "derived")
    assert derived.frame["valence"][derived.frame["emotion"] == "anger"].eq(-0.51).all()
    assert derived.manifests()[0].frame["valence"].isna().all()
    assert german.with_derived_ratings() is german


def test_a_table_of_ones_own_is_read_as_the_card_reads_it(table, german):
    mine = Dataset.from_frame(table, emotions=LETTERS, scale=(1, 5), **COLUMNS)
    assert mine.manifest.files() == german.manifest.files()
    for column in ("emotion", "emotion_raw", "speaker", "language", "duration"):
        assert mine.frame[column].tolist() == german.frame[column].tolist()
    np.testing.assert_allclose(mine.frame["activation"], german.frame["activation"], atol=1e-9)


def test_relative_paths_start_from_the_root(table, german):
    table["wav file"] = german.frame["path"].to_numpy()
    mine = Dataset.from_frame(table, emotions=LETTERS, scale=(1, 5), root=german.manifest.root, **COLUMNS)
    assert mine.manifest.files() == german.manifest.files()


def test_a_label_that_is_no_known_emotion_is_kept_and_told(table):
    letters = {key: name for key, name in LETTERS.items() if key != "L"}
    count = (table["emo"] == "L").sum()
    with pytest.warns(UserWarning, match=rf"'L' \({count}\).*emotions="):
        mine = Dataset.from_frame(table, emotions=letters, scale=(1, 5), **COLUMNS)
    assert (mine.frame["emotion"][mine.frame["emotion_raw"] == "L"] == "L").all()
    assert (mine.frame["emotion"] == "L").sum() == count


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"audio": "wave file"}, "'wav file'"),
        ({"speaker": None}, "speaker=COLUMN"),
        ({"speaker": "nobody"}, "'nobody'"),
        ({"language": None}, "language="),
        ({"scale": None}, "scale"),
        ({"loudness": "aro"}, "loudness"),
    ],
)
def test_a_column_that_is_not_there_is_named(table, change, named):
    options = {"emotions": LETTERS, "scale": (1, 5)} | COLUMNS | change
    with pytest.raises(CorpusError, match=named):
        Dataset.from_frame(table, **options)


def test_a_recording_that_is_not_there_stops_or_is_left_out_by_name(table):
    table.loc[103, "wav file"] = table.loc[103, "wav file"].replace(".wav", "-gone.wav")
    with pytest.raises(CorpusError, match=r"1 of 48 rows.*-gone\.wav"):
        Dataset.from_frame(table, emotions=LETTERS, scale=(1, 5), **COLUMNS)
    mine = Dataset.from_frame(table, emotions=LETTERS, scale=(1, 5), strict=False, **COLUMNS)
    assert len(mine) == len(table) - 1
    (paths,) = mine.left_out.values()
    assert [path[-9:] for path in paths] == ["-gone.wav"]


def test_an_id_that_stands_twice_and_a_table_without_rows_are_refused(table):
    with pytest.raises(CorpusError, match="twice"):
        Dataset.from_frame(pd.concat([table, table.tail(3)]), emotions=LETTERS, scale=(1, 5), **COLUMNS)
    with pytest.raises(CorpusError, match="without rows"):
        Dataset.from_frame(table.head(0), **COLUMNS)


def test_every_format_on_disk_gives_the_same_labels(german, tmp_path):
    from xlser.data.formats.audformat_write import write_audformat

    german.write(tmp_path / "own.parquet")
    german.write(tmp_path / "own.csv")
    write_audformat(german.manifest, tmp_path / "db", audio="link")
    plain = german.frame[["path", "emotion", "speaker", "language"]]
    plain.to_csv(german.manifest.root / "plain.csv", index=False)
    paths = [tmp_path / "own.parquet", tmp_path / "own.csv", tmp_path / "db", german.manifest.root / "plain.csv"]
    for path in paths:
        read = Dataset.from_manifest(path, root=german.manifest.root if path.name == "own.csv" else None)
        by_file = dict(zip((p.rsplit("/", 1)[-1] for p in read.frame["path"]), read.frame["emotion"], strict=True))
        own = zip((p.rsplit("/", 1)[-1] for p in german.frame["path"]), german.frame["emotion"], strict=True)
        assert by_file == dict(own), path
    (german.manifest.root / "plain.csv").unlink()
    with pytest.raises(CorpusError, match="not there"):
        Dataset.from_manifest(tmp_path / "nothing.csv")


def test_a_word_is_a_card_even_where_a_database_is_called_like_it(german, tmp_path, monkeypatch):
    from xlser.data.formats.anyformat import dataset_name, is_dataset
    from xlser.data.formats.audformat_write import write_audformat

    write_audformat(german.manifest, tmp_path / "emodb", audio="link")
    german.write(tmp_path / "own.parquet")
    german.write(tmp_path / "own.csv")
    (tmp_path / "My Table.csv").write_text("path,emotion\n")
    monkeypatch.chdir(tmp_path)
    assert not is_dataset("emodb")
    assert is_dataset("./emodb")
    assert is_dataset("own.csv")
    names = [dataset_name(path) for path in ("./emodb", "own.parquet", "own.csv", "My Table.csv")]
    assert names == ["synthetic-de"] * 3 + ["my-table"]


def test_a_description_counts_every_emotion_and_all(german):
    table = german.describe()
    assert table.loc["all", "utterances"] == table.loc["all", "recordings"] == len(german)
    assert table["utterances"].iloc[:-1].sum() == len(german)
    assert table["utterances"].iloc[:-1].is_monotonic_decreasing
    assert table.loc["all", "rated"] == german.frame[["activation", "valence"]].notna().any(axis=1).sum()
