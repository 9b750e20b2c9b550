"""Where a checkpoint comes from: name on the hub, commit, hash, and what its model card says of licence and data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from xlser.errors import XlserError
from xlser.jsonfile import parse_json
from xlser.models.checkpoint_folder import read_config
from xlser.models.checkpoints import checkpoint_facts
from xlser.models.hub import fetched
from xlser.oddfiles import read_file
from xlser.yamlfile import parse_yaml

CARD, SAVED = "README.md", "xlser.json"  # the second is written beside the encoder of a run
_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]+")


def origin(name: str, *, revision: str | None = None) -> dict[str, Any]:
    """Return where a checkpoint comes from, JSON-able, with as many of these keys as are known.

    =====================  ==========================================================================================
    ``weights, revision``  what was asked for
    ``model_type``         the family
    ``sha256``             of config, preprocessor and weights, as `checkpoint_facts` gives it
    ``hub, commit``        its name on the hub and the commit that ``revision`` led to, as the hub's cache names them
    ``base``               what its model card or config says that it was made from: no proof that it is the same
    ``licence, datasets``  what its model card says
    =====================  ==========================================================================================

    Nothing is looked up but the checkpoint itself; a folder and the hub's cache are read without a network.

    Raises:
        RecipeError, RunError: as `checkpoint_facts`.

    >>> origin("random:tiny")
    {'weights': 'random:tiny', 'revision': None, 'model_type': 'wav2vec2', 'random': 'random:tiny', 'seed': 0}
    """
    known: dict[str, Any] = {"weights": name, "revision": revision}
    known |= checkpoint_facts(name, revision=revision).identity
    if name.startswith("random:"):
        return known
    local = Path(name).expanduser()
    folder = local if local.is_dir() else fetched(name, revision)
    more = _card(folder) | _saved(folder) | _snapshot(folder.resolve())
    more |= {} if local.is_dir() else {"hub": name, "commit": folder.name}
    base = read_config(folder).get("_name_or_path", "")
    if "base" not in more and isinstance(base, str) and _HUB_NAME.fullmatch(base):
        more["base"] = base
    return known | {key: value for key, value in more.items() if value}


def _snapshot(folder: Path) -> dict[str, str]:
    """Return name and commit of a folder that lies in a hub cache: ``models--OWNER--MODEL/snapshots/COMMIT``."""
    kind, _, model = folder.parent.parent.name.partition("--")
    if kind != "models" or folder.parent.name != "snapshots":
        return {}
    return {"hub": model.replace("--", "/"), "commit": folder.name}


def _saved(folder: Path) -> dict[str, str]:
    """Return what a run wrote beside the checkpoint that it began with, which it copied as it was."""
    try:
        about = parse_json(read_file(folder / SAVED))
        name = about["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {"hub": name, "commit": about.get("commit", "")} if _HUB_NAME.fullmatch(str(name)) else {}


def _card(folder: Path) -> dict[str, Any]:
    """Return what the front matter of a model card says; nothing where there is none that can be read."""
    try:
        text = (folder / CARD).read_text(encoding="utf-8")
        head = re.match(r"\s*---\s*\n(.*?)\n---\s*(\n|$)", text, re.DOTALL)
        card = parse_yaml(head[1], str(folder / CARD)) if head else {}
    except (OSError, ValueError, XlserError):  # a card is prose, and nothing rests on it
        return {}
    licence = " or ".join(_texts(card.get("license")))
    if licence == "other":
        licence = " ".join(["other", *_texts(card.get("license_name")), *_texts(card.get("license_link"))])
    base = _texts(card.get("base_model"))
    return {"licence": licence, "datasets": _texts(card.get("datasets")), "base": base[0] if base else ""}


def _texts(value: Any) -> list[str]:
    return [
        str(part) for part in (value if isinstance(value, list) else [value]) if isinstance(part, (str, int, float))
    ]
