"""What a release says of itself agrees; and a release alone makes nothing old."""

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
import yaml

import xlser
from xlser.data.manifest import build_manifest, read_manifest, write_manifest
from xlser.errors import XlserError
from xlser.evaluation.results_file import load_bench, load_results
from xlser.fileformats import VERSIONS, check_version
from xlser.store.datastore import Datastore
from xlser.training.checkpoint import load_state, save_state

ROOT = Path(__file__).resolve().parents[1]


def test_citation_changelog_and_package_name_one_version_and_day():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    number, day = re.search(r"^## (\S+) \((\S+)\)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M).groups()
    assert (citation["version"], citation["date-released"]) == (number, day)
    assert xlser.__version__ == number


def other_manifest(tmp_path, make_card, corpus, schema):
    path = tmp_path / "m.parquet"
    write_manifest(build_manifest(make_card(), corpus("s1_ang_1.wav")), path)
    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[b"xlser"]) | {"schema": schema}
    pq.write_table(table.replace_schema_metadata({"xlser": json.dumps(about)}), path)
    return lambda: read_manifest(path)


def other_weights(tmp_path, make_card, corpus, schema):
    save_state(tmp_path / "w.safetensors", {"x": torch.zeros(2)}, {"fingerprint": "f", "schema": schema})
    return lambda: load_state(tmp_path / "w.safetensors", "f")


def other_datastore(tmp_path, make_card, corpus, schema):
    from safetensors import safe_open
    from safetensors.numpy import save_file

    path = tmp_path / "d.safetensors"
    Datastore([[1.0, 2.0]], ["a"]).save(path)
    with safe_open(path, framework="numpy") as file:
        about, tensor = file.metadata(), file.get_tensor("embeddings")
    save_file({"embeddings": tensor}, path, metadata=about | {"schema": str(schema)})
    return lambda: Datastore.load(path)


def other_run(tmp_path, make_card, corpus, schema):
    about = {"versions": {"xlser": "7.0"}}
    (tmp_path / "results.json").write_text(json.dumps({"schema": schema, "about": about}))
    return lambda: load_results(tmp_path)


def other_bench(tmp_path, make_card, corpus, schema):
    (tmp_path / "results.json").write_text(json.dumps({"schema": schema, "cells": []}))
    return lambda: load_bench(tmp_path)


@pytest.mark.parametrize("schema", [0, 99])
@pytest.mark.parametrize("make", [other_manifest, other_weights, other_datastore, other_run, other_bench])
def test_a_file_of_another_schema_is_refused_by_number(tmp_path, make_card, corpus, make, schema):
    with pytest.raises(XlserError, match=f"has schema {schema}"):
        make(tmp_path, make_card, corpus, schema)()


@pytest.mark.parametrize("make", [other_manifest, other_weights, other_datastore])
def test_a_file_of_todays_schema_is_read(tmp_path, make_card, corpus, make):
    assert make(tmp_path, make_card, corpus, 1)() is not None


def test_files_of_before_there_were_schemas_count_as_the_first():
    check_version("weights", None, "w.safetensors", "make it again")
    with pytest.raises(XlserError):
        check_version("cell", None, "cell.json", "make it again")


def test_the_package_version_decides_nothing():
    """Its only uses are what is shown, and what is written down as provenance."""
    shown = {
        *(
            "cli/main.py",
            "environment/system.py",
            "experiment/results_folder.py",
            "experiment/audit.py",
        ),
        *("evaluation/results_file.py", "__init__.py", "version.py"),
        *("serve/about_model.py", "serve/app.py", "api/pushing.py"),
    }
    package = ROOT / "xlser"
    using = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "__version__" in path.read_text(encoding="utf-8")
    }
    assert using == shown
    assert set(VERSIONS.values()) <= set(range(1, 100))
