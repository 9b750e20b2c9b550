"""Splits as the piece of a recipe that uses them."""

from __future__ import annotations

from pathlib import Path

import yaml

from xlser.atomic import write_text


def write_split(given: list[dict[str, list[str]]], path: str | Path) -> None:
    """Write folds as YAML with the one key ``split``, to be put into a recipe.

    Raises:
        XlserError: the file cannot be written.
    """
    split = {"kind": "given", "given": [{part: sorted(ids) for part, ids in fold.items()} for fold in given]}
    write_text(path, yaml.safe_dump({"split": split}, sort_keys=False, allow_unicode=True))
