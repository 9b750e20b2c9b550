"""Reading whatever a corpus holds, and naming what cannot be used."""

import os
import struct

import numpy as np
import pytest
import soundfile

from xlser.data.audio import AudioFault, content_hash, probe, read_mono, resample

RATE = 16_000


def sine(frequency=440.0, seconds=0.5, rate=RATE, level=0.5):
    return level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def loudest(samples, rate):
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return spectrum.argmax() * rate / samples.size


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, sine(), RATE)
    return path


@pytest.mark.parametrize(
    ("name", "options", "error"),
    [
        ("a.wav", {"subtype": "PCM_16"}, 2**-15),
        ("a.wav", {"subtype": "PCM_U8"}, 2**-7),
        ("a.wav", {"subtype": "PCM_24"}, 2**-22),
        ("a.wav", {"subtype": "FLOAT"}, 1e-7),
        ("a.wav", {"subtype": "ULAW"}, 0.03),
        ("a.wav", {"format": "AIFF", "subtype": "PCM_16"}, 2**-15),
        ("a.flac", {}, 2**-15),
        ("a.ogg", {}, 0.05),
        ("a.w64", {}, 2**-15),
    ],
    ids=["16 bit", "8 bit", "24 bit", "float", "mu-law", "AIFF named .wav", "FLAC", "Ogg", "W64"],
)
def test_every_common_format_is_read(tmp_path, name, options, error):
    path = tmp_path / name
    soundfile.write(path, sine(), RATE, **options)
    samples = read_mono(path, RATE)
    assert samples.dtype == np.float32
    assert samples.shape == (8000,)
    assert np.abs(samples - sine()).max() <= error
    info = probe(path)
    assert (info.sample_rate, info.channels, info.duration) == (RATE, 1, 0.5)


def test_channels_are_averaged(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.stack([sine(), np.zeros(8000), 0.5 * sine()], axis=1), RATE, subtype="FLOAT")
    assert np.abs(read_mono(tmp_path / "a.wav", RATE) - 0.5 * sine()).max() < 1e-6
    assert probe(tmp_path / "a.wav").channels == 3


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 24_414, 44_100, 48_000, 96_000])
def test_resampling_keeps_frequency_level_and_length(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", sine(1000, rate=rate), rate, subtype="FLOAT")
    samples = read_mono(tmp_path / "a.wav", RATE)
    assert abs(samples.size - 8000) <= 1
    assert abs(loudest(samples, RATE) - 1000) <= 2
    assert np.abs(samples[1000:-1000]).max() == pytest.approx(0.5, abs=0.01)


def test_what_is_above_half_the_new_rate_is_taken_out():
    assert np.abs(resample(sine(10_000, rate=48_000).astype(np.float32), 48_000, RATE)[500:-500]).max() < 0.01


def test_at_its_own_rate_nothing_is_touched():
    samples = sine().astype(np.float32)
    assert resample(samples, RATE, RATE) is samples


def test_a_segment_is_that_part_of_the_file(wav):
    whole = read_mono(wav, RATE)
    assert np.array_equal(read_mono(wav, RATE, 0.1, 0.25), whole[1600:4000])
    assert np.array_equal(read_mono(wav, RATE, 0.4), whole[6400:])
    assert np.array_equal(read_mono(wav, RATE, 0.4, 9.0), whole[6400:])
    assert read_mono(wav, 8_000, 0.1, 0.3).size == 1600


@pytest.mark.parametrize(("start", "end"), [(0.5, None), (9.0, None), (0.3, 0.3), (0.3, 0.2)])
def test_a_segment_without_samples_is_a_fault(wav, start, end):
    with pytest.raises(AudioFault, match="zero length: no samples in this part"):
        read_mono(wav, RATE, start, end)


def cut(path, share=0.5):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


@pytest.mark.parametrize("options", [{}, {"format": "AIFF"}, {"format": "AU"}], ids=["WAV", "AIFF", "AU"])
@pytest.mark.parametrize("share", [0.5, 0.9999])
def test_a_truncated_file_is_known_by_its_header(tmp_path, options, share):
    path = tmp_path / "a.wav"
    soundfile.write(path, sine(seconds=2), RATE, subtype="PCM_16", **options)
    probe(path)
    cut(path, share)
    with pytest.raises(AudioFault, match=r"truncated: the header promises 64,0\d\d bytes of samples, but"):
        probe(path)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_flac_is_known_when_it_is_decoded(tmp_path, share):
    path = tmp_path / "a.flac"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, RATE), RATE)
    cut(path, share)
    with pytest.raises(AudioFault, match="cut short"):
        read_mono(path, RATE)


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFFF, 0x80000000], ids=hex)
def test_a_header_that_was_streamed_does_not_make_a_file_truncated(wav, size):
    data = bytearray(wav.read_bytes())
    place = data.index(b"data") + 4
    data[place : place + 4] = data[4:8] = struct.pack("<I", size)
    wav.write_bytes(data)
    assert probe(wav).duration == 0.5
    assert read_mono(wav, RATE).size == 8000


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        (np.zeros(800), "silent: the loudest sample is 0.0e\\+00"),
        (np.full(800, 1e-5), "silent: the loudest sample is 1.0e-05"),
        (np.array([0.1, np.nan, 0.2]), "NaN or infinite samples"),
        (np.array([0.1, -np.inf, 0.2]), "NaN or infinite samples"),
        (np.zeros(0), "zero length"),
    ],
    ids=["zeros", "below one step", "NaN", "infinite", "no samples"],
)
def test_sound_that_cannot_be_used_is_a_fault(tmp_path, samples, told):
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(AudioFault, match=told):
        read_mono(tmp_path / "a.wav", RATE)


