"""Where a pretrained checkpoint lies that a model needs and does not hold: known by its content, not by a path."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

from xlser.errors import RunError, XlserError
from xlser.experiment.use.hub_models import commit_of, shown
from xlser.features.extractor import Extractor, SideBySide, parts_of
from xlser.features.frozen_encoder import Encoder

# A folder in the model's own, with a folder for each checkpoint that was given along with it.
CARRIED = "checkpoints"
# The variable that names a folder of checkpoints, or one checkpoint.
PLACES = "XLSER_CHECKPOINTS"
_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+")


class CheckpointMissing(RunError):
    """A checkpoint that a model needs, and that is nowhere."""


def with_checkpoints(extractor: Extractor, known: Sequence[Mapping[str, Any]], folder: Path) -> Extractor:
    """Return an extractor whose encoders are read from where their checkpoints lie here.

    Args:
        extractor: as the model's recipe writes it.
        known: name, revision and hash of each of its checkpoints, as `Extractor.pretrained` gave them in training.
        folder: of the model.

    Raises:
        CheckpointMissing: one is nowhere.
    """
    rows, parts = iter(known), []
    for part in parts_of(extractor):
        row = next(rows, None) if isinstance(part, Encoder) else None
        parts.append(part if row is None else _placed(part, row, folder))
    return parts[0] if len(parts) == 1 else SideBySide(tuple(parts))


def _placed(part: Any, row: Mapping[str, Any], folder: Path) -> Extractor:
    weights, revision = find_checkpoint(row, folder)
    moved: Extractor = replace(part, weights=weights, revision=revision)
    return moved


def find_checkpoint(row: Mapping[str, Any], folder: Path) -> tuple[str, str | None]:
    """Return the weights and the revision by which a checkpoint is read here.

    It is what lies in the model's ``checkpoints``; or what its name says, a folder or a model of the hub; or what
    ``XLSER_CHECKPOINTS`` names or holds. By its content, wherever there is a folder of it.

    Args:
        row: ``weights``, ``revision`` and, of one that is not random, ``model_type`` and ``sha256``.
        folder: of the model.

    Raises:
        CheckpointMissing: it is nowhere; what it is, and where to put it, is said.
    """
    name, revision = str(row["weights"]), row.get("revision")
    wanted = row.get("sha256")
    if name.startswith("random:") or not wanted:
        return name, revision
    if found := next(_same(_inside(folder / CARRIED), row), None):
        return str(found), None
    if Path(name).expanduser().is_dir():
        return name, revision
    if found := next(_same(_told(), row), None):
        return str(found), None
    if _HUB_NAME.fullmatch(name):
        return name, revision
    raise CheckpointMissing(_missing(name, f"{row.get('model_type', 'encoder')}, SHA-256 {wanted[:16]}...", folder))


def _missing(name: str, what: str, folder: Path) -> str:
    """Say what is missing and what to do; the hub's cache is no place to put files into."""
    at = f", nor is it at {name} any more" if PurePath(name).is_absolute() else ""
    here = "" if commit_of(folder) else f"Put its files into {folder / CARRIED / called(name)}, or let"
    return (
        f"{shown(folder)} needs the checkpoint {called(name)} ({what}) and does not hold it{at}. {here or 'Let'} "
        f"{PLACES} name a folder that holds its files, or a folder for each of several."
    )


def called(name: str) -> str:
    """Return a checkpoint's name without the path to it.

    >>> called("/models/whisper-tiny/"), called("openai/whisper-tiny"), called("random:tiny")
    ('whisper-tiny', 'openai/whisper-tiny', 'random:tiny')
    """
    if name.startswith("random:") or (_HUB_NAME.fullmatch(name) and not Path(name).is_dir()):
        return name
    return PurePath(name.replace("\\", "/")).name or "checkpoint"


def _told() -> Iterator[Path]:
    """Yield the folders that may hold a checkpoint, as the variable says."""
    for text in filter(None, os.environ.get(PLACES, "").split(os.pathsep)):
        place = Path(text).expanduser()
        yield place
        yield from _inside(place)


def _inside(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.iterdir()) if folder.is_dir() else ()


def _same(places: Iterator[Path], row: Mapping[str, Any]) -> Iterator[Path]:
    """Yield those that hold the checkpoint of a row; those of another family are not hashed."""
    from xlser.models.checkpoints import checkpoint_facts

    for place in places:
        try:
            kind = json.loads((place / "config.json").read_text(encoding="utf-8")).get("model_type")
            if kind == row.get("model_type", kind) and checkpoint_facts(str(place)).identity["sha256"] == row["sha256"]:
                yield place
        except (OSError, ValueError, AttributeError, XlserError):  # what is no checkpoint is not this one
            continue
