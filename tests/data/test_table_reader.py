"""One reader of tables: what files there are, which column is which, and what is not read."""

import json

import pandas as pd
import pytest

from xlser.data.formats.channel_cells import read_channels
from xlser.data.formats.columns import find_columns
from xlser.data.formats.table_options import TableOptions
from xlser.data.formats.table_reader import read_rows
from xlser.errors import CorpusError

ROW = {"path": "a.wav", "emotion": "Ärger"}


@pytest.fixture
def table(tmp_path):
    """Return a function: the rows of a table with this name and content, read."""

    def make(name, content, needed=("path",), **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_rows(path, TableOptions(**options), needed)

    return make


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom"])
def test_separators_line_ends_and_encodings_are_seen(table, mark, end, encoding):
    text = f'file{mark}"emotion"{mark}{end}{end}a.wav{mark}"Ärger"{mark}{end}{mark}{mark}{end}'
    data = b"\xff\xfe" + text.encode("utf-16-le") if encoding == "utf-16-le-bom" else text.encode(encoding)
    found = table("t.csv", data)
    assert (found.rows, found.separator) == ([ROW], mark)
    assert found.lines == [3]


def test_a_cell_may_hold_separators_and_lines(table):
    found = table("t.csv", 'file,text,emotion\n"a,b.wav","two\nlines",joy\nc.wav,x,joy\n')
    assert [row["path"] for row in found.rows] == ["a,b.wav", "c.wav"]
    assert found.rows[0]["text"] == "two\nlines"


def test_another_encoding_is_named_and_read(table):
    data = "file;emotion\na.wav;Ärger\n".encode("cp1252")
    with pytest.raises(CorpusError, match="--encoding cp1252"):
        table("t.csv", data)
    assert table("t.csv", data, encoding="cp1252").rows == [ROW]
    with pytest.raises(CorpusError, match="unknown encoding: klingon"):
        table("t.csv", data, encoding="klingon")
    with pytest.raises(CorpusError, match="utf-16-le"):
        table("t.csv", "file,emotion".encode("utf-16-le"))


def test_a_separator_is_seen_named_or_said_by_excel(table):
    assert table("t.csv", "sep=;\nfile;emotion\na.wav;Ärger\n").rows == [ROW]
    assert table("t.csv", "file emotion\na.wav Ärger\n", separator="space").rows == [ROW]
    assert table("t.csv", "file, b\temotion\na.wav\tÄrger\n", columns={"path": "file, b"}).rows == [ROW]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,emotion\na.wav,joy,x\n", "line 2: 3 cells"),
        ("file,emotion\n\na.wav,joy\nb.wav,a,b,c\n", "line 4: 4 cells"),
        ("file,file\na.wav,joy\n", "two columns are called 'file'"),
        ("name,mood\na.wav,joy\n", "no column of path; its columns: name, mood. Name it: --column path='name'"),
        ("file\n", "has no rows"),
    ],
)
def test_a_table_that_cannot_be_read_says_where_and_what_to_do(table, text, said):
    with pytest.raises(CorpusError, match=said):
        table("t.csv", text)


def test_columns_are_named_by_role_or_by_any_spelling_of_it(table):
    named = {"audio": "name", "emotion": "mood", "arousal": "x"}
    found = table("t.csv", "name,mood,x,y\na.wav,Ärger,3,4\n", columns=named)
    assert found.rows == [ROW | {"activation": "3"}]
    assert found.unread == ["y"]
    with pytest.raises(CorpusError, match="there is no column 'moo' for emotion; did you mean 'mood'"):
        table("t.csv", "name,mood\na.wav,x\n", columns={"emotion": "moo"})
    with pytest.raises(CorpusError, match="no column for 'emotoin'; did you mean 'emotion'"):
        table("t.csv", "name,mood\na.wav,x\n", columns={"emotoin": "mood"})


TIMES = [
    ("onset,offset", "0.5,2", (0.5, 2)),
    ("start,duration", "0.5,2", (0.5, 2.5)),
    ("offset,duration", "0.5,2", (0.5, 2.5)),
    ("begin_time,end_time", "0.5,2", (0.5, 2)),
    ("Start (s),End (s)", "0.5,2", (0.5, 2)),
    ("start_ms,end_ms", "500,2000", (0.5, 2)),
    ("startMs,durationMs", "500,2000", (0.5, 2.5)),
    ("begin_sample,end_sample", "4000,16000", (0.5, 2)),
    ("Begin Time - ss.msec,End Time - ss.msec", "0.5,2", (0.5, 2)),
    ("Begin Time - hh:mm:ss.ms,End Time - hh:mm:ss.ms", "00:00:00.500,00:00:02.000", (0.5, 2)),
    ("start,end", "0:00:00.5,0:02", (0.5, 2)),
    ("from,to", "0.5,2", (0.5, 2)),
    ("start,end,duration", "0.5,2,1.5", (0.5, 2)),
    ("end", "2", (0, 2)),
    ("duration", "2", (0, None)),
    ("offset", "2", (0, None)),
    ("start,end", ",", (0, None)),
]


@pytest.mark.parametrize(("heads", "cells", "span"), TIMES)
def test_times_are_read_in_the_units_that_people_write(table, heads, cells, span):
    assert table("t.csv", f"file,{heads}\na.wav,{cells}\n").span(0, 8000) == pytest.approx(span)


def test_decimal_commas_are_read_where_they_separate_nothing(table):
    assert table("t.csv", "file;start;end\na.wav;0,5;1,25\n").span(0) == (0.5, 1.25)


