"""Side tables as they are published: blemishes are read past, contradictions are not."""

import pytest

from xlser.corpora.card import Table
from xlser.corpora.tables import read_table, row_key
from xlser.errors import CorpusError

RATINGS = {"activation_raw": ("activation",), "valence_raw": ("valence",)}


@pytest.fixture
def table(tmp_path):
    def read(content, **changes):
        path = tmp_path / "ratings.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        options = {"file": path.name, "key": ("filename", "filname"), "columns": RATINGS} | changes
        return read_table(Table(**options), path)

    return read


ONE = {"03a01fa": {"activation_raw": "4.5", "valence_raw": "2"}}


@pytest.mark.parametrize(
    "content",
    [
        "filename,activation,valence\n03a01Fa.wav,4.5,2\n",
        "filname,activation ,valence\n03a01Fa.wav,4.5,2\n",
        "filename,activation,valence \n03a01Fa.wav,4.5,2\n",
        ",,filename,activation,valence\n,,03a01Fa.wav,4.5,2\n",
        "filename,activation,valence\n03a01Fa.wav,4.5,2\n03a01Wa.wav,nan,nan\n",
        "filename,activation,valence\n03A01FA.WAV,4.5,2\n",
        "FileName,Activation,VALENCE\n03a01Fa,4.5,2\n",
        "valence,filename,activation\n2,03a01Fa.wav,4.5\n",
        "\ufefffilename,activation,valence\r\n03a01Fa.wav,4.5,2\r\n",
        "filename,activation,valence\n 03a01Fa.wav , 4.5 , 2 \n",
        'filename,activation,valence\n"03a01Fa.wav","4.5","2"\n',
        "filename,activation,valence\n03a01Fa.wav,4.5,2,\n",
        "filename,activation,valence\n03a01Fa.wav,4.5,2\n03a01Fa.wav,4.5,2\n",
    ],
    ids=[
        "plain",
        "Das CaFE",
        "Das EMO-DB",
        "Das URDU",
        "Das AESDD",
        "upper-case name",
        "upper-case head, no suffix",
        "other order",
        "byte order mark",
        "blanks",
        "quotes",
        "separator at the end",
        "same row twice",
    ],
)
def test_blemishes_of_published_tables_are_read_past(table, content):
    assert table(content).values == ONE


def test_another_separator_and_encoding_are_as_the_card_says(table):
    content = "filename\tactivation\tvalence\nÄ1\t4.5\t2\n".encode("latin-1")
    assert list(table(content, separator="\t", encoding="latin-1").values) == ["ä1"]


def test_incomplete_rows_are_counted(table):
    found = table("filename,activation,valence\na.wav,1,1\nb.wav,,3\nc.wav,nan,nan\n,1,1\n")
    assert list(found.values) == ["a", "b"]
    assert found.empty_rows == 2


def test_of_two_spellings_the_first_that_is_there_is_taken(table):
    found = table("name,arousal,v\na,1,2\n", key="name", columns={"x": ("activation", "arousal", "v")})
    assert found.values == {"a": {"x": "1"}}


def test_a_missing_column_is_named_with_the_nearest(table):
    with pytest.raises(CorpusError, match=r"ratings\.csv has no column 'valence'; did you mean 'valance'"):
        table("filename,activation,valance\na,1,1\n")


def test_rows_that_contradict_each_other_are_refused(table):
    with pytest.raises(CorpusError, match=r"ratings\.csv gives 'A\.WAV' twice, once .*'1'.* and once .*'5'"):
        table("filename,activation,valence\na.wav,1,1\nA.WAV,5,1\n")


@pytest.mark.parametrize(
    ("content", "changes"),
    [
        ("", {}),
        ('filename,activation,valence\n"a,1,1\n', {}),
        ("filename,activation,valence\nä,1,1\n".encode("latin-1"), {}),
        ("filename,activation,valence\na,1,1\n", {"encoding": "utf-9"}),
        ("filename,activation,valence\na,1,1\n", {"separator": ""}),
    ],
    ids=["empty", "open quote", "latin-1", "unknown encoding", "empty separator"],
)
def test_a_table_that_cannot_be_read_is_named_with_the_way_out(table, content, changes):
    with pytest.raises(CorpusError, match=r"cannot read table .*ratings\.csv: .*`encoding` and `separator`"):
        table(content, **changes)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("a01 (2).wav", "A01 (2)"),
        ("m3.s_word_5.wav", "m3.s_word_5"),
        ("s1.ang.wav", "s1.ang"),
        ("x/y/a.flac", "a.wav"),
        ("dir\\a.wav", "a"),
        ("MSP-PODCAST_0001_0002.wav", "MSP-PODCAST_0001_0002"),
        ("cafe\u0301.wav", "caf\u00e9"),
    ],
)
def test_two_spellings_of_one_file_name_have_one_key(left, right):
    assert row_key(left) == row_key(right)


def test_other_names_have_other_keys():
    names = ["s1.ang", "s1.hap", "s1.1", "s1.2", "a01 (2).wav", "a01 (4).wav", "s1"]
    assert len({row_key(name) for name in names}) == len(names)


def test_asking_for_a_row_uses_it_up(table):
    found = table("filename,activation,valence\na.wav,1,1\nb.wav,2,2\n")
    assert found.take("wav/A.wav") == {"activation_raw": "1", "valence_raw": "1"}
    assert found.take("c.wav") is None
    assert found.unused == {"b"}


def test_decimal_commas_that_make_a_field_too_many_are_refused_and_not_cut_off(table):
    with pytest.raises(CorpusError, match=r"ratings\.csv, line 2: 4 fields, but the header names 3: a\.wav,4\.2,1,46"):
        table("filename,activation,valence\na.wav,4.2,1,46\nb.wav,4.2,4,14\n")


def test_rows_that_end_in_a_separator_are_read(table):
    assert table("filename,activation,valence\n03a01Fa.wav,4.5,2,\n").values == ONE


def test_a_table_of_one_column_names_the_separator_it_holds(table):
    with pytest.raises(CorpusError, match=r"its header is one column, .*: set `separator: ';'`"):
        table("filename;activation;valence\n03a01Fa.wav;4.5;2\n")
