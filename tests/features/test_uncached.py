"""Which rows the cache lacks: by content and extractor, and never a file that is gone."""

from dataclasses import replace

import pytest

from xlser.data.manifest import build_manifest
from xlser.features.extract import extract
from xlser.features.logmel import LogMel
from xlser.features.uncached import uncached

NAMES = [f"s{number}_ang_1.wav" for number in range(5)]
FEW, MANY = LogMel(bands=10), LogMel(bands=20)


@pytest.fixture
def manifest(make_card, corpus):
    return build_manifest(make_card(), corpus(*NAMES))


def missing(manifest, extractor, cache):
    return uncached(manifest, extractor, cache, progress=False).tolist()


def test_only_what_is_not_there_is_missing(manifest, tmp_path):
    cache = tmp_path / "cache"
    assert missing(manifest, FEW, cache) == [0, 1, 2, 3, 4]
    some = rows_of(manifest, [0, 3])
    extract(some, FEW, cache, progress=False)
    assert missing(manifest, FEW, cache) == [1, 2, 4]
    extract(manifest, FEW, cache, progress=False)
    assert missing(manifest, FEW, cache) == []
    assert missing(manifest, MANY, cache) == [0, 1, 2, 3, 4]


def test_a_file_that_is_gone_is_no_work(manifest, tmp_path):
    extract(rows_of(manifest, [0]), FEW, tmp_path, progress=False)
    manifest.file(manifest.frame["path"][1]).unlink()
    assert missing(manifest, FEW, tmp_path) == [2, 3, 4]
    for path in manifest.files():
        path.unlink(missing_ok=True)
    assert missing(manifest, FEW, tmp_path) == []


def rows_of(manifest, rows):
    return replace(manifest, frame=manifest.frame.iloc[rows].reset_index(drop=True))
