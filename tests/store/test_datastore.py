"""The datastore against brute force in numpy, and its file against damage."""

import os
import subprocess
import sys

import faiss
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from xlser.errors import XlserError
from xlser.store.datastore import Datastore


@pytest.fixture
def embeddings():
    return np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)


def brute(embeddings, queries, metric):
    embeddings, queries = embeddings.astype(float), queries.astype(float)
    if metric == "l2":
        return ((queries[:, None] - embeddings[None]) ** 2).sum(-1)
    norms = np.linalg.norm(queries, axis=1)[:, None] * np.linalg.norm(embeddings, axis=1)
    return 1 - queries @ embeddings.T / norms


@pytest.fixture(params=[1, 10**6], ids=["by matrix product", "by differences"])
def faiss_path(request, monkeypatch):
    """Both ways faiss computes distances: which one it takes depends on its version and the number of queries."""
    monkeypatch.setattr(faiss.cvar, "distance_compute_blas_threshold", request.param)


@pytest.mark.usefixtures("faiss_path")
@pytest.mark.parametrize("metric", ["l2", "cosine"])
@pytest.mark.parametrize(("queries", "k"), [(40, 7), (3, 60), (1, 1)])
def test_neighbours_are_those_of_brute_force(embeddings, metric, queries, k):
    wanted = np.random.default_rng(1).normal(size=(queries, 5))
    distances, positions = Datastore(embeddings, range(60), metric=metric).search(wanted, k)
    every = brute(embeddings, wanted, metric)
    assert (positions == np.argsort(every, axis=1)[:, :k]).all()
    assert distances == pytest.approx(np.sort(every, axis=1)[:, :k], abs=1e-5)
    assert distances.dtype == np.float32


@pytest.mark.usefixtures("faiss_path")
def test_a_large_shared_offset_does_not_round_the_distances_away(embeddings):
    embeddings = np.round(embeddings * 64) / 64  # exact as float32 next to 4096
    near = Datastore(embeddings, range(60)).search(embeddings[:30], 9)
    far = Datastore(embeddings + 4096, range(60)).search(embeddings[:30] + 4096, 9)
    assert far[0] == pytest.approx(near[0], abs=1e-5)


def test_leave_one_out_is_the_store_without_that_row(embeddings):
    embeddings[7] = embeddings[8]  # a twin at distance zero must not be mistaken for the row itself
    ids = [f"u{n}" for n in range(60)]
    distances, positions = Datastore(embeddings, ids).search(embeddings, 5, exclude_ids=ids)
    every = brute(embeddings, embeddings, "l2")
    np.fill_diagonal(every, np.inf)
    assert not (positions == np.arange(60)[:, None]).any()
    assert distances == pytest.approx(np.sort(every, axis=1)[:, :5], abs=1e-5)


def test_an_excluded_id_that_is_not_stored_excludes_nothing(embeddings):
    store = Datastore(embeddings, range(60))
    found = store.search(embeddings[:4], 3, exclude_ids=["elsewhere"] * 4)
    assert (found[1] == store.search(embeddings[:4], 3)[1]).all()


def test_no_queries_give_no_neighbours(embeddings):
    store = Datastore(embeddings, range(60))
    assert store.search(np.empty((0, 5)), 3)[0].shape == (0, 3)
    assert store.search(np.empty((0, 5)), 3, exclude_ids=[])[1].shape == (0, 3)


def test_what_was_hashed_cannot_be_changed(embeddings):
    store = Datastore(embeddings, range(60))
    before = store.hash
    embeddings[0] = 9
    assert store.hash == before
    with pytest.raises(ValueError, match="read-only"):
        store.embeddings[0] = 9


def test_the_hash_tells_ids_order_and_numbers_apart():
    stores = [
        Datastore([[1.0], [2.0]], ["a", "b"]),
        Datastore([[1.0], [2.0]], ["b", "a"]),
        Datastore([[2.0], [1.0]], ["a", "b"]),
        Datastore([[1.0], [2.0]], ["a,", "b"]),
    ]
    assert len({store.hash for store in stores}) == 4
    assert stores[0].hash == Datastore(np.array([[1.0], [2.0]]), np.array(["a", "b"])).hash


@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_a_saved_store_comes_back_as_it_was(tmp_path, embeddings, metric):
    ids = [f"ü/{n}\n" for n in range(60)]
    store = Datastore(embeddings, ids, metric=metric)
    store.save(tmp_path / "deep" / "train.safetensors")
    back = Datastore.load(tmp_path / "deep" / "train.safetensors")
    assert (back.ids, back.metric, back.hash, len(back)) == (ids, metric, store.hash, 60)
    assert (back.embeddings == store.embeddings).all()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["train.safetensors"]


