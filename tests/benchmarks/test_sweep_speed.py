"""A sweep over hidden states costs seconds once its features are cached; the whole command, timed as a user waits."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.bench
ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("XLSER_TEST_DATA", ROOT.parent / "shared" / "corpora"))
WHISPER = ROOT.parent / "shared" / "checkpoints" / "whisper-tiny.en-encoder"
SECONDS = 20


@pytest.mark.skipif(not (DATA.is_dir() and WHISPER.is_dir()), reason="needs the recorded corpora and the checkpoint")
def test_five_layers_three_poolings_and_three_targets_take_20_seconds_from_the_cache(tmp_path, table):
    words = ["probe-layers", WHISPER, "--sources", "emodb", "--targets", "urdu,emovo,ravdess", "--data-root", DATA]
    words += ["--out", tmp_path / "out"]
    took = []
    for _ in range(2):  # the first one extracts, where nothing is cached
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "xlser.cli.main", *map(str, words)], check=True, capture_output=True)
        took.append(time.perf_counter() - began)
    table("layer sweep, 5 layers x 3 poolings x 3 targets, cached", f"{took[1]:.1f} s", f"at most {SECONDS} s")
    assert took[1] <= SECONDS
