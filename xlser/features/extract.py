"""Features of a whole manifest: over all cores, through the cache, with a progress bar."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from xlser.data.audio import AudioFault, content_hash, read_mono
from xlser.data.manifest import Manifest
from xlser.errors import CorpusError
from xlser.features.cache import FeatureCache
from xlser.features.extractor import Extractor


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
    frame = manifest.frame
    segments = [_segment(row) for row in frame[["start", "end", "duration"]].itertuples(index=False)]
    tasks = (
        delayed(_one)(path, *segment, extractor, cache)
        for path, segment in zip(manifest.files(), segments, strict=True)
    )
    results = Parallel(jobs or os.cpu_count() or 1, backend="threading", return_as="generator")(tasks)
    bar = tqdm(
        results, total=len(frame), desc=f"features of {manifest.card}", unit="file", disable=not progress, leave=False
    )
    read, kept, faults = [], [], {}
    for path, result in zip(frame["path"], bar, strict=True):
        kept.append(not isinstance(result, str))
        if isinstance(result, str):
            if strict:
                raise CorpusError(f"corpus {manifest.card}: {manifest.root / path}: {result} (stopped by --strict)")
            faults[path] = result
        else:
            read.append(result)
    return _gathered(manifest, read, np.array(kept), faults=faults, columns=extractor.columns)


class _Read(NamedTuple):
    values: np.ndarray
    content: str
    cached: bool


def _segment(row: tuple[float, float, float]) -> tuple[float, float | None]:
    """Return start and end, the end as None when the row is the whole file: its key is then the file's alone."""
    start, end, duration = row
    return (start, None if start == 0 and end == duration else end)


def _one(path: Path, start: float, end: float | None, extractor: Extractor, cache: FeatureCache) -> _Read | str:
    try:
        content = content_hash(path, start, end)
        if (found := cache.get(content)) is not None:
            return _Read(found, content, True)
        samples = read_mono(path, extractor.rate, start, end)
        if len(samples) < extractor.shortest * extractor.rate:
            return f"too short: {len(samples) / extractor.rate * 1000:.0f} ms of {extractor.shortest * 1000:.0f} needed"
        values = extractor(samples)
    except AudioFault as fault:
        return str(fault)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not np.isfinite(values).all():
        return f"NaN or infinite features ({int((~np.isfinite(values)).sum())} of {values.size})"
    cache.put(content, values)
    return _Read(values, content, False)


def _gathered(
    manifest: Manifest,
    read: list[_Read],
    rows: np.ndarray,
    *,
    faults: dict[str, str],
    columns: Callable[[], list[str]],
) -> Features:
    if not read:
        path, reason = next(iter(faults.items()))
        raise CorpusError(
            f"corpus {manifest.card}: none of its {len(faults)} recordings gives features; {path}: {reason}"
        )
    left_out = {reason: list(paths) for reason, paths in manifest.left_out.items()}
    for path, reason in faults.items():
        left_out.setdefault(reason.partition(":")[0].partition(" (")[0], []).append(path)
    kept = manifest.frame[rows].reset_index(drop=True)
    values = np.stack([one.values for one in read])
    contents = [one.content for one in read]
    whole = replace(manifest, frame=kept, left_out=left_out)
    return Features(whole, values, columns(), sum(one.cached for one in read), faults, contents)
