"""The two ragged corpora, and a recipe that trains on one for a moment and reads the other."""

from pathlib import Path

import pytest
from ragged import make_ragged

from xlser.experiment.workplace import Workplace
from xlser.training.recipe import Recipe


@pytest.fixture(scope="session")
def small_data(tmp_path_factory) -> Path:
    return make_ragged(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def small_cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def place(small_data, small_cache) -> Workplace:
    return Workplace(small_data, cache=small_cache, progress=False, say=lambda text: None)


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(
        name="small",
        source="synthetic-de",
        targets=("synthetic-tr",),
        split={"folds": 4},
        training={"epochs": 3, "seeds": 2, "checkpoint_every": 1, "batch": 16},
        evaluation={"draws": 100},
        methods={"activation": {"metric": "signed", "on": "activation"}},
    )
