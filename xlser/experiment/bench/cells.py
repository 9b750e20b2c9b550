"""One cell of a bench: a recipe trained on a source and read in one corpus, as a JSON file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from xlser.evaluation.predictions_schema import CellFile
from xlser.evaluation.results_file import write_json
from xlser.experiment.corpora import AnyRecipe, Corpus
from xlser.experiment.run_inputs import checkpoint_identities
from xlser.fileformats import VERSIONS
from xlser.jsonfile import read_json
from xlser.typedtable import is_typed
from xlser.vocabulary import DIMENSIONS

# What of a row can change a weight, beside its recording, its scored label and its ratings. Its own label cannot where
# the recipe does not score it, and neither can what its corpus says of it in words.
_TRAINING = ("id", "speaker", "sex", "language", "session", "start", "end", "channel", "partition")
_TRAINING += ("votes", "agreement", "secondary")


def cell_key(
    recipe: AnyRecipe,
    source: Corpus,
    corpus: Corpus,
    few_shot: tuple[int, ...],
    adapt: tuple[str, ...] = (),
) -> str:
    """Name everything that can change a number of a cell, or a word: recipe, checkpoints, tables, recordings, facts."""
    choices = recipe.model_dump(mode="json", exclude={"targets", "description", "source"})
    several = [[*_of_corpus(one, _columns(one)), _facts(one)] for one in (source, corpus)]
    return _digest([VERSIONS["cell"], choices, checkpoint_identities(recipe), few_shot, adapt, several])


def training_key(recipe: AnyRecipe, source: Corpus) -> str:
    """Name everything that can change a weight; another number of seeds does not: those there are stay."""
    choices = recipe.model_dump(mode="json", exclude={"name", "targets", "description", "source", "evaluation"})
    for name in ("seeds", "first_seed"):
        choices["training"].pop(name, None)
    return _digest([choices, checkpoint_identities(recipe), _of_corpus(source, _TRAINING)])


def _of_corpus(corpus: Corpus, columns: Iterable[str]) -> list:
    ratings = hashlib.sha256(b"".join(values.tobytes() for values in corpus.ratings.values())).hexdigest()
    # A column that says nothing is left out: those that manifests get later change no key.
    said = {name: list(map(str, corpus.frame[name])) for name in columns if corpus.frame[name].notna().any()}
    return [corpus.name, corpus.data.contents, ratings, list(map(str, corpus.labels)), said]


def _columns(corpus: Corpus) -> list[str]:
    """Return all columns but those that say where a recording lies and what its header says: its content is named."""
    return [name for name in corpus.frame if name not in ("path", "sample_rate", "channels", *DIMENSIONS)]


def _facts(corpus: Corpus) -> dict[str, Any]:
    """Return what the card says of the corpus as a whole; its hash holds more than what results rest on."""
    return {name: value for name, value in asdict(corpus.dataset.facts).items() if name != "card_hash"}


def _digest(about: list) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]


def read_cell(path: Path, key: str | None = None) -> dict[str, Any] | None:
    """Return a cell, or None where it is not there, is damaged, of other types, or has another key."""
    cell = read_json(path)
    good = cell.get("schema") == VERSIONS["cell"] and key in (None, cell.get("key"))
    return cell if good and is_typed(CellFile, cell) else None


def write_cell(path: Path, cell: dict[str, Any], key: str) -> None:
    """Write a cell in one step."""
    write_json(path, {"schema": VERSIONS["cell"], "key": key, **cell})
