"""A checkpoint that a model needs is known by its content: in the model's folder, where it was, or where one says."""

import shutil

import pytest

import xlser as xl
from xlser.errors import RunError
from xlser.models.checkpoints import load_encoder


@pytest.fixture
def german(small_data, small_cache):
    four = ("anger", "happiness", "neutral", "sadness")
    return xl.load_corpus("synthetic-de", small_data / "synthetic-de", cache=small_cache).keep(*four)


@pytest.fixture
def clip(small_data):
    return str(sorted((small_data / "synthetic-tr" / "wav").glob("*.wav"))[0])


def saved(tmp_path, german, cache, clip, licence):
    """Return a saved model that hears a checkpoint of this licence, what it says of a clip, and the checkpoint."""
    checkpoint = tmp_path / "there" / "ours"
    load_encoder("random:tiny-group", seed=3).save(checkpoint)
    (checkpoint / "README.md").write_text(f"---\nlicense: {licence}\n---\n")
    system = xl.NoNetwork(xl.features.Encoder(str(checkpoint), layer=1))
    model = xl.Recogniser(system, xl.Knn(), folder=tmp_path / "fitted", cache=cache, progress=False).fit(german)
    return model.save(tmp_path / "saved"), model.predict(clip).probabilities, checkpoint


def test_one_whose_licence_permits_it_goes_along(tmp_path, german, small_cache, clip):
    folder, said, checkpoint = saved(tmp_path, german, small_cache, clip, "mit")
    shutil.rmtree(checkpoint.parent)
    moved = folder.rename(tmp_path / "elsewhere")
    assert xl.load(moved).predict(clip).probabilities == said
    assert xl.load(xl.load(moved).save(tmp_path / "again")).predict(clip).probabilities == said


def test_another_is_asked_for_and_found_by_its_content(tmp_path, german, small_cache, clip, monkeypatch):
    folder, said, checkpoint = saved(tmp_path, german, small_cache, clip, "cc-by-nc-nd-4.0")
    assert not (folder / "checkpoints").exists()
    moved = checkpoint.parent.rename(tmp_path / "moved")
    load_encoder("random:tiny-group", seed=4).save(tmp_path / "others" / "ours")
    for place in ("", str(tmp_path / "others"), str(tmp_path / "nowhere")):
        monkeypatch.setenv("XLSER_CHECKPOINTS", place)
        with pytest.raises(RunError, match=r"ours .*SHA-256.*checkpoints/ours.*XLSER_CHECKPOINTS"):
            xl.load(folder)
    for place in (moved, moved / "ours"):
        monkeypatch.setenv("XLSER_CHECKPOINTS", f"{tmp_path / 'others'}:{place}")
        assert xl.load(folder).predict(clip).probabilities == said
    monkeypatch.delenv("XLSER_CHECKPOINTS")
    shutil.copytree(moved / "ours", folder / "checkpoints" / "ours")
    assert xl.load(folder).predict(clip).probabilities == said
