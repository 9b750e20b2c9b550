"""Segments of long recordings in a manifest: times in seconds, ids, and what cannot be."""

import numpy as np
import pytest
import soundfile

from xlser.data.manifest import build_manifest
from xlser.errors import CorpusError

HEAD = "file,start,end,emotion,who\n"
WHOLE = {"emotion": "emotion", "speaker": "who"}
TABLE = {
    "file": "labels.csv",
    "key": "file",
    "columns": {"emotion": "emotion", "speaker": "who", "start": "start", "end": "end"},
}


@pytest.fixture
def built(make_card, tmp_path, voice):
    """Return a function: the manifest of two recordings of 4 s beside a table of their segments."""

    def make(text, rate=16_000, strict=False, only=None, **table):
        for number, name in enumerate("ab"):
            left = voice(4.0, rate=rate, seed=number)
            soundfile.write(tmp_path / f"{name}.wav", np.stack([left, left[::-1]], 1), rate)
        (tmp_path / "labels.csv").write_text(text)
        columns = only or TABLE["columns"] | table.pop("columns", {})
        card = make_card(grammar=".+", speaker="{speaker}", table=TABLE | {"columns": columns} | table)
        return build_manifest(card, tmp_path, strict=strict)

    return make


def test_rows_have_their_times_and_a_name_that_says_them(built):
    made = built(HEAD + "a.wav,0,1.5,ang,x\na.wav,1.5,4.02,sad,y\nb.wav,0,4,neu,x\n")
    rows = made.frame
    assert list(rows["id"]) == ["toy/a#0.000-1.500", "toy/a#1.500-4.000", "toy/b"]
    assert rows[["start", "end", "duration"]].to_numpy().tolist() == [[0, 1.5, 1.5], [1.5, 4, 2.5], [0, 4, 4]]
    assert list(rows["speaker"]) == ["x", "y", "x"]
    assert list(rows["path"]) == ["a.wav", "a.wav", "b.wav"]
    assert made.left_out == {}


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_samples_are_counted_at_the_rate_of_the_recording(built, rate):
    rows = built(HEAD + f"a.wav,{rate // 2},{2 * rate},ang,x\n", rate=rate, times="samples").frame
    assert (rows["start"].iloc[0], rows["end"].iloc[0]) == (0.5, 2.0)


def test_segments_outside_their_recording_are_left_out_named_and_counted(built):
    text = (
        HEAD
        + "a.wav,1,2,ang,x\na.wav,3,4.2,sad,x\na.wav,5,6,sad,x\nb.wav,2,2,sad,x\nb.wav,-1,2,sad,x\nb.wav,0,1,ang,x\n"
    )
    made = built(text)
    assert list(made.frame["id"]) == ["toy/a#1.000-2.000", "toy/b#0.000-1.000"]
    assert made.left_out == {
        "segment outside the file": ["a.wav#3.000-4.200", "a.wav#5.000-6.000", "b.wav#-1.000-2.000"],
        "segment that does not end behind its start": ["b.wav#2.000-2.000"],
    }
    with pytest.raises(CorpusError, match=r"stopped because of --strict: 3 segment outside the file: a\.wav#3"):
        built(text, strict=True)


@pytest.mark.parametrize(
    ("cells", "table", "unit"),
    [
        (["500.5,1200", "1500,2500"], {}, "milliseconds"),
        (["8000,16000", "16000,32000"], {"times": "seconds"}, "samples"),
        (["8000,16000", "16000,32000"], {"times": "milliseconds"}, "samples"),
    ],
)
def test_times_that_fit_in_another_unit_are_refused_with_its_name(built, cells, table, unit):
    text = HEAD + "".join(f"{name}.wav,{cell},ang,x\n" for name in "ab" for cell in cells)
    with pytest.raises(CorpusError, match=rf"fit as {unit}\..*`times: {unit}`"):
        built(text, **table)
    assert len(built(text, times=unit).frame) == 4


def test_seconds_taken_for_milliseconds_are_refused(built):
    with pytest.raises(CorpusError, match=r"too short for speech.*`times: seconds`"):
        built(HEAD + "a.wav,0.5,1.5,ang,x\nb.wav,1,3,sad,x\n", times="milliseconds")


def test_a_column_of_ids_names_the_segments(built):
    head = "file,start,end,emotion,who,utt\n"
    columns = {"id": "utt"}
    made = built(head + "a.wav,0,1,ang,x,u1\na.wav,1,2,sad,x,u2\n", columns=columns)
    assert list(made.frame["id"]) == ["toy/u1", "toy/u2"]
    with pytest.raises(CorpusError, match=r"'toy/U1' stands for two utterances: a\.wav from 0\.000 to 1\.000 s and"):
        built(head + "a.wav,0,1,ang,x,u1\na.wav,1,2,sad,x,U1\n", columns=columns)


def test_segments_that_overlap_are_kept_and_counted(built):
    made = built(HEAD + "a.wav,0,2,ang,x\na.wav,1,3,sad,y\na.wav,3,4,sad,y\n")
    assert len(made.frame) == 3
    assert [note for note in made.notes if "begin before" in note] == [
        "1 segment(s) begin before another one has ended, such as toy/a#1.000-3.000: each has speech of both"
    ]


def test_a_column_of_channels_parts_the_sides_of_a_call(built):
    head = "file,start,end,emotion,who,side\n"
    rows = "a.wav,0,2,ang,x,left\na.wav,0,2,sad,y,2\nb.wav,0,4,neu,x,mix\nb.wav,0,1,neu,x,3\n"
    made = built(head + rows, columns={"channel": "side"})
    assert list(made.frame["id"]) == ["toy/a#0.000-2.000#left", "toy/a#0.000-2.000#right", "toy/b"]
    assert made.frame["channel"].tolist()[:2] == [1.0, 2.0]
    assert np.isnan(made.frame["channel"].iloc[2])
    assert made.left_out == {"no channel 3 (3)": ["b.wav#0.000-1.000#3"]}
    assert not [note for note in made.notes if "begin before" in note]
    with pytest.raises(CorpusError, match=r"channel 'up' must be left, right, mix or a number"):
        built(head + "a.wav,0,2,ang,x,up\n", columns={"channel": "side"})


def test_a_column_with_a_channel_0_counts_from_0(built):
    made = built("file,side,emotion,who\na.wav,0,ang,x\na.wav,1,sad,y\n", only=WHOLE | {"channel": "side"})
    assert made.frame["channel"].tolist() == [1.0, 2.0]
    assert "labels.csv: channels count from 0: 0 is the first one" in made.notes


def test_a_column_of_channels_without_times(built):
    text = "file,ch,emotion,who\na.wav,1,ang,x\na.wav,right,sad,y\nb.wav,,neu,x\n"
    made = built(text, only=WHOLE | {"channel": "ch"})
    assert list(made.frame["id"]) == ["toy/a#left", "toy/a#right", "toy/b"]
    assert made.frame["duration"].tolist() == [4.0, 4.0, 4.0]
