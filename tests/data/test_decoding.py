"""One decoder for training and predicting: to the end of what is there, whatever a header says."""

import errno
import hashlib
import io
import os
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from media import encode

from xlser.data import unreadable
from xlser.data.audio import AudioFault, PassingFault, content_hash, probe, read_mono
from xlser.data.decoding import BLOCK, count_frames, open_audio
from xlser.errors import MachineError
from xlser.experiment.use.recordings import windows_of_audio

RATE = 16_000


def speech(seconds=2.0, rate=RATE, silence=0.0):
    t = np.arange(round(seconds * rate)) / rate
    tone = 0.4 * np.sin(2 * np.pi * (200 * t + 150 * t**2)) * np.sin(2 * np.pi * 3 * t) ** 2
    return np.concatenate([np.zeros(round(silence * rate)), tone]).astype(np.float32)


def in_windows(path, **part):
    return np.concatenate(list(windows_of_audio(path, None, RATE, RATE, 400, **part)))


def check(path, seconds, *, within=0.15, rate=None):
    """See that header, training and predicting agree on a recording, and return its samples at 16 kHz."""
    info, whole = probe(path), read_mono(path, RATE)
    assert info.duration == pytest.approx(seconds, abs=within)
    assert rate in (None, info.sample_rate)
    assert abs(len(whole) - info.duration * RATE) <= 1
    np.testing.assert_allclose(in_windows(path), whole, atol=1e-6)
    return whole


# Lengths that are guessed, or wrong.


@pytest.fixture(scope="module")
def vbr(tmp_path_factory):
    """An MP3 of 8.3 s with a variable bit rate, loud at first, so that its length is guessed at half of what it is."""
    noise = np.random.default_rng(0).normal(0, 0.2, 4 * RATE).astype(np.float32)
    samples = np.concatenate([noise, speech(0.3), 1e-3 * noise])
    path = tmp_path_factory.mktemp("mp3") / "a.mp3"
    with soundfile.SoundFile(
        path, "w", RATE, 1, format="MP3", subtype="MPEG_LAYER_III", compression_level=0.5, bitrate_mode="VARIABLE"
    ) as file:
        file.write(samples)
    return path


def without_count(path, target):
    """Copy an MP3 without the frame that counts the others."""
    data = path.read_bytes()
    place = next(data.find(word) for word in (b"Xing", b"Info") if word in data)
    first = data.rfind(b"\xff", 0, place - 4)
    second = next(at for at in range(place, len(data)) if data[at : at + 2] == data[first : first + 2])
    target.write_bytes(data[:first] + data[second:])
    return target


def test_an_mp3_that_counts_its_frames_is_as_long_as_it_says(vbr):
    assert b"Xing" in vbr.read_bytes()
    assert check(vbr, 8.3, within=0.001).any()


def test_an_mp3_without_a_count_is_read_to_its_end(vbr, tmp_path):
    path = without_count(vbr, tmp_path / "b.mp3")
    assert soundfile.info(path).duration < 6  # what libsndfile guesses, and where it stops
    whole = check(path, 8.3)
    assert np.abs(whole[7 * RATE :]).max() > 1e-4
    part = read_mono(path, RATE, 3.0, 4.5)
    np.testing.assert_allclose(part, whole[3 * RATE : 3 * RATE + 24_000], atol=1e-6)
    np.testing.assert_allclose(in_windows(path, start=3.0, end=4.5), part, atol=1e-6)


def test_an_mp3_that_begins_in_silence_is_whole(tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.05, 6 * RATE)
    samples = np.concatenate([np.zeros(2 * RATE), speech(6.0) + noise])
    soundfile.write(tmp_path / "a.mp3", samples, RATE, bitrate_mode="VARIABLE", compression_level=0.5)
    path = without_count(tmp_path / "a.mp3", tmp_path / "b.mp3")
    assert soundfile.info(path).duration > 16  # what libsndfile guesses: more than there is
    whole = check(path, 8.0)
    assert np.abs(whole[: 2 * RATE - 2000]).max() < 1e-3 < np.abs(whole[7 * RATE :]).max()


def test_mp3s_put_one_behind_the_other_are_read_to_the_end_of_the_last(vbr, tmp_path):
    (tmp_path / "a.mp3").write_bytes(3 * vbr.read_bytes())
    check(tmp_path / "a.mp3", 3 * 8.3, within=0.5)


