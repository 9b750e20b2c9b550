"""What stands for a recording in Python: arrays, tensors, bytes, files and rows of datasets."""

import io
import pathlib

import numpy as np
import pytest
import soundfile
import torch

from xlser.data.samples import as_frames, open_sound

RATE = 8_000
TONE = (0.5 * np.sin(np.arange(4000) / 5)).astype(np.float32)


def heard(audio, rate=None):
    with open_sound(audio, rate) as sound:
        return np.concatenate(list(sound.blocks())), sound.rate


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, TONE, RATE, subtype="FLOAT")
    return path


PAIR = np.stack([TONE, -0.5 * TONE], axis=1)
WHOLE = np.round(TONE * 2**15)
INPUTS = {
    "float32": TONE,
    "float64": TONE.astype(np.float64),
    "float16": TONE.astype(np.float16),
    "big-endian": TONE.astype(">f4"),
    "read-only": np.broadcast_to(TONE, TONE.shape),
    "every second": np.repeat(TONE, 2)[::2],
    "list": TONE.tolist(),
    "int16": WHOLE.astype(np.int16),
    "int32": np.round(TONE.astype(np.float64) * 2**31).astype(np.int32),
    "uint8": np.round(TONE * 2**7 + 128).astype(np.uint8),
    "int8": np.round(TONE * 2**7).astype(np.int8),
    "(1, S)": TONE[None],
    "(S, 1)": TONE[:, None],
    "tensor": torch.from_numpy(TONE),
    "tensor (1, S)": torch.from_numpy(TONE)[None],
    "tensor with a gradient": torch.from_numpy(TONE.copy()).requires_grad_(),
    "bfloat16": torch.from_numpy(TONE).bfloat16(),
    "int16 tensor": torch.from_numpy(WHOLE.astype(np.int16)),
}


@pytest.mark.parametrize("samples", INPUTS.values(), ids=INPUTS)
def test_samples_of_every_kind_are_on_full_scale_1_with_channels_last(samples):
    found, rate = heard(samples, RATE)
    assert (found.shape, found.dtype, rate) == ((4000, 1), np.float32, RATE)
    coarse = 2e-2 if getattr(samples, "dtype", None) in (np.uint8, np.int8, torch.bfloat16) else 1e-3
    assert np.abs(found[:, 0] - TONE).max() < coarse


@pytest.mark.parametrize("pair", [PAIR, PAIR.T, torch.from_numpy(PAIR), torch.from_numpy(PAIR.T)])
def test_of_two_axes_the_short_one_is_channels(pair):
    assert np.array_equal(as_frames(pair), PAIR)


@pytest.mark.parametrize("shape", [(2, 3), (100, 100), (40, 9000), (1, 1, 800), (2, 4, 800), ()])
def test_a_shape_that_cannot_be_told_is_refused(shape):
    with pytest.raises(ValueError, match="axis"):
        as_frames(np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    "samples", [np.zeros(9, bool), np.zeros(9, complex), np.zeros(9, np.int64), ["a", "b"], [None]]
)
def test_what_has_no_full_scale_is_refused(samples):
    with pytest.raises(TypeError, match="floating point"):
        as_frames(samples)


@pytest.mark.parametrize("audio", [TONE, {"array": TONE}, torch.from_numpy(TONE)], ids=["array", "mapping", "tensor"])
def test_samples_need_a_rate(audio):
    with pytest.raises(ValueError, match="`rate` must be given"):
        heard(audio)


@pytest.mark.parametrize("rate", [0, -8000, 8000.5, 16, 44.1, "8000", True, float("nan"), 1e9])
def test_a_rate_is_a_whole_number_of_hertz(rate):
    with pytest.raises(ValueError, match="`rate` must be a whole number"):
        heard(TONE, rate)


def ways(path):
    """Return a file in every way in which it can be handed in."""
    data = path.read_bytes()
    yield from (path, str(path), pathlib.PurePosixPath(path), data, bytearray(data), memoryview(data), io.BytesIO(data))
    yield from ({"bytes": data, "path": "elsewhere.wav"}, {"bytes": None, "path": str(path)})
    yield from ({"array": TONE, "sampling_rate": RATE}, {"path": "x", "array": TONE.tolist(), "sampling_rate": RATE})


class Pipe(io.RawIOBase):
    """A stream that can be read once, as standard input is."""

    def __init__(self, data):
        self._data = io.BytesIO(data)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._data.readinto(buffer)


def test_a_file_is_the_same_however_it_is_handed_in(wav):
    for audio in (*ways(wav), Pipe(wav.read_bytes())):
        found, rate = heard(audio)
        assert rate == RATE
        assert np.array_equal(found[:, 0], TONE)
    with wav.open("rb") as file:
        assert np.array_equal(heard(file)[0][:, 0], TONE)
        assert np.array_equal(heard(file, RATE)[0][:, 0], TONE)  # it is read from its beginning again


def test_a_rate_that_contradicts_the_recordings_own_is_refused(wav):
    for audio in ways(wav):
        assert heard(audio, RATE)[1] == RATE
        with pytest.raises(ValueError, match=f"{RATE} Hz"):
            heard(audio, 2 * RATE)


def test_what_stands_for_no_sound_is_refused(wav):
    for audio in ({"text": "hello"}, {}, None, 3 + 4j, object()):
        with pytest.raises((TypeError, ValueError), match="`audio` must"):
            heard(audio, RATE)
    with wav.open(encoding="latin-1") as text, pytest.raises(TypeError, match="rb"):
        heard(text)


def test_a_decoder_of_torchcodec_is_read():
    class Samples:
        data, sample_rate = torch.from_numpy(PAIR.T), RATE

    class Decoder:
        def get_all_samples(self):
            return Samples

    found, rate = heard(Decoder())
    assert rate == RATE
    assert np.array_equal(found, PAIR)
