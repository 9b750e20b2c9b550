"""Runs and benches full of ties, made by a seeded generator: predict, compare and report mean the same model."""

import json
import random
from itertools import product

import pytest
import torch

from xlser.evaluation.results_file import plain
from xlser.experiment.bench.gather import gather
from xlser.experiment.bench.look import Outcome
from xlser.experiment.use.folder import find_model
from xlser.fileformats import VERSIONS
from xlser.reporting.bench.compare import compare
from xlser.reporting.bench.report import render_bench
from xlser.reporting.report import render_terminal
from xlser.reporting.wording import reader_name
from xlser.training.checkpoint import save_state
from xlser.training.recipe import Recipe
from xlser.vocabulary import DURATION, FEATURES, READOUTS, VALIDATION

METHODS = ("zeta", "alpha", "mid")
VALUES = (0.25, 0.5, 0.75, None)
ENDS = dict.fromkeys(("low", "high", "gain", "gain_low", "gain_high"))
# The rest of a cell that reports and comparisons look at.
EMPTY = {"confusion": [], "dimensions": [], "nuisances": [], "few_shot": [], "few_shot_areas": [], "trust": []}
EMPTY |= {"correlation": [], "notes": [], "normalise": "source", "classes": ["a", "b"], "baseline": {}}


def recipe(name, methods, source="de"):
    """A recipe as a result holds it, of two seeds."""
    made = Recipe(
        name=name,
        source=source,
        targets=("el",),
        methods={method: {"metric": "signed"} for method in methods},
        training={"seeds": 2},
        features={"normalise": "source"},
    )
    return made.model_dump(mode="json")


def scores(rng, methods, home):
    """Validation scores in any order, few of them different, and a target's that would choose otherwise."""
    pairs = [(method, reader) for method in methods for reader in ("knn", "probe")]
    if rng.random() < 0.3:
        pairs += [(method, reader) for method in methods if method in METHODS for reader in READOUTS[2:]]
    pairs += [(DURATION, "probe")]
    rng.shuffle(pairs)
    levels, rows = rng.sample(VALUES, rng.randint(1, 3)), []
    for method, reader in pairs:
        about = {"method": method, "classifier": reader, "chance": 0.5, "utterances": 9, "classes": 2, "speakers": 3}
        about |= ENDS | {
            "metric": "UA",
            "data": "real",
            "protocol": "zero-shot",
            "normalise": "source",
            "language": "x",
        }
        value = 1.0 if method == DURATION else rng.choice(levels)
        rows.append(about | {"corpus": home, "role": VALIDATION, "value": value})
        rows.append(about | {"corpus": "el", "role": "target", "value": rng.random()})
    return rows


def best_of(rows):
    """Name what one candidate after the other says is best, and of equals the simplest: (worth, method, readout)."""
    mine = [row for row in rows if row["role"] == VALIDATION]
    order, best = [FEATURES, *(row["method"] for row in mine if row["method"] != DURATION)], (-2.0, "", "")
    for method, reader in product(order, READOUTS):
        for row in mine:
            worth = -1.0 if row["value"] is None else row["value"]
            if (row["method"], row["classifier"]) == (method, reader) and worth > best[0]:
                best = (worth, method, reader)
    return best


def curves(rng, methods):
    """Two seeds of every network, whose kept epochs are often equally good."""
    losses = {(method, seed): rng.choice([0.1, 0.2]) for method in methods if method != FEATURES for seed in (0, 1)}
    return {key: {"best_epoch": 1, "curve": [{"epoch": 1, "valid/loss": loss}]} for key, loss in losses.items()}


def first_best_seed(kept, method):
    if method == FEATURES:
        return 0
    losses = [kept[method, seed]["curve"][0]["valid/loss"] for seed in (0, 1)]
    return losses.index(min(losses))


def make_run(rng, folder):
    """Write a run, and return what it should be read by: (name of the model, method, readout)."""
    methods = ["plain", *rng.sample(METHODS, rng.randint(0, 3))]
    rows, kept = scores(rng, [*methods, FEATURES], "de"), curves(rng, methods)
    about = {"recipe": recipe("r", methods[1:]), "recipe_hash": "", "notes": [], "synthetic": [], "command": ""}
    about |= {"protocol": "zero-shot", "versions": {"xlser": "0"}, "finished": ""}
    tables = {name: [] for name in ("splits", "choices", "correlation", "confusion")}
    told = {"title": "", "language": "x", "synthetic": False, "utterances": 9, "speakers": 3, "ratings": "none"}
    told |= {"labels": {"kept": {}, "merged": {}, "dropped": {}}, "left_out": {}, "notes": [], "rated": {}}
    corpora = [told | {"corpus": "de", "role": "source"}, told | {"corpus": "el", "role": "target"}]
    table = [{"method": method, "seed": seed} | curve for (method, seed), curve in kept.items()]
    results = {"about": about, "curves": table, "transfer": rows, "corpora": corpora} | tables
    (folder / "results.json").write_text(json.dumps(plain(results)))
    _, method, reader = best_of(rows)
    return f"de/r/{method}/{first_best_seed(kept, method)}", method, reader


