"""Features of a bench's corpora, extracted by all of its workers into the cache before its jobs begin."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from xlser.bars import tqdm
from xlser.data.manifest import Manifest
from xlser.errors import MachineError
from xlser.experiment.bench.fanout import quiet
from xlser.experiment.bench.plan import Job
from xlser.experiment.corpora import corpus_texts, find_corpus
from xlser.experiment.workplace import Workplace
from xlser.features.extract import extract, open_cache
from xlser.features.extractor import Extractor, parts_of
from xlser.features.extractors import Written, make_extractor, written_as
from xlser.features.uncached import uncached
from xlser.machine import machine_error
from xlser.training.recipe import Recipe

# Rows of a shard at least, about a second's work; of a large corpus more, so that a scheduler has few tasks to keep.
ROWS, SHARDS = 16, 512
Task = Callable[[], int]


def fill_cache(
    jobs: Sequence[Job],
    place: Workplace,
    share_out: Callable[[Sequence[Task]], Generator[int, None, None]],
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
    for text, extractor in _needed(jobs, place):
        if elsewhere or not extractor.batch:
            shards += [(part, written_as(extractor)) for part in _missing(text, extractor, place)]
    rows = sum(len(part.frame) for part, _ in shards)
    if rows <= ROWS:  # a process takes longer to start; or they are the same as ever, which cannot be used
        return
    tasks = [partial(_extract, *shard, quiet(place)) for shard in shards]
    # Closed, so that whatever interrupts this ends the processes too.
    with (
        closing(share_out(tasks)) as ended,
        tqdm(total=rows, desc="features", unit="file", disable=not place.progress, leave=False) as bar,
    ):
        for done in ended:
            bar.update(done)


def _needed(jobs: Sequence[Job], place: Workplace) -> list[tuple[str, Extractor]]:
    """Return every corpus with each extractor that is needed of it, those that share entries of the cache once.

    Parts of joined corpora, and extractors side by side, stand for themselves.
    """
    needed: dict[tuple[str, Path], Extractor] = {}
    for recipe in (job.recipe for job in jobs if isinstance(job.recipe, Recipe)):
        texts = [text for name in (recipe.source, *recipe.targets) for text in corpus_texts(name)]
        for extractor in parts_of(make_extractor(recipe.features.extractor)):
            try:
                folder = open_cache(place.cache, extractor).folder
            except MachineError:
                raise
            except Exception:
                continue  # the job itself will say what is wrong
            needed |= {(text, folder): extractor for text in texts}
    return [(text, extractor) for (text, _), extractor in needed.items()]


def _missing(text: str, extractor: Extractor, place: Workplace) -> list[Manifest]:
    """Return the rows of a corpus that the cache lacks, cut into manifests of near length."""
    try:
        (origin,) = find_corpus(text, place)
        manifest = origin.read().manifest
        rows = uncached(manifest, extractor, place.cache, jobs=place.jobs, progress=place.progress)
    except MachineError:
        raise
    except Exception:
        return []  # as above
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
