"""What results.json holds: read whole, or refused with the file, the fault and the way out."""

import json
import math

import numpy as np
import pytest

from xlser.errors import RunError
from xlser.evaluation.choice import Choice
from xlser.evaluation.results import CellScore, as_bench, read_results
from xlser.evaluation.results_file import kind_of, write_json
from xlser.fileformats import VERSIONS
from xlser.vocabulary import FEATURES, VALIDATION

ENDS = {"low": 0.4, "high": 0.6, "gain": None, "gain_low": None, "gain_high": None}
ROW = {"corpus": "emodb", "role": VALIDATION, "protocol": "zero-shot", "normalise": "source", "metric": "UA"}
ROW |= {"chance": 0.25, "classes": 4, "speakers": 3, "utterances": 9, "classifier": "knn", "method": FEATURES} | ENDS
AWAY = {"corpus": "urdu", "role": "target"}
CELL = {"classes": [], "baseline": {}, "normalise": "source", "about": {}}
CELL |= dict.fromkeys(("correlation", "confusion", "choices", "notes", "dimensions", "nuisances"), ())
CELL |= dict.fromkeys(("few_shot", "few_shot_areas", "trust"), ())


def scores(best):
    """Validation scores of two methods, and what the features reach elsewhere."""
    rows = [ROW | {"value": 0.5}, ROW | {"method": "plain", "value": best}]
    return [*rows, ROW | AWAY | {"value": None}, ROW | AWAY | {"method": "plain", "value": 0.75}]


def a_run():
    about = {"recipe": {"name": "dae", "source": "emodb"}, "recipe_hash": "", "notes": [], "synthetic": []}
    about |= {"protocol": "zero-shot", "versions": {"xlser": "7.0"}, "command": "xlser run dae", "finished": "today"}
    told = {"title": "", "language": "x", "synthetic": False, "utterances": 9, "speakers": 3, "ratings": "none"}
    corpora = [told | {"corpus": name, "role": role, "labels": {}} for name, role in (("emodb", "source"),)]
    empty = {name: [] for name in ("splits", "curves", "choices", "correlation", "confusion")}
    return {"schema": VERSIONS["run"], "about": about, "corpora": corpora, "transfer": scores(0.75), **empty}


def a_bench():
    about = {"recipes": {"dae": {}, "ce": {}}, "sources": ["emodb"], "targets": ["emodb", "urdu"], "few_shot": []}
    about |= {"seeds": 1, "versions": {"xlser": "7.0"}, "command": "xlser transfer", "finished": "today"}
    cells = [
        CELL | {"recipe": recipe, "source": "emodb", "target": target}
        | {"transfer": [row for row in scores(best) if row["corpus"] == target]}
        for recipe, best in (("ce", 0.75), ("dae", 0.25))
        for target in ("emodb", "urdu")
    ]  # fmt: skip
    empty = {name: [] for name in ("chosen", "matrix", "comparisons", "languages")}
    wrong = {"failed": {"dae on urdu": "no folder"}, "holes": {"ce on emodb, greek": "no card"}}
    return {"schema": VERSIONS["bench"], "about": about, "cells": cells, **empty, **wrong}


MADE = {"run": a_run, "bench": a_bench}
VERBS = {"run": "xlser run ", "bench": "xlser transfer "}


@pytest.fixture(params=["run", "bench"])
def kind(request):
    return request.param


def test_a_run_and_a_bench_are_read_as_one_kind_of_thing(tmp_path, kind):
    write_json(tmp_path / "results.json", MADE[kind]())
    found = read_results(tmp_path)
    assert (found.kind, kind_of(tmp_path)) == (kind, kind)
    assert list(found.recipes) == {"run": ["dae"], "bench": ["dae", "ce"]}[kind]
    assert found.chosen == (({"run": "dae", "bench": "ce"}[kind], "emodb"), Choice("plain", "knn", 0.75))
    assert found.provenance.versions == {"xlser": "7.0"}
    assert (
        found.missing
        == {
            "run": [],
            "bench": ["dae on urdu: no folder", "ce on emodb, greek: no card"],
        }[kind]
    )


