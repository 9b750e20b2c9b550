"""What every family of encoders promises; a new one is tested by having a checkpoint in conftest.py."""

import json
import shutil

import numpy as np
import pytest
import torch
from reference import by_transformers
from safetensors.torch import load_file, save_file

from xlser.errors import RecipeError, RunError
from xlser.features.frozen_encoder import Encoder
from xlser.models.checkpoints import checkpoint_facts, load_encoder
from xlser.models.encoder import pad_frames
from xlser.models.families import FAMILIES

ALL = "mean+std+min+max"


@pytest.fixture
def folder(every, tmp_path):
    """A checkpoint that a test may damage."""
    return shutil.copytree(every.folder, tmp_path / "checkpoint")


@pytest.fixture(params=["wav2vec2, group norm", "w2v-bert, rotary", "whisper"])
def damaged(request, make_checkpoint):
    """A checkpoint of each reader that a test may damage."""
    return make_checkpoint(request.param)


def states(encoder, waves):
    return encoder(*pad_frames([encoder.front(wave) for wave in waves]))


def as_trained(every, wave):
    """Return the clip with the silence behind it that transformers puts there."""
    seconds = FAMILIES[every.encoder.about["model_type"]].padded
    return torch.nn.functional.pad(wave, (0, max(0, int(seconds * 16_000) - len(wave))))


def check_agreement(every, encoder, folder, waves):
    ours = states(encoder, [as_trained(every, wave) for wave in waves])
    assert len(ours) == encoder.layers + 1
    for row, wave in enumerate(waves):
        for state, alone in zip(ours, by_transformers(folder, wave), strict=True):
            assert len(alone) > 0
            torch.testing.assert_close(state[row, : len(alone)], alone, atol=1e-5, rtol=1e-5)


def rewritten(folder, change):
    save_file(change(load_file(folder / "model.safetensors")), folder / "model.safetensors", {"format": "pt"})


