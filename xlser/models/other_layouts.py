"""Checkpoints in other layouts than that of transformers: which one it is, and how to get the one that is read."""

from __future__ import annotations

import re
from collections.abc import Collection
from fnmatch import fnmatch
from typing import NamedTuple

from xlser.errors import RunError

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack")
CONVERT = (
    "In Python, where you trust the file: "
    "transformers.AutoModel.from_pretrained(OLD).save_pretrained(NEW) writes NEW/model.safetensors; "
    "copy preprocessor_config.json beside it."
)
_SIZE = re.compile(r"(?<![a-z])(tiny|base|small|medium|large(?:-v\d)?(?:-turbo)?)(\.en)?(?![a-z])")


class _Layout(NamedTuple):
    """``files``: a file must match each of these patterns; ``what`` it then is; ``way`` out of it."""

    files: tuple[str, ...]
    what: str
    way: str


_CONVERTED = "Give the hub model that it was converted from, such as {model}."
_LAYOUTS = (
    _Layout(
        (r"model\.bin", r"(\w+_)?vocabulary\.\w+"),
        "a CTranslate2 model, as faster-whisper uses it, which cannot be turned back",
        _CONVERTED,
    ),
    _Layout(
        (r".*\.gguf|ggml.*",), "a ggml or gguf model, as whisper.cpp uses it, which cannot be turned back", _CONVERTED
    ),
    _Layout((r".*\.onnx",), "an ONNX graph, which has no layers to read", _CONVERTED.replace("converted", "exported")),
    _Layout(
        (r"configuration\.json", r".*\.pt"),
        "a FunASR model, as emotion2vec is published: a pickle, and transformers has no class for emotion2vec",
        "Choose another encoder, such as {model}.",
    ),
    _Layout(
        (r"hyperparams\.yaml", r".*\.ckpt"),
        "a SpeechBrain model, whose weights are pickles",
        "Choose another encoder, such as {model}.",
    ),
    _Layout(
        (r"(tiny|base|small|medium|large|turbo)[\w.-]*\.pt",),
        "a Whisper model as OpenAI's own code reads it: a pickle",
        "The same weights lie on the hub as {model}.",
    ),
)


def other_layout(names: Collection[str], place: str = "") -> str | None:
    """Return what a checkpoint is and the way out, where its files show another layout than transformers'; else None.

    Args:
        names: of its files, with or without folders.
        place: the folder's or the hub model's name, which may say which Whisper model it is made of.

    >>> other_layout(["ggml-small.en.bin"]).partition(". ")[2]
    'Give the hub model that it was converted from, such as openai/whisper-small.en.'
    >>> other_layout(["config.json", "model.safetensors"]) is None
    True
    """
    names = sorted(names)
    last = [name.rpartition("/")[2] for name in names]
    for files, what, way in _LAYOUTS:
        if all(any(re.fullmatch(pattern, name) for name in last) for pattern in files):
            size = _SIZE.search(f"{place.rpartition('/')[2]} {' '.join(last)}".lower())
            return f"{what}. {way.format(model='openai/whisper-' + (size[0] if size else 'tiny'))}"
    return None


def layout_error(where: str, names: Collection[str]) -> RunError | None:
    """Return the error of a checkpoint ``where`` with these files, if they are in another layout."""
    other = other_layout(names, where)
    return RunError(f"checkpoint {where} must hold config.json and {WEIGHTS}, but is {other}") if other else None


def without_config(where: str, names: Collection[str]) -> RunError:
    """Return the error of a checkpoint whose files have no ``config.json`` among them."""
    there = ", ".join(sorted(names)[:5]) or "nothing"
    return layout_error(where, names) or RunError(
        f"checkpoint {where} must hold config.json and {WEIGHTS}, but holds {there}. "
        "Point to the folder that `save_pretrained` wrote."
    )


def without_weights(where: str, names: Collection[str]) -> RunError:
    """Return the error of a checkpoint whose files have no safetensors among them."""
    pickled = sorted(name for name in names if any(fnmatch(name, pattern) for pattern in PICKLED))
    if other := layout_error(where, names):
        return other
    if pickled:
        return RunError(
            f"checkpoint {where} must hold its weights as safetensors ({WEIGHTS}), but holds only "
            f"{', '.join(pickled)}, which can run code when read. {CONVERT}"
        )
    return RunError(
        f"checkpoint {where} must hold weights ({WEIGHTS}, or shards and {INDEX}), but holds none. "
        "Fetch it anew; a hub model may have them in another `revision`, such as refs/pr/1."
    )
