"""Embedding by a frozen Whisper: against transformers' own way, against the cache, and a sweep over all its layers."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from xlser.corpora.card import load_card
from xlser.data.audio import read_mono
from xlser.data.manifest import build_manifest
from xlser.evaluation.classify import fit_probe
from xlser.features.extract import extract
from xlser.features.frozen_encoder import Encoder

pytestmark = pytest.mark.bench
REAL = Path(__file__).resolve().parents[3] / "shared" / "checkpoints" / "whisper-tiny.en-encoder"
# Of the 400 of URDU; transformers' way takes ten times as long on each.
CLIPS = int(os.environ.get("XLSER_BENCH_CLIPS", "60"))
EMOTIONS = ("anger", "happiness", "neutral", "sadness")


@pytest.fixture(scope="module")
def weights():
    if not REAL.is_dir():
        pytest.skip(f"no real checkpoint at {REAL}")
    return str(REAL)


@pytest.fixture(scope="module")
def read(real_corpora):
    """Return a function: the manifest of a corpus, of so many of its clips of four emotions."""

    def go(name, clips=None):
        manifest = build_manifest(load_card(name), real_corpora / name)
        rows = np.flatnonzero(manifest.frame["emotion"].isin(EMOTIONS))
        if clips is not None:
            rows = np.sort(np.random.default_rng(0).permutation(rows)[:clips])
        manifest.frame = manifest.frame.iloc[rows].reset_index(drop=True)
        return manifest

    return go


def test_clip_length_windows_and_the_cache_are_quick(weights, read, tmp_path, table, in_turn):
    from transformers import WhisperFeatureExtractor, WhisperModel

    manifest = read("urdu", CLIPS)
    encoder = Encoder(weights, layer=2, pooling="mean+std")
    clips = [read_mono(path, encoder.rate) for path in manifest.files()]
    model = WhisperModel.from_pretrained(weights, dtype=torch.float32).encoder.eval()
    ready = WhisperFeatureExtractor.from_pretrained(weights)

    def ours():
        for clip in clips:
            encoder(clip)

    def theirs():
        for clip in clips:
            given = ready(clip, sampling_rate=16_000, return_tensors="pt")["input_features"]
            with torch.inference_mode():
                state = model(given, output_hidden_states=True).hidden_states[2][0]
            torch.cat([state.mean(0), state.std(0, correction=0)]).numpy()

    quick, slow = in_turn(ours, theirs, rounds=2)
    what = f"frozen embedding of {len(clips)} URDU clips by Whisper tiny.en"
    table(
        f"{what}, against transformers padded to 30 s, clip by clip",
        f"{slow / quick:.1f} times its clips a second ({len(clips) / quick:.1f} / {len(clips) / slow:.1f})",
        "≥ 6",
    )

    def timed(folder):
        began = time.perf_counter()
        extract(manifest, encoder, tmp_path / folder, jobs=1, progress=False)
        return time.perf_counter() - began

    first = min(timed("0"), timed("1"))
    cached = min(timed("0") for _ in range(5))
    table(f"{what}, first pass / cache", f"{first / cached:.0f} times ({first:.2f} s / {cached:.3f} s)", "≥ 50")
    assert slow / quick >= 6
    assert first / cached >= 50


def test_a_sweep_over_layers_and_poolings_is_read(weights, read, tmp_path, table):
    source, targets = read("emodb"), [read(name) for name in ("urdu", "emovo", "ravdess")]
    for manifest in (source, *targets):
        extract(manifest, Encoder(weights), tmp_path, progress=False)
    validation = source.frame["speaker"].isin(sorted(source.frame["speaker"].unique())[-2:]).to_numpy()
    spent, scores = {"read": 0.0, "fit": 0.0}, {}
    for layer in range(5):
        for pooling in ("mean", "mean+std", "mean+std+min+max"):
            began = time.perf_counter()
            encoder = Encoder(weights, layer=layer, pooling=pooling)
            found = [extract(manifest, encoder, tmp_path, progress=False) for manifest in (source, *targets)]
            assert all(one.cached == len(one.values) for one in found)
            spent["read"] += time.perf_counter() - began
            began = time.perf_counter()
            labels = source.frame["emotion"].to_numpy()
            rows = found[0].values
            probe = fit_probe(rows[~validation], labels[~validation], rows[validation], labels[validation])
            scores[layer, pooling] = [
                float((probe.predict(one.values) == one.manifest.frame["emotion"].to_numpy()).mean())
                for one in found[1:]
            ]
            spent["fit"] += time.perf_counter() - began
    total = sum(spent.values())
    table(
        "sweep from the cache: 5 layers x 3 poolings of Whisper tiny.en, EmoDB to URDU, EMOVO and RAVDESS",
        f"{total:.1f} s ({spent['read']:.1f} s reading, {spent['fit']:.1f} s fitting and scoring)",
        "< 20 s",
    )
    assert len({tuple(row) for row in scores.values()}) > 10
    assert total < 20
