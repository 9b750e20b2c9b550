"""What a bench chooses without a target's labels: the same whatever these are, and whoever computes it."""

import json
import shutil
from itertools import product

import pytest
from ragged import make_third

from xlser.experiment.bench.plan import make_jobs, parse_adapt
from xlser.experiment.bench.pretend import choosing_jobs
from xlser.experiment.bench.run import run_bench
from xlser.experiment.workplace import Workplace
from xlser.training.recipe import Recipe

NAMES = ["synthetic-de", "synthetic-tr", "synthetic-en"]
JOINED = "synthetic-de+synthetic-tr"
ADAPT = parse_adapt(["coral", "speaker-statistics|prior=uniform", "corpus:sources=true|prior=uniform|gaussian-em"])
SCORED = "WFNT"
# The same clips, each under the name of another scored emotion.
OTHER = dict(zip(SCORED, SCORED[1:] + SCORED[:1], strict=True))


@pytest.fixture(scope="module")
def data(small_data, tmp_path_factory):
    root = tmp_path_factory.mktemp("three")
    for name in NAMES[:2]:
        shutil.copytree(small_data / name, root / name)
    return make_third(root)


@pytest.fixture(scope="module")
def bench(data, small_cache, tmp_path_factory):
    """Return a function: the results of a bench on three corpora, one of which may be mislabelled."""
    recipes = [
        Recipe(
            name=name,
            source=NAMES[0],
            targets=(NAMES[1],),
            split={"folds": 3},
            features={"normalise": normalise},
            model=None,
            training={"seeds": 1},
            evaluation={"draws": 100},
        )
        for name, normalise in (("plain", "source"), ("shifted", "corpus"))
    ]

    def run(sources, targets, mislabelled="", **options):
        root = tmp_path_factory.mktemp("bench")
        here = shutil.copytree(data, root / "data")
        if mislabelled:
            _mislabel(here / mislabelled)
        place = Workplace(here, cache=small_cache, progress=False, say=lambda text: None)
        jobs = make_jobs(recipes, sources, targets, root / "out", adapt=ADAPT)
        run_bench(jobs, root / "out", place, **options)
        results = json.loads((root / "out" / "results.json").read_text())
        assert not results["failed"], results["failed"]
        assert not results["holes"], results["holes"]
        return results

    return run


def _mislabel(folder):
    for path in sorted((folder / "wav").iterdir()):
        letter = OTHER.get(path.stem[5], path.stem[5])
        target = folder / "new" / f"{path.stem[:5]}{letter}{path.stem[6:]}.wav"
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
    shutil.rmtree(folder / "wav")
    (folder / "new").rename(folder / "wav")


@pytest.fixture(scope="module")
def pairs(bench):
    return bench(NAMES, NAMES)


@pytest.fixture(scope="module")
def joined(bench):
    return bench([JOINED], NAMES[2:])


def choices(results, target):
    """What was chosen for a target, and by what, without what its labels may change."""
    kept = ("recipe", "method", "classifier", "normalise", "protocol")
    return {
        (row["line"], row["source"], row["protocol"]): (
            [row["chosen"][name] for name in kept],
            row["validation"],
            row["by"],
            row["places"],
            row["candidates"],
        )
        for row in results["validated"]
        if row["target"] == target
    }


def ua_of(results, which):
    return [row[which]["value"] for row in results["validated"]]


@pytest.mark.slow
@pytest.mark.parametrize("target", NAMES[1:])
def test_other_labels_of_a_target_give_the_same_choice_of_recipe_method_readout_and_adaptation(bench, pairs, target):
    swapped = bench(NAMES, NAMES, mislabelled=target)
    before, after = choices(pairs, target), choices(swapped, target)
    assert before == after
    assert set(before) == set(
        product(["plain", "shifted", "all recipes"], [n for n in NAMES if n != target], ["zero-shot", "transductive"])
    )
    assert ua_of(pairs, "oracle") != ua_of(swapped, "oracle")


def test_where_corpora_are_joined_each_is_left_out_to_choose_and_the_targets_labels_have_no_part(bench, joined):
    swapped = bench([JOINED], NAMES[2:], mislabelled=NAMES[2])
    assert choices(joined, NAMES[2]) == choices(swapped, NAMES[2])
    assert ua_of(joined, "oracle") != ua_of(swapped, "oracle")
    for row in joined["validated"]:
        assert row["by"] == "source corpora left out in turn"
        assert row["places"] == ["synthetic-de to synthetic-tr", "synthetic-tr to synthetic-de"]
    # These cells serve that alone: they are no results.
    assert {(c["source"], c["target"]) for c in joined["cells"]} == {(JOINED, JOINED), (JOINED, NAMES[2])}
    assert {(c["source"], c["target"]) for c in joined["pretended"]} == {tuple(NAMES[:2]), tuple(NAMES[1::-1])}
    assert joined["about"]["sources"] == [JOINED]


