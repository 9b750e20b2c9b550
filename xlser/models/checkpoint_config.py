"""What ``config.json`` of a checkpoint may say: sizes and options of the model, checked before anything is built.

A config comes from outside. Its sizes decide how much memory is taken before a weight is read, a layer too few gives
another model without a word, and some of its keys name code, or files elsewhere, that transformers would fetch and run.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from xlser.errors import RunError

AGAIN = "Fetch the checkpoint anew."
# The largest size that a config may give, and the most entries of a list of them: far beyond every published encoder.
LARGEST, LONGEST = 10**6, 256
# Sizes that may be 0; the ids of tokens, which may be anything, are not the encoder's.
_MAY_BE_0 = re.compile(r"(left|right)_max_|num_negatives$|mask_|chunk_size|num_codevector|vocab_size|decoder_")
_LAYER = re.compile(r"(?:^|\bencoder\.|\bmodule\.|\bmodel\.|\b_orig_mod\.)layers\.(\d{1,6})\.")
_TOKENS = re.compile(r"token_id$|_tokens$")
# Dropped: what names code or kernels, how transformers answers, names of labels, private notes of transformers itself.
_DROPPED = re.compile(
    r"_|architectures$|auto_map$|attn_impl|experts_impl|use_kernels|kernel_config|trust_remote|custom_|output_(att|hid)|(use_)?return_dict"
    r"|torchscript|pruned_heads|(torch_)?dtype$|id2label|label2id|num_labels|problem_type|finetuning_task|generation_"
    r"|task_specific_params|compression_config|distributed_config|gradient_checkpointing"
)


def checked_config(path: Path, config: Mapping[str, Any], default: Any) -> dict[str, Any]:
    """Return what is kept of a config, once all that is kept is known to be possible.

    Args:
        path: of the file, for messages.
        config: what it holds.
        default: a config of transformers' for this type of model, whose values say of which kind each must be.

    Raises:
        RunError: weights that are quantised, a value of another kind, a size out of range, two names of one size that
            differ; key, rule and value are named.
    """
    if config.get("quantization_config") is not None:
        raise RunError(
            f"{path} has a `quantization_config`: weights that are quantised are not read. Take the checkpoint in "
            "float32 or float16 that it was made of."
        )
    known = {key: value for key, value in default.to_dict().items() if not key.startswith("_")}
    aliases: Mapping[str, str] = getattr(default, "attribute_map", {})
    kept: dict[str, Any] = {}
    for key, value in config.items():
        name = aliases.get(key, key)
        if key == "model_type" or _DROPPED.match(key):
            continue
        if name in known:
            _check(path, key, value, known[name])
        if name in kept and kept[name] != value:
            raise RunError(
                f"{path} must give `{name}` once, but gives {kept[name]!r} and, as `{key}`, {value!r} instead. {AGAIN}"
            )
        kept[name] = value
    return kept


def check_options(where: str, options: Mapping[str, Any], default: Any) -> None:
    """See that options of a feature extractor are of the kinds that its own have.

    Args:
        where: the checkpoint, for messages.
        options: from ``preprocessor_config.json``.
        default: such an extractor of transformers.

    Raises:
        RunError: a value of another kind, or a size out of range.
    """
    known = default.to_dict()
    for key in options.keys() & known.keys():
        _check(Path(where) / "preprocessor_config.json", key, options[key], known[key])


def check_size(path: Path, model: Any, numbers: int) -> None:
    """See that the file can hold the weights that a config asks for, before memory is taken for them.

    Args:
        path: of the config, for messages.
        model: built without memory, on the device ``meta``.
        numbers: in all tensors of the checkpoint.

    Raises:
        RunError: the model has several times the weights of the checkpoint.
    """
    wanted = sum(weight.numel() for weight in model.parameters())
    if wanted > 4 * numbers + 10**7:
        raise RunError(
            f"{path} asks for {wanted} weights, but the checkpoint holds {numbers}. Take "
            "config.json and weights from one and the same checkpoint."
        )


def check_layers(path: Path, key: str, layers: int, names: Collection[str]) -> None:
    """See that a checkpoint has the layers that its config asks for: no fewer, and none that would be left out.

    Args:
        path: of the config, for messages.
        key: of the config that says how many there are.
        layers: how many it says.
        names: of all weights.

    Raises:
        RunError: another number of layers.

    >>> check_layers(Path("config.json"), "layers", 2, ["encoder.layers.0.w", "encoder.layers.1.w"])
    >>> check_layers(Path("config.json"), "layers", 1, ["encoder.layers.0.w", "encoder.layers.1.w"])
    Traceback (most recent call last):
    xlser.errors.RunError: config.json asks for 1 layer (`layers`), but the weights are those of 2. Take config.json \
and weights from one and the same checkpoint.
    """
    numbers = {int(match[1]) for name in names if (match := _LAYER.search(name))}
    there = max(numbers, default=-1) + 1
    if layers > len(names) or (numbers and layers < there):
        raise RunError(
            f"{path} asks for {layers} layer{'s' * (layers != 1)} (`{key}`), but the weights are those of {there}. "
            "Take config.json and weights from one and the same checkpoint."
        )


def _check(path: Path, key: str, value: Any, usual: Any) -> None:
    """See that a value is of the kind that transformers' own has, and a size possible."""
    if _TOKENS.search(key) or value is None or usual is None:
        rule = ""
    elif isinstance(usual, bool):
        rule = "" if isinstance(value, bool) else "true or false"
    elif isinstance(usual, int):
        least = 0 if _MAY_BE_0.match(key) else 1
        rule = "" if _is_size(value, least) else f"a whole number from {least} to {LARGEST}"
    elif isinstance(usual, float):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        rule = "" if number and math.isfinite(value) and abs(value) <= LARGEST else "a finite number"
    elif isinstance(usual, (list, tuple)):
        sizes = isinstance(value, list) and 1 <= len(value) <= LONGEST and all(_is_size(one, 1) for one in value)
        rule = "" if sizes else f"a list of 1 to {LONGEST} whole numbers from 1 to {LARGEST}"
    else:
        rule = "" if isinstance(value, type(usual)) else f"a {'text' if isinstance(usual, str) else 'table'}"
    if rule:
        said = repr(value)
        said = said if len(said) <= 60 else f"{said[:60]}..."
        raise RunError(f"{path} must give `{key}` as {rule}, but has {said} instead. {AGAIN}")


def _is_size(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= LARGEST
