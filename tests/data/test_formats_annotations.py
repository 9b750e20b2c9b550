"""Segments of ELAN, Praat and diarisers."""

import re

import numpy as np
import pytest
import soundfile
from pympi import Eaf
from pympi.Praat import TextGrid

from xlser.data.dataset import Dataset
from xlser.data.formats.table_options import TableOptions
from xlser.data.formats.table_reader import read_rows
from xlser.errors import CorpusError


@pytest.fixture
def calls(tmp_path):
    """Return a folder with two recordings of six seconds."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(96_000).astype(np.float32)
    for name in ("one", "two"):
        soundfile.write(tmp_path / f"{name}.wav", noise, 16_000)
    return tmp_path


@pytest.fixture
def eaf(calls):
    """Return a function: an ELAN file with tiers of (name, participant, annotations)."""

    def make(*tiers, name="one.eaf", media="file:///C:/data/one.wav", relative="./one.wav"):
        made = Eaf()
        made.add_linked_file(media, relpath=relative, mimetype="audio/x-wav")
        for tier, who, annotations in tiers:
            made.add_tier(tier, part=who)
            for start, end, text in annotations:
                made.add_annotation(tier, start, end, text)
        made.to_file(str(calls / name))
        return calls / name

    return make


def segments(path, **options):
    frame = Dataset.from_manifest(path, language="de", **options).frame
    return frame[["path", "start", "end", "speaker", "emotion"]].to_numpy().tolist()


ANNA = ("emotion anna", "anna", [(500, 1500, "anger"), (1500, 2000, ""), (2000, 2250, "Wut")])
BERT = ("emotion bert", "bert", [(3000, 5000, "happy")])
TALK = ("words", "", [(0, 5000, "hello there")])


def test_elan_tiers_of_emotions_are_segments_of_their_participants(eaf):
    assert segments(eaf(ANNA, BERT, TALK)) == [
        ["one.wav", 0.5, 1.5, "anna", "anger"],
        ["one.wav", 2.0, 2.25, "anna", "anger"],
        ["one.wav", 3.0, 5.0, "bert", "happiness"],
    ]
    notes = Dataset.from_manifest(eaf(ANNA, BERT, TALK), language="de").notes
    assert any("tiers not read: 'words'" in note for note in notes)
    assert any("no row names: two.wav" in note for note in notes)


def test_several_tiers_of_emotions_without_people_are_named(eaf):
    path = eaf(("A", "", ANNA[2]), ("B", "", BERT[2]), TALK)
    with pytest.raises(CorpusError, match=r"several tiers of emotion words: 'A', 'B'.*--tier 'A'"):
        segments(path)
    assert segments(path, tier="B") == [["one.wav", 3.0, 5.0, "B", "happiness"]]
    assert [row[3] for row in segments(path, tier="A,B")] == ["A", "A", "B"]
    assert [row[3] for row in segments(path, tier="[AB]")] == ["A", "A", "B"]
    with pytest.raises(CorpusError, match=r"no tier 'C'; its tiers: .*'A', 'B', 'words'"):
        segments(path, tier="C")


def test_one_tier_does_not_say_who_speaks(eaf):
    path = eaf(("emotion", "", ANNA[2]))
    with pytest.raises(CorpusError, match="--speaker NAME"):
        segments(path)
    assert segments(path, speaker="x")[0] == ["one.wav", 0.5, 1.5, "x", "anger"]


@pytest.mark.parametrize(
    ("media", "relative", "name"),
    [
        ("file:///C:/data/two.wav", "two.wav", "a.eaf"),
        ("file:///C:/data/two.wav", "../elsewhere/two.wav", "a.eaf"),
        ("file:///home/me/some%20calls/two.wav", None, "a.eaf"),
        ("file:///C:/video/film.mpg", None, "two.eaf"),
    ],
)
def test_the_recording_of_an_elan_file(eaf, media, relative, name):
    assert segments(eaf(ANNA, media=media, relative=relative, name=name))[0][0] == "two.wav"


def test_a_doctype_is_refused_before_anything_grows(eaf):
    path = eaf(ANNA)
    bomb = "<!DOCTYPE a [<!ENTITY a 'aaaa'>" + "".join(
        f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 9}'>" for n in range(9)
    )
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("?>", f"?>{bomb}]>", 1).replace("Wut", "&j;"), encoding="utf-8")
    with pytest.raises(CorpusError, match="DOCTYPE"):
        segments(path)


@pytest.fixture
def grid(calls):
    """Return a function: a TextGrid in one of Praat's three shapes."""

    def make(mode="normal", codec="utf-8", end=1.5):
        made = TextGrid(xmin=0, xmax=6, codec=codec)
        tier = made.add_tier("anna")
        tier.add_interval(0.5, end, "anger")
        tier.add_interval(end, 3, "Überraschung")
        made.add_tier("bert").add_interval(4, 5.25, "neutral")
        made.add_tier("words").add_interval(0, 1, 'say "hello"')
        made.to_file(str(calls / "one.TextGrid"), codec=codec, mode=mode)
        return calls / "one.TextGrid"

    return make


