"""A content-addressed cache: what the audio is and how it was read name the entry, not where the file lies."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zlib
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from xlser.atomic import replacing, write_text


class Entries:
    """Arrays on disk, one file each, keyed by audio content and by the identity of what made them.

    A file appears whole or not at all, so two runs may share a folder and a kill leaves nothing half written. It is
    NumPy's .npy with a CRC-32 behind it. How an entry is read back is up to the subclass.
    """

    room: ClassVar[str]

    def __init__(self, root: str | Path, identity: dict[str, Any]) -> None:
        text = json.dumps(identity, sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()[:16]
        self.folder = Path(root) / self.room / f"{identity['extractor']}-{key}"
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
        with replacing(self.path(content)) as temporary, temporary.open("wb") as file:
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
            return np.lib.format.read_array(io.BytesIO(data[:-4]), allow_pickle=False)
        except (OSError, ValueError):
            return None


def checksum(*parts: bytes | np.ndarray) -> bytes:
    """Return the CRC-32 of some bytes, one part behind the other, as the four bytes that end an entry.

    >>> checksum(b"ab", b"c") == checksum(b"abc")
    True
    """
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    return crc.to_bytes(4, "little")
