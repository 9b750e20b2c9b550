"""A whole bench: its jobs side by side, then one file of results."""

from __future__ import annotations

import asyncio
import json
import platform
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from xlser import __version__
from xlser.atomic import write_text
from xlser.errors import RunError
from xlser.experiment.bench.gather import gather
from xlser.experiment.bench.job import run_job
from xlser.experiment.bench.look import Outcome, Shelf, settled
from xlser.experiment.bench.plan import Job, called
from xlser.experiment.plain import plain
from xlser.experiment.run import own, versions
from xlser.experiment.workplace import Workplace

# Seconds that a Dask scheduler has to answer, and then to show a worker: on a cluster both may just be starting.
ANSWER, WORKER = 30, 120
RESULTS, LINES = "results.json", "results.jsonl"


def run_bench(
    jobs: list[Job], out: str | Path, place: Workplace | None = None, *, workers: int = 1, dask: str | None = None
) -> Path:
    """Run the jobs of a bench below ``out``, and write ``results.json`` and ``results.jsonl`` (a line a cell).

    A cell that is done is not done again; one that fails is named at the end and does not stop the others. Every job
    computes on one thread and from its own seeds: the numbers are the same for any number of workers.

    Args:
        jobs: from `make_jobs`, with folders below ``out``.
        out: folder of the bench.
        place: where corpora lie and caches stand.
        workers: processes on this machine.
        dask: address of a Dask scheduler whose workers see the same folders; takes the place of ``workers``.

    Raises:
        RunError: the folder is in use or holds something else, the Dask address does not answer, or every job failed.
    """
    place, out, began = place or Workplace(), Path(out), time.time()
    with own(out, {"bench": True}):
        outcomes = []
        with tqdm(total=len(jobs), desc="bench", unit="job", disable=not place.progress) as bar:
            for outcome in _outcomes(jobs, place, workers, dask):
                outcomes.append(outcome)
                bar.update()
                _tell(outcome, place)
        outcomes.sort(key=lambda outcome: outcome.name)
        results = _results(jobs, outcomes, time.time() - began)
        cells = results["cells"]
        write_text(out / LINES, "".join(json.dumps(plain(cell), allow_nan=False) + "\n" for cell in cells))
        write_text(out / RESULTS, json.dumps(plain(results), allow_nan=False))
    if not results["cells"]:
        raise RunError(f"every job of the bench failed; the first: {outcomes[0].failed or outcomes[0].holes}")
    return out


def whole(out: str | Path) -> bool:
    """Say whether the bench below ``out`` ended without a failed job and without a hole."""
    results = json.loads((Path(out) / RESULTS).read_text(encoding="utf-8"))
    return not results["failed"] and not results["holes"]


def _outcomes(jobs: list[Job], place: Workplace, workers: int, dask: str | None) -> Iterator[Outcome]:
    """Yield the outcomes as the jobs end, those of which nothing is missing first."""
    with _cluster(dask) if dask else nullcontext():
        # Here features are extracted by all cores, once; a worker then finds them in the cache.
        shelf, left = Shelf(), []
        for job in jobs:
            outcome = settled(job, place, shelf)
            if outcome:
                yield outcome
            else:
                left.append(job)
        if not left or (workers == 1 and not dask):
            yield from (run_job(job, place, shelf) for job in left)
        else:
            yield from _side_by_side(left, place, "dask" if dask else "loky", -1 if dask else workers)


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


def _killed_on_dask() -> type[BaseException]:
    """Return the error of a job whose workers died several times over; without Dask one that is never raised."""
    try:
        from distributed import KilledWorker
    except ImportError:
        return BrokenProcessPool
    return KilledWorker


@contextmanager
def _cluster(address: str) -> Iterator[None]:
    """Connect to a Dask scheduler that has workers."""
    try:
        from distributed import Client
    except ImportError as error:
        raise RunError("--dask needs Dask: pip install 'xlser[dask]'") from error
    how = "`dask worker --nthreads 1 ADDRESS`"
    try:
        client = Client(address, timeout=ANSWER)
    except (OSError, ValueError, asyncio.TimeoutError) as error:
        raise RunError(
            f"no Dask scheduler answers at {address} ({error}). Start one with `dask scheduler` and workers with "
            f"{how}, or leave --dask out."
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=WORKER)
        except asyncio.TimeoutError as error:
            raise RunError(f"the Dask scheduler at {address} has no worker. Start some with {how}.") from error
        yield


def _silence(text: str) -> None:
    pass


def _tell(outcome: Outcome, place: Workplace) -> None:
    say: Callable[[str], None] = place.say
    if outcome.failed:
        say(f"  failed: {outcome.name}: {outcome.failed}")
    for target, why in outcome.holes.items():
        say(f"  hole: {outcome.name}, {target}: {why}")


def _results(jobs: list[Job], outcomes: list[Outcome], seconds: float) -> dict[str, Any]:
    about = {
        "recipes": {job.recipe.name: job.recipe.model_dump(mode="json") for job in jobs},
        "sources": list(dict.fromkeys(called(job.recipe.source) for job in jobs)),
        "targets": list(dict.fromkeys(called(name) for job in jobs for name in job.recipe.targets)),
        "few_shot": list(jobs[0].few_shot),
        "seeds": jobs[0].recipe.training.seeds,
        "versions": {"xlser": __version__, "python": platform.python_version(), **versions()},
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "seconds": round(seconds, 1),
        "finished": time.strftime("%Y-%m-%d %H:%M:%S %z"),
    }
    failed = {outcome.name: outcome.failed for outcome in outcomes if outcome.failed}
    holes = {f"{outcome.name}, {name}": why for outcome in outcomes for name, why in outcome.holes.items()}
    times = {outcome.name: outcome.seconds for outcome in outcomes if outcome.made}
    return {"about": about, "failed": failed, "holes": holes, "times": times, **gather(outcomes)}
