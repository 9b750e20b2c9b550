"""A content-addressed cache: what the audio is and how it was read name the entry, not where the file lies."""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from xlser.atomic import replacing, write_text


class FeatureCache:
    """Vectors on disk, one small file each, keyed by audio content and an extractor's identity.

    A file appears whole or not at all, so two runs may share a folder and a kill leaves nothing half written. It is
    NumPy's .npy with a CRC-32 behind it: an entry that does not fit its checksum (a disk's fault) counts as missing and
    is made again.
    """

    def __init__(self, root: str | Path, identity: dict[str, Any]) -> None:
        text = json.dumps(identity, sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()[:16]
        self.folder = Path(root) / "features" / f"{identity['extractor']}-{key}"
        self._identity = text

    def path(self, content: str) -> Path:
        """Return the file for audio whose content hash (64 hex digits) is ``content``."""
        return self.folder / content[:2] / f"{content}.npy"

    def get(self, content: str) -> np.ndarray | None:
        """Return the cached vector, or None if it is not there or not readable."""
        try:
            data = self.path(content).read_bytes()
            if _checksum(data[:-4]) != data[-4:]:
                return None
            return np.lib.format.read_array(io.BytesIO(data[:-4]), allow_pickle=False)
        except (OSError, ValueError):
            return None

    def put(self, content: str, values: np.ndarray) -> None:
        """Store a vector.

        Raises:
            XlserError: the disk is full or the folder cannot be written; nothing half written stays.
        """
        about = self.folder / "extractor.json"
        if not about.exists():
            write_text(about, self._identity)
        buffer = io.BytesIO()
        np.save(buffer, values, allow_pickle=False)
        whole = buffer.getvalue()
        with replacing(self.path(content)) as temporary:
            temporary.write_bytes(whole + _checksum(whole))


def _checksum(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "little")
