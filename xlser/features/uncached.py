"""Which recordings of a manifest the cache has no features of yet."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from xlser.data.audio import content_hash
from xlser.data.excerpts import Excerpt
from xlser.data.manifest import Manifest
from xlser.errors import CorpusError, MachineError
from xlser.features.cache import FeatureCache
from xlser.features.extract import open_cache, read_rows
from xlser.features.extractor import Extractor


def uncached(
    manifest: Manifest, extractor: Extractor, cache_root: str | Path, *, jobs: int | None = None, progress: bool = True
) -> np.ndarray:
    """Return the rows of ``manifest`` that `extract` would have to compute, int64 (M,), in order.

    ``extractor`` is one alone: of several side by side each has a cache of its own (`parts_of`).
    Files are read for their hash, none is decoded, no entry is opened: a damaged one counts as there. Rows whose file
    cannot be read are not among them. Where the cache has nothing at all of the extractor no file is read, and every
    row is returned.

    Raises:
        MachineError: files cannot be read through no fault of theirs.
        RecipeError, RunError: pretrained weights that are not there.
    """
    cache = open_cache(cache_root, extractor)
    if not cache.folder.is_dir():
        return np.arange(len(manifest.frame))
    look_up = partial(_is_cached, cache=cache)
    try:
        rows = read_rows(manifest, look_up, what="look-up", jobs=jobs, strict=False, progress=progress)
    except MachineError:
        raise
    except CorpusError:  # no file can be read
        return np.arange(0)
    return np.flatnonzero(rows.used)[~np.array(rows.read)]


def _is_cached(part: Excerpt, *, cache: FeatureCache) -> bool:
    return cache.path(content_hash(*part)).exists()
