"""Features of a bench in shards, on several workers: the cache and the numbers of one process, whoever dies."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from mortal import one_dies
from ragged import make_ragged

from xlser.errors import MachineError, RunError
from xlser.experiment.bench import shards
from xlser.experiment.bench.fanout import in_processes, on_dask
from xlser.experiment.bench.plan import make_jobs
from xlser.experiment.bench.run import run_bench
from xlser.experiment.bench.shards import ROWS, fill_cache
from xlser.experiment.workplace import Workplace
from xlser.training.recipe import Recipe

BOTH = ["synthetic-de", "synthetic-tr"]
FEATURES = ["logmel", {"encoder": {"weights": "random:tiny", "layer": 1, "pooling": "mean+std"}}]


def in_order(tasks, workers=None):
    """Do tasks one after the other, in this process."""
    return (task() for task in tasks)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """The ragged corpora, with a silent recording, and one that is none."""
    root = make_ragged(tmp_path_factory.mktemp("shards"))
    first, second, *_ = sorted((root / "synthetic-tr" / "wav").iterdir())
    first.write_text("no audio")
    second.write_bytes(second.read_bytes()[:44] + bytes(len(second.read_bytes()) - 44))
    return root


@pytest.fixture
def jobs(tmp_path):
    return plan(tmp_path / "bench")


@pytest.fixture(scope="module")
def alone(data, tmp_path_factory):
    """What one process leaves in the cache, and the numbers of its bench."""
    folder = tmp_path_factory.mktemp("alone")
    run_bench(plan(folder / "bench"), folder / "bench", at(data, folder / "cache"))
    return contents(folder / "cache"), numbers(folder / "bench")


def plan(out):
    recipe = Recipe(
        name="small",
        source=BOTH[0],
        targets=BOTH[1:],
        features={"extractor": FEATURES},
        model="none",
        split={"folds": 4},
        training={"seeds": 1},
        evaluation={"draws": 100},
    )
    return make_jobs([recipe], BOTH[:1], BOTH, out)


def at(data, cache, say=lambda text: None):
    return Workplace(data, cache=cache, progress=False, say=say)


def contents(cache):
    """Every entry by its path: whoever made it, it is the same file, and none is half written."""
    return {str(path.relative_to(cache)): path.read_bytes() for path in cache.rglob("features/**/*") if path.is_file()}


def numbers(out):
    kept = {key: value for key, value in json.loads((out / "results.json").read_text()).items() if key != "times"}
    del kept["about"]
    for cell in kept["cells"]:
        del cell["seconds"]
    return kept


def test_a_bench_of_two_workers_reads_what_its_shards_left(data, jobs, alone, tmp_path, monkeypatch):
    calls, said = [], []

    def share_out(tasks, workers):
        calls.append(len(tasks))
        return in_order(tasks)

    monkeypatch.setattr("xlser.experiment.bench.run.in_processes", share_out)
    place = at(data, tmp_path / "cache", said.append)
    run_bench(jobs, tmp_path / "bench", place, workers=2)
    assert calls == [12, 1]  # two extractors, two corpora of 48 and 47 rows, at most 16 a shard; then the job
    assert (contents(tmp_path / "cache"), numbers(tmp_path / "bench")) == alone
    # Faults are named where they always were, and what could be used was there already.
    assert any("synthetic-tr: 46 utterances" in line and "46 of them read from the cache" in line for line in said)
    assert sum("left out, " in line for line in said) == 2
    calls.clear()
    run_bench(jobs, tmp_path / "bench", place, workers=2)
    assert calls == []


def test_a_corpus_that_is_nowhere_and_an_encoder_that_is_none_are_left_to_the_job(data, tmp_path):
    recipe = plan(tmp_path)[0].recipe
    odd = recipe.model_copy(update={"features": recipe.features.model_copy(update={"extractor": nowhere(tmp_path)})})
    jobs = [*make_jobs([recipe], ["synthetic-de"], ["urdu"], tmp_path), *make_jobs([odd], BOTH, BOTH, tmp_path)]
    given = []
    fill_cache(jobs, at(data, tmp_path / "cache"), lambda tasks: given.extend(tasks) or in_order(tasks))
    assert [len(task.args[0].frame) for task in given] == [ROWS] * 6


def nowhere(folder):
    return {"encoder": {"weights": str(folder / "nowhere")}}


def test_a_shard_without_a_usable_recording_does_not_stop_the_others(data, jobs, tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "ROWS", 1)
    done = []

    def share_out(tasks):
        for task in tasks:
            done.append(task())
            yield done[-1]

    fill_cache(jobs, at(data, tmp_path / "cache"), share_out)
    assert done == [1] * 190  # the recording that is none is in no manifest


def test_a_full_disk_at_a_worker_stops_the_bench(data, jobs, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("xlser.features.cache.Entries.put", full)
    with pytest.raises(MachineError, match="No space left on device"):
        fill_cache(jobs, at(data, tmp_path / "cache"), in_order)


def test_a_gpu_of_this_machine_is_not_shared_by_processes(data, jobs, tmp_path, monkeypatch):
    monkeypatch.setattr("xlser.features.frozen_encoder.Encoder.batch", 64.0)
    assert {task.args[1] for task in asked(jobs, at(data, tmp_path / "cache"))} == {"logmel"}
    assert len(asked(jobs, at(data, tmp_path / "cache"), elsewhere=True)) == 12


def test_recipes_that_read_the_same_entries_ask_for_them_once(data, tmp_path):
    recipe = plan(tmp_path)[0].recipe
    other = {"encoder": FEATURES[1]["encoder"] | {"layer": 2}}
    second = recipe.model_copy(
        update={"name": "other", "features": recipe.features.model_copy(update={"extractor": other})}
    )
    jobs = make_jobs([recipe, second], BOTH, BOTH, tmp_path)
    assert len(asked(jobs, at(data, tmp_path / "cache"))) == 12


def asked(jobs, place, **options):
    """Return the tasks that would be shared out; none is done."""
    given = []
    fill_cache(jobs, place, lambda tasks: given.extend(tasks) or in_order([]), **options)
    return given


@pytest.mark.slow
def test_after_a_process_was_killed_the_same_call_goes_on(data, jobs, alone, tmp_path):
    place, marker = at(data, tmp_path / "cache"), tmp_path / "killed"
    share_out = partial(one_dies, marker=marker, share_out=partial(in_processes, workers=2))
    with pytest.raises(RunError, match=r"(?s)a worker was killed.*run the same command again"):
        fill_cache(jobs, place, share_out)
    half = contents(tmp_path / "cache")
    assert 0 < len(half) < len(alone[0])
    run_bench(jobs, tmp_path / "bench", place, workers=2)
    assert (contents(tmp_path / "cache"), numbers(tmp_path / "bench")) == alone
    assert half.items() <= alone[0].items()


@pytest.mark.slow
def test_on_dask_the_shard_of_a_killed_worker_goes_to_another(data, jobs, alone, tmp_path):
    distributed = pytest.importorskip("distributed", reason="needs Dask: pip install 'xlser[dask]'")
    marker, place = tmp_path / "killed", at(data, tmp_path / "cache")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        fill_cache(
            jobs, place, partial(one_dies, marker=marker, share_out=partial(on_dask, client=client)), elsewhere=True
        )
    assert marker.exists()
    assert contents(tmp_path / "cache") == alone[0]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize(("number", "kill"), [(signal.SIGINT, os.killpg), (signal.SIGTERM, os.kill)])
def test_a_signal_leaves_no_process_and_no_half_file(data, tmp_path, number, kill):
    """As in a terminal, where every process of the group is interrupted, and as a scheduler does."""
    child = transfer(data, tmp_path)
    kill(child.pid, number)
    said, _ = child.communicate(timeout=60)
    assert child.returncode == 128 + number, said
    assert "Traceback" not in said
    assert not half(tmp_path)
    assert not _alive(child.pid)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_the_workers_of_a_killed_bench_end_with_it_and_the_next_one_sweeps(data, alone, tmp_path):
    child = transfer(data, tmp_path)
    while len(workers(child.pid)) < 2:
        time.sleep(0.01)
    child.kill()
    child.communicate(timeout=60)
    assert not _alive(child.pid)
    left = {name: value for name, value in contents(tmp_path / "cache").items() if "/." not in name}
    run_bench(plan(tmp_path / "bench"), tmp_path / "bench", at(data, tmp_path / "cache"))
    assert not half(tmp_path)
    assert left.items() <= contents(tmp_path / "cache").items()
    assert numbers(tmp_path / "bench") == alone[1]


def half(folder):
    """Return what is hidden, but for locks."""
    return [path for path in folder.rglob(".*") if path.name != ".lock"]


def workers(leader):
    """Return the processes in a session that compute."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        if _group(stat) == leader:
            found.append((stat.parent / "cmdline").read_bytes())
    return [words for words in found if b"popen_loky" in words]


def transfer(data, tmp_path):
    """Start a bench of two processes, and return it once there are features."""
    recipe = tmp_path / "small.yaml"
    recipe.write_text(json.dumps(plan(tmp_path)[0].recipe.model_dump(mode="json")))
    command = [sys.executable, "-m", "xlser.cli.main", "transfer", "--recipe", recipe, "--sources", BOTH[0]]
    command += ["--targets", BOTH[1], "--jobs", "2", "--data-root", data, "--out", tmp_path / "bench"]
    environment = os.environ | {"XLSER_CACHE": str(tmp_path / "cache")}
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, start_new_session=True
    )
    while child.poll() is None and not list(tmp_path.rglob("features/*/*/*.npy")):
        time.sleep(0.002)
    return child


def _alive(group):
    """Return the processes of a group, after a while in which they may end."""
    for _ in range(100):
        found = [path for path in Path("/proc").glob("[0-9]*/stat") if _group(path) == group]
        if not found:
            break
        time.sleep(0.05)
    return found


def _group(stat):
    try:
        state, _, group, *_ = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state == "Z" else int(group)
