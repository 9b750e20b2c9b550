"""What fitting a recogniser settles: who validates, which emotions it tells apart, and how its readout is set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from xlser.corpora.emotions import check_canonical
from xlser.data.dataset import Dataset
from xlser.data.splits import Split, adapted_splits
from xlser.errors import CorpusError
from xlser.vocabulary import EMOTIONS


def validation_split(source: Dataset, seed: int) -> Split:
    """Return a split in which about a fifth of the speakers validate, all others train, and none is tested.

    Raises:
        CorpusError: there is one speaker only.
    """
    fold = adapted_splits(source.frame, seed=seed)[0][0]
    return Split(np.sort(np.concatenate([fold.train, fold.test])), fold.validation, np.empty(0, dtype=int))


def scored_emotions(datasets: Iterable[Dataset]) -> tuple[str, ...]:
    """Return the canonical emotions that any of the datasets has: the field's usual four first, then by the alphabet.

    Where none has a label and one has ratings, they are the usual four, of which no recording has any.

    Raises:
        CorpusError: fewer than two.
    """
    datasets = list(datasets)
    if not any(dataset.emotions for dataset in datasets) and any(d.ratings_kind != "none" for d in datasets):
        return EMOTIONS
    there = {name for dataset in datasets for name in dataset.emotions if _is_canonical(name)}
    emotions = tuple(name for name in EMOTIONS if name in there) + tuple(sorted(there - set(EMOTIONS)))
    if len(emotions) < 2:
        raise CorpusError(
            f"two emotions are needed at least, but there is {', '.join(emotions) or 'none that xlser knows'}. "
            'Map labels when the dataset is made: emotions={"A": "anger"}'
        )
    return emotions


def table_hash(dataset: Dataset) -> str:
    """Return 12 digits that differ where any cell of the dataset's table does."""
    return hashlib.sha256(dataset.frame.to_csv(index=False).encode()).hexdigest()[:12]


@contextmanager
def removed_if_it_fails(path: Path) -> Iterator[Path]:
    """Yield a path; where what is done with it fails, a file that was not there before is removed, and its folders.

    A training that began keeps its table: its folder beside it rests on that.
    """
    made = [folder for folder in path.parents if not folder.exists()]
    there = path.exists()
    try:
        yield path
    except BaseException:
        if not there and not any(path.parent.glob("run-*")):
            path.unlink(missing_ok=True)
            with suppress(OSError):  # something else lies there by now
                for folder in made:
                    folder.rmdir()
        raise


def _is_canonical(name: str) -> bool:
    try:
        return check_canonical(name) == name
    except ValueError:
        return False
