"""Recipes that learn from the votes of several raters: which clips teach, and what comes of it, in both networks."""

import json

import numpy as np
import pandas as pd
import pytest

import xlser as xl
from xlser.experiment.run import run_recipe
from xlser.experiment.vote_targets import vote_targets
from xlser.experiment.workplace import Workplace
from xlser.schema import validate
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.recipe import Recipe

EMOTIONS = ("anger", "happiness", "neutral", "sadness")


@pytest.fixture(scope="module")
def rated(small_data):
    """Return a function: the ragged corpus with synthetic votes in its table, by how many of five doubt the label."""
    data = xl.load_corpus("synthetic-de", root=small_data / "synthetic-de")

    def with_votes(doubting, undecided=0):
        frame, rng = data.frame.copy(), np.random.default_rng(0)
        votes, emotions = [], frame["emotion"].to_list()
        for row, emotion in enumerate(frame["emotion"]):
            other = str(rng.choice([name for name in EMOTIONS if name != emotion]))
            votes.append(json.dumps({emotion: 5 - doubting} | ({other: doubting} if doubting else {})))
            if undecided and row % undecided == 0 and emotion in EMOTIONS:
                emotions[row], votes[row] = "no-agreement", json.dumps({emotion: 2, other: 2})
        columns = {"votes": np.array(votes, dtype=object), "emotion": np.array(emotions, dtype=object)}
        return data._of_frame(frame.assign(**columns))

    return with_votes


def recipe_of(kind, source, terms, **more):
    about = {"name": "r", "source": str(source), "split": {"folds": 4}, "evaluation": {"draws": 100}}
    if kind == "encoder":
        about |= {"encoder": {"weights": "random:tiny"}, "methods": {"m": {"cross_entropy": terms}}}
        about |= {"training": {"epochs": 2, "seeds": 1, "seconds": 16, "lr": 0.003}}
    else:
        about |= {"methods": {"m": {"losses": {"cross_entropy": terms}}}, "model": {"hidden": [8], "latent": 4}}
        about |= {"training": {"epochs": 3, "seeds": 1, "batch": 16}}
    return validate(EncoderRecipe if kind == "encoder" else Recipe, about | more, "r", ValueError)


@pytest.fixture
def run(tmp_path, small_cache):
    """Return a function: the weights of the method of a run, its results, and what was said."""

    def finished(kind, data, terms, name="run", **more):
        said = []
        place = Workplace(None, {}, cache=small_cache, progress=False, say=said.append)
        source = data.write(tmp_path / f"{name}.parquet")
        out = run_recipe(recipe_of(kind, source, terms, **more), tmp_path / name, place)
        tensors, _ = weights_of(out / "models" / "m" / "seed-0" / "model.safetensors")
        return tensors, json.loads((out / "results.json").read_text()), said

    return finished


def weights_of(path):
    from safetensors import safe_open

    with safe_open(str(path), framework="np") as file:
        return {name: file.get_tensor(name).tobytes() for name in file.keys()}, file.metadata()  # noqa: SIM118


@pytest.mark.parametrize("kind", ["autoencoder", pytest.param("encoder", marks=pytest.mark.slow)])
def test_votes_for_one_class_train_the_same_weights_as_labels_and_others_do_not(kind, rated, run):
    sure, doubtful = rated(0), rated(2)
    by_label, *_ = run(kind, sure, {"weight": 1}, "label")
    by_votes, results, said = run(kind, sure, {"targets": "votes"}, "votes")
    assert by_votes == by_label
    assert any("clips that teach a classifier: " in line and " by votes" in line for line in said)
    taught = results["corpora"][0]["labels"]["taught"]
    assert taught["by votes"] == sum(results["corpora"][0]["labels"]["kept"].values())
    by_doubt, *_ = run(kind, doubtful, {"targets": "votes"}, "doubt")
    assert by_doubt != by_label
    assert run(kind, doubtful, {"targets": "labels"}, "hard")[0] == by_label


@pytest.mark.parametrize("kind", ["autoencoder", pytest.param("encoder", marks=pytest.mark.slow)])
def test_clips_of_no_agreement_take_part_only_if_asked(kind, rated, run):
    data = rated(1, undecided=3)
    without, results, _ = run(kind, data, {"targets": "votes"}, "without")
    taught = results["corpora"][0]["labels"]["taught"]
    assert taught["without agreement, left out"] > 3
    asked, results, said = run(kind, data, {"targets": "votes", "undecided": True}, "asked")
    assert (
        results["corpora"][0]["labels"]["taught"]["without agreement, by votes"]
        == taught["without agreement, left out"]
    )
    assert any("without agreement, by votes" in line for line in said)
    assert asked != without
    kept = results["corpora"][0]["labels"]["kept"]
    assert sum(kept.values()) == taught["by votes"], "what is scored stays hard"


def test_a_corpus_without_votes_is_learnt_from_its_labels_and_that_is_said(small_data, run):
    data = xl.load_corpus("synthetic-de", root=small_data / "synthetic-de")
    by_label, *_ = run("autoencoder", data, {"weight": 1}, "label")
    by_votes, _, said = run("autoencoder", data, {"targets": "votes"}, "votes")
    assert by_votes == by_label
    assert any("has no votes: `targets: votes` learns from its labels" in line for line in said)


def test_a_probe_that_learns_from_votes_predicts_as_it_was_scored(rated, tmp_path, small_cache):
    """The probe of a prediction is fitted again to what the model's folder holds: votes are in it."""
    data, said = rated(2), {}
    for targets in ("labels", "votes"):
        probe = xl.Probe(c=0.1, targets=targets)
        options = {"folder": tmp_path / targets, "cache": small_cache, "progress": False}
        model = xl.Recogniser(xl.NoNetwork(), readout=probe, **options).fit(data)
        said[targets] = model.predict(data)[list(EMOTIONS)].to_numpy()
    assert np.abs(said["labels"] - said["votes"]).max() > 0.01
    assert said["votes"].max(axis=1).mean() < said["labels"].max(axis=1).mean(), "it learnt doubt"


def corpus_of(votes, emotions, merge=None):
    from xlser.experiment.corpora import Corpus, scored_labels

    frame = pd.DataFrame({"votes": votes, "emotion": emotions, "secondary": [None] * len(votes)})
    recipe = Recipe(name="r", source="a", merge=merge or {})
    labels, counts = scored_labels(frame["emotion"], recipe)
    dataset = type("Table", (), {"frame": frame, "name": "t"})()
    return vote_targets(Corpus(dataset, None, labels, counts), recipe)


def test_which_clips_have_targets():
    votes = [
        '{"anger": 3, "fear": 3}',  # labelled: shares among the scored emotions
        '{"anger": 2, "neutral": 2}',  # undecided between scored emotions
        '{"fear": 2, "disgust": 2, "anger": 1}',  # undecided about something else
        '{"fear": 3, "anger": 2}',  # most hear something that is not scored
        None,  # a label alone
        '{"calm": 1, "neutral": 1, "sadness": 2}',
    ]
    emotions = ["anger", "no-agreement", "no-agreement", "fear", "sadness", "no-agreement"]
    found = corpus_of(votes, emotions, merge={"calm": "neutral"})
    nobody = [np.nan] * 4
    expected = [[1, 0, 0, 0], [0.5, 0, 0.5, 0], nobody, nobody, nobody, [0, 0, 0.5, 0.5]]
    np.testing.assert_array_equal(found, np.array(expected, dtype=np.float32))
