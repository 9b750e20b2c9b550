"""Two runs or two benches side by side, from folders made by hand."""

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

from xlser.cli.compare import command
from xlser.errors import RunError
from xlser.evaluation.paired import holm, paired_test
from xlser.evaluation.verdicts import packed
from xlser.reporting.bench.compare import compare
from xlser.reporting.facts import VALIDATION

CLASSES = ["anger", "joy"]
CLIPS = 60
HELD_OUT = "source, held-out speakers"
WIDTH = 105


def row(corpus, role, value, half=0.1, protocol="zero-shot", **more):
    """A UA row of the method "metric" read by kNN."""
    shared = {"metric": "UA", "chance": 0.5, "classes": 2, "speakers": 12, "utterances": 40, "method": "metric"}
    gains = {"gain": 0.1, "gain_low": 0.04, "gain_high": 0.16}
    where = {"corpus": corpus, "role": role, "language": "de", "data": "real", "protocol": protocol}
    ends = {"value": value, "low": value - half, "high": value + half}
    return where | {"normalise": "source", "classifier": "knn"} | shared | gains | ends | more


def said(seed, accuracy, clips=CLIPS):
    """Predictions of two seeds, right with this probability, by the kNN and, always wrong, by the probe."""
    rng = np.random.default_rng(seed)
    truth = [CLASSES[place % 2] for place in range(clips)]
    other = dict(zip(CLASSES, CLASSES[::-1], strict=True))
    rows = [
        {"method": "metric", "classifier": "knn", "seed": number}
        | {"labels": [label if rng.random() < accuracy else other[label] for label in truth]}
        for number in range(2)
    ]
    rows += [row | {"classifier": "probe", "labels": [other[label] for label in truth]} for row in rows]
    speakers = [f"s{place % 12}" for place in range(clips)]
    return {"id": [f"c{place}" for place in range(clips)], "speaker": speakers, "truth": truth, "said": rows}


def by_hand(a, b):
    """Test B less A by hand."""
    right = [
        [[float(x == y) for x, y in zip(row["labels"], one["truth"], strict=True)] for row in one["said"][:2]]
        for one in (b, a)
    ]
    return paired_test(*right, a["speaker"], a["truth"])


def run(name, value, source="src", **more):
    """A run of one target, whose validation prefers kNN to the probe."""
    rows = [row("tgt", "target", value, **more)]
    rows += [rows[0] | {"classifier": "probe", "value": value + 0.2}]
    rows += [row(source, VALIDATION, 0.9), row(source, VALIDATION, 0.5, classifier="probe")]
    about = {"recipe": {"name": name, "source": source}, "versions": {"xlser": "0.1.0"}, "protocol": "zero-shot"}
    about |= {"recipe_hash": "", "notes": [], "synthetic": [], "command": "", "finished": ""}
    tables = {table: [] for table in ("corpora", "splits", "curves", "choices", "correlation", "confusion")}
    return {"about": about, **tables, "transfer": rows}


def write_run(path, results, kept=None, protocol="zero-shot"):
    path.mkdir()
    (path / "results.json").write_text(json.dumps(results), encoding="utf-8")
    if kept:
        entry = {"corpus": "tgt", "role": "target", "protocol": protocol, "classes": CLASSES} | packed(kept)
        (path / "predictions.json").write_text(json.dumps({"corpora": [entry]}), encoding="utf-8")


@pytest.fixture
def runs(tmp_path):
    """Return a function that writes two runs, with or without predictions, and compares them."""

    def write(a, b, kept=(None, None)):
        for name, results, one in zip("ab", (a, b), kept, strict=True):
            write_run(tmp_path / name, results, one)
        return compare(tmp_path / "a", tmp_path / "b")

    return write


def write_bench(path, recipes, targets=("src", "far", "near"), shift=0.0):
    """A bench of recipes {name: accuracy} on the source "src"; returns what was said by (recipe, target)."""
    about = {"sources": ["src"], "targets": list(targets), "few_shot": [], "seeds": 2, "versions": {}}
    about |= {"recipes": {name: {"name": name} for name in recipes}, "command": "", "finished": ""}
    cells, matrix, kept = [], [], {}
    for seed, (recipe, accuracy) in enumerate(recipes.items()):
        for place, target in enumerate(targets):
            role = HELD_OUT if target == "src" else "target"
            rows = [row(target, role, accuracy + shift)]
            kept[recipe, target] = said(100 * seed + place, accuracy + shift)
            tables = ("correlation", "confusion", "choices", "notes", "dimensions", "nuisances")
            tables += ("few_shot", "few_shot_areas", "trust")
            cells.append(
                {"recipe": recipe, "source": "src", "target": target, "classes": CLASSES, "normalise": "source"}
                | {"about": {"corpus": target, "synthetic": target == "syn", "language": "de", "speakers": 12}}
                | {"baseline": {}, "transfer": rows, "key": f"{recipe}-{target}"}
                | {name: [] for name in tables}
            )
            matrix += [{"recipe": recipe, "source": "src", "target": target} | rows[0]]
            cell = path / "jobs" / recipe / "src" / "cells" / f"{target}.json"
            cell.parent.mkdir(parents=True, exist_ok=True)
            cell.write_text(json.dumps(cells[-1] | {"predictions": kept[recipe, target]}), encoding="utf-8")
    chosen = [{"recipe": name, "source": "src", "method": "metric", "classifier": "knn"} for name in recipes]
    tables = {"cells": cells, "chosen": chosen, "matrix": matrix, "failed": {}, "holes": {}}
    (path / "results.json").write_text(json.dumps({"about": about} | tables), encoding="utf-8")
    return kept