def test_a_cut_mp3_that_counts_its_frames_is_cut_short(vbr, tmp_path):
    data = vbr.read_bytes()
    (tmp_path / "a.mp3").write_bytes(data[: len(data) // 2])
    for read in (lambda path: read_mono(path, RATE), in_windows):
        with pytest.raises(AudioFault, match="cut short"):
            read(tmp_path / "a.mp3")


def test_tags_before_an_mp3_are_passed_over(vbr, tmp_path):
    picture = b"ID3\x03\x00\x00" + bytes([0, 1, 0, 0]) + b"Xing\x00\x00\x00\x00" + bytes(2**14 - 8)
    bare = without_count(vbr, tmp_path / "b.mp3").read_bytes()
    (tmp_path / "a.mp3").write_bytes(picture + bare + b"TAG" + bytes(125))
    assert probe(tmp_path / "a.mp3") == probe(tmp_path / "b.mp3")
    (tmp_path / "c.mp3").write_bytes(picture + vbr.read_bytes())
    assert probe(tmp_path / "c.mp3") == probe(vbr)


def resized(path, size, *, whole=None):
    """Write another size of data into a WAV's header, and another one of the whole file."""
    data = bytearray(path.read_bytes())
    place = data.index(b"data") + 4
    data[place : place + 4] = struct.pack("<I", size)
    data[4:8] = struct.pack("<I", size + 36 if whole is None else whole)
    path.write_bytes(data)
    return path


@pytest.fixture
def wav(tmp_path):
    soundfile.write(tmp_path / "a.wav", speech(), RATE)
    return tmp_path / "a.wav"


@pytest.mark.parametrize("size", [0, 4096, 0xFFFFFFFF, 0x7FFFF000, 0x80000000], ids=hex)
@pytest.mark.parametrize("whole", [None, 0, 64_036, 0xFFFFFFFF], ids=["fitting", "0", "right", "unknown"])
def test_a_wav_is_as_long_as_its_samples_not_as_its_header(wav, size, whole):
    expected = read_mono(wav, RATE)
    resized(wav, size, whole=min(size + 36, 2**32 - 1) if whole is None else whole)
    assert np.array_equal(check(wav, 2.0, within=0), expected)


def test_chunks_behind_the_samples_are_no_samples(wav):
    data = wav.read_bytes()
    for length in (0, 200, 70_000):  # however much longer than the samples they are
        chunk = b"LIST" + struct.pack("<I", length) + bytes(length)
        wav.write_bytes(data + chunk)
        assert probe(wav).duration == 2.0
        wav.write_bytes(data + b"ID3\x03" + bytes(length))
        assert length > 60_000 or probe(wav).duration == 2.0
    wav.write_bytes(data[:40] + bytes(4) + chunk)
    with pytest.raises(AudioFault, match="zero length"):
        probe(wav)


def streams():
    yield from (("a.flac", "flac", "flac"), ("a.caf", "pcm_s16le", "caf"), ("a.au", "pcm_s16be", "au"))
    yield from (("a.w64", "pcm_s16le", "w64"), ("a.wav", "pcm_s16le", "wav"), ("a.aiff", "pcm_s16be", "aiff"))


@pytest.mark.parametrize(("name", "codec", "kind"), streams(), ids=[kind for *_, kind in streams()])
def test_what_was_written_to_a_pipe_is_whole(tmp_path, name, codec, kind):
    path = encode(tmp_path / name, speech(), RATE, codec, kind=kind, pipe=True)
    assert np.abs(check(path, 2.0, within=0) - speech()).max() < 1e-3


def test_an_rf64_whose_lengths_were_never_filled_in_is_whole(tmp_path):
    path = encode(tmp_path / "a.wav", speech(), RATE, "pcm_s16le", kind="wav", pipe=True, rf64="always")
    assert np.abs(check(path, 2.0, within=0) - speech()).max() < 1e-3


def test_an_au_of_no_size_is_whole(tmp_path):
    soundfile.write(tmp_path / "a.au", speech(), RATE, subtype="PCM_16")
    data = bytearray((tmp_path / "a.au").read_bytes())
    data[8:12] = bytes(4)
    (tmp_path / "a.au").write_bytes(data)
    check(tmp_path / "a.au", 2.0, within=0)


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a.opus", "a.flac", "a.wav"])
def test_blocks_put_together_are_the_recording_and_segments_parts_of_it(tmp_path, name):
    rate = 48_000
    options = {"format": "OGG", "subtype": "OPUS"} if name == "a.opus" else {}
    soundfile.write(tmp_path / name, speech(3.0, rate, silence=2.0), rate, **options)
    whole, _ = soundfile.read(tmp_path / name, dtype="float32")
    assert len(whole) > 3 * BLOCK
    with open_audio(tmp_path / name) as sound:
        found = np.concatenate(list(sound.blocks()))[:, 0]
    np.testing.assert_allclose(found, whole, atol=1e-6)
    with open_audio(tmp_path / name) as sound:
        part = np.concatenate(list(sound.blocks(BLOCK + 17, 3 * BLOCK)))[:, 0]
    np.testing.assert_allclose(part, whole[BLOCK + 17 : 3 * BLOCK], atol=1e-4)


# What soundfile does not open.

MEDIA = {
    "a.m4a": ("aac", 44_100),
    "a.aac": ("aac", 44_100),
    "a.wma": ("wmav2", 44_100),
    "a.webm": ("libopus", 48_000),
    "a.amr": ("libopencore_amrnb", 8_000),
    "a.3gp": ("libopencore_amrnb", 8_000),
    "a.mka": ("aac", 48_000),
    "b.m4a": ("alac", 44_100),
    "a.wv": ("wavpack", 44_100),
}
FILMS = {"a.mp4": ("aac", 48_000), "a.mkv": ("aac", 44_100), "a.mov": ("pcm_s16le", 16_000), "a.avi": ("mp3", 44_100)}


@pytest.mark.parametrize("name", [*MEDIA, *FILMS])
def test_what_telephones_cameras_and_browsers_record_is_read(tmp_path, name):
    codec, rate = (MEDIA | FILMS)[name]
    path = encode(tmp_path / name, speech(2.0, rate), rate, codec, film=name in FILMS)
    whole = check(path, 2.0, rate=rate)
    lags = np.correlate(whole[:RATE], speech()[4000:12_000], "valid")
    assert lags.max() > 0.85 * (speech()[4000:12_000] ** 2).sum()
    assert abs(int(lags.argmax()) - 4000) < 0.06 * RATE
    np.testing.assert_allclose(read_mono(path, RATE, 0.5, 1.25), in_windows(path, start=0.5, end=1.25), atol=1e-6)
    assert len(read_mono(path, RATE, 0.5, 1.25)) == 12_000


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "aac"), ("a.mov", "pcm_s16le")])
def test_channels_of_a_film_are_kept_apart(tmp_path, name, codec):
    pair = np.stack([speech(2.0, 48_000), 0.25 * speech(2.0, 48_000)], axis=1)
    path = encode(tmp_path / name, pair, 48_000, codec, film=True)
    assert probe(path).channels == 2
    assert probe(path).duration == pytest.approx(2.0, abs=0.05)
    left, right, mix = (np.abs(read_mono(path, RATE, channel=channel)).max() for channel in (1, 2, None))
    assert right / left == pytest.approx(0.25, rel=0.2)
    assert mix / left == pytest.approx(0.625, rel=0.2)


