"""The first screen of a run and its map, by structure and numbers."""

import json
import re

import numpy as np
import pytest

from xlser.evaluation.verdicts import packed
from xlser.reporting.facts import Facts
from xlser.reporting.first_screen import answer, forest
from xlser.reporting.report import run_page
from xlser.reporting.section import Headline, Panels, Switch, Words, walk

VALIDATION = {"role": "source, validation speakers", "corpus": "src", "protocol": "zero-shot"}


def entry(corpus, protocol):
    """Every speaker is read right by what was chosen, and one of two clips wrong by plain features."""
    count = 24
    truth = ["anger", "sadness"] * (count // 2)
    half = [label if place % 4 < 2 else "anger" for place, label in enumerate(truth)]
    said = {"method": "metric", "classifier": "knn", "seed": 0, "labels": truth}
    plain = {"method": "features", "classifier": "probe", "seed": 0, "labels": half}
    rows = {"id": [str(i) for i in range(count)], "speaker": [f"s{i // 2}" for i in range(count)], "truth": truth}
    kept = packed(rows | {"said": [said, plain]})
    return {"corpus": corpus, "role": "target", "protocol": protocol, "classes": ["anger", "sadness"]} | kept


@pytest.fixture
def folder(run_dir, results):
    row = next(row for row in results["transfer"] if (row["method"], row["classifier"]) == ("metric", "knn"))
    results["transfer"].append(row | VALIDATION | {"metric": "UA"})
    for row in results["transfer"]:
        if (row["method"], row["classifier"]) == ("features", "probe"):
            row["value"] = row["value"] - 0.1
    path = run_dir(results)
    entries = [entry(name, protocol) for name in ("tgt", "mute") for protocol in ("zero-shot", "transductive")]
    (path / "predictions.json").write_text(json.dumps({"corpora": entries}), encoding="utf-8")
    return path


def test_the_headline_is_of_what_validation_chose_and_its_rivals_are_tested(folder):
    first, words = answer(Facts.of_folder(folder))
    assert isinstance(first, Headline)
    assert first.text.startswith("UA 0.61 [0.54, 0.69] in the mean of 2 targets, transductive, by metric, kNN")
    assert isinstance(words, Words)
    lines = dict(words.lines)
    assert len(lines) <= 4
    assert "tgt 0.68 [0.58, 0.78]; mute 0.55 [0.45, 0.65]" in lines["By target:"]
    features = lines["Plain features with logistic regression:"]
    assert re.search(r"ahead by 0\.(09|10) \(p < 0\.001", features)  # of rounded numbers
    assert "24 speakers" in features  # of both targets, each for itself
    assert "nothing certain" not in features


def test_without_predictions_nothing_is_called_tested(folder):
    (folder / "predictions.json").unlink()
    lines = dict(answer(Facts.of_folder(folder))[1].lines)
    assert "not tested" in lines["Plain features with logistic regression:"]


def test_all_systems_stand_beside_the_answer_a_corpus_at_a_time(folder):
    facts = Facts.of_folder(folder)
    (switch,) = [part for part in forest(facts) if isinstance(part, Switch)]
    assert [label for label, _ in switch.options] == ["src", "tgt", "mute"]
    assert switch.options[switch.chosen][0] == "tgt"
    page = run_page(facts)
    assert [section.anchor for section in page.sections if not section.folded] == ["map"]


def test_the_map_is_coloured_by_emotion_first_and_never_a_grey_cloud(folder):
    page = run_page(Facts.of_folder(folder))
    (panels,) = [part for part in walk(page.sections[0].parts) if isinstance(part, Panels)]
    assert [panel.title for panel in panels.panels] == ["src", "tgt", "mute"]
    mute = re.findall(r'data-colours="([^"]+)"', panels.panels[2].svg)
    assert len(mute) == 8
    emotion, activation = np.array([colours.split(" ")[:2] for colours in mute]).T
    assert not any(colour.startswith("o") for colour in emotion)
    assert all(colour.startswith("o") for colour in activation)  # it has no ratings


def test_a_run_that_scored_no_emotions_speaks_of_ratings_or_says_so(folder):
    results = json.loads((folder / "results.json").read_text())
    results["transfer"] = []
    (first,) = answer(Facts(results))
    assert first.text.startswith("The direction of “metric” follows ratings of activation r = 0.40 [0.30, 0.50]")
    (first,) = answer(Facts(results | {"correlation": []}))
    assert first.text == "No corpus could be classified."
    assert forest(Facts(results)) == []


def test_a_run_without_targets_speaks_of_its_held_out_speakers(folder):
    results = json.loads((folder / "results.json").read_text())
    results["corpora"] = results["corpora"][:1]
    first = answer(Facts(results))[0]
    assert first.text.startswith("UA 0.81 [0.71, 0.91] on src's held-out speakers")


def test_a_target_without_an_interval_is_not_counted_as_no_better_than_chance(folder):
    facts = Facts.of_folder(folder)
    for row in facts.results["transfer"]:
        row["low"] = row["high"] = None
    text = answer(facts)[0].text
    assert text.endswith("without an interval.")
    assert " of 2" not in text.partition("chance")[2]


def test_a_mean_over_human_speech_has_no_mark_of_the_synthetic_target_that_it_leaves_out(folder):
    facts = Facts.of_folder(folder)
    facts.corpora["mute"]["synthetic"] = True
    facts.about["synthetic"] = ["mute"]
    first = answer(facts)[0]
    assert list(first.marks) == []
    assert "on tgt, synthetic speech left out" in first.text
