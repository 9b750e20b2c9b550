"""Tables that label parts of recordings, or recordings in several folders: each row goes where it belongs."""

import pytest

from xlser.corpora.scan import scan
from xlser.errors import CardError, CorpusError

TABLE = {"file": "labels.csv", "key": "file", "columns": {"emotion": "emotion", "speaker": "who"}}


@pytest.fixture
def read(make_card, tree):
    """Return a function: the scan of a folder of recordings beside a table."""

    def look(text, names=("a.wav", "b.wav"), card=(), **table):
        root = tree(*names)
        (root / "labels.csv").write_text(text)
        columns = TABLE["columns"] | table.pop("columns", {})
        made = TABLE | {"columns": columns} | table
        return scan(make_card(audio="**/*.wav", grammar=".+", table=made, speaker="{speaker}", **dict(card)), root)

    return look


def segments(found):
    return [(row["path"], tuple(row["segment"][:2]), row["emotion"], row["speaker"]) for row in found.rows]


@pytest.mark.parametrize(
    ("head", "cells", "table"),
    [
        ("onset,offset", ["0.5,2", "2,3.25"], {"columns": {"start": "onset", "end": "offset"}}),
        ("start,duration", ["0.5,1.5", "2,1.25"], {"columns": {"start": "start", "duration": "duration"}}),
        ("Start (ms),end_ms", ["500,2000", "2000,3250"], {"columns": {"start": "Start (ms)", "end": "end_ms"}}),
        ("on,off", ["500,2000", "2000,3250"], {"columns": {"start": "on", "end": "off"}, "times": "milliseconds"}),
        ("on,off", ["0:00.5,0:02", "00:00:02,0:00:03.25"], {"columns": {"start": "on", "end": "off"}}),
        ("begin_time,end_time", ["0.50,2.0", "2.0,3.250"], {"columns": {"start": "begin_time", "end": "end_time"}}),
        ("start_ms,secs", ["500,1.5", "2000,1.25"], {"columns": {"start": "start_ms", "duration": ["dur", "secs"]}}),
    ],
)
def test_each_row_is_a_segment_of_its_recording(read, head, cells, table):
    rows = "".join(f"a.wav,{cell},{code},{who}\n" for cell, code, who in zip(cells, ["ang", "sad"], "xy", strict=True))
    found = read(f"file,{head},emotion,who\n{rows}b.wav,{cells[0]},neu,x\n", **table)
    assert segments(found) == [
        ("a.wav", (0.5, 2.0), "anger", "x"),
        ("a.wav", (2.0, 3.25), "sadness", "y"),
        ("b.wav", (0.5, 2.0), "neutral", "x"),
    ]


def test_samples_wait_for_the_rate_of_their_recording(read):
    found = read("file,s,e,emotion,who\na.wav,8000,24000,ang,x\n", columns={"start": "s", "end": "e"}, times="samples")
    assert found.rows[0]["segment"].seconds(16000) == (0.5, 1.5)


TIMED = {"columns": {"start": "start", "end": "end"}}


def test_a_segment_that_stands_twice_counts_once_but_not_with_two_labels(read):
    head = "file,start,end,emotion,who\na.wav,1,2,ang,x\n"
    found = read(head + "a.wav,1.0,2.00,ang,x\n", **TIMED)
    assert len(found.rows) == 1
    assert "labels.csv: 1 row(s) stand twice and count once" in found.notes
    with pytest.raises(CorpusError, match=r"a\.wav' twice for #1\.000-2\.000, once .*'ang'.* and once .*'sad'"):
        read(head + "a.wav,1,2.0,sad,x\n", **TIMED)


def test_rows_without_a_time_are_left_out_and_counted(read):
    found = read("file,start,end,emotion,who\na.wav,1,2,ang,x\na.wav,,,sad,x\nb.wav,1,,sad,x\n", **TIMED)
    assert len(found.rows) == 1
    assert "labels.csv: 2 row(s) without start or end left out, such as a.wav, b.wav" in found.notes
    assert found.left_out == {"no row in labels.csv": ["b.wav"]}


