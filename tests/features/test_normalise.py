"""Z-scores against a loop, and where there is nothing to divide by."""

from typing import get_args

import numpy as np
import pandas as pd
import pytest

from xlser.features.normalise import PROTOCOL, SPEAKER_MINIMUM, Normalisation, Scaler, by_corpus, normalise


@pytest.fixture
def values():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(30, 4)) * [1, 100, 1e-3, 5] + [0, 1e4, 3, -5]).astype(np.float32)


@pytest.fixture
def speakers():
    return pd.Series(["a", "b", "c"] * 8 + ["a"] * 5 + ["few"])


def loop(values, statistics_of):
    """Z-scores one number at a time."""
    out = np.empty(values.shape)
    for column in range(values.shape[1]):
        known = [float(value) for value in statistics_of[:, column]]
        mean = sum(known) / len(known)
        deviation = (sum((value - mean) ** 2 for value in known) / len(known)) ** 0.5
        for row in range(len(values)):
            out[row, column] = (float(values[row, column]) - mean) / deviation
    return out


def test_source_takes_the_statistics_it_is_given(values, speakers):
    out = normalise(values[20:], speakers[20:], "source", Scaler.fit(values[:20]))
    assert out.dtype == np.float32
    assert out == pytest.approx(loop(values[20:], values[:20]), abs=1e-4)


def test_corpus_takes_its_own(values, speakers):
    out = normalise(values, speakers, "corpus", Scaler.fit(values[:3] * 9))
    assert out == pytest.approx(loop(values, values), abs=1e-4)


def test_speaker_takes_those_of_each_and_the_corpus_for_one_with_few_rows(values, speakers):
    out = normalise(values, speakers, "speaker", Scaler.fit(values))
    for name in "abc":
        mine = (speakers == name).to_numpy()
        assert out[mine] == pytest.approx(loop(values[mine], values[mine]), abs=1e-4)
    assert out[-1] == pytest.approx(loop(values, values)[-1], abs=1e-4)


def test_by_corpus_takes_the_known_rows_of_each_and_all_known_for_one_with_few(values):
    corpora = np.array(["a", "b"] * 13 + ["few"] * 4)
    known = np.array([0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 14, 26, 27, 28, 29])
    out = by_corpus(values, corpora, known, Scaler.fit(values[known]))
    for name in "ab":
        mine = corpora == name
        assert out[mine] == pytest.approx(
            loop(values[mine], values[[i for i in known if corpora[i] == name]]), abs=1e-4
        )
    assert out[26:] == pytest.approx(loop(values[26:], values[known]), abs=1e-4)


def test_by_corpus_is_bit_by_bit_what_source_gives_for_a_single_corpus(values, speakers):
    known = np.array([3, 1, 20, 7, 8, 9])
    pooled = Scaler.fit(values[known], clip=1.0)
    out = by_corpus(values, np.full(30, "a"), known, pooled)
    assert out.tobytes() == normalise(values, speakers, "source", pooled).tobytes()
    assert np.abs(out).max() == 1.0


@pytest.mark.parametrize("rows", [SPEAKER_MINIMUM - 1, SPEAKER_MINIMUM])
def test_a_speaker_counts_from_the_minimum_on(values, rows):
    speakers = pd.Series(["a"] * rows + ["b"] * (30 - rows))
    out = normalise(values, speakers, "speaker", Scaler.fit(values))
    own = np.abs(out[:rows].mean(axis=0)).max() < 1e-5
    assert own is np.bool_(rows >= SPEAKER_MINIMUM)


def test_the_index_of_the_speakers_does_not_matter(values, speakers):
    out = normalise(values, speakers, "speaker", Scaler.fit(values))
    other = normalise(values, speakers.set_axis(range(100, 130)), "speaker", Scaler.fit(values))
    assert np.array_equal(out, other)


@pytest.mark.parametrize("constant", [0.0, 0.1, -7.3, 1e12])
@pytest.mark.parametrize("kind", get_args(Normalisation))
def test_a_constant_column_becomes_zero_and_not_noise(values, speakers, kind, constant):
    values = values.astype(float)
    values[:, 1] = constant
    out = normalise(values, speakers, kind, Scaler.fit(values))
    assert np.abs(out[:, 1]).max() < 1e-3
    assert np.isfinite(out).all()


@pytest.mark.parametrize("kind", get_args(Normalisation))
def test_scores_beyond_the_clip_are_set_to_it_and_no_others(values, speakers, kind):
    values[[0, 1], 0] = [1e6, -1e6]
    free = normalise(values, speakers, kind, Scaler.fit(values[2:]))
    clipped = normalise(values, speakers, kind, Scaler.fit(values[2:], clip=1.5))
    assert (np.abs(free) > 1.5).any()
    assert np.array_equal(clipped, np.clip(free, -1.5, 1.5))


def test_only_the_source_statistics_look_at_nothing_of_the_target():
    assert PROTOCOL == {"source": "zero-shot", "corpus": "transductive", "speaker": "transductive"}
    assert set(PROTOCOL) == set(get_args(Normalisation))