def test_the_choice_is_the_best_mean_of_the_cells_without_the_target(pairs):
    cells = {(c["recipe"], c["source"], c["target"]): c["transfer"] for c in pairs["cells"]}
    for row in pairs["validated"]:
        hidden, means = {row["target"]}, {}
        for (recipe, source, target), table in cells.items():
            if source == target or hidden & {source, target} or row["line"] not in (recipe, "all recipes"):
                continue
            for one in table:
                looks = one["protocol"] == "zero-shot" or row["protocol"] == "transductive"
                if one["metric"] == "UA" and one["method"] == "features" and looks:
                    key = (recipe, one["classifier"], one["normalise"])
                    means.setdefault(key, []).append(one["value"])
        best = max(sum(values) / len(values) for values in means.values())
        chosen = row["chosen"]
        own = means[chosen["recipe"], chosen["classifier"], chosen["normalise"]]
        assert row["validation"] == pytest.approx(sum(own) / len(own))
        if row["protocol"] == "zero-shot":  # otherwise the target's recordings correct it
            assert row["validation"] == pytest.approx(best)
        assert len(row["places"]) == 2


def test_the_oracle_is_the_best_of_the_same_readings_and_regret_the_difference(pairs):
    cells = {(c["recipe"], c["source"], c["target"]): c["transfer"] for c in pairs["cells"]}
    for row in pairs["validated"]:
        tables = [
            one
            for (recipe, source, target), table in cells.items()
            if (source, target) == (row["source"], row["target"]) and row["line"] in (recipe, "all recipes")
            for one in table
        ]
        readings = [
            one["value"]
            for one in tables
            if one["metric"] == "UA"
            and one["method"] == "features"
            and (one["protocol"] == "zero-shot" or row["protocol"] == "transductive")
        ]
        assert len(readings) == row["candidates"]
        assert row["oracle"]["value"] == max(readings)
        assert row["regret"] == pytest.approx(row["oracle"]["value"] - row["chosen"]["value"], abs=1e-12)
        assert row["regret"] >= 0
        assert row["regret_low"] <= row["regret"] <= row["regret_high"]
    total = [row for row in pairs["regrets"] if row["target"] == "all targets"]
    for row in total:
        mine = [
            one
            for one in pairs["regrets"]
            if all(one[name] == row[name] for name in ("line", "protocol", "corpora")) and one is not row
        ]
        assert len(mine) == 3
        assert row["regret"] == pytest.approx(sum(one["regret"] for one in mine) / 3)


def test_chains_are_alternatives_and_say_what_they_look_at(pairs):
    found = {row["normalise"] for c in pairs["cells"] for row in c["transfer"]}
    assert found == {"source", "corpus", *ADAPT}
    for c in pairs["cells"]:
        for row in c["transfer"]:
            assert (row["protocol"] == "zero-shot") == (row["normalise"] == "source")
            if "prior" in row["normalise"]:
                assert row["classifier"] == "probe"


def numbers(results):
    told = {key: value for key, value in results.items() if key not in ("about", "times")}
    for cell in told["cells"]:
        cell.pop("seconds", None)
    return json.dumps(told)


@pytest.mark.slow
def test_two_processes_choose_as_one_does(bench, joined):
    assert numbers(bench([JOINED], NAMES[2:], workers=2)) == numbers(joined)


@pytest.mark.slow
def test_a_dask_cluster_chooses_as_one_process_does(bench, joined):
    distributed = pytest.importorskip("distributed", reason="needs Dask: pip install 'xlser[dask]'")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        assert numbers(bench([JOINED], NAMES[2:], dask=cluster.scheduler_address)) == numbers(joined)


def test_a_job_that_is_there_anyway_is_not_done_twice(tmp_path):
    recipe = Recipe(name="plain", source=NAMES[0], targets=(NAMES[1],), training={"seeds": 3})
    jobs = make_jobs([recipe], [JOINED], NAMES[2:], tmp_path, adapt=ADAPT)
    more = choosing_jobs(jobs)
    assert [(job.recipe.source, job.recipe.targets) for job in more] == [
        ("synthetic-tr", ("synthetic-de",)),
        ("synthetic-de", ("synthetic-tr",)),
    ]
    assert {job.recipe.training.seeds for job in more} == {1}
    assert len({job.folder for job in [*jobs, *more]}) == 3
    every = make_jobs([recipe], [JOINED, *NAMES[:2]], NAMES, tmp_path, adapt=ADAPT)
    assert choosing_jobs(every) == []
    assert choosing_jobs(make_jobs([recipe], [JOINED], NAMES[2:], tmp_path)) == []


def test_with_one_source_and_one_target_the_targets_own_recordings_choose(bench):
    found = {name: bench(NAMES[:1], NAMES[1:2], mislabelled=name) for name in ("", NAMES[1])}
    before, after = (choices(results, NAMES[1]) for results in found.values())
    assert before.keys() == after.keys()
    for key, row in before.items():
        # The files' names, and with them the order of sums, are others.
        assert row[0] == after[key][0]
        assert row[1] == pytest.approx(after[key][1])
    assert {(key[2], row[2]) for key, row in before.items()} == {
        ("transductive", "the target's own recordings"),
        ("zero-shot", "the source's validation speakers"),
    }
    for cell in found[""]["cells"]:
        told = [row["information"] for row in cell["unlabelled"] if row["method"] == "features"]
        assert bool(told) == (cell["target"] == NAMES[1])
        for row in found[""]["validated"]:
            if row["protocol"] == "transductive" and row["line"] == cell["recipe"] and told:
                assert row["validation"] == pytest.approx(max(told))