@pytest.fixture
def folders(tmp_path):
    found = [tmp_path / name for name in "ab"]
    for folder in found:
        folder.mkdir()
    return found


def line_of(text, start):
    (line,) = [line for line in text.splitlines() if line.startswith(start)]
    return line


def test_runs_that_kept_what_they_said_are_tested_in_pairs_by_what_validation_chose(runs):
    kept = said(0, 0.5), said(1, 0.9)
    expected = by_hand(*kept)
    text = runs(run("one", 0.5), run("two", 0.5 + expected["difference"]), kept)
    assert "A: one on src, metric read by kNN" in text
    p = "<0.001" if expected["p"] < 0.001 else f"{expected['p']:.3f}"
    assert f"* p {p} ({p})" in line_of(text, "tgt, zero-shot")
    assert "Paired: p by swapping" in text
    assert "npaired" not in text
    assert "that both judged" not in text
    assert max(map(len, text.splitlines())) <= WIDTH


def test_a_difference_on_fewer_clips_than_the_scores_is_given_beside_them(runs):
    kept = said(0, 0.5), said(1, 0.9)
    text = runs(run("one", 0.5), run("two", 0.5), kept)
    assert f"p is of {CLIPS} clips that both judged: +0.{round(100 * by_hand(*kept)['difference']):02d}" in text


@pytest.mark.parametrize("kept", [(None, None), (said(0, 0.5), None), (None, said(0, 0.5))])
def test_runs_of_an_older_version_are_compared_and_called_unpaired(runs, kept):
    text = runs(run("one", 0.5), run("two", 0.7), kept)
    assert re.search(
        r"tgt, zero-shot.*0\.50 \[0\.40, 0\.60\] +0\.70 \[0\.60, 0\.80\] +\+0\.20\* \[\+0\.06, \+0\.34\]", text
    )
    assert "Unpaired" in text
    assert "An older xlser did not keep what a run said" in text
    assert max(map(len, text.splitlines())) <= WIDTH


def test_runs_of_other_clips_are_named_as_such(runs):
    text = runs(run("one", 0.5), run("two", 0.7, utterances=39), (said(0, 0.5), said(0, 0.5, CLIPS - 1)))
    assert "unpaired: not the same clips" in text
    assert "not the same clips or emotions: utterances 40 and 39" in text
    assert "older" not in text


def test_a_damaged_file_of_predictions_is_taken_for_none(tmp_path):
    for name in "ab":
        write_run(tmp_path / name, run(name, 0.5), said(0, 0.5))
    (tmp_path / "a" / "predictions.json").write_text("{", encoding="utf-8")
    assert "Unpaired" in compare(tmp_path / "a", tmp_path / "b")


def test_a_difference_without_intervals_is_given_without_one(runs):
    assert "+0.20 [n/a]" in runs(run("one", 0.5, low=None, high=None), run("two", 0.7))


def test_runs_of_other_sources_say_so(runs):
    assert "learnt from different sources: alt, src." in runs(run("one", 0.5), run("two", 0.7, source="alt"))


def test_runs_with_nothing_in_common_are_refused(runs):
    with pytest.raises(RunError, match=r"no corpus and protocol in common.*They judged tgt \(zero-shot\), and tgt"):
        runs(run("one", 0.5), run("two", 0.7, protocol="transductive"))


def test_namesakes_of_two_benches_are_tested_on_the_clips_of_every_cell_they_share(folders):
    kept = [write_bench(folders[0], {"x": 0.5, "y": 0.6}), write_bench(folders[1], {"y": 0.6}, shift=0.2)]
    text = compare(*folders)
    tests = {target: by_hand(kept[0]["y", target], kept[1]["y", target]) for target in ("far", "near", "src")}
    adjusted = holm([tests["far"]["p"], tests["near"]["p"]])
    for target, p_holm in [*zip(("far", "near"), adjusted, strict=True), ("src", tests["src"]["p"])]:
        told = ["<0.001" if p < 0.001 else f"{p:.3f}" for p in (tests[target]["p"], p_holm)]
        assert f"p {told[0]} ({told[1]})" in line_of(text, f"src > {target}, ")
    assert "src > src, held-out, chance 0.50" in text
    assert f"A: y of {folders[0]}" in text
    assert "src: A metric, kNN; B metric, kNN" in text
    assert "Not compared, without a namesake in the other bench: x (A)." in text
    assert "x of" not in text


