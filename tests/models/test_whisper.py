"""Whisper's encoder: transformers' own numbers on 30 seconds, and a clip's own whatever stands beside it.

The weights are random and the encoder is tiny; the last test takes the real one where it is there.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from reference import by_transformers
from safetensors.torch import load_file, save_file

from xlser.errors import RecipeError, RunError
from xlser.features.frozen_encoder import Encoder
from xlser.models.checkpoints import checkpoint_facts, load_encoder
from xlser.models.encoder import pad_frames

REAL = Path(__file__).resolve().parents[3] / "shared" / "checkpoints" / "whisper-tiny.en-encoder"
LONG = 30 * 16_000


@pytest.fixture(scope="module")
def whole(make_checkpoint):
    """A whole model with its decoder, tiny, random, in half precision, as it lies on the hub."""
    folder = make_checkpoint("whisper", "ForConditionalGeneration")
    weights = {name: tensor.half() for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    """The encoder of the model alone; a test may damage it."""
    weights = load_file(whole / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if name.startswith("model.encoder.")}
    save_file(kept, tmp_path / "model.safetensors", {"format": "pt"})
    for name in ("config.json", "preprocessor_config.json"):
        (tmp_path / name).write_text((whole / name).read_text())
    return tmp_path


@pytest.fixture
def encoder(folder):
    return load_encoder(str(folder)).eval()


def states(encoder, waves, **options):
    return encoder(*pad_frames([encoder.front(wave) for wave in waves]), **options)


def check_agreement(folder, wave):
    encoder = load_encoder(str(folder)).eval()
    with torch.no_grad():
        found = states(encoder, [torch.nn.functional.pad(wave, (0, LONG - len(wave)))])
    expected = by_transformers(folder, wave)
    assert len(found) == len(expected) == encoder.layers + 1
    for state, other in zip(found, expected, strict=True):
        torch.testing.assert_close(state[0], other, atol=1e-5, rtol=1e-5)


def test_on_thirty_seconds_it_gives_what_transformers_gives(whole, waves):
    check_agreement(whole, waves[2])


@torch.no_grad()
def test_from_any_layer_to_any_other_it_gives_the_same(encoder, waves):
    frames, lengths = pad_frames([encoder.front(wave) for wave in waves])
    every = encoder(frames, lengths)
    for first in range(4):
        for last in range(first, 4):
            part = encoder(every[first] if first else frames, lengths, first=first, last=last)
            assert len(part) == last - first + 1
            for state, expected in zip(part, every[first:], strict=False):
                torch.testing.assert_close(state, expected)


def test_the_decoder_is_not_read_and_the_layout_does_not_matter(whole, folder, tmp_path):
    alone, other = load_encoder(str(folder)), load_encoder(str(whole))
    assert (alone.layers, alone.width, alone.about["model_type"]) == (3, 16, "whisper")
    assert not any("decoder" in name for name in alone.state_dict())
    weights = load_file(folder / "model.safetensors")
    classifier = {name.removeprefix("model."): tensor for name, tensor in weights.items()}
    save_file(classifier | {"projector.weight": torch.ones(2)}, folder / "model.safetensors", {"format": "pt"})
    alone.save(tmp_path / "saved")
    for one in (other, load_encoder(str(folder)), load_encoder(str(tmp_path / "saved"))):
        assert one.layerdrop == 0.1
        for name, tensor in alone.state_dict().items():
            assert tensor.dtype == torch.float32
            assert torch.equal(one.state_dict()[name], tensor), name


@pytest.mark.parametrize("depth", [-1, 0, 2, 3])
def test_what_is_frozen_gets_no_gradient_and_positions_never(encoder, waves, depth):
    encoder.layerdrop = 0.0  # a layer that is left out has no gradient either
    encoder.freeze(depth)
    encoder.train()
    if depth < 3:
        states(encoder, waves)[-1].sum().backward()
    moved = {name.split(".", 1)[1] for name, weight in encoder.named_parameters() if weight.grad is not None}
    parts = {"conv1": 0, "conv2": 0} | {f"layers.{layer}": layer + 1 for layer in range(3)}
    for part, frozen_from in parts.items():
        assert any(name.startswith(part) for name in moved) == (depth < frozen_from), part
    assert "embed_positions.weight" not in moved


@pytest.mark.parametrize(
    ("change", "error", "wrong"),
    [
        ({"encoder_layers": 4}, RunError, r"15 of the 67 weights .* missing .* layers\.3"),
        ({"d_model": 8, "encoder_attention_heads": 1}, RunError, "of another size"),
        ({"num_mel_bins": 128}, RecipeError, "feature_size 128, but .* says feature_size 80"),
    ],
)
def test_config_and_files_must_fit(folder, change, error, wrong):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(error, match=wrong):
        load_encoder(str(folder))


def test_a_clip_has_a_window_at_least_and_thirty_seconds_at_most(encoder):
    assert encoder.front(torch.zeros(400)).shape == (2, 16)
    with pytest.raises(ValueError, match="at least 400 samples"):
        encoder.front(torch.zeros(399))
    with pytest.raises(ValueError, match="30 s at most"):
        states(encoder, [torch.zeros(LONG + 1)])


def test_a_decoder_alone_is_refused(whole, folder):
    weights = load_file(whole / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if ".decoder." in name}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(RunError, match=r"holds a decoder alone .* such as model\.decoder\..*openai/whisper-tiny"):
        load_encoder(str(folder))


def test_a_shard_that_holds_the_decoder_alone_need_not_be_there(whole, tmp_path):
    weights, expected = load_file(whole / "model.safetensors"), load_encoder(str(whole)).state_dict()
    files = {name: f"model-{2 if '.encoder.' in name else 1}.safetensors" for name in weights}
    kept = {name: tensor for name, tensor in weights.items() if files[name] == "model-2.safetensors"}
    save_file(kept, tmp_path / "model-2.safetensors", {"format": "pt"})
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))
    for name in ("config.json", "preprocessor_config.json"):
        (tmp_path / name).write_text((whole / name).read_text())
    read = load_encoder(str(tmp_path)).state_dict()
    assert all(torch.equal(read[name], tensor) for name, tensor in expected.items())
    assert checkpoint_facts(str(tmp_path)).layers == 3


def test_of_one_file_the_decoder_is_not_read(whole, monkeypatch):
    import safetensors

    read, opens = [], safetensors.safe_open

    class Spy:
        def __init__(self, *args, **options):
            self.opened = opens(*args, **options).__enter__()

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return self.opened.__exit__(*error)

        def keys(self):
            return self.opened.keys()

        def get_tensor(self, name):
            read.append(name)
            return self.opened.get_tensor(name)

    monkeypatch.setattr(safetensors, "safe_open", Spy)
    load_encoder(str(whole))
    assert len(read) == 52
    assert all(name.startswith("model.encoder.") for name in read)


def test_without_a_preprocessor_the_spectrogram_is_the_published_one(make_checkpoint):
    for family in ("whisper", "whisper, 128 bands"):
        folder = make_checkpoint(family)
        before = load_encoder(str(folder)).identity()
        (folder / "preprocessor_config.json").unlink()
        assert load_encoder(str(folder)).identity() == before


def test_a_classifier_gives_its_encoder(make_checkpoint):
    folder = make_checkpoint("whisper", "ForAudioClassification", use_weighted_layer_sum=True)
    weights = load_file(folder / "model.safetensors")
    assert {"layer_weights", "projector.weight", "classifier.weight", "encoder.conv1.weight"} <= set(weights)
    encoder = load_encoder(str(folder))
    assert torch.equal(encoder.model.conv1.weight, weights["encoder.conv1.weight"])
    assert not [name for name in encoder.state_dict() if name.split(".")[-1] == "layer_weights"]


def test_above_thirty_seconds_a_clip_goes_through_in_windows(folder):
    clip = np.random.default_rng(0).normal(0, 0.1, 40 * 16_000).astype(np.float32)
    extractor = Encoder(str(folder), layer=2, longest=30.0)
    (together,), halves = extractor.statistics([clip]), extractor.statistics(np.split(clip, 2))
    np.testing.assert_allclose(together[2, 0], np.mean([half[2, 0] for half in halves], axis=0), atol=1e-5)


def test_as_an_extractor_it_pools_what_holds_audio(folder, waves):
    extractor = Encoder(str(folder), layer=(1, 3), pooling="mean+std")
    facts = checkpoint_facts(str(folder))
    assert (facts.layers, facts.width, facts.identity["model_type"]) == (3, 16, "whisper")
    clips = [wave.numpy() for wave in waves]
    alone = [extractor.statistics([clip])[0] for clip in clips]
    np.testing.assert_allclose(extractor.statistics(clips), alone, atol=2e-6)
    with torch.no_grad():
        found = states(load_encoder(str(folder)).eval(), [waves[0]])
    expected = torch.stack([torch.stack([state[0].mean(0), state[0].std(0, correction=0)]) for state in found])
    np.testing.assert_allclose(alone[0][:, :2], expected, atol=2e-6)
    np.testing.assert_allclose(extractor(clips[0]), expected[[1, 3]].ravel(), rtol=2**-10)


def test_padded_to_thirty_seconds_only_frames_with_audio_are_pooled(folder, waves):
    padded = Encoder(str(folder), layer=(1, 3), pooling="mean+std", window="30s")
    assert padded.identity() != Encoder(str(folder), layer=(1, 3), pooling="mean+std").identity()
    clips = [waves[1].numpy(), waves[3].numpy()]
    for clip, found in zip(clips, padded.statistics(clips), strict=True):
        heard = -(-len(clip) // 320)
        expected = [state[:heard] for state in by_transformers(folder, torch.from_numpy(clip))]
        expected = torch.stack([torch.stack([state.mean(0), state.std(0, correction=0)]) for state in expected])
        np.testing.assert_allclose(found[:, :2], expected, atol=1e-5)
    with pytest.raises(RecipeError, match="`window: 30s` belongs to Whisper"):
        Encoder("random:tiny", window="30s").identity()


def test_the_real_encoder_gives_what_transformers_gives(waves):
    if not REAL.is_dir():
        pytest.skip(f"no real checkpoint at {REAL}")
    check_agreement(REAL, waves[2])
