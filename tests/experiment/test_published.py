"""Recipes of published tables: who has the corpora runs them unchanged, so each runs here on folders like theirs."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from layouts import make_layout

from xlser.errors import CorpusError
from xlser.evaluation.adaptations import ADAPTATIONS
from xlser.evaluation.choice import best_in_hindsight, choose, choose_reading, readings_of
from xlser.evaluation.readout import Part
from xlser.experiment.cases import drawn_clips
from xlser.experiment.oracle import oracle_labels
from xlser.experiment.readers import Reader
from xlser.experiment.run import run_recipe
from xlser.experiment.workplace import Workplace
from xlser.reporting.report import render_terminal, write_report
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.load import load_recipe, recipe_paths
from xlser.training.recipe import Recipe

PUBLISHED = [name for name in recipe_paths() if name.startswith("published/")]
# One of each table: a report costs as long as the run.
REPORTED = ("ser-evals-emodb", "emobox-cross-ravdess", "emobox-within-emovo", "ser-tests-msp-podcast")
SHORT = ("training.epochs=1", "training.seeds=1", "evaluation.draws=100")


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    return Workplace(
        tmp_path_factory.mktemp("data"),
        cache=tmp_path_factory.mktemp("cache"),
        progress=False,
        say=lambda text: None,
    )


def load_small(name):
    """The recipe as it is, but with random weights, one epoch, and as many clips as the folders have."""
    recipe = load_recipe(name)
    if isinstance(recipe, EncoderRecipe):
        smaller = ("encoder.weights=random:tiny", "training.precision=float32", "training.seconds=16")
    else:
        smaller = ("features.encoder=random:tiny",) + ("evaluation.clips=4",) * bool(recipe.evaluation.clips)
    return load_recipe(name, (*SHORT, *smaller))


@pytest.fixture(scope="module", params=PUBLISHED)
def run(request, here, tmp_path_factory):
    recipe = load_small(request.param)
    for corpus in (recipe.source, *recipe.targets):
        if not (here.data_root / corpus).exists():
            make_layout(here.data_root, corpus)
    return recipe, run_recipe(recipe, tmp_path_factory.mktemp("runs") / recipe.name, here)


def test_every_published_recipe_runs_and_scores(run):
    recipe, folder = run
    table = pd.read_csv(folder / "transfer.csv")
    own = table[table["method"].isin(recipe.methods) & (table["metric"] == "UA")]
    assert set(own["corpus"]) == {recipe.source, *recipe.targets}
    assert own["value"].between(0, 1).all()
    wanted = set(recipe.emotions) if not recipe.targets else set()
    confusion = pd.read_csv(folder / "confusion.csv")
    assert wanted <= set(confusion["truth"])
    if recipe.name in REPORTED:
        assert write_report(folder).is_file()
        assert recipe.source in render_terminal(folder)


def test_the_true_prior_stands_under_its_own_protocol_alone(run):
    recipe, folder = run
    table = pd.read_csv(folder / "transfer.csv")
    oracle = table[table["protocol"] == "oracle"]
    assert set(oracle["normalise"]) == ({"oracle-prior"} if recipe.evaluation.oracle_prior else set())
    assert set(oracle["corpus"]) == (set(recipe.targets) if recipe.evaluation.oracle_prior else set())
    results = json.loads((folder / "results.json").read_text())
    assert results["about"]["protocol"] == "zero-shot"


def test_only_the_recipes_of_one_table_look_at_a_targets_prior():
    asking = [name for name in recipe_paths() if load_recipe(name).evaluation.oracle_prior]
    assert asking
    assert all(name.startswith("published/ser-evals/") for name in asking)


def test_what_is_held_out_is_as_each_table_has_it(run):
    recipe, folder = run
    (split,) = json.loads((folder / "results.json").read_text())["splits"]
    train, validation, test = (set(split["speakers"][part]) for part in ("train", "validation", "test"))
    if "within" in recipe.name:
        assert not test & (train | validation)
        assert validation
        assert set(split["shared"]) == train & validation
    if "ser-evals" in recipe.name:
        sizes = split["utterances"]
        assert sizes["train"] / sum(sizes.values()) == pytest.approx(0.8, abs=0.03)


def recipe_of(**evaluation):
    return Recipe(name="x", source="emodb", evaluation=evaluation)


def test_a_balanced_test_set_takes_of_each_emotion_as_many_and_of_each_speaker_too():
    labels = np.array(["anger"] * 12 + ["neutral"] * 8 + [None] * 4, dtype=object)
    speakers = np.array([*"aaaaaabbbbcc", *"aaaaaabc", *"abca"])
    drawn = drawn_clips(recipe_of(clips=6), "toy", labels, speakers)
    assert pd.Series(labels[drawn]).value_counts().to_dict() == {"anger": 6, "neutral": 6}
    assert [list(speakers[drawn & (labels == "anger")]).count(who) for who in "abc"] == [2, 2, 2]
    assert [list(speakers[drawn & (labels == "neutral")]).count(who) for who in "abc"] == [4, 1, 1]
    again = drawn_clips(recipe_of(clips=6), "toy", labels, speakers)
    other = drawn_clips(recipe_of(clips=6, clips_seed=1), "toy", labels, speakers)
    assert np.array_equal(drawn, again)
    assert not np.array_equal(drawn, other)
    assert drawn_clips(recipe_of(), "toy", labels, speakers) is None


def test_a_balanced_test_set_that_cannot_be_names_the_emotion():
    labels, speakers = np.array(["anger"] * 5 + ["neutral"] * 3, dtype=object), np.array([*"abcdeabc"])
    with pytest.raises(CorpusError, match=r"toy: evaluation.clips asks for 4 .* 3 of neutral"):
        drawn_clips(recipe_of(clips=4), "toy", labels, speakers)


@pytest.fixture
def reader():
    rng = np.random.default_rng(0)
    labels = np.repeat(["anger", "neutral"], 60).astype(object)
    rows = rng.normal(size=(120, 2)) + (labels == "anger")[:, None]
    train, validation = Part(rows[::2], labels[::2], {}), Part(rows[1::2], labels[1::2], {})
    return Reader(SimpleNamespace(method="features"), train, validation, {}, None)


def test_the_true_prior_multiplies_what_was_fitted_under_equal_shares(reader):
    classes, rng = ("anger", "neutral"), np.random.default_rng(1)
    embedded = rng.normal(scale=2, size=(200, 2))
    labels = np.array(["anger"] * 180 + ["neutral"] * 20, dtype=object)
    said = reader.probed(embedded, classes)
    want = np.where(said[:, 0] * 0.9 >= said[:, 1] * 0.1, "anger", "neutral")
    got = oracle_labels(reader, embedded, classes, labels)
    assert list(got) == ["probe"]
    assert np.array_equal(got["probe"], want)
    assert (got["probe"] == "anger").mean() > (said[:, 0] > 0.5).mean()


def test_the_true_prior_is_that_of_the_scored_classes_and_of_all_clips(reader):
    classes, embedded = ("anger", "neutral"), np.random.default_rng(2).normal(size=(40, 2))
    labels = np.array(["anger", "neutral"] * 15 + [None] * 10, dtype=object)
    plain = np.array(classes)[reader.probed(embedded, classes).argmax(axis=1)]
    assert np.array_equal(oracle_labels(reader, embedded, classes, labels)["probe"], plain)


def test_no_choice_is_made_by_a_reading_that_knows_the_prior(run):
    _, folder = run
    rows = json.loads((folder / "results.json").read_text())["transfer"]
    told = [row | {"value": 1.0} if row["protocol"] == "oracle" else row for row in rows]
    assert choose(told) == choose(rows)
    assert readings_of(told) == readings_of(rows)
    assert choose_reading({"pretended": told}) == choose_reading({"pretended": rows})
    assert best_in_hindsight(readings_of(told)) == best_in_hindsight(readings_of(rows))
    assert "oracle-prior" not in ADAPTATIONS
