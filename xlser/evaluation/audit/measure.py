"""One pass over the audio of a corpus: each file is decoded once, and a few hundred bytes of it are kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from xlser.bars import tqdm
from xlser.data.audio import AudioFault, content_hash
from xlser.data.excerpts import Excerpt, excerpts
from xlser.data.manifest import Manifest
from xlser.evaluation.audit import fingerprint
from xlser.evaluation.audit.levels import CUTOFF_DB, LEVELS, QUIET_DB, measure_levels
from xlser.evaluation.audit.sound import decode
from xlser.evaluation.audit.stereo import OPPOSED_DB, STEREO, measure_stereo
from xlser.features.cache import FeatureCache
from xlser.machine import stop_if_of_machine

KEY = ("rate", "frames", "distinct", "crc")
_HEAD = len(KEY) + len(LEVELS) + len(STEREO) + 2 * fingerprint.BANDS
_IDENTITY = {
    "extractor": "audit",
    "version": 2,
    "fingerprint": [fingerprint.BANDS, fingerprint.HOP, fingerprint.WINDOW, fingerprint.STEP, fingerprint.FLOOR_DB],
    "levels": [QUIET_DB, CUTOFF_DB],
}


@dataclass
class Measured:
    """What a corpus's audio is like.

    ``table`` has a row for each row that could be decoded, indexed by its id: the columns of `KEY`, `LEVELS` and
    `STEREO`, ``excerpt`` and ``content`` (its hash). ``summaries`` float32 (rows, 2 * BANDS) in the same order.
    ``faults`` maps a relative path (with times or a channel, where it has any) to why it cannot be decoded. ``cache``
    holds the fingerprints.
    """

    table: pd.DataFrame
    summaries: np.ndarray
    faults: dict[str, str]
    cache: FeatureCache

    def moves(self, row: int) -> np.ndarray:
        """Return the fingerprint of one row; read from the cache, or made again where it was lost."""
        found = self.table.iloc[row]
        buffer = self.cache.get(found["content"])
        if buffer is None:
            buffer = _measured(found["excerpt"])
        return _moves(buffer)


def measure_corpus(
    manifest: Manifest, cache_root: str | Path, *, jobs: int | None = None, progress: bool = True
) -> Measured:
    """Measure every utterance of a manifest, from the cache where it was measured before.

    The progress bar tells the time left. Fingerprints stay on disk: memory grows by about half a kilobyte a file.

    Raises:
        XlserError: the cache cannot be written; what was measured so far is kept.
    """
    cache = FeatureCache(cache_root, _IDENTITY)
    frame, parts, rows, faults = manifest.frame, excerpts(manifest), [], {}
    bar = tqdm(
        _results(parts, cache, jobs),
        total=len(frame),
        desc=f"audio of {manifest.card}",
        unit="file",
        disable=not progress,
        leave=False,
    )
    for name, path, part, result in zip(frame["id"], frame["path"], parts, bar, strict=True):
        if isinstance(result, str):
            faults[part.name(path)] = result
        else:
            rows.append((name, part, *result))
    return _gathered(rows, faults, cache)


def _results(parts: list[Excerpt], cache: FeatureCache, jobs: int | None) -> Iterator[tuple | str]:
    tasks = (delayed(_one)(part, cache) for part in parts)
    return Parallel(jobs or os.cpu_count() or 1, backend="threading", return_as="generator")(tasks)


def _one(part: Excerpt, cache: FeatureCache) -> tuple | str:
    try:
        content = content_hash(*part)
        buffer = cache.get(content)
        if buffer is None:
            buffer = _measured(part)
            cache.put(content, buffer)
    except AudioFault as fault:
        return str(fault)
    except (OSError, MemoryError, ImportError) as error:
        stop_if_of_machine(error, f"reading {part.path}")
        return f"cannot be read: {getattr(error, 'strerror', error)}"
    return content, buffer[: 8 * _HEAD].copy()


def _measured(part: Excerpt) -> np.ndarray:
    """Return head and fingerprint as bytes, uint8 (8 * _HEAD + frames * BANDS,)."""
    sound = decode(*part)
    stereo = measure_stereo(sound.samples, sound.rate)
    # Channels that cancel out are no silence: what is said of their recording is said of the first one.
    mono = sound.mono() if not stereo["mixed_db"] <= OPPOSED_DB else sound.first()
    power = fingerprint.power_frames(mono, sound.rate)
    bands = fingerprint.band_levels(power, sound.rate)
    levels = measure_levels(mono, power, sound.rate)
    head = np.array([*sound.key(), *levels.values(), *stereo.values(), *fingerprint.summary(bands)], dtype="<f8")
    return np.concatenate([head.view(np.uint8), fingerprint.moves(bands).ravel().view(np.uint8)])


def _moves(buffer: np.ndarray) -> np.ndarray:
    return buffer[8 * _HEAD :].view(np.int8).reshape(-1, fingerprint.BANDS)


def _gathered(rows: list[tuple], faults: dict[str, str], cache: FeatureCache) -> Measured:
    heads = np.array([row[-1] for row in rows], dtype=np.uint8).reshape(-1, 8 * _HEAD).view("<f8")
    columns = [*KEY, *LEVELS, *STEREO]
    table = pd.DataFrame(heads[:, : len(columns)], columns=columns, index=[row[0] for row in rows])
    table["excerpt"] = pd.Series([row[1] for row in rows], index=table.index, dtype=object)
    table["content"] = [row[2] for row in rows]
    return Measured(table, heads[:, len(columns) :].astype(np.float32), faults, cache)
