"""Reports of fine-tuned encoders: page, sentences, tables, terminal."""

import copy
import re

import pytest
from markupsafe import Markup

from xlser.errors import RunError
from xlser.reporting import confusion, tables
from xlser.reporting.curves import curve_panels
from xlser.reporting.facts import Facts
from xlser.reporting.figures import axis_legend, correlation_panels, legend, transfer_panels
from xlser.reporting.recipe import encoder_lines, loss_lines
from xlser.reporting.report import render_terminal, write_report
from xlser.reporting.summary import summary
from xlser.reporting.terms import terms


@pytest.fixture
def page(run_dir, monkeypatch):
    """Return a function that writes the report of some results, without its pictures, and returns its words."""
    for module in ("figures", "curves", "embeddings"):
        monkeypatch.setattr(f"xlser.reporting.{module}.draw", lambda *given: Markup("<svg></svg>"))

    def render(results):
        text = write_report(run_dir(results)).read_text(encoding="utf-8")
        text = re.sub(r"<style.*?</style>", " ", text, flags=re.DOTALL)
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).replace("\u00a0", " ")

    return render


def put(results, values, table="transfer", **where):
    for row in results[table]:
        if all(row[key] == value for key, value in where.items()):
            row.update(values)


def no_heads(results):
    """Turn the results into those of methods without a classifier."""
    for table in ("transfer", "confusion"):
        results[table] = [row for row in results[table] if not row["classifier"].startswith("classifier")]
    for terms_of in results["about"]["recipe"]["methods"].values():
        terms_of["cross_entropy"] = None
    return results


def test_four_ways_in_order_with_the_gain_over_the_first_methods_classifier(encoded):
    block = tables.compared_blocks(Facts(encoded))[1]
    assert (block.corpus, block.reading) == ("tgt", "zero-shot")
    assert [line.heads[0] for line in block.lines] == [
        *("chance", "ce", "ce+supcon", "ce + kNN", "ce+supcon + kNN"),
    ]
    assert [line.heads[1] for line in block.lines][1:3] == ["cross-entropy", "cross-entropy + 0.5 SupCon"]
    assert [line.own for line in block.lines] == [False, False, True, True, True]
    # WA, UA, macro-F1, gain: the baseline has none over itself, its neighbours have.
    assert [cell.text for cell in block.lines[1].cells] == ["0.68", "0.68", "0.68", ""]
    assert [cell.text for cell in block.lines[3].cells] == ["0.68", "0.68", "0.68", "+0.10"]
    assert block.lines[3].cells[3].interval == "[+0.04, +0.16]"


def test_cells_stand_under_their_own_metric(encoded):
    for metric, value in (("WA", 0.11), ("UA", 0.22), ("macro-F1", 0.33)):
        put(encoded, {"value": value}, metric=metric)
    facts = Facts(encoded)
    assert [cell.text for cell in tables.compared_blocks(facts)[0].lines[1].cells] == ["0.11", "0.22", "0.33", ""]
    assert [cell.text for cell in tables.transfer_blocks(facts)[0].lines[1].cells] == ["0.22", "+0.10", "0.11", "0.33"]


def test_other_readers_stand_in_a_table_of_their_own(encoded):
    heads = [line.heads for line in tables.transfer_blocks(Facts(encoded))[0].lines]
    assert heads[:4] == [
        ("chance", ""),
        ("checkpoint before training", "kNN"),
        ("checkpoint before training", "linear probe"),
        ("ce", "kNN"),
    ]
    assert not [reader for _, reader in heads if "classifier" in reader]


def test_the_page_puts_the_four_ways_first_and_says_what_gains_are_over(page, encoded):
    text = page(encoded)
    places = [text.index(words) for words in ("Classifiers, alone and with", "Embeddings read by", "Correlation: act")]
    assert places == sorted(places)
    assert "Gain in UA over ce" in text
    assert "activation, valence and dominance" in text
    assert "Other readers, and the checkpoint before training (24 matrices)" in text


def test_words_of_autoencoders_stay_out(page, encoded):
    text = "\n".join([page(encoded), *summary(encoded), render_terminal(encoded)])
    found = re.findall(r"plain|autoencoder|z-scored?|latent|no network|DAE|[Tt]ransductive", text)
    assert found == []


def test_terms_are_those_in_use(encoded, siamese, results):
    headless = no_heads(copy.deepcopy(encoded))
    names = [[term for term, _ in terms(Facts(run))] for run in (encoded, siamese, headless, results)]
    assert {"SupCon", "+ kNN", "Classifier", "Checkpoint before training", "Head"} <= set(names[0])
    assert "Contrastive, pairs" not in names[0]
    assert "Contrastive, pairs" in names[1]
    assert not {"+ kNN", "Classifier"} & set(names[2])
    assert {"Plain DAE", "Transductive"} <= set(names[3])