def test_a_film_is_read_from_memory(tmp_path):
    path = encode(tmp_path / "a.mp4", speech(), RATE, "aac", film=True)
    assert count_frames(io.BytesIO(path.read_bytes())) == count_frames(path)


def test_a_film_without_sound_is_a_fault(tmp_path):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "a.mp4"), "w") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        out.mux(stream.encode(None))
    with pytest.raises(AudioFault, match="no sound"):
        probe(tmp_path / "a.mp4")


@pytest.mark.parametrize("options", [{"movflags": "faststart"}, {}], ids=["index first", "index last"])
def test_a_cut_film_is_a_fault(tmp_path, options):
    path = encode(tmp_path / "a.m4a", speech(6.0, 44_100), 44_100, "aac", **options)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioFault, match=r"cut short|not audio"):
        read_mono(path, RATE)


HEADS = {
    "a.m4a": b"\x00\x00\x00\x20ftypM4A ",
    "a.wma": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),
    "a.webm": b"\x1aE\xdf\xa3\x01\x00\x00\x00",
    "a.amr": b"#!AMR\n\x3c",
    "a.aac": b"\xff\xf1\x50\x80",
}


@pytest.mark.parametrize("name", HEADS)
def test_without_pyav_the_way_out_is_said_and_not_remembered(tmp_path, monkeypatch, name):
    (tmp_path / name).write_bytes(HEADS[name] + bytes(range(256)))
    for module in ("decoding", "unreadable"):
        monkeypatch.setattr(f"xlser.data.{module}.find_spec", lambda name: None)
    with pytest.raises(PassingFault, match=rf'pip install "xlser\[media\]".*ffmpeg -i {name}'):
        probe(tmp_path / name)


# Files that hold no sound that can be decoded.


@pytest.mark.parametrize("name", ["a.raw", "a.pcm", "a.RAW"])
def test_samples_without_a_header_are_a_fault(tmp_path, name):
    (tmp_path / name).write_bytes((speech() * 2**15).astype("<i2").tobytes())
    for read in (probe, lambda path: read_mono(path, RATE), in_windows):
        with pytest.raises(AudioFault, match=r"without a header.*ffmpeg -f s16le"):
            read(tmp_path / name)