def test_a_changed_file_is_named(tmp_path, embeddings):
    path = tmp_path / "train.safetensors"
    Datastore(embeddings, range(60)).save(path)
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(data)
    with pytest.raises(XlserError, match=r"train\.safetensors does not match its hash"):
        Datastore.load(path)


@pytest.mark.parametrize("content", [None, b"", b"not a store", b"\x02\0\0\0\0\0\0\0{}"])
def test_a_file_that_is_no_store_is_named(tmp_path, content):
    path = tmp_path / "train.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(XlserError, match=r"cannot read .*train\.safetensors as a datastore"):
        Datastore.load(path)


def test_bad_arguments_are_named():
    store = Datastore([[0.0, 1.0], [1.0, 0.0]], ["a", "b"])
    for call, message in [
        (lambda: Datastore([[1.0], [2.0]], ["a", "a"]), "`ids` must be distinct, but 'a' stands in rows 0 and 1"),
        (lambda: Datastore([[1.0]], ["a", "b"]), r"`ids` must hold one id an embedding \(1\), but holds 2"),
        (lambda: Datastore([[1.0], [np.nan]], ["a", "b"]), "`embeddings` must be finite as float32, but row 1"),
        (lambda: Datastore([[1e300]], ["a"]), "`embeddings` must be finite as float32, but row 0"),
        (lambda: Datastore([1.0], ["a"]), r"`embeddings` must be of shape \(N, D\), both at least 1"),
        (lambda: Datastore(np.empty((0, 3)), []), "`embeddings` must be of shape"),
        (lambda: Datastore([[1.0]], ["a"], metric="l1"), "`metric` must be 'l2' or 'cosine', but is 'l1'"),
        (lambda: Datastore([[0.0]], ["a"], metric="cosine"), "`embeddings` must not hold a zero row"),
        (lambda: store.search([[1.0]], 1), "`queries` must have 2 dimensions, as the store, but has 1"),
        (lambda: store.search([[1.0, np.inf]], 1), "`queries` must be finite as float32, but row 0"),
        (lambda: store.search([[1.0, 1.0]], 3), r"`k` must be at most the number of stored embeddings \(2\), but is 3"),
        (lambda: store.search([[1.0, 1.0]], 2, exclude_ids=["a"]), r"less the excluded one \(1\), but is 2 instead"),
        (lambda: store.search([[1.0, 1.0]], 0), "`k` must be at least 1, but is 0"),
        (lambda: store.search([[1.0, 1.0]], 1, exclude_ids=[]), "`exclude_ids` must hold 1 ids"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


def test_importing_the_rooms_loads_no_heavy_library():
    code = """if True:
        import sys
        import xlser.evaluation.bootstrap, xlser.evaluation.interpolate, xlser.evaluation.regress
        print(sorted({"faiss", "sklearn", "scipy", "torch", "safetensors"} & set(sys.modules)))
    """
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


WRITE = """
import sys
import numpy as np
from xlser.store.datastore import Datastore
rows = np.random.default_rng(0).normal(size=(30, 4))
about = {name: [f"{name} {row}" for row in range(30)] for name in ("corpus", "language", "path", "é")}
groups = [f"s{row % 3}" for row in range(30)]
Datastore(rows, range(30), labels=["joy"] * 30, groups=groups, about=about, encoder="e").save(sys.argv[1])
"""


def test_the_same_datastore_is_the_same_bytes_in_every_process(tmp_path):
    written = set()
    for seed in range(4):
        path = tmp_path / f"{seed}.safetensors"
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        subprocess.run([sys.executable, "-c", WRITE, str(path)], env=environment, check=True)
        written.add(path.read_bytes())
        Datastore.load(path).save(path)
        written.add(path.read_bytes())
    assert len(written) == 1
    assert Datastore.load(path).about["é"][29] == "é 29"


@pytest.mark.parametrize("key", ["ids", "metric", "known", "index", "schema", "hash"])
@pytest.mark.parametrize(
    "value", ["", "{", "[[1]]", "5", "null", "1e999", "[" * 5000, "9" * 5000, '{"about": 5}', "\x00"]
)
def test_a_hostile_header_is_refused_by_the_name_of_the_file(key, value, tmp_path, embeddings):
    path = tmp_path / "x.safetensors"
    Datastore(embeddings, range(60), labels=["joy"] * 60).save(path)
    with safe_open(path, framework="numpy") as file:
        about, rows = file.metadata(), file.get_tensor("embeddings")
    save_file({"embeddings": rows}, path, metadata=about | {key: value})
    with pytest.raises(XlserError, match=str(path)) as error:
        Datastore.load(path)
    assert len(str(error.value)) < 1000
