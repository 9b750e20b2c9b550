"""Features of a bench's corpora, extracted by all of its workers into the cache before its jobs begin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from tqdm import tqdm

from xlser.data.manifest import Manifest
from xlser.errors import MachineError
from xlser.experiment.bench.fanout import quiet
from xlser.experiment.bench.plan import Job
from xlser.experiment.corpora import corpus_texts, find_corpus
from xlser.experiment.workplace import Workplace
from xlser.features.extract import extract
from xlser.features.extractor import parts_of
from xlser.features.extractors import Written, make_extractor
from xlser.features.uncached import uncached
from xlser.machine import machine_error
from xlser.training.recipe import Recipe

# Rows of a shard at least, about a second's work; of a large corpus more, so that a scheduler has few tasks to keep.
ROWS, SHARDS = 16, 512
Task = Callable[[], int]


def fill_cache(
    jobs: Sequence[Job],
    place: Workplace,
    share_out: Callable[[Sequence[Task]], Iterator[int]],
    *,
    elsewhere: bool = False,
) -> None:
    """Extract what the cache lacks of the features of all jobs, a shard of rows a task.

    The cache has a file a recording, which appears whole or not at all: shards need no putting together, and after a
    kill the next call goes on with the rows that are missing. What is wrong with a recording, a corpus or a recipe is
    passed over here; it is met again, and named, where the job reads its corpora.

    Args:
        jobs: of a bench; those of encoders that read waves have no features.
        place: where corpora lie and caches stand, for the workers too.
        share_out: does tasks side by side, and yields what each returns as it ends: the rows that it was given.
        elsewhere: whether that is on other machines. An extractor that computes on this machine's GPU is otherwise left
            to this process, which fills it alone.

    Raises:
        MachineError: a fault of the machine, here or at a worker. RunError: from ``share_out``.
    """
    shards: list[tuple[Manifest, Written]] = []
    for text, written in _features(jobs):
        shards += [(part, written) for part in _missing(text, written, place, elsewhere)]
    if len(shards) < 2:  # a process takes longer to start
        return
    rows = sum(len(manifest.frame) for manifest, _ in shards)
    with tqdm(total=rows, desc="features", unit="file", disable=not place.progress, leave=False) as bar:
        for done in share_out([partial(_extract, *shard, quiet(place)) for shard in shards]):
            bar.update(done)


def _features(jobs: Sequence[Job]) -> list[tuple[str, Written]]:
    """Return every corpus of the jobs, parts of joined ones for themselves, with each extractor that it needs."""
    needed = {
        (text, repr(job.recipe.features.extractor)): (text, job.recipe.features.extractor)
        for job in jobs
        if isinstance(job.recipe, Recipe)
        for name in (job.recipe.source, *job.recipe.targets)
        for text in corpus_texts(name)
    }
    return list(needed.values())


def _missing(text: str, written: Written, place: Workplace, elsewhere: bool) -> list[Manifest]:
    """Return the rows of a corpus that the cache lacks, cut into manifests of near length."""
    extractor = make_extractor(written)
    try:
        if not elsewhere and any(part.batch for part in parts_of(extractor)):
            return []
        (origin,) = find_corpus(text, place)
        manifest = origin.read().manifest
        rows = uncached(manifest, extractor, place.cache, jobs=place.jobs, progress=place.progress)
    except MachineError:
        raise
    except Exception:
        return []  # the job itself will say what is wrong
    shards = np.array_split(rows, min(SHARDS, -(-len(rows) // ROWS))) if len(rows) else []
    return [replace(manifest, frame=manifest.frame.iloc[part].reset_index(drop=True), left_out={}) for part in shards]


def _extract(manifest: Manifest, written: Written, place: Workplace) -> int:
    try:
        extract(manifest, make_extractor(written), place.cache, jobs=place.jobs, progress=False)
    except (MachineError, MemoryError) as error:
        doing = f"extracting features of {manifest.card}"
        raise error if isinstance(error, MachineError) else machine_error(error, doing) from error
    except Exception:
        pass  # no recording of the shard can be used, for one
    return len(manifest.frame)