def test_a_score_says_what_it_is_a_number_of(tmp_path, kind):
    write_json(tmp_path / "results.json", MADE[kind]())
    found = [score for score in read_results(tmp_path).scores() if score.recipe == "dae" and score.is_result]
    assert [score.method for score in found] == [FEATURES, "plain"]
    assert math.isnan(found[0].value)
    names = ("emodb", "urdu", "target", "plain", "knn", "UA")
    assert found[1] == CellScore("dae", *names, 0.75, (0.4, 0.6), 0.25, "zero-shot", "source")
    assert read_results(tmp_path).scores("WA") == []


def test_a_run_as_a_bench_has_its_choice_and_its_cells(tmp_path):
    bench = as_bench(a_run())
    assert [(cell["source"], cell["target"]) for cell in bench["cells"]] == [("emodb", "emodb"), ("emodb", "urdu")]
    assert [row["value"] for row in bench["matrix"]] == [0.75]
    place = {"recipe": "dae", "source": "emodb"}
    assert bench["chosen"] == [place | {"method": "plain", "classifier": "knn", "validation": 0.75}]


@pytest.mark.parametrize("claimed", [True, False])
def test_a_file_that_ends_anywhere_is_damaged_and_names_the_right_verb(tmp_path, kind, claimed):
    if claimed:
        write_json(tmp_path / "recipe.json", {"hash": "x"} if kind == "run" else {"bench": True})
    path = tmp_path / "results.json"
    write_json(path, MADE[kind]())
    whole = path.read_text()
    for end in (0, 1, len(whole) // 2, len(whole) - 1):
        path.write_text(whole[:end])
        with pytest.raises(RunError, match=rf"results\.json is damaged.*{VERBS[kind] if claimed else 'xlser run '}"):
            read_results(tmp_path)


@pytest.mark.parametrize("schema", [0, 99])
def test_another_schema_is_refused_before_anything_is_read(tmp_path, kind, schema):
    table = MADE[kind]() | {"schema": schema}
    del table["about"]["command"]
    write_json(tmp_path / "results.json", table)
    with pytest.raises(RunError, match=rf"results\.json has schema {schema}.*{VERBS[kind]}"):
        read_results(tmp_path)


@pytest.mark.parametrize(
    ("kind", "lost"),
    [
        ("run", ("splits",)),
        ("run", ("transfer", 1, "chance")),
        ("run", ("about", "protocol")),
        ("run", ("about", "versions", "xlser")),
        ("bench", ("cells", 2, "trust")),
        ("bench", ("holes",)),
        ("bench", ("about", "sources")),
        ("bench", ("matrix",)),
    ],
)
def test_what_a_file_lacks_is_named_and_nothing_is_read_half(tmp_path, kind, lost):
    table = MADE[kind]()
    *way, last = lost
    inner = table
    for step in way:
        inner = inner[step]
    del inner[last]
    write_json(tmp_path / "results.json", table)
    name = ".".join(step for step in lost if isinstance(step, str))
    with pytest.raises(RunError, match=rf"results\.json lacks .*{name}.*{VERBS[kind]}"):
        read_results(tmp_path)


@pytest.mark.parametrize("rows", [None, 3, [3], "rows", {"a": 1}])
def test_a_table_of_something_else_is_named(tmp_path, rows):
    write_json(tmp_path / "results.json", a_run() | {"transfer": rows})
    with pytest.raises(RunError, match=r"results\.json: `transfer"):
        read_results(tmp_path)


def test_a_folder_of_nothing_and_one_that_did_not_finish_are_told_apart(tmp_path, kind):
    with pytest.raises(RunError, match=r"^no run folder at "):
        read_results(tmp_path / "nowhere")
    write_json(tmp_path / "recipe.json", {"hash": "x"} if kind == "run" else {"bench": True})
    with pytest.raises(RunError, match=rf"holds no results\.json: .*finish.*{VERBS[kind]}"):
        read_results(tmp_path)


def test_only_the_tables_that_are_asked_for_must_be_there(tmp_path):
    table = a_bench()
    del table["languages"], table["comparisons"]
    write_json(tmp_path / "results.json", table)
    assert len(read_results(tmp_path, ("cells", "chosen")).table["cells"]) == 4


def test_what_json_cannot_hold_becomes_null(tmp_path):
    write_json(tmp_path / "a.json", {"value": np.float32("nan"), "count": np.int64(3), "ends": (1.5, math.inf)})
    assert json.loads((tmp_path / "a.json").read_text()) == {"value": None, "count": 3, "ends": [1.5, None]}
