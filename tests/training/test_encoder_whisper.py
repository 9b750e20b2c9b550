"""Whisper is fine-tuned as any encoder is, with SpecAugment: what is frozen stays, and its positions always do."""

import pytest
import torch

from xlser.errors import RecipeError
from xlser.models.checkpoint_folder import quiet
from xlser.models.checkpoints import load_encoder
from xlser.training.encoder_recipe import EncoderChoice
from xlser.training.encoder_step import build_classifier
from xlser.training.loss_terms import Terms

SIZES = {"d_model": 16, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 24, "vocab_size": 8}
SIZES |= {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "classifier_proj_size": 8}
# What moves, by what is frozen.
MOVES = {
    "nothing": {"conv1", "conv2", "layers.0", "layers.1", "layer_norm"},
    "front": {"layers.0", "layers.1", "layer_norm"},
    1: {"layers.1", "layer_norm"},
    "all": set(),
}


@pytest.fixture(scope="module")
def whisper(tmp_path_factory):
    """The folder of a tiny Whisper classifier with random weights."""
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForAudioClassification

    folder = tmp_path_factory.mktemp("whisper")
    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(3)
        WhisperForAudioClassification(WhisperConfig(**SIZES)).save_pretrained(folder)
        WhisperFeatureExtractor().save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("freeze", MOVES)
def test_what_is_not_frozen_learns_from_masked_frames(freeze, whisper, fine_tune):
    before = load_encoder(whisper).state_dict()
    augment = {"time": 0.2, "time_length": 3, "feature": 0.1, "feature_length": 2}
    encoder = {"weights": whisper, "freeze": freeze}
    fit = fine_tune(encoder=encoder, augment=augment, epochs=1, encoder_lr=1e-2)
    after = fit.network.encoder.state_dict()
    moved = {name.split(".", 1)[1] for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    parts = {".".join(name.split(".")[: 2 if name.startswith("layers") else 1]) for name in moved}
    assert parts == MOVES[freeze]
    assert all(tensor.isfinite().all() for tensor in after.values())


def test_windows_longer_than_there_are_positions_for_are_refused_before_training(whisper):
    choice = EncoderChoice(weights=whisper, longest=40)
    with pytest.raises(RecipeError, match=r"encoder\.longest must be 30 s at most .* but is 40"):
        build_classifier(choice, Terms(cross_entropy=1), 4, 0)


@pytest.mark.parametrize(("key", "value", "limits"), [("layer", 3, "-3 to 2"), ("freeze", 3, "1 to 2")])
def test_a_layer_out_of_range_is_refused_with_the_range(whisper, key, value, limits):
    choice = EncoderChoice(**{"weights": whisper, key: value})
    with pytest.raises(RecipeError, match=f"encoder.{key} must be from {limits}, .* but is 3"):
        build_classifier(choice, Terms(cross_entropy=1), 4, 0)
