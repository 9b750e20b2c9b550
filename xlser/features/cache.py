"""A content-addressed cache: what the audio is and how it was read name the entry, not where the file lies."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, NamedTuple

import numpy as np

from xlser.atomic import replacing, write_text
from xlser.errors import RecipeError
from xlser.filenames import path_part
from xlser.machine import stop_if_of_machine

# The .npy headers written here, and no others: version 1.0, rows first, numbers or truth values.
_MAGIC = b"\x93NUMPY\x01\x00"
_TYPE = rb"[<>|](?:b1|[iu][1248]|f[248]|c8|c16)"
_FIELDS = re.compile(rb"\{'descr': '(" + _TYPE + rb")', 'fortran_order': False, 'shape': \(([\d, ]*)\), \} *\n")


class Entries:
    """Arrays on disk, one file each, keyed by audio content and by the identity of what made them.

    A file appears whole or not at all, so two runs may share a folder and a kill leaves nothing half written. It is
    NumPy's .npy with a CRC-32 behind it. How an entry is read back is up to the subclass.
    """

    room: ClassVar[str]

    def __init__(self, root: str | Path, identity: dict[str, Any]) -> None:
        text = json.dumps(identity, sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()[:16]
        name = path_part(identity["extractor"], "the name of an extractor", RecipeError)
        self.folder = Path(root) / self.room / f"{name}-{key}"
        self._identity = text

    def path(self, content: str) -> Path:
        """Return the file for audio whose content hash (64 hex digits) is ``content``."""
        return self.folder / content[:2] / f"{content}.npy"

    def put(self, content: str, values: np.ndarray) -> None:
        """Store an array.

        Raises:
            XlserError: the disk is full or the folder cannot be written; nothing half written stays.
        """
        about = self.folder / "extractor.json"
        if not os.path.exists(about):  # where the folder may not be read, the write names the reason
            write_text(about, self._identity)
        values = np.asarray(values, order="C")
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(values))
        # Byte by byte, so that a long recording is neither copied nor held twice.
        data = values.reshape(-1).view(np.uint8)
        # Beside the folders of two digits, not in them: what a kill leaves is found without a look into each.
        with replacing(self.path(content), beside=self.folder) as temporary, temporary.open("wb") as file:
            file.write(header.getvalue())
            file.write(data)
            file.write(checksum(header.getvalue(), data))


class FeatureCache(Entries):
    """Vectors, small enough to be read whole.

    An entry that does not fit its checksum (a disk's fault) counts as missing and is made again.
    """

    room = "features"

    def get(self, content: str) -> np.ndarray | None:
        """Return the cached vector, or None if it is not there or not readable."""
        try:
            data = self.path(content).read_bytes()
            if checksum(data[:-4]) != data[-4:]:
                return None
            header = read_header(io.BytesIO(data))
            return np.frombuffer(data[header.offset : -4], header.dtype).reshape(header.shape).copy()
        except OSError as error:
            stop_if_of_machine(error, f"reading the cache, {self.path(content)},")
            return None
        except ValueError:
            return None


class RowCache(FeatureCache):
    """Matrices in half precision, of which few ``rows`` are wanted: only these are read back.

    Each row has a checksum of its own behind it. An entry of which a wanted row is damaged counts as missing.

    >>> import tempfile
    >>> cache, key = RowCache(tempfile.mkdtemp(), {"extractor": "toy"}, [3, 0]), "ab" + 62 * "0"
    >>> cache.put(key, np.arange(10, dtype=np.float16).reshape(5, 2))
    >>> cache.get(key).tolist()
    [[6.0, 7.0], [0.0, 1.0]]
    """

    def __init__(self, root: str | Path, identity: dict[str, Any], rows: Sequence[int]) -> None:
        super().__init__(root, identity)
        self._rows = rows

    def put(self, content: str, values: np.ndarray) -> None:
        """Store float16 (R, D); see `Entries.put`."""
        rows = np.ascontiguousarray(values, dtype=np.float16).view(np.uint8)
        sums = np.frombuffer(b"".join(checksum(row) for row in rows), dtype=np.uint8).reshape(len(rows), -1)
        super().put(content, np.concatenate([rows, sums], axis=1))

    def get(self, content: str) -> np.ndarray | None:
        """Return the wanted rows, float16 (len(rows), D), or None if they are not there or not readable."""
        try:
            with self.path(content).open("rb") as file:
                header, found = read_header(file), []
                for row in self._rows:
                    file.seek(header.offset + row * header.shape[1])
                    data = file.read(header.shape[1])
                    if checksum(data[:-4]) != data[-4:]:
                        return None
                    found.append(np.frombuffer(data[:-4], np.float16))
            return np.stack(found)
        except OSError as error:
            stop_if_of_machine(error, f"reading the cache, {self.path(content)},")
            return None
        except (ValueError, IndexError):
            return None


class Header(NamedTuple):
    """What stands before an entry's data: where the data begin, in bytes, and what they are."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype


def read_header(file: BinaryIO) -> Header:
    """Read the header of an entry, and leave the file at its data.

    NumPy's own reader parses the header as Python source, which threads of one process may not do at once before
    Python 3.11.8 and 3.12.2 (SystemError, CPython's gh-106905); features are read in threads.

    Raises:
        ValueError: not a header that `Entries.put` writes.
    """
    if file.read(len(_MAGIC)) != _MAGIC:
        raise ValueError("not an entry: not .npy in its first version")
    length = int.from_bytes(file.read(2), "little")
    if (found := _FIELDS.fullmatch(file.read(length))) is None:
        raise ValueError("not an entry: a header that this store does not write")
    shape = tuple(int(size) for size in found[2].split(b",") if size.strip())
    return Header(len(_MAGIC) + 2 + length, shape, np.dtype(found[1].decode()))


def checksum(*parts: bytes | np.ndarray) -> bytes:
    """Return the CRC-32 of some bytes, one part behind the other, as the four bytes that end an entry.

    >>> checksum(b"ab", b"c") == checksum(b"abc")
    True
    """
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    return crc.to_bytes(4, "little")
