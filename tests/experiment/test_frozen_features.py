"""Runs, predictions and benches whose features are a frozen encoder's states, with a network on them and without."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

import xlser as xl
from xlser.errors import RunError, XlserError
from xlser.evaluation.results import read_results
from xlser.experiment.bench.plan import make_jobs
from xlser.experiment.bench.run import run_bench
from xlser.experiment.run import run_recipe
from xlser.experiment.use.export import export_onnx
from xlser.experiment.use.model import load
from xlser.experiment.workplace import Workplace
from xlser.models.checkpoints import checkpoint_facts, load_encoder
from xlser.reporting.bench.report import render_bench, write_bench_report
from xlser.reporting.report import render_terminal, write_report
from xlser.training.recipe import Recipe

COMMON = {"source": "synthetic-de", "targets": ("synthetic-tr",), "split": {"folds": 4}, "evaluation": {"draws": 100}}
SHORT = {"epochs": 1, "seeds": 2, "batch": 16}


@pytest.fixture(scope="module")
def here(small_data, small_cache):
    return Workplace(small_data, cache=small_cache, progress=False, say=lambda text: None)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A folder with random weights."""
    folder = tmp_path_factory.mktemp("weights") / "checkpoint"
    load_encoder("random:tiny", seed=5).save(folder)
    return folder


def features(checkpoint):
    return {"extractor": ["logmel", {"encoder": {"weights": str(checkpoint), "layer": 1, "pooling": "mean+std"}}]}


def no_network(checkpoint):
    return Recipe(name="alone", features=features(checkpoint), model="none", training=SHORT, **COMMON)


@pytest.fixture(scope="module")
def alone(tmp_path_factory, here, checkpoint):
    """A run without a network."""
    return run_recipe(no_network(checkpoint), tmp_path_factory.mktemp("alone") / "run", here)


@pytest.fixture(scope="module")
def latents(tmp_path_factory, here, checkpoint):
    """A run of autoencoders."""
    recipe = Recipe(name="latents", features=features(checkpoint), training=SHORT, **COMMON)
    return run_recipe(recipe, tmp_path_factory.mktemp("latents") / "run", here)


def test_without_a_network_knn_and_probe_read_the_features_and_nothing_is_trained(alone):
    table = pd.read_csv(alone / "transfer.csv")
    assert set(table["method"]) == {"features"}
    assert set(table["classifier"]) == {"knn", "probe"}
    assert set(pd.read_csv(alone / "correlation.csv")["method"]) == {"features"}
    results = json.loads((alone / "results.json").read_text())
    assert (results["curves"], results["about"]["columns"]) == ([], 240 + 64)
    assert [split["seed"] for split in results["splits"]] == [0, 1]
    assert sorted(path.name for path in (alone / "models").iterdir()) == ["features"]
    assert table["value"].notna().all()


@pytest.mark.parametrize("run", ["alone", "latents"])
def test_it_predicts_as_in_its_report(request, small_data, run):
    run = request.getfixturevalue(run)
    model = load(run)
    table = pd.read_csv(run / "transfer.csv")
    wanted = {"method": model.chosen.method, "classifier": model.chosen.reader, "metric": "UA"}
    wanted |= {"corpus": "synthetic-tr", "protocol": "zero-shot"}
    (expected,) = table.loc[np.logical_and.reduce([table[key] == value for key, value in wanted.items()]), "value"]
    frame = pd.read_parquet(run / "manifests" / "synthetic-tr.parquet")
    frame = frame[frame["emotion"].isin(["anger", "happiness", "neutral", "sadness"])]
    accuracies = []
    for seed in (0, 1):
        one = load(run, method=model.chosen.method, seed=seed)
        told = list(one.predict_files([small_data / "synthetic-tr" / path for path in frame["path"]], k=1))
        right = np.array([prediction.emotion for prediction in told]) == frame["emotion"].to_numpy()
        accuracies.append(np.mean([right[frame["emotion"] == name].mean() for name in frame["emotion"].unique()]))
    assert np.mean(accuracies) == pytest.approx(expected, abs=1e-9)


def test_an_embedding_without_a_network_is_the_features(alone, small_data):
    path = small_data / "synthetic-tr" / pd.read_parquet(alone / "manifests" / "synthetic-tr.parquet")["path"].iloc[0]
    assert load(alone).embed(path).shape == (240 + 64,)


def test_a_report_says_that_there_is_no_network(alone, latents):
    assert "features, no network" in render_terminal(alone)
    assert write_report(alone).is_file()
    assert write_report(latents).is_file()


