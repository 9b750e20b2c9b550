"""Models of xlser on the Hugging Face hub, by ``hf:owner/name`` or ``hf:owner/name@revision``: fetched once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from xlser.errors import RunError, XlserError
from xlser.machine import pass_on_machine

PREFIX = "hf:"
# Nothing that runs: no pickle, no Python. Names that lead out of the folder are passed over.
ALLOWED = ("*.json", "*.safetensors", "README.md")
REFUSED = ("/*", "../*", "*/../*", "~*", "[A-Za-z]:*")
_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_NAME = re.compile(rf"({_PART})/({_PART})(?:@([A-Za-z0-9][A-Za-z0-9._/-]*))?")
_LONGEST = 96


class HubName(NamedTuple):
    """``repo`` is ``owner/name``; ``revision`` a branch, a tag or a commit, None for the newest."""

    repo: str
    revision: str | None = None

    def __str__(self) -> str:
        """Return it as a command takes it."""
        return f"{PREFIX}{self.repo}" + (f"@{self.revision}" if self.revision else "")


def is_hub_name(text: str | Path) -> bool:
    """Say whether a text asks for a model of the hub.

    >>> is_hub_name("hf:owner/name"), is_hub_name("runs/hf")
    (True, False)
    """
    return str(text).startswith(PREFIX)


def hub_name(text: str | Path) -> HubName:
    """Return what a ``hf:`` text names.

    Raises:
        RunError: it is no name that the hub could have.

    >>> hub_name("hf:owner/name@v1")
    HubName(repo='owner/name', revision='v1')
    >>> hub_name("hf:../name")
    Traceback (most recent call last):
    xlser.errors.RunError: 'hf:../name' must be hf:OWNER/NAME or hf:OWNER/NAME@REVISION, of letters, digits, -, _ and \
., as in hf:anna/emotions-de
    """
    text = str(text)
    found = _NAME.fullmatch(text.removeprefix(PREFIX)) if is_hub_name(text) else None
    if found is None or ".." in text or "--" in text or len(text) > 2 * _LONGEST or "//" in text:
        raise RunError(
            f"{text!r} must be {PREFIX}OWNER/NAME or {PREFIX}OWNER/NAME@REVISION, of letters, digits, -, _ and ., as "
            f"in {PREFIX}anna/emotions-de"
        )
    return HubName(f"{found[1]}/{found[2]}", found[3])


def located(folder: str | Path) -> Path:
    """Return a folder as it is, or that of a model of the hub, fetched into the hub's cache where it must be.

    Raises:
        RunError: no such name, model or revision, no right to it, no way to the hub, or nothing of xlser in it.
    """
    return fetch_model(hub_name(folder)) if is_hub_name(folder) else Path(folder)


def fetch_model(name: HubName) -> Path:
    """Return the folder of a model in the hub's cache, which is named after its commit. Raises as `located`."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        HTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        allowed, refused = list(ALLOWED), list(REFUSED)
        found = snapshot_download(name.repo, revision=name.revision, allow_patterns=allowed, ignore_patterns=refused)
        return _checked(Path(found), name)
    except GatedRepoError:
        fault = "asks for its terms to be accepted. Do so on its page on the hub, then log in with `hf auth login`."
    except RevisionNotFoundError:
        fault = f"has no revision {name.revision!r}. Leave it out, or name one that its page on the hub lists."
    except (RepositoryNotFoundError, HFValidationError):
        fault = "is not on the hub, or is private: check the name; for a private one log in with `hf auth login`."
    except (LocalEntryNotFoundError, OSError, HTTPError) as error:
        pass_on_machine(error, f"fetching {name}")
        fault = f"is not in the hub's cache, and the hub cannot be reached ({type(error).__name__}{offline()})."
    raise RunError(f"{name} {fault}")


def commit_of(folder: Path) -> HubName | None:
    """Return the name and the commit of a folder in the hub's cache; None for any other.

    >>> str(commit_of(Path("hub/models--anna--de/snapshots/0123abc")))
    'hf:anna/de@0123abc'
    >>> commit_of(Path("runs/dae")) is None
    True
    """
    kind, _, model = folder.parent.parent.name.partition("--")
    if kind != "models" or folder.parent.name != "snapshots":
        return None
    return HubName(model.replace("--", "/"), folder.name)


def shown(folder: Path) -> str:
    """Return what a person calls a model's folder: one of the hub by its name and commit.

    >>> shown(Path("runs/dae"))
    'runs/dae'
    """
    return str(commit_of(folder) or folder)


def offline() -> str:
    """Return why the hub is not asked, where that was chosen; nothing otherwise."""
    from huggingface_hub import constants

    return ", because HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else ""


def _checked(folder: Path, name: HubName) -> Path:
    """Return a folder if it holds a model of xlser, all of which lies in the hub's cache."""
    cache = folder.parent.parent.resolve()
    for path in folder.rglob("*"):
        if path.is_file() and not path.resolve().is_relative_to(cache):
            raise XlserError(f"{name} holds {path.name}, which leads out of the hub's cache. Do not use this model.")
    if not any((folder / file).is_file() for file in ("model.json", "results.json")):
        raise RunError(
            f"{name} holds no model of xlser: neither model.json nor results.json. An encoder is what a recipe names "
            f"under `weights`: {name.repo}"
        )
    return folder
