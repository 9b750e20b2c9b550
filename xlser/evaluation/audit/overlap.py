"""Who and what stands on both sides of a split: speakers, and texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xlser.data.splits import PARTS, overlapping
from xlser.errors import CorpusError
from xlser.jsonfile import parse_json
from xlser.machine import pass_on_machine
from xlser.yamlfile import read_yaml

Fold = dict[str, list[str]]


def split_overlap(frame: pd.DataFrame, folds: list[dict[str, np.ndarray]]) -> list[dict[str, Any]]:
    """Return for each fold, a mapping from part to row positions, what its parts share.

    A dict a fold: ``sizes`` and ``part_speakers`` by part, ``speakers`` on more than one side, ``texts`` that stand
    both in ``train`` and in ``test``, ``test_texts`` (how many the test part has) and ``test_rows_seen``, the share of
    test recordings whose text stands in the training part; nan without a test part.
    """
    return [_fold_overlap(frame, parts) for parts in folds]


def _fold_overlap(frame: pd.DataFrame, parts: dict[str, np.ndarray]) -> dict[str, Any]:
    texts = {name: frame["text"].iloc[rows].dropna() for name, rows in parts.items()}
    nothing = pd.Series([], dtype=object)
    train, test = texts.get("train", nothing), texts.get("test", nothing)
    shared = set(train) & set(test)
    return {
        "sizes": {name: len(rows) for name, rows in parts.items()},
        "part_speakers": {name: int(frame["speaker"].iloc[rows].nunique()) for name, rows in parts.items()},
        "speakers": list(overlapping(frame, parts)),
        "texts": sorted(shared),
        "test_texts": int(test.nunique()),
        "test_rows_seen": float(test.isin(shared).mean()) if len(test) else float("nan"),
    }


def rows_of(frame: pd.DataFrame, fold: Fold) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the row positions of each part of a fold, and the members that the corpus does not have.

    A member is an id, the path or the bare name of a file, or a speaker. Without ``train`` the rest is for training.

    Raises:
        CorpusError: a part that is none of train, validation and test, or a fold of which the corpus has no member.
    """
    unknown_parts = sorted(set(fold) - set(PARTS))
    if unknown_parts:
        raise CorpusError(f"a fold's parts are {', '.join(PARTS)}, but one is named {unknown_parts[0]!r} instead.")
    stems = frame["path"].map(lambda path: Path(path).stem)
    keys = [frame["id"], frame["path"], stems, frame["speaker"]]
    masks = {part: np.logical_or.reduce([key.isin(names) for key in keys]) for part, names in fold.items()}
    known = set().union(*keys)
    unknown = sorted({str(name) for names in fold.values() for name in names} - known)
    if not any(mask.any() for mask in masks.values()):
        raise CorpusError(f"no member of the fold is in the corpus; it names {', '.join(unknown[:3])}.")
    if "train" not in masks:
        masks["train"] = ~np.logical_or.reduce(list(masks.values()))
    return {part: np.flatnonzero(masks[part]) for part in PARTS if part in masks}, unknown


def read_folds(path: str | Path) -> list[Fold]:
    """Read folds from JSON or YAML: a list of folds, or a mapping that holds it under ``given`` or ``folds``.

    Raises:
        CorpusError: the file cannot be read, or holds no list of mappings from part to names.
    """
    path = Path(path)
    try:
        whole = parse_json(path.read_text(encoding="utf-8")) if path.suffix == ".json" else read_yaml(path, CorpusError)
    except (OSError, ValueError) as error:
        pass_on_machine(error, f"reading {path}")
        raise CorpusError(f"cannot read folds {path}: {error}") from error
    if isinstance(whole, dict):
        whole = whole.get("split", whole)  # as `xlser corpora import emobox` writes it, for a recipe
    folds = whole.get("given") or whole.get("folds") if isinstance(whole, dict) else whole
    if not _are_folds(folds):
        raise CorpusError(
            f"{path} must hold a list of folds under `given`, such as "
            "{given: [{test: [03, 08]}]}, each a mapping from train, validation or test to ids, file names or speakers."
        )
    return [{part: [str(name) for name in names] for part, names in fold.items()} for fold in folds]


def _are_folds(folds: Any) -> bool:
    return isinstance(folds, list) and bool(folds) and all(_is_fold(fold) for fold in folds)


def _is_fold(fold: Any) -> bool:
    return isinstance(fold, dict) and bool(fold) and all(isinstance(names, list) for names in fold.values())
