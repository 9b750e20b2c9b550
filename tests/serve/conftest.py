"""A model of a small run, and its application as a browser on this machine would ask it."""

from dataclasses import replace

import pytest
import soundfile

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from fastapi.testclient import TestClient
from ragged import make_ragged

from xlser import load
from xlser.experiment.run import run_recipe
from xlser.experiment.workplace import Workplace
from xlser.serve.app import create_app
from xlser.serve.limits import Limits
from xlser.training.recipe import Recipe

SMALL = Limits(bytes=400_000, all_bytes=900_000, seconds=30.0, channels=4, windows=500, jobs=2, queue=60)


@pytest.fixture(scope="session")
def served_data(tmp_path_factory):
    return make_ragged(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="session")
def served_run(served_data):
    recipe = Recipe(
        name="served",
        source="synthetic-de",
        targets=("synthetic-tr",),
        features={"extractor": "logmel"},
        split={"folds": 4},
        training={"epochs": 1, "seeds": 1},
        evaluation={"draws": 100},
    )
    place = Workplace(served_data, cache=served_data / "cache", progress=False, say=lambda text: None)
    return run_recipe(recipe, served_data / "run", place)


@pytest.fixture(scope="session")
def served_model(served_run):
    return load(served_run).model


@pytest.fixture
def log():
    return []


@pytest.fixture
def make_client(served_model, served_data, log):
    """Return a function: a client of an application with limits of its own."""
    opened = []

    def make(model=served_model, corpora=True, **limits):
        place = Workplace(served_data, cache=served_data / "cache", progress=False) if corpora else None
        app = create_app(model, limits=replace(SMALL, **limits), corpora=place, say=log.append)
        client = TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False)
        opened.append(client.__enter__())
        return client

    yield make
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture
def recording(tmp_path, voice):
    """Return a function: a WAV file of so many seconds."""

    def make(seconds=2.0, samples=None, rate=16_000, **options):
        path = tmp_path / "recording.wav"
        soundfile.write(path, voice(seconds) if samples is None else samples, rate, **options)
        return path

    return make
