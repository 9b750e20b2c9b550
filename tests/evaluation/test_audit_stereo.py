"""What the audit hears in two channels, and on which scale: each fault put in is named, with the way out."""

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml

from xlser.evaluation.audit.sound import decode
from xlser.evaluation.audit.stereo import measure_stereo, stereo_table
from xlser.experiment.audit import audit_corpora
from xlser.experiment.workplace import Workplace
from xlser.reporting.audit.findings import findings

RATE = 16_000


def talk(seed, turns=True, seconds=2.0):
    """Noise in syllables; with ``turns``, only the first half of it, or for odd seeds the second one."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    sound = 0.2 * rng.normal(size=t.size) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t))
    half = (t < seconds / 2) if seed % 2 == 0 else (t >= seconds / 2)
    return np.where(half, sound, 1e-3 * sound) if turns else sound


VOICE = talk(0, turns=False)
PAIRS = {
    "copies": ((VOICE, VOICE), None),
    "louder": ((VOICE, 0.5 * VOICE), None),
    "one voice, two rooms": ((VOICE, np.roll(VOICE, 7) + 0.02 * talk(5, turns=False)), None),
    "left": ((VOICE, 1e-3 * talk(1, turns=False)), "left_only"),
    "left, then nothing": ((VOICE, 0 * VOICE), "left_only"),
    "right": ((0 * VOICE, VOICE), "right_only"),
    "opposed": ((VOICE, -VOICE), "opposed"),
    "opposed, quieter": ((VOICE, -0.7 * VOICE), "opposed"),
    "call": ((talk(0), talk(1)), "two_sides"),
    "call, one side quiet": ((talk(0), 0.3 * talk(1)), "two_sides"),
    "call with crosstalk": ((talk(0) + 0.03 * talk(1), talk(1) + 0.03 * talk(0)), "two_sides"),
}


@pytest.mark.parametrize("name", PAIRS)
def test_two_channels_are_known_for_what_they_are(name):
    (left, right), kind = PAIRS[name]
    measured = measure_stereo(np.stack([left, right], axis=1), RATE)
    table = stereo_table(pd.DataFrame([{"path": "a.wav", **measured}]), 3)
    assert [key for key, rows in table.items() if rows["count"]] == ([kind] if kind else [])


@pytest.mark.parametrize(
    "samples", [np.zeros((900, 1)), np.ones((900, 3)), np.zeros((900, 2))], ids=["1", "3", "silent"]
)
def test_what_is_no_pair_is_not_measured(samples):
    assert np.isnan(list(measure_stereo(samples, RATE).values())).all()


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """Audit a corpus with a fault of each kind in it."""
    folder = tmp_path_factory.mktemp("audit")
    root = folder / "odd"
    root.mkdir()

    def write(name, *channels, rate=RATE):
        soundfile.write(root / name, np.stack(channels, axis=1), rate, subtype="FLOAT")

    for number, code in enumerate(("ang", "hap", "sad", "neu") * 3):
        write(f"s{number % 3}_{code}_{number}.wav", 0.5 * talk(10 + number, turns=False))
    write("s0_ang_91.wav", VOICE, 0 * VOICE)
    write("s1_ang_92.wav", VOICE, -VOICE)
    write("s2_ang_93.wav", talk(0), talk(1))
    write("s0_hap_94.wav", 2**15 * talk(20, turns=False))
    t = np.arange(2 * 44_100) / 44_100
    square = 0.999 * np.sign(np.sin(2 * np.pi * 180 * t))
    write("s1_hap_95.wav", square, rate=44_100)
    card = {
        "name": "odd",
        "title": "Odd",
        "languages": ["de"],
        "licence": "CC0",
        "elicitation": "acted",
        "audio": "*.wav",
    }
    card |= {"grammar": r"(?P<speaker>s\d)_(?P<emotion>[a-z]+)_\d+"}
    card |= {"emotion": {"ang": "anger", "hap": "happiness", "sad": "sadness", "neu": "neutral"}}
    (folder / "odd.yaml").write_text(yaml.safe_dump(card))
    place = Workplace(data_root=folder, cache=folder / "cache", progress=False)
    return {row["kind"]: row for row in findings(audit_corpora([str(folder / "odd.yaml")], place))}


@pytest.mark.parametrize(
    ("kind", "path", "cure"),
    [
        ("one channel", "s0_ang_91.wav", "`channel: left`"),
        ("opposed channels", "s1_ang_92.wav", "`channel: left`"),
        ("two sides", "s2_ang_93.wav", "`channel: each`"),
        ("scale", "s0_hap_94.wav", "32768"),
        ("full scale", "s1_hap_95.wav", ""),
    ],
)
def test_the_audit_names_the_recording_and_the_cure(audited, kind, path, cure):
    found = audited[kind]
    assert [name for name in found["named"] if name] == [path]
    assert found["named_count"] == 1
    assert cure in found["advice"]
    assert found["severity"] == ("note" if kind == "full scale" else "serious")


def test_one_channel_of_two_is_decoded_alone(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.stack([VOICE, 0.5 * VOICE], axis=1), RATE, subtype="PCM_16")
    whole, right = decode(tmp_path / "a.wav"), decode(tmp_path / "a.wav", channel=2)
    assert np.array_equal(right.samples[:, 0], whole.samples[:, 1])
    assert right.samples.dtype == np.int16
    assert not np.isnan(measure_stereo(whole.samples, RATE)["sides_db"])
    assert np.isnan(measure_stereo(right.samples, RATE)["sides_db"])


def test_channels_that_cancel_out_are_not_called_silence(audited):
    assert "s1_ang_92.wav" not in str([row for kind, row in audited.items() if kind.startswith("silence")])
    assert not [row for kind, row in audited.items() if kind == "silence" and "end to end" in row["sentence"]]
