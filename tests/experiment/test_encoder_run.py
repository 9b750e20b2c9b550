"""An encoder recipe from recordings to result files, and several corpora as one source, on synthetic speech."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from xlser.errors import CardError, RecipeError
from xlser.evaluation.readout import Part
from xlser.experiment.corpora import find_corpus, read_corpora
from xlser.experiment.judge import Heads, HeadsJudge
from xlser.experiment.run import run_recipe
from xlser.training.encoder_recipe import EncoderRecipe

OFF = {"time": 0, "feature": 0}


@pytest.fixture
def recipe():
    return EncoderRecipe(
        name="small",
        source="synthetic-de",
        targets=("synthetic-tr",),
        encoder={"weights": "random:tiny"},
        methods={"ce": {"cross_entropy": 1}, "ce+supcon": {"cross_entropy": 1, "supcon": 0.5}},
        augment=OFF,
        split={"folds": 4},
        training={"epochs": 2, "seeds": 2, "seconds": 32, "lr": 3e-3, "encoder_lr": 3e-3},
        evaluation={"draws": 100},
    )


def results(folder):
    return json.loads((folder / "results.json").read_text())


@pytest.fixture
def run(recipe, place, tmp_path):
    run_recipe(recipe, tmp_path / "run", place)
    return tmp_path / "run"


def test_four_readings_of_every_corpus_stand_beside_the_untrained_encoder(run):
    rows = [row for row in results(run)["transfer"] if row["metric"] == "UA" and row["role"] == "target"]
    readings = {(row["method"], row["classifier"]) for row in rows}
    assert readings == {
        *((method, reader) for method in ("ce", "ce+supcon") for reader in ("classifier", "classifier + knn")),
        *((method, reader) for method in ("features", "ce", "ce+supcon") for reader in ("knn", "probe")),
    }
    assert {row["protocol"] for row in rows} == {"zero-shot"}


def test_gains_are_over_the_first_methods_classifier(run):
    about = results(run)["about"]
    assert about["baseline"] == {"method": "ce", "readers": {"classifier + knn": "classifier"}}
    rows = {
        (row["method"], row["classifier"]): row
        for row in results(run)["transfer"]
        if row["metric"] == "UA" and row["role"] == "target"
    }
    base = rows["ce", "classifier"]
    assert base["gain"] is None
    for key in (("ce", "classifier + knn"), ("ce+supcon", "classifier"), ("ce+supcon", "classifier + knn")):
        assert rows[key]["gain"] == pytest.approx(rows[key]["value"] - base["value"])
    assert rows["features", "knn"]["gain"] == pytest.approx(
        rows["features", "knn"]["value"] - rows["ce", "knn"]["value"]
    )


def test_the_run_says_which_checkpoint_it_began_with(run):
    assert results(run)["about"]["encoder"]["name"] == "random:tiny"
    assert (run / "encoder" / "model.safetensors").is_file()


def test_started_again_without_its_results_it_reads_everything_back(run, recipe, place, monkeypatch):
    from xlser.experiment import encoders

    before = results(run)
    (run / "results.json").unlink()
    monkeypatch.setattr("xlser.training.encoder_fit.fit_encoder", lambda *args: pytest.fail("trained again"))
    monkeypatch.setattr(encoders, "embed", lambda *args, **options: pytest.fail("embedded again"))
    run_recipe(recipe, run, place)
    after = results(run)
    assert [after[name] for name in ("transfer", "correlation", "curves")] == [
        before[name] for name in ("transfer", "correlation", "curves")
    ]


def test_a_batch_that_no_method_could_use_stops_the_run_before_any_training(recipe, place, tmp_path):
    methods = {**recipe.model_dump()["methods"], "lang": {"contrastive": {"pairs": "cross-language"}}}
    several = EncoderRecipe(**{**recipe.model_dump(), "methods": methods})
    with pytest.raises(RecipeError, match="different languages"):
        run_recipe(several, tmp_path / "run", place)
    assert not list((tmp_path / "run" / "models").rglob("*.safetensors"))


@pytest.mark.slow
def test_two_processes_of_torchrun_give_the_numbers_of_one(run, recipe, place, tmp_path):
    told = {
        "recipe": recipe.model_dump(mode="json"),
        "out": str(tmp_path / "two"),
        "root": str(place.data_root),
        "cache": str(place.cache),
    }
    code = (
        "import json, sys; from pathlib import Path; from xlser.experiment.run import run_recipe;"
        "from xlser.experiment.workplace import Workplace; from xlser.training.encoder_recipe import EncoderRecipe;"
        "t = json.loads(sys.argv[1]); r = EncoderRecipe(**t['recipe']);"
        "run_recipe(r, t['out'], Workplace(Path(t['root']), cache=Path(t['cache']), progress=False))"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = os.environ | {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    processes = [
        subprocess.Popen([sys.executable, "-c", code, json.dumps(told)], env=common | {"RANK": r, "LOCAL_RANK": r})
        for r in ("0", "1")
    ]
    assert [process.wait(timeout=240) for process in processes] == [0, 0]
    one, two = results(run)["curves"], results(tmp_path / "two")["curves"]
    for a, b in zip(one, two, strict=True):
        for x, y in zip(a["curve"], b["curve"], strict=True):
            assert y["train/loss"] == pytest.approx(x["train/loss"], rel=1e-4)


def test_several_corpora_make_one_source(recipe, place):
    joined = read_corpora(find_corpus("synthetic-de+synthetic-tr", place), recipe, place)
    parts = [read_corpora(find_corpus(name, place), recipe, place) for name in ("synthetic-de", "synthetic-tr")]
    assert joined.name == "synthetic-de+synthetic-tr"
    assert joined.language == "de+tr"
    assert len(joined.frame) == sum(len(part.frame) for part in parts)
    assert joined.frame["speaker"].nunique() == sum(part.frame["speaker"].nunique() for part in parts)
    assert list(np.unique(joined.languages.astype(str))) == ["de", "tr"]
    first = len(parts[0].frame)
    np.testing.assert_array_equal(joined.data.read(first + 3), parts[1].data.read(3))
    np.testing.assert_array_equal(joined.labels[first:], parts[1].labels)
    assert joined.about("source")["utterances"] == len(joined.frame)
    assert joined.counts["kept"]["anger"] == sum(part.counts["kept"]["anger"] for part in parts)


def test_a_part_that_is_no_corpus_is_named(place):
    with pytest.raises(CardError, match="nosuch"):
        find_corpus("synthetic-de+nosuch", place)


def heads(classes=("a", "b")):
    return Heads(classes, np.array([[1.0, 0.0], [0.0, 1.0]]), np.zeros(2), ("valence",), np.ones((3, 2)), np.zeros(3))


def test_heads_give_a_softmax_and_the_trained_dimension_alone():
    embedded = np.array([[2.0, 0.0], [0.0, 1000.0]])
    found = heads().probabilities(embedded)
    assert found[0] == pytest.approx([np.exp(2) / (np.exp(2) + 1), 1 / (np.exp(2) + 1)])
    assert found[1] == pytest.approx([0, 1])
    assert list(heads().ratings(embedded)) == ["valence"]


def test_a_judge_restricted_to_the_targets_classes_says_no_other():
    rng = np.random.default_rng(0)
    labels = np.array(["a", "b", None] * 20, dtype=object)
    part = Part(rng.normal(size=(60, 2)), labels, {})
    judge = HeadsJudge.fit(heads(), part, part)
    said = judge.labels(part.embeddings, ("b",))
    assert {name for labels in said.values() for name in labels} == {"b"}
    assert judge.probabilities(part.embeddings, ("a", "b")).sum(axis=1) == pytest.approx(np.ones(60))