@pytest.mark.parametrize("run", ["alone", "latents", "bench"])
def test_a_run_and_the_model_card_of_a_saved_model_name_the_checkpoint(request, checkpoint, tmp_path, run):
    given = request.getfixturevalue(run)
    folder = given[0] if run == "bench" else given
    (one,) = read_results(folder).provenance.checkpoints
    assert (one.weights, one.sha256) == (str(checkpoint), checkpoint_facts(str(checkpoint)).identity["sha256"])
    assert one.licence == "not stated"
    card = (xl.load(folder).save(tmp_path / "saved") / "README.md").read_text()
    assert one.sha256 in card
    assert "synthetic-de" in card
    assert "synthetic speech" in card
    assert (one,) == read_results(tmp_path / "saved").provenance.checkpoints


def test_neither_is_exported(alone, latents, tmp_path):
    with pytest.raises(RunError, match="trained no network"):
        export_onnx(alone, tmp_path / "m.onnx")
    pytest.importorskip("onnxruntime")
    with pytest.raises(RunError, match=r"logmel \+ encoder"):
        export_onnx(latents, tmp_path / "m.onnx")


def test_random_weights_are_warned_of(tmp_path, here):
    run = run_recipe(no_network("random:tiny"), tmp_path / "run", here)
    notes = json.loads((run / "results.json").read_text())["about"]["notes"]
    assert any(note.startswith("WARNING") and "random:tiny" in note for note in notes)
    assert read_results(run).provenance.checkpoints == ()
    assert "random weights" in load(run).text()


@pytest.fixture
def renewed(checkpoint, tmp_path):
    """Put other weights where the recipe's were, for a while."""
    shutil.copytree(checkpoint, tmp_path / "kept")
    load_encoder("random:tiny", seed=6).save(checkpoint)
    yield
    shutil.rmtree(checkpoint)
    shutil.copytree(tmp_path / "kept", checkpoint)


def test_other_weights_under_the_same_name_predict_nothing(alone, latents, renewed):
    for run in (alone, latents):
        with pytest.raises(RunError, match=r"checkpoint .* must have the sha256"):
            load(run)


def test_weights_that_are_gone_are_named(alone, checkpoint, tmp_path):
    shutil.move(checkpoint, tmp_path / "elsewhere")
    try:
        with pytest.raises(XlserError, match=str(checkpoint)):
            load(alone)
    finally:
        shutil.move(tmp_path / "elsewhere", checkpoint)


@pytest.fixture(scope="module")
def bench(tmp_path_factory, here, checkpoint):
    """A bench of both kinds of recipe, and how to run it again."""
    recipes = [no_network(checkpoint), Recipe(name="dae", features=features(checkpoint), training=SHORT, **COMMON)]
    folder = tmp_path_factory.mktemp("bench") / "out"

    def go(recipes=recipes):
        jobs = make_jobs(recipes, ["synthetic-de"], ["synthetic-de", "synthetic-tr"], folder, few_shot=(1,))
        return json.loads((run_bench(jobs, folder, here) / "results.json").read_text())

    return folder, go, go()


def test_a_bench_sets_them_side_by_side(bench):
    folder, _, results = bench
    assert not results["failed"]
    assert not results["holes"]
    methods = {cell["recipe"]: {row["method"] for row in cell["transfer"]} for cell in results["cells"]}
    assert methods["alone"] == {"features", "duration alone"}
    assert methods["dae"] == {"features", "plain", "duration alone"}
    values = {
        (cell["recipe"], cell["target"], row["classifier"], row["protocol"], row["role"]): row["value"]
        for cell in results["cells"]
        for row in cell["transfer"]
        if (row["method"], row["metric"]) == ("features", "UA")
    }
    for key, value in values.items():
        assert value == values[("alone", *key[1:])], key
    assert "alone" in render_bench(folder)
    assert write_bench_report(folder).is_file()


def test_a_bench_is_done_anew_for_other_weights(bench, renewed):
    folder, go, first = bench
    kept = {path: path.stat().st_mtime_ns for path in folder.rglob("cells/*.json")}
    assert go()["cells"] != first["cells"]
    assert {path for path, when in kept.items() if path.stat().st_mtime_ns == when} == set()


def test_a_bench_that_is_done_is_left_as_it_is(bench):
    folder, go, _ = bench
    go()  # the test above may have put other weights there
    kept = {path: path.stat().st_mtime_ns for path in folder.rglob("cells/*.json")}
    go()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("cells/*.json")} == kept
