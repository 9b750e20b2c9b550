"""Features of a whole manifest: over all cores, through the cache, with a progress bar."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from xlser.data.audio import AudioFault, content_hash, read_mono
from xlser.data.manifest import Manifest
from xlser.errors import CorpusError
from xlser.features.cache import FeatureCache
from xlser.features.extractor import Extractor
from xlser.machine import many_alike, stop_if_of_machine

Row = TypeVar("Row")


@dataclass
class Features:
    """``values``: float32, shape (rows, columns), row i for row i of ``manifest.frame``. ``cached``: rows read back.
    ``contents``: the hash of each row's audio, by which a recording is known again in another corpus."""

    manifest: Manifest
    values: np.ndarray
    columns: list[str]
    cached: int = 0
    faults: dict[str, str] = field(default_factory=dict)
    contents: list[str] = field(default_factory=list)


def extract(
    manifest: Manifest,
    extractor: Extractor,
    cache_root: str | Path,
    *,
    jobs: int | None = None,
    strict: bool = False,
    progress: bool = True,
) -> Features:
    """Return the features of every utterance, from the cache where they are there.

    Recordings that cannot be decoded, are silent, or give NaN are left out of the returned manifest, counted in its
    ``left_out`` and named in ``faults``. Threads suffice: decoding, resampling and openSMILE let go of Python's lock.

    Raises:
        CorpusError: ``strict`` and a recording that cannot be used; or none that can.
        XlserError: the cache cannot be written. What was extracted so far is kept, and the next run goes on from there.
    """
    cache = FeatureCache(cache_root, extractor.identity())
    one = partial(_one, extractor=extractor, cache=cache)
    rows = read_rows(manifest, one, what="features", jobs=jobs, strict=strict, progress=progress)
    return Features(
        rows.manifest,
        np.stack([row.values for row in rows.read]),
        extractor.columns(),
        sum(row.cached for row in rows.read),
        rows.faults,
        [row.content for row in rows.read],
    )


@dataclass
class Rows(Generic[Row]):
    """A manifest of the rows that could be used, what each gave, and why the others could not: path to reason."""

    manifest: Manifest
    read: list[Row]
    faults: dict[str, str]


def read_rows(
    manifest: Manifest,
    one: Callable[[Path, float, float | None], Row],
    *,
    what: str,
    jobs: int | None,
    strict: bool,
    progress: bool,
) -> Rows[Row]:
    """Call ``one`` with file, start and end of every row, in threads; what it returns stands in the rows' order.

    A row for which it raises `AudioFault`, or an OSError that is of its file, is left out of the returned manifest,
    counted in its ``left_out`` and named in ``faults``. ``what`` names what is read, in the progress bar and in
    messages.

    Raises:
        MachineError: what went wrong is no recording's fault; nothing is left out then.
        CorpusError: ``strict`` and a row that cannot be used; or none that can.
    """
    frame = manifest.frame
    segments = [segment(row) for row in frame[["start", "end", "duration"]].itertuples(index=False)]
    tasks = (delayed(_tried)(one, path, *part) for path, part in zip(manifest.files(), segments, strict=True))
    results = Parallel(jobs or os.cpu_count() or 1, backend="threading", return_as="generator")(tasks)
    bar = tqdm(
        results, total=len(frame), desc=f"{what} of {manifest.card}", unit="file", disable=not progress, leave=False
    )
    read, used, faults = [], [], {}
    for path, result in zip(frame["path"], bar, strict=True):
        used.append(not isinstance(result, _Fault))
        if not isinstance(result, _Fault):
            read.append(result)
        elif strict:
            raise CorpusError(f"corpus {manifest.card}: {manifest.file(path)}: {result} (stopped by --strict)")
        else:
            faults[path] = str(result)
    return Rows(_without(manifest, faults, np.array(used), what), read, faults)


def segment(row: tuple[float, float, float]) -> tuple[float, float | None]:
    """Return start and end, the end as None when the row is the whole file: its key is then the file's alone.

    >>> segment((0.0, 2.5, 2.5)), segment((0.0, 1.0, 2.5))
    ((0.0, None), (0.0, 1.0))
    """
    start, end, duration = map(float, row)  # a key shows its numbers, and NumPy's show otherwise
    return (start, None if start == 0 and end == duration else end)


class _Fault(str):
    """Why a row cannot be used."""


class _Read(NamedTuple):
    values: np.ndarray
    content: str
    cached: bool


def _tried(
    one: Callable[[Path, float, float | None], Row], path: Path, start: float, end: float | None
) -> Row | _Fault:
    try:
        return one(path, start, end)
    except AudioFault as fault:
        return _Fault(fault)
    except (OSError, MemoryError, ImportError) as error:
        stop_if_of_machine(error, f"reading {path}")
        return _Fault(f"cannot be read: {getattr(error, 'strerror', error)}")


def _one(path: Path, start: float, end: float | None, *, extractor: Extractor, cache: FeatureCache) -> _Read:
    content = content_hash(path, start, end)
    if (found := cache.get(content)) is not None:
        return _Read(found, content, True)
    samples = read_mono(path, extractor.rate, start, end)
    check_length(len(samples), extractor.shortest * extractor.rate, extractor.rate)
    values = extractor(samples)
    if not np.isfinite(values).all():
        raise AudioFault(f"NaN or infinite features ({int((~np.isfinite(values)).sum())} of {values.size})")
    cache.put(content, values)
    return _Read(values, content, False)


def check_length(samples: int, needed: float, rate: int) -> None:
    """See that a recording at ``rate`` Hz has as many samples as are needed.

    Raises:
        AudioFault: it has not.
    """
    if samples < needed:
        raise AudioFault(f"too short: {samples / rate * 1000:.0f} ms of {needed / rate * 1000:.0f} needed")


def _without(manifest: Manifest, faults: dict[str, str], used: np.ndarray, what: str) -> Manifest:
    if not used.any():
        path, reason = next(iter(faults.items()))
        raise CorpusError(
            f"corpus {manifest.card}: none of its {len(faults)} recordings gives {what}; {path}: {reason}."
            f"{many_alike(faults)}"
        )
    left_out = {reason: list(paths) for reason, paths in manifest.left_out.items()}
    for path, reason in faults.items():
        left_out.setdefault(reason.partition(":")[0].partition(" (")[0], []).append(path)
    return replace(manifest, frame=manifest.frame[used].reset_index(drop=True), left_out=left_out)
