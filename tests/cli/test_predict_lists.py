"""What people give to predict and embed: lists with segments, channels and speakers, standard input, and odd files."""

import csv
import io
import json
import os
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile

from xlser.corpora.card import load_card
from xlser.corpora.synthetic import synthesise
from xlser.experiment.run import run_recipe
from xlser.experiment.workplace import Workplace
from xlser.features.logmel import LogMel
from xlser.training.recipe import Recipe


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    for name in ("synthetic-es", "synthetic-ur"):
        synthesise(load_card(name), root / name, sentences=1, progress=False)
    recipe = Recipe(
        name="r",
        source="synthetic-es",
        targets=("synthetic-ur",),
        features={"extractor": "logmel"},
        model="none",
        split={"folds": 4},
        training={"seeds": 1},
        evaluation={"draws": 100},
    )
    place = Workplace(root, cache=root / "cache", progress=False, say=lambda text: None)
    return run_recipe(recipe, root / "run", place)


@pytest.fixture
def call(tmp_path, voice):
    """A long recording: three voices of a second each, one behind the other; and its parts as files."""
    folder = tmp_path / "call"
    folder.mkdir()
    parts = [voice(1.0, pitch=pitch, seed=seed) for seed, pitch in enumerate((90, 150, 230))]
    soundfile.write(folder / "call.wav", np.concatenate(parts), 16_000, subtype="FLOAT")
    for number, part in enumerate(parts):
        soundfile.write(folder / f"part{number}.wav", part, 16_000, subtype="FLOAT")
    return folder


def table(out):
    return list(csv.DictReader(io.StringIO(out)))


SEGMENTS = {
    "file,start,end": [f"call.wav,{n},{n + 1}" for n in range(3)],
    "file;Start (ms);Duration (ms)": [f"call.wav;{n * 1000};1000" for n in range(3)],
    "audio\tonset\toffset": [f"call.wav\t0:00:0{n}\t0:00:0{n + 1}" for n in range(3)],
    "path,start_sample,end_sample": [f"call.wav,{n * 16_000},{(n + 1) * 16_000}" for n in range(3)],
}


@pytest.mark.parametrize("head", SEGMENTS)
def test_a_segment_is_heard_as_a_file_of_it(xlser, run, call, head):
    (call / "list.csv").write_text("\n".join([head, *SEGMENTS[head]]))
    status, out, err = xlser("predict", run, call / "list.csv", "--format", "csv", "--neighbours", 0)
    assert status == 0, err
    rows, given = table(out), "xlser_" if head == "file,start,end" else ""
    assert [(row[f"{given}start"], row[f"{given}end"]) for row in rows] == [("0", "1"), ("1", "2"), ("2", "3")]
    alone = table(xlser("predict", run, call, "--format", "csv", "--neighbours", 0)[1])
    parts = {os.path.basename(row["file"]): row for row in alone}
    for number, row in enumerate(rows):
        assert row["emotion"] == parts[f"part{number}.wav"]["emotion"]
        assert float(row["distance"]) == pytest.approx(float(parts[f"part{number}.wav"]["distance"]), rel=1e-4)
        assert float(row["seconds"]) == pytest.approx(1.0)


def test_all_columns_of_a_list_stay_and_rows_that_cannot_be_used_are_named(xlser, run, call):
    lines = ["id,file,start,end,emotion,note", 'x,call.wav,0,1,angry,"hm, so"', "y,gone.wav,0,1,sad,"]
    lines += ["z,call.wav,2,9,,", "w,call.wav,2,1,,", "v,call.wav,soon,3,,", "u,,0,1,,", "t,call.wav,2,3,sad,ok"]
    (call / "list.csv").write_text("\n".join([*lines, "s,call.wav,7,8,,"]))
    status, out, err = xlser("predict", run, call / "list.csv", "--format", "csv")
    rows = table(out)
    assert (status, [row["id"] for row in rows]) == (0, ["x", "t"])
    assert list(rows[0])[:8] == ["id", "file", "start", "end", "emotion", "note", "xlser_file", "xlser_start"]
    assert [(row["emotion"], row["note"]) for row in rows] == [("angry", "hm, so"), ("sad", "ok")]
    assert all(row["xlser_emotion"] in ("anger", "happiness", "neutral", "sadness") for row in rows)
    said = [line for line in err.splitlines() if line.startswith("not used: list.csv, line ")]
    assert [int(line.split("line ")[1].split(":")[0]) for line in said] == [3, 4, 5, 6, 7, 9]
    assert "ends at 9 s, but the recording at 3.00 s" in said[1]
    assert "behind the end of the recording" in said[5]
    assert "6 of 8 files could not be used" in err
    kept = json.loads(xlser("predict", run, call / "list.csv", "--format", "jsonl")[1].splitlines()[0])
    assert (kept["emotion"], kept["note"], kept["xlser_emotion"]) == ("angry", "hm, so", rows[0]["xlser_emotion"])
    assert xlser("predict", run, call / "list.csv", "--strict")[0] == 1


