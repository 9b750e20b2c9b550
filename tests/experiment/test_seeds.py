"""The seed of a training and the fold that it holds out are two numbers."""

import json
from itertools import pairwise

import numpy as np
import pytest

from xlser.experiment.corpora import find_corpus, read_corpora
from xlser.experiment.run import run_recipe
from xlser.experiment.seeds import make_seeds
from xlser.training.recipe import Recipe


def changed(recipe, repeats=1, **training):
    values = recipe.model_dump(mode="json")
    values["split"] |= {"repeats": repeats, "folds": 3}
    values["training"] |= training
    return Recipe.model_validate(values)


@pytest.fixture
def source(recipe, place):
    return read_corpora(find_corpus("synthetic-de", place), recipe, place)


def test_each_fold_is_trained_as_often_as_asked_from_other_weights(recipe, source):
    seeds = make_seeds(changed(recipe, repeats=2, seeds=7), source)
    assert [seed.number for seed in seeds] == [*range(7)]
    assert [seed.fold for seed in seeds] == [0, 0, 1, 1, 2, 2, 0]
    assert [seed.place for seed in seeds] == [*range(7)]
    for one, other in pairwise(seeds):
        assert np.array_equal(one.split.test, other.split.test) == (one.fold == other.fold)


def test_the_first_seed_moves_the_weights_and_no_fold(recipe, source):
    plain, moved = (make_seeds(changed(recipe, seeds=4, first_seed=first), source) for first in (0, 10))
    assert [seed.number for seed in moved] == [10, 11, 12, 13]
    assert [seed.fold for seed in moved] == [seed.fold for seed in plain] == [0, 1, 2, 0]
    for one, other in zip(plain, moved, strict=True):
        assert one.split.hash == other.split.hash


def test_what_is_not_asked_for_does_not_change_a_recipes_hash(recipe):
    assert changed(recipe).hash == changed(recipe, first_seed=0).hash
    assert changed(recipe).hash != changed(recipe, first_seed=1).hash
    assert changed(recipe).hash != changed(recipe, repeats=2).hash


def test_results_say_both_and_other_seeds_give_other_curves(recipe, place, tmp_path):
    found = []
    for first in (0, 5):
        run = run_recipe(changed(recipe, seeds=2, first_seed=first), tmp_path / str(first), place)
        results = json.loads((run / "results.json").read_text())
        assert [(row["seed"], row["fold"]) for row in results["splits"]] == [(first, 0), (first + 1, 1)]
        assert (run / "embedding.csv").read_text().count("\n") > 1, "the first training is drawn, whatever its number"
        found.append([row["curve"] for row in results["curves"]])
    assert found[0] != found[1]
