"""A tree of 100,000 recordings, scanned and verified by its headers; `make bench` runs it."""

import json
import os
import subprocess
import sys
import time

import pytest
import soundfile

pytestmark = pytest.mark.bench
FOLDERS, FILES = 100, 1000
CARD = """\
name: many
title: Many
languages: [de]
licence: CC0
elicitation: acted
audio: "*/*.wav"
grammar: '(?P<speaker>s\\d+)_(?P<emotion>[a-z]+)_\\d+'
emotion: {ang: anger, hap: happiness, neu: neutral, sad: sadness}
"""
CODE = """
import json, resource, sys, time
from xlser.corpora.card import load_card
from xlser.data.verify import verify
began = time.perf_counter()
found = verify(load_card(sys.argv[1]), sys.argv[2], decode=False, cache=sys.argv[3])
took = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps({"seconds": took, "gib": peak, "rows": len(found.manifest.frame), "ok": found.ok}))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Make the tree of hard links to one short recording a folder, none younger than an hour."""
    root = tmp_path_factory.mktemp("many")
    for speaker in range(FOLDERS):
        folder = root / "audio" / f"s{speaker:03}"
        folder.mkdir(parents=True)
        names = [f"s{speaker:03}_{('ang', 'hap', 'neu', 'sad')[i % 4]}_{i:05}.wav" for i in range(FILES)]
        soundfile.write(folder / names[0], [0.1, -0.1] * 80, 16_000)
        os.utime(folder / names[0], (time.time() - 3600,) * 2)
        for name in names[1:]:
            os.link(folder / names[0], folder / name)
    (root / "many.yaml").write_text(CARD)
    return root


def look(root):
    """Verify in a process of its own, so that its memory can be told."""
    command = [sys.executable, "-c", CODE, str(root / "many.yaml"), str(root / "audio"), str(root / "cache")]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_100_000_files_take_a_minute_and_a_second_look_a_fifth(tree):
    first, second = look(tree), look(tree)
    for name, look_ in (("first", first), ("second", second)):
        print(f"\n{name} look at {look_['rows']:,} files: {look_['seconds']:.2f} s, {look_['gib']:.2f} GiB at most")
    assert first["rows"] == second["rows"] == FOLDERS * FILES
    assert first["ok"]
    assert first["seconds"] < 60
    assert max(first["gib"], second["gib"]) < 1
    assert second["seconds"] * 5 <= first["seconds"]