def test_tables_of_other_kinds_and_their_options(xlser, run, call, tmp_path):
    frame = pd.DataFrame({"Datei": ["call.wav", "part0.wav"], "Stimmung": ["müde", "wach"]})
    frame.to_excel(call / "list.xlsx", index=False)
    frame.to_json(call / "list.jsonl", orient="records", lines=True, force_ascii=False)
    frame.to_parquet(call / "list.parquet")
    for path in (call / "list.csv", tmp_path / "away.csv"):
        frame.to_csv(path, index=False, sep=";", encoding="cp1252")
    expected = None
    for name in ("list.csv", "list.xlsx", "list.jsonl", "list.parquet", "../away.csv"):
        options = ["--encoding", "cp1252"] if name.endswith(".csv") else []
        options += ["--root", call] if name.startswith("..") else []
        more = ["--column", "path=Datei", "--format", "csv", "--neighbours", 0]
        status, out, err = xlser("predict", run, call / name, *more, *options)
        assert status == 0, err
        assert [row["Stimmung"] for row in table(out)] == ["müde", "wach"]
        expected = expected or [row["emotion"] for row in table(out)]
        assert [row["emotion"] for row in table(out)] == expected
        assert "'Stimmung'" in err


def test_the_turns_of_a_diariser_are_a_list(xlser, run, call):
    turns = [f"SPEAKER call 1 {n}.0 1.0 <NA> <NA> {who} <NA> <NA>" for n, who in enumerate(["anna", "ben", "anna"])]
    (call / "call.rttm").write_text("\n".join(turns))
    status, out, err = xlser("predict", run, call / "call.rttm", "--format", "csv")
    assert status == 0, err
    rows = table(out)
    assert [(row["speaker"], row["start"], row["seconds"]) for row in rows] == [
        ("anna", "0", "1.000"),
        ("ben", "1", "1.000"),
        ("anna", "2", "1.000"),
    ]


@pytest.mark.parametrize(("channel", "parts"), [("left", [0]), ("right", [1]), ("2", [1]), ("each", [0, 1])])
def test_a_channel_is_heard_as_a_file_of_it(xlser, run, call, channel, parts):
    sides = [soundfile.read(call / f"part{n}.wav", dtype="float32")[0] for n in range(2)]
    soundfile.write(call / "two.wav", np.stack(sides, axis=1), 16_000, subtype="FLOAT")
    rows = table(xlser("predict", run, call / "two.wav", "--channel", channel, "--format", "csv")[1])
    alone = [table(xlser("predict", run, call / f"part{n}.wav", "--format", "csv")[1])[0] for n in parts]
    assert [row["channel"] for row in rows] == [str(n + 1) for n in parts]
    for row, one in zip(rows, alone, strict=True):
        assert float(row["distance"]) == pytest.approx(float(one["distance"]), rel=1e-4)


def test_a_channel_that_is_not_there_is_refused(xlser, run, call):
    status, _, err = xlser("predict", run, call / "call.wav", "--channel", "middle")
    assert status == 1
    assert "--channel must be mix, left, right, each, or a number" in err
    assert "no channel 2" in xlser("predict", run, call / "call.wav", "--channel", "right")[2]


def test_standard_input_is_one_recording(xlser, run, call, monkeypatch):
    heard = io.TextIOWrapper(io.BytesIO((call / "part1.wav").read_bytes()))
    monkeypatch.setattr(sys, "stdin", heard)
    (row,) = table(xlser("predict", run, "-", "--format", "csv")[1])
    (alone,) = table(xlser("predict", run, call / "part1.wav", "--format", "csv")[1])
    assert row.pop("file") == "standard input"
    alone.pop("file")
    assert row == alone


