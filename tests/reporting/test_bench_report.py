import copy
import json
import re
from itertools import product

import pytest
from click.testing import CliRunner
from parsed import Page

from xlser.cli.report import command
from xlser.errors import RunError
from xlser.evaluation.results_file import is_bench, load_bench
from xlser.reporting.bench import dimensions as axes
from xlser.reporting.bench import probes
from xlser.reporting.bench.against import adaptation_rows, sources
from xlser.reporting.bench.believe import above_chance, compared, shortcuts
from xlser.reporting.bench.cell import CellFacts
from xlser.reporting.bench.chart import tenths
from xlser.reporting.bench.doubt import dimensions, few_shot, trust
from xlser.reporting.bench.facts import Bench
from xlser.reporting.bench.matrix import matrices
from xlser.reporting.bench.opening import answer
from xlser.reporting.bench.report import bench_page, cell_page, render_bench, write_bench_report
from xlser.reporting.bench.shots import choices_table
from xlser.reporting.section import Switch
from xlser.reporting.tables import transfer_blocks

EVIL = "<b>x & y</b>"
CLASSES = ["anger", "sadness"]
SOURCES, TARGETS = ["de", "syn"], ["de", "syn", "ur"]
HELD_OUT = "source, held-out speakers"


def about(name, role):
    labels = {"kept": {"anger": 20, "sadness": 20}, "merged": {}, "dropped": {}}
    ratings = {"de": "rated", "ur": "rated", "syn": "derived"}[name]
    known = {"corpus": name, "title": f"The {name} corpus", "role": role, "language": name[:2], "ratings": ratings}
    known |= {"synthetic": name == "syn", "utterances": 40, "speakers": 6 if name == "ur" else 12, "labels": labels}
    return known


def place(source, target, protocol):
    role = HELD_OUT if source == target else "target"
    return {"corpus": target, "role": role, "language": target[:2], "data": "real", "protocol": protocol}


def score(value, half=0.1):
    gain = {"gain": 0.1, "gain_low": 0.04, "gain_high": 0.16}
    return {"value": value, "low": value - half, "high": value + half} | gain


def transfer(source, target, value):
    protocols = ["zero-shot"] if source == target else ["zero-shot", "transductive"]
    return [
        place(source, target, protocol)
        | {"classes": 2, "speakers": 12, "utterances": 40, "chance": 0.5}
        | {"method": method, "classifier": reader, "metric": metric}
        | score(value + (0.05 if protocol == "transductive" else 0.0))
        for protocol, method, reader, metric in product(
            protocols, ("plain", "metric"), ("knn", "probe"), ("UA", "WA", "macro-F1")
        )
    ]


def confusion(source, target):
    return [
        place(source, target, "zero-shot")
        | {"method": method, "classifier": "knn", "truth": truth, "prediction": said}
        | {"count": 15.0 if truth == said else 5.0}
        for method, truth, said in product(("plain", "metric"), CLASSES, CLASSES)
    ]


def correlation(source, target):
    kind = "derived" if target == "syn" else "rated"
    return [
        place(source, target, "zero-shot")
        | {"ratings": kind, "speakers": 12, "utterances": 40, "method": method, "axis": "direction"}
        | {"dimension": "activation", "statistic": statistic, "chance": 0.0}
        | score(0.4)
        for method, statistic in product(("plain", "metric"), ("Pearson", "Spearman", "CCC"))
    ]


def shots(source, target):
    if source == target:
        return []
    rows = []
    for method, way, k in product(("plain", "metric"), ("probe", "swapped"), (0, 1, 4)):
        row = {"method": method, "corpus": target, "k": k, "way": way, "metric": "UA", "sd_draws": 0.01}
        row |= score(0.6 + 0.05 * k, 0.02) | {"without": 0.6, "shots": 2 * k, "queries": 30}
        row |= {"gain": 0.05 * k, "gain_low": 0.05 * k - 0.12, "gain_high": 0.05 * k + 0.12}
        rows.append(row if k else row | dict.fromkeys(("gain", "gain_low", "gain_high")))
    return rows


