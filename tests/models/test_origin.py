"""Where a checkpoint comes from: by the hub's cache without a network, by a folder, by its model card."""

import shutil

import pytest

from xlser.errors import RecipeError
from xlser.models.checkpoints import checkpoint_facts, load_encoder
from xlser.models.origin import origin

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CARD = "---\nlicense: apache-2.0\ndatasets:\n- narad/ravdess\nbase_model: openai/whisper-tiny\n---\n# Ears\n"


@pytest.fixture
def folder(tmp_path):
    load_encoder("random:tiny", seed=2).save(tmp_path / "ears")
    return tmp_path / "ears"


@pytest.fixture
def cached(tmp_path, folder, monkeypatch):
    """A model that lies in the hub's cache, and no way to the hub; returns its snapshot."""
    from huggingface_hub import constants

    kept = tmp_path / "hub" / "models--house--ears"
    snapshot = shutil.copytree(folder, kept / "snapshots" / COMMIT)
    (snapshot / "README.md").write_text(CARD)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return snapshot


def test_a_hub_name_in_the_cache_needs_no_network(cached):
    found = origin("house/ears", revision="main")
    facts = checkpoint_facts("house/ears")
    assert found["sha256"] == facts.identity["sha256"] == checkpoint_facts(str(cached)).identity["sha256"]
    assert (found["hub"], found["commit"], found["revision"]) == ("house/ears", COMMIT, "main")
    assert (found["licence"], found["datasets"], found["base"]) == (
        *("apache-2.0", ["narad/ravdess"]),
        "openai/whisper-tiny",
    )
    assert load_encoder("house/ears").about["commit"] == COMMIT
    assert origin("house/ears", revision=COMMIT)["commit"] == COMMIT


def test_what_is_not_in_the_cache_is_told_without_a_network(cached):
    with pytest.raises(RecipeError, match="house/nose"):
        origin("house/nose")


def test_a_snapshot_given_as_a_folder_is_known_by_name_and_commit(cached):
    found = origin(str(cached))
    assert (found["hub"], found["commit"], found["weights"]) == ("house/ears", COMMIT, str(cached))


def test_a_folder_says_what_its_files_say_and_no_more(folder):
    assert set(origin(str(folder))) == {"weights", "revision", "model_type", "sha256"}
    (folder / "xlser.json").write_text('{"name": "house/ears", "commit": "c0ffee"}')
    assert origin(str(folder))["hub"] == "house/ears"
    (folder / "xlser.json").write_text('{"name": "/somewhere/ears"}')
    assert "hub" not in origin(str(folder))


def test_a_config_names_what_it_was_made_from(folder):
    config = folder / "config.json"
    config.write_text(config.read_text().replace("{", '{"_name_or_path": "openai/whisper-tiny",', 1))
    assert origin(str(folder))["base"] == "openai/whisper-tiny"


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: [mit, apache-2.0]\n---\n", "mit or apache-2.0"),
        ("---\nlicense: other\nlicense_name: house-rules\n---\n", "other house-rules"),
        ("---\nlicense: {a: b}\n---\n", None),
        ("# No front matter\nlicense: mit\n", None),
        ("---\n{ broken\n---\n", None),
        ("---\n---\n", None),
    ],
)
def test_the_licence_is_what_the_front_matter_of_the_card_says(folder, card, licence):
    (folder / "README.md").write_text(card)
    assert origin(str(folder)).get("licence") == licence