def reconfigured(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_every_family_of_the_table_has_a_checkpoint_here(every_name):
    import transformers

    kinds = {getattr(transformers, f"{kind}Config").model_type for kind in every_name}
    assert kinds == set(FAMILIES)


@torch.no_grad()
def test_states_are_those_of_transformers_for_each_clip_alone(every, waves):
    check_agreement(every, every.encoder, every.folder, waves)


@torch.no_grad()
def test_neighbours_and_what_stands_in_the_padding_change_nothing(every, waves):
    encoder = every.encoder
    frames, lengths = pad_frames([encoder.front(wave) for wave in waves])
    for row, length in enumerate(lengths):
        frames[row, length:] = 1e3
    together = encoder(frames, lengths)
    for row, wave in enumerate(waves):
        for state, alone in zip(together, states(encoder, [wave]), strict=True):
            torch.testing.assert_close(state[row, : lengths[row]], alone[0], atol=1e-5, rtol=0)


def test_pooled_a_clip_alone_is_what_it_is_in_a_batch(every, waves):
    extractor = Encoder(str(every.folder), layer=(0, 2, -1), pooling=ALL)
    clips = [wave.numpy() for wave in waves]
    assert extractor(clips[0]).shape == (len(extractor.columns()),) == (3 * 4 * every.encoder.width,)
    # Before they are rounded to half precision, of which a step may be more than this.
    together = extractor.statistics(clips)
    np.testing.assert_allclose(together, [extractor.statistics([clip])[0] for clip in clips], atol=1e-5)
    np.testing.assert_allclose(extractor.statistics(clips[::-1])[::-1], together, atol=1e-5)


@torch.no_grad()
def test_half_precision_weights_compute_in_float32(every, folder, waves):
    rewritten(folder, lambda tensors: {name: tensor.half() for name, tensor in tensors.items()})
    reconfigured(folder, dtype="float16", torch_dtype="float16")
    encoder = load_encoder(str(folder)).eval()
    assert {tensor.dtype for tensor in encoder.state_dict().values() if tensor.is_floating_point()} == {torch.float32}
    check_agreement(every, encoder, folder, waves[:2])


def test_pickles_are_refused(damaged):
    (damaged / "model.safetensors").rename(damaged / "pytorch_model.bin")
    with pytest.raises(RunError, match=r"pytorch_model.bin, which can run code .*save_pretrained"):
        load_encoder(str(damaged))


def test_a_layer_out_of_range_is_refused_with_the_range(every, waves):
    with pytest.raises(RecipeError, match=r"`layer` must be from -4 to 3 .* but is 4"):
        Encoder(str(every.folder), layer=4).columns()
    with pytest.raises(ValueError, match="`last` must be a whole number from 0 to 3, but is 4"):
        every.encoder(*pad_frames([every.encoder.front(waves[0])]), last=4)
    with pytest.raises(ValueError, match="`depth` must be a whole number from -1 to 3, but is 4"):
        every.encoder.freeze(4)


@torch.no_grad()
def test_a_clip_of_20_ms_is_refused_and_the_shortest_one_is_finite(every):
    encoder = every.encoder
    with pytest.raises(ValueError, match=rf"at least {encoder.shortest} samples .* holds 320"):
        encoder.front(torch.zeros(320))
    assert all(state.isfinite().all() for state in states(encoder, [torch.zeros(encoder.shortest)]))


@pytest.mark.parametrize("depth", [0, 2, 3])
def test_the_layers_learn_down_to_where_they_are_frozen(every, waves, depth):
    encoder = every.encoder
    encoder.layerdrop = 0.0  # a layer that is left out has no gradient either
    encoder.freeze(depth)
    encoder.train()
    if depth < encoder.layers:
        states(encoder, waves[:2])[-1].square().sum().backward()
    for number, layer in enumerate(encoder._stack.layers):
        learns = [weight.grad is not None and bool(weight.grad.any()) for weight in layer.parameters()]
        assert any(learns) == (number >= depth), number


def test_a_saved_encoder_is_the_same_when_it_is_read_back(every, waves, tmp_path):
    every.encoder.save(tmp_path / "saved")
    again = load_encoder(str(tmp_path / "saved")).eval()
    assert again.identity(3) == every.encoder.identity(3)
    with torch.no_grad():
        for state, before in zip(states(again, waves[:1]), states(every.encoder, waves[:1]), strict=True):
            assert torch.equal(state, before)


def test_what_a_training_framework_puts_before_the_names_falls_off(every, folder):
    weights, expected = load_file(folder / "model.safetensors"), every.encoder.state_dict()
    for prefix in ("module.", "encoder.wav2vec2."):
        prefixed = {prefix + name: tensor for name, tensor in weights.items()}
        save_file(prefixed | {"head.weight": torch.ones(1)}, folder / "model.safetensors", {"format": "pt"})
        read = load_encoder(str(folder)).state_dict()
        assert list(read) == list(expected)
        assert all(torch.equal(read[name], tensor) for name, tensor in expected.items())


def test_two_encoders_in_one_file_are_both_named(damaged):
    rewritten(damaged, lambda old: {f"{who}.{n}": t.clone() for who in ("student", "teacher") for n, t in old.items()})
    with pytest.raises(RunError, match=r"holds 2, whose names begin with '?student\..* and '?teacher\."):
        load_encoder(str(damaged))


@pytest.mark.parametrize("layers", [0, -1, "three", None])
def test_a_number_of_layers_that_cannot_be_is_refused(damaged, layers):
    key = FAMILIES[json.loads((damaged / "config.json").read_text())["model_type"]].layers
    reconfigured(damaged, **{key: layers})
    for read in (load_encoder, checkpoint_facts):
        with pytest.raises(RunError, match=rf"`{key}` as a whole number of at least 1, but has {layers!r}"):
            read(str(damaged))


def test_the_attention_that_a_config_asks_for_is_ignored(every, folder):
    reconfigured(folder, _attn_implementation="flash_attention_2", attn_implementation="flash_attention_2")
    encoder = load_encoder(str(folder))
    assert encoder.model.config._attn_implementation == every.encoder.model.config._attn_implementation
    assert encoder.identity(3) == every.encoder.identity(3)
