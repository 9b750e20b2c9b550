"""State on disk as safetensors: no pickle is written or read."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from typing_extensions import TypedDict

from xlser.atomic import replacing
from xlser.errors import RunError, brief
from xlser.fileformats import VERSIONS, check_version
from xlser.jsonfile import parse_json
from xlser.machine import check_opens, number_of, pass_on_machine
from xlser.typedtable import Count, Number, Text, check_types, typed

CONTENT = "content"
_DELETE = "Delete it; the run then makes it again."


@typed
class WeightsAbout(TypedDict, total=False):
    """What `save_state` writes beside tensors, as far as every reader of it needs it."""

    schema: Any
    content: Text
    fingerprint: Text
    epoch: Count
    best_epoch: Count | None
    curve: list[dict[str, Number]]


def save_state(path: str | Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write tensors and a JSON-able ``about`` to one safetensors file, in one step and onto the disk."""
    with replacing(path, durable=True) as temporary:
        whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        try:
            notes = {"schema": VERSIONS["weights"], CONTENT: content(whole), **about}
            save_file(whole, temporary, metadata={"about": json.dumps(notes)})
        except SafetensorError as error:  # a full disk comes as this, and must read like one
            raise OSError(number_of(error), str(error)) from error


def load_state(path: str | Path, fingerprint: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save_state` wrote, if it belongs to the run with this ``fingerprint``.

    Raises:
        RunError: the file is missing or damaged, or was written by another recipe or on other data.
    """
    try:
        check_opens(path)
        with safe_open(str(path), framework="pt") as file:
            about = parse_json((file.metadata() or {}).get("about", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
    except (SafetensorError, OSError, ValueError) as error:
        pass_on_machine(error, f"reading {path}")
        raise RunError(f"cannot read {path}: {brief(error)}. {_DELETE}") from error
    check_types(WeightsAbout, about, path, _DELETE)
    check_version("weights", about.pop("schema", None), path, "delete it, and run the same command again")
    # Files of earlier versions do not say what they hold.
    if (was := about.pop(CONTENT, None)) not in (None, content(tensors)):
        raise RunError(f"{path} does not hold the tensors that were written ({was}): it was damaged. {_DELETE}")
    if about.get("fingerprint") != fingerprint:
        raise RunError(
            f"{path} belongs to another recipe or other data (its fingerprint is "
            f"{about.get('fingerprint', 'missing')}, this run's is {fingerprint}). "
            "Choose another --out, or delete the old run."
        )
    return tensors, about


def read_about(path: str | Path, again: str) -> dict[str, Any]:
    """Read the ``about`` of what `save_state` wrote, and no tensor.

    Args:
        path: of the file.
        again: another way out than to copy it, without a capital or a full stop.

    Raises:
        RunError: the file is missing or damaged.
    """
    if not Path(path).exists():
        raise RunError(f"{path} is missing. Copy the whole folder, or {again}.")
    try:
        check_opens(path)
        with safe_open(str(path), framework="pt") as file:
            about = parse_json((file.metadata() or {}).get("about", "{}"))
    except (SafetensorError, OSError, ValueError) as error:
        pass_on_machine(error, f"reading {path}")
        raise RunError(f"cannot read {path}: {brief(error)}. Copy the whole folder anew, or {again}.") from error
    check_types(WeightsAbout, about, path, f"Copy the whole folder anew, or {again}.")
    return dict(about)


def content(tensors: Mapping[str, Tensor]) -> str:
    """Return what tells a damaged file from a sound one: how many tensors, and a sum over their names and bytes.

    >>> content({"w": torch.zeros(2)}) == content({"w": torch.zeros(2)}) != content({"w": torch.ones(2)})
    True
    """
    total = 0
    for name, tensor in sorted(tensors.items()):
        total = zlib.crc32(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode(), total)
        if tensor.numel():
            total = zlib.crc32(tensor.contiguous().view(-1).view(torch.uint8).numpy().data, total)
    return f"{len(tensors)} tensors, crc32 {total:08x}"


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the state of every parameter as ``optimizer.<index>.<name>``."""
    state = optimizer.state_dict()["state"]
    return {
        f"optimizer.{index}.{name}": torch.as_tensor(value)
        for index, values in state.items()
        for name, value in values.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `optimizer_tensors` gave; the options stay those of ``optimizer``."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, index, name = key.split(".", 2)
            state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors below ``prefix.``, without it.

    >>> under("best", {"best.w": torch.zeros(1), "model.w": torch.ones(1)})
    {'w': tensor([0.])}
    """
    return {
        name.removeprefix(f"{prefix}."): tensor for name, tensor in tensors.items() if name.startswith(f"{prefix}.")
    }
