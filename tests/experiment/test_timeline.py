"""A recording in windows: each answer is `predict`'s of the same part, and none of the recording is left out."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from xlser.errors import CorpusError, XlserError
from xlser.experiment.run import run_recipe
from xlser.experiment.use.model import load
from xlser.experiment.use.request import Request
from xlser.experiment.use.timeline import read_timeline, window_count
from xlser.experiment.use.timelines import textgrid_places
from xlser.experiment.workplace import Workplace
from xlser.training.recipe import Recipe

RATE = 8000


class Listener:
    """Stands for a model: its answer is what it heard."""

    embedder = SimpleNamespace(shortest=800, rate=RATE)

    def predict_files(self, files, *, labels, k, on_fault):
        (request,) = files
        assert request.rate == RATE
        yield (request.audio, labels, k)


def spans(samples, **lengths):
    windows = list(read_timeline(Listener(), Request(samples, RATE), **lengths))
    for window in windows:
        first = round(window.start * RATE)
        np.testing.assert_array_equal(window.prediction[0], samples[first : round(window.end * RATE)])
    return [(round(window.start, 6), round(window.end, 6)) for window in windows]


@pytest.mark.parametrize("seconds", [0.4, 2.9, 3.0, 3.0001, 3.7, 4.0, 9.99, 10.125])
@pytest.mark.parametrize("every", [0.3, 1.0, 3.0, 4.5])
def test_windows_are_where_they_should_be(seconds, every):
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, round(seconds * RATE)).astype(np.float32)
    total = len(samples) / RATE
    begins = [k * every for k in range(100) if k * every + 3 < total - 1e-9] + [max(0.0, total - 3)]
    obvious = [(begin, min(total, begin + 3)) for begin in begins]
    assert spans(samples, every=every, window=3.0) == [pytest.approx(one, abs=1e-6) for one in obvious]
    assert window_count(total, every, 3.0) == len(obvious)


def test_blocks_of_any_size_give_the_same_windows(tmp_path, monkeypatch):
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (10 * RATE + 77, 2))
    soundfile.write(tmp_path / "a.flac", samples, RATE, subtype="PCM_16")
    request = Request(tmp_path / "a.flac", start=1.25, end=9.5, channel="right")
    heard = list(read_timeline(Listener(), request, every=0.7, window=2.0))
    exact = soundfile.read(tmp_path / "a.flac", dtype="float32")[0][:, 1]
    assert (heard[0].start, heard[-1].end) == (1.25, 9.5)
    for window in heard:
        part = exact[round(window.start * RATE) : round(window.end * RATE)]
        np.testing.assert_array_equal(window.prediction[0], part)


def test_options_reach_the_model():
    (window,) = read_timeline(Listener(), Request(np.ones(800) / 2, RATE), labels=["anger", "sadness"], k=2)
    assert window.prediction[1:] == (["anger", "sadness"], 2)


@pytest.mark.parametrize("lengths", [{"every": 0}, {"every": float("nan")}, {"window": 601}, {"window": -1}])
def test_lengths_that_cut_nothing_are_refused(lengths):
    with pytest.raises(XlserError, match=next(iter(lengths))):
        list(read_timeline(Listener(), Request(np.ones(800), RATE), **lengths))


def test_a_recording_that_breaks_off_is_a_fault_not_an_end(tmp_path):
    samples = np.full(12 * RATE, 0.25, np.float32)
    samples[-10:] = np.nan
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(CorpusError, match=r"a\.wav.*NaN"):
        list(read_timeline(Listener(), Request(tmp_path / "a.wav")))
    with pytest.raises(CorpusError, match=r"gone\.wav"):
        list(read_timeline(Listener(), Request(tmp_path / "gone.wav")))


def test_two_recordings_never_share_a_textgrid(tmp_path):
    names = ["a/x.wav", "a/x.WAV", "b/x.flac", "a/X.wav", "a/x-2.wav"]
    requests = [Request(tmp_path / name) for name in names] + [Request(tmp_path / names[0], start=2.0)] * 3
    places = textgrid_places(requests, tmp_path / "out")
    assert len({str(place).casefold() for place in places}) == len(requests)
    assert all((tmp_path / "out") in place.parents for place in places)
    assert textgrid_places(requests[:1], tmp_path / "one.TextGrid") == [tmp_path / "one.TextGrid"]
    for out in (None, tmp_path / "one.TextGrid"):
        with pytest.raises(XlserError, match="--out"):
            textgrid_places(requests, out)
    (stdin,) = textgrid_places([Request(io.BytesIO(), label="../../up")], tmp_path / "out")
    assert stdin == tmp_path / "out" / "up.TextGrid"


@pytest.fixture(scope="module")
def model(tmp_path_factory, small_data, small_cache):
    """A model on log-mel features, of synthetic speech."""
    here = Workplace(small_data, cache=small_cache, progress=False, say=lambda text: None)
    recipe = Recipe(
        name="t",
        source="synthetic-de",
        targets=(),
        features={"extractor": "logmel"},
        split={"folds": 4},
        training={"epochs": 1, "seeds": 1},
        evaluation={"draws": 100},
    )
    return load(run_recipe(recipe, tmp_path_factory.mktemp("t") / "run", here))


def test_an_answer_is_that_of_the_segment(model, tmp_path, voice):
    samples = np.concatenate([voice(1.6, pitch=120), np.zeros(32_000, np.float32), voice(1.5, pitch=240, seed=1)])
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="PCM_16")
    windows = list(read_timeline(model, Request(tmp_path / "a.wav"), every=0.5, window=1.2))
    silent = [window for window in windows if window.prediction is None]
    assert silent
    assert all("silent" in window.fault and window.emotion == "" for window in silent)
    for window in windows:
        if window.prediction is not None:
            alone = model.predict(Request(tmp_path / "a.wav", start=window.start, end=window.end))
            assert window.prediction.probabilities == pytest.approx(alone.probabilities, abs=1e-6)
            assert window.prediction.ratings == pytest.approx(alone.ratings, abs=1e-6)


def test_a_silent_recording_is_a_line_of_silence(model):
    windows = list(read_timeline(model, Request(np.zeros(64_000, np.float32), 16_000)))
    assert [window.prediction for window in windows] == [None, None]