def test_a_time_that_is_none_is_named(read):
    with pytest.raises(CorpusError, match=r"labels\.csv, row of a\.wav: time 'soon' is no number"):
        read("file,start,end,emotion,who\na.wav,soon,2,ang,x\n", **TIMED)


def test_a_unit_that_cannot_be_read_or_is_nobodys_is_refused(read):
    with pytest.raises(CorpusError, match=r"'start_frame' is in frames, which cannot be read"):
        read(
            "file,start_frame,end_frame,emotion,who\na.wav,1,2,ang,x\n",
            columns={"start": "start_frame", "end": "end_frame"},
        )
    rows = "".join(f"a.wav,{n}000,{n}900,ang,x\n" for n in range(1, 5))
    with pytest.raises(CorpusError, match=r"nobody says what unit.*`times: milliseconds`"):
        read("file,start,end,emotion,who\n" + rows, **TIMED)
    assert len(read("file,start,end,emotion,who\n" + rows, **TIMED, times="milliseconds").rows) == 4
    assert len(read("file,start,end,emotion,who\n" + rows, **TIMED, times="seconds").rows) == 4


@pytest.mark.parametrize(
    "head",
    ["onset,offset", "start,duration", "begin_time,end_time", "Start (s),End (s)", "from,to", "Anfang,Ende", "t0,t1"],
)
def test_a_table_of_segments_never_labels_whole_recordings(read, head):
    start, end = head.split(",")
    with pytest.raises(CorpusError, match=r"look like the times of segments.*columns: \{start: .*ignore: \[") as told:
        read(f"file,{head},emotion,who\na.wav,0,1,ang,x\n")
    assert repr(start) in str(told.value)
    assert repr(end) in str(told.value)
    found = read(f"file,{head},emotion,who\na.wav,0,1,ang,x\nb.wav,0,1,ang,x\n", ignore=[start, end])
    assert not any("segment" in row for row in found.rows)
    assert not [note for note in found.notes if "not read" in note]


def test_ratings_of_segments_do_not_rate_whole_recordings(make_card, tree):
    root = tree("s1_ang_1.wav")
    (root / "r.csv").write_text("filename,onset,offset,valence\ns1_ang_1.wav,0,1,3\n")
    dimensions = {"file": "r.csv", "scale": [1, 5], "columns": {"valence": "valence"}}
    with pytest.raises(CorpusError, match="look like the times of segments"):
        scan(make_card(dimensions=dimensions), root)
    found = scan(make_card(dimensions=dimensions | {"ignore": ["onset", "offset"]}), root)
    assert found.rows[0]["valence_raw"] == 3


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"start": "s"}, "neither `end` nor `duration`"),
        ({"end": "e"}, "no `start`"),
        ({"start": "s", "end": "e", "duration": "d"}, "not both"),
    ],
)
def test_half_a_segment_is_refused_in_the_card(make_card, columns, said):
    with pytest.raises(CardError, match=said):
        make_card(table=TABLE | {"columns": TABLE["columns"] | columns})


def test_columns_that_nobody_reads_are_named_and_those_that_matter_with_the_way_to_map_them(read):
    head = "file,emotion,Speaker ID,split,gender,mood,timestamp\n"
    rows = "a.wav,ang,x,train,f,3,1\nb.wav,sad,y,test,m,4,2\n"
    found = read(head + rows, columns={"speaker": "mood"})
    assert "labels.csv: columns not read: Speaker ID, split, gender, timestamp" in found.notes
    said = "\n".join(found.notes)
    assert "column 'split' looks like a part of an official split and is not read: `columns: {split: split}`" in said
    assert "column 'gender' looks like the speaker's sex" in said
    assert "column 'timestamp' looks like a time" in said
    assert "Speaker ID' looks" not in said, "the card has a speaker"


