"""The table of label modes, and the probes of source and target together, from a bench made by hand."""

import re
from html.parser import HTMLParser

import pytest

from xlser.reporting.bench import labels, probes
from xlser.reporting.bench.cell import CellFacts
from xlser.reporting.bench.facts import Bench
from xlser.reporting.html import html
from xlser.reporting.section import Page as Pages

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


def probed(target):
    row = {"method": "metric", "corpus": target, "metric": "UA", "value": 0.9, "low": 0.8, "high": 1.0, "chance": 0.5}
    names = ["speaker"] if target == "de" else ["speaker", "corpus, source and target"]
    return [row | {"nuisance": name, "why": ""} for name in names]


def cell(target):
    about = {"corpus": target, "language": target, "synthetic": target == "syn", "speakers": 12, "role": "target"}
    both = [*rows("plain"), *rows("metric")]
    return {"recipe": "a", "source": "de", "target": target, "about": about, "classes": ["anger", EVIL]} | {
        "normalise": "corpus",
        **{table: [] for table in ("transfer", "correlation", "confusion", "choices", "notes")},
        "baseline": {"method": "plain", "readers": {}},
        "nuisances": probed(target),
        "label_modes": sorted(both, key=lambda row: row["mode"]),
    }


@pytest.fixture
def results():
    chosen = [{"recipe": "a", "source": "de", "method": "metric", "classifier": "knn", "validation": 0.8}]
    about = {"versions": {}, "recipes": {"a": {"name": "a"}}, "sources": ["de"], "targets": ["ur", "syn"]}
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


def section(results, key=None):
    bench = Bench(results)
    return labels.section_of_cell(CellFacts(bench, key, {})) if key else labels.section(bench)


def lines(found):
    (table,) = found.tables
    return [row.cells for group in table.groups for row in group.rows]


def page(found):
    return html(Pages("", "", "", "", [], [found], "")).partition("<main")[2].partition(">")[2].partition("</main>")[0]


def test_a_bench_has_a_line_a_cell_of_its_chosen_method_and_a_column_a_mode(results):
    found = section(results)
    rows = lines(found)
    assert [(row[0].text, row[0].marks) for row in rows] == [("a: de → ur", []), ("a: de → syn", ["synthetic"])]
    assert found.tables[0].heads == ["Cell", *labels.TERMS]
    assert dict(found.parts[0].lines) == labels.TERMS
    ua = rows[0][1 + list(labels.TERMS).index("reject")]
    assert (ua.text, ua.interval, ua.side, ua.more) == ("0.60", "[0.55, 0.70]", "above", ["chance 0.50"])


def test_a_cell_has_a_line_a_mode_with_what_became_of_its_clips(results):
    rows = [row for row in lines(section(results, ("a", "de", "ur"))) if row[1] == "reject"]
    _, mode, ua, chance, _, clips, classes, renamed, lost = rows[-1]
    assert (mode, ua.text, ua.interval, ua.side) == ("reject", "0.60", "[0.55, 0.70]", "above")
    assert (chance, clips, classes.interval) == ("0.50", "1,234", "other below 0.46, best UA")
    assert (renamed, lost) == ("fear → other 12", "no_agreement 1")


def test_a_cells_page_has_every_method_with_its_modes_together(results):
    rows = lines(section(results, ("a", "de", "ur")))
    assert [row[0].text for row in rows] == ["plain AUTOENCODER", "", "", "metric", "", ""]


def test_an_older_bench_and_one_without_a_choice_have_no_lines(results):
    assert section(results | {"chosen": []}).left_out
    for one in results["cells"]:
        del one["label_modes"]
    assert section(results).left_out
    assert section(results, ("a", "de", "ur")) is None


def test_what_is_not_defined_is_written_as_such(results):
    for row in results["cells"][1]["label_modes"]:
        row.update({"low": None, "high": None} | ({"value": None} if row["metric"] == "AUROC" else {}))
    found = section(results, ("a", "de", "ur"))
    assert ("0.60", "[n/a]", "unknown") in {(row[2].text, row[2].interval, row[2].side) for row in lines(found)}
    assert not re.search(r"\b(nan|None)\b", page(found))


def test_the_page_has_every_line_and_escapes_names(results):
    text = page(section(results))
    head, *body = Page(text).rows
    assert "<b>" not in text
    assert {len(row) for row in (head, *body)} == {4}
    assert [row[0] for row in body] == ["a: de → ur", "a: de → syn synthetic"]


def test_probes_of_both_corpora_have_columns_of_their_own(results):
    (table,) = probes.section(Bench(results)).tables
    assert table.heads[2:] == ["speaker", "corpus, source and target"]
    told = {row.cells[1]: row.cells[3] for row in table.groups[0].rows}
    assert told["de"] == ""
    assert (told["ur"].text, told["ur"].more) == ("0.90", ["chance 0.50"])