def make_bench(rng, folder):
    """Write a bench, and return what it should be read by, and what each (recipe, source) of it should."""
    recipes, sources = rng.sample(["r", "q", "s"], rng.randint(1, 3)), rng.sample(["de", "tr"], rng.randint(1, 2))
    methods = {name: ["plain", *rng.sample(METHODS, rng.randint(0, 2))] for name in recipes}
    outcomes, trained, best, names = [], [], {}, {}
    for name, source in product(recipes, sources):
        rows, kept = scores(rng, [*methods[name], FEATURES], source), curves(rng, methods[name])
        place = {"recipe": name, "source": source}
        below = folder / "jobs" / name / source
        for (method, seed), curve in kept.items():
            tensors = {"scaler.mean": torch.zeros(1)}
            save_state(below / "trained-x" / "models" / method / f"seed-{seed}" / "model.safetensors", tensors, curve)
        outcome = Outcome(f"{name} on {source}")
        for target in (source, "el"):
            cell = {"schema": VERSIONS["cell"], "target": target, "about": {}, "choices": []} | place | EMPTY
            cell |= {"transfer": [row for row in rows if row["corpus"] == target]}
            cell |= {"predictions": {"id": [], "speaker": [], "truth": [], "said": []}}
            outcome.cells[target] = below / "cells" / f"{target}.json"
            outcome.cells[target].parent.mkdir(parents=True, exist_ok=True)
            outcome.cells[target].write_text(json.dumps(plain(cell)))
        outcomes.append(outcome)
        trained.append(place | {"folder": f"jobs/{name}/{source}/trained-x"})
        best[name, source] = best_of(rows)
        seed = first_best_seed(kept, best[name, source][1])
        names[name, source] = (f"{source}/{name}/{best[name, source][1]}/{seed}", *best[name, source][1:])
    about = {"recipes": {name: recipe(name, methods[name][1:]) for name in recipes}, "sources": sources}
    about |= {"targets": [*sources, "el"], "few_shot": [], "seeds": 2, "versions": {}, "command": "", "finished": ""}
    table = {"schema": VERSIONS["bench"], "about": about, "failed": {}, "holes": {}, "trained": trained}
    (folder / "results.json").write_text(json.dumps(plain(table | gather(outcomes))))
    top = max(worth for worth, _, _ in best.values())
    equals = [place for place, (worth, _, _) in best.items() if worth == top]
    first = next((place for place in equals if best[place][1] == FEATURES), equals[0])
    return names[first], names


def line(name, reader):
    """What a report says."""
    return f"{name.rsplit('/', 1)[0]} read by {reader_name(reader)} (UA "


@pytest.mark.parametrize("number", range(40))
def test_of_a_run_with_ties_all_name_the_same_model(number, tmp_path):
    rng = random.Random(number)
    name, method, reader = make_run(rng, tmp_path)
    found = find_model(tmp_path)
    assert (found.name, found.reader) == (name, reader)
    assert line(name, reader) in " ".join(render_terminal(tmp_path).split())
    heads = compare(tmp_path, tmp_path).splitlines()[:2]
    assert heads == [f"{side}: r on de, {method} read by {reader_name(reader)}" for side in "AB"]


@pytest.mark.parametrize("number", range(40))
def test_of_a_bench_with_ties_all_name_the_same_models(number, tmp_path):
    rng = random.Random(number)
    (name, _, reader), names = make_bench(rng, tmp_path)
    found = find_model(tmp_path)
    assert (found.name, found.reader) == (name, reader)
    assert line(name, reader) in " ".join(render_bench(tmp_path).split())
    compared = compare(tmp_path, tmp_path)
    for (recipe_name, source), (name, method, reader) in names.items():
        mine = find_model(tmp_path, model=f"{source}/{recipe_name}")
        assert (mine.name, mine.reader) == (name, reader)
        block = compared.split(f"A: {recipe_name} of")[1]
        assert f"{source}: A {method}, {reader_name(reader)}; B {method}, {reader_name(reader)}" in block
