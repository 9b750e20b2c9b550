"""The cache gives back what was put in, or nothing: never half of it, never other bits, never code."""

import errno
import io
import json
import os
import pickle
import subprocess
import sys
import zlib

import numpy as np
import pytest

from xlser.cachefolder import cache_folder
from xlser.errors import XlserError
from xlser.features.cache import FeatureCache, RowCache

IDENTITY = {"extractor": "toy", "bands": 40}
KEY, OTHER = "ab" + "0" * 62, "cd" + "0" * 62
WRITE = """
import os, sys
import numpy as np
from xlser.cachefolder import cache_folder
from xlser.features.cache import FeatureCache
cache = FeatureCache(sys.argv[1], {"extractor": "toy", "bands": 40})
"""


@pytest.fixture
def cache(tmp_path):
    return FeatureCache(tmp_path, IDENTITY)


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(size=88).astype(np.float32)


def entries(folder):
    return sorted(path.name for path in folder.rglob("*.npy") if not path.name.startswith("."))


def python(code, *arguments):
    return subprocess.Popen([sys.executable, "-c", WRITE + code, *map(str, arguments)])


def test_a_hit_has_the_same_bits(cache, values):
    values[:3] = [-0.0, np.float32(1e-45), np.finfo(np.float32).max]
    assert cache.get(KEY) is None
    cache.put(KEY, values)
    found = cache.get(KEY)
    assert found.dtype == values.dtype
    assert found.tobytes() == values.tobytes()
    assert cache.get(OTHER) is None


def test_another_cache_object_finds_the_entry(cache, values, tmp_path):
    cache.put(KEY, values)
    turned = dict(reversed(IDENTITY.items()))
    assert FeatureCache(tmp_path, turned).get(KEY).tobytes() == values.tobytes()


@pytest.mark.parametrize("change", [{"bands": 41}, {"extractor": "toy2"}, {"rate": 8000}])
def test_other_options_have_other_entries(cache, values, tmp_path, change):
    cache.put(KEY, values)
    assert FeatureCache(tmp_path, IDENTITY | change).get(KEY) is None


def test_the_folder_says_which_extractor_it_belongs_to(cache, values):
    cache.put(KEY, values)
    assert json.loads((cache.folder / "extractor.json").read_text()) == IDENTITY


def test_an_entry_with_any_byte_damaged_is_missing(cache, values):
    cache.put(KEY, values)
    whole = cache.path(KEY).read_bytes()
    for place in range(len(whole)):
        for flip in (0x01, 0xFF):
            cache.path(KEY).write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
            assert cache.get(KEY) is None, place


def test_an_entry_cut_anywhere_is_missing_and_can_be_made_again(cache, values):
    cache.put(KEY, values)
    whole = cache.path(KEY).read_bytes()
    for size in range(len(whole)):
        cache.path(KEY).write_bytes(whole[:size])
        assert cache.get(KEY) is None, size
    cache.put(KEY, values)
    assert cache.path(KEY).read_bytes() == whole


def test_threads_may_read_at_once_since_no_header_is_parsed_as_python(cache, values, monkeypatch):
    """CPython before 3.11.8 and 3.12.2 ends in SystemError where two threads build a syntax tree at once."""
    monkeypatch.setattr("ast.parse", lambda *_, **__: pytest.fail("a header was parsed as Python source"))
    for number, odd in enumerate([values, np.zeros((0, 4)), np.array(2.5), np.ones((2, 3, 4), "?")]):
        cache.put(f"{number:064d}", odd)
        found = cache.get(f"{number:064d}")
        assert (found.shape, found.dtype) == (odd.shape, odd.dtype)
        assert np.array_equal(found, odd)


@pytest.fixture
def matrix():
    return np.random.default_rng(0).normal(size=(5, 6)).astype(np.float16)


def test_of_a_matrix_the_rows_that_are_wanted_come_back_in_their_order(tmp_path, matrix):
    RowCache(tmp_path, IDENTITY, [0]).put(KEY, matrix)
    for rows in ([0], [4, 1, 1], list(range(5))):
        found = RowCache(tmp_path, IDENTITY, rows).get(KEY)
        assert found.dtype == np.float16
        assert found.tobytes() == matrix[rows].tobytes()
        assert RowCache(tmp_path, IDENTITY, rows).get(OTHER) is None
    assert RowCache(tmp_path, IDENTITY, [5]).get(KEY) is None


def test_a_damaged_row_is_missing_and_the_others_are_read_without_it(tmp_path, matrix):
    cache = RowCache(tmp_path, IDENTITY, [2])
    cache.put(KEY, matrix)
    whole = cache.path(KEY).read_bytes()
    start = whole.index(matrix[2].tobytes())
    for place in range(start, start + 16):
        cache.path(KEY).write_bytes(whole[:place] + bytes([whole[place] ^ 0x01]) + whole[place + 1 :])
        assert cache.get(KEY) is None, place
        assert RowCache(tmp_path, IDENTITY, [1, 3]).get(KEY).tobytes() == matrix[[1, 3]].tobytes()
    for size in range(start + 16):
        cache.path(KEY).write_bytes(whole[:size])
        assert cache.get(KEY) is None, size
    for place in range(start):
        cache.path(KEY).write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        found = cache.get(KEY)
        assert found is None or found.tobytes() == matrix[[2]].tobytes(), place


class Trap:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("kind", ["pickle", "object array", "archive"])
def test_no_pickle_is_loaded_even_where_the_checksum_fits(cache, values, tmp_path, kind):
    cache.put(KEY, values)
    trap, buffer = Trap(str(tmp_path / "made")), io.BytesIO()
    if kind == "pickle":
        pickle.dump(trap, buffer)
    elif kind == "object array":
        np.save(buffer, np.array([trap], dtype=object), allow_pickle=True)
    else:
        np.savez(buffer, a=np.array([trap], dtype=object))
    data = buffer.getvalue()
    cache.path(KEY).write_bytes(data + zlib.crc32(data).to_bytes(4, "little"))
    assert cache.get(KEY) is None
    assert not (tmp_path / "made").exists()


def test_a_kill_in_the_middle_of_a_write_leaves_no_entry(cache, values, tmp_path):
    cache.put(OTHER, values)
    killed = python(f"os.replace = lambda *_: os._exit(9)\ncache.put('{KEY}', np.ones(88, 'float32'))", tmp_path)
    assert killed.wait() == 9
    assert entries(cache.folder) == [f"{OTHER}.npy"]
    assert cache.get(KEY) is None


def test_two_processes_at_once_end_with_whole_entries(cache, tmp_path):
    code = "for n in range(40): cache.put(f'{n % 20:064d}', np.full(88, n % 20, 'float32'))"
    writers = [python(code, tmp_path) for _ in range(2)]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert [cache.get(f"{n:064d}")[87] for n in range(20)] == list(range(20))
    assert len(entries(cache.folder)) == 20


def test_a_full_disk_is_told_and_earlier_entries_stay(cache, values, monkeypatch):
    cache.put(KEY, values)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(XlserError, match=rf"cannot write .*{OTHER}\.npy: No space left.*Free some space"):
        cache.put(OTHER, values)
    assert entries(cache.folder) == [f"{KEY}.npy"]
    assert cache.get(KEY).tobytes() == values.tobytes()


def test_the_cache_folder_is_chosen_by_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("XLSER_CACHE", raising=False)
    assert cache_folder() == tmp_path / "xdg" / "xlser"
    monkeypatch.setenv("XLSER_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
