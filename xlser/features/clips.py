"""Audio of a whole manifest, for encoders that read waves: decoded once, kept on disk, mapped when it is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xlser.data.audio import AudioFault, content_hash, read_mono, resampler_identity
from xlser.data.excerpts import Excerpt, excerpts
from xlser.data.manifest import Manifest
from xlser.errors import CorpusError
from xlser.features.arrays import ArrayStore
from xlser.features.extract import check_length, read_rows
from xlser.machine import stop_if_of_machine


@dataclass
class Clips:
    """``samples``: int64 (rows,), how many there are at ``rate`` Hz in row i of ``manifest.frame``. ``cached``: rows
    whose audio was there already. ``faults``: relative path to why it was left out. ``contents``: the hash of each
    row's audio, by which a recording is known again in another corpus. The audio itself stays in ``store``."""

    manifest: Manifest
    samples: np.ndarray
    rate: int
    cached: int
    faults: dict[str, str]
    contents: list[str]
    store: ArrayStore

    @property
    def seconds(self) -> np.ndarray:
        """Durations, float64 (rows,)."""
        return self.samples / self.rate

    def read(self, row: int) -> np.ndarray:
        """Return the audio of one row, float32 (samples[row],) at ``rate``, full scale 1, read-only.

        It is mapped from the cache; where the entry was removed or damaged, it is made again from the recording.
        The array keeps a file open for as long as it is held.

        Raises:
            CorpusError: the entry is gone, and so is the recording, or it is another one by now.
            XlserError: the entry cannot be written again.
        """
        found = self.store.get(self.contents[row])
        return found if found is not None else self._again(row)

    def _again(self, row: int) -> np.ndarray:
        part = excerpts(self.manifest)[row]
        path = part.path
        try:
            # What is not the same audio must neither be trained on as this row nor be kept under its name.
            if content_hash(*part) != self.contents[row]:
                raise AudioFault("the file was changed since this run began; start the run again")
            samples = read_mono(path, self.rate, *part[1:])
        except (AudioFault, OSError) as error:
            reason = error
            if isinstance(error, OSError):
                stop_if_of_machine(error, f"reading {path}")
                reason = f"cannot be read: {error.strerror}"
            raise CorpusError(f"corpus {self.manifest.card}: {path}: {reason}") from error
        self.store.put(self.contents[row], samples)
        samples.flags.writeable = False
        return samples


def read_clips(
    manifest: Manifest,
    cache_root: str | Path,
    *,
    rate: int = 16_000,
    shortest: int = 400,
    jobs: int | None = None,
    strict: bool = False,
    progress: bool = True,
) -> Clips:
    """Return the audio of every utterance: mono, float32, at ``rate`` Hz, decoded and resampled the first time only.

    It is kept in ``arrays/clips-<key>`` of the cache folder, ``4 * rate`` bytes a second (230 MB an hour at 16 kHz),
    whatever the recording's own format is. Only lengths and hashes are held in memory. A second run reads the headers
    of the entries; of the recordings it reads the bytes, for their hash, and decodes none.

    Recordings that cannot be decoded, are silent, or have fewer than ``shortest`` samples at ``rate`` are left out of
    the returned manifest, counted in its ``left_out`` and named in ``faults``.

    Raises:
        CorpusError: ``strict`` and a recording that cannot be used; or none that can.
        XlserError: the cache cannot be written. What was read so far is kept, and the next run goes on from there.
    """
    identity = {"extractor": "clips", "rate": rate, **resampler_identity()}
    store = ArrayStore(cache_root, identity)
    one = partial(_one, store=store, rate=rate, shortest=shortest)
    rows = read_rows(manifest, one, what="clips", jobs=jobs, strict=strict, progress=progress)
    samples = np.array([clip.samples for clip in rows.read], dtype=np.int64)
    cached = sum(clip.cached for clip in rows.read)
    return Clips(rows.manifest, samples, rate, cached, rows.faults, [clip.content for clip in rows.read], store)


class _Clip(NamedTuple):
    samples: int
    content: str
    cached: bool


def _one(part: Excerpt, *, store: ArrayStore, rate: int, shortest: int) -> _Clip:
    content = content_hash(*part)
    if (shape := store.shape(content)) is not None:
        check_length(shape[0], shortest, rate)
        return _Clip(shape[0], content, True)
    samples = read_mono(part.path, rate, *part[1:])
    check_length(len(samples), shortest, rate)
    store.put(content, samples)
    return _Clip(len(samples), content, False)