def trusted(target):
    bins = [{"low": 0.0, "high": 0.5, "confidence": None, "accuracy": None, "count": 0}]
    bins += [{"low": 0.5, "high": 1.0, "confidence": 0.9, "accuracy": 0.6, "count": 40}]
    sets = {"coverage": 0.6, "low": 0.5, "high": 0.7, "least": 0.4, "size": 1.2, "single": 0.8, "empty": 0.0}
    lengths = [{"low": 0.0, "high": 1.5, "count": 0, "WA": None}, {"low": 1.5, "high": None, "count": 40, "WA": 0.6}]
    row = {"corpus": target, "ece": 0.3, "brier": 0.6, "aurc": 0.3, "reliability": bins, "promise": 0.9, "sets": sets}
    row |= {"abstention": {"coverage": [0.05, 0.5, 1.0], "UA": [1.0, 0.7, 0.6], "WA": [1.0, 0.7, 0.6]}}
    return [{"method": method, **row, "by_length": lengths} for method in ("plain", "metric")]


def followed(target):
    inner = {"value": 0.3, "low": 0.1, "high": 0.5}
    row = {"corpus": target, "dimension": "activation", "axis": "direction", "r_source": 0.8, "r": 0.5, "p": 0.001}
    row |= {"p_fdr": 0.01, "partial": inner, "stability": inner | {"same_sign": 1.0}}
    return [{"method": method, **row} for method in ("plain", "metric")]


def cell(recipe, source, target, value):
    probe = {"nuisance": "sex", "metric": "UA", "value": None, "low": None, "high": None, "chance": None, "why": "none"}
    return {
        "recipe": recipe,
        "source": source,
        "target": target,
        "about": about(target, "source" if source == target else "target"),
        "classes": CLASSES,
        "baseline": {"method": "plain", "readers": {}},
        "normalise": "corpus",
        "transfer": transfer(source, target, value),
        "correlation": correlation(source, target),
        "confusion": confusion(source, target),
        "choices": [{"method": "metric", "seed": 0, "corpus": target, "reader": "knn", "k": 5}],
        "notes": [],
        "dimensions": followed(target),
        "nuisances": [{"method": "metric", "corpus": target, **probe}],
        "few_shot": shots(source, target),
        "few_shot_areas": [row for row in shots(source, target) if row["k"] == 4],
        "trust": trusted(target),
    }


def bench():
    """Two recipes on two sources; "b" failed on the synthetic one, and could not read ur from de."""
    values = {("de", "de"): 0.9, ("de", "syn"): 0.62, ("de", "ur"): 0.7, ("syn", "syn"): 0.8, ("syn", "de"): 0.5}
    values |= {("syn", "ur"): 0.4}
    cells = [cell("a", *names, value) for names, value in values.items()]
    cells += [cell("b", "de", "de", 0.9), cell("b", "de", "syn", 0.7)]
    matrix = [
        {"recipe": one["recipe"], "source": one["source"], "target": one["target"], **row}
        for one in cells
        for row in one["transfer"]
        if (row["method"], row["classifier"]) == ("metric", "knn")
    ]
    pairs = [("a", "de"), ("a", "syn"), ("b", "de")]
    recipe = {"name": "a", "evaluation": {"level": 0.95}, "model": {"kind": "dae", "latent": 2}}
    return {
        "about": {
            "recipes": {"a": recipe, "b": recipe | {"name": "b"}},
            "sources": SOURCES,
            "targets": ["ur", "syn", "de"],
            "few_shot": [1, 4],
            "seeds": 2,
            "versions": {"xlser": "0.1.0"},
            "command": "xlser transfer --recipe a",
            "finished": "2026-01-01 00:00:00 +0000",
        },
        "failed": {"b on syn": "it broke"},
        "holes": {"b on de, ur": f"no folder {EVIL}"},
        "times": {},
        "cells": cells,
        "chosen": [
            {"recipe": r, "source": s, "method": "metric", "classifier": "knn", "validation": 0.8} for r, s in pairs
        ],
        "matrix": matrix,
        "comparisons": [
            {"source": "de", "target": target, "a": "a", "b": "b", "family": family}
            | {"difference": difference, "p": p, "p_holm": p}
            for target, family, difference, p in (("syn", "transfer", -0.08, 0.02), ("de", "held-out", 0.0, 1.0))
        ],
        "languages": [
            {"recipe": "a", "source": "de", "protocol": "transductive", "language": "all languages", "data": "real"}
            | {"value": 0.66, "low": 0.6, "high": 0.72, "corpora": 2}
        ],
    }