def test_random_weights_are_called_out_everywhere(page, encoded):
    assert "not pretrained" not in page(encoded)
    encoded["about"]["recipe"]["encoder"]["weights"] = "random:tiny"
    told = "The weights of random:tiny are random, not pretrained: the numbers say that the machinery works, not what"
    assert summary(encoded)[0].startswith(told)
    assert told in re.sub(r"\s+", " ", render_terminal(encoded))
    text = page(encoded)
    assert text.count(told.partition(":")[0]) >= 2
    assert "Checkpoint random:tiny (random weights, not pretrained)" in text


def test_sentences_name_the_first_method_and_its_losses(encoded):
    said = "\n".join(summary(encoded))
    assert "fine fine-tunes house/checkpoint by “ce” and “ce+supcon” on src (xx) with 1 seed" in said
    assert "Gains are over the classifier of “ce”, which is trained with cross-entropy alone." in said
    assert "“ce+supcon” reaches a UA of 0.68 (classifier) and 0.68 (classifier + kNN); chance is 0.50." in said
    assert "“ce” reaches 0.68 and 0.68. The gain over the classifier of “ce” is +0.10 [+0.04, +0.16] and" in said
    assert "The head gives r = 0.40 [0.30, 0.50], above 0, CCC 0.40 [0.30, 0.50]; gain in r over “ce” +0.10" in said
    assert "Dominance ratings (zero-shot), “ce+supcon”: The head gives" in said


def test_the_baseline_is_compared_with_itself_by_its_neighbours_only(encoded):
    put(encoded, {"gain_low": -0.1}, corpus="tgt", method="ce", classifier="classifier + knn")
    lines = [line for line in summary(encoded) if "“ce” reaches a UA of" in line and "0.68" in line]
    assert lines[0].endswith("With classifier + kNN, it cannot be told apart from its classifier alone.")
    assert "The gain over its classifier alone is +0.10 [−0.10, +0.16] (classifier + kNN): it cannot" in lines[1]


def test_what_training_added_to_the_embedding_is_said(encoded):
    put(encoded, {"value": 0.31}, corpus="tgt", method="features", classifier="knn")
    said = "\n".join(summary(encoded))
    assert (
        "The embedding of “ce+supcon”, read by others: a UA of 0.68 [0.58, 0.78] (kNN) and 0.68 [0.58, 0.78] "
        "(linear probe); the checkpoint before training gives 0.31 and 0.68."
    ) in said


def test_methods_without_a_classifier_are_read_by_others(page, encoded):
    facts = Facts(no_heads(encoded))
    assert tables.compared_blocks(facts) == []
    assert facts.readers("features") == facts.readers("ce+supcon") == ["knn", "probe"]
    said = "\n".join(summary(encoded))
    assert "“ce+supcon” reaches a UA of 0.68 (kNN) and 0.68 (linear probe)" in said
    assert "The gain over “ce” is +0.10" in said
    assert "the checkpoint before training 0.68 and 0.68" in said
    text = page(encoded)
    assert "Transfer: emotion classes" in text
    assert "alone and with nearest neighbours" not in text
    assert "classifier of" not in text + render_terminal(encoded)


def test_a_first_method_without_a_classifier_gives_no_gain(encoded):
    encoded["transfer"] = [
        row for row in encoded["transfer"] if row["method"] != "ce" or not row["classifier"].startswith("classifier")
    ]
    put(encoded, dict.fromkeys(("gain", "gain_low", "gain_high")), classifier="classifier")
    put(encoded, dict.fromkeys(("gain", "gain_low", "gain_high")), classifier="classifier + knn")
    block = tables.compared_blocks(Facts(encoded))[0]
    assert [(line.heads[0], line.cells[3].text) for line in block.lines[1:]] == [
        ("ce+supcon", ""),
        ("ce+supcon + kNN", ""),
    ]
    assert "Gains are over the classifier" not in "\n".join(summary(encoded))


def test_many_methods_are_ranked_and_told_apart(siamese):
    where = {"corpus": "tgt", "classifier": "classifier + knn", "metric": "UA"}
    put(siamese, {"value": 0.72}, method="hard", **where)
    put(siamese, {"value": 0.41, "gain_low": -0.2, "gain_high": -0.1}, method="all", **where)
    put(siamese, {"gain_low": -0.1}, method="ce", **where)
    line = next(line for line in summary(siamese) if line.startswith("tgt (xx), zero-shot: UA with"))
    assert "UA with classifier + kNN, highest first, is “hard” 0.72, “ce” 0.68," in line
    assert "and “all” 0.41; chance is 0.50." in line
    assert "above the classifier of “ce”: “hard”, " in line or "above the classifier of “ce”: “hard” and" in line
    assert line.endswith("below the classifier of “ce”: “all”.")
    assert any(line.startswith("7 methods stand beside each other") for line in summary(siamese))


