"""Corpora without a label or with some: ratings are learnt and scored, and nothing is taken for an emotion."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml

import xlser as xl
from xlser.experiment.run import run_recipe
from xlser.experiment.use.model import load
from xlser.experiment.workplace import Workplace
from xlser.reporting.report import write_report
from xlser.schema import validate
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe

EMOTIONS = ("anger", "happiness", "neutral", "sadness")
HEAD = {
    "languages": ["de"],
    "licence": "CC0",
    "elicitation": "acted",
    "audio": "*.wav",
    "speaker": "{spk}",
    "dimensions": {"scale": [1, 5], "columns": {"valence": "v", "activation": "a"}},
}


@pytest.fixture(scope="module")
def corpora(tmp_path_factory, voice):
    """Return cards and folders of three ragged corpora: rated only, labelled and rated, and some of each."""
    root, places = tmp_path_factory.mktemp("rated"), {}
    for place, (name, speakers, kind) in enumerate([("rated", 4, "none"), ("both", 3, "all"), ("mixed", 3, "some")]):
        (root / name).mkdir()
        deal, rows = np.random.default_rng(place), []
        for number in range(speakers * 6):
            emotion, speaker = number % 4, number // 6
            wave = voice(deal.uniform(0.4, 0.9), pitch=100 + 30 * emotion + 3 * speaker, seed=100 * place + number)
            soundfile.write(root / name / f"{number}.wav", wave * (0.3 + 0.2 * emotion), 16_000)
            rated = round(3 * (1.2 + emotion + deal.uniform(-0.3, 0.3))) / 3  # means of three raters
            labelled = kind == "all" or (kind == "some" and number % 6 < 4)
            row = {"file": number, "spk": f"p{speaker}", "emo": EMOTIONS[emotion] if labelled else ""}
            rows.append(row | {"v": rated, "a": "" if kind == "some" and labelled else rated})
        with (root / name / "t.csv").open("w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
        columns = {"spk": "spk"} | ({"emotion": "emo"} if kind != "none" else {})
        labels = {"emotion": {name: name for name in EMOTIONS}} if kind != "none" else {}
        table = {"table": {"file": "t.csv", "key": "file", "columns": columns}}
        card = root / f"{name}.yaml"
        card.write_text(yaml.safe_dump({"name": name, "title": name} | HEAD | labels | table))
        places[name] = (card, root / name)
    return places


def recipe_of(corpora, kind=Recipe, source="rated", targets=("both", "mixed"), **values):
    about = {"name": "r", "source": str(corpora[source][0]), "targets": [str(corpora[name][0]) for name in targets]}
    return validate(kind, about | {"evaluation": {"draws": 100}, "split": {"folds": 3}} | values, "r", ValueError)


def place_of(corpora, cache):
    said = []
    return Workplace(corpora["rated"][1].parent, cache=cache, progress=False, say=said.append), said


@pytest.fixture(scope="module")
def run(corpora, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "run"
    place, said = place_of(corpora, folder.parent / "cache")
    methods = {"activation": {"metric": "signed", "on": "activation"}}
    recipe = recipe_of(corpora, methods=methods, training={"seeds": 1, "epochs": 2})
    run_recipe(recipe, folder, place)
    return folder, said


def test_a_source_with_ratings_alone_scores_correlations_and_no_classes(run):
    folder, said = run
    results = json.loads((folder / "results.json").read_text())
    assert results["transfer"] == []
    scored = {(row["corpus"], row["dimension"], row["statistic"]) for row in results["correlation"]}
    assert {(name, "activation", "CCC") for name in ("rated", "both", "mixed")} <= scored
    direction = [row for row in results["correlation"] if row["axis"] == "direction" and row["statistic"] == "Pearson"]
    assert all(row["value"] > 0.5 for row in direction if row["method"] == "features" and row["corpus"] == "both")
    assert any("no classification, since rated has ratings and no labels" in note for note in results["about"]["notes"])
    assert any("it has ratings and no labels" in line for line in said)
    rated, _, mixed = results["corpora"]
    assert (rated["emotions"], rated["labels"]["dropped"]) == ({}, {"unlabelled": 24})
    assert (sum(mixed["emotions"].values()), mixed["labels"]["dropped"]) == (12, {"unlabelled": 6})


def test_its_pages_and_predictions_name_no_emotion(run, corpora):
    folder, _ = run
    page = write_report(folder).read_text()
    assert "No corpus could be classified" in page
    model = load(folder)
    said = model.predict(corpora["both"][1] / "0.wav")
    assert (said.emotion, said.probabilities) == ("", {})
    assert set(said.ratings) == {"activation", "valence"}


def test_a_labelled_source_reads_a_target_with_ratings_alone(corpora, tmp_path):
    place, _ = place_of(corpora, tmp_path / "cache")
    recipe = recipe_of(corpora, source="both", targets=("rated",), model="none", training={"seeds": 1})
    results = json.loads((run_recipe(recipe, tmp_path / "run", place) / "results.json").read_text())
    assert {row["corpus"] for row in results["transfer"]} == {"both"}
    assert {row["corpus"] for row in results["correlation"]} == {"both", "rated"}


def test_a_source_of_which_some_are_labelled_learns_from_both(corpora, tmp_path):
    place, _ = place_of(corpora, tmp_path / "cache")
    methods = {"both": {"metric": "signed", "on": "valence", "emotion_head": True}}
    recipe = recipe_of(corpora, source="mixed", targets=("both",), methods=methods, training={"seeds": 1, "epochs": 2})
    results = json.loads((run_recipe(recipe, tmp_path / "run", place) / "results.json").read_text())
    assert {row["corpus"] for row in results["transfer"]} == {"both", "mixed"}
    assert {row["corpus"] for row in results["correlation"]} == {"both", "mixed"}


def test_an_encoder_learns_ratings_alone(corpora, tmp_path):
    place, _ = place_of(corpora, tmp_path / "cache")
    values = {"encoder": {"weights": "random:tiny"}, "methods": {"rated": {"dimensions": {"of": ["activation"]}}}}
    training = {"seeds": 1, "epochs": 1, "seconds": 8}
    recipe = recipe_of(corpora, EncoderRecipe, targets=("both",), training=training, **values)
    run = run_recipe(recipe, tmp_path / "run", place)
    results = json.loads((run / "results.json").read_text())
    assert results["transfer"] == []
    assert {row["axis"] for row in results["correlation"] if row["method"] == "rated"} >= {"head", "direction"}
    assert set(load(run, method="rated").predict(corpora["both"][1] / "0.wav").ratings) >= {"activation"}


def test_a_recogniser_of_ratings_alone_gives_ratings(corpora, tmp_path):
    source, target = (xl.load_corpus(*corpora[name], cache=tmp_path) for name in ("rated", "both"))
    model = xl.Recogniser(xl.NoNetwork(), cache=tmp_path, progress=False).fit(source)
    table = model.predict(target)
    assert model.classes == ()
    assert sorted(table) == ["activation", "valence"]
    assert table.index.tolist() == target.frame["id"].tolist()
    scores = xl.evaluate(model, target, draws=50)
    assert {name.rsplit(" ", 1)[0] for name in scores.scores} >= {"CCC", "Pearson"}
    assert scores.classes == ()


def test_a_dataset_says_what_is_unlabelled_and_takes_it_for_no_emotion(corpora, tmp_path):
    mixed = xl.load_corpus(*corpora["mixed"], cache=tmp_path)
    assert mixed.emotions == EMOTIONS
    assert repr(mixed).endswith(", 6 unlabelled")
    described = mixed.describe()
    assert described.index[-2:].tolist() == ["(unlabelled)", "all"]
    assert described.loc["(unlabelled)", "rated"] == 6
    assert mixed.keep("anger").dropped["unlabelled"] == 6
    assert mixed.frame.loc[mixed.frame["emotion"] == "unlabelled", "emotion_raw"].tolist() == [""] * 6
    pd.testing.assert_frame_equal(xl.Dataset.from_manifest(mixed.write(tmp_path / "m.parquet")).frame, mixed.frame)
