"""The checkpoint that the encoders of a run begin with: a copy in its folder, or, for adapters, its name and hash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typing_extensions import NotRequired, TypedDict

from xlser.atomic import write_text
from xlser.errors import RecipeError, RunError
from xlser.experiment.checkpoint_places import CheckpointMissing, find_checkpoint
from xlser.models.checkpoints import checkpoint_facts, load_encoder
from xlser.models.encoder import SpeechEncoder
from xlser.training.encoder_recipe import EncoderChoice
from xlser.typedtable import Text, read_typed, typed

START, ABOUT = "encoder", "xlser.json"
IDENTITY = "identity"


def about_start(encoder: SpeechEncoder, choice: EncoderChoice) -> dict[str, Any]:
    """Return what the checkpoint is; of one that a run does not hold also the hash of its config and weights."""
    if not choice.lora:
        return encoder.about
    return {**encoder.about, IDENTITY: checkpoint_facts(choice.weights, revision=choice.revision).identity}


def write_start(encoder: SpeechEncoder, choice: EncoderChoice, run: Path) -> None:
    """Write what `read_start` needs into a run's folder, once: its weights, so that the folder can move, or a note."""
    folder = run / START
    if (folder / ABOUT).exists():
        return
    if not choice.lora:
        encoder.save(folder)
    write_text(folder / ABOUT, json.dumps(about_start(encoder, choice), indent=1), durable=True)


def read_about_start(run: Path) -> dict[str, Any]:
    """Return what `about_start` gave.

    Raises:
        RunError: it is missing or damaged.
    """
    path = run / START / ABOUT
    return read_typed(path, StartFile, "Copy the whole folder.")


@typed
class StartFile(TypedDict):
    """``encoder/xlser.json`` of a run: with which checkpoint it began."""

    name: Text
    model_type: Text
    sha256: NotRequired[Text]
    commit: NotRequired[Text]
    seed: NotRequired[int]
    identity: NotRequired[dict[str, Any]]


def read_start(run: Path, choice: EncoderChoice, known: dict[str, Any] | None = None) -> SpeechEncoder:
    """Return the checkpoint of a run, without dropout.

    A run of adapters holds none: it is read from where it was, or from the run's ``encoder`` if its files were copied
    there, and must be the same.

    Args:
        run: the folder.
        choice: the recipe's.
        known: what the checkpoint is, where a file of adapters says so; by default what the run says.

    Raises:
        RunError: it is missing, or another one than the adapters were trained on.
    """
    folder = run / START
    if not folder.is_dir():
        raise RunError(f"{folder} is missing: it holds the checkpoint. Copy the whole folder.")
    if not choice.lora:
        # Its own name: a folder that was moved must not look for the checkpoint that the recipe names.
        return load_encoder(str(folder), dropout=0.0)
    about = known or read_about_start(run)
    try:
        if (folder / "config.json").exists():
            name, revision = str(folder), None
        else:
            row = {"weights": about["name"], "revision": about.get("commit"), **about[IDENTITY]}
            name, revision = find_checkpoint(row, run)
        now = checkpoint_facts(name, revision=revision).identity
        check_identity(about["name"], about[IDENTITY], now, folder)
        return load_encoder(name, revision=revision, dropout=0.0)
    except (RecipeError, CheckpointMissing) as error:
        raise RunError(
            f"{run} holds adapters, and not the checkpoint {about['name']} that they were trained on: {error} "
            f"Or copy the files of that checkpoint into {folder}."
        ) from error


def check_identity(name: str, was: dict[str, Any], now: dict[str, Any], folder: Path) -> None:
    """Refuse another checkpoint than the one that adapters were trained on.

    Raises:
        RunError: what differs.
    """
    for key in sorted({*was, *now}):
        if was.get(key) != now.get(key):
            raise RunError(
                f"checkpoint {name} must have the {key} {was.get(key)}, on which these adapters were trained, but has "
                f"{now.get(key)} instead. Put that checkpoint back, copy its files into {folder}, or train again."
            )