def test_many_methods_of_which_none_stands_out(siamese):
    put(siamese, {"gain_low": -0.1})
    line = next(line for line in summary(siamese) if line.startswith("tgt (xx), zero-shot: UA with"))
    assert line.endswith("None can be told apart from the classifier of “ce”.")


def test_many_methods_fill_table_and_terminal(siamese):
    block = tables.compared_blocks(Facts(siamese))[0]
    names = [line.heads[0] for line in block.lines]
    assert names[:3] == ["chance", "ce", "random-balanced"]
    assert names[8:10] == ["ce + kNN", "random-balanced + kNN"]
    assert block.lines[5].heads[1] == "cross-entropy + contrastive (semi-hard)"
    text = render_terminal(siamese)
    assert "src+more (xx+yy), held-out speakers" in text
    assert "random-balanced + kNN" in text


def test_terminal_shows_the_four_ways_first_and_fits(encoded):
    put(encoded, {"value": -0.6, "low": -0.7, "high": -0.5}, table="correlation")
    text = render_terminal(encoded)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert text.isascii()
    first = next(i for i, line in enumerate(lines) if line.startswith("tgt (xx), zero-shot, chance 0.50"))
    assert [line.split("  ")[1] for line in lines[first + 1 : first + 5]] == [
        *("ce", "ce+supcon", "ce + kNN", "ce+supcon + kNN"),
    ]
    assert re.sub(" +", " ", lines[first + 2]) == (
        " ce+supcon 0.68 [0.58, 0.78] 0.68 [0.58, 0.78] 0.68 +0.10* [+0.04, +0.16]"
    )
    assert lines[first + 1].endswith("0.68 [0.58, 0.78]  0.68")
    assert "UA, embedding read by others" in text
    assert "ce, head" in text
    assert sum(line.startswith("Pearson r") and line.endswith("dominance") for line in lines) == 1
    assert "the gain over the classifier of ce" in text


def test_figures_show_heads_only(encoded):
    facts = Facts(encoded)
    assert legend(facts) == "● classifier, ◆ classifier + kNN"
    assert axis_legend(facts) == "● head, ◆ direction"
    assert "checkpoint" not in transfer_panels(facts)[0].svg
    panels = correlation_panels(facts)
    assert [panel.more for panel in panels[:3]] == ["activation", "valence", "dominance"]
    assert ">checkpoint<" in panels[0].svg


def test_the_kept_epoch_stands_in_loss_and_ua(encoded, results):
    assert "validation UA" in curve_panels(Facts(encoded))[0].svg
    assert "validation loss" in curve_panels(Facts(encoded))[0].svg
    # Without a classifier the score is the loss again and no UA.
    assert "validation UA" not in curve_panels(Facts(no_heads(encoded)))[0].svg
    assert "validation UA" not in curve_panels(Facts(results))[0].svg


def test_curves_without_validation_are_drawn(encoded):
    for row in encoded["curves"]:
        row["curve"] = [{"epoch": 1, "train/loss": 0.5, "valid/score": None}]
        row["best_epoch"] = 1
    assert "validation UA" not in curve_panels(Facts(encoded))[0].svg


def main_matrices(results):
    captions = [one.caption for one in confusion.section(Facts(results)).parts[0].parts[0].parts]
    return {(one.text, *one.interval.split(" · ")[1:]) for one in captions}


def test_main_matrices_are_of_the_classifier_with_neighbours(encoded):
    assert main_matrices(encoded) == {
        (c, m, "classifier + kNN") for c in ("src", "tgt", "mute") for m in ("ce", "ce+supcon")
    }


def test_main_matrices_are_of_the_classifier_where_it_has_no_neighbours(encoded):
    encoded["confusion"] = [row for row in encoded["confusion"] if row["classifier"] != "classifier + knn"]
    encoded["transfer"] = [row for row in encoded["transfer"] if row["classifier"] != "classifier + knn"]
    assert {reader for *_, reader in main_matrices(encoded)} == {"classifier"}


def test_what_was_used(encoded):
    encoded["about"]["encoder"] = {"name": "house/checkpoint", "model_type": "hubert", "commit": "0ff1ce"}
    told = dict(encoder_lines(Facts(encoded)))
    assert told["Checkpoint"] == "house/checkpoint"
    assert (told["Revision"], told["Family"], told["Commit"]) == ("main", "hubert", "0ff1ce")
    assert told["Kept as it was"] == "the convolutions"
    assert told["Embedding"] == "mean pooling of the last layer"
    assert told["Batches"].endswith("2 batches a step; embedded 16 s at a time (gradient caching)")
    assert told["Precision"] == "bfloat16"
    assert told["Augmentation"] == "speed 0.9, 1.1; gain of -6 to 6 dB; SpecAugment hides about 8% of the frames"
    assert loss_lines(Facts(encoded))[1] == (*("ce+supcon", "cross-entropy + 0.5 SupCon", "SupCon: temperature 0.1"),)