@pytest.mark.parametrize("mode", ["normal", "short", "binary"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_praat_intervals_are_segments(grid, mode, codec):
    assert segments(grid(mode, codec), tier="anna,bert") == [
        ["one.wav", 0.5, 1.5, "anna", "anger"],
        ["one.wav", 1.5, 3.0, "anna", "surprise"],
        ["one.wav", 4.0, 5.25, "bert", "neutral"],
    ]


def test_numbers_with_exponents_are_read(grid):
    path = grid()
    path.write_text(re.sub(r"xmin = 0\.50*\b", "xmin = 5.0e-01", path.read_text()))
    assert segments(path, tier="anna")[0][1:3] == [0.5, 1.5]


def test_a_folder_of_annotations_is_a_dataset(eaf, calls):
    eaf(ANNA)
    (calls / "sub").mkdir()
    (calls / "two.wav").rename(calls / "sub" / "two.wav")
    eaf(BERT, media="file:///x/two.wav", relative="./two.wav", name="sub/two.eaf")
    assert [row[0] for row in segments(calls)] == ["one.wav", "one.wav", "sub/two.wav"]


def test_a_diarisation_is_a_list_of_segments_without_labels(calls):
    lines = ["SPEAKER one 1 0.50 2.00 <NA> <NA> spk0 <NA> <NA>", ";; a note", "SPEAKER two 1 1 1.5 <NA> <NA> spk1 <NA>"]
    (calls / "d.rttm").write_text("\n".join(lines) + "\n")
    found = read_rows(calls / "d.rttm")
    assert [(row["path"], row["speaker"], found.span(n)) for n, row in enumerate(found.rows)] == [
        ("one", "spk0", (0.5, 2.5)),
        ("two", "spk1", (1.0, 2.5)),
    ]
    with pytest.raises(CorpusError, match="nothing of emotions"):
        segments(calls / "d.rttm")


def test_tiers_without_emotions_are_segments_to_predict(eaf):
    found = read_rows(eaf(TALK), TableOptions())
    assert found.rows == [{"path": "one.wav", "text": "hello there", "speaker": None, "start": 0.0, "end": 5.0}]
    with pytest.raises(CorpusError, match="--tier NAME"):
        segments(found.path)


@pytest.mark.parametrize("name", ["bad.eaf", "bad.TextGrid", "bad.rttm"])
@pytest.mark.parametrize("content", [b"", b"hello", b"<a/>", b"\xff\xfe\x00", b"ooBinaryFile"])
def test_what_is_no_annotation_is_refused(calls, name, content):
    (calls / name).write_bytes(content)
    with pytest.raises(CorpusError, match=r"bad\."):
        read_rows(calls / name)
