"""What an outside function takes for granted is made so before it is called."""

import io
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import soundfile

from xlser.data.audio import resample, resampler_identity
from xlser.features.clips import read_clips
from xlser.features.egemaps import Egemaps
from xlser.features.frozen_encoder import Encoder
from xlser.features.logmel import LogMel
from xlser.features.opensmile_set import as_opensmile_takes

REPOSITORY = Path(__file__).resolve().parents[2]


def above_full_scale():
    """A tone with harmonics at 44.1 kHz, 1.02 times full scale, brought to 16 kHz: it goes beyond [-1, 1]."""
    t = np.arange(44_100) / 44_100
    wave = sum(np.sin(2 * np.pi * 180 * k * t) / k for k in range(1, 12))
    return resample((1.02 * wave / np.abs(wave).max()).astype(np.float32), 44_100, 16_000)


def test_samples_above_full_scale_do_not_wrap_round_in_opensmile():
    samples = above_full_scale()
    assert np.abs(samples).max() > 1
    egemaps = Egemaps()
    assert np.array_equal(egemaps(samples), egemaps(np.clip(samples, -1, 1)))
    # What its door makes of them by itself: peaks that became cracks.
    wrapped = egemaps._smile.process_signal(samples, 16_000).to_numpy()[0]
    assert (np.abs(wrapped - egemaps(samples)) > 0.1 * np.abs(egemaps(samples))).any()


@pytest.mark.parametrize("samples", [np.zeros((2, 8), np.float32), np.zeros(8, np.int16), np.array([0.0, np.nan])])
def test_what_opensmile_would_take_for_something_else_is_refused(samples):
    with pytest.raises(ValueError, match="samples"):
        as_opensmile_takes(samples)


@pytest.mark.parametrize("samples", [np.zeros((2, 80), np.float32), np.zeros(80, np.int16)], ids=["two axes", "int16"])
def test_what_soxr_would_take_for_something_else_is_refused(samples):
    with pytest.raises(ValueError, match="samples"):
        resample(samples, 44_100, 16_000)


@pytest.mark.parametrize("extractor", [LogMel(), Encoder("random:tiny")], ids=["logmel", "encoder"])
def test_samples_above_full_scale_are_heard_as_quieter_ones_are(extractor):
    noise = np.random.default_rng(0).normal(0, 0.01, 16_000)  # so that no band lies at the floor of the logarithm
    samples = above_full_scale() + noise.astype(np.float32)
    loud, quiet = extractor(samples), extractor(samples / 2)
    if isinstance(extractor, LogMel):  # means and percentiles of log power move by the level
        levels = [not name.endswith(("_std", "_step")) for name in extractor.columns()]
        quiet = quiet + np.where(levels, np.log(4), 0).astype(np.float32)
    assert np.abs(loud - quiet).max() < 0.05


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_a_clip_above_full_scale_is_written_limited(kind):
    samples = above_full_scale()
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, format=kind)  # as the page of a bench does, with clips to listen to
    file.seek(0)
    found, _ = soundfile.read(file, dtype="float32")
    assert np.corrcoef(found[: len(samples)], samples[: len(found)])[0, 1] > 0.99


def test_every_cache_key_names_the_resampler(corpus, make_card, tmp_path, monkeypatch):
    from xlser.data.manifest import build_manifest

    manifest = build_manifest(make_card(), corpus("s1_ang_1.wav"))
    folders = []
    for quality in ("HQ", "VHQ"):
        monkeypatch.setattr("xlser.data.audio.QUALITY", quality)
        assert all(resampler_identity().items() <= kind().identity().items() for kind in (Egemaps, LogMel))
        folders.append(read_clips(manifest, tmp_path, progress=False).store.path("x"))
    assert folders[0] != folders[1]


def test_features_and_predictions_need_no_torchaudio(tmp_path):
    """In a Python where torchaudio cannot be loaded, as beside a torch of another release."""
    code = """
        import numpy as np, torch
        from xlser.data.audio import resample
        from xlser.features.augment import WaveChoice, augment_wave
        from xlser.features.egemaps import Egemaps
        from xlser.features.logmel import LogMel
        wave = resample(np.sin(np.arange(44100) / 20).astype(np.float32), 44100, 16000)
        assert Egemaps()(wave).shape == (88,)
        assert LogMel()(wave).shape == (240,)
        augment_wave(torch.from_numpy(wave), WaveChoice(snr=(5, 9), gain=(-3, 3)), 0)
        import xlser.experiment.use.model  # what predicts
        try:
            import torchaudio
        except OSError:
            print("none was needed")
    """
    (tmp_path / "torchaudio").mkdir()
    (tmp_path / "torchaudio" / "__init__.py").write_text("raise OSError('libtorchaudio.so: undefined symbol')")
    path = os.pathsep.join([str(tmp_path), str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    assert done.stdout.strip() == "none was needed"
