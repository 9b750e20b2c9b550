"""Archives that are small and cost much: each is refused, by its name, before memory or disk go."""

import gzip
import itertools
import re
import struct
import subprocess
import sys
import zipfile
import zlib

import pytest

from xlser.corpora import archive_bounds
from xlser.corpora.unpack import is_archive, unpack
from xlser.errors import CorpusError

MIB = 2**20


def block(name, size=0, kind=b"0"):
    head = bytearray(512)
    head[: len(name)] = name
    head[100:124] = b"0000644\0" + b"0000000\0" * 2
    head[124:148] = b"%011o\0" % size + b"00000000000\0"
    head[148:157] = b" " * 8 + kind
    head[257:265] = b"ustar\x0000"
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def padded(body):
    return body + bytes(-len(body) % 512)


def pax(**values):
    lines = b""
    for key, value in values.items():
        rest = f" {key.replace('__', '.')}={value}\n".encode()
        length = next(n for n in itertools.count(len(rest)) if len(str(n)) + len(rest) == n)
        lines += str(length).encode() + rest
    return block(b"pax", len(lines), b"x") + padded(lines)


def long_header(kind):
    return [block(b"long", 300 * MIB, kind), *([b"a" * MIB] * 300), block(b"x.wav")]


SPARSE = {"GNU__sparse__major": 1, "GNU__sparse__minor": 0, "GNU__sparse__name": "x", "GNU__sparse__realsize": 2**50}
HOLES = pax(**SPARSE) + block(b"x.wav", 256 * MIB)
TARS = {
    "a long name": (lambda: long_header(b"L"), "the header of a member has 314,572,800 bytes"),
    "a long link": (lambda: long_header(b"K"), "the header of a member has"),
    "a long table": (lambda: long_header(b"x"), "the header of a member has"),
    "a long table for all": (lambda: long_header(b"g"), "the header of a member has"),
    "many members": (lambda: [block(b"m%d" % n) for n in range(6_000)], "more than 2,000 members"),
    "many folders": (lambda: [block(b"m%d" % n, kind=b"5") for n in range(6_000)], "more than 2,000 members"),
    "many tables": (lambda: [pax(path="a")] * 2_000, "8 headers stand in a row"),
    "holes": (lambda: [HOLES, b"99999999\n", *([b"1\n" * (MIB // 2)] * 256)], "with holes"),
    "old holes": (lambda: [block(b"x.wav", 512, b"S"), bytes(512)], "with holes"),
    "a deep path": (lambda: [pax(path="d/" * 20_000 + "x.wav") + block(b"x", 0)], "a path of 40,005 letters"),
}
CHILD = """
import resource, sys
from xlser.corpora import archive_bounds
from xlser.corpora.unpack import is_archive, unpack
from xlser.errors import CorpusError
archive_bounds._FEW = 2_000
before = resource.getrusage(resource.RUSAGE_SELF)
try:
    assert is_archive(sys.argv[1])
    unpack(*sys.argv[1:])
except CorpusError as error:
    after = resource.getrusage(resource.RUSAGE_SELF)
    print(after.ru_maxrss - before.ru_maxrss, after.ru_utime - before.ru_utime, error)
"""


def refused(archive, folder):
    """Unpack in a process of its own; return KiB of memory, seconds, and what was said."""
    folder.mkdir()
    done = subprocess.run([sys.executable, "-c", CHILD, archive, folder], capture_output=True, text=True, check=True)
    memory, seconds, said = done.stdout.split(" ", 2)
    return int(memory), float(seconds), said


@pytest.mark.parametrize("kind", TARS)
def test_a_tar_that_costs_much_is_refused_early(tmp_path, kind):
    make, named = TARS[kind]
    with gzip.open(tmp_path / "a.tar.gz", "wb", compresslevel=1) as file:
        for part in make():
            file.write(part)
        file.write(bytes(1024))
    memory, seconds, said = refused(tmp_path / "a.tar.gz", tmp_path / "out")
    assert re.search(named, said), said
    assert len(said) < 1000
    assert memory < 64 * 1024
    assert seconds < 10


def overlapping(count):
    """Return a zip archive whose members are all the same bytes."""
    raw = bytes(4 * MIB)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data, check = packer.compress(raw) + packer.flush(), zlib.crc32(raw)
    sizes = struct.pack("<III", check, len(data), len(raw))
    body = b"PK\3\4" + struct.pack("<HHHI", 20, 0, 8, 0) + sizes + struct.pack("<HH", 5, 0) + b"0.wav" + data
    entry = b"PK\1\2" + struct.pack("<HHHHI", 20, 20, 0, 8, 0) + sizes + struct.pack("<HHHHHII", 5, 0, 0, 0, 0, 0, 0)
    directory = b"".join(entry + b"%d.wav" % (n % 10) for n in range(count))
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + b"PK\5\6" + end


def test_members_of_a_zip_that_share_their_bytes_are_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(overlapping(10))
    (tmp_path / "out").mkdir()
    with pytest.raises(CorpusError, match=r"shares its bytes|damaged .*[Oo]verlap"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_a_zip_of_very_many_members_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_bounds, "_FEW", 50)
    monkeypatch.setattr(archive_bounds, "_BYTES_A_MEMBER", 500)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        for number in range(400):
            packed.writestr(str(number), b"")
    (tmp_path / "out").mkdir()
    with pytest.raises(CorpusError, match="too many for its"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_a_long_name_that_a_file_may_have_is_unpacked(tmp_path):
    name = "folder with a long name " * 8 + "/" + "ü" * 100 + ".wav"
    parts = [pax(path=name, comment="x" * 9_000), block(b"short", 3), padded(b"abc"), bytes(1024)]
    (tmp_path / "a.tar").write_bytes(b"".join(parts))
    (tmp_path / "out").mkdir()
    assert is_archive(tmp_path / "a.tar")
    assert unpack(tmp_path / "a.tar", tmp_path / "out") == 1
    assert (tmp_path / "out" / name).read_bytes() == b"abc"


def test_what_is_no_archive_is_none(tmp_path):
    for data in (b"", b"file,valence\n", bytes(2048), b"\x1f\x8b" + b"x" * 50):
        (tmp_path / "a").write_bytes(data)
        assert not is_archive(tmp_path / "a") or data == bytes(2048)
