"""A bench on a Dask cluster: the numbers of one process, also when a worker dies."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from xlser.errors import RunError
from xlser.experiment.bench.plan import make_jobs
from xlser.experiment.bench.run import run_bench
from xlser.experiment.workplace import Workplace
from xlser.training.recipe import Recipe

distributed = pytest.importorskip("distributed", reason="needs Dask: pip install 'xlser[dask]'")

BOTH = ["synthetic-de", "synthetic-tr"]


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    monkeypatch.setattr("xlser.experiment.bench.fanout.ANSWER", 3)
    monkeypatch.setattr("xlser.experiment.bench.fanout.WORKER", 8)


@pytest.fixture(scope="module")
def recipes() -> list[Recipe]:
    values = {
        "source": "synthetic-de",
        "targets": ("synthetic-tr",),
        "split": {"folds": 4},
        "training": {"epochs": 5, "seeds": 2, "checkpoint_every": 1, "batch": 16},
        "evaluation": {"draws": 100},
    }
    return [Recipe.model_validate(values | {"name": name}) for name in ("small", "twin")]


@pytest.fixture(scope="module")
def quiet(small_data, small_cache) -> Workplace:
    return Workplace(small_data, cache=small_cache, progress=False, say=lambda text: None)


@pytest.fixture(scope="module")
def alone(recipes, quiet, tmp_path_factory) -> str:
    out = tmp_path_factory.mktemp("alone") / "bench"
    return numbers(run_bench(make_jobs(recipes, BOTH, BOTH, out), out, quiet))


@pytest.fixture
def cluster():
    """A scheduler without workers."""
    with distributed.LocalCluster(n_workers=0, dashboard_address=None, silence_logs=50) as cluster:
        yield cluster


@pytest.fixture
def scheduler(cluster):
    """Its address."""
    return cluster.scheduler_address


@pytest.fixture
def hire(scheduler):
    """Return a function: a process with a worker of this many threads and no nanny."""
    hired = []

    def start(threads: int = 1) -> subprocess.Popen:
        command = [sys.executable, "-m", "distributed.cli.dask_worker", scheduler, "--no-nanny", "--no-dashboard"]
        command += ["--nthreads", str(threads), "--death-timeout", "120"]
        environment = os.environ | {"DASK_LOGGING__DISTRIBUTED": "critical"}
        hired.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment))
        return hired[-1]

    yield start
    for child in hired:
        child.kill()
        child.wait()


def numbers(out: Path) -> str:
    told = {key: value for key, value in json.loads((out / "results.json").read_text()).items() if key != "times"}
    del told["about"]
    for cell in told["cells"]:
        del cell["seconds"]
    return json.dumps(told)


@pytest.mark.slow
def test_two_worker_processes_give_the_numbers_of_one_process(alone, recipes, quiet, tmp_path):
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        jobs = make_jobs(recipes, BOTH, BOTH, tmp_path / "b")
        run_bench(jobs, tmp_path / "b", quiet, dask=cluster.scheduler_address)
    assert numbers(tmp_path / "b") == alone


@pytest.mark.slow
def test_a_worker_with_threads_works_on_one_job_at_a_time(alone, recipes, quiet, scheduler, hire, tmp_path):
    hire(threads=4)
    run_bench(make_jobs(recipes, BOTH, BOTH, tmp_path / "b"), tmp_path / "b", quiet, dask=scheduler)
    assert numbers(tmp_path / "b") == alone


@contextmanager
def killed_at_work(worker: subprocess.Popen, out: Path) -> Iterator[None]:
    """Kill a worker as soon as a checkpoint shows that somebody is at a job; at the end in any case."""
    ended = threading.Event()

    def kill() -> None:
        while not list(out.rglob("*.ckpt")) and not ended.is_set():
            time.sleep(0.002)
        worker.send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        ended.set()
        killer.join()


@pytest.mark.slow
def test_a_worker_that_is_killed_takes_no_number_with_it(alone, recipes, quiet, scheduler, hire, tmp_path):
    first, second, out = hire(), hire(), tmp_path / "b"
    with killed_at_work(first, out):
        run_bench(make_jobs(recipes, BOTH, BOTH, out), out, quiet, dask=scheduler)
    assert first.wait() == -signal.SIGKILL
    assert second.poll() is None
    assert numbers(out) == alone


@pytest.mark.slow
@pytest.mark.parametrize(
    ("deaths", "told"),
    [(3, "no Dask worker is left, and none has joined for"), (0, "a worker was killed while it worked on a job")],
)
def test_a_cluster_that_loses_its_only_worker_is_told(recipes, quiet, cluster, hire, tmp_path, deaths, told):
    cluster.scheduler.allowed_failures = deaths
    # So many epochs that the job cannot be over before the worker is killed.
    long = recipes[0].model_copy(update={"training": recipes[0].training.model_copy(update={"epochs": 2000})})
    out = tmp_path / "b"
    with killed_at_work(hire(), out), pytest.raises(RunError, match=told):
        run_bench(make_jobs([long], BOTH[:1], BOTH, out), out, quiet, dask=cluster.scheduler_address)


def test_an_address_that_nobody_answers_at_is_told_within_seconds(recipes, quiet, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    began = time.perf_counter()
    with pytest.raises(RunError, match=f"no Dask scheduler answers at {address}"):
        run_bench(make_jobs(recipes, BOTH, BOTH, tmp_path / "b"), tmp_path / "b", quiet, dask=address)
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize("address", ["nonsense", "foo://bar:1", "tcp://127.0.0.1", "tcp://no.such.host.invalid:8786"])
def test_an_address_that_is_none_is_told(recipes, quiet, tmp_path, address):
    with pytest.raises(RunError, match=f"no Dask scheduler answers at {address}"):
        run_bench(make_jobs(recipes, BOTH, BOTH, tmp_path / "b"), tmp_path / "b", quiet, dask=address)


@pytest.mark.slow
def test_a_scheduler_without_workers_is_told(recipes, quiet, scheduler, tmp_path):
    with pytest.raises(RunError, match=r"has no worker\. Start some with `dask worker"):
        run_bench(make_jobs(recipes, BOTH, BOTH, tmp_path / "b"), tmp_path / "b", quiet, dask=scheduler)


def test_without_dask_the_extra_is_named(recipes, quiet, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(RunError, match=r"pip install 'xlser\[dask\]'"):
        run_bench(make_jobs(recipes, BOTH, BOTH, tmp_path / "b"), tmp_path / "b", quiet, dask="tcp://127.0.0.1:1")
