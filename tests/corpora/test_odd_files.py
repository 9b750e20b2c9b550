"""What lies in a folder under the name of a recording and is none: named, left out, and never waited for."""

import contextlib
import os
import random
import socket
import struct

import pytest
import soundfile

from xlser.corpora.globbing import walk
from xlser.corpora.table_files import read_frame
from xlser.data.audio import AudioFault, content_hash, probe
from xlser.data.formats.table_options import TableOptions
from xlser.data.formats.table_reader import read_rows
from xlser.data.manifest import build_manifest
from xlser.data.unreadable import opening_fault
from xlser.data.verify import verify
from xlser.errors import CorpusError, MachineError
from xlser.machine import check_opens
from xlser.oddfiles import not_a_file

GOOD = [f"s{speaker}_{code}_{take}.wav" for speaker in range(3) for code in ("ang", "sad") for take in range(2)]


def header(rate=16_000, channels=1, data=b"\0\1" * 2000):
    fmt = struct.pack("<HHIIHH", 1, channels, rate, 2 * rate * channels % 2**32, 2 * channels % 2**16, 16)
    body = b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def caf(promised):
    fmt = struct.pack(">d4sIIIII", 16_000.0, b"lpcm", 0, 2, 1, 1, 16)
    chunks = b"desc" + struct.pack(">q", len(fmt)) + fmt + b"data" + struct.pack(">qI", promised, 0)
    return b"caff" + struct.pack(">HH", 1, 0) + chunks + b"\0\1" * 1000


def long_flac(path, voice):
    soundfile.write(path, voice(), 16_000, format="FLAC")
    data = bytearray(path.read_bytes())
    data[21] |= 0x0F
    data[22:26] = b"\xff\xff\xff\xfe"  # 2^36 samples
    return bytes(data)


def bind(path):
    """Make a socket, whose path may have only some hundred letters."""
    there = os.getcwd()
    with socket.socket(socket.AF_UNIX) as made:
        os.chdir(path.parent)
        try:
            made.bind(path.name)
        finally:
            os.chdir(there)


def caf_chunk(length):
    return b"caff" + struct.pack(">HH4sq", 1, 0, b"free", length) + bytes(100)


def film_to(place):
    """Return a film whose pictures' table lies at a place that there is not."""
    return struct.pack(">I4s4sI4s", 20, b"ftyp", b"isom", 0, b"isom") + struct.pack(">I4sQ", 1, b"moov", place)


ODD = {
    "pipe": (lambda path, voice: os.mkfifo(path), "a pipe"),
    "socket": (lambda path, voice: bind(path), "a socket"),
    "device": (lambda path, voice: path.symlink_to("/dev/zero"), "a device"),
    "folder": (lambda path, voice: path.mkdir(), "a folder"),
    "dangling": (lambda path, voice: path.symlink_to("nowhere"), "link to nothing"),
    "circle": (lambda path, voice: path.symlink_to(path), "in a circle"),
    "empty": (lambda path, voice: path.touch(), "zero length"),
    "slow": (lambda path, voice: path.write_bytes(header(rate=1)), "a sample rate of 1 Hz"),
    "fast": (lambda path, voice: path.write_bytes(header(rate=2**31 - 1)), "2,147,483,647 Hz"),
    "crowd": (lambda path, voice: path.write_bytes(header(channels=1000, data=bytes(80_000))), "1,000 channels"),
    "endless": (lambda path, voice: path.write_bytes(caf(2**63 - 1)), "malformed|cut short"),
    "backwards": (lambda path, voice: path.write_bytes(caf_chunk(-12)), "cut short"),
    "far back": (lambda path, voice: path.write_bytes(caf_chunk(-(2**40))), "cut short"),
    "elsewhere": (lambda path, voice: path.write_bytes(film_to(2**63 + 5)), "MP4|cut short|no sound"),
    "long": (lambda path, voice: path.write_bytes(long_flac(path, voice)), "cut short: .* 68,719,476,734 samples"),
}


@pytest.mark.parametrize("kind", ODD)
def test_each_is_a_fault_of_its_own(tmp_path, voice, kind):
    make, said = ODD[kind]
    make(tmp_path / "a.wav", voice)
    with pytest.raises(AudioFault, match=said):
        probe(tmp_path / "a.wav")


