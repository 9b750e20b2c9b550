import math

import pytest

from xlser.reporting.chosen import LEAD, chosen_sentence
from xlser.reporting.summary import summary


def text(results):
    return "\n".join(summary(results))


def rows(results, table="transfer", **where):
    return [row for row in results[table] if all(row[key] == value for key, value in where.items())]


def put(results, values, **where):
    for row in rows(results, **where):
        row.update(values)


METRIC = {"corpus": "tgt", "method": "metric"}


def test_names_methods_corpora_and_protocol(results):
    said = text(results)
    assert "tiny trains “metric” beside the plain DAE on src (xx)" in said
    assert "The protocol is transductive" in said
    assert "0.68 [0.58, 0.78] (kNN)" in said
    assert "chance is 0.50" in said


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0.58, 0.78, "Both intervals are above chance"),
        (0.45, 0.78, "Neither can be told apart from chance"),
        (0.30, 0.40, "Both intervals are below chance"),
        (None, None, "No interval can be given (too few speakers)"),
    ],
)
def test_says_where_the_interval_lies(results, low, high, told):
    put(results, {"low": low, "high": high}, **METRIC)
    assert told in next(line for line in summary(results) if line.startswith("tgt (xx), transductive"))


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0.01, 0.2, "above the plain autoencoder"),
        (-0.2, -0.01, "below the plain autoencoder"),
        (-0.1, 0.1, "it cannot be told apart from the plain autoencoder"),
        (math.nan, math.nan, "without an interval it cannot be told apart"),
    ],
)
def test_says_whether_the_gain_excludes_zero(results, low, high, told):
    put(results, {"gain_low": low, "gain_high": high}, **METRIC)
    assert f"Against plain: {told}" in next(line for line in summary(results) if line.startswith("tgt (xx), trans"))


def test_readers_that_disagree_are_told_apart(results):
    put(results, {"gain_low": -0.1}, classifier="knn", **METRIC)
    line = next(line for line in summary(results) if line.startswith("tgt (xx), transductive"))
    assert "with kNN, it cannot be told apart" in line
    assert "with linear probe, above the plain autoencoder" in line


def test_readers_on_two_sides_of_chance_are_told_apart(results):
    put(results, {"low": 0.4}, classifier="knn", **METRIC)
    line = next(line for line in summary(results) if line.startswith("tgt (xx), transductive"))
    assert "With kNN it cannot be told apart from chance; with linear probe it is above chance." in line


def test_sentences_follow_the_numbers(results):
    before = text(results)
    put(results, {"value": 0.6789}, corpus="tgt")
    put(results, {"value": 0.1234}, table="correlation", corpus="tgt")
    after = text(results)
    assert "0.12" in after
    assert "0.12" not in before


def test_the_way_is_the_difference_of_the_numbers_shown(results):
    put(results, {"value": 0.6851}, corpus="tgt")
    assert "On the way: between the held-out speakers of src and tgt" in text(results)
    assert "from 0.81 to 0.69, −0.12 (kNN)" in text(results)
    assert "lost" not in text(results).lower()


def test_tasks_with_other_classes_are_not_compared_in_silence(results):
    put(results, {"classes": 4}, corpus="src")
    assert "4 emotions there and 2 here are unlike tasks" in text(results)


def test_correlations_with_interval_and_gain(results):
    said = text(results)
    assert "The direction gives r = 0.40 [0.30, 0.50], above 0, CCC 0.40 [0.30, 0.50]; gain in r over plain" in said
    assert "The latent mean gives r = 0.40" in said


def test_few_speakers_labels_and_notes(results):
    results["corpora"][1]["speakers"] = 6
    said = text(results)
    assert "Fewer than 10 speakers: tgt (6). The intervals are widened" in said
    assert "7 were dropped (fear 7), and 5 merged (calm -> sadness 5); 22 files were left out (too short 22)" in said
    assert said.count("mute: no correlations") == 1


