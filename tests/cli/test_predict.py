"""The verbs predict, embed and export, as a user types them."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
import soundfile

from xlser import load
from xlser.corpora.card import load_card
from xlser.corpora.synthetic import synthesise
from xlser.experiment.run import run_recipe
from xlser.experiment.workplace import Workplace
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
        split={"folds": 4},
        training={"epochs": 1, "seeds": 1},
        evaluation={"draws": 100},
    )
    place = Workplace(root, cache=root / "cache", progress=False, say=lambda text: None)
    return run_recipe(recipe, root / "run", place)


@pytest.fixture
def folder(corpus):
    root = corpus("anna.wav", "deep/er/ben.flac")
    (root / "broken.wav").write_text("no audio")
    return root


EMOTIONS = ["anger", "happiness", "neutral", "sadness"]


def test_a_folder_with_a_broken_file_finishes_and_names_it(xlser, run, folder):
    status, out, err = xlser("predict", run, folder)
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == [
        "file",
        str(folder / "anna.wav"),
        str(folder / "deep/er/ben.flac"),
    ]
    assert f"{run}: method features, seed 0, read by probe (UA " in err
    assert f"not used: {folder / 'broken.wav'}: text named as audio" in err
    assert "1 of 3 files could not be used" in err


def test_strict_finishes_as_well_and_then_fails(xlser, run, folder):
    status, out, err = xlser("predict", run, folder, "--strict")
    assert status == 1
    assert len(out.splitlines()) == 3
    assert "error: 1 of 3 files could not be used (--strict):" in err
    assert str(folder / "broken.wav") in err.splitlines()[-1]
    (folder / "broken.wav").unlink()
    assert xlser("predict", run, folder, "--strict")[0] == 0


def test_nothing_but_broken_files_is_an_error(xlser, run, folder, tmp_path):
    for verb in ("predict", "embed"):
        status, out, err = xlser(verb, run, folder / "broken.wav", "--out", tmp_path / "e.csv")
        assert (status, out) == (1, "")
        assert "1 of 1 files could not be used, so there is no answer" in err
        assert not (tmp_path / "e.csv").exists()


def test_csv_and_json_lines_say_the_same(xlser, run, folder, tmp_path):
    assert xlser("predict", run, folder, "--out", tmp_path / "p.csv", "--neighbours", 2)[0] == 0
    assert xlser("predict", run, folder, "--out", tmp_path / "p.jsonl", "--neighbours", 2)[0] == 0
    rows = list(csv.DictReader((tmp_path / "p.csv").open()))
    lines = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert len(rows) == len(lines) == 2
    for row, line in zip(rows, lines, strict=True):
        assert (row["file"], row["emotion"], row["method"]) == (line["file"], line["emotion"], line["method"])
        assert [float(row[f"p_{name}"]) for name in EMOTIONS] == pytest.approx(
            [line["probabilities"][name] for name in EMOTIONS], abs=1e-5
        )
        assert float(row["activation"]) == pytest.approx(line["ratings"]["activation"], rel=1e-4)
        assert float(row["percentile"]) == pytest.approx(line["percentile"], rel=1e-4)
        assert row["warning"] == line["warning"]
        assert len(line["neighbours"]) == 2
        for one in line["neighbours"]:
            assert one.keys() == {"corpus", "language", "speaker", "path", "emotion", "distance", "voted"}
            assert f"synthetic-es es {one['speaker']} {one['path']}" in row["neighbours"]


def test_labels_restrict_the_columns(xlser, run, folder):
    status, out, _ = xlser("predict", run, folder / "anna.wav", "--labels", "anger, sadness", "--format", "csv")
    assert status == 0
    (row,) = csv.DictReader(out.splitlines())
    assert [name for name in row if name.startswith("p_")] == ["p_anger", "p_sadness"]
    assert float(row["p_anger"]) + float(row["p_sadness"]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--labels", "angry,sadness"], "unknown label 'angry': did you mean 'anger'?"),
        (["--method", "pain"], "did you mean 'plain'?"),
        (["--seed", "9"], "must have the seed 9, but has 0"),
        (["--neighbours", "5000"], "must be 0 to"),
        (["--datastore", "nothing.safetensors"], "cannot read nothing.safetensors as a datastore"),
        (["--out", "/dev/null/x.csv"], "cannot write /dev/null/x.csv"),
    ],
)
def test_a_mistake_is_one_sentence_and_writes_nothing(xlser, run, folder, tmp_path, monkeypatch, words, said):
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    status, out, err = xlser("predict", run, folder / "anna.wav", *words)
    assert status == 1
    assert said in err
    assert "Traceback" not in err
    assert not out
    assert not list((tmp_path / "cwd").iterdir())


def test_a_list_may_stand_elsewhere(xlser, run, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    (tmp_path / "list.txt").write_text("anna.wav\ngone.wav\n")
    status, out, err = xlser("predict", run, tmp_path / "list.txt")
    assert status == 0
    assert len(out.splitlines()) == 2
    assert "not used: list.txt, line 2: gone.wav: the file is gone" in err


def test_embeddings_are_the_same_in_every_format(xlser, run, folder, tmp_path):
    for suffix in (".parquet", ".csv", ".npz"):
        status, out, err = xlser("embed", run, folder, "--method", "plain", "--out", tmp_path / f"e{suffix}")
        assert status == 0, err
        assert f"e{suffix}: 2 embeddings" in out
        assert "not used" in err
    arrays = np.load(tmp_path / "e.npz", allow_pickle=False)
    assert arrays["files"].tolist() == [str(folder / "anna.wav"), str(folder / "deep/er/ben.flac")]
    assert arrays["embeddings"].dtype == np.float32
    assert str(arrays["encoder"])
    for frame in (pd.read_parquet(tmp_path / "e.parquet"), pd.read_csv(tmp_path / "e.csv")):
        assert frame["file"].tolist() == arrays["files"].tolist()
        assert frame["seconds"].tolist() == pytest.approx([0.4, 0.4])
        np.testing.assert_allclose(frame[["z1", "z2"]], arrays["embeddings"], rtol=1e-5)


def test_embed_refuses_an_unknown_format_before_any_work(xlser, tmp_path):
    status, _, err = xlser("embed", tmp_path / "no run", tmp_path, "--out", tmp_path / "e.pkl")
    assert status == 1
    assert "--out must end in .parquet, .csv, .npz" in err


def test_an_unfamiliar_sound_is_marked(xlser, run, tmp_path):
    soundfile.write(tmp_path / "noise.wav", np.random.default_rng(0).uniform(-1, 1, 16_000), 16_000)
    assert "UNFAMILIAR" in xlser("predict", run, tmp_path / "noise.wav")[1]
    (row,) = csv.DictReader(xlser("predict", run, tmp_path / "noise.wav", "--format", "csv")[1].splitlines())
    assert row["warning"].startswith("unfamiliar sound")


def test_export_of_an_autoencoder_is_one_sentence(xlser, run, tmp_path):
    status, _, err = xlser("export", run, "--onnx", tmp_path / "m.onnx")
    assert status == 1
    assert "Only fine-tuned encoders can be exported" in err or "pip install 'xlser[export]'" in err
    assert not (tmp_path / "m.onnx").exists()


def test_python_gives_the_same_answer(xlser, run, folder):
    found = load(run).predict(folder / "anna.wav")
    assert found.emotion in EMOTIONS
    assert f"  {found.emotion}  " in xlser("predict", run, folder / "anna.wav")[1].splitlines()[1]
