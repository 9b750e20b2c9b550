"""Tiny checkpoints of every family of speech encoders, with random weights, in the format in which real ones come."""

import copy
from types import SimpleNamespace

import pytest
import torch

from xlser.models.checkpoint_folder import quiet
from xlser.models.checkpoints import load_encoder

SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "vocab_size": 8,
    "layerdrop": 0.1,
    "feat_proj_dropout": 0.1,
}
WAVE = {"conv_dim": (8,) * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4, **SMALL}
GROUP = {"feat_extract_norm": "group", "do_stable_layer_norm": False, **WAVE}
LAYER = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True, **WAVE}
DATA2VEC = {**WAVE, "num_conv_pos_embeddings": 3, "conv_pos_kernel_size": 5}
MEL = {**SMALL, "conv_depthwise_kernel_size": 5, "output_hidden_size": 16}
WHISPER = {"d_model": 16, "encoder_layers": 3, "encoder_attention_heads": 2, "encoder_ffn_dim": 24, "num_mel_bins": 80}
WHISPER |= {"decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 8, "vocab_size": 60}
WHISPER |= {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
WHISPER |= {"encoder_layerdrop": 0.1, "dropout": 0.1, "classifier_proj_size": 8}
# The class of transformers, the options of its config, the options of its preprocessor.
CHECKPOINTS = {
    "wav2vec2, group norm": ("Wav2Vec2", GROUP, {}),
    "wav2vec2, layer norm": ("Wav2Vec2", LAYER, {}),
    "hubert, group norm": ("Hubert", GROUP, {}),
    "hubert, layer norm": ("Hubert", LAYER, {}),
    "hubert, batch norm": ("Hubert", {**GROUP, "conv_pos_batch_norm": True, "feat_proj_layer_norm": False}, {}),
    "wavlm, group norm": ("WavLM", GROUP, {"do_normalize": False}),
    "wavlm, layer norm": ("WavLM", LAYER, {}),
    "data2vec": ("Data2VecAudio", DATA2VEC, {}),
    "unispeech": ("UniSpeech", LAYER, {}),
    "unispeech-sat": ("UniSpeechSat", GROUP, {}),
    "w2v-bert, relative key": ("Wav2Vec2Bert", {**MEL, "position_embeddings_type": "relative_key"}, {}),
    "w2v-bert, relative": ("Wav2Vec2Bert", {**MEL, "position_embeddings_type": "relative"}, {}),
    "w2v-bert, rotary": ("Wav2Vec2Bert", {**MEL, "position_embeddings_type": "rotary"}, {}),
}
# What no clip of its own length goes through in transformers.
PADDED = {
    "whisper": ("Whisper", WHISPER, {}),
    "whisper, 128 bands": ("Whisper", {**WHISPER, "num_mel_bins": 128}, {"feature_size": 128}),
}
EXTRACTORS = {"Wav2Vec2Bert": "SeamlessM4T", "Whisper": "Whisper"}


def _make(folder, kind, options, preprocessor, head="Model"):
    import transformers

    config = getattr(transformers, f"{kind}Config")(**options)
    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(3)
        model = getattr(transformers, f"{kind}{head}")(config)
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():  # biases and norms as made would hide what they do
                tensor.add_(0.1 * torch.rand(tensor.shape))
        model.save_pretrained(folder)
        extractor = f"{EXTRACTORS.get(kind, 'Wav2Vec2')}FeatureExtractor"
        getattr(transformers, extractor)(**preprocessor).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def make_checkpoint(tmp_path_factory):
    """Return a function: the folder of a tiny checkpoint of a family, with a head if one is named."""

    def make(family="wav2vec2, layer norm", head="Model", **changes):
        kind, options, preprocessor = (CHECKPOINTS | PADDED)[family]
        return _make(tmp_path_factory.mktemp("checkpoint"), kind, {**options, **changes}, preprocessor, head)

    return make


@pytest.fixture(scope="session")
def _families(make_checkpoint):
    made = {}

    def make(name):
        if name not in made:
            folder = make_checkpoint(name)
            made[name] = folder, load_encoder(str(folder)).eval()
        return made[name]

    return make


def _copied(name, families):
    folder, encoder = families(name)
    return SimpleNamespace(name=name, folder=folder, encoder=copy.deepcopy(encoder))


@pytest.fixture(params=CHECKPOINTS)
def family(request, _families):
    """Each family in turn: its name, its folder and its encoder in eval mode."""
    return _copied(request.param, _families)


@pytest.fixture
def every_name():
    """The names of transformers' classes of all checkpoints here."""
    return {kind for kind, *_ in (CHECKPOINTS | PADDED).values()}


@pytest.fixture(params=[*CHECKPOINTS, *PADDED])
def every(request, _families):
    """As `family`, those included that transformers pads to a fixed length."""
    return _copied(request.param, _families)


@pytest.fixture(params=["wav2vec2, group norm", "hubert, layer norm", "wavlm, group norm", "w2v-bert, relative key"])
def shape(request, _families):
    """As `family`, one for each way in which the code differs."""
    return _copied(request.param, _families)


@pytest.fixture(scope="session")
def waves():
    """Clips of 0.05 to 2 s whose level and offset differ, as recordings do."""
    rng = torch.Generator().manual_seed(7)
    return [level * torch.randn(n, generator=rng) + offset for n, level, offset in CLIPS]


CLIPS = ((8_000, 0.1, 0.0), (800, 0.01, 0.02), (32_000, 0.2, -0.01), (5_001, 0.003, 0.0))
