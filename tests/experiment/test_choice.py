"""One choice for all: prediction, bench and comparison name the same method and readout of the same scores."""

import json
import math
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlser.evaluation.choice import choose
from xlser.experiment.bench.gather import gather
from xlser.experiment.bench.look import Outcome
from xlser.experiment.use.folder import find_model
from xlser.fileformats import VERSIONS
from xlser.reporting.bench.sides_of_runs import of_runs
from xlser.reporting.wording import reader_name
from xlser.training.recipe import Recipe
from xlser.vocabulary import DURATION, FEATURES, READOUTS, VALIDATION

RECIPE = Recipe(name="small", source="synthetic-de", targets=("synthetic-tr",))
METHODS = ("zeta", "alpha", "mid")
# Few values, so that most sets of scores hold ties; one may be unknown.
VALUES = st.sampled_from([0.25, 0.5, 0.75, None])


@st.composite
def tables(draw):
    """Scores of the features and of up to three networks by some readouts, some of which say well what is no choice."""
    methods = [FEATURES, *METHODS[: draw(st.integers(1, 3))], DURATION]
    heads = draw(st.booleans())
    rows = []
    for method, reader in product(methods, READOUTS):
        if reader in ("knn", "probe") or (heads and method not in (FEATURES, DURATION)):
            about = {"method": method, "classifier": reader, "metric": "UA", "language": "tr", "data": "real"}
            about |= {"low": None, "high": None, "gain": None, "gain_low": None, "gain_high": None, "chance": 0.25}
            about |= {"utterances": 9, "classes": 4, "speakers": 3, "protocol": "zero-shot", "normalise": "source"}
            home = about | {"corpus": "synthetic-de", "role": VALIDATION, "value": draw(VALUES)}
            away = about | {"corpus": "synthetic-tr", "role": "target", "value": draw(VALUES) or 1.0}
            rows += [home, home | {"metric": "WA", "value": 1.0}, away]
    return rows


def by_hand(rows):
    """Name what is best, and of equals the simplest, one candidate after the other."""
    best, found = -2.0, None
    for method in (FEATURES, *METHODS):
        for reader in ("knn", "probe", "classifier", "classifier + knn"):
            for row in rows:
                if (row["method"], row["classifier"], row["role"], row["metric"]) == (method, reader, VALIDATION, "UA"):
                    value = -1.0 if row["value"] is None else row["value"]
                    if value > best:
                        best, found = value, (method, reader)
    return found


def write_run(folder, rows):
    methods = [name for name in dict.fromkeys(row["method"] for row in rows) if name in METHODS]
    about = {"recipe": RECIPE.model_dump(mode="json"), "recipe_hash": "", "notes": [], "synthetic": [], "command": ""}
    about |= {"protocol": "zero-shot", "versions": {"xlser": "0"}, "finished": ""}
    curves = [{"method": name, "seed": seed, "best_epoch": 1, "curve": []} for name in methods for seed in (0, 1)]
    tables = {name: [] for name in ("corpora", "splits", "choices", "correlation", "confusion")}
    results = {"about": about, "curves": curves, "transfer": rows, **tables}
    (folder / "results.json").write_text(json.dumps(results))


def gathered(folder, rows):
    outcome = Outcome("small on synthetic-de")
    for target, role in (("synthetic-de", VALIDATION), ("synthetic-tr", "target")):
        cell = {
            "schema": VERSIONS["cell"],
            "recipe": "small",
            "source": "synthetic-de",
            "target": target,
            "classes": ["a", "b"],
        }
        cell |= {"transfer": [row for row in rows if row["role"] == role], "dimensions": []}
        cell |= {"predictions": {"id": [], "speaker": [], "truth": [], "said": []}}
        outcome.cells[target] = folder / f"{target}.json"
        outcome.cells[target].write_text(json.dumps(cell))
    (row,) = gather([outcome])["chosen"]
    return row


@settings(max_examples=150, deadline=None)
@given(rows=tables())
def test_prediction_bench_and_comparison_mean_the_same(rows, tmp_path_factory):
    folder, expected = tmp_path_factory.mktemp("run"), by_hand(rows)
    write_run(folder, rows)
    model = find_model(folder)
    assert (model.method, model.reader) == expected
    assert model.seed == 0
    row = gathered(folder, rows)
    assert (row["method"], row["classifier"]) == expected
    heads = of_runs(folder, folder)[0].heads
    assert heads == [
        f"{side}: small on synthetic-de, {expected[0]} read by {reader_name(expected[1])}" for side in "AB"
    ]


@given(rows=tables(), method=st.sampled_from(METHODS))
@settings(max_examples=50, deadline=None)
def test_of_a_named_method_only_the_readout_is_chosen(rows, method):
    mine = [row for row in rows if row["method"] == method]
    found = choose(rows, [method])
    assert (found and (found.method, found.classifier)) == by_hand(mine)


def test_what_is_not_known_is_chosen_last_and_then_has_no_score():
    row = {"role": VALIDATION, "metric": "UA", "method": FEATURES, "classifier": "knn", "value": math.nan}
    assert math.isnan(choose([row]).validation)
    assert choose([row, row | {"method": "ce", "value": 0.0}]).method == "ce"


def test_a_shortcut_and_an_unknown_readout_are_never_chosen():
    row = {"role": VALIDATION, "metric": "UA", "method": DURATION, "classifier": "knn", "value": 0.9}
    assert choose([row]) is None
    assert choose([row | {"method": "ce", "classifier": "oracle"}]) is None


@pytest.mark.parametrize("exportable", [True, False])
def test_where_only_networks_will_do_the_features_are_left_out(tmp_path, exportable):
    row = {"role": VALIDATION, "metric": "UA", "method": FEATURES, "classifier": "knn", "value": 0.9, "corpus": "a"}
    row |= {"protocol": "zero-shot", "chance": 0, "classes": 2, "speakers": 2, "utterances": 9}
    row |= dict.fromkeys(("low", "high", "gain", "gain_low", "gain_high"))
    write_run(tmp_path, [row, row | {"method": "zeta", "value": 0.1}])
    assert find_model(tmp_path, exportable=exportable).method == ("zeta" if exportable else FEATURES)
