"""Headers that say a wrong length, or none, though samples follow: what to read instead of them."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

_UNKNOWN = b"\xff\xff\xff\xff"
# How much longer than it is an MPEG file pretends to be: a frame of the lowest bit rate is 1 / 40 of the largest one.
_LONGER = 64


class Corrected:
    """A binary file of which some bytes read differently; with ``longer`` it pretends to be that many times as long.

    libsndfile guesses the length of an MPEG stream from its first frame and the length of the file, and reads no
    further than its guess. What it looks for at the end while it opens a file, tags, it finds to be zeros.
    """

    def __init__(self, file: BinaryIO, patches: dict[int, bytes], longer: int = 1) -> None:
        self._file, self._patches, self._at = file, patches, 0
        self._size, self._longer = file.seek(0, 2), longer
        self.opened = longer == 1

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, as files do."""
        self._at = offset + (0, self._at, self._size * self._longer)[whence]
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def read(self, count: int = -1) -> bytes:
        """Return the next bytes."""
        if self._at >= self._size:
            data = b"" if self.opened or count < 0 else bytes(count)
        else:
            self._file.seek(self._at)
            data = self._patched(self._file.read(count))
        self._at += len(data)
        return data

    def _patched(self, data: bytes) -> bytes:
        for place, new in self._patches.items():
            start = place - self._at
            if -len(new) < start < len(data):
                changed = bytearray(data)
                for shift, byte in enumerate(new):
                    if 0 <= start + shift < len(data):
                        changed[start + shift] = byte
                data = bytes(changed)
        return data


def corrected(file: BinaryIO, kind: str = "") -> Corrected | None:
    """Return the file with a header whose length is right or unknown; None where nothing is wrong with it.

    WAV, RF64 and AU whose size of data is 0, or is so small that half of the file lies behind it and is no chunk;
    CAF that was written to a pipe; MPEG audio without a count of its frames, or with one that is too small.
    ``kind`` is libsndfile's name of the format, where it opens the file.
    """
    file.seek(0)
    head = file.read(64)
    size = file.seek(0, 2)
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return _wav(file, size)
    if head[:4] == b".snd":
        start, length = struct.unpack(">II", head[4:12])
        return Corrected(file, {8: _UNKNOWN}) if _is_stale(length, size - start) else None
    if head[:4] == b"caff":
        return _caf(file, size)
    return _mpeg(file, size) if is_estimated(kind) else None


def is_corrected(data: bytes) -> bool:
    """Say whether a file, of which these are the bytes, is read by `corrected`."""
    mpeg = data[:3] == b"ID3" or (data[:1] == b"\xff" and data[1:2] >= b"\xe0")
    try:
        return corrected(io.BytesIO(data), "MP3" if mpeg else "") is not None
    except struct.error:  # a header that is cut off
        return False


def is_estimated(kind: str) -> bool:
    """Say whether libsndfile guesses lengths of this format of its own."""
    return kind.startswith(("MP3", "MPEG"))


def _is_stale(length: int, there: int) -> bool:
    """Say whether a size of data is one that was never brought up to date: most samples lie behind it."""
    return there > 0 and there >= 2 * length


def _chunks(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name, the place of the contents and the length of each chunk of a RIFF file."""
    at = 12
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        yield name, at + 8, length
        at += 8 + length + length % 2


def _wav(file: BinaryIO, size: int) -> Corrected | None:
    file.seek(0)
    rf64 = file.read(4) == b"RF64"
    data64 = None
    for name, start, length in _chunks(file, size):
        if name == b"ds64":
            file.seek(start + 8)
            (data64,) = struct.unpack("<Q", file.read(8))
        if name != b"data":
            continue
        if rf64:  # read as RIFF of unknown length where the 64-bit one was never filled in
            stale = _is_stale(data64 or 0, size - start)
            return Corrected(file, {0: b"RIFF", start - 4: _UNKNOWN}) if stale else None
        behind = start + length + length % 2
        stale = _is_stale(length, size - start) and not _is_chunk(file, behind, size)
        return Corrected(file, {start - 4: _UNKNOWN}) if stale else None
    return None


def _is_chunk(file: BinaryIO, at: int, size: int) -> bool:
    file.seek(at)
    head = file.read(8)
    if len(head) < 8 or not re.fullmatch(rb"[A-Za-z][A-Za-z0-9_ ]{3}", head[:4]):
        return False
    return at + 8 + struct.unpack("<I", head[4:])[0] <= size + 1


def _caf(file: BinaryIO, size: int) -> Corrected | None:
    at = 8
    while at + 12 <= size:
        file.seek(at)
        name, length = struct.unpack(">4sq", file.read(12))
        if name == b"data":
            return Corrected(file, {at + 4: struct.pack(">q", size - at - 12)}) if length <= 0 else None
        if length < 0:  # the end of no other chunk may be left open: it would be looked for backwards, and for ever
            return None
        at += 12 + length
    return None


def _mpeg(file: BinaryIO, size: int) -> Corrected | None:
    """Let the count of frames that an encoder left be read where it is right, and be overlooked where it is not."""
    at = _behind_tags(file)
    file.seek(at)
    head = file.read(4096)
    found = re.search(rb"(?:Xing|Info)\x00\x00\x00(.)", head, re.DOTALL)
    if not found:
        return Corrected(file, {}, _LONGER)
    flags, place = found[1][0], found.end()
    if not flags & 1:
        return Corrected(file, {at + found.start(): bytes(4)}, _LONGER)
    (stated,) = struct.unpack(">I", head[place + 4 : place + 8]) if flags & 2 else (size,)
    # Recordings that were put one behind the other still have the count of the first.
    return Corrected(file, {at + found.start(): bytes(4)}, _LONGER) if _is_stale(stated, size - at) else None


def _behind_tags(file: BinaryIO) -> int:
    """Return where the audio begins behind ID3v2 tags."""
    at = 0
    while True:
        file.seek(at)
        head = file.read(10)
        if len(head) < 10 or head[:3] != b"ID3":
            return at
        bits = head[6:10]
        at += 10 + (bits[0] << 21 | bits[1] << 14 | bits[2] << 7 | bits[3]) + 10 * (head[5] >> 4 & 1)
