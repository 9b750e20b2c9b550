"""Finding exact duplicates costs hardly more than reading the files; measured in turn, in one run."""

import os
import statistics
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from xlser.evaluation.audit.sound import decode

pytestmark = pytest.mark.bench
ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("XLSER_TEST_DATA", ROOT.parent / "shared" / "corpora"))
ROUNDS = 7


@pytest.fixture
def files(tmp_path):
    """Return the real recordings, or as many seconds of noise where they are not."""
    found = sorted(DATA.rglob("*.wav")) if DATA.is_dir() else []
    if not found:
        noise = np.random.default_rng(0).standard_normal(16_000 * 3) / 10
        found = [tmp_path / f"{number}.wav" for number in range(1000)]
        for path in found:
            soundfile.write(path, noise, 16_000)
    return found


def passed(files, read):
    began = time.perf_counter()
    for path in files:
        read(path)
    return time.perf_counter() - began


def decoded(kind):
    def read(path):
        with soundfile.SoundFile(path) as file:
            return file.read(dtype=kind, always_2d=True)

    return read


def test_hashing_takes_at_most_1_3_times_reading(files, capsys):
    ways = {"hash": lambda path: decode(path).key(), "float32": decoded("float32"), "int16": decoded("int16")}
    rounds = [{name: passed(files, read) for name, read in ways.items()} for _ in range(ROUNDS)][1:]
    medians = {name: statistics.median(one[name] for one in rounds) for name in ways}
    ratios = {name: statistics.median(one["hash"] / one[name] for one in rounds) for name in ("float32", "int16")}
    with capsys.disabled():
        print(f"\nexact-duplicate keys of {len(files)} files: {medians['hash']:.2f} s")
        print(f"  {ratios['float32']:.2f} times decoding to float32, as extractors read ({medians['float32']:.2f} s)")
        print(f"  {ratios['int16']:.2f} times decoding to int16, the cheapest there is ({medians['int16']:.2f} s)")
    assert ratios["float32"] <= 1.3
