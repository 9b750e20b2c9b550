"""Does it start here? Every module, a DAE run, an encoder run and their reports: what other versions are tried with.

`make test-newest` and `make test-oldest` run this file alone, in environments of their own.
"""

import importlib
import json
import pkgutil

import pytest
from click.testing import CliRunner

import xlser
from xlser.cli.main import xlser as command
from xlser.corpora.card import load_card
from xlser.corpora.synthetic import synthesise

MODULES = sorted(module.name for module in pkgutil.walk_packages(xlser.__path__, "xlser."))
SHORT = ("training.epochs=2", "training.seeds=1", "split.folds=4", "evaluation.draws=100", "targets=[synthetic-tr]")
RANDOM = {  # not a trained encoder: random weights
    "name": "random",
    "source": "synthetic-de",
    "targets": ["synthetic-tr"],
    "encoder": {"weights": "random:tiny"},
    "methods": {"ce+supcon": {"cross_entropy": 1, "supcon": 0.5}},
    "augment": {"time": 0, "feature": 0},
    "training": {"seconds": 32},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    for name in ("synthetic-de", "synthetic-tr"):
        synthesise(load_card(name), root / name, sentences=1, progress=False)
    return root


def run(recipe, data, folder):
    overrides = [word for value in SHORT for word in ("--set", value)]
    places = ["--data-root", str(data), "--cache", str(folder / "cache"), "--out", str(folder / "run")]
    result = CliRunner().invoke(command, ["run", recipe, *overrides, *places], catch_exceptions=False)
    assert result.exit_code == 0
    return folder / "run"


def check(folder, method):
    results = json.loads((folder / "results.json").read_text())
    scores = [row["value"] for row in results["transfer"] if row["method"] == method and row["metric"] == "UA"]
    assert scores
    assert all(0 <= score <= 1 for score in scores)
    assert "<svg" in (folder / "report.html").read_text()


@pytest.mark.parametrize("name", MODULES)
def test_every_module_imports(name):
    assert importlib.import_module(name).__name__ == name


def test_an_autoencoder_from_recordings_to_its_report(data, tmp_path):
    check(run("synthetic/dae-activation", data, tmp_path), "activation")


def test_an_encoder_from_recordings_to_its_report(data, tmp_path):
    recipe = tmp_path / "random.yaml"
    recipe.write_text(json.dumps(RANDOM))  # JSON is YAML
    check(run(str(recipe), data, tmp_path), "ce+supcon")
