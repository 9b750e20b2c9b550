"""What fitting a recogniser settles: who validates, which emotions it tells apart, and how its readout is set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from xlser.corpora.emotions import check_canonical
from xlser.data.dataset import Dataset
from xlser.data.splits import Split, adapted_splits
from xlser.errors import CorpusError, RecipeError
from xlser.experiment.use.folder import Chosen
from xlser.systems.speaks import Readout
from xlser.vocabulary import EMOTIONS, VALIDATION


def validation_split(source: Dataset, seed: int) -> Split:
    """Return a split in which about a fifth of the speakers validate, all others train, and none is tested.

    Raises:
        CorpusError: there is one speaker only.
    """
    fold = adapted_splits(source.frame, seed=seed)[0][0]
    return Split(np.sort(np.concatenate([fold.train, fold.test])), fold.validation, np.empty(0, dtype=int))


def scored_emotions(datasets: Iterable[Dataset]) -> tuple[str, ...]:
    """Return the canonical emotions that any of the datasets has: the field's usual four first, then by the alphabet.

    Raises:
        CorpusError: fewer than two.
    """
    there = {name for dataset in datasets for name in dataset.emotions if _is_canonical(name)}
    found = tuple(name for name in EMOTIONS if name in there) + tuple(sorted(there - set(EMOTIONS)))
    if len(found) < 2:
        raise CorpusError(
            f"two emotions are needed at least, but there is {', '.join(found) or 'none that xlser knows'}. "
            'Map labels when the dataset is made: emotions={"A": "anger"}'
        )
    return found


def with_readout(chosen: Chosen, readout: Readout | None) -> Chosen:
    """Return the model read by this readout, with what validation chose for it where nothing is given."""
    if readout is None:
        return chosen
    rows = [
        row
        for row in chosen.job.home["choices"]
        if (row["method"], row["seed"], row["reader"]) == (chosen.method, chosen.seed, readout.name)
        and row.get("role", VALIDATION) == VALIDATION
    ]
    scored = [
        row["value"]
        for row in chosen.job.home["transfer"]
        if (row["role"], row["metric"], row["method"], row["classifier"])
        == (VALIDATION, "UA", chosen.method, readout.name)
    ]
    if not scored:
        raise RecipeError(
            f"readout {readout.name!r} needs a network with a classifier of its own: add xl.losses.CrossEntropy() to "
            "the losses, or use xl.Knn() or xl.Probe()"
        )
    options = (rows[0] if rows else {}) | readout.options()
    return replace(chosen, reader=readout.name, options=options, accuracy=float(scored[0]))


def _is_canonical(name: str) -> bool:
    try:
        return check_canonical(name) == name
    except ValueError:
        return False
