"""Labels, groups, other columns and the encoder: kept, hashed, joined and refused."""

import hashlib
import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from xlser.errors import XlserError
from xlser.store.datastore import Datastore

KNOWN = {
    "labels": ["joy", "ärger", "joy"],
    "groups": ["en/1", "en/1", "en/2"],
    "about": {"language": ["en", "en", ""], "path": ["a\n.wav", "b.wav", "c.wav"]},
    "encoder": "random:tiny@layer 3",
}


def store(names="abc", seed=0, **changes):
    rows = np.random.default_rng(seed).normal(size=(len(names), 4)).astype(np.float32)
    return Datastore(rows, list(names), **{**KNOWN, **changes})


@pytest.mark.parametrize("index", ["flat", "ivf", "hnsw"])
def test_what_is_known_of_the_rows_is_saved_and_loaded(tmp_path, index):
    before = store(index=index, labels=np.array(KNOWN["labels"]))
    before.save(tmp_path / "s.safetensors")
    back = Datastore.load(tmp_path / "s.safetensors")
    assert back.labels == before.labels == ("joy", "ärger", "joy")
    assert (back.groups, back.about, back.encoder) == (before.groups, before.about, before.encoder)
    assert back.about["path"] == ("a\n.wav", "b.wav", "c.wav")
    assert (back.index, back.hash) == (index, before.hash)


def test_a_bare_store_says_that_nothing_is_known(tmp_path):
    Datastore([[1.0]], ["a"]).save(tmp_path / "s.safetensors")
    back = Datastore.load(tmp_path / "s.safetensors")
    assert (back.labels, back.groups, back.about, back.encoder, back.index) == (None, None, {}, "", "flat")


def test_a_file_of_before_there_were_columns_is_read(tmp_path):
    rows = np.float32([[1.0, 2.0]])
    digest = hashlib.sha256(json.dumps(["a"]).encode() + rows.tobytes()).hexdigest()
    save_file({"embeddings": rows}, tmp_path / "s.safetensors", {"ids": '["a"]', "metric": "l2", "hash": digest})
    assert Datastore.load(tmp_path / "s.safetensors").hash == digest


def test_a_changed_label_in_a_file_is_noticed(tmp_path):
    path = tmp_path / "s.safetensors"
    store().save(path)
    data = path.read_bytes()
    assert data.count(b"joy") == 2
    path.write_bytes(data.replace(b"joy", b"jay", 1))
    with pytest.raises(XlserError, match=r"s\.safetensors does not match its hash"):
        Datastore.load(path)


@pytest.mark.parametrize("known", ["[]", '{"metric": "l2"}', '{"labels": [1, 2, 3]}', "no json"])
def test_a_file_with_columns_that_are_none_is_named(tmp_path, known):
    path = tmp_path / "s.safetensors"
    about = {"ids": '["a", "b", "c"]', "metric": "l2", "hash": "x", "known": known}
    save_file({"embeddings": np.zeros((3, 2), np.float32)}, path, about)
    with pytest.raises(XlserError, match=r"s\.safetensors"):
        Datastore.load(path)


def test_the_hash_tells_columns_and_encoders_apart():
    stores = [
        store(),
        store(labels=["joy", "ärger", "fear"]),
        store(groups=["en/1", "en/2", "en/2"]),
        store(groups=None),
        store(about={}),
        store(about={"language": ["en", "en", "ur"], "path": KNOWN["about"]["path"]}),
        store(encoder="random:tiny@layer 4"),
    ]
    assert len({one.hash for one in stores}) == len(stores)
    turned = {"path": KNOWN["about"]["path"], "language": KNOWN["about"]["language"]}
    assert store(about=turned).hash == store().hash


def test_embeddings_of_another_encoder_are_refused_by_both_names():
    one = store()
    one.check_encoder("random:tiny@layer 3")
    told = "datastore of another encoder: it holds embeddings of random:tiny@layer 3, but these are of eGeMAPS"
    with pytest.raises(XlserError, match=told):
        one.check_encoder("eGeMAPS")
    with pytest.raises(XlserError, match=told):
        one.search(np.zeros((1, 4)), 1, encoder="eGeMAPS")
    with pytest.raises(XlserError, match="of an encoder not named, but these are of eGeMAPS"):
        store(encoder="").search(np.zeros((1, 4)), 1, encoder="eGeMAPS")
    assert one.search(np.zeros((1, 4)), 1, encoder="random:tiny@layer 3")[1].shape == (1, 1)


def test_an_extended_store_is_the_store_of_all_rows():
    first, second = store("abc", metric="cosine"), store("xyz", seed=1, metric="cosine")
    both = first.extend(second)
    assert (len(first), len(second), both.metric, both.encoder) == (3, 3, "cosine", first.encoder)
    assert both.ids == list("abcxyz")
    assert both.labels == first.labels + second.labels
    assert both.groups == first.groups + second.groups
    assert both.about["language"] == first.about["language"] + second.about["language"]
    assert both.search(second.embeddings, 1)[1].ravel().tolist() == [3, 4, 5]
    same = Datastore(
        np.concatenate([first.embeddings, second.embeddings]),
        list("abcxyz"),
        labels=both.labels,
        groups=both.groups,
        about=both.about,
        encoder=both.encoder,
    )
    assert both.hash == same.hash
    assert first.hash == store("abc", metric="cosine").hash


def test_stores_that_do_not_fit_each_other_are_refused():
    one, bare = store(), Datastore(np.zeros((1, 3)), "z", encoder=KNOWN["encoder"])
    with pytest.raises(XlserError, match="datastore of another encoder"):
        one.extend(store("xyz", encoder="eGeMAPS"))
    for other, message in [
        (store("cde"), r"must have no id in common, but share 'c' \(1 in all\)"),
        (store("xyz", metric="cosine"), "must be of one metric, but are 'l2' and 'cosine'"),
        (bare, "must have as many dimensions, but have 4 and 3"),
        (store("xyz", labels=None), "`labels` must be in both stores or in neither, but only the first one has it"),
        (store("xyz", about={"language": list("abc")}), r"`about\['path'\]` must be in both stores"),
        (store("xyz", about={**KNOWN["about"], "sex": list("mfm")}), r"about\['sex'\].* only the second one has it"),
    ]:
        with pytest.raises(ValueError, match=message):
            one.extend(other)


def test_columns_that_are_none_are_named():
    for changes, message in [
        ({"labels": ["joy", None, "joy"]}, "`labels` must hold text, but row 1 is None. Drop such rows"),
        ({"labels": ["joy", "joy", float("nan")]}, "`labels` must hold text, but row 2 is nan"),
        ({"labels": ["joy"]}, r"`labels` must hold one text an embedding \(3\), but holds 1"),
        ({"labels": "joy"}, "`labels` must hold one text an embedding"),
        ({"groups": []}, r"`groups` must hold one text an embedding \(3\), but holds 0"),
        ({"about": {"age": [1, 2, 3]}}, r"`about\['age'\]` must hold text, but row 0 is 1"),
        ({"index": "pq"}, "`index` must be 'flat', 'ivf' or 'hnsw', but is 'pq'"),
    ]:
        with pytest.raises(ValueError, match=message):
            store(**changes)
    with pytest.raises(ValueError, match="`exclude_groups` must be None, as this store has no groups"):
        store(groups=None).search(np.zeros((1, 4)), 1, exclude_groups=["en/1"])
    with pytest.raises(ValueError, match="`exclude_groups` must hold 1 groups, one a query, but holds 2"):
        store().search(np.zeros((1, 4)), 1, exclude_groups=["en/1", "en/1"])
