"""Config and weights of a checkpoint folder as a transformers model, with nothing filled in at random."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch

from xlser.errors import RunError
from xlser.machine import pass_on_machine
from xlser.models.checkpoint_config import check_layers, check_size, checked_config
from xlser.models.checkpoint_folder import (
    SAME,
    quiet,
    read_config,
    way_to_fit,
    weight_count,
    weight_files,
    weight_names,
)
from xlser.models.families import FAMILIES

DROPOUTS = (
    "hidden_dropout",
    "attention_dropout",
    "activation_dropout",
    "feat_proj_dropout",
    "conformer_conv_dropout",
    "layerdrop",
)


def read_model_config(folder: Path, kind: str) -> Any:
    """Return the config of a model of type ``kind``, as `checked_config` leaves it; what computes it is ours to say.

    Raises:
        RunError: `config.json` does not describe such a model, or asks for one that the weights cannot be those of.
    """
    from transformers import AutoConfig

    path = folder / "config.json"
    default: Any = AutoConfig.for_model(kind)
    kept = checked_config(path, read_config(folder), default)
    files = weight_files(folder, FAMILIES[kind].unread)
    names, numbers = weight_names(files), weight_count(files)
    try:
        config = type(default).from_dict(kept)
    except Exception as error:  # transformers checks a config with errors of many kinds
        pass_on_machine(error, f"reading checkpoint {folder}")
        raise RunError(f"{path} does not describe a {kind} model: {error}. Fetch the checkpoint anew.") from error
    config._attn_implementation = None  # transformers then takes what the model and torch support
    check_layers(path, FAMILIES[kind].layers, getattr(config, FAMILIES[kind].layers), names)
    check_size(path, _without_memory(path, config, kind), numbers)
    return config


def _without_memory(path: Path, config: Any, kind: str) -> torch.nn.Module:
    """Return the encoder of a config with weights that have shapes and no numbers."""
    from transformers import AutoModel
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    try:
        with torch.random.fork_rng(devices=[]), torch.device("meta"):
            return WhisperEncoder(config) if kind == "whisper" else AutoModel.from_config(config)
    except Exception as error:  # sizes that do not go together come as errors of several kinds
        pass_on_machine(error, f"building the model of {path}")
        raise RunError(
            f"{path} does not describe a {kind} model that can be built: {error}. Fetch the checkpoint anew."
        ) from error


def read_model(
    folder: Path, config: Any, model: Any = None, *, optional: Collection[str] = (), **options: Any
) -> tuple[torch.nn.Module, set[str]]:
    """Return a transformers model with float32 weights, and which of the ``optional`` ones the checkpoint lacks.

    Args:
        folder: with safetensors.
        config: of `read_model_config`.
        model: class of transformers; by default what the config says.
        optional: names of weights that may be missing.
        options: for ``from_pretrained``.

    Raises:
        RunError: weights that are missing, or that do not fit the config.
    """
    from transformers import AutoModel

    try:
        with quiet(), torch.random.fork_rng(devices=[]):
            model, found = (model or AutoModel).from_pretrained(
                folder, config=config, use_safetensors=True, local_files_only=True, output_loading_info=True, **options
            )
    except Exception as error:  # sizes that do not fit come as errors of several kinds
        pass_on_machine(error, f"reading checkpoint {folder}")
        raise RunError(_misfit(folder, f"cannot be loaded: {error}")) from error
    _check_weights(folder, model, found, optional)
    return model.float(), set(found["missing_keys"])


def _check_weights(folder: Path, model: torch.nn.Module, found: Mapping[str, Any], optional: Collection[str]) -> None:
    """Refuse what transformers would fill with random numbers."""
    missing = sorted(set(found["missing_keys"]) - set(optional))
    if missing or found["mismatched_keys"]:
        names = missing or sorted(str(key[0]) for key in found["mismatched_keys"])
        what = "missing" if missing else "of another size"
        fault = f"are not all there: {len(names)} of {len(model.state_dict())} are {what}, such as {names[0]}"
        raise RunError(_misfit(folder, fault, way_to_fit(missing, found["unexpected_keys"]) if missing else SAME))


def _misfit(folder: Path, fault: str, way: str = SAME) -> str:
    return f"checkpoint {folder}: the weights that config.json asks for {fault}. {way}"


def with_dropout(config: Any, dropout: float | None) -> Any:
    """Set every dropout of a config to one number, unless that is None; return the config."""
    for key in DROPOUTS if dropout is not None else ():
        if hasattr(config, key):
            setattr(config, key, float(dropout))
    return config
