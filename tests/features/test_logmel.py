"""The log-mel statistics, where what they must be is known; and openSMILE on what is too short for it."""

import numpy as np
import pytest

from xlser.features.egemaps import Egemaps
from xlser.features.logmel import LogMel

TIME = np.arange(16_000) / 16_000


@pytest.fixture(scope="module")
def logmel():
    return LogMel()


def named(logmel, samples):
    values = dict(zip(logmel.columns(), logmel(samples.astype(np.float32)), strict=True))
    return {kind: np.array([values[f"mel{band:02d}_{kind}"] for band in range(40)]) for kind in ("mean", "std", "step")}


def test_a_higher_tone_is_loudest_in_a_higher_band(logmel):
    loudest = [named(logmel, np.sin(2 * np.pi * f * TIME))["mean"].argmax() for f in (200, 500, 1000, 3000, 6000)]
    assert loudest == sorted(set(loudest))


def test_twice_the_level_is_log_four_more_in_every_band_and_no_more_spread(logmel):
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000)
    once, twice = named(logmel, noise), named(logmel, 2 * noise)
    assert twice["mean"] - once["mean"] == pytest.approx(np.log(4), abs=1e-3)
    assert twice["std"] == pytest.approx(once["std"], abs=1e-3)


def test_a_steady_tone_has_less_spread_than_one_that_comes_and_goes(logmel):
    tone = np.sin(2 * np.pi * 1000 * TIME)
    band = named(logmel, tone)["mean"].argmax()
    steady, rhythm = named(logmel, tone), named(logmel, tone * (np.sin(2 * np.pi * 4 * TIME) > 0))
    for kind in ("std", "step"):
        assert steady[kind][band] < 0.1 < rhythm[kind][band]


@pytest.mark.parametrize("size", [1, 160, 400, 511, 512, 671])
def test_a_recording_of_one_window_has_no_spread_and_no_step(logmel, voice, size):
    found = named(logmel, voice(0.1)[100 : 100 + size])
    assert np.isfinite(found["mean"]).all()
    assert not found["std"].any()
    assert not found["step"].any()


def test_two_windows_have_both(logmel, voice):
    found = named(logmel, voice(0.1)[100:772])
    assert found["std"].any()
    assert found["step"].any()


@pytest.mark.filterwarnings("ignore:Segment too short:UserWarning")
def test_opensmile_gives_no_numbers_rather_than_wrong_ones_for_ten_milliseconds(voice):
    assert np.isnan(Egemaps()(voice(0.01))).all()


def test_it_is_the_log_of_triangles_over_the_power_of_each_frame(logmel):
    """The slow way, in NumPy: HTK's mel, one frame and one triangle at a time."""
    samples = np.random.default_rng(3).normal(0, 0.1, 4000)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    # torch centres a window that is shorter than the transform
    frames = [samples[at + 56 : at + 456] * window for at in range(0, 4000 - 512 + 1, 160)]
    power = np.array([np.abs(np.fft.rfft(frame, 512)) ** 2 for frame in frames])
    mel = np.linspace(*(2595 * np.log10(1 + f / 700) for f in (50, 8000)), 42)
    corners, bins = 700 * (10 ** (mel / 2595) - 1), np.arange(257) * 16_000 / 512
    bank = [
        np.maximum(0, np.minimum((bins - low) / (mid - low), (high - bins) / (high - mid)))
        for low, mid, high in zip(corners, corners[1:], corners[2:], strict=False)
    ]
    slow = np.log(power @ np.array(bank).T + 1e-8)
    fast = named(logmel, samples)
    assert fast["mean"] == pytest.approx(slow.mean(axis=0), abs=1e-4)
    assert fast["std"] == pytest.approx(slow.std(axis=0), abs=1e-4)
    assert fast["step"] == pytest.approx(np.abs(np.diff(slow, axis=0)).mean(axis=0), abs=1e-4)