def test_a_column_of_channels_is_refused_where_it_tells_rows_apart(read):
    with pytest.raises(
        CorpusError, match=r"several channels \(column 'Channel': 1, 2\).*columns: \{channel: 'Channel'\}"
    ):
        read("file,emotion,who,Channel\na.wav,ang,x,1\nb.wav,sad,y,2\n")
    assert any("looks like a channel" in note for note in read("file,emotion,who,Channel\na.wav,ang,x,1\n").notes)


BOTH = ("anna/000.wav", "bert/000.wav", "bert/001.wav")


def test_a_path_labels_its_own_recording_and_no_other_of_its_name(read):
    found = read("file,emotion,who\nanna/000.wav,ang,anna\n", BOTH)
    assert [(row["path"], row["speaker"]) for row in found.rows] == [("anna/000.wav", "anna")]
    assert found.left_out == {"no row in labels.csv": ["bert/000.wav", "bert/001.wav"]}


@pytest.mark.parametrize(
    "written",
    [
        "anna/000.wav",
        "ANNA\\000.WAV",
        "./anna/000",
        "/data/corpus/anna/000.wav",
        "C:\\data\\anna\\000.wav",
        "anna/000.mp3",
    ],
)
def test_spellings_of_one_path(read, written):
    found = read(
        f"file,emotion,who\n{written},ang,x\n{written.replace('anna', 'bert').replace('ANNA', 'BERT')},sad,y\n", BOTH
    )
    assert [(row["path"], row["emotion"]) for row in found.rows] == [
        ("anna/000.wav", "anger"),
        ("bert/000.wav", "sadness"),
    ]


def test_a_bare_name_is_used_only_where_it_is_one_recordings(read):
    found = read("file,emotion,who\n000,ang,x\n001.wav,sad,y\nzzz.wav,sad,y\n", BOTH)
    assert [row["path"] for row in found.rows] == ["bert/001.wav"]
    said = "\n".join(found.notes)
    assert "1 row(s) may be about several recordings and are used for none, such as 000 (anna/000.wav or bert/" in said
    assert "1 row(s) without audio, such as zzz" in said
    with pytest.raises(CorpusError, match="may be about several recordings"):
        read("file,emotion,who\n000,ang,x\n", BOTH[:2])


def test_other_folders_than_those_on_the_disk_need_to_be_named(read):
    table = "file,emotion,who\nraw/a.wav,ang,x\nraw/b.wav,sad,y\n"
    with pytest.raises(CorpusError, match="`match: name`"):
        read(table, ("wav/a.wav", "wav/b.wav"))
    assert len(read(table, ("wav/a.wav", "wav/b.wav"), match="name").rows) == 2
    assert len(read(table, ("x/raw/a.wav", "x/raw/b.wav")).rows) == 2


def test_the_ratings_of_one_folder_are_not_those_of_another(make_card, tree):
    root = tree("anna/s1_ang_1.wav", "bert/s1_ang_1.wav")
    (root / "r.csv").write_text("filename,valence\nanna/s1_ang_1.wav,2\n")
    dimensions = {"file": "r.csv", "scale": [1, 5], "columns": {"valence": "valence"}}
    found = scan(make_card(audio="**/*.wav", dimensions=dimensions), root)
    assert [row["valence_raw"] for row in found.rows] == [2, None]


def test_raters_of_segments_are_counted_segment_by_segment(read):
    rows = [("1", "2", "r1", "ang"), ("1.0", "2.0", "r2", "ang"), ("1", "2", "r3", "sad"), ("2", "3", "r1", "sad")]
    text = "file,start,end,rater,emotion,who\n" + "".join(f"a.wav,{s},{e},{r},{c},x\n" for s, e, r, c in rows)
    found = read(text, **TIMED, votes={"rater": "rater"})
    assert [(row["segment"][0], row["emotion"], row["votes"]) for row in found.rows] == [
        (1.0, "anger", '{"anger": 2, "sadness": 1}'),
        (2.0, "sadness", '{"sadness": 1}'),
    ]