@pytest.fixture
def results():
    return copy.deepcopy(bench())


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes results as a bench does."""

    def write(results):
        (tmp_path / "results.json").write_text(json.dumps(results, allow_nan=False), encoding="utf-8")
        return tmp_path

    return write


def said(pairs):
    return [f"{lead} {text}" for lead, text in pairs]


def rename(value, old, new):
    return json.loads(json.dumps(value).replace(json.dumps(old), json.dumps(new)))


def test_every_cell_has_a_page_and_every_link_leads_to_a_file(folder, results):
    report = write_bench_report(folder(results))
    pages = sorted((report.parent / "pages").iterdir())
    assert len(pages) == len(results["cells"])
    for page in [report, *pages]:
        links = [link for link in Page(page.read_text(encoding="utf-8")).values("href") if not link.startswith("#")]
        assert links
        assert all((page.parent / link).resolve().is_file() for link in links)


def test_pages_load_nothing_and_print_no_nan(folder, results):
    report = write_bench_report(folder(results))
    for page in [report, *(report.parent / "pages").iterdir()]:
        text = page.read_text(encoding="utf-8")
        parsed = Page(text)
        assert not [tag for tag, _ in parsed.tags if tag in ("link", "iframe", "object", "base", "img")]
        assert not [value for value in parsed.values("src") + parsed.values("href") if "//" in value]
        assert not re.search(r"\b(nan|None|inf)\b", re.sub(r"<(style|script)>.*?</\1>", "", text, flags=re.DOTALL))
        ids = parsed.values("id")
        assert len(ids) == len(set(ids))
        assert {link[1:] for link in parsed.values("href") if link.startswith("#")} <= set(ids)


def test_names_from_outside_are_escaped_everywhere(folder, results):
    results = rename(results, "ur", EVIL)
    results["holes"] = {"b on de, x": EVIL}
    for one in results["cells"]:
        one["notes"] = [f"WARNING: {EVIL}"]
    report = write_bench_report(folder(results))
    for page in [report, *(report.parent / "pages").iterdir()]:
        assert "<b>" not in page.read_text(encoding="utf-8")
    assert "\\<b>" in (report.parent / "tables" / "matrix.md").read_text(encoding="utf-8")


def test_file_names_are_safe_and_none_is_taken_twice(folder, results):
    results = rename(rename(results, "ur", "../u/r"), "syn", "de+ur")
    report = write_bench_report(folder(results))
    names = [path.name for path in (report.parent / "pages").iterdir()]
    assert len(names) == len(results["cells"])
    assert all(re.fullmatch(r"[\w-][\w.-]*\.html", name) for name in names)


def test_the_matrix_shows_numbers_holes_failures_and_no_transfer(results):
    first, second = matrices(Bench(results))
    assert (first.protocol, second.protocol) == ("transductive", "zero-shot")
    assert first.targets == ["de", "syn", "ur"]
    a_de, a_syn = first.lines["a"]
    b_de, b_syn = first.lines["b"]
    assert [square.text for square in a_de.cells] == ["", "0.67", "0.75"]
    assert a_de.held_out.text == "0.90"
    assert [square.side for square in a_syn.cells] == ["across", "", "across"]
    assert a_de.cells[1].share == pytest.approx(0.34)
    assert "no folder" in b_de.cells[2].why
    assert {square.why for square in b_syn.cells if square.why} == {"it broke"}
    assert b_syn.held_out.why == "it broke"
    assert [square.text for square in a_de.means] == ["0.66"]


def test_means_of_human_and_of_synthetic_speech_are_columns_of_their_own(results):
    mean = {"recipe": "a", "protocol": "transductive", "normalise": "corpus", "low": 0.5, "high": 0.7, "corpora": 2}
    kinds = [("en", "synthetic", 0.8), ("all languages", "synthetic", 0.7), ("en", "real", 0.6)]
    results["languages"] = [
        mean | {"source": "de", "language": language, "data": data, "value": value} for language, data, value in kinds
    ]
    results["languages"].append(results["languages"][0] | {"source": "syn", "language": "tr", "corpora": 1})
    (matrix, _) = matrices(Bench(results))
    assert matrix.means == ["en", "en, synthetic", "all languages, synthetic"]
    de, syn = matrix.lines["a"]
    assert [square.text for square in de.means] == ["0.60", "0.80", "0.70"]
    assert [square.why for square in syn.means] == ["none"] * 3


def test_an_interval_that_touches_chance_is_not_above_it(results):
    for row in results["matrix"]:
        row["low"] = row["chance"]
    squares = [square for line in matrices(Bench(results))[0].lines["a"] for square in line.cells if square.text]
    assert {square.side for square in squares} == {"across"}


def test_what_lies_above_chance_is_counted_with_synthetic_speech_apart(results):
    assert said(above_chance(Bench(results))) == [
        "a: 1 of 1 cell above chance with the whole interval.",
        "a with synthetic speech on either side: 1 of 3 cells above chance with the whole interval; "
        "not told from chance: syn → de and syn → ur.",
        "b with synthetic speech on either side: 1 of 1 cell above chance with the whole interval.",
    ]


def paired(family, source, target, difference, p, rival="", **more):
    """A row of `reading_tests`."""
    row = {"family": family, "recipe": "a", "source": source, "target": target, "rival": rival, "normalise": "corpus"}
    return row | {"corpora": "one", "data": "real", "difference": difference, "p": p, "p_holm": p} | more


@pytest.mark.parametrize(("p", "column"), [(0.01, 3), (0.05, 4), (None, 5)])
def test_another_source_is_told_apart_by_its_test_and_never_by_intervals(results, p, column):
    results["tests"] = [] if p is None else [paired("another source", "syn", "ur", -0.35, p, "de")]
    (row,) = [row for row in sources(Bench(results)).groups[0].rows if row.cells[0].text == "ur"]
    assert row.cells[1].text == "de"
    assert [bool(cell) for cell in row.cells[3:]] == [place == column for place in (3, 4, 5)]
    assert "syn" in row.cells[column]
    assert p is None or "+0.35" in row.cells[column]  # the best one's side of the difference


def test_the_answer_is_a_headline_and_four_sentences_at_most(results):
    whole = {"source": "all sources", "target": "all targets"}
    results["tests"] = [
        paired("plain features", difference=0.12, p=0.01, **whole),
        paired("no adaptation", difference=0.04, p=0.2, **whole),
        paired("no adaptation", source="all sources", target="ur", difference=0.07, p=0.03),
        paired("no adaptation", source="all sources", target="de", difference=-0.03, p=0.6),
        paired("another source", "de", "ur", 0.3, 0.04, "syn"),
    ]
    for one in results["cells"]:
        rows = [row for row in one["transfer"] if (row["method"], row["classifier"]) == ("plain", "probe")]
        one["transfer"] += [row | {"method": "features"} | score(0.63) for row in rows]
    first, words = answer(Bench(results))
    assert first.text.startswith("UA 0.75 [0.65, 0.85] on ur, transductive, by a; chance 0.50")
    lines = dict(words.lines)
    assert len(lines) <= 4
    (features,) = [text for lead, text in lines.items() if "plain features" in lead]
    assert "a 0.75 against 0.63 (+0.12, p = 0.010)" in features
    adapted = lines["Adapting to unlabelled recordings:"]
    assert "most gained in ur, +0.07" in adapted
    assert "most lost in de, −0.03" in adapted
    assert "1 of 1 pair of sources told apart" in lines["Paired tests over speakers:"]


def test_without_tests_what_adapting_gained_is_told_without_a_p(results):
    found = {row["target"]: row for row in adaptation_rows(Bench(results)) if row["recipe"] == "a"}
    assert found["ur"]["difference"] == pytest.approx(0.05)
    assert "syn" not in found  # synthetic speech is in no mean of human speech
    assert found["ur"]["p_holm"] is None


def reading(value, **more):
    row = {"recipe": "a", "method": "metric", "classifier": "knn", "normalise": "corpus", "protocol": "transductive"}
    return row | {"value": value, "low": value - 0.1, "high": value + 0.1, "chance": 0.5} | more


def validated(source, target, chosen, oracle):
    row = {"line": "a", "source": source, "target": target, "protocol": "transductive", "by": "other cells"}
    row |= {"chosen": reading(chosen), "oracle": reading(oracle, method="plain"), "validation": 0.6, "places": ["x"]}
    return row | {"candidates": 4, "regret": oracle - chosen, "regret_low": 0.0, "regret_high": 0.2}


def test_the_matrix_is_one_switch_and_means_hold_validated_beside_oracle(results):
    results["validated"] = [validated("de", "ur", 0.6, 0.7), validated("de", "syn", 0.9, 0.9)]
    results["regrets"] = []
    page = bench_page(Bench(results))
    (switch,) = [part for part in page.picture if isinstance(part, Switch)]
    assert [label for label, _ in switch.options] == ["transductive", "zero-shot", "validated"]
    assert switch.options[switch.chosen][0] == "validated"
    table = switch.options[0][1][0]
    assert [getattr(head, "text", head) for head in table.heads] == [
        *("Source", "de", "syn", "ur", "Mean", "validated", "oracle")
    ]
    line = table.groups[0].rows[0].cells
    # Held-out speakers stand on the diagonal, and the mean is of human speech alone.
    assert [cell.text for cell in line] == ["de", "0.90", "0.67", "0.75", "0.75", "0.60", "0.70"]
    assert line[1].kind == "held"
    chosen = switch.options[2][1][0].groups[0].rows[0].cells
    assert [cell.text for cell in chosen[1:]] == ["—", "0.90", "0.60", "0.60", "0.70"]
    assert chosen[3].more == ["oracle 0.70"]
    assert all(section.folded for section in page.sections)


def test_a_cell_says_what_it_reached_beside_adaptations_and_the_best_in_hindsight(results):
    results["validated"], results["regrets"] = [validated("de", "ur", 0.6, 0.7)], []
    results["tests"] = [paired("no adaptation", "de", "ur", 0.05, 0.03, normalise="")]
    first, words = cell_page(Bench(results), ("a", "de", "ur"), {}).answer
    assert first.text.startswith("UA 0.75 [0.65, 0.85], transductive; chance 0.50")
    lines = dict(words.lines)
    assert "0.75 (+0.05, p = 0.030)" in lines["Zero-shot 0.70, adapted:"]
    assert "0.60 [0.50, 0.70]" in lines["Chosen without the target's labels:"]
    assert "in hindsight 0.70, a regret of 0.10" in lines["Chosen without the target's labels:"]


def test_recipes_differ_only_where_the_corrected_p_says_so(results):
    told, difference, at_home = said(compared(Bench(results)))
    assert told.startswith("Recipes, transfer: differences are told in 1 of 1 place (1 paired test over speakers")
    assert difference.startswith("de → syn: b is ahead of a by +0.08")
    assert at_home.startswith("Recipes, held-out speakers of the source: no two can be told apart")
    results["comparisons"][0]["p_holm"] = 0.05
    transfer, _ = said(compared(Bench(results)))
    assert "no two can be told apart" in transfer


def test_a_reading_without_labelled_clips_is_named_by_its_protocol(results):
    lines = said(few_shot(Bench(results)))
    assert all("without any 0.60 (transductive)" in line for line in lines[:-1])
    assert not [line for line in lines if "zero-shot" in line]


@pytest.mark.parametrize(("low", "word"), [(0.01, "a gain of"), (0.0, "no gain can be told"), (-0.01, "no gain can")])
def test_few_labelled_clips_gain_only_where_the_interval_excludes_0(results, low, word):
    for one in results["cells"]:
        for row in one["few_shot"]:
            row.update({"gain_low": low, "gain_high": 0.3} if row["k"] else {})
    lines = said(few_shot(Bench(results)))
    assert all(word in line and "k = 4 (8 labelled clips)" in line for line in lines[:-1])


def test_a_promise_that_was_not_kept_is_told_with_its_number(results):
    line = said(trust(Bench(results)))[-1]
    assert line.startswith("Promises in ur: sets made to hold the true emotion in 90% hold it in 0.60 [0.50, 0.70]")
    assert "surely fewer than promised in 2 of 2 cells" in line


def test_derived_ratings_and_synthetic_speech_are_no_evidence_beside_the_rest(results):
    lines = said(dimensions(Bench(results)))
    assert lines[0].startswith("a: the direction learnt on the source follows the ratings of activation in 1 of 1 cell")
    assert lines[1].startswith("a, synthetic speech on either side:")
    for one in results["cells"]:
        for row in one["dimensions"]:
            row["p_fdr"] = 0.05
    assert "activation in 0 of 1 cell" in said(dimensions(Bench(results)))[0]


def test_a_bench_without_comparisons_few_shot_or_scores_still_has_pages(folder, results):
    results |= {"comparisons": [], "matrix": [], "chosen": [], "languages": []}
    for one in results["cells"]:
        empty = ("transfer", "correlation", "confusion", "few_shot", "few_shot_areas", "trust", "dimensions")
        one.update({name: [] for name in empty} | {"nuisances": [], "classes": ["anger"]})
    report = write_bench_report(folder(results))
    text = report.read_text(encoding="utf-8")
    assert "None was asked for" in text
    assert "| n/a |" in (report.parent / "tables" / "matrix.md").read_text(encoding="utf-8")
    assert "fewer than two shared emotions" in text


def test_one_speaker_gives_no_interval_and_no_verdict(folder, results):
    for row in results["matrix"] + [row for one in results["cells"] for row in one["transfer"]]:
        row.update(dict.fromkeys(("low", "high", "gain", "gain_low", "gain_high")))
    write_bench_report(folder(results))
    assert "without an interval" in said(above_chance(Bench(results)))[0]


def test_the_terminal_shows_the_matrix_and_names_what_is_missing(folder, results):
    text = render_bench(folder(results))
    assert "0.75* [0.65, 0.85]" in text
    assert "b on syn failed: it broke" in text
    assert f"b on de, ur: hole: no folder {EVIL}" in text
    assert max(map(len, text.splitlines())) <= 100
    assert "−" not in text


def test_tables_for_a_paper_hold_every_line(folder, results):
    tables = write_bench_report(folder(rename(results, "syn", "s_n"))).parent / "tables"
    tex = (tables / "matrix.tex").read_text(encoding="utf-8")
    assert tex.count(r"\toprule") == tex.count(r"\bottomrule") == 2
    assert r"s\_n" in tex
    body = [line for line in tex.splitlines() if line.endswith(r" \\")]
    assert [line.count(" & ") for line in body] == [6] * 5 + [5] * 5
    markdown = (tables / "few_shot.md").read_text(encoding="utf-8")
    assert markdown.startswith("UA with k labelled clips a class of the target (k = 0: without, transductive)")
    rows = [line for line in markdown.splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + 2 * 5
    assert {line.count("|") for line in rows} == {8}


@pytest.mark.parametrize("values", [[0.0], [1.0], [0.34, 0.58], [0.5], [None], [-0.2, 1.3], [0.25, 0.95]])
def test_ticks_hold_every_value_that_a_score_can_have(values):
    ends = [place for place, _ in tenths(values)]
    assert ends == sorted(ends)
    assert len(ends) >= 2
    assert all(ends[0] <= min(max(value, 0), 1) <= ends[-1] for value in values if value is not None)


def test_clips_are_put_on_a_map_where_a_cell_holds_points(folder, results):
    point = {"method": "metric", "id": EVIL, "emotion": "anger", "activation": 0.5}
    results["cells"][0]["points"] = [point | {"x": 0.1 * i, "y": -0.1 * i} for i in range(5)]
    report = write_bench_report(folder(results))
    text = (report.parent / "pages" / "a-de-de.html").read_text(encoding="utf-8")
    assert text.count('data-told="&lt;b&gt;x &amp; y&lt;/b&gt;, anger, activation 0.50"') == 5
    Page(text)


def test_the_verb_makes_the_report_of_a_bench(folder, results):
    path = folder(results)
    assert is_bench(path)
    told = CliRunner().invoke(command, [str(path)])
    assert told.output.strip() == str(path / "report.html")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, r"holds no results\.json.*xlser transfer"),
        ("{", r"results\.json is damaged.*what is done is not done again"),
        ('{"transfer": []}', r"results\.json is no result of `xlser transfer`"),
        ('{"cells": [{}]}', r"results\.json lacks .*cells\.trust.*another version"),
        ("[]", "is no result of `xlser transfer`"),
    ],
)
def test_results_that_cannot_be_used_name_the_file_and_the_way_out(tmp_path, text, told):
    if text is not None:
        (tmp_path / "results.json").write_text(text)
    with pytest.raises(RunError, match=f"(?s){told}"):
        load_bench(tmp_path)


def test_shots_of_a_version_that_told_less_are_named(folder, results):
    for one in results["cells"]:
        one["few_shot"] = [row | {"zero_shot": row.pop("without")} for row in one["few_shot"]]
    with pytest.raises(RunError, match=r"lacks cells\.few_shot\.without: it was written by another version"):
        load_bench(folder(results))
    assert load_bench(folder(results), ("cells", "matrix"))["cells"] == results["cells"]


def test_an_adapted_reading_stands_beside_the_recipes_own_one_and_never_in_its_place(folder, results):
    for one in results["cells"]:
        rows = [row for row in one["transfer"] if row["protocol"] == "transductive"]
        one["transfer"] += [row | {"normalise": "coral"} | score(0.11) for row in rows]
    rows = [row for row in results["matrix"] if row["protocol"] == "transductive"]
    results["matrix"] += [row | {"normalise": "coral"} | score(0.11) for row in rows]
    bench = Bench(results)
    assert bench.protocols == ["transductive", "zero-shot", "transductive, coral"]
    assert bench.score(("a", "de", "ur"))["value"] == pytest.approx(0.75)
    assert matrices(bench)[0].means == []
    blocks = transfer_blocks(CellFacts(bench, ("a", "de", "ur"), {}))
    told = {block.reading: {line.cells[0].text for line in block.lines[1:]} for block in blocks}
    assert told == {"zero-shot": {"0.70"}, "transductive": {"0.75"}, "transductive, coral": {"0.11"}}
    assert "Also read, see the report: zero-shot; transductive, coral." in render_bench(folder(results))


@pytest.mark.parametrize(("value", "told"), [(0.64, "in 0 of 1 cell."), (0.66, "in 1 of 1 cell: de → ur.")])
def test_a_clips_length_alone_is_set_against_the_interval(results, value, told):
    ur = next(one for one in results["cells"] if (one["source"], one["target"]) == ("de", "ur"))
    alone = {"method": "duration alone", "classifier": "knn", "metric": "UA", "chance": 0.5}
    ur["transfer"].append(place("de", "ur", "transductive") | alone | score(value))
    (line,) = said(shortcuts(Bench(results)))
    assert line.endswith(told)


def test_a_probe_of_several_methods_has_one_column(results):
    one = results["cells"][0]
    one["nuisances"] += [row | {"method": "another"} for row in one["nuisances"]]
    bench = Bench(results)
    key = (one["recipe"], one["source"], one["target"])
    (table,) = probes.section_of_cell(CellFacts(bench, key, {})).tables
    assert table.heads[3:] == ["sex"]
    assert [len(row.cells) for row in table.groups[0].rows] == [4, 4]


@pytest.mark.parametrize(
    ("home", "there", "turned"), [(0.8, 0.5, False), (0.8, -0.5, True), (-0.3, -0.2, False), (-0.3, 0.2, True)]
)
def test_an_axis_has_turned_where_its_sign_is_not_the_sources(results, home, there, turned):
    one = next(one for one in results["cells"] if one["dimensions"])
    row = one["dimensions"][0] | {"r_source": home, "r": there}
    assert (
        axes.followed(Bench(results), (one["recipe"], one["source"], one["target"]), row).kind.startswith("turned")
        is turned
    )


def test_the_way_that_shots_chose_stands_beside_the_best_in_hindsight(results):
    bench = Bench(results)
    key = next(key for key in bench.transfers if bench.of_chosen(key, "few_shot"))
    assert choices_table(bench, [key]) is None  # none of the ways corrects probabilities
    template = next(row for row in bench.of_chosen(key, "few_shot") if row["k"] == 4 and row["metric"] == "UA")
    ways = {"zero-shot": (0.5, ""), "chosen": (0.6, "averaged 14, means 6"), "oracle": (0.625, "means")}
    added = [template | {"way": way, "value": value, "ways": which} for way, (value, which) in ways.items()]
    bench.cells[key]["few_shot"].extend(added)
    (row,) = choices_table(bench, [key]).groups[0].rows
    texts = [cell if isinstance(cell, str) else cell.text for cell in row.cells]
    assert texts[1:] == ["4", "0.50", "0.60", "averaged 14, means 6", "0.62", "means", "+0.03"]


@pytest.mark.slow
def test_a_bench_and_a_cell_open_on_their_answers_in_a_browser(folder, results, faults_of):
    page = write_bench_report(folder(results))
    assert faults_of(page) == []
    cells = sorted((page.parent / "pages").glob("*.html"))
    assert faults_of(cells[1], answered=False) == []
