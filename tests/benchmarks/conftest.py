"""One table for all timings of a run, and two functions timed in turn."""

import statistics
import time
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "runs" / "bench.md"


@pytest.fixture(scope="session")
def table():
    """Take rows of (what, measured, goal); written to runs/bench.md when all are there."""
    rows = []
    yield lambda *row: rows.append(row)
    lines = ["| what | measured | goal |", "|---|---|---|", *("| " + " | ".join(row) + " |" for row in rows)]
    BENCH.parent.mkdir(exist_ok=True)
    BENCH.write_text("\n".join(lines) + "\n")
    print("\n" + "\n".join(lines))


@pytest.fixture(scope="session")
def in_turn():
    """Return what gives the median times of two functions called in turn, after one uncounted call of each."""

    def timed(one, other, rounds=5):
        times = ([], [])
        for number in range(rounds + 1):
            for function, kept in zip((one, other), times, strict=True):
                began = time.perf_counter()
                function()
                if number:
                    kept.append(time.perf_counter() - began)
        return statistics.median(times[0]), statistics.median(times[1])

    return timed
