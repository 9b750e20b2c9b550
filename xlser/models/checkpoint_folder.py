"""A checkpoint folder in the layout of transformers: checked before it is read, written whole."""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import nn

from xlser.atomic import replacing
from xlser.errors import MachineError, RunError, brief
from xlser.filenames import below
from xlser.jsonfile import parse_json
from xlser.machine import check_opens, pass_on_machine, way_out
from xlser.models.other_layouts import INDEX, WEIGHTS, layout_error, without_config, without_weights
from xlser.oddfiles import read_file
from xlser.temporaries import temporary_folder

SAME = "Take config.json and weights from one and the same checkpoint."
# What torch.compile and data parallelism put into the middle of a weight's name.
_WRAPPED = re.compile(r"(?:(?<=\.)|^)(?:_orig_mod|module)\.")
_CODE = ("auto_map", "processor_class", "custom_pipelines", "trust_remote_code")
SETTINGS = ("config.json", "preprocessor_config.json", "processor_config.json")


def read_config(folder: Path) -> dict[str, Any]:
    """Return ``config.json`` as it stands.

    Raises:
        RunError: the file is missing, is no JSON, or names no model type; the folder has another layout.
    """
    config, names = _json(folder / "config.json"), _names(folder)
    if config is None:
        raise without_config(str(folder), names)
    if not isinstance(kind := config.get("model_type"), str):
        raise layout_error(str(folder), names) or RunError(
            f"{folder / 'config.json'} must name a `model_type`, such as wav2vec2, but has {kind!r} instead. "
            "Copy the file anew from where the checkpoint came from."
        )
    return config


def read_preprocessor(folder: Path) -> dict[str, Any] | None:
    """Return the options of the feature extractor, None where the folder has none; what names code is left out.

    Raises:
        RunError: the file is no JSON, or holds no options.
    """
    path = folder / "preprocessor_config.json"
    found: Any = _json(path)
    if found is None:
        path = folder / "processor_config.json"
        found = (_json(path) or {}).get("feature_extractor")
    if found is None:
        return None
    if not isinstance(found, dict):
        raise RunError(
            f"{path} must give `feature_extractor` as an object, but has {type(found).__name__} instead. "
            "Fetch the checkpoint anew."
        )
    return {key: value for key, value in found.items() if not key.startswith("_") and key not in _CODE}


def weight_files(folder: Path, unread: str = "") -> list[Path]:
    """Return the safetensors files of a checkpoint, one or the shards of the index, each with a sound header.

    Shards that hold nothing but weights whose names begin with the pattern ``unread`` are left out.

    Raises:
        RunError: there are none, only pickled ones, a shard is missing, or a file is damaged.
    """
    if (folder / WEIGHTS).is_file():
        files = [folder / WEIGHTS]
    elif (index := _json(folder / INDEX)) is not None:
        names = index.get("weight_map")
        wanted = names if isinstance(names, dict) else {}
        if odd := [file for file in wanted.values() if not (isinstance(file, str) and Path(file).name == file)]:
            raise RunError(
                f"`weight_map` of {folder / INDEX} must name files beside it, but names {odd[0]!r}. "
                "Fetch the checkpoint anew."
            )
        if unread:
            wanted = {name: file for name, file in wanted.items() if not re.match(unread, name)} or wanted
        key = f"`weight_map` of {folder / INDEX}"
        files = sorted({below(folder, file, key, RunError) for file in wanted.values()})
    else:
        files = []
    if not files:
        raise without_weights(str(folder), _names(folder))
    for file in files:
        _sound(file)
    return files


def weight_names(files: Iterable[Path]) -> list[str]:
    """Return the names of all weights of these safetensors files."""
    names: list[str] = []
    for file in files:
        with safe_open(str(file), framework="pt") as opened:
            names += opened.keys()
    return names


def weight_count(files: Iterable[Path]) -> int:
    """Return how many numbers these safetensors files hold, as their headers say."""
    numbers = 0
    for file in files:
        with safe_open(str(file), framework="pt") as opened:
            numbers += sum(math.prod(opened.get_slice(name).get_shape()) for name in opened.keys())  # noqa: SIM118
    return numbers


def prefix_before(anchor: str, names: Iterable[str], where: str) -> str:
    """Return what stands before the names of an encoder's weights, such as ``module.``; empty where nothing does.

    Args:
        anchor: the name of a weight that every such encoder has once.
        names: of all weights.
        where: the checkpoint, for the message.

    Raises:
        RunError: there are several encoders.

    >>> prefix_before("proj.weight", ["module.proj.weight", "module.proj.bias", "head.weight"], "x")
    'module.'
    """
    ends = sorted(name.removesuffix(anchor) for name in names if name == anchor or name.endswith(f".{anchor}"))
    if len(ends) > 1:
        raise RunError(
            f"checkpoint {where} must hold the weights of one encoder, but holds {len(ends)}, whose names begin with "
            f"{' and '.join(repr(end) for end in ends)}. Write those of one of them into a file of their own."
        )
    return ends[0] if ends else ""


def way_to_fit(missing: Collection[str], there: Iterable[str]) -> str:
    """Return what to do about weights that a config asks for and a checkpoint lacks: rename those that it has, or else.

    Args:
        missing: names that are asked for.
        there: names in the file.

    >>> way_to_fit(["b.weight"], ["net.b.weight"]).partition(":")[0]
    "All of them are there under other names, such as 'net.b.weight' for 'b.weight'"
    >>> way_to_fit(["b.weight"], ["c.weight"])
    "The file holds others, such as 'c.weight'. Take config.json and weights from one and the same checkpoint."
    """
    names = sorted(there)
    bare = {name: _WRAPPED.sub("", name.replace("/", ".")) for name in names}
    found = {
        wanted: name
        for wanted in missing
        for name in names
        if bare[name] == wanted or bare[name].endswith(f".{wanted}")
    }
    lost = [name for name in missing if name not in found]
    if any(".base_layer." in name for name in names):
        return "They are there beside adapters of peft: write the model that `merge_and_unload` gives."
    if not found:
        return f"The file holds {f'others, such as {names[0]!r}' if names else 'no others'}. {SAME}"
    wanted, name = next(iter(found.items()))
    there_too = f"{len(found) if lost else 'All'} of them are there under other names, such as {name!r} for {wanted!r}"
    if lost:
        return f"{there_too}, but {lost[0]!r} is not. {SAME}"
    return (
        f"{there_too}: rename them in the dict that safetensors.torch.load_file gives, and write it by save_file with "
        'metadata={"format": "pt"}.'
    )


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
        with temporary_folder(Path(folder) / "saving") as temporary, quiet():
            model.save_pretrained(temporary)
            extractor.save_pretrained(temporary)
            for file in sorted(Path(temporary).iterdir()):
                with replacing(Path(folder) / file.name, durable=True) as place:
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


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()] + [path.name for path in folder.glob("onnx/*.onnx")]


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
        found = parse_json(read_file(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        pass_on_machine(error, f"reading {path}")
        raise RunError(f"{path} cannot be read: {brief(error)}. Fetch the checkpoint anew.") from error
    if not isinstance(found, dict):
        raise RunError(f"{path} must hold a JSON object, but holds {type(found).__name__}. Fetch the checkpoint anew.")
    return found
