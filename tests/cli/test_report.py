"""``xlser report --listen`` as a shell would call it."""

import json

import pytest
import yaml

CARD = {
    "name": "toy",
    "title": "Toy",
    "languages": ["de"],
    "licence": "for nobody",
    "elicitation": "acted",
    "audio": "*.wav",
    "grammar": r"(?P<speaker>s\d)_(?P<emotion>[a-z]+)",
    "emotion": {"ang": "anger", "sad": "sadness"},
}


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A folder with a bench of one cell, and a card of its corpus."""
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "toy.yaml").write_text(yaml.safe_dump(CARD), encoding="utf-8")
    monkeypatch.setenv("XLSER_CARDS", str(tmp_path / "cards"))
    recipe = {"name": "a", "source": "toy", "targets": []}
    about = {"recipes": {"a": recipe}, "sources": ["toy"], "targets": ["toy"], "few_shot": [], "seeds": 1}
    about |= {"versions": {"xlser": "0"}, "command": "xlser transfer", "finished": "today"}
    labels = {"kept": {}, "merged": {}, "dropped": {}}
    cell = {"recipe": "a", "source": "toy", "target": "toy", "normalise": "corpus", "classes": ["anger"]}
    cell |= {"about": {"corpus": "toy", "title": "Toy", "role": "source", "language": "de", "ratings": "none"}}
    cell["about"] |= {"synthetic": False, "utterances": 2, "speakers": 2, "labels": labels}
    empty = ("transfer", "correlation", "confusion", "choices", "notes", "dimensions", "nuisances", "few_shot", "trust")
    cell |= {name: [] for name in (*empty, "few_shot_areas")} | {"baseline": {"method": "plain", "readers": {}}}
    cell["points"] = [{"method": "m", "id": f"toy/s{i}_ang", "x": i, "y": i, "emotion": "anger"} for i in (1, 2)]
    nothing = {name: [] for name in ("chosen", "matrix", "comparisons", "languages")}
    (tmp_path / "bench").mkdir()
    results = {"about": about, "failed": {}, "holes": {}, "cells": [cell], **nothing}
    (tmp_path / "bench" / "results.json").write_text(json.dumps(results), encoding="utf-8")
    return tmp_path / "bench"


def test_clips_are_copied_and_a_later_report_still_plays_them(xlser, bench, corpus):
    root = corpus("s1_ang.wav", "s2_ang.wav")
    status, out, err = xlser("report", bench, "--listen", "--root", f"toy={root}")
    assert (status, out.strip()) == (0, str(bench / "report.html"))
    assert "toy: 2 clips, 2 of them new; licence: for nobody" in err
    assert "do not publish them" in err
    page = bench / "pages" / "a-toy-toy.html"
    assert page.read_text(encoding="utf-8").count('<a href="../clips/toy/') == 2
    assert xlser("report", bench)[0] == 0
    assert page.read_text(encoding="utf-8").count('<a href="../clips/toy/') == 2


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--listen"], 1, "toy: no clips: where is corpus toy?"),
        (["--listen", "--root", "toy"], 1, "--root needs CORPUS=DIR"),
        (["--data-root", "."], 2, "add --listen"),
    ],
)
def test_a_mistake_is_told_and_makes_no_page(xlser, bench, words, status, said):
    found, _, err = xlser("report", bench, *words)
    assert found == status
    assert said in err
    assert not (bench / "report.html").exists()


def test_a_run_cannot_be_listened_to(xlser, tmp_path):
    (tmp_path / "results.json").write_text('{"about": {}}')
    status, _, err = xlser("report", tmp_path, "--listen", "--data-root", tmp_path)
    assert status == 1
    assert "Give the folder of a bench" in err
