"""Reading many audio headers at once, but none that is known already."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from xlser.data.audio import AudioFault, AudioInfo, probe


class Known(Protocol):
    """Something that remembers headers, such as `xlser.data.scan_index.ScanIndex`."""

    def headers(self) -> dict[str, AudioInfo]: ...  # noqa: D102
    def keep(self, headers: dict[str, AudioInfo]) -> None: ...  # noqa: D102


def read_headers(
    root: Path, paths: Iterable[str], jobs: int = 4, known: Known | None = None
) -> dict[str, AudioInfo | AudioFault]:
    """Return what each file's header says by its path below ``root``, or the fault for which it cannot be used.

    ``known`` is asked first and told the outcome afterwards; faults are never remembered.
    """
    old = known.headers() if known else {}
    paths = list(dict.fromkeys(paths))
    new = [path for path in paths if path not in old]
    headers: dict[str, AudioInfo | AudioFault] = {path: old[path] for path in paths if path in old}
    with ThreadPoolExecutor(jobs) as pool:
        headers.update(zip(new, pool.map(_probed, [str(root / path) for path in new]), strict=True))
    if known and new:
        known.keep({path: info for path, info in headers.items() if isinstance(info, AudioInfo)})
    return {path: headers[path] for path in paths}


def _probed(path: str) -> AudioInfo | AudioFault:
    try:
        return probe(path)
    except AudioFault as fault:
        return fault
