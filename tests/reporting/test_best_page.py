"""The page, text and model card of `xlser best`: its answer, what is marked, what is said where nothing is known."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from huggingface_hub import ModelCard

from xlser.evaluation.candidates import BestResult, Budget, Estimate, Tried
from xlser.reporting.best.answer import grounds, headline, spoken
from xlser.reporting.best.ladder import ladder
from xlser.reporting.best.page import best_page, best_text, write_best
from xlser.reporting.html import html

TARGET = "<urdu>"


def tried(name, score, target=None, **fields):
    about = {"representation": "egemaps", "statistics": "source", "combination": "pooled", "adaptation": ""}
    about |= {"readout": "logistic regression (C 0.01)", "protocol": "transductive", "complexity": 1} | fields
    validated = {"emodb": score + 0.1, "emovo": score - 0.1}
    estimate = None if target is None else Estimate(target, target - 0.08, target + 0.09)
    return Tried(name=name, validated=validated, score=score, seconds=1.5, target=estimate, **about)


STATE = {"representation": "hidden state 2 (mean+std)"}
CORPUS = STATE | {"statistics": "corpus"}
PRIOR = CORPUS | {"adaptation": "prior=uniform"}
ROWS = (
    tried("chosen one", 0.70, 0.61, **PRIOR | {"adaptation": "prior=uniform|gaussian-em"}),
    tried("with prior", 0.69, 0.60, **PRIOR),
    tried("corpus", 0.66, 0.66, **CORPUS),
    tried("state", 0.60, 0.52, **STATE),
    tried("plain", 0.50, 0.45),
)
CORPORA = [
    {"corpus": name, "title": name, "role": role, "language": "de", "synthetic": False, "licence": licence}
    | {"citation": "", "utterances": 9, "speakers": 3, "labels": {"kept": {"anger": 9}}}
    for name, role, licence in (("emodb", "source", "research only"), ("emovo", "source", ""), (TARGET, "target", ""))
]


@pytest.fixture
def result():
    return BestResult(
        sources=("emodb", "emovo"),
        target=TARGET,
        classes=("anger", "happiness", "neutral", "sadness"),
        protocol="transductive",
        looks_at=("recordings", "prior"),
        chosen_by="the mean UA on left-out sources",
        candidates=ROWS,
        chosen="chosen one",
        baseline="plain",
        oracle="corpus",
        regret=Estimate(0.05, 0.01, 0.1),
        decisions=("Pseudo-speakers: 12 by clustering.",),
        notes=(),
        budget=Budget(600.0, 83.0, ("ensembles: 12 of 20 candidates",)),
        predictions=({"file": "a.wav", "emotion": "anger", "probabilities": [0.7, 0.1, 0.1, 0.1]},),
        about={"out": "runs/mine", "corpora": CORPORA, "command": "xlser best", "versions": {"xlser": "0"}},
    )


@pytest.fixture
def mute(result):
    rows = tuple(replace(row, target=None) for row in ROWS)
    return replace(result, candidates=rows, oracle=None, regret=None)


def test_the_headline_has_choice_expectation_range_baseline_and_chance(result):
    said = headline(result)
    for part in ("0.70 (0.60 to 0.80)", "0.50 (0.40 to 0.60)", "chance is 0.25"):
        assert part in said
    for part in ("uniform prior", "emodb and emovo"):
        assert part in grounds(result)
    assert [part.text for part in best_page(result).answer[:2]] == [said, grounds(result)]


def test_what_all_but_the_plainest_share_is_said_once(result):
    alike = [replace(row, adaptation="prior=uniform") if row.name != result.baseline else row for row in ROWS]
    page = best_page(replace(result, candidates=tuple(alike)))
    (figure,) = page.picture
    assert "uniform prior" not in str(figure.parts[1].panels[0].svg)
    assert "uniform prior" in page.answer[-1].text.partition("All but the plainest: ")[2]
    (figure,) = best_page(result).picture
    assert "uniform prior" in str(figure.parts[1].panels[0].svg)
    assert "uniform prior" not in best_page(result).answer[-1].text


def test_one_source_is_not_called_left_out(result):
    rows = tuple(replace(row, validated={"emodb": row.score}) for row in ROWS)
    alone = replace(result, sources=("emodb",), candidates=rows)
    assert "0.70 on" in headline(alone)
    assert "left out" not in headline(alone) + grounds(alone)
    assert "emodb, validation" in html(best_page(alone))


def test_a_choice_that_is_the_baseline_is_said_to_be_it(result):
    assert "is it, chance" in headline(replace(result, chosen="plain"))


def test_hindsight_stands_beside_the_choice_where_there_are_labels(result, mute):
    page = html(best_page(result))
    for part in ("0.61 [0.53, 0.70]", "0.66", "5.0 points [1.0, 10.0]"):
        assert part in page.replace("\u00a0", " ")
    silent = html(best_page(mute))
    assert "oracle" not in silent
    assert "has no labels" in silent


def test_the_ladder_goes_from_the_plainest_to_the_chosen_a_change_at_a_time(result):
    rungs = ladder(result)
    assert [rung.candidate.name for rung in rungs] == ["plain", "state", "corpus", "with prior", "chosen one"]
    assert [len(rung.changes) for rung in rungs] == [0, 1, 1, 1, 1]
    assert rungs[-1].changes == ("+ gaussian-em",)


def test_the_ladder_jumps_where_nothing_was_tried_between(result):
    jump = replace(result, candidates=(ROWS[0], ROWS[-1]))
    assert [rung.candidate.name for rung in ladder(jump)] == ["plain", "chosen one"]
    assert len(ladder(replace(result, chosen="plain"))) == 1


def test_the_page_is_whole_and_escapes_names(result, tmp_path):
    text = write_best(result, tmp_path).read_text(encoding="utf-8")
    assert TARGET not in text
    assert "&lt;urdu&gt;" in text
    assert "http:" not in re.sub(r'xmlns="[^"]*"', "", text)
    assert "https:" not in text
    assert text.count("<script") == 1
    for part in ("Pseudo-speakers:", "12 of 20 candidates", "xlser predict runs/mine", "1 min 23 s of 10 min"):
        assert part in text
    marks = re.findall(r'<th scope="row">[^<]*((?: <span class="tag">\w+</span>)+)', text)
    assert any("chosen" in mark for mark in marks)
    assert any("oracle" in mark for mark in marks)


def test_every_dot_tells_its_number(result):
    text = html(best_page(result))
    titles = set(re.findall(r"<title>(validated|target), [^<]*: (0\.\d\d) \[", text))
    assert titles == {("validated", f"{row.score:.2f}") for row in ROWS} | {
        ("target", f"{row.target.value:.2f}") for row in ROWS
    }


def test_the_table_has_a_row_a_candidate(result, tmp_path):
    write_best(result, tmp_path)
    table = pd.read_csv(tmp_path / "best.csv")
    assert list(table["name"]) == [row.name for row in ROWS]
    assert list(table["name"][table["chosen"]]) == ["chosen one"]


def test_the_model_card_has_licences_choice_protocol_and_what_was_looked_at(result, tmp_path):
    write_best(result, tmp_path)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    front = ModelCard(card).data
    assert (front.library_name, front.license, front.language) == ("xlser", "other", ["de"])
    (on_target,) = [one for one in front.eval_results if one.dataset_name == TARGET]
    assert on_target.metric_args["protocol"] == "transductive"
    for part in ("research only", "not stated", spoken(ROWS[0]), "transductive", "recordings and prior", "0.70"):
        assert part in card
    assert "runs/mine" not in card, "a card is passed on: it names no place of this machine"


def test_a_terminal_gets_a_hundred_columns_and_marks(result):
    lines = best_text(result).splitlines()
    assert max(map(len, lines)) <= 100
    assert any("(chosen)" in line for line in lines)
    assert any("Not tried: ensembles" in line for line in lines)


def test_random_weights_synthetic_speech_and_scores_that_are_not_known(result):
    corpora = [CORPORA[0] | {"synthetic": True}]
    rows = (*ROWS, tried("broken", float("nan")))
    page = best_page(
        replace(result, candidates=rows, about=dict(result.about) | {"corpora": corpora, "encoder": "random:tiny"})
    )
    assert len(page.banners) == 2
    assert "n/a" in html(page)


def test_the_page_in_a_browser(result, tmp_path, faults_of):
    assert faults_of(write_best(result, tmp_path)) == []
