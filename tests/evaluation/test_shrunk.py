"""Shrunk speaker statistics against sums written out, and their two ends."""

import numpy as np
import pytest

from xlser.errors import RecipeError
from xlser.evaluation.adapt import by_speaker
from xlser.evaluation.shrunk import SpeakerStatistics


@pytest.fixture
def parts():
    """Synthetic rows of speakers with 9, 1 and 6 clips, each with an offset of its own."""
    rng = np.random.default_rng(3)
    speakers = np.array([*"aababaacaacccacc"])
    target = (
        rng.normal(size=(16, 3)) * [1, 5, 0.1]
        + np.array([{"a": 0, "b": 9, "c": -4}[name] for name in speakers])[:, None]
    )
    return rng.normal(7, 2, size=(30, 3)), target, speakers


def by_hand(source, target, speakers, k):
    out = np.zeros_like(target)
    for row, name in enumerate(speakers):
        own = [target[i] for i in range(len(target)) if speakers[i] == name]
        for column in range(target.shape[1]):
            values, every = [x[column] for x in own], target[:, column].tolist()
            n, mean, overall = len(values), sum(values) / len(values), sum(every) / len(every)
            variance = sum((x - mean) ** 2 for x in values) / n
            total = sum((x - overall) ** 2 for x in every) / len(every)
            middle = (n * mean + k * overall) / (n + k)
            spread = ((n * variance + k * total) / (n + k)) ** 0.5
            home = source[:, column].tolist()
            at = sum(home) / len(home)
            wide = (sum((x - at) ** 2 for x in home) / len(home)) ** 0.5
            out[row, column] = (target[row, column] - middle) / spread * wide + at
    return out


@pytest.mark.parametrize("k", [0.5, 10, 1e4])
def test_it_is_the_sums_written_out(parts, k):
    np.testing.assert_allclose(SpeakerStatistics(shrink=k).embeddings(*parts), by_hand(*parts, k), rtol=1e-9)


def test_without_shrinking_it_is_each_speaker_alone(parts):
    source, target, speakers = parts
    many = np.isin(speakers, ["a", "c"])
    found = SpeakerStatistics(shrink=0).embeddings(source, target[many], speakers[many])
    np.testing.assert_allclose(found, by_speaker(source, target[many], speakers[many]), atol=1e-5)


def test_shrunk_without_end_it_is_one_shift_of_all(parts):
    source, target = parts[:2]
    found = SpeakerStatistics(shrink=1e12).embeddings(*parts)
    scores = (target - target.mean(axis=0)) / target.std(axis=0)
    np.testing.assert_allclose(found, scores * source.std(axis=0) + source.mean(axis=0), rtol=1e-6)


@pytest.mark.parametrize("shrink", [0, 10])
def test_a_speaker_of_one_clip_and_a_constant_column_stay_finite(parts, shrink):
    source, target, speakers = parts
    target[:, 1] = 3.0
    found = SpeakerStatistics(shrink=shrink).embeddings(source, target, speakers)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[:, 1], source[:, 1].mean())


@pytest.mark.parametrize("shrink", [-1, float("inf"), float("nan")])
def test_a_shrinkage_that_cannot_be_is_refused(shrink):
    with pytest.raises(RecipeError, match="shrink must be"):
        SpeakerStatistics(shrink=shrink)
