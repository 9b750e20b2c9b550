"""The transfer bench on three recorded corpora and a synthetic one, features cached; `make bench` runs it."""

import json
import time
from pathlib import Path

import pytest

from xlser.experiment.bench.plan import make_jobs
from xlser.experiment.bench.run import run_bench
from xlser.experiment.corpora import find_corpus, read_corpora
from xlser.experiment.workplace import Workplace
from xlser.training.load import load_recipe

pytestmark = pytest.mark.bench
RECORDED = ["emodb", "urdu", "ravdess"]
SHOTS = (1, 2, 5, 10, 20)
NAMES = ("bench/supcon-egemaps", "bench/dae-both")


@pytest.fixture(scope="module")
def place(real_corpora, tmp_path_factory) -> Workplace:
    """A workplace whose cache holds the features of all four corpora."""
    cache = tmp_path_factory.mktemp("cache")
    found = Workplace(real_corpora, cache=cache, progress=False, say=lambda text: None)
    for name in (*RECORDED, "synthetic-en"):
        read_corpora(find_corpus(name, found), load_recipe(NAMES[0]), found)
    return found


@pytest.fixture(scope="module")
def bench(place, tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("bench") / "out"


def run(out: Path, place: Workplace, targets: list[str]) -> float:
    """Return the seconds of the bench with its report."""
    report = pytest.importorskip("xlser.reporting.bench.report", reason="needs the report of a bench")
    began = time.perf_counter()
    jobs = make_jobs([load_recipe(name) for name in NAMES], RECORDED, targets, out, seeds=5, few_shot=SHOTS)
    run_bench(jobs, out, place, workers=2)
    report.write_bench_report(out)
    return time.perf_counter() - began


def times(out: Path) -> dict[str, dict[str, float]]:
    return json.loads((out / "results.json").read_text())["times"]


def test_a_whole_bench(bench, place, table):
    first = run(bench, place, RECORDED)
    training = sum(job["training"] for job in times(bench).values())
    further = run(bench, place, [*RECORDED, "synthetic-en"])
    scoring = [job["synthetic-en"] for job in times(bench).values()]
    assert len(scoring) == 6
    second = run(bench, place, [*RECORDED, "synthetic-en"])
    assert times(bench) == {}
    what = "2 recipes x 3 sources x 4 targets x 5 seeds, few-shot and report included, features cached"
    table(f"{what}, 2 processes", f"{first + further:.0f} s", "< 300 s")
    table("the same once more", f"{second:.1f} s", "< 10 s")
    share = sum(scoring) / 6
    table(
        "a further target, a recipe and source",
        f"{share:.1f} s against {training / 6:.1f} s of training",
        "no training",
    )
    assert first + further < 300
    assert second < 10


def test_a_bench_against_training_anew_for_every_pair(place, table, tmp_path):
    recipe = load_recipe(NAMES[0])
    run_bench(make_jobs([recipe], RECORDED, RECORDED, tmp_path / "ours"), tmp_path / "ours", place)
    ours = sum(seconds for job in times(tmp_path / "ours").values() for seconds in job.values())
    anew = 0.0
    for source in RECORDED:
        own = 0.0
        for target in RECORDED:
            if target != source:
                out = tmp_path / f"{source}-{target}"
                run_bench(make_jobs([recipe], [source], [target], out), out, place)
                (job,) = times(out).values()
                anew += job["training"] + job[target]
                own = job[source]
        anew += own  # scored once, as by the bench: nobody trains anew for the source's own speakers
    what = "training anew for every pair of three corpora / once a source, scoring included"
    table(what, f"{anew / ours:.2f}", "> 1")
    assert anew > ours
