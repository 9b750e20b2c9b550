"""How to read a target is chosen by what did best elsewhere, and what that costs is a paired difference."""

import math

import numpy as np
import pytest

from xlser.evaluation import metrics
from xlser.evaluation.choice import Looked, Reading, best_in_hindsight, choose_reading, choose_unlabelled, readings_of
from xlser.evaluation.pretended import LEFT_OUT, OTHERS, choose_for
from xlser.evaluation.regret import Answers, Regret, mean_over_targets, pack_answers
from xlser.evaluation.transfer import View
from xlser.evaluation.unlabelled import answer_information
from xlser.vocabulary import DURATION, ORACLE, TARGET, TRANSDUCTIVE, VALIDATION, ZERO_SHOT


def row(normalise, value, classifier="probe", **more):
    protocol = ZERO_SHOT if normalise == "source" else TRANSDUCTIVE
    about = {"role": TARGET, "metric": "UA", "method": "features", "classifier": classifier}
    return about | {"normalise": normalise, "protocol": protocol, "value": value} | more


def test_the_best_mean_is_taken_and_not_the_best_place():
    tables = {"a": [row("coral", 0.9), row("prior", 0.6)], "b": [row("coral", 0.2), row("prior", 0.6)]}
    choice = choose_reading(tables)
    assert (choice.reading.normalise, choice.validation, choice.places) == ("prior", 0.6, ("a", "b"))


def test_of_equals_the_one_that_looks_at_nothing_is_taken():
    tables = {"a": [row("coral", 0.5), row("source", 0.5, "knn"), row("source", 0.5)]}
    assert choose_reading(tables).reading == Reading("", "features", "knn", "source", ZERO_SHOT)


def test_what_lacks_a_place_is_not_compared_with_what_has_all():
    tables = {"easy": [row("coral", 0.9), row("prior", 0.8)], "hard": [row("prior", 0.3)]}
    assert choose_reading(tables).reading.normalise == "prior"


def test_only_what_may_be_chosen_is():
    tables = {"a": [row("coral", 0.9), row("source", 0.3)]}
    assert choose_reading(tables, protocols=(ZERO_SHOT,)).reading.normalise == "source"
    assert choose_reading(tables, among=[Reading.of(row("source", 0))]).reading.normalise == "source"
    assert choose_reading(tables, among=[]) is None
    spoilt = [row("coral", 0.9, role=VALIDATION), row("coral", 0.9, metric="WA"), row("coral", 0.9, method=DURATION)]
    spoilt += [row("oracle-prior", 0.9) | {"protocol": ORACLE}]
    assert readings_of(spoilt) == {}


def test_a_score_that_is_not_known_is_below_any_other():
    tables = {"a": [row("coral", None), row("prior", 0.1)]}
    assert choose_reading(tables).reading.normalise == "prior"
    assert math.isnan(choose_reading({"a": [row("coral", math.nan)]}).validation)
    assert best_in_hindsight(readings_of(tables["a"])).normalise == "prior"


def cell(source, target, **values):
    rows = [row(name, value) for name, value in values.items()]
    return {"recipe": "r", "source": source, "target": target, "transfer": rows}


def test_a_joined_source_asks_its_own_corpora_and_else_the_other_cells():
    cells = [cell("a", "b", coral=0.9, prior=0.1), cell("b", "a", coral=0.9, prior=0.1)]
    cells += [cell("a", "c", coral=0.1, prior=0.9), cell("a+b", "c", coral=0.0, prior=1.0)]
    cells += [cell("a", "d", coral=0.2, prior=0.9), cell("d", "b", coral=0.2, prior=0.9)]
    choice, by = choose_for("a+b", "c", cells)
    assert (choice.reading.normalise, by, choice.places) == ("coral", LEFT_OUT, ("a to b", "b to a"))
    choice, by = choose_for("a", "c", cells)
    assert (by, choice.places) == (OTHERS, ("a to b", "a to d", "b to a", "d to b"))
    assert choose_for("a", "b", cells[:2]) == (None, OTHERS)