@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "folder"])
def test_what_is_no_file_is_not_opened_to_be_hashed_or_read_as_a_table(tmp_path, voice, kind):
    make, said = ODD[kind]
    make(tmp_path / "a.csv", voice)
    with pytest.raises(AudioFault, match=said):
        content_hash(tmp_path / "a.csv")
    with pytest.raises(OSError, match="not a file"):
        check_opens(tmp_path / "a.csv")
    if kind != "folder":
        with pytest.raises(CorpusError, match=said):
            read_rows(tmp_path / "a.csv", TableOptions())


@pytest.mark.parametrize("data", [caf_chunk(-12), b".snd", b"RIFF\0\0\0\0WAVEds64\4\0\0\0", b"RF64"])
def test_headers_that_are_cut_off_or_lead_backwards_are_hashed(tmp_path, data):
    (tmp_path / "a.wav").write_bytes(data)
    assert len(content_hash(tmp_path / "a.wav")) == 64


def test_a_damaged_header_never_stops_the_whole(tmp_path, voice):
    draw, whole, tried = random.Random(7), 0, 0
    for kind, subtype in (
        ("WAV", "PCM_16"),
        ("AIFF", "PCM_16"),
        ("CAF", "ALAC_16"),
        ("FLAC", "PCM_16"),
        ("W64", "PCM_16"),
    ):
        soundfile.write(tmp_path / "good", voice(), 16_000, format=kind, subtype=subtype)
        good = (tmp_path / "good").read_bytes()
        for _ in range(60):
            data, place = bytearray(good), draw.randrange(120)
            data[place : place + 8] = draw.choice([b"\xff" * 8, bytes(8), b"\x80" + bytes(7), draw.randbytes(8)])
            (tmp_path / "a.wav").write_bytes(data)
            tried += 1
            with contextlib.suppress(AudioFault):  # of the machine nothing may be said
                whole += bool(probe(tmp_path / "a.wav"))
    assert 0 < whole < tried  # some damage does no harm, and some is seen


def test_memory_that_a_header_asks_for_is_not_the_machines(tmp_path):
    av = pytest.importorskip("av")
    (tmp_path / "a.m4a").write_bytes(bytes(100))
    asked = av.error.MemoryError(12, "Cannot allocate memory")
    assert "more memory" in str(opening_fault(tmp_path / "a.m4a", asked))
    with pytest.raises(MachineError):
        opening_fault(tmp_path / "a.m4a", MemoryError())


def test_a_link_to_a_file_is_one(tmp_path, voice):
    soundfile.write(tmp_path / "a.wav", voice(), 16_000)
    (tmp_path / "b.wav").symlink_to("a.wav")
    assert not_a_file(tmp_path / "b.wav") == "" == not_a_file(tmp_path / "gone.wav")
    assert probe(tmp_path / "b.wav").sample_rate == 16_000


def test_a_corpus_goes_on_without_them_and_names_them_all(make_card, corpus, voice, tmp_path):
    root = corpus(*GOOD)
    names = [f"s0_ang_{number}.wav" for number in range(10, 10 + len(ODD))]
    for name, (make, _) in zip(names, ODD.values(), strict=True):
        make(root / name, voice)
    for _ in range(2):  # the second time from what was remembered
        found = verify(make_card(), root, cache=tmp_path / "cache")
        assert sorted(found.manifest.frame["path"]) == GOOD
        assert not found.ok
        assert all(name in found.text() for name in names)
    with pytest.raises(CorpusError, match=r"s0_ang_10\.wav: a pipe"):
        build_manifest(make_card(), root, strict=True)


def test_a_table_of_a_card_that_is_a_pipe_is_refused(make_card, tmp_path):
    table = make_card(table={"file": "labels.csv", "key": "file", "columns": {"emotion": "emotion"}}).table
    os.mkfifo(tmp_path / "labels.csv")
    with pytest.raises(CorpusError, match=r"labels\.csv: a pipe, not a file"):
        read_frame(table, tmp_path / "labels.csv")


def test_a_folder_named_as_audio_is_entered_and_named_only_where_it_is_empty(tree, tmp_path):
    root = tree("a.wav/b.wav", "c.txt")
    (root / "d.wav").mkdir()
    (root / "e").mkdir()
    assert list(walk(root)) == ["a.wav/b.wav", "c.txt", "d.wav"]
