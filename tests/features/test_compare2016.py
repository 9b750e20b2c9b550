"""The ComParE 2016 set, where what a functional must be is known; its contract is tested with all extractors'."""

import re

import numpy as np
import pytest

from xlser.features.compare2016 import ComParE


@pytest.fixture(scope="module")
def compare():
    return ComParE()


def named(compare, samples):
    return dict(zip(compare.columns(), compare(samples), strict=True))


def test_it_is_the_published_set(compare):
    columns = compare.columns()
    assert len(columns) == 6373
    descriptors = {re.match(r"(.+)_sma(_de)?(\[\d+\])?_", name).group(1, 3) for name in columns}
    assert len(descriptors) == 4 + 55 + 6  # of energy, spectrum and voicing


def test_pitch_rises_with_the_voice_and_level_with_the_wave(compare, voice):
    low, high = (named(compare, voice(1.0, pitch=pitch)) for pitch in (110.0, 220.0))
    assert low["F0final_sma_percentile99.0"] == pytest.approx(110, rel=0.1)
    assert high["F0final_sma_percentile99.0"] == pytest.approx(220, rel=0.1)
    loud, soft = (named(compare, level * voice(1.0)) for level in (1.0, 0.5))
    for name in ("pcm_RMSenergy_sma_percentile99.0", "pcm_RMSenergy_sma_percentile1.0"):
        assert soft[name] == pytest.approx(loud[name] / 2, rel=0.01)


def test_samples_above_full_scale_are_limited(compare, voice):
    loud = 1.5 * voice(0.5) / np.abs(voice(0.5)).max()
    assert np.array_equal(compare(loud), compare(np.clip(loud, -1, 1)))
