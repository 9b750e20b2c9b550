"""Approximate indexes against the exact one, and groups left out against brute force."""

import warnings

import numpy as np
import pytest

from xlser.store import index as module
from xlser.store.datastore import Datastore
from xlser.store.index import Index

KINDS = ["ivf", "hnsw"]


def clusters(rows, seed, dimensions=24):
    """Synthetic rows about 40 centres."""
    centres = np.random.default_rng(0).normal(size=(40, dimensions)) * 2
    rng = np.random.default_rng(seed)
    return (centres[rng.integers(40, size=rows)] + rng.normal(size=(rows, dimensions))).astype(np.float32)


def recall(found, exact):
    return np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found.tolist(), exact.tolist(), strict=True)])


@pytest.fixture(params=[0, 10**6], ids=["by filter", "by finding more"])
def flat_path(request, monkeypatch):
    """Both ways a flat index leaves a group out."""
    monkeypatch.setattr(module, "FEW_ROWS", request.param)


def brute_outside(embeddings, queries, groups, wanted, k):
    """Return positions (Q, k): a loop over queries and rows, in float64."""
    out = []
    for query, group in zip(queries.astype(float), wanted, strict=True):
        distances = ((embeddings.astype(float) - query) ** 2).sum(1)
        distances[[other == group for other in groups]] = np.inf
        out.append(np.argsort(distances)[:k])
    return np.array(out)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_an_approximate_index_finds_nearly_all_of_clustered_rows(kind, metric):
    rows, queries = clusters(4000, 1), clusters(200, 2)
    distances, found = Index(rows, metric, kind).search(queries, 16)
    exact_distances, exact = Index(rows, metric).search(queries, 16)
    assert recall(found, exact) >= 0.95
    assert (np.diff(distances, axis=1) >= 0).all()
    same = found[:, 0] == exact[:, 0]
    assert distances[same, 0] == pytest.approx(exact_distances[same, 0], abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_an_approximate_index_that_is_built_again_answers_the_same(kind):
    rows, queries = clusters(2000, 1), clusters(50, 2)
    first, second = (Index(rows, "l2", kind).search(queries, 9) for _ in range(2))
    assert (first[0] == second[0]).all()
    assert (first[1] == second[1]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_where_an_approximate_index_finds_too_few_every_row_is_compared(kind):
    rows, queries = clusters(1500, 1), clusters(6, 2)
    found = Index(rows, "l2", kind).search(queries, 1500)[1]
    assert (np.sort(found, axis=1) == np.arange(1500)).all()
    assert (found[:, :20] == Index(rows, "l2").search(queries, 20)[1]).all()


@pytest.mark.parametrize("kind", ["flat", *KINDS])
@pytest.mark.parametrize("size", [1, 2, 38])
def test_any_index_of_a_few_rows_is_exact(kind, size, capfd):
    rows = clusters(size, 1)
    found = Index(rows, "l2", kind).search(rows, size)[1]
    assert (found[:, 0] == np.arange(size)).all()
    assert capfd.readouterr() == ("", ""), "faiss must not warn of few points"


@pytest.mark.usefixtures("flat_path")
@pytest.mark.parametrize("sizes", [[50, 50, 50], [140, 9, 1]], ids=["even", "one large"])
def test_a_flat_search_without_groups_is_that_of_brute_force(sizes):
    embeddings = clusters(150, 1)
    groups = np.repeat(["anna", "ben", "cem"], sizes)
    wanted = np.array(["anna", "ben", "cem", "zoe"])[np.random.default_rng(3).integers(4, size=30)]
    queries = clusters(30, 2)
    store = Datastore(embeddings, range(150), groups=groups)
    assert (
        store.search(queries, 10, exclude_groups=wanted)[1] == brute_outside(embeddings, queries, groups, wanted, 10)
    ).all()


@pytest.mark.parametrize("kind", KINDS)
def test_an_approximate_search_without_groups_finds_nearly_all_others(kind):
    embeddings = clusters(3000, 1)
    # A speaker is a cluster of its own, so that every near row is one to be left out.
    nearest = Index(clusters(40, 5), "l2").search(embeddings, 1)[1][:, 0]
    groups = [f"s{number}" for number in nearest]
    store = Datastore(embeddings, range(3000), groups=groups, index=kind)
    found = store.search(embeddings[:60], 8, exclude_groups=groups[:60])[1]
    assert not (nearest[found] == nearest[:60, None]).any()
    assert recall(found, brute_outside(embeddings, embeddings[:60], groups, groups[:60], 8)) >= 0.95


@pytest.mark.usefixtures("flat_path")
def test_own_id_and_group_are_left_out_together_even_where_they_disagree():
    embeddings = clusters(40, 1)
    groups = ["anna"] * 20 + ["ben"] * 20
    ids = [f"u{row}" for row in range(40)]
    store = Datastore(embeddings, ids, groups=groups)
    # The first query is a row of anna's that says it is of ben, the second one of anna's, the third not stored.
    queries, own, without = embeddings[[3, 5, 7]], ["u3", "u5", "elsewhere"], ["ben", "anna", "zoe"]
    found = store.search(queries, 19, exclude_ids=own, exclude_groups=without)[1]
    assert set(found[0]) == set(range(20)) - {3}
    assert set(found[1]) < set(range(20, 40))
    assert (found[2] == store.search(embeddings[[7]], 19)[1][0]).all()


@pytest.mark.usefixtures("flat_path")
def test_all_that_a_group_leaves_can_be_found_and_no_more():
    store = Datastore(clusters(10, 1), range(10), groups=["anna"] * 7 + ["ben"] * 3)
    queries = clusters(2, 2)
    found = store.search(queries, 3, exclude_groups=["anna", "zoe"])[1]
    assert set(found[0]) == {7, 8, 9}
    with pytest.raises(ValueError, match="at most the 3 stored embeddings that query 1 may find outside its group 'an"):
        store.search(queries, 4, exclude_groups=["zoe", "anna"])
    with pytest.raises(ValueError, match="at most the 2 stored embeddings that query 0"):
        store.search(queries, 3, exclude_ids=["8", "9"], exclude_groups=["anna", "zoe"])
    assert store.search(queries, 3, exclude_ids=["1", "9"], exclude_groups=["anna", "zoe"])[1].shape == (2, 3)


def test_no_queries_leave_no_group_out():
    store = Datastore(clusters(4, 1), range(4), groups=["anna"] * 4)
    assert store.search(np.empty((0, 24)), 4, exclude_groups=[])[1].shape == (0, 4)


def test_a_large_flat_index_warns_and_the_others_do_not(monkeypatch):
    monkeypatch.setattr(module, "FLAT_ROWS", 10)
    with pytest.warns(UserWarning, match="a flat index of 11 rows is slow: try index='ivf'"):
        Datastore(clusters(11, 1), range(11))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Datastore(clusters(10, 1), range(10))
        Datastore(clusters(11, 1), range(11), index="hnsw")
