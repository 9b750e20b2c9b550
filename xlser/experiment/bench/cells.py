"""One cell of a bench: a recipe trained on a source and read in one corpus, as a JSON file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from xlser.evaluation.results_file import write_json
from xlser.experiment.corpora import AnyRecipe, Corpus
from xlser.fileformats import VERSIONS
from xlser.jsonfile import read_json
from xlser.training.recipe import Recipe


def cell_key(
    recipe: AnyRecipe,
    source: Corpus,
    corpus: Corpus,
    few_shot: tuple[int, ...],
    adapt: tuple[str, ...] = (),
) -> str:
    """Name everything that can change a number of a cell: recipe, audio, labels, ratings."""
    choices = recipe.model_dump(mode="json", exclude={"targets", "description", "source"})
    choices |= _pretrained(recipe)
    told = [part for one in (source, corpus) for part in (_told(one), list(map(str, one.frame["emotion"])))]
    return _digest([VERSIONS["cell"], choices, few_shot, adapt, told])


def training_key(recipe: AnyRecipe, source: Corpus) -> str:
    """Name everything that can change a weight; another number of seeds does not: those there are stay."""
    choices = recipe.model_dump(mode="json", exclude={"name", "targets", "description", "source", "evaluation"})
    for name in ("seeds", "first_seed"):
        choices["training"].pop(name, None)
    return _digest([choices | _pretrained(recipe), _told(source)])


def _pretrained(recipe: AnyRecipe) -> dict[str, Any]:
    return recipe.features.pretrained() if isinstance(recipe, Recipe) else {}


def _told(corpus: Corpus) -> list:
    ratings = hashlib.sha256(b"".join(values.tobytes() for values in corpus.ratings.values())).hexdigest()
    columns = [list(map(str, corpus.frame[column])) for column in ("id", "speaker", "sex")]
    about = [corpus.name, corpus.about("")["card_hash"], corpus.data.contents, ratings]
    return [*about, list(map(str, corpus.labels)), *columns]


def _digest(about: list) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]


def read_cell(path: Path, key: str | None = None) -> dict[str, Any] | None:
    """Return a cell, or None where it is not there, is damaged, or has another key."""
    cell = read_json(path)
    good = cell.get("schema") == VERSIONS["cell"] and key in (None, cell.get("key"))
    return cell if good else None


def write_cell(path: Path, cell: dict[str, Any], key: str) -> None:
    """Write a cell in one step."""
    write_json(path, {"schema": VERSIONS["cell"], "key": key, **cell})