def test_one_odd_file_never_costs_a_batch(xlser, run, call, tmp_path):
    (call / "folder.wav").mkdir()
    (call / "link.wav").symlink_to(call / "nowhere.wav")
    os.mkfifo(call / "pipe.wav")
    os.mkfifo(tmp_path / "pipe.csv")
    assert "a pipe, not a file" in xlser("predict", run, tmp_path / "pipe.csv")[2]
    (call / "empty.wav").touch()
    (call / "samples.raw").write_bytes(bytes(32_000))
    (call / "cut.wav").write_bytes(b"RIFF")
    os.link(os.fsencode(call / "part0.wav"), os.fsencode(call) + b"/caf\xe9.wav")
    names = ["folder.wav", "link.wav", "pipe.wav", "empty.wav", "samples.raw", "cut.wav", "part1.wav"]
    (call / "list.txt").write_text("\n".join(names))
    status, out, err = xlser("predict", run, call / "list.txt", "--format", "csv")
    assert status == 0, err
    assert [row["file"] for row in table(out)] == [str(call / "part1.wav")]
    for name in names[:-1]:
        assert f"{name}: " in err
    assert "6 of 7 files could not be used" in err
    for form in ("csv", "jsonl", "table"):
        status, out, err = xlser("predict", run, call, "--format", form, "--out", tmp_path / "answers")
        assert status == 0, err
        assert "caf\\xe9.wav" in (tmp_path / "answers").read_text(encoding="utf-8").replace("\\\\", "\\")
    assert f"{call}: passed over 1 .raw, 1 .txt" in err
    assert xlser("embed", run, call, "--out", tmp_path / "e.parquet")[0] == 0
    assert f"{call}/caf\\xe9.wav" in pd.read_parquet(tmp_path / "e.parquet")["file"].tolist()


def test_a_list_in_latin_1_names_a_file_by_its_bytes(xlser, run, call):
    os.rename(os.fsencode(call / "part0.wav"), os.fsencode(call) + b"/caf\xe9.wav")
    (call / "list.txt").write_bytes(b"caf\xe9.wav\npart1.wav\n")
    status, out, err = xlser("predict", run, call / "list.txt", "--encoding", "latin-1", "--format", "csv")
    assert (status, len(table(out))) == (0, 2), err
    assert "--encoding" in xlser("predict", run, call / "list.txt")[2]


def test_what_a_reader_raises_is_caught_at_the_row(xlser, run, call, monkeypatch):
    before = LogMel.__call__

    def odd(self, samples):
        if len(samples) > 20_000:
            raise KeyError("no such band")
        return before(self, samples)

    def full(self, samples):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LogMel, "__call__", odd)
    status, out, err = xlser("predict", run, call, "--format", "csv")
    assert (status, len(table(out))) == (0, 3)
    assert "call.wav: KeyError: 'no such band'" in err
    monkeypatch.setattr(LogMel, "__call__", full)
    status, out, err = xlser("predict", run, call, "--format", "csv")
    assert status == 1
    assert "The disk is full" in err


def test_a_list_is_adapted_to_as_one_target(xlser, run, call, voice):
    for number in range(6):
        soundfile.write(call / f"more{number}.wav", voice(1.0, pitch=90 + 20 * number, seed=number), 16_000)
    (call / "few.txt").write_text("part0.wav\npart1.wav\n")
    status, out, err = xlser("predict", run, call / "few.txt", "--adapt")
    assert (status, out) == (1, "")
    assert "adapting by corpus needs 5 recordings at least" in err
    (call / "few.txt").unlink()
    status, out, err = xlser("predict", run, call, "--adapt", "--format", "csv")
    assert status == 0, err
    assert {(row["protocol"], row["adapt"]) for row in table(out)} == {("transductive", "corpus")}
    assert "transductive, by corpus" in err
    status, out, err = xlser("predict", run, call, "--format", "csv")
    assert {(row["protocol"], row["adapt"]) for row in table(out)} == {("zero-shot", "")}
    assert "zero-shot" in err
    assert "--adapt gives it" in err
