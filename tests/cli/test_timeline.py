"""``xlser predict --every``: emotion over time in each format."""

import csv
import json
import shutil
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from pympi.Praat import TextGrid

from xlser.corpora.card import load_card
from xlser.corpora.synthetic import synthesise
from xlser.experiment.run import run_recipe
from xlser.experiment.workplace import Workplace
from xlser.training.recipe import Recipe

EMOTIONS = ["anger", "happiness", "neutral", "sadness"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    synthesise(load_card("synthetic-es"), root / "synthetic-es", sentences=1, progress=False)
    recipe = Recipe(
        name="r",
        source="synthetic-es",
        targets=(),
        features={"extractor": "logmel"},
        split={"folds": 4},
        training={"epochs": 1, "seeds": 1},
        evaluation={"draws": 100},
    )
    place = Workplace(root, cache=root / "cache", progress=False, say=lambda text: None)
    return run_recipe(recipe, root / "run", place)


@pytest.fixture
def folder(tmp_path, voice):
    """Two recordings of one name, the second with a pause, and a file that is none."""
    for name in ("b", "a"):
        (tmp_path / "rec" / name).mkdir(parents=True)
    soundfile.write(tmp_path / "rec/a/x.wav", voice(2.3, pitch=150), 16_000)
    paused = np.concatenate([voice(1.1, pitch=110), np.zeros(40_000, np.float32), voice(1.0, pitch=200, seed=2)])
    soundfile.write(tmp_path / "rec/b/x.wav", paused, 16_000)
    (tmp_path / "rec/broken.wav").write_text("no audio")
    return tmp_path / "rec"


def test_csv_and_json_lines_say_the_same(xlser, run, folder, tmp_path):
    options = ("--every", "0.5", "--window", "1")
    status, out, err = xlser("predict", run, folder, *options)
    assert status == 0
    assert "broken.wav" in err
    rows = list(csv.DictReader(out.splitlines()))
    assert xlser("predict", run, folder, *options, "--out", tmp_path / "t.jsonl")[0] == 0
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert len(rows) == len(lines) == 4 + 9
    for row, line in zip(rows, lines, strict=True):
        assert (row["file"], float(row["start"])) == (line["file"], pytest.approx(line["start"], abs=1e-3))
        assert row["emotion"] == line.get("emotion", "")
        assert row["fault"] == line["fault"]
        for name in EMOTIONS if row["emotion"] else ():
            assert float(row[f"p_{name}"]) == pytest.approx(line["probabilities"][name], rel=1e-5)
    assert [bool(row["fault"]) for row in rows].count(True) == 3  # of those from 1.5, 2 and 2.5 s
    assert all(not row["emotion"] and not row["p_anger"] for row in rows if row["fault"])


def test_a_textgrid_a_recording(xlser, run, folder, tmp_path):
    out = tmp_path / "grids"
    options = ("--every", "0.5", "--window", "1", "--labels", "anger,sadness", "--format", "textgrid", "--out", out)
    assert xlser("predict", run, folder, *options)[0] == 0
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*.TextGrid")) == [
        "a/x.TextGrid",
        "b/x.TextGrid",
    ]
    grid = TextGrid(str(out / "b/x.TextGrid"))
    assert (grid.xmin, grid.xmax) == (0.0, pytest.approx(4.6, abs=0.01))
    emotions = list(grid.get_tier("emotion").get_intervals())
    assert {text for _, _, text in emotions} <= {"anger", "sadness", ""}
    assert "" in {text for _, _, text in emotions}
    assert all(before[1] == after[0] for before, after in pairwise(emotions))
    assert all(0.5 <= float(text) <= 1 for _, _, text in grid.get_tier("probability").get_intervals() if text)


@pytest.mark.parametrize(
    "words",
    [
        ("--window", "1"),
        ("--format", "textgrid"),
        ("--every", "1", "--adapt"),
        ("--every", "1", "--format", "table"),
        ("--every", "0"),
        ("--every", "1", "--format", "textgrid"),
    ],
)
def test_options_that_do_not_go_together(xlser, run, folder, words):
    status, out, err = xlser("predict", run, folder, *words)
    assert status != 0
    assert "--every" in err or "`every`" in err or "--out" in err
    assert not out


def test_nothing_that_can_be_read_leaves_no_file(xlser, run, folder, tmp_path):
    shutil.rmtree(folder / "a")
    shutil.rmtree(folder / "b")
    status, _, err = xlser("predict", run, folder, "--every", "1", "--out", tmp_path / "t.csv")
    assert status != 0
    assert "broken.wav" in err
    assert not (tmp_path / "t.csv").exists()


def test_a_textgrid_that_somebody_drew_is_kept(xlser, run, folder):
    (folder / "a" / "x.TextGrid").write_text("by hand")
    command = ("predict", run, folder, "--every", "0.5", "--window", "1", "--format", "textgrid", "--out", folder)
    for _ in range(2):
        status, _, err = xlser(*command)
        assert status == 0, err
    assert TextGrid(str(folder / "a" / "x.TextGrid")).get_tier_name_num()
    assert [path.read_text() for path in folder.glob("a/x.kept-*.TextGrid")] == ["by hand"]
    assert not list(folder.glob("b/*.kept-*"))
