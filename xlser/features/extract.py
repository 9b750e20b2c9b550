"""Features of a whole manifest: over all cores, through the cache, with a progress bar."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from joblib import Parallel, delayed

from xlser.bars import tqdm
from xlser.data.audio import AudioFault, content_hash, read_mono
from xlser.data.excerpts import Excerpt, excerpt_names, excerpts
from xlser.data.manifest import Manifest
from xlser.data.spans import Span, batches
from xlser.errors import CorpusError
from xlser.features.cache import FeatureCache, RowCache
from xlser.features.extractor import Extractor, parts_of
from xlser.machine import many_alike, stop_if_of_machine

Row = TypeVar("Row")


@dataclass
class Features:
    """``values``: float32, shape (rows, columns), row i for row i of ``manifest.frame``. ``cached``: rows read back.
    ``contents``: the hash of each row's audio, by which a recording is known again in another corpus. ``faults``: why
    a recording, or a part of one (``path#start-end``), was left out."""

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
    ``left_out`` and named in ``faults``. Extractors side by side are cached one by one, and what one of them leaves out
    is left out of all. Threads suffice: decoding, resampling, openSMILE and torch let go of Python's lock. Beyond the
    features, no more audio is held than each thread is at work on.

    Raises:
        CorpusError: ``strict`` and a recording that cannot be used; or none that can.
        XlserError: the cache cannot be written. What was extracted so far is kept, and the next run goes on from there.
            Or pretrained weights that are not there.
    """
    given, cached = manifest, len(manifest.frame)
    values: list[np.ndarray] = []
    faults: dict[str, str] = {}
    for part in parts_of(extractor):
        rows = _read_rows(manifest, part, cache_root, jobs=jobs, strict=strict, progress=progress)
        values = [before[rows.used] for before in values] + [np.stack([row.values for row in rows.read])]
        cached = min(cached, sum(row.cached for row in rows.read))
        faults, manifest = faults | rows.faults, rows.manifest
    contents = [row.content for row in rows.read]
    faults = {name: faults[name] for name in excerpt_names(given) if name in faults}
    return Features(manifest, np.concatenate(values, axis=1), extractor.columns(), cached, faults, contents)


def _read_rows(manifest: Manifest, extractor: Extractor, cache_root: str | Path, **options: Any) -> Rows[_Read]:
    cache = open_cache(cache_root, extractor)
    if not extractor.batch:
        return read_rows(manifest, partial(_one, extractor=extractor, cache=cache), what="features", **options)
    seconds = manifest.frame["end"].to_numpy() - manifest.frame["start"].to_numpy()
    spans = [Span(row, 0, int(length * extractor.rate)) for row, length in enumerate(seconds)]
    groups = [[span.row for span in group] for group in batches(spans, int(extractor.batch * extractor.rate))]
    return read_groups(manifest, partial(_many, extractor=extractor, cache=cache), groups, what="features", **options)


def open_cache(root: str | Path, extractor: Extractor) -> FeatureCache:
    """Return the cache in the folder ``root`` that gives what ``extractor`` selects from."""
    identity, rows = extractor.cache_identity(), extractor.rows()
    return FeatureCache(root, identity) if rows is None else RowCache(root, identity, rows)


@dataclass
class Rows(Generic[Row]):
    """A manifest of the rows that could be used, what each gave, and why the others could not: path to reason.

    ``used`` (N,) bool says which rows of the manifest that was read these are.
    """

    manifest: Manifest
    read: list[Row]
    faults: dict[str, str]
    used: np.ndarray


def read_rows(
    manifest: Manifest,
    one: Callable[[Excerpt], Row],
    *,
    what: str,
    jobs: int | None,
    strict: bool,
    progress: bool,
) -> Rows[Row]:
    """Call ``one`` with the excerpt of every row, in threads; what it returns stands in the rows' order.

    A row for which it raises `AudioFault`, or an OSError that is of its file, is left out of the returned manifest,
    counted in its ``left_out`` and named in ``faults``. ``what`` names what is read, in the progress bar and in
    messages.

    Raises:
        MachineError: what went wrong is no recording's fault; nothing is left out then.
        CorpusError: ``strict`` and a row that cannot be used; or none that can.
    """
    alone = [[row] for row in range(len(manifest.frame))]
    options: Any = {"what": what, "jobs": jobs, "strict": strict, "progress": progress}
    return read_groups(manifest, lambda parts: [_tried(one, part) for part in parts], alone, **options)


def read_groups(
    manifest: Manifest,
    many: Callable[[list[Excerpt]], list[Row | _Fault]],
    groups: list[list[int]],
    *,
    what: str,
    jobs: int | None,
    strict: bool,
    progress: bool,
) -> Rows[Row]:
    """Do as `read_rows`, for the rows of a group at once; every row stands in one of the ``groups``."""
    frame, parts = manifest.frame, excerpts(manifest)
    tasks = (delayed(many)([parts[row] for row in group]) for group in groups)
    results = Parallel(jobs or os.cpu_count() or 1, backend="threading", return_as="generator")(tasks)
    found: dict[int, Row | _Fault] = {}
    described = f"{what} of {manifest.card}"
    with tqdm(total=len(frame), desc=described, unit="file", disable=not progress, leave=False) as bar:
        for group, result in zip(groups, results, strict=True):
            found.update(zip(group, result, strict=True))
            bar.update(len(group))
            broken = [(row, found[row]) for row in group if isinstance(found[row], _Fault)]
            if strict and broken:
                part, fault = parts[broken[0][0]], broken[0][1]
                name = part.name(str(part.path))
                raise CorpusError(f"corpus {manifest.card}: {name}: {fault} (stopped by --strict)")
    used = np.array([not isinstance(found[row], _Fault) for row in range(len(frame))])
    names = [part.name(path) for part, path in zip(parts, frame["path"], strict=True)]
    faults = {name: str(found[row]) for row, name in enumerate(names) if not used[row]}
    read = [row for _, row in sorted(found.items()) if not isinstance(row, _Fault)]
    return Rows(_without(manifest, faults, used, what), read, faults, used)


class _Fault(str):
    """Why a row cannot be used."""


class _Read(NamedTuple):
    values: np.ndarray
    content: str
    cached: bool


def _tried(one: Callable[[Excerpt], Row], part: Excerpt) -> Row | _Fault:
    try:
        return one(part)
    except AudioFault as fault:
        return _Fault(fault)
    except (OSError, MemoryError, ImportError) as error:
        stop_if_of_machine(error, f"reading {part.path}")
        return _Fault(f"cannot be read: {getattr(error, 'strerror', error)}")


class _Waiting(NamedTuple):
    """A row that the cache does not hold."""

    samples: np.ndarray
    content: str


def _one(part: Excerpt, *, extractor: Extractor, cache: FeatureCache) -> _Read:
    row = _read(part, extractor=extractor, cache=cache)
    if isinstance(row, _Read):
        return row
    return _keep(extractor.entries([row.samples])[0], row.content, extractor, cache)


def _many(parts: list[Excerpt], *, extractor: Extractor, cache: FeatureCache) -> list[_Read | _Fault]:
    """Do as `_one` for some rows at once; what is cached, or cannot be read, is no part of the batch."""
    rows = [_tried(partial(_read, extractor=extractor, cache=cache), part) for part in parts]
    waiting = [row for row in rows if isinstance(row, _Waiting)]
    entries = iter(extractor.entries([row.samples for row in waiting]) if waiting else [])
    return [
        _tried(partial(_keep, next(entries), row.content, extractor, cache), part) if isinstance(row, _Waiting) else row
        for row, part in zip(rows, parts, strict=True)
    ]


def _read(part: Excerpt, *, extractor: Extractor, cache: FeatureCache) -> _Read | _Waiting:
    content = content_hash(*part)
    if (found := cache.get(content)) is not None:
        return _Read(_finite(extractor.select(found)), content, True)
    samples = read_mono(part.path, extractor.rate, *part[1:])
    check_length(len(samples), extractor.shortest * extractor.rate, extractor.rate)
    return _Waiting(samples, content)


def _keep(entry: np.ndarray, content: str, extractor: Extractor, cache: FeatureCache, *_part: object) -> _Read:
    rows = extractor.rows()
    values = _finite(extractor.select(entry if rows is None else entry[rows]))
    cache.put(content, entry)
    return _Read(values, content, False)


def _finite(values: np.ndarray) -> np.ndarray:
    if not np.isfinite(values).all():
        raise AudioFault(f"NaN or infinite features ({int((~np.isfinite(values)).sum())} of {values.size})")
    return values


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
