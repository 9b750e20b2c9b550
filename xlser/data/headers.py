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
) -> dict[str, AudioInfo | str]:
    """Return what each file's header says by its path below ``root``, or the reason why it cannot be used.

    ``known`` is asked first and told the outcome afterwards; faults are never remembered.
    """
    old = known.headers() if known else {}
    headers: dict[str, AudioInfo | str] = {path: old.get(path, "") for path in paths}
    new = [path for path, info in headers.items() if not info]
    with ThreadPoolExecutor(jobs) as pool:
        headers.update(zip(new, pool.map(_probed, [str(root / path) for path in new]), strict=True))
    if known and new:
        known.keep({path: info for path, info in headers.items() if isinstance(info, AudioInfo)})
    return headers


def _probed(path: str) -> AudioInfo | str:
    try:
        return probe(path)
    except AudioFault as fault:
        return str(fault)
