"""A run of adapters: it keeps them and the heads, and needs the checkpoint that they were trained on, and no other."""

import json
import shutil

import numpy as np
import pytest
from safetensors import safe_open

import xlser
from xlser.errors import RunError
from xlser.experiment.run import run_recipe
from xlser.experiment.use.export import export_onnx
from xlser.experiment.workplace import Workplace
from xlser.models.checkpoints import load_encoder
from xlser.store.datastore import Datastore
from xlser.training.encoder_recipe import EncoderRecipe

SAMPLES = (0.1 * np.random.default_rng(0).standard_normal(8000)).astype(np.float32)


@pytest.fixture(scope="module")
def made(tmp_path_factory, small_data, small_cache):
    """A run and, beside it, its checkpoint, which tests may take away or change in a copy of both."""
    folder = tmp_path_factory.mktemp("lora")
    load_encoder("random:tiny-group", seed=5).save(folder / "checkpoint")
    recipe = EncoderRecipe(
        name="adapters",
        source="synthetic-de",
        targets=("synthetic-tr",),
        encoder={"weights": str(folder / "checkpoint"), "layer": "weighted", "lora": {"rank": 4, "dropout": 0.1}},
        methods={"ce": {"cross_entropy": 1}},
        augment={"time": 0, "feature": 0},
        split={"folds": 4},
        training={"epochs": 1, "seeds": 1, "seconds": 8, "lr": 0.1},
        evaluation={"draws": 100},
    )
    place = Workplace(small_data, cache=small_cache, progress=False, say=lambda text: None)
    run_recipe(recipe, folder / "run", place)
    return folder


@pytest.fixture
def moved(made, tmp_path, monkeypatch):
    """A copy of the run, and the checkpoint where the run says; both may be damaged."""
    shutil.copytree(made / "run", tmp_path / "run")
    kept = tmp_path / "kept"
    shutil.copytree(made / "checkpoint", kept)
    yield tmp_path / "run", made / "checkpoint"
    shutil.rmtree(made / "checkpoint", ignore_errors=True)
    shutil.copytree(kept, made / "checkpoint")


def names(path):
    with safe_open(str(path), framework="np") as file:
        return list(file.keys())


def test_the_folder_holds_adapters_heads_and_pooling_and_no_checkpoint(made):
    run = made / "run"
    assert [path.name for path in (run / "encoder").iterdir()] == ["xlser.json"]
    found = names(run / "models" / "ce" / "seed-0" / "model.safetensors")
    assert sum(".lora_A." in name for name in found) == sum(".lora_B." in name for name in found) == 4
    assert [name for name in found if ".lora_" not in name] == [
        "network.classes.bias",
        "network.classes.weight",
        "network.dimensions.bias",
        "network.dimensions.weight",
        "network.pools.embedding.weights",
    ]
    (state,) = (run / "models" / "ce" / "seed-0" / "checkpoints").glob("*/state.ckpt")
    assert not any("base_layer" in name for name in names(state))
    about = json.loads((run / "results.json").read_text())["about"]["encoder"]
    assert (about["name"], len(about["identity"]["sha256"])) == (str(made / "checkpoint"), 64)


def test_it_embeds_as_it_did_in_the_run_and_not_as_without_adapters(made, small_data):
    models = made / "run" / "models"
    kept, plain = (
        np.array(Datastore.load(folder / "embedded" / "synthetic-tr.safetensors").embeddings)
        for folder in (models / "ce" / "seed-0", models / "features")
    )
    recogniser = xlser.load(made / "run", method="ce")
    for file in sorted((small_data / "synthetic-tr").rglob("*.wav"))[:3]:
        vector = recogniser.embed(file)
        assert np.abs(kept - vector).max(axis=1).min() < 1e-5
        assert np.abs(plain - vector).max(axis=1).min() > 1e-3
        assert recogniser.predict(file).emotion in recogniser.classes


def test_a_checkpoint_that_is_gone_may_be_copied_into_the_run(moved):
    run, checkpoint = moved
    before = xlser.load(run, method="ce").embed(SAMPLES, 16_000)
    checkpoint.rename(run / "away")
    with pytest.raises(RunError, match=f"not the checkpoint {checkpoint} .* copy the files of that checkpoint into"):
        xlser.load(run, method="ce")
    for file in (run / "away").iterdir():
        shutil.copy(file, run / "encoder")
    np.testing.assert_array_equal(xlser.load(run, method="ce").embed(SAMPLES, 16_000), before)


@pytest.mark.parametrize("method", ["ce", "features"])
def test_a_checkpoint_that_changed_is_named(moved, method):
    run, checkpoint = moved
    load_encoder("random:tiny-group", seed=6).save(checkpoint)
    with pytest.raises(RunError, match=f"checkpoint {checkpoint} must have the sha256 .* adapters were trained"):
        xlser.load(run, method=method)


def test_adapters_of_another_checkpoint_are_not_read_on_this_one(moved):
    run, _ = moved
    load_encoder("random:tiny-group", seed=6).save(run / "encoder")
    with pytest.raises(RunError, match="must have the sha256"):
        xlser.load(run, method="ce")


def test_an_exported_graph_has_the_adapters_merged(made, tmp_path):
    pytest.importorskip("onnx", reason="onnx is not installed: pip install 'xlser[export]'")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'xlser[export]'")
    exported = export_onnx(made / "run", tmp_path / "m.onnx", method="ce")
    assert exported.difference < 1e-4
    session = runtime.InferenceSession(str(exported.path), providers=["CPUExecutionProvider"])
    expected = xlser.load(made / "run", method="ce").embed(SAMPLES, 16_000)
    np.testing.assert_allclose(session.run(None, {"samples": SAMPLES[None]})[0][0], expected, atol=1e-4)
    import onnx

    assert not [node.name for node in onnx.load(str(exported.path)).graph.node if "lora" in node.name]


def test_a_saved_model_needs_its_checkpoint_alone(made, tmp_path):
    model = xlser.load(made / "run", method="ce")
    saved = model.save(tmp_path / "saved")
    assert sum(path.stat().st_size for path in saved.rglob("model.safetensors")) < 40_000
    np.testing.assert_array_equal(xlser.load(saved).embed(SAMPLES, 16_000), model.embed(SAMPLES, 16_000))
