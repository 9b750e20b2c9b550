"""Arrays come back mapped, bit for bit, or not at all: never half of one, never other bits, never code."""

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

from xlser.errors import XlserError
from xlser.features import arrays
from xlser.features.arrays import ArrayStore
from xlser.features.cache import FeatureCache

IDENTITY = {"extractor": "toy", "layer": 3}
KEY, OTHER = "ab" + "0" * 62, "cd" + "0" * 62
WRITE = """
import os, sys
import numpy as np
from xlser.features.arrays import ArrayStore
store = ArrayStore(sys.argv[1], {"extractor": "toy", "layer": 3})
"""


@pytest.fixture
def fresh(tmp_path):
    """Return a function: the store as another process sees it."""
    return lambda identity=IDENTITY: ArrayStore(tmp_path, identity)


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)


def entries(folder):
    return sorted(path.name for path in folder.rglob("*.npy") if not path.name.startswith("."))


def python(code, *arguments):
    return subprocess.Popen([sys.executable, "-c", WRITE + code, *map(str, arguments)])


def missing(store):
    return store.get(KEY) is None


def test_a_hit_has_the_same_bits_and_is_mapped_read_only(fresh, values):
    values[0] = [-0.0, np.float32(1e-45), np.nan]
    assert (fresh().get(KEY), fresh().shape(KEY), fresh().has(KEY)) == (None, None, False)
    fresh().put(KEY, values)
    found = fresh().get(KEY)
    assert (found.dtype, found.shape, found.tobytes()) == (np.float32, (7, 3), values.tobytes())
    assert isinstance(found.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1
    assert (fresh().shape(KEY), fresh().has(KEY), fresh().has(OTHER)) == ((7, 3), True, False)


@pytest.mark.parametrize(
    "odd",
    [np.zeros((0, 4), np.float32), np.array(2.5), np.arange(12.0).reshape(3, 4).T, np.arange(20)[::3], np.ones(3, "?")],
    ids=["no rows", "one number", "columns first", "every third", "truth values"],
)
def test_arrays_of_every_kind_come_back(fresh, odd):
    fresh().put(KEY, odd)
    found = fresh().get(KEY)
    assert (found.shape, found.dtype, fresh().shape(KEY)) == (odd.shape, odd.dtype, odd.shape)
    assert np.array_equal(found, odd)


def test_what_numpy_and_the_feature_cache_write_is_the_same_format(fresh, values, tmp_path):
    fresh().put(KEY, values)
    assert np.array_equal(np.load(fresh().path(KEY)), values)
    cache = FeatureCache(tmp_path, IDENTITY)
    cache.put(KEY, values)
    assert cache.path(KEY).read_bytes() == fresh().path(KEY).read_bytes()


def test_entries_lie_by_identity_and_two_digits_beside_the_features(fresh, values, tmp_path):
    fresh().put(KEY, values)
    folder = fresh().folder
    assert (folder.parent, folder.name[:4]) == (tmp_path / "arrays", "toy-")
    assert fresh().path(KEY) == folder / "ab" / f"{KEY}.npy"
    assert json.loads((folder / "extractor.json").read_text()) == IDENTITY
    assert fresh(dict(reversed(IDENTITY.items()))).has(KEY)
    assert not fresh(IDENTITY | {"layer": 4}).has(KEY)


def test_an_entry_with_any_byte_damaged_is_missing(fresh, values):
    fresh().put(KEY, values)
    whole = fresh().path(KEY).read_bytes()
    for place in range(len(whole)):
        for flip in (0x01, 0x10, 0xFF):
            fresh().path(KEY).write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
            assert missing(fresh()), (place, flip)
            assert fresh().shape(KEY) in (None, (7, 3)), (place, flip)


def test_an_entry_of_another_length_is_missing_at_once_and_can_be_made_again(fresh, values):
    known = fresh()
    known.put(KEY, values)
    assert not missing(known)
    whole = known.path(KEY).read_bytes()
    for data in [*(whole[:size] for size in range(len(whole))), whole + b"0"]:
        known.path(KEY).write_bytes(data)
        for store in (known, fresh()):
            assert (store.get(KEY), store.shape(KEY), store.has(KEY)) == (None, None, False), len(data)
    known.put(KEY, values)
    assert known.path(KEY).read_bytes() == whole
    assert not missing(known)


def test_the_checksum_is_taken_once_and_only_where_the_samples_are_read(fresh, values, monkeypatch):
    taken = []
    monkeypatch.setattr(arrays, "_intact", lambda *_: taken.append(1) or True)
    store = fresh()
    store.put(KEY, values)
    store.put(OTHER, values)
    assert (store.has(KEY), store.shape(KEY), taken) == (True, (7, 3), [])
    for key in (KEY, KEY, OTHER, KEY):
        store.get(key)
    assert len(taken) == 2


class Trap:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("kind", ["pickle", "object array", "archive"])
def test_no_pickle_is_loaded_even_where_the_checksum_fits(fresh, values, tmp_path, kind):
    fresh().put(KEY, values)
    trap, buffer = Trap(str(tmp_path / "made")), io.BytesIO()
    if kind == "pickle":
        pickle.dump(trap, buffer)
    elif kind == "object array":
        np.save(buffer, np.array([trap], dtype=object), allow_pickle=True)
    else:
        np.savez(buffer, a=np.array([trap], dtype=object))
    data = buffer.getvalue()
    fresh().path(KEY).write_bytes(data + zlib.crc32(data).to_bytes(4, "little"))
    assert missing(fresh())
    assert not (tmp_path / "made").exists()


def test_objects_are_not_written(fresh):
    with pytest.raises(TypeError):
        fresh().put(KEY, np.array([{}]))
    assert entries(fresh().folder) == []


def test_what_was_read_stays_as_it_was_when_the_entry_is_replaced_or_removed(fresh, values):
    fresh().put(KEY, values)
    held = fresh().get(KEY)
    fresh().put(KEY, values + 1)
    fresh().path(KEY).unlink()
    assert held.tobytes() == values.tobytes()


def test_a_kill_in_the_middle_of_a_write_leaves_no_entry(fresh, values, tmp_path):
    fresh().put(OTHER, values)
    killed = python(f"os.replace = lambda *_: os._exit(9)\nstore.put('{KEY}', np.ones(9000, 'float32'))", tmp_path)
    assert killed.wait() == 9
    assert entries(fresh().folder) == [f"{OTHER}.npy"]
    assert missing(fresh())


def test_two_processes_at_once_end_with_whole_entries(fresh, tmp_path):
    code = "for n in range(40): store.put(f'{n % 20:064d}', np.full((300, 4), n % 20, 'float32'))"
    writers = [python(code, tmp_path) for _ in range(2)]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert [fresh().get(f"{n:064d}")[299, 3] for n in range(20)] == list(range(20))
    assert len(entries(fresh().folder)) == 20


def test_a_full_disk_is_told_and_earlier_entries_stay(fresh, values, monkeypatch):
    fresh().put(KEY, values)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(arrays.os, "replace", full)
    with pytest.raises(XlserError, match=rf"cannot write .*{OTHER}\.npy: No space left.*Free some space"):
        fresh().put(OTHER, values)
    assert entries(fresh().folder) == [f"{KEY}.npy"]
    assert not missing(fresh())


def test_a_cache_folder_that_is_none_is_named(tmp_path, values):
    (tmp_path / "file").write_text("not a folder")
    store = ArrayStore(tmp_path / "file", IDENTITY)
    assert missing(store)
    with pytest.raises(XlserError, match=r"cannot write .*extractor\.json: Not a directory"):
        store.put(KEY, values)
