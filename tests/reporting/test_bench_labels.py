"""The table of label modes, and the probes of source and target together, from a bench made by hand."""

import re
from html.parser import HTMLParser

import pytest

from xlser.reporting.bench.dimensions import nuisances
from xlser.reporting.bench.facts import Bench
from xlser.reporting.bench.labels import TERMS, table, terms
from xlser.reporting.bench.report import _TEMPLATES
from xlser.reporting.page import environment

EVIL = "<b>x & y</b>"
LOST = {"intersection": {"fear": 12, "no_agreement": 1}, "reject": {"no_agreement": 1}, "mapped": {"surprise": 3}}
RENAMED = {"intersection": {}, "reject": {"fear -> other": 12}, "mapped": {"fear -> negative": 12}}
CLASSES = {"intersection": ["anger", EVIL], "reject": ["anger", EVIL, "other"], "mapped": ["negative", "positive"]}


def rows(method):
    found = []
    for mode, lost in LOST.items():
        about = {"method": method, "classifier": "probe", "mode": mode, "classes": CLASSES[mode], "utterances": 1234}
        about |= {"protocol": "transductive", "normalise": "corpus", "lost": lost, "merged": RENAMED[mode]}
        about |= {"threshold": 0.456, "chosen_by": "best UA"} if mode == "reject" else {}
        found += [
            about | {"metric": metric, "value": 0.6, "low": 0.55, "high": 0.7, "chance": 0.5}
            for metric in ("UA", "WA", "macro-F1", *(("AUROC",) if mode == "reject" else ()))
        ]
    return found


def probes(target):
    row = {"method": "metric", "corpus": target, "metric": "UA", "value": 0.9, "low": 0.8, "high": 1.0, "chance": 0.5}
    names = ["speaker"] if target == "de" else ["speaker", "corpus, source and target"]
    return [row | {"nuisance": name, "why": ""} for name in names]


def cell(target):
    about = {"corpus": target, "language": target, "synthetic": target == "syn", "speakers": 12}
    both = [*rows("plain"), *rows("metric")]
    return {"recipe": "a", "source": "de", "target": target, "about": about, "classes": ["anger", EVIL]} | {
        "normalise": "corpus",
        "nuisances": probes(target),
        "label_modes": sorted(both, key=lambda row: row["mode"]),
    }


@pytest.fixture
def results():
    chosen = [{"recipe": "a", "source": "de", "method": "metric", "classifier": "knn", "validation": 0.8}]
    about = {"recipes": {"a": {}}, "sources": ["de"], "targets": ["ur", "syn"]}
    cells = [cell(name) for name in ("de", "ur", "syn")]
    return {"about": about, "cells": cells, "chosen": chosen, "matrix": []}


class Page(HTMLParser):
    """Keeps the words of every row of the table, and checks that tags close in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.rows = [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "tr" in self.open and self.rows[-1]:
            self.rows[-1][-1] += data


def page(lines, head, named=None):
    text = '{% from "labels.html.j2" import labels_table %}{{ labels_table(lines, terms, "UA", head, named) }}'
    return environment(_TEMPLATES).from_string(text).render(lines=lines, terms=terms(lines), head=head, named=named)


def test_a_cell_has_a_line_a_mode_of_its_chosen_method(results):
    bench = Bench(results)
    lines = table(bench, bench.transfers)
    assert [(line.title, line.method, line.first) for line in lines] == [
        (f"a: de → {name}", "metric", first) for name in ("ur", "syn") for first in (True, False, False)
    ]
    assert {line.mode for line in lines} == set(TERMS)
    assert dict(terms(lines)) == TERMS
    assert [line.marks for line in lines[::3]] == [[], ["synthetic"]]
    (reject,) = [line for line in lines[:3] if line.mode == "reject"]
    assert (reject.ua, reject.chance, reject.clips) == (("0.60", "[0.55, 0.70]", "above"), "0.50", "1,234")
    assert (reject.threshold, reject.renamed) == ("below 0.46, best UA", "fear → other 12")
    assert reject.lost == "no_agreement 1"
    assert [line.auroc[0] for line in lines[:3] if line.mode != "reject"] == ["", ""]


def test_a_cells_page_has_every_method_with_its_modes_together(results):
    lines = table(Bench(results), [("a", "de", "ur")], every=True)
    assert [line.method for line in lines] == ["plain"] * 3 + ["metric"] * 3
    assert [line.first for line in lines] == [True, False, False] * 2


def test_an_older_bench_and_one_without_a_choice_have_no_lines(results):
    assert table(Bench(results | {"chosen": []}), [("a", "de", "ur")]) == []
    del results["cells"][1]["label_modes"]
    assert table(Bench(results), [("a", "de", "ur")]) == []
    assert terms([]) == []


def test_what_is_not_defined_is_written_as_such(results):
    for row in results["cells"][1]["label_modes"]:
        row.update({"low": None, "high": None} | ({"value": None} if row["metric"] == "AUROC" else {}))
    lines = table(Bench(results), [("a", "de", "ur")])
    assert {line.ua for line in lines} == {("0.60", "[n/a]", "unknown")}
    assert {line.auroc for line in lines} == {("", "", "")}
    assert not re.search(r"\b(nan|None)\b", page(lines, "Cell"))


def test_the_template_writes_every_line_and_escapes_names(results):
    bench = Bench(results)
    text = page(table(bench, bench.transfers), "Cell")
    head, *body = Page(text).rows
    assert "<b>" not in text
    assert {len(row) for row in (head, *body)} == {9}
    assert [row[0] for row in body[:2]] == ["a: de → urmetric, linear probe", ""]
    assert body[3][0].startswith("a: de → syn synthetic")
    named = Page(page(table(bench, [("a", "de", "ur")], every=True), "Method", str.upper)).rows
    assert [row[0] for row in named[1::3]] == ["PLAINlinear probe", "METRIClinear probe"]


def test_probes_of_both_corpora_have_columns_of_their_own(results):
    bench = Bench(results)
    names, lines = nuisances(bench, list(bench.cells))
    assert names == ["speaker", "corpus, source and target"]
    told = {corpus: cells[1] for _, _, corpus, _, cells in lines}
    assert told["de"] == ("", "", "")
    assert told["ur"] == ("0.90", "[0.80, 1.00]", "UA, chance 0.50")