def test_the_most_telling_answers_are_those_that_are_sure_and_not_all_the_same():
    one, both, unsure = np.tile([1.0, 0.0], (4, 1)), np.array([[1.0, 0.0], [0.0, 1.0]] * 2), np.full((4, 2), 0.5)
    told = [answer_information(rows) for rows in (one, both, unsure)]
    assert told == pytest.approx([0.0, math.log(2), 0.0])
    assert math.isnan(answer_information(np.empty((0, 2))))
    rows = [row("coral", 0) | {"information": 0.2, "seed": 0}, row("coral", 0) | {"information": 0.4, "seed": 1}]
    rows += [row("prior", 0) | {"information": 0.25, "seed": seed} for seed in (0, 1)]
    choice = choose_unlabelled(rows, [Reading.of(rows[0]), Reading.of(rows[2])])
    assert (choice.reading.normalise, choice.validation) == ("coral", pytest.approx(0.3))


def test_what_answers_tell_of_the_target_moves_the_choice_as_far_as_it_did_elsewhere():
    coral, prior = (Reading.of(row(name, 0)) for name in ("coral", "prior"))
    tables = {"a": [row("coral", 0.6), row("prior", 0.5)], "b": [row("coral", 0.7), row("prior", 0.6)]}
    # Elsewhere a tenth more of UA went with a tenth of a nat more.
    there = {at: {coral: 0.4, prior: 0.3} for at in "ab"}
    assert choose_reading(tables, looked=Looked({coral: 0.4, prior: 0.3}, there)).reading == coral
    assert choose_reading(tables, looked=Looked({coral: 0.1, prior: 0.3}, there)).reading == prior
    gains = Looked({coral: 0.1, prior: 0.3}, there).gains(
        {one: {"a": x, "b": x} for one, x in ((coral, 0.6), (prior, 0.5))}
    )
    assert gains == pytest.approx({coral: -0.15, prior: 0.15})
    # Where they told nothing, or the opposite, nothing is moved.
    against = {at: {coral: 0.3, prior: 0.4} for at in "ab"}
    assert choose_reading(tables, looked=Looked({coral: 0.0, prior: 0.9}, against)).reading == coral
    assert choose_reading(tables, looked=Looked({}, {})).reading == coral


@pytest.fixture(scope="module")
def kept():
    rng = np.random.default_rng(0)
    truth = [None if place % 7 == 3 else "abc"[place % 3] for place in range(60)]
    speakers = [f"s{place % 11 % 5}" for place in range(60)]
    read = []
    for name in ("source", "coral"):
        views = [
            View(np.arange(60) % 2 == seed, {"probe": rng.choice([*"abc"], 60), "knn": rng.choice([*"abc"], 60)})
            for seed in (0, 1)
        ]
        read.append((row(name, 0), {"features": views}))
    return truth, speakers, read


def test_what_was_said_comes_back_and_its_regret_is_the_difference(kept):
    truth, speakers, read = kept
    packed = pack_answers(read, truth, speakers, [*"abc"]) | {"draws": 100, "level": 0.9}
    answers = Answers.of({"recipe": "r", "target": "t", "answers": packed})
    values = {}
    for about, views in read:
        for name in ("probe", "knn"):
            said = np.where(views["features"][0].rows, *(view.labels[name] for view in views["features"]))
            scored = [place for place, label in enumerate(truth) if label]
            table = metrics.confusion([truth[place] for place in scored], said[scored], [*"abc"])
            reading = Reading.of(about | {"recipe": "r", "classifier": name})
            values[reading] = float(metrics.unweighted_accuracy(table))
            assert answers.samples(reading)[0] == pytest.approx(values[reading])
    oracle = best_in_hindsight(values)
    for reading, value in values.items():
        regret = Regret.of(answers, reading, oracle)
        assert regret.row["regret"] == pytest.approx(values[oracle] - value)
        assert regret.row["regret_low"] <= regret.row["regret"] <= regret.row["regret_high"]
    # The same draws for both: of a reading beside itself nothing is unsure.
    assert Regret.of(answers, oracle, oracle).row == {"regret": 0.0, "regret_low": 0.0, "regret_high": 0.0}
    assert Answers.of({"recipe": "r", "target": "t"}) is None


def test_the_mean_over_targets_takes_corpora_as_independent():
    rows = [{"regret": 0.1, "regret_low": 0.0, "regret_high": 0.2}] * 4
    assert mean_over_targets(rows) == pytest.approx({"regret": 0.1, "regret_low": 0.05, "regret_high": 0.15})
