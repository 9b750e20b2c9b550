"""``xlser corpora audit`` as a user types it."""

import json

import pytest
from click.testing import CliRunner

from xlser.cli.audit import audit
from xlser.corpora.card import load_card
from xlser.corpora.synthetic import synthesise
from xlser.errors import CorpusError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("it") / "synthetic-it"
    return synthesise(load_card("synthetic-it"), root, sentences=2, speakers=3, progress=False)


def call(*words):
    return CliRunner().invoke(audit, [str(word) for word in words], catch_exceptions=False)


def test_it_prints_findings_and_writes_a_page_and_json(folder, tmp_path):
    done = call("synthetic-it", "--root", f"synthetic-it={folder}", "--out", tmp_path / "o", "--cache", tmp_path / "c")
    assert done.exit_code == 0
    assert "SYNTHETIC" in done.output
    assert "Findings:" in done.output
    assert (tmp_path / "o" / "audit.html").is_file()
    found = json.loads((tmp_path / "o" / "audit.json").read_text())
    assert found["corpora"][0]["counts"]["speakers"] == 3


def test_without_features_nothing_is_decoded(folder, tmp_path):
    words = ("--root", f"synthetic-it={folder}", "--out", tmp_path / "o", "--cache", tmp_path / "c", "--no-features")
    assert "not decoded" in call("synthetic-it", *words).output
    assert {path.name for path in (tmp_path / "c").glob("*")} <= {"scans"}


def test_a_split_that_is_neither_kind_nor_file_is_one_sentence(folder, tmp_path):
    with pytest.raises(CorpusError, match="did you mean 'speaker-folds'"):
        call("synthetic-it", "--root", f"synthetic-it={folder}", "--split", "speaker-fold", "--out", tmp_path)


def test_an_unknown_place_is_one_sentence():
    with pytest.raises(CorpusError, match="where is corpus emodb"):
        call("emodb")


def test_help_loads_nothing_heavy():
    assert "Folder for audit.html" in CliRunner().invoke(audit, ["--help"]).output
