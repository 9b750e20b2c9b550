"""Pretrained speech encoders by name: made at random, from a folder, or from the Hugging Face hub."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import torch

from xlser.errors import RecipeError, RunError, did_you_mean
from xlser.models.checkpoint_folder import SETTINGS, file_hash, read_config, weight_files
from xlser.models.encoder import SpeechEncoder
from xlser.models.families import FAMILIES, NO_FAMILY
from xlser.models.hub import fetched
from xlser.models.transformers_model import with_dropout
from xlser.models.wave_family import make_extractor

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
    folder = _folder(name, revision)
    if folder is None:
        return _random(name, seed, dropout)
    kind = _shape(folder, name).kind
    files = weight_files(folder, FAMILIES[kind].unread)
    local = Path(name).expanduser().is_dir()
    mark = {"sha256": file_hash(files)} if local else {"commit": folder.name}  # the hub's cache names it so
    return FAMILIES[kind].read(folder, {"name": name, "model_type": kind, **mark}, dropout)


class CheckpointFacts(NamedTuple):
    """``layers`` L and ``width`` D; ``identity`` names config, preprocessor and weights by their bytes, JSON-able.

    ``padded``: see `Family`.
    """

    layers: int
    width: int
    identity: dict[str, Any]
    padded: float = 0.0


def checkpoint_facts(name: str, *, revision: str | None = None, seed: int = 0) -> CheckpointFacts:
    """Return what `load_encoder` would load, without loading it.

    Raises:
        RecipeError, RunError: as `load_encoder`, as far as config and file headers tell.

    >>> facts = checkpoint_facts("random:tiny")
    >>> facts.layers, facts.width, facts.identity
    (2, 32, {'model_type': 'wav2vec2', 'random': 'random:tiny', 'seed': 0})
    """
    folder = _folder(name, revision)
    if folder is None:
        config = _random_config(name)
        identity = {"model_type": config.model_type, "random": name, "seed": seed}
        return CheckpointFacts(config.num_hidden_layers, config.hidden_size, identity)
    kind, layers, width = _shape(folder, name)
    family = FAMILIES[kind]
    files = [folder / file for file in SETTINGS if (folder / file).is_file()]
    files += weight_files(folder, family.unread)
    stamps = tuple((file, at.st_size, at.st_mtime_ns, at.st_ctime_ns) for file in files for at in [file.stat()])
    return CheckpointFacts(layers, width, {"model_type": kind, "sha256": _hash(stamps)}, family.padded)


@lru_cache(maxsize=64)
def _hash(stamps: tuple[tuple[Path, int, int, int], ...]) -> str:
    return file_hash([file for file, *_ in stamps])


def _folder(name: str, revision: str | None) -> Path | None:
    """Return the folder of a checkpoint, fetched if it must be; None for random weights."""
    folder = Path(name).expanduser()
    local = bool(name) and folder.is_dir()  # Path("") is the folder one is in
    if revision is not None and (local or name.startswith("random:")):
        raise RecipeError(f"`revision` belongs to a hub model, but {name} is none. Leave it out.")
    if name.startswith("random:"):
        return None
    return folder if local else fetched(name, revision, other=RANDOM)


class _Shape(NamedTuple):
    kind: str
    layers: int
    width: int


def _shape(folder: Path, name: str) -> _Shape:
    """Return the family of a checkpoint, and its size as its config says."""
    config = read_config(folder)
    kind = config["model_type"]
    if kind not in FAMILIES:
        why = f" ({NO_FAMILY[kind]})" if kind in NO_FAMILY else ""
        raise RecipeError(
            f"checkpoint {name} must be of one of the families {', '.join(FAMILIES)}, but its config.json says "
            f"{kind!r}{why}. Choose a speech encoder of these, such as facebook/wav2vec2-base."
        )
    sizes = {key: config.get(key) for key in (FAMILIES[kind].layers, FAMILIES[kind].width)}
    for key, value in sizes.items():
        if not isinstance(value, int) or value < 1:
            raise RunError(
                f"{folder / 'config.json'} must give `{key}` as a whole number of at least 1, but has {value!r} "
                "instead. Copy the file anew from where the checkpoint came from."
            )
    return _Shape(kind, *(int(value) for value in sizes.values() if value))


def _random_config(name: str) -> Any:
    from transformers import Wav2Vec2Config

    if name not in RANDOM:
        raise RecipeError(f"unknown checkpoint {name!r}: {did_you_mean(name, RANDOM)}")
    return Wav2Vec2Config(**RANDOM[name])


def _random(name: str, seed: int, dropout: float | None) -> SpeechEncoder:
    from transformers import Wav2Vec2Model

    config = with_dropout(_random_config(name), dropout)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        model = Wav2Vec2Model(config)
    about = {"name": name, "model_type": config.model_type, "seed": seed}
    return SpeechEncoder(model, make_extractor(config, None, name), about)
