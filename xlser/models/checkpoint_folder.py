"""A checkpoint folder in the layout of transformers: checked before it is read, written whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import nn

from xlser.atomic import replacing
from xlser.errors import MachineError, RunError
from xlser.machine import check_opens, pass_on_machine, way_out

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
SETTINGS = ("config.json", "preprocessor_config.json", "processor_config.json")
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack")
CONVERT = (
    "In Python, where you trust the file: "
    "transformers.AutoModel.from_pretrained(OLD).save_pretrained(NEW) writes NEW/model.safetensors; "
    "copy preprocessor_config.json beside it."
)


def read_config(folder: Path) -> dict[str, Any]:
    """Return ``config.json`` as it stands.

    Raises:
        RunError: the file is missing, is no JSON, or names no model type.
    """
    config = _json(folder / "config.json")
    if config is None:
        there = ", ".join(sorted(path.name for path in folder.iterdir())[:5]) or "nothing"
        raise RunError(
            f"checkpoint {folder} must hold config.json and {WEIGHTS}, but holds {there}. "
            "Point to the folder that `save_pretrained` wrote."
        )
    if not isinstance(kind := config.get("model_type"), str):
        raise RunError(
            f"{folder / 'config.json'} must name a `model_type`, such as wav2vec2, but has {kind!r} instead. "
            "Copy the file anew from where the checkpoint came from."
        )
    return config


def read_preprocessor(folder: Path) -> dict[str, Any] | None:
    """Return the options of the feature extractor, None where the folder has none.

    Raises:
        RunError: the file is no JSON.
    """
    alone = _json(folder / "preprocessor_config.json")
    return alone if alone is not None else (_json(folder / "processor_config.json") or {}).get("feature_extractor")


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files of a checkpoint, one or the shards of the index, each with a sound header.

    Raises:
        RunError: there are none, only pickled ones, a shard is missing, or a file is damaged.
    """
    if (folder / WEIGHTS).is_file():
        files = [folder / WEIGHTS]
    elif (index := _json(folder / INDEX)) is not None:
        names = index.get("weight_map")
        files = [folder / name for name in sorted(set(names.values() if isinstance(names, dict) else ()))]
    else:
        files = []
    if not files:
        raise RunError(_without_weights(folder))
    for file in files:
        _sound(file)
    return files


def file_hash(files: list[Path]) -> str:
    """Return the sha256 over the bytes of these files, in order: 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            while block := opened.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def write_checkpoint(model: nn.Module, extractor: Any, folder: str | Path) -> None:
    """Write a transformers model and its feature extractor, every file whole or not there.

    Raises:
        MachineError: the folder cannot be written.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".saving-") as temporary, quiet():
            model.save_pretrained(temporary)
            extractor.save_pretrained(temporary)
            for file in sorted(Path(temporary).iterdir()):
                with replacing(Path(folder) / file.name) as place:
                    file.chmod(place.stat().st_mode)  # safetensors makes its files private
                    os.replace(file, place)
    except (OSError, SafetensorError) as error:  # a full disk comes as either
        pass_on_machine(error, f"writing {folder}")
        raise MachineError(f"cannot write {folder}: {error}. {way_out(error)}") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' progress bars and load reports off the screen: what matters there is raised as an error."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _without_weights(folder: Path) -> str:
    pickled = sorted(path.name for pattern in PICKLED for path in folder.glob(pattern))
    if not pickled:
        return (
            f"checkpoint {folder} must hold weights ({WEIGHTS}, or shards and {INDEX}), but holds none. "
            "Fetch it anew; a hub model may have them in another `revision`, such as refs/pr/1."
        )
    return (
        f"checkpoint {folder} must hold its weights as safetensors ({WEIGHTS}), but holds only {', '.join(pickled)}, "
        f"which can run code when read. {CONVERT}"
    )


def _sound(file: Path) -> None:
    try:
        check_opens(file)
        with safe_open(str(file), framework="pt"):
            return
    except FileNotFoundError:
        fault = f"must be there, because {INDEX} names it, but is missing"
    except (SafetensorError, OSError) as error:
        pass_on_machine(error, f"reading {file}")
        pointer = file.read_bytes()[:40].startswith(b"version https://git-lfs") if file.is_file() else False
        fault = "holds the pointer of Git LFS in place of weights" if pointer else f"cannot be read: {error}"
    raise RunError(f"{file} {fault}. Fetch the checkpoint anew (with Git: `git lfs pull`).")


def _json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        pass_on_machine(error, f"reading {path}")
        raise RunError(f"{path} cannot be read: {error}. Fetch the checkpoint anew.") from error
    if not isinstance(found, dict):
        raise RunError(f"{path} must hold a JSON object, but holds {type(found).__name__}. Fetch the checkpoint anew.")
    return found