def test_one_speaker_has_no_interval_that_could_be_narrow(results):
    results["corpora"][1]["speakers"] = 1
    said = text(results)
    assert "No more than one speaker: tgt. No interval can be given" in said
    assert "widened" not in said


def test_few_speakers_of_many_corpora_are_one_sentence(crowd):
    for row in crowd["corpora"]:
        row["speakers"] = 8
    assert text(crowd).count("widened") == 1


def test_many_targets_have_a_sentence_per_method(crowd):
    put(crowd, {"value": 0.31, "low": 0.2, "gain_low": -0.1}, corpus="more3", method="metric", classifier="knn")
    line = next(line for line in summary(crowd) if line.startswith("“metric”, transductive, in 7 of 7 targets"))
    assert (
        "with kNN a UA of 0.31 (more3) to 0.68 (tgt), above chance in 6, above the plain autoencoder in 6 and below "
        "it in 0; with linear probe"
    ) in line


def test_many_targets_of_the_plain_autoencoder_and_without_values(crowd):
    for table in ("transfer", "correlation", "confusion", "curves"):
        crowd[table] = [row for row in crowd[table] if row["method"] != "metric"]
    put(crowd, {"value": None}, corpus="more3")
    said = text(crowd)
    assert "The plain DAE, transductive, in 6 of 7 targets" in said
    put(crowd, {"value": None})
    assert "of 7 targets" not in text(crowd)


def test_warnings_come_first(results):
    results["about"]["synthetic"] = ["tgt"]
    results["corpora"][1]["synthetic"] = True
    results["splits"][0]["shared"] = ["b"]
    lines = summary(results)
    assert "more than one part of the split (seed 0: b)" in lines[0]
    assert "no evidence about human emotion" in lines[1]
    assert any(line.startswith("tgt (xx, synthetic), transductive") for line in lines)


def test_derived_ratings_are_marked(results):
    results["corpora"][1]["ratings"] = "derived"
    put(results, {"ratings": "derived"}, table="correlation", corpus="tgt")
    assert "Activation ratings (transductive, derived ratings)" in text(results)
    assert "The ratings of tgt are derived" in text(results)


def test_a_recipe_without_methods(results):
    for table in ("transfer", "correlation", "confusion", "curves"):
        results[table] = [row for row in results[table] if row["method"] != "metric"]
    said = text(results)
    assert "tiny trains the plain DAE alone" in said
    assert "gain" not in said.lower()


def test_nothing_scored(results):
    for table in ("transfer", "correlation", "confusion", "curves"):
        results[table] = []
    assert "Nothing could be scored on tgt." in summary(results)


def test_nulls_are_said_and_not_computed_with(results):
    nothing = dict.fromkeys(("value", "low", "high", "gain", "gain_low", "gain_high"))
    put(results, nothing)
    put(results, nothing, table="correlation")
    said = text(results)
    assert "n/a" in said
    assert "nan" not in said
    assert "None" not in said


def test_zero_shot_recipe(results):
    results["about"]["protocol"] = "zero-shot"
    for table in ("transfer", "correlation", "confusion"):
        results[table] = [row for row in results[table] if row["protocol"] == "zero-shot"]
    assert "Every target is read zero-shot" in text(results)
    assert "transductive" not in text(results).lower()


def test_validation_rows_are_no_results(results):
    before = text(results)
    for table in ("transfer", "correlation", "confusion"):
        results[table] += [row | {"role": "source, validation speakers"} for row in results[table]]
    chosen = f"{LEAD} {chosen_sentence(results)}"
    assert chosen.startswith(f"{LEAD} src/tiny/features read by kNN")
    assert text(results).replace(f"{chosen}\n", "").replace(f" {chosen}", "") == before


def test_a_note_that_warns_comes_before_all_and_once(results):
    results["about"]["notes"] = ["WARNING: copies", "a note"]
    lines = summary(results)
    assert lines[0] == "WARNING: copies."
    assert lines.count("WARNING: copies.") == lines.count("a note.") == 1