@pytest.mark.parametrize(
    ("freeze", "told"),
    [("nothing", "nothing"), (4, "the convolutions and the first 4 layers"), ("all", "the whole checkpoint")],
)
def test_what_stayed_as_it_was(encoded, freeze, told):
    encoded["about"]["recipe"]["encoder"]["freeze"] = freeze
    assert dict(encoder_lines(Facts(encoded)))["Kept as it was"].startswith(told)
    assert ("trains heads on house/checkpoint" in "\n".join(summary(encoded))) == (freeze == "all")


def test_adapters_are_named_and_the_checkpoint_has_no_rate(encoded):
    lora = {"rank": 4, "alpha": None, "dropout": 0.05, "targets": None}
    encoded["about"]["recipe"]["encoder"] |= {"freeze": "front", "lora": lora}
    told = dict(encoder_lines(Facts(encoded)))
    assert told["Adapters"].startswith("LoRA of rank 4, alpha 8, dropout 0.05, on query and value of every layer")
    assert "checkpoint" not in told["Rates"]
    assert "trains adapters in house/checkpoint" in "\n".join(summary(encoded))
    encoded["about"]["recipe"]["encoder"] |= {"freeze": 2, "lora": {**lora, "targets": ["k_proj", "v_proj"]}}
    told = dict(encoder_lines(Facts(encoded)))
    assert told["Adapters"].endswith("on k_proj and v_proj of the layers above the first 2")


def test_a_recipe_that_says_little_still_makes_a_page(page, encoded):
    encoded["about"]["recipe"] = {"name": "bare", "encoder": {"weights": "somewhere"}}
    assert "fine-tunes somewhere by “ce” and “ce+supcon”" in "\n".join(summary(encoded))
    assert "Checkpoint somewhere" in page(encoded)


def test_choices_of_the_neighbours(page, encoded):
    assert (
        "ce classifier + kNN distance cosine ce classifier + kNN k 8 ce classifier + kNN temperature 0.3 "
        "ce classifier + kNN weight 0.4"
    ) in page(encoded)


def test_a_method_called_plain_is_a_method_like_others(encoded):
    for table in ("transfer", "correlation", "confusion", "curves"):
        put(encoded, {"method": "plain"}, table=table, method="ce")
    encoded["about"]["baseline"]["method"] = "plain"
    facts = Facts(encoded)
    assert facts.main == ["plain", "ce+supcon"]
    assert facts.method_name("plain") == "plain"
    assert "Gains are over the classifier of “plain”" in "\n".join(summary(encoded))


def test_hostile_names_stay_text(run_dir, encoded):
    evil = "<script>alert('$x$')</script>"
    for table in ("transfer", "correlation", "confusion", "curves"):
        put(encoded, {"method": evil}, table=table, method="ce")
    encoded["about"]["baseline"]["method"] = evil
    recipe = encoded["about"]["recipe"]
    recipe["methods"][evil] = {"cross_entropy": {"weight": 1.0, evil: evil}}
    recipe["encoder"] |= {"weights": f"random:{evil}", "revision": evil, "pooling": evil, "freeze": evil}
    encoded["choices"][0]["distance"] = evil
    text = write_report(run_dir(encoded)).read_text(encoding="utf-8")
    assert text.count("<script") == 2  # the page's own
    assert text.count("&lt;script&gt;") > 20


def test_nothing_scored(page, encoded):
    for table in ("transfer", "correlation", "confusion", "curves", "choices"):
        encoded[table] = []
    assert "Nothing could be scored on tgt." in summary(encoded)
    assert "No corpus could be classified" in page(encoded)


def test_nulls_read_na(page, encoded):
    nothing = dict.fromkeys(("value", "low", "high", "gain", "gain_low", "gain_high"))
    for table in ("transfer", "correlation"):
        put(encoded, nothing, table=table)
    text = page(encoded) + render_terminal(encoded) + "\n".join(summary(encoded))
    assert "n/a [n/a]" in text
    assert not re.search(r"\b(nan|None)\b", text.replace("None can be told", ""))


def test_a_run_from_before_baselines_were_written_is_over_plain(results):
    assert "baseline" not in results["about"]
    assert Facts(results).baseline == "plain"
    assert "the gain over plain" in render_terminal(results)


def test_a_damaged_baseline_is_named(run_dir, encoded):
    del encoded["about"]["baseline"]["readers"]
    with pytest.raises(RunError, match=r"lacks about\.baseline\.readers"):
        write_report(run_dir(encoded))
