"""Schemas for editors: every key is explained, what we ship is taken, and what is broken is not."""

import json
from pathlib import Path

import pytest

from xlser.docs.schemas import KINDS, json_schema
from xlser.schema import models_in
from xlser.yamlfile import read_yaml

jsonschema = pytest.importorskip("jsonschema")
ROOT = Path(__file__).resolve().parents[2]
CARDS, RECIPES = sorted((ROOT / "corpora").glob("*.yaml")), sorted((ROOT / "recipes").rglob("*.yaml"))


@pytest.fixture(scope="module")
def takes():
    """Return a function: whether the schema of a kind takes some values."""
    validators = {kind: jsonschema.Draft202012Validator(json_schema(kind)) for kind in KINDS}
    return lambda kind, values: validators[kind].is_valid(values)


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_is_explained(kind):
    schema = json_schema(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    named = [key for model in KINDS[kind] for inner in models_in(model) for key in inner.model_fields]
    said = [part["description"] for part in _properties(schema)]
    assert len(said) >= len(set(named))
    assert all(len(text.split()) >= 2 and text.endswith(".") for text in said)


def _properties(part):
    if isinstance(part, dict):
        for name, inner in part.items():
            yield from inner.values() if name == "properties" else _properties(inner)
            if name == "properties":
                yield from (found for value in inner.values() for found in _properties(value))


@pytest.mark.parametrize("path", CARDS + RECIPES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_is_shipped_is_taken(takes, path):
    assert takes("card" if path in CARDS else "recipe", read_yaml(path))


@pytest.mark.parametrize(
    ("kind", "name", "change"),
    [
        ("card", "urdu", {"licnece": "free"}),
        ("card", "urdu", {"elicitation": "played"}),
        ("card", "urdu", {"languages": []}),
        ("card", "urdu", {"table": {"file": "t.csv", "key": "a", "columns": {}, "seperator": ";"}}),
        ("recipe", "emodb/dae-both", {"training": {"epoch": 3}}),
        ("recipe", "emodb/dae-both", {"features": {"normalise": "target"}}),
        ("recipe", "emodb/supcon-knn", {"features": {"extractor": "egemaps"}}),
        ("recipe", "emodb/supcon-knn", {"encoder": {"weight": "x"}}),
    ],
)
def test_what_is_broken_is_not(takes, kind, name, change):
    folder = ROOT / ("corpora" if kind == "card" else "recipes")
    values = read_yaml(folder / f"{name}.yaml")
    assert takes(kind, values)
    assert not takes(kind, values | change)
    assert not takes(kind, {key: value for key, value in values.items() if key not in ("name", "source")})


def test_a_file_for_an_editor(tmp_path):
    from click.testing import CliRunner

    from xlser.cli.main import xlser

    result = CliRunner().invoke(xlser, ["schema", "card", "--out", str(tmp_path / "card.json")])
    assert result.exit_code == 0
    assert "# yaml-language-server: $schema=card.json" in result.output
    assert json.loads((tmp_path / "card.json").read_text()) == json_schema("card")
    assert json.loads(CliRunner().invoke(xlser, ["schema", "recipe"]).output) == json_schema("recipe")
