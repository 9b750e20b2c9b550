"""A whole bench: its jobs side by side, then one file of results."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from xlser.atomic import write_text
from xlser.bars import tqdm
from xlser.errors import RunError
from xlser.evaluation.results import read_results
from xlser.evaluation.results_file import RESULTS, plain, write_json
from xlser.experiment.bench.fanout import cluster, in_processes, on_dask, quiet
from xlser.experiment.bench.gather import gather
from xlser.experiment.bench.job import run_job
from xlser.experiment.bench.look import Outcome, Shelf, settled
from xlser.experiment.bench.plan import Job, called
from xlser.experiment.bench.pretend import choosing_jobs
from xlser.experiment.bench.shards import fill_cache
from xlser.experiment.corpora import AnyRecipe
from xlser.experiment.results_folder import own, provenance
from xlser.experiment.starting import check_checkpoints
from xlser.experiment.workplace import Workplace
from xlser.fileformats import VERSIONS

LINES = "results.jsonl"


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
    several = [*jobs, *(more := choosing_jobs(jobs))]
    if more:
        place.say(f"  to choose how joined sources' targets are read: {', '.join(job.name for job in more)}")
    with place.swept(), own(out, {"bench": True}) as held:
        for recipe in _apart(jobs):
            check_checkpoints(recipe)
        held.begin()
        outcomes = []
        # Closed, so that whatever interrupts this ends the processes too.
        with (
            closing(_outcomes(several, place, workers, dask)) as ended,
            tqdm(total=len(several), desc="bench", unit="job", disable=not place.progress) as bar,
        ):
            for outcome in ended:
                outcomes.append(outcome)
                bar.update()
                _tell(outcome, place)
        outcomes.sort(key=lambda outcome: outcome.name)
        results = _results(jobs, outcomes, out, time.time() - began)
        cells = results["cells"]
        lines = "".join(json.dumps(plain(cell), allow_nan=False) + "\n" for cell in cells)
        write_text(out / LINES, lines, durable=True)
        write_json(out / RESULTS, results)
    if not results["cells"]:
        raise RunError(f"every job of the bench failed; the first: {outcomes[0].failed or outcomes[0].holes}")
    return out


def _apart(jobs: list[Job]) -> list[AnyRecipe]:
    """Return the recipes whose checkpoints differ, or what is read of them: each is looked at once."""
    keys = [job.recipe.model_dump_json(include={"features", "encoder", "methods"}) for job in jobs]
    return [job.recipe for job in dict(zip(keys, jobs, strict=True)).values()]


def whole(out: str | Path) -> bool:
    """Say whether the bench below ``out`` ended without a failed job and without a hole."""
    return not read_results(out, ("cells",)).missing


def _outcomes(jobs: list[Job], place: Workplace, workers: int, dask: str | None) -> Generator[Outcome, None, None]:
    """Yield the outcomes as the jobs end, those of which nothing is missing first."""
    with cluster(dask) if dask else nullcontext() as client:
        share_out: Callable | None = partial(in_processes, workers=workers) if workers > 1 else None
        if client is not None:
            share_out = partial(on_dask, client=client)
        # Features are extracted once, by all workers, or by all cores here; a worker then finds them in the cache.
        if share_out:
            fill_cache(jobs, place, share_out, elsewhere=client is not None)
        shelf, left = Shelf(), []
        for job in jobs:
            outcome = settled(job, place, shelf)
            if outcome:
                yield outcome
            else:
                left.append(job)
        if share_out and left:
            yield from share_out([partial(run_job, job, quiet(place)) for job in left])
        else:
            yield from (run_job(job, place, shelf) for job in left)


def _tell(outcome: Outcome, place: Workplace) -> None:
    say: Callable[[str], None] = place.say
    if outcome.failed:
        say(f"  failed: {outcome.name}: {outcome.failed}")
    for target, why in outcome.holes.items():
        say(f"  hole: {outcome.name}, {target}: {why}")


def _results(jobs: list[Job], outcomes: list[Outcome], out: Path, seconds: float) -> dict[str, Any]:
    about = {
        "recipes": {job.recipe.name: job.recipe.model_dump(mode="json") for job in jobs},
        "sources": list(dict.fromkeys(called(job.recipe.source) for job in jobs)),
        "targets": list(dict.fromkeys(called(name) for job in jobs for name in job.recipe.targets)),
        "few_shot": list(jobs[0].few_shot),
        "seeds": jobs[0].recipe.training.seeds,
        **provenance(seconds),
    }
    failed = {outcome.name: outcome.failed for outcome in outcomes if outcome.failed}
    holes = {f"{outcome.name}, {name}": why for outcome in outcomes for name, why in outcome.holes.items()}
    times = {outcome.name: outcome.seconds for outcome in outcomes if outcome.made}
    return {
        "schema": VERSIONS["bench"],
        "about": about,
        "failed": failed,
        "holes": holes,
        "times": times,
        "trained": _trained(jobs, outcomes, out),
        **gather(outcomes),
    }


def _trained(jobs: list[Job], outcomes: list[Outcome], out: Path) -> list[dict[str, str]]:
    """Say for every recipe and source where the weights lie that were scored, seen from the bench's folder."""
    folders = {outcome.name: outcome.trained for outcome in outcomes if outcome.trained}
    rows = [
        {"recipe": job.recipe.name, "source": called(job.recipe.source)}
        | {"folder": folders[job.name].relative_to(out).as_posix()}
        for job in jobs
        if job.name in folders
    ]
    return sorted(rows, key=lambda row: (row["recipe"], row["source"]))
