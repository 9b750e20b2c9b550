"""Arrays too large to be held: kept on disk by content, mapped into memory when they are asked for."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from xlser.features.cache import Entries, Header, checksum, read_header
from xlser.machine import stop_if_of_machine


class ArrayStore(Entries):
    """Audio, or what frozen layers make of it: one file a recording, in ``arrays/<extractor>-<key>`` of a cache folder.

    Length and header of an entry are checked at every reading, its checksum at the first reading by each store object:
    once is enough to find what a disk or a lost power supply spoiled, and later epochs read only what they use. (A CRC
    of four seconds of audio takes about as long as opening the file.) What does not fit counts as missing.

    Args:
        root: cache folder.
        identity: names, under ``extractor``, what made the arrays, and everything that changes a number. JSON-able.

    >>> import tempfile
    >>> store, key = ArrayStore(tempfile.mkdtemp(), {"extractor": "toy"}), "ab" + 62 * "0"
    >>> store.put(key, np.ones((3, 2), np.float32))
    >>> store.has(key), store.shape(key), float(store.get(key).sum())
    (True, (3, 2), 6.0)
    >>> store.get("cd" + 62 * "0") is None
    True
    """

    room = "arrays"

    def __init__(self, root: str | Path, identity: dict[str, Any]) -> None:
        super().__init__(root, identity)
        self._checked: set[str] = set()

    def has(self, content: str) -> bool:
        """Return whether an entry is there in its whole length; its samples are not read."""
        return self.shape(content) is not None

    def shape(self, content: str) -> tuple[int, ...] | None:
        """Return the shape of an entry from its header, or None if it is not there or cut short."""
        try:
            with self.path(content).open("rb") as file:
                return _header(file).shape
        except OSError as error:
            stop_if_of_machine(error, f"reading the cache, {self.path(content)},")
            return None
        except ValueError:
            return None

    def get(self, content: str) -> np.ndarray | None:
        """Return an entry, read-only and mapped into memory, or None if it is not there or damaged.

        An array keeps its file open for as long as it is held: copy what is to be kept.
        """
        try:
            with self.path(content).open("rb") as file:
                header = _header(file)
                if content not in self._checked and not _intact(file, header):
                    return None
                mapped = np.memmap(file, header.dtype, "r", header.offset, header.shape)
        except OSError as error:
            stop_if_of_machine(error, f"reading the cache, {self.path(content)},")
            return None
        except ValueError:
            return None
        self._checked.add(content)
        return mapped.view(np.ndarray)


def _header(file: BinaryIO) -> Header:
    """Read what stands before the data, and see that there is as much data as it promises."""
    header = read_header(file)
    promised = header.offset + math.prod(header.shape) * header.dtype.itemsize + 4
    if os.fstat(file.fileno()).st_size != promised:
        raise ValueError("not an entry: cut short, or not written by this store")
    return header


def _intact(file: BinaryIO, header: Header) -> bool:
    whole = np.memmap(file, np.uint8, "r")
    return checksum(whole[:-4]) == whole[-4:].tobytes()
