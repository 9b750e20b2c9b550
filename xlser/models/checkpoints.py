"""Pretrained speech encoders by name: made at random, from a folder, or from the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from xlser.errors import RecipeError, RunError, did_you_mean
from xlser.machine import pass_on_machine
from xlser.models.checkpoint_folder import file_hash, quiet, read_config, read_preprocessor, weight_files
from xlser.models.encoder import SpeechEncoder
from xlser.models.front import RATE
from xlser.models.hub import fetched

FAMILIES = ("data2vec-audio", "hubert", "unispeech", "unispeech-sat", "wav2vec2", "wav2vec2-bert", "wavlm")
DROPOUTS = (
    "hidden_dropout",
    "attention_dropout",
    "activation_dropout",
    "feat_proj_dropout",
    "conformer_conv_dropout",
    "layerdrop",
)
_TINY = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "conv_dim": (32,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "vocab_size": 32,
    **dict.fromkeys(("hidden_dropout", "attention_dropout", "activation_dropout", "feat_proj_dropout"), 0.0),
    "layerdrop": 0.0,
}
RANDOM: dict[str, dict[str, Any]] = {
    "random:tiny": {**_TINY, "feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True},
    "random:tiny-group": {**_TINY, "feat_extract_norm": "group"},
    "random:base": {},
}
# Published base checkpoints of these, with their group norm, were trained on waveforms as they are.
AS_RECORDED = ("wavlm", "unispeech-sat")


def load_encoder(
    name: str, *, revision: str | None = None, seed: int = 0, dropout: float | None = None
) -> SpeechEncoder:
    """Return a pretrained speech encoder with float32 weights, nothing frozen, in training mode.

    ==============================  =================================================================================
    ``name``                        what it is
    ==============================  =================================================================================
    ``random:tiny``                 two layers of 32 columns, norms as in XLS-R, no dropout: for tests
    ``random:tiny-group``           the same with the group norm of wav2vec2-base
    ``random:base``                 the shapes of wav2vec2-base
    a folder                        what transformers' ``save_pretrained`` or `SpeechEncoder.save` wrote
    ``facebook/wav2vec2-base``      a model of the Hugging Face hub, fetched once and kept in its cache
    ==============================  =================================================================================

    A checkpoint with a head, such as one for speech recognition, gives its encoder. Weights are read from safetensors
    only, and no code of a checkpoint runs. Where `preprocessor_config.json` is missing, waveforms are normalised,
    except for WavLM and UniSpeech-SAT with a group norm, as WavLM's were published ([A] for UniSpeech-SAT).

    Args:
        name: see above.
        revision: a branch, tag, commit or ``refs/pr/N`` of a hub model; give a commit to have the same weights always.
        seed: of random weights; the same seed gives the same weights, and no other random number changes.
        dropout: replaces every dropout and the layerdrop of the checkpoint; 0 makes training repeatable.

    Returns:
        The encoder; its ``about`` has ``name``, ``model_type`` and ``seed``, ``sha256`` or ``commit``.

    Raises:
        RecipeError: no such name, a family that is not supported, ``dropout`` or ``revision`` that do not fit.
        RunError: a folder without or with damaged or pickled weights, or with weights that its config does not fit.

    >>> load_encoder("random:tiny").about
    {'name': 'random:tiny', 'model_type': 'wav2vec2', 'seed': 0}
    """
    if dropout is not None and not 0 <= dropout <= 1:
        raise RecipeError(f"`dropout` must be from 0 to 1, but is {dropout} instead.")
    folder = Path(name).expanduser()
    local = bool(name) and folder.is_dir()  # Path("") is the folder one is in
    if revision is not None and (local or name.startswith("random:")):
        raise RecipeError(f"`revision` belongs to a hub model, but {name} is none. Leave it out.")
    if name.startswith("random:"):
        return _random(name, seed, dropout)
    if local:
        return _read(folder, {"name": name}, dropout)
    folder = fetched(name, revision, other=RANDOM)
    return _read(folder, {"name": name, "commit": folder.name}, dropout)


def _random(name: str, seed: int, dropout: float | None) -> SpeechEncoder:
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    if name not in RANDOM:
        raise RecipeError(f"unknown checkpoint {name!r}: {did_you_mean(name, RANDOM)}")
    config = _with_dropout(Wav2Vec2Config(**RANDOM[name]), dropout)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        model = Wav2Vec2Model(config)
    return SpeechEncoder(
        model, _extractor(config, None, name), {"name": name, "model_type": config.model_type, "seed": seed}
    )


def _read(folder: Path, about: Mapping[str, Any], dropout: float | None) -> SpeechEncoder:
    kind = read_config(folder)["model_type"]
    if kind not in FAMILIES:
        raise RecipeError(
            f"checkpoint {about['name']} must be of one of the families {', '.join(FAMILIES)}, but its config.json "
            f"says {kind!r}. Choose a speech encoder of these, such as facebook/wav2vec2-base."
        )
    files = weight_files(folder)
    config = _with_dropout(_config(folder, kind), dropout)
    extractor = _extractor(config, read_preprocessor(folder), str(folder))
    about = {**about, "model_type": kind} | ({} if "commit" in about else {"sha256": file_hash(files)})
    return SpeechEncoder(_model(folder, config), extractor, about)


def _config(folder: Path, kind: str) -> Any:
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # transformers checks a config with errors of many kinds
        pass_on_machine(error, f"reading checkpoint {folder}")
        raise RunError(
            f"{folder / 'config.json'} does not describe a {kind} model: {error}. Fetch the checkpoint anew."
        ) from error
    config.add_adapter = False  # it thins out frames behind the last hidden state
    return config


def _model(folder: Path, config: Any) -> torch.nn.Module:
    from transformers import AutoModel

    try:
        with quiet(), torch.random.fork_rng(devices=[]):
            model, found = AutoModel.from_pretrained(
                folder, config=config, use_safetensors=True, local_files_only=True, output_loading_info=True
            )
    except Exception as error:  # sizes that do not fit come as errors of several kinds
        pass_on_machine(error, f"reading checkpoint {folder}")
        raise RunError(_misfit(folder, f"cannot be loaded: {error}")) from error
    _check_weights(folder, model, found)
    if "masked_spec_embed" in found["missing_keys"]:
        model.masked_spec_embed.data.zero_()  # not what the random numbers gave
    return model.float()


def _check_weights(folder: Path, model: torch.nn.Module, found: Mapping[str, Any]) -> None:
    """Refuse what transformers would fill with random numbers."""
    missing = sorted(set(found["missing_keys"]) - {"masked_spec_embed"})
    if missing or found["mismatched_keys"]:
        names = missing or sorted(str(key[0]) for key in found["mismatched_keys"])
        what = "missing" if missing else "of another size"
        total = len(model.state_dict())
        raise RunError(_misfit(folder, f"are not all there: {len(names)} of {total} are {what}, such as {names[0]}"))


def _misfit(folder: Path, fault: str) -> str:
    return (
        f"checkpoint {folder}: the weights that config.json asks for {fault}. "
        "Take config.json and weights from one and the same checkpoint."
    )


def _extractor(config: Any, options: Mapping[str, Any] | None, where: str) -> Any:
    from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2FeatureExtractor

    mel = config.model_type == "wav2vec2-bert"
    if options is None:
        layered = getattr(config, "feat_extract_norm", "layer") == "layer"
        options = {} if mel else {"do_normalize": layered or config.model_type not in AS_RECORDED}
    if options.get("sampling_rate", RATE) != RATE:
        raise RecipeError(
            f"checkpoint {where} must take speech at {RATE} Hz, but its preprocessor_config.json says "
            f"{options['sampling_rate']} Hz. Choose another checkpoint."
        )
    extractor = (SeamlessM4TFeatureExtractor if mel else Wav2Vec2FeatureExtractor).from_dict(dict(options))
    if mel and extractor.num_mel_bins * extractor.stride != config.feature_projection_input_dim:
        raise RunError(
            f"checkpoint {where} must have a filter bank of {config.feature_projection_input_dim} columns, as its "
            f"config.json says, but preprocessor_config.json gives {extractor.num_mel_bins} bins in groups of "
            f"{extractor.stride}. Take both files from one and the same checkpoint."
        )
    return extractor


def _with_dropout(config: Any, dropout: float | None) -> Any:
    for key in DROPOUTS if dropout is not None else ():
        if hasattr(config, key):
            setattr(config, key, float(dropout))
    return config
