"""Features and embeddings of a bench in shards: two worker processes against one."""

import os
import statistics
import time
from functools import partial
from pathlib import Path

import pytest

from xlser.corpora.card import load_card
from xlser.corpora.synthetic import synthesise
from xlser.experiment.bench.fanout import in_processes
from xlser.experiment.bench.plan import Job
from xlser.experiment.bench.shards import fill_cache
from xlser.experiment.workplace import Workplace
from xlser.training.recipe import Recipe

pytestmark = pytest.mark.bench
DATA = Path(os.environ.get("XLSER_TEST_DATA", Path(__file__).parents[3] / "shared"))
WHISPER = DATA / "checkpoints" / "whisper-tiny.en-encoder"
KINDS = {"openSMILE": "egemaps", "Whisper tiny": {"encoder": {"weights": str(WHISPER), "layer": 2}}}


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_fill_the_cache_1_7_times_as_fast_as_one(kind, tmp_path, table):
    if kind == "Whisper tiny" and not WHISPER.is_dir():
        pytest.skip(f"no Whisper checkpoint at {WHISPER}")
    corpus, folder = "urdu", DATA / "corpora" / "urdu"
    if not folder.is_dir():
        corpus, folder = "synthetic-ur", synthesise(load_card("synthetic-ur"), tmp_path / "ur", progress=False)
    # No place has the target: it is left out.
    recipe = Recipe(name="bench", source=corpus, targets=("emovo",), features={"extractor": KINDS[kind]})
    jobs = [Job(recipe, tmp_path)]

    def timed(workers, number):
        place = Workplace(roots={corpus: folder}, cache=tmp_path / f"{workers}-{number}", progress=False)
        began = time.perf_counter()
        fill_cache(jobs, place, partial(in_processes, workers=workers) if workers > 1 else alone)
        return time.perf_counter() - began

    timed(2, "first")  # processes start, and stay
    one, two = (statistics.median(times) for times in zip(*((timed(1, n), timed(2, n)) for n in range(3)), strict=True))
    table(
        f"{kind} over {corpus} in shards, two processes against one",
        f"{one / two:.2f} times ({one:.1f} s / {two:.1f} s)",
        "≥ 1.7",
    )
    assert one / two >= 1.7


def alone(tasks):
    """Do tasks one after the other."""
    return (task() for task in tasks)
