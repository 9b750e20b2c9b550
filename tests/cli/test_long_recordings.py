"""Five long recordings and a table of their segments, from the first card to the report and to predictions."""

import csv
import json

import numpy as np
import pytest
import soundfile

from xlser.corpora.card import load_card
from xlser.data.manifest import build_manifest

PITCH = {"angry": 220, "happy": 180, "sad": 100, "neutral": 130}
RECIPE = """
name: long
source: {card}
targets: []
emotions: [anger, happiness, neutral, sadness]
methods: {{cluster: {{metric: class-cluster}}}}
training: {{seeds: 1, epochs: 2}}
evaluation: {{draws: 100}}
"""


@pytest.fixture
def calls(tmp_path, voice):
    """Five calls of two people each, twelve segments a call, and their table."""
    rows, rng = [["file", "onset", "offset", "emotion", "speaker"]], np.random.default_rng(0)
    (tmp_path / "calls" / "rec").mkdir(parents=True)
    for call in range(5):
        parts, at = [], 0.0
        for turn in range(12):
            emotion, seconds = list(PITCH)[turn // 2 % 4], round(float(rng.uniform(0.4, 0.7)), 3)
            pitch = PITCH[emotion] * (1 + 0.05 * (turn % 2) + 0.01 * call)
            parts += [voice(seconds, pitch=pitch, seed=100 * call + turn), np.zeros(1600, np.float32)]
            rows.append(
                [f"rec/call{call}.wav", f"{at:.3f}", f"{at + seconds:.3f}", emotion, f"call{call}{'ab'[turn % 2]}"]
            )
            at += seconds + 0.1
        soundfile.write(tmp_path / "calls" / "rec" / f"call{call}.wav", np.concatenate(parts), 16_000)
    with (tmp_path / "calls" / "segments.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return tmp_path / "calls"


@pytest.mark.slow
def test_long_recordings_go_all_the_way(xlser, calls, tmp_path):
    card = tmp_path / "calls.yaml"
    status, out, _ = xlser("corpora", "init", calls, "--out", card)
    assert status == 0
    assert "60 segments of 5 recordings, 10 speaker(s)" in out
    status, out, _ = xlser("corpora", "verify", card, "--root", calls)
    assert status == 0
    assert "60 rows are segments of 5 recordings" in out
    assert xlser("corpora", "audit", card, "--root", f"calls={calls}", "--out", tmp_path / "audit")[0] == 0
    counts = json.loads((tmp_path / "audit" / "audit.json").read_text())["corpora"][0]["counts"]
    assert (counts["utterances"], counts["recordings"]) == (60, 5)
    recipe = tmp_path / "long.yaml"
    recipe.write_text(RECIPE.format(card=card))
    status, _, err = xlser("run", recipe, "--root", f"calls={calls}", "--out", tmp_path / "run")
    assert status == 0, err
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    sides = [{name[:5] for name in people} for people in results["splits"][0]["speakers"].values()]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 5, "a call stands on two sides"
    status, out, err = xlser("predict", tmp_path / "run", calls / "segments.csv", "--format", "jsonl")
    assert status == 0, err
    answers = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    frame = build_manifest(load_card(card), calls).frame
    assert len(answers) == len(frame) == 60
