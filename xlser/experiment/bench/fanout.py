"""Jobs of a bench side by side: on processes of this machine, or on the workers of a Dask cluster."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from xlser.errors import RunError
from xlser.experiment.bench.job import run_job
from xlser.experiment.bench.look import Outcome
from xlser.experiment.bench.plan import Job
from xlser.experiment.workplace import Workplace

if TYPE_CHECKING:
    from distributed import Client

# Seconds that a Dask scheduler has to answer, and to show a worker: on a cluster both may just be starting.
ANSWER, WORKER = 30, 120
_LOOK = 2.0  # seconds between two looks at whether a worker is left
_HOW = "`dask worker --nthreads 1 ADDRESS`"


def in_processes(jobs: list[Job], place: Workplace, workers: int) -> Iterator[Outcome]:
    """Yield outcomes as they come from so many processes.

    Raises:
        RunError: a process was killed.
    """
    yield from _side_by_side(jobs, place, "loky", workers)


def on_dask(jobs: list[Job], place: Workplace, client: Client) -> Iterator[Outcome]:
    """Yield outcomes as they come from the workers of a cluster; a worker that is lost loses its job to another one.

    Raises:
        RunError: a job killed several workers, or no worker has been left for two minutes.
    """
    yield from _watched(lambda: _side_by_side(jobs, place, "dask", -1), client)


@contextmanager
def cluster(address: str) -> Iterator[Client]:
    """Connect to a Dask scheduler that has workers.

    Raises:
        RunError: Dask is not installed, nobody answers, or there is no worker.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise RunError("--dask needs Dask: pip install 'xlser[dask]'") from error
    try:
        client = Client(address, timeout=ANSWER)
    except (OSError, ValueError, asyncio.TimeoutError) as error:
        raise RunError(
            f"no Dask scheduler answers at {address} ({error}). Start one with `dask scheduler` and workers with "
            f"{_HOW}, or leave --dask out."
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=WORKER)
        except asyncio.TimeoutError as error:
            raise RunError(f"the Dask scheduler at {address} has no worker. Start some with {_HOW}.") from error
        yield client


def _side_by_side(jobs: list[Job], place: Workplace, backend: str, workers: int) -> Iterator[Outcome]:
    from joblib import Parallel, delayed, parallel_config

    quiet = replace(place, progress=False, say=_silence, jobs=1)
    tasks = [delayed(_inner)(job, quiet) for job in jobs]
    try:
        with parallel_config(backend=backend):
            yield from Parallel(workers, return_as="generator_unordered", batch_size=1)(tasks)
    except (BrokenProcessPool, _killed_on_dask()) as error:
        raise RunError(
            f"a worker was killed while it worked on a job, perhaps for want of memory ({error}). What is done is "
            "kept: run the same command again, with fewer workers."
        ) from error


def _inner(job: Job, place: Workplace) -> Outcome:
    """Run a job that has its process to itself: what it would share out among processes it does alone."""
    from joblib import parallel_config

    with parallel_config(backend="sequential"):
        return run_job(job, place)


def _watched(start: Callable[[], Iterator[Outcome]], client: Client) -> Iterator[Outcome]:
    """Yield what an iterator gives in a thread of its own, and stop where there has been no worker for too long.

    Dask itself waits for ever: a new worker might join.
    """
    found: SimpleQueue[Outcome | BaseException | None] = SimpleQueue()
    Thread(target=_fill, args=(start, found), daemon=True).start()
    seen = time.monotonic()
    while True:
        try:
            one = found.get(timeout=_LOOK)
        except Empty:
            if client.scheduler_info()["workers"]:
                seen = time.monotonic()
            elif time.monotonic() - seen > WORKER:
                raise RunError(
                    f"no Dask worker is left, and none has joined for {WORKER} seconds. What is done is kept: start "
                    f"workers with {_HOW}, and run the same command again."
                ) from None
            continue
        if one is None:
            return
        if isinstance(one, BaseException):
            raise one
        yield one


def _fill(start: Callable[[], Iterator[Outcome]], found: SimpleQueue[Outcome | BaseException | None]) -> None:
    try:
        for one in start():
            found.put(one)
        found.put(None)
    except BaseException as error:  # whatever it is, it is raised where somebody waits
        found.put(error)


def _killed_on_dask() -> type[BaseException]:
    """Return the error of a job whose workers died several times over; without Dask one that is never raised."""
    try:
        from distributed import KilledWorker
    except ImportError:
        return BrokenProcessPool
    return KilledWorker


def _silence(text: str) -> None:
    pass