def test_without_namesakes_every_recipe_stands_beside_every_other_one(folders):
    kept = write_bench(folders[0], {"x": 0.5, "y": 0.6}, targets=("src", "far"))
    others = write_bench(folders[1], {"z": 0.9}, targets=("src", "far"))
    text = compare(*folders)
    assert [line for line in text.splitlines() if " of " in line and line[0] in "AB"] == [
        f"A: x of {folders[0]}", f"B: z of {folders[1]}", f"A: y of {folders[0]}", f"B: z of {folders[1]}",
    ]  # fmt: skip
    tests = [by_hand(kept[name, "far"], others["z", "far"])["p"] for name in "xy"]
    for line, p in zip(re.findall("src > far.*", text), holm(tests), strict=True):
        assert f"({'<0.001' if p < 0.001 else f'{p:.3f}'})" in line
    assert "No recipe has a namesake in the other bench" in text


def spoil_clips(cell):
    cell["predictions"]["id"][0] = "other"


def spoil_classes(cell):
    cell["classes"] = [*CLASSES, "fear"]


def spoil_key(cell):
    cell["key"] = "another"


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (spoil_clips, "unpaired: not the same clips"),
        (spoil_classes, "unpaired: not the same emotions"),
        (spoil_key, "unpaired: B's cell below .*jobs is not the one in results.json"),
        (None, "unpaired: B's cell is not there any more, below .*jobs"),
    ],
)
def test_a_cell_that_cannot_be_paired_says_why_and_the_others_are(folders, spoil, why):
    for folder in folders:
        write_bench(folder, {"x": 0.6})
    path = folders[1] / "jobs" / "x" / "src" / "cells" / "far.json"
    if spoil:
        cell = json.loads(path.read_text())
        spoil(cell)
        path.write_text(json.dumps(cell))
    else:
        path.unlink()
    text = compare(*folders)
    assert re.search(why, text)
    assert "0.00 [-0.14, +0.14]" in line_of(text, "src > far")
    assert "0.00 p 1.000 (1.000)" in line_of(text, "src > near")
    assert "Unpaired:" in text
    assert "Paired:" in text


def test_protocols_that_differ_are_named(folders):
    for folder in folders:
        write_bench(folder, {"x": 0.6})
    results = json.loads((folders[1] / "results.json").read_text())
    for one in results["cells"]:
        one["normalise"] = "corpus"
    for one in results["matrix"]:
        one["protocol"], one["normalise"] = "transductive", "corpus"
    (folders[1] / "results.json").write_text(json.dumps(results))
    assert "src > far, zero-shot against transductive, chance 0.50" in compare(*folders)


def test_synthetic_speech_is_marked(folders):
    for folder in folders:
        write_bench(folder, {"x": 0.6}, targets=("src", "syn"))
    assert "src > syn, zero-shot (synthetic), chance 0.50" in compare(*folders)


def test_benches_with_nothing_in_common_are_refused(folders):
    write_bench(folders[0], {"x": 0.6}, targets=("far",))
    write_bench(folders[1], {"x": 0.6}, targets=("near",))
    with pytest.raises(RunError, match=r"no source and target in common.*They hold src → far, and src → near"):
        compare(*folders)


@pytest.mark.parametrize("swapped", [False, True])
def test_a_run_stands_beside_a_bench_as_a_bench_of_one_recipe(folders, tmp_path, swapped):
    kept = write_bench(folders[0], {"x": 0.6, "y": 0.7}, targets=("src", "tgt"))
    mine = said(7, 0.9)
    write_run(tmp_path / "run", run("y", 0.9), mine)
    pair = (tmp_path / "run", folders[0]) if swapped else (folders[0], tmp_path / "run")
    text = compare(*pair)
    test = by_hand(mine, kept["y", "tgt"]) if swapped else by_hand(kept["y", "tgt"], mine)
    told = "<0.001" if test["p"] < 0.001 else f"{test['p']:.3f}"
    assert f"p {told} ({told})" in line_of(text, "src > tgt, zero-shot")
    assert "not compared" not in text.lower() or "x (" in text
    assert f"A: y of {pair[0]}" in text
    assert "src: A metric, kNN; B metric, kNN" in text


def test_a_run_without_a_namesake_stands_beside_every_recipe_of_its_source(folders, tmp_path):
    write_bench(folders[0], {"x": 0.6, "y": 0.7}, targets=("src", "tgt"))
    write_run(tmp_path / "run", run("z", 0.9))
    text = compare(tmp_path / "run", folders[0])
    assert [line for line in text.splitlines() if line.startswith("B: ")] == [f"B: {n} of {folders[0]}" for n in "xy"]
    assert "An older xlser did not keep what a run said" in text


def test_a_run_of_another_source_and_a_bench_have_nothing_in_common(folders, tmp_path):
    write_bench(folders[0], {"x": 0.6})
    write_run(tmp_path / "run", run("x", 0.9, source="alt"))
    with pytest.raises(RunError, match=r"no source and target in common.*They hold src → src.*, and alt → alt"):
        compare(folders[0], tmp_path / "run")


def test_the_verb_compares_benches(folders):
    for folder in folders:
        write_bench(folder, {"x": 0.6})
    told = CliRunner().invoke(command, [str(folder) for folder in folders])
    assert told.exit_code == 0
    assert told.output.strip() == compare(*folders)
