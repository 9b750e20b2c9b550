"""What of a job is done, what is missing, and what it left."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from xlser.errors import MachineError, XlserError
from xlser.experiment.bench.cells import cell_key, read_cell, training_key
from xlser.experiment.bench.plan import Job, called
from xlser.experiment.corpora import AnyRecipe, Corpus, find_corpus, read_corpora
from xlser.experiment.workplace import Workplace
from xlser.machine import stop_if_of_machine


@dataclass
class Outcome:
    """What a job left.

    That is the folder of its weights, paths of its cells by corpus, holes (corpus: reason), why it failed, and times.
    """

    name: str
    trained: Path | None = None
    cells: dict[str, Path] = field(default_factory=dict)
    holes: dict[str, str] = field(default_factory=dict)
    failed: str = ""
    made: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


class Shelf:
    """Corpora by what a recipe makes of them, each read once: many jobs share them."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], Corpus] = {}

    def read(self, name: str, recipe: AnyRecipe, place: Workplace) -> Corpus:
        """Return a corpus as this recipe scores it.

        Raises:
            CardError, CorpusError: a card or a folder is not there, or cannot be used.
        """
        alike = recipe.model_dump_json(include={"features", "emotions", "merge", "ratings"})
        key = (name, type(recipe).__name__ + alike)
        if key not in self._read:
            self._read[key] = read_corpora(find_corpus(name, place), recipe, place)
        return self._read[key]


@dataclass(frozen=True)
class Look:
    """A job's source, where its weights go, the corpora whose cells are missing, and where every cell goes, by key."""

    source: Corpus
    weights: Path
    missing: list[Corpus]
    paths: dict[str, Path]
    keys: dict[str, str]


def settled(job: Job, place: Workplace, shelf: Shelf) -> Outcome | None:
    """Return the outcome of a job of which nothing is missing; None where there is something to do, or to fail at."""
    outcome = Outcome(job.name)
    try:
        return None if look(job, place, shelf, outcome).missing else outcome
    except MachineError:
        raise
    except Exception:
        return None  # the job itself will say what is wrong


def look(job: Job, place: Workplace, shelf: Shelf, outcome: Outcome) -> Look:
    """Read the corpora, and tell ``outcome`` of the cells that are done and the corpora that cannot be read."""
    source = shelf.read(job.recipe.source, job.recipe, place)
    corpora = [*([] if job.pretended else [source]), *_targets(job.recipe, place, shelf, outcome)]
    keys = {corpus.name: cell_key(job.recipe, source, corpus, job.few_shot, job.adapt) for corpus in corpora}
    paths = {name: job.folder / "cells" / f"{name}.json" for name in keys}
    # Weights of another recipe of this name, or of other recordings, are left where they are.
    weights = outcome.trained = job.folder / f"trained-{training_key(job.recipe, source)}"
    outcome.cells = {name: path for name, path in paths.items() if read_cell(path, keys[name])}
    return Look(source, weights, [corpus for corpus in corpora if corpus.name not in outcome.cells], paths, keys)


def _targets(recipe: AnyRecipe, place: Workplace, shelf: Shelf, outcome: Outcome) -> list[Corpus]:
    read = []
    for name in recipe.targets:
        try:
            read.append(shelf.read(name, recipe, place))
        except MachineError:
            raise
        except (XlserError, OSError) as error:
            if isinstance(error, OSError):
                stop_if_of_machine(error, f"reading {name}")
            outcome.holes[called(name)] = told(error)
    return read


def told(error: Exception) -> str:
    """Return what went wrong; of a fault that the user cannot put right, its kind too."""
    return str(error) if isinstance(error, XlserError) else f"{type(error).__name__}: {error}"
