"""What a bench decides it decides without the target's labels, and what it reads beside the scores is one model's."""

import csv
import json
import shutil
from itertools import cycle

import pytest

from xlser.experiment.bench.plan import make_jobs
from xlser.experiment.bench.run import run_bench
from xlser.experiment.workplace import Workplace
from xlser.training.recipe import Recipe

TARGET = "synthetic-tr"
SCORED = "WFNT"
# The same clips, each under the name of another scored emotion.
OTHER = dict(zip(SCORED, SCORED[1:] + SCORED[:1], strict=True))


@pytest.fixture(scope="module")
def bench(small_data, small_cache, tmp_path_factory):
    """Return a function: the cell of the target after a bench with so many seeds, on recordings that were changed."""
    recipe = Recipe(
        name="blind",
        source="synthetic-de",
        targets=(TARGET,),
        split={"folds": 4},
        model={"hidden": (8,)},
        training={"epochs": 2, "batch": 16},
        evaluation={"draws": 100},
    )

    def cell(seeds, change=lambda folder: None):
        root = tmp_path_factory.mktemp("bench")
        data = shutil.copytree(small_data, root / "data")
        change(data / TARGET)
        place = Workplace(data, cache=small_cache, progress=False, say=lambda text: None)
        jobs = make_jobs([recipe], ["synthetic-de"], [TARGET], root / "out", seeds=seeds, few_shot=(1,))
        run_bench(jobs, root / "out", place)
        return json.loads((root / "out" / "jobs" / "blind" / "synthetic-de" / "cells" / f"{TARGET}.json").read_text())

    return cell


@pytest.fixture(scope="module")
def two(bench):
    """The cell of two seeds."""
    return bench(2)


@pytest.fixture(scope="module")
def mislabelled(bench):
    """The same where every scored clip of the target bears another emotion."""
    return bench(2, _mislabel)


def _mislabel(folder):
    for path in sorted((folder / "wav").iterdir()):
        # A folder of its own: the new name may be another clip's old one.
        letter = OTHER.get(path.stem[5], path.stem[5])
        target = folder / "new" / f"{path.stem[:5]}{letter}{path.stem[6:]}.wav"
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
    shutil.rmtree(folder / "wav")
    (folder / "new").rename(folder / "wav")


def of(rows, *keys):
    return {tuple(row[key] for key in keys): row for row in rows}


def test_the_threshold_of_refusal_is_blind_to_the_target(two, mislabelled):
    rows, others = ([row for row in one["label_modes"] if row["mode"] == "reject"] for one in (two, mislabelled))
    keys = ("method", "metric", "normalise")
    assert {key: row["threshold"] for key, row in of(rows, *keys).items()} == {
        key: row["threshold"] for key, row in of(others, *keys).items()
    }
    assert {row["chosen_by"] for row in rows} == {"best UA"}
    assert [row["value"] for row in rows] != [row["value"] for row in others]


def test_label_sets_are_blind_to_the_target(two, mislabelled):
    rows, others = (of(one["trust"], "method") for one in (two, mislabelled))
    for method, row in rows.items():
        assert row["sets"]["clips"] == others[method]["sets"]["clips"]
        assert row["sets"]["size"] == others[method]["sets"]["size"]
    assert [row["sets"]["coverage"] for row in rows.values()] != [row["sets"]["coverage"] for row in others.values()]


def test_what_is_chosen_for_a_reader_is_blind_to_the_target(two, mislabelled):
    assert two["choices"] == mislabelled["choices"]


def test_few_shot_trust_and_dimensions_are_of_one_seed(two, bench):
    alone = bench(1)
    for table in ("few_shot", "few_shot_areas", "trust", "dimensions", "nuisances"):
        assert two[table]
        assert two[table] == alone[table], table
    assert [row["value"] for row in two["transfer"]] != [row["value"] for row in alone["transfer"]]


def test_loudness_is_among_what_is_held_still(two, bench):
    assert {row["partial"]["covariates"] for row in two["dimensions"]} == {3}


def test_a_rating_that_is_loudness_leaves_nothing_beyond_it(bench, small_data, small_cache):
    from xlser.corpora.card import load_card
    from xlser.data.manifest import build_manifest
    from xlser.features.extract import extract
    from xlser.features.extractors import EXTRACTORS

    features = extract(
        build_manifest(load_card(TARGET), small_data / TARGET), EXTRACTORS["egemaps"](), small_cache, progress=False
    )
    loud = features.values[:, list(features.columns).index("loudness_sma3_amean")]
    names = [path.rsplit("/", 1)[-1] for path in features.manifest.frame["path"]]

    def rate(folder):
        scaled = 1 + 4 * (loud - loud.min()) / (loud.max() - loud.min())
        rows = [[name, f"{value:.6f}", f"{v}"] for name, value, v in zip(names, scaled, cycle((1, 3, 4)))]
        with (folder / "ratings.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["filename", "activation", "valence"], *rows])

    rows = of(bench(1, rate)["dimensions"], "method", "dimension", "axis")
    row = rows["features", "activation", "direction"]
    assert abs(row["r"]) > 0.5
    left = row["partial"]["value"]
    assert left is None or abs(left) < 0.2
