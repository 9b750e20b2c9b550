"""What the last look at a corpus folder found, so that the next one reads only the headers that changed."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from xlser.atomic import replacing
from xlser.corpora.card import Card
from xlser.corpora.globbing import walk
from xlser.corpora.table_places import watched_tables
from xlser.data.audio import AudioInfo
from xlser.errors import MachineError
from xlser.fileformats import VERSIONS
from xlser.machine import check_opens, pass_on_machine, stop_if_of_machine

# A file written in the last moments may be written again without its time changing: disks count in steps of up to 2 s.
_UNSETTLED = 2_000_000_000
Stamp = tuple[int, int, int]
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)
_HEADER = ("sample_rate", "channels", "duration")


class ScanIndex:
    """The stamps of a folder's files, and what was read from those that still have them.

    A stamp is the size and both times of change in ns: of what the file holds, which copying and syncing tools set as
    they like, and of its entry on the disk, which the system alone sets.

    Two files in ``cache / "scans"``, both written whole: the headers by path and stamp, and the manifest, whose name is
    a digest of everything it came from (card, code, every stamp). A file whose stamp differs is read again; so is one
    that changed less than two seconds before it was looked at.
    """

    def __init__(self, card: Card, root: Path, cache: str | Path) -> None:
        below = f"{root}{os.sep}"
        self.stamps = {path: _stamp(below + path) for path in (walk(root) if root.is_dir() else ())}
        self._latest = time.time_ns() - _UNSETTLED
        self._folder = Path(cache) / "scans"
        self._name = f"{card.name}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:16]}"
        self._digest = _digest(card, root, self.stamps)
        # Whether a manifest may be kept: no file changed in the last two seconds.
        self.settled = all(time < self._latest for _, time, _ in self.stamps.values())

    @property
    def manifest_path(self) -> Path:
        """The file of a manifest made from exactly what is there now; it may not exist."""
        return self._folder / f"{self._name}-{self._digest}.parquet"

    def headers(self) -> dict[str, AudioInfo]:
        """Return the headers read earlier of the files whose stamp is still the same; empty where there are none."""
        try:
            check_opens(self._folder / f"{self._name}.headers")
            table = pq.read_table(self._folder / f"{self._name}.headers")
            if (table.schema.metadata or {}).get(b"schema", b"1") != str(VERSIONS["scan"]).encode():
                return {}
            columns = table.to_pydict()
            infos = map(AudioInfo, columns["sample_rate"], columns["channels"], columns["duration"])
            stamps = zip(columns["size"], columns["modified"], columns["changed"], strict=True)
            rows = zip(columns["path"], stamps, infos, strict=True)
        except FileNotFoundError:
            return {}
        except (OSError, pa.ArrowException, KeyError) as error:
            pass_on_machine(error, f"reading {self._folder}")
            return {}  # damaged: read anew
        return {path: info for path, stamp, info in rows if self.stamps.get(path) == stamp}

    def keep(self, headers: dict[str, AudioInfo]) -> None:
        """Store headers with their files' stamps, but none of a file that changed just now.

        Raises:
            XlserError: the cache folder cannot be written, for another reason than that it may only be read.
        """
        old = self._latest
        paths = [path for path in headers if path in self.stamps and self.stamps[path][1] < old]
        if not paths:
            return
        sizes, modified, changed = zip(*(self.stamps[path] for path in paths), strict=True)
        columns = {"path": paths, "size": sizes, "modified": modified, "changed": changed}
        columns |= {name: [getattr(headers[path], name) for path in paths] for name in _HEADER}
        with self.remembering(), replacing(self._folder / f"{self._name}.headers") as temporary:
            pq.write_table(pa.table(columns).replace_schema_metadata({"schema": str(VERSIONS["scan"])}), temporary)

    @contextmanager
    def remembering(self) -> Iterator[None]:
        """Let a cache that may only be read be that: the next look reads more, and finds the same."""
        try:
            yield
        except (OSError, MachineError) as error:
            cause = error.__cause__ if isinstance(error, MachineError) else error
            if getattr(cause, "errno", None) not in _READ_ONLY:
                raise
            self.settled = False

    def forget_others(self) -> None:
        """Remove the manifests of this folder's earlier states."""
        for path in self._folder.glob(f"{self._name}-*.parquet"):
            if path != self.manifest_path:
                path.unlink(missing_ok=True)


def _stamp(path: Path | str) -> Stamp:
    try:
        found = os.stat(path)
    except OSError as error:
        stop_if_of_machine(error, f"looking at {path}")
        return (-1, -1, -1)
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _digest(card: Card, root: Path, stamps: dict[str, Stamp]) -> str:
    outside = [str(path) for path in watched_tables(card, root)]
    package = Path(__file__).parents[1]
    code = [str(path) for room in ("corpora", "data") for path in sorted((package / room).rglob("*.py"))]
    digest = hashlib.sha256(os.fsencode(f"{card.hash}|{root}"))
    for path, stamp in [*stamps.items(), *((path, _stamp(path)) for path in outside + code)]:
        digest.update(os.fsencode(f"{path}|{stamp}\n"))
    return digest.hexdigest()
