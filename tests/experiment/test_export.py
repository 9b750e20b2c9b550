"""Encoders as ONNX graphs: kept where they agree with torch, refused where they cannot."""

import numpy as np
import pytest
import torch
from torch import nn

import xlser
from xlser.errors import RunError
from xlser.experiment.run import run_recipe
from xlser.experiment.use import export
from xlser.experiment.use.export import export_onnx
from xlser.experiment.workplace import Workplace
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe

COMMON = {"source": "synthetic-de", "targets": ("synthetic-tr",), "split": {"folds": 4}, "evaluation": {"draws": 100}}


@pytest.fixture(scope="module")
def here(small_data, small_cache):
    return Workplace(small_data, cache=small_cache, progress=False, say=lambda text: None)


@pytest.fixture(scope="module")
def clips(tmp_path_factory, here):
    recipe = EncoderRecipe(
        name="clips",
        encoder={"weights": "random:tiny", "layer": "weighted", "pooling": "attentive", "freeze": 1},
        methods={
            "both": {"cross_entropy": 1, "dimensions": {"of": ["valence", "activation"]}},
            "supcon": {"supcon": {"weight": 1, "projection": 8}},
        },
        training={"epochs": 1, "seeds": 1, "lr": 1e-2},
        **COMMON,
    )
    return run_recipe(recipe, tmp_path_factory.mktemp("clips") / "run", here)


@pytest.fixture
def runtime():
    pytest.importorskip("onnx", reason="onnx is not installed: pip install 'xlser[export]'")
    return pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'xlser[export]'")


def opened(runtime, path):
    return runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def test_a_graph_answers_as_the_model_does_on_clips_of_any_length(clips, runtime, voice, tmp_path):
    exported = export_onnx(clips, tmp_path / "m.onnx", method="both")
    assert exported.outputs == ("embedding", "probabilities", "dimensions")
    assert exported.difference < 1e-4
    session, model = opened(runtime, exported.path), xlser.load(clips, method="both").model
    heads = model.embedder.heads
    for seconds in (0.025, 0.31, 4.4, 11.9):
        samples = voice(seconds)
        embedding, shares, ratings = session.run(None, {"samples": samples[None]})
        expected = model.embed(samples, 16_000)[None]
        np.testing.assert_allclose(embedding, expected, atol=1e-4)
        np.testing.assert_allclose(shares, heads.probabilities(expected), atol=1e-4)
        want = heads.ratings(expected)
        np.testing.assert_allclose(ratings[0], [want["valence"][0], want["activation"][0]], atol=1e-4)
    told = session.get_modelmeta().custom_metadata_map
    assert told["emotions"] == "anger,happiness,neutral,sadness"
    assert told["dimensions"] == "valence,activation"


def test_a_model_without_heads_gives_its_embedding_alone(clips, runtime, tmp_path):
    exported = export_onnx(clips, tmp_path / "m.onnx", method="supcon")
    assert [output.name for output in opened(runtime, exported.path).get_outputs()] == ["embedding"]
    assert "to embedding; differs from torch by at most" in exported.text()


def test_a_graph_that_differs_from_torch_is_not_kept(clips, runtime, tmp_path, monkeypatch):
    class Wrong(nn.Module):
        def __init__(self, graph):
            super().__init__()
            self.graph, self.names, self.network = graph, graph.names, graph.network

        def forward(self, samples):
            embedding, *others = self.graph(samples)
            return embedding * 1.01, *others

    trace = export._trace
    monkeypatch.setattr(export, "_trace", lambda graph, path: trace(Wrong(graph).eval(), path))
    with pytest.raises(RunError, match=r"must agree with torch within 0\.0001, but differs by"):
        export_onnx(clips, tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_a_nan_is_no_agreement(clips, runtime, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "compare", lambda *given: float("nan"))
    with pytest.raises(RunError, match="differs by nan"):
        export_onnx(clips, tmp_path / "m.onnx")


def test_what_torch_cannot_trace_is_one_sentence(clips, runtime, tmp_path, monkeypatch):
    def fails(*given, **options):
        raise torch.onnx.errors.UnsupportedOperatorError("aten::novel", 17, 18)

    monkeypatch.setattr(torch.onnx, "export", fails)
    with pytest.raises(RunError, match="torch cannot export this model as ONNX"):
        export_onnx(clips, tmp_path / "m.onnx")


def test_a_missing_library_is_named_with_the_way_to_get_it(clips, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "find_spec", lambda name: None if name == "onnxruntime" else object())
    with pytest.raises(RunError, match=r"an export needs onnxruntime, .* pip install 'xlser\[export\]'"):
        export_onnx(clips, tmp_path / "m.onnx")


def test_autoencoders_are_refused(here, runtime, tmp_path):
    recipe = Recipe(
        name="latents", features={"extractor": "logmel"}, training={"epochs": 1, "seeds": 1, "batch": 16}, **COMMON
    )
    run = run_recipe(recipe, tmp_path / "run", here)
    with pytest.raises(RunError, match="made of logmel features"):
        export_onnx(run, tmp_path / "m.onnx")


def test_a_filter_bank_is_refused(clips, runtime, tmp_path, monkeypatch):
    load = export.load_embedder

    def without_convolutions(chosen):
        embedder = load(chosen)
        del embedder.network.encoder.model.feature_extractor  # as w2v-BERT has none
        return embedder

    monkeypatch.setattr(export, "load_embedder", without_convolutions)
    with pytest.raises(RunError, match="begins with a filter bank"):
        export_onnx(clips, tmp_path / "m.onnx")
