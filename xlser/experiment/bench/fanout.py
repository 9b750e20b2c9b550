"""Tasks of a bench side by side: on processes of this machine, or on the workers of a Dask cluster."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from xlser.ending import follow
from xlser.errors import RunError
from xlser.experiment.workplace import Workplace

if TYPE_CHECKING:
    from distributed import Client

# Seconds that a Dask scheduler has to answer, and to show a worker: on a cluster both may just be starting.
ANSWER, WORKER = 30, 120
_LOOK = 2.0  # seconds between two looks at whether a worker is left
_HOW = "`dask worker --nthreads 1 ADDRESS`"
Result = TypeVar("Result")


def in_processes(tasks: Sequence[Callable[[], Result]], workers: int) -> Iterator[Result]:
    """Yield what the tasks return as they end, on so many processes; a task must be one that pickle can carry.

    The processes end with this one. Where the generator is closed before its end, they are killed and gone then.

    Raises:
        RunError: a process was killed.
    """
    from joblib import Parallel, delayed

    calls = [delayed(_alone)(task) for task in tasks]
    in_main = threading.current_thread() is threading.main_thread()
    options: Any = {"initializer": follow, "initargs": (os.getpid(), in_main)}
    # An idle worker ends, and joblib starts another one: "a too short timeout or a memory leak" is neither. A worker
    # that is killed is an exception, below.
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs", category=UserWarning)
    try:
        yield from Parallel(workers, return_as="generator_unordered", batch_size=1, **options)(calls)
    except BrokenProcessPool as error:
        raise _killed(error) from error


def on_dask(tasks: Sequence[Callable[[], Result]], client: Client) -> Iterator[Result]:
    """Yield what the tasks return as they end on the workers of a cluster; a lost worker loses its task to another one.

    Distributed's own futures, not joblib's backend for them: that waits for ever where a worker dies again and again.

    Raises:
        RunError: a task killed several workers, or no worker has been left for two minutes.
    """
    from distributed import KilledWorker, wait

    left = {client.submit(_alone, task, pure=False) for task in tasks}
    seen = time.monotonic()
    while left:
        try:
            done = wait(left, timeout=_LOOK, return_when="FIRST_COMPLETED").done
        except asyncio.TimeoutError:
            seen = _someone(client, seen)
            continue
        left -= done
        try:
            yield from (future.result() for future in done)
        except KilledWorker as error:
            raise _killed(error) from error


def _someone(client: Client, seen: float) -> float:
    """Return when a worker was last seen, and stop where that is too long ago: Dask itself waits for ever."""
    now = time.monotonic()
    if client.scheduler_info()["workers"]:
        return now
    if now - seen > WORKER:
        raise RunError(
            f"no Dask worker is left, and none has joined for {WORKER} seconds. What is done is kept: start workers "
            f"with {_HOW}, and run the same command again."
        )
    return seen


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


def quiet(place: Workplace) -> Workplace:
    """Return a workplace for a task that has a process to itself: it says nothing, and computes in one thread."""
    return replace(place, progress=False, say=_silence, jobs=1)


def _alone(task: Callable[[], Result]) -> Result:
    """Do a task that has its process to itself: what it would share out among processes it does alone."""
    from joblib import parallel_config

    with parallel_config(backend="sequential"):
        return task()


def _killed(error: Exception) -> RunError:
    return RunError(
        f"a worker was killed while it worked on a job, perhaps for want of memory ({error}). What is done is kept: "
        "run the same command again, with fewer workers."
    )


def _silence(text: str) -> None:
    pass