def test_a_unit_may_be_named_with_the_column(table):
    assert table("t.csv", "file,a,b\na.wav,500,2000\n", columns={"start:ms": "a", "end:milliseconds": "b"}).span(0) == (
        0.5,
        2,
    )
    with pytest.raises(CorpusError, match="must name a unit of times"):
        table("t.csv", "file,a\na.wav,5\n", columns={"start:parsecs": "a"})


@pytest.mark.parametrize(
    ("heads", "cells", "said"),
    [
        ("start,end", "x,2", "line 2: start 'x'"),
        ("start,end,duration", "1,2,5", "do not give the end 2"),
    ],
)
def test_a_time_that_cannot_be_read_names_the_line(table, heads, cells, said):
    with pytest.raises(CorpusError, match=said):
        table("t.csv", f"file,{heads}\na.wav,{cells}\n").span(0)


def test_every_column_that_is_not_read_is_named():
    columns = find_columns(["file", "path", "Label", "emotion", "timestamp", "mood", "spk", "start", "onset"])
    assert columns.heads == {"path": "path", "emotion": "emotion", "speaker": "spk", "start": "start"}
    notes = " ".join(columns.notes())
    assert all(repr(head) in notes for head in ("file", "Label", "timestamp", "mood", "onset"))
    assert "--column start='timestamp'" in notes
    assert set(columns.unread) | {"file", "Label"} == {"file", "Label", "timestamp", "mood", "onset"}


def test_roles_have_many_spellings():
    heads = ["File Name", "EmoClass", "SpkrID", "Gender", "Split_Set", "EmoAct", "Channel"]
    roles = ("path", "emotion", "speaker", "sex", "split", "activation", "channel")
    assert find_columns(heads).heads == dict(zip(roles, heads, strict=True))


def test_lists_have_a_path_a_line_or_a_head(table):
    found = table("t.txt", "a.wav\n\n  b, c.wav \n")
    assert (found.bare, [row["path"] for row in found.rows], found.lines) == (True, ["a.wav", "b, c.wav"], [1, 3])
    found = table("t.txt", "path\tlabel\na.wav\tÄrger\n")
    assert (found.bare, found.rows) == (False, [ROW])
    assert table("t.lst", "path\na.wav\n").rows == [{"path": "a.wav"}]


RECORDS = [{"file": "a.wav", "emotion": "Ärger"}, {"emotion": "joy", "file": "b.wav", "start": 1, "end": 2.5}]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.jsonl", "\n\n".join(map(json.dumps, RECORDS))),
        ("t.ndjson", "\r\n".join(map(json.dumps, RECORDS))),
        ("t.json", json.dumps(RECORDS)),
        ("t.json", json.dumps({"data": RECORDS})),
        ("t.json", json.dumps({"u1": RECORDS[0], "u2": RECORDS[1]})),
        ("t.jsonl", json.dumps({"file": {"path": "a.wav", "bytes": None}} | RECORDS[1] | RECORDS[0] | {"x": 1})),
    ],
)
def test_json_is_read_whatever_its_records_have_in_common(table, name, text):
    found = table(name, text)
    assert found.rows[0]["path"] == "a.wav"
    assert found.rows[0]["emotion"] == "Ärger"
    if len(found.rows) > 1:
        assert found.span(1) == (1, 2.5)
        assert found.span(0) == (0, None)


@pytest.mark.parametrize("text", ["[1]", "3", '{"a": 1}', "{", '[{"file": "a.wav"}, 4]'])
def test_json_that_is_no_table_is_refused(table, text):
    with pytest.raises(CorpusError, match="cannot read table"):
        table("t.json", text)


def test_sheets_are_read_as_they_stand(tmp_path):
    frame = pd.DataFrame({"file": ["a.wav", None, "b.wav"], "spk": [3, None, 4], "emotion": ["NA", None, "joy"]})
    with pd.ExcelWriter(tmp_path / "t.xlsx") as writer:
        pd.DataFrame({"about": ["this corpus"]}).to_excel(writer, sheet_name="readme", index=False)
        frame.to_excel(writer, sheet_name="labels", index=False)
    found = read_rows(tmp_path / "t.xlsx")
    assert [row["emotion"] for row in found.rows] == ["NA", "joy"]
    assert [str(row["speaker"]) for row in found.rows] == ["3", "4"]
    assert found.lines == [2, 4]
    assert "'readme'" in found.notes()[0]
    (tmp_path / "t.xls").write_bytes(b"x")
    with pytest.raises(CorpusError, match=r"Save it as \.xlsx"):
        read_rows(tmp_path / "t.xls")


def test_the_records_are_kept_as_they_were(table):
    assert table("t.csv", "file,mood,start\na.wav,x,1\n").records == [{"file": "a.wav", "mood": "x", "start": "1"}]


@pytest.mark.parametrize(
    ("cells", "channels"),
    [
        (["1", "2", ""], [1, 2, None]),
        ([0, 1], [1, 2]),
        (["left", "R", "mix"], [1, 2, None]),
        ([1.0, float("nan")], [1, None]),
        (["ch2"], [2]),
        (["A", "B"], [1, 2]),
        (["phone", "studio"], [None, None]),
        ([], []),
    ],
)
def test_channels_are_read(cells, channels):
    assert read_channels(cells)[0] == channels


def test_a_channel_among_others_that_is_none_is_refused_and_a_zero_is_told():
    with pytest.raises(CorpusError, match="'phone'"):
        read_channels(["1", "phone"])
    assert "0" in read_channels(["0", "1"])[1][0]
    assert "phone" in read_channels(["phone"])[1][0]