def test_a_wav_that_is_named_raw_is_read(wav, tmp_path):
    check(wav.rename(tmp_path / "a.raw"), 2.0, within=0)


def test_a_sphere_file_is_read_and_a_compressed_one_told_how_to_convert(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "a.sph", speech(), RATE, format="NIST", subtype="PCM_16")
    assert np.abs(check(tmp_path / "a.sph", 2.0, within=0) - speech()).max() < 1e-3
    head = b"NIST_1A\n   1024\nsample_coding -s26 pcm,embedded-shorten-v2.00\nchannel_count -i 1\nend_head\n"
    (tmp_path / "b.sph").write_bytes(head.ljust(1024) + b"ajkg\x02" + bytes(range(256)))
    with pytest.raises(AudioFault, match=r"compressed by shorten.*sph2pipe -f wav b\.sph"):
        probe(tmp_path / "b.sph")


def test_a_name_in_another_encoding_is_a_name(wav, tmp_path):
    name = tmp_path / os.fsdecode(b"stra\xdfe.wav")
    try:
        wav.rename(name)
    except OSError:
        pytest.skip("this disk takes no such name")
    check(name, 2.0, within=0)
    (tmp_path / os.fsdecode(b"\xe4.m4a")).write_bytes(HEADS["a.m4a"])
    with pytest.raises(AudioFault):
        probe(tmp_path / os.fsdecode(b"\xe4.m4a"))


@pytest.mark.parametrize(
    "error", [TypeError("odd"), ValueError("odd"), KeyError("odd"), RuntimeError("odd"), struct.error("odd")]
)
def test_whatever_a_reader_raises_is_a_fault_of_the_file(wav, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("xlser.data.decoding.SoundfileDecoder", fail)
    with pytest.raises(AudioFault, match="odd"):
        probe(wav)


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "I/O"), OSError(errno.EMFILE, "many"), MemoryError(), ImportError("lib")]
)
def test_what_can_only_be_the_machine_is_never_a_fault_of_the_file(wav, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("xlser.data.decoding.SoundfileDecoder", fail)
    with pytest.raises(MachineError):
        probe(wav)


@pytest.mark.parametrize("rate", [1, 16, 4_000_000_000])
def test_a_rate_that_no_sound_has_is_a_fault(wav, rate):
    data = bytearray(wav.read_bytes())
    data[24:28] = struct.pack("<I", rate)
    wav.write_bytes(data)
    for read in (probe, lambda path: read_mono(path, RATE), in_windows):
        with pytest.raises(AudioFault, match=r"sample rate of [\d,]+ Hz|not audio that can be decoded"):
            read(wav)


def test_a_name_that_no_file_can_have_is_a_fault():
    for read in (probe, lambda path: read_mono(path, RATE), in_windows, content_hash):
        with pytest.raises(AudioFault, match="no file can have that name"):
            read("a\0.wav")


def test_a_pyav_that_cannot_be_loaded_costs_the_file_alone(tmp_path, monkeypatch):
    (tmp_path / "a.m4a").write_bytes(HEADS["a.m4a"] + bytes(range(256)))
    monkeypatch.setattr("xlser.data.decoding.find_spec", lambda name: name)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(PassingFault, match="PyAV, which may, cannot be loaded"):
        probe(tmp_path / "a.m4a")


def test_what_was_kept_of_half_a_recording_is_not_taken_for_all_of_it(vbr, wav, tmp_path):
    """A file whose end was not read before has another key than its bytes alone; every other one keeps its own."""

    def keyed_by_bytes(path):
        return content_hash(path) == hashlib.sha256(path.read_bytes()).hexdigest()

    assert keyed_by_bytes(vbr)
    assert keyed_by_bytes(wav)
    assert not keyed_by_bytes(without_count(vbr, tmp_path / "b.mp3"))
    assert not keyed_by_bytes(resized(wav, 4096))
    assert not keyed_by_bytes(resized(wav, 0))


def test_segments_of_a_file_that_was_changed_have_another_key(wav):
    before = content_hash(wav, 0.0, 1.0)
    assert content_hash(wav, 0.0, 1.0) == before != content_hash(wav, 0.0, 1.5)
    data = bytearray(wav.read_bytes())
    data[-100] ^= 1
    wav.write_bytes(data)
    assert content_hash(wav, 0.0, 1.0) != before


def test_a_folder_is_no_recording(tmp_path):
    (tmp_path / "a.wav").mkdir()
    with pytest.raises(AudioFault, match="a folder, not a recording"):
        probe(tmp_path / "a.wav")


def test_a_fault_names_what_libraries_said(tmp_path):
    fault = unreadable.opening_fault(Path(__file__), ValueError("x: bad chunk."))
    assert "bad chunk" in str(fault)
