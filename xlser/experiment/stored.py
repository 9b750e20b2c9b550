"""Embeddings of a corpus's rows as a datastore, with all that is told of a neighbour."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xlser.errors import MachineError, XlserError
from xlser.experiment.corpora import AnyRecipe, Corpus
from xlser.experiment.vote_targets import weighing
from xlser.store.datastore import Datastore
from xlser.vocabulary import DIMENSIONS

STORE = "datastore.safetensors"
VOTES = "votes"  # shares by the recipe's emotions, as a JSON list; NaN where nobody voted


def keep(
    vectors: np.ndarray,
    corpus: Corpus,
    rows: np.ndarray,
    encoder: str,
    folder: Path,
    *,
    recipe: AnyRecipe | None = None,
) -> None:
    """Write the embeddings of some rows, of all rows (N, D), into a model's folder, unless the same stand there.

    Where the recipe's probe learns from votes they stand beside the labels: a prediction fits the probe again.
    """
    labels = [str(label or "") for label in corpus.labels[rows]]
    store = stored(vectors[rows], corpus, rows, encoder, labels)
    if recipe is not None and (votes := weighing(corpus, rows, recipe)[1]):
        rows_of_votes = zip(*votes.values(), strict=True)
        store.about[VOTES] = tuple(json.dumps([float(value) for value in row]) for row in rows_of_votes)
    if _hash_of(folder / STORE) != store.hash:
        store.save(folder / STORE)


def _hash_of(path: Path) -> str | None:
    """Return the hash of a datastore; None where there is none, or a damaged one, which is written again."""
    try:
        return Datastore.load(path).hash if path.exists() else None
    except MachineError:
        raise
    except XlserError:
        return None


def stored(
    vectors: np.ndarray,
    corpus: Corpus,
    rows: Sequence[int] | np.ndarray,
    encoder: str,
    labels: Sequence[str] | None = None,
) -> Datastore:
    """Return embeddings (N, D) of N rows of a corpus.

    The store's columns are speaker, path, emotion (empty where not scored), corpus, language, and each dimension's
    rating as text, empty where not rated; its groups are the speakers.
    """
    frame = corpus.frame.iloc[rows]
    # The corpus of each row: a joined source has several.
    about = {name: [str(value) for value in frame[name]] for name in ("corpus", "speaker", "path")}
    about["emotion"] = [str(label or "") for label in corpus.labels[rows]]
    about["language"] = [str(name) for name in corpus.languages[rows]]
    for name in DIMENSIONS:
        about[name] = [repr(float(value)) if np.isfinite(value) else "" for value in corpus.ratings[name][rows]]
    ids = [str(name) for name in frame["id"]]
    return Datastore(vectors, ids, labels=labels, groups=about["speaker"], about=about, encoder=encoder)