def test_one_step_of_sixteen_bits_is_not_silence(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.array([0, 1, 0], dtype=np.int16), RATE)
    assert read_mono(tmp_path / "a.wav", RATE).max() == 2**-15


@pytest.mark.parametrize("read", [probe, lambda path: read_mono(path, RATE)], ids=["probe", "read_mono"])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "zero length: an empty file"),
        (b"<!DOCTYPE html>\n<title>Not found", r"text named as audio \(32 bytes; Format not recognised\)"),
        ("یہ آواز نہیں ہے بلکہ محض متن ہے اور کچھ بھی نہیں".encode(), "text named as audio"),
        (b"RIFF\x24\x00\x00\x00WAVE", "not audio that can be decoded, or cut short"),
        (bytes(range(256)), "not audio that can be decoded"),
        (None, "the file is gone"),
    ],
    ids=["0 bytes", "HTML", "Urdu text", "header alone", "bytes", "missing"],
)
def test_a_file_that_is_no_audio_is_named_for_what_it_is(tmp_path, read, content, told):
    path = tmp_path / "a.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AudioFault, match=told):
        read(path)


def test_a_file_that_may_not_be_read_is_a_fault_with_the_reason(wav, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(soundfile, "SoundFile", refuse)
    monkeypatch.setattr(type(wav), "open", refuse)
    with pytest.raises(AudioFault, match="cannot be read: Permission denied"):
        probe(wav)


def test_the_content_hash_is_of_bytes_and_segment_not_of_the_name(wav, tmp_path):
    other = tmp_path / "b.wav"
    other.write_bytes(wav.read_bytes())
    os.utime(other, (0, 0))
    assert content_hash(wav) == content_hash(other) == content_hash(wav, 0.0, None)
    hashes = {content_hash(wav, *part) for part in [(), (0.0, 1.0), (0.0, 2.0), (1.0, 2.0), (1.0, None)]}
    assert len(hashes) == 5
    other.write_bytes(wav.read_bytes()[:-1] + b"\x01")
    assert content_hash(other) != content_hash(wav)
