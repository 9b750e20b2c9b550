import pytest

from xlser.reporting import confusion, tables
from xlser.reporting.embeddings import embedding_grids
from xlser.reporting.facts import Facts
from xlser.reporting.report import render_terminal


def test_a_block_per_corpus_and_protocol_with_a_line_per_method_and_reader(results):
    blocks = tables.transfer_blocks(Facts(results))
    assert [(b.corpus, b.reading) for b in blocks][:3] == [
        ("src", "held-out speakers"),
        ("tgt", "zero-shot"),
        ("tgt", "transductive"),
    ]
    assert [line.heads for line in blocks[1].lines][:3] == [
        ("chance", ""),
        ("features, no network", "kNN"),
        ("features, no network", "linear probe"),
    ]
    # UA, its gain, WA, macro-F1; plain has no gain over itself.
    assert [cell.text for cell in blocks[1].lines[3].cells] == ["0.68", "", "0.68", "0.68"]


def test_single_latents_stand_apart(results):
    facts = Facts(results)
    main = {line.heads[1] for block in tables.correlation_blocks(facts) for line in block.lines}
    single = {line.heads[1] for block in tables.correlation_blocks(facts, singles=True) for line in block.lines}
    assert main == {"direction", "latent mean", "best latent"}
    assert single == {"z1"}


def matrices(results, main=True):
    """Return the matrices that are shown first, or all of them."""
    figure = confusion.section(Facts(results)).parts[0]
    return figure.parts[0].parts if main else [*figure.parts[0].parts, *figure.parts[1].parts[0].parts]


def cells(matrix, place):
    return matrix.groups[0].rows[place].cells


@pytest.mark.parametrize(("count", "total", "shown"), [(14.4, "19.4", "14.4"), (1215.4, "1,220", "1,215")])
def test_confusion_shows_recall_and_count(results, count, total, shown):
    for row in results["confusion"]:
        row["count"] = count if row["truth"] == row["prediction"] == "anger" else row["count"]
    head, hit, _ = cells(matrices(results)[0], 0)
    assert (head.text, head.interval) == ("anger", f"n = {total}")
    assert hit.share == pytest.approx(count / (count + 5))
    assert (hit.text, hit.more, hit.interval) == (f"{count / (count + 5):.2f}", [shown], "")


def test_the_interval_of_a_recall_stands_on_the_diagonal_alone(results):
    for row in results["confusion"]:
        row |= {"recall": 0.5, "low": 0.4, "high": 0.6}
    ends = [[cell.interval for cell in cells(matrices(results)[0], place)[1:]] for place in (0, 1)]
    assert ends == [["[0.40, 0.60]", ""], ["", "[0.40, 0.60]"]]


def test_an_emotion_that_was_never_spoken_has_no_recall(results):
    for row in results["confusion"]:
        row["count"] = 0.0
    assert cells(matrices(results)[0], 0)[1].text == "n/a"


def test_main_matrices_are_the_recipes_own(results):
    assert {(one.caption.text, one.caption.interval) for one in matrices(results)} == {
        (name, f"{reading} · metric · {reader}")
        for name, reading in (("src", "held-out speakers"), ("tgt", "transductive"), ("mute", "transductive"))
        for reader in ("kNN", "linear probe")
    }
    assert len(matrices(results, main=False)) == 3 * 3 * 2  # under the recipe's own protocol


def test_terminal_fits_and_says_what_it_shows(results):
    results["corpora"][1] |= {"corpus": "a-corpus-with-a-very-long-name" * 2, "synthetic": True}
    for row in results["transfer"] + results["correlation"]:
        row["corpus"] = results["corpora"][1]["corpus"] if row["corpus"] == "tgt" else row["corpus"]
        row["method"] = "m" * 60 if row["method"] == "metric" else row["method"]
    results["about"]["synthetic"] = [results["corpora"][1]["corpus"]]
    text = render_terminal(results)
    assert max(map(len, text.splitlines())) <= 100
    assert "SYNTHETIC speech" in text
    assert "(xx, synthetic)" in text
    assert "0.68 [0.58, 0.78] +0.10*" in text
    assert text.isascii()


def test_terminal_reads_a_run_folder_too(run_dir, results):
    assert render_terminal(run_dir(results)) == render_terminal(results)


def test_terminal_shows_the_recipes_protocol_only(results):
    text = render_terminal(results)
    assert "tgt (xx), transductive, chance 0.50" in text
    assert "tgt (xx), zero-shot" not in text
    assert "plain DAE, latent mean" in text
    assert "Zero-shot numbers: see the report." in text
    assert "src (xx), held-out speakers, chance 0.50" in text


def test_terminal_with_one_protocol_points_nowhere(results):
    results["transfer"] = [row for row in results["transfer"] if row["protocol"] == "transductive"]
    results["correlation"] = []
    assert "see the report" not in render_terminal(results)


def test_terminal_shows_notes_that_warn(results):
    results["about"]["notes"] += ["WARNING: 3 recordings of tgt are also in src"]
    assert "WARNING: 3 recordings of tgt are also in src." in render_terminal(results)


def test_terminal_without_anything(results):
    results |= {name: [] for name in ("transfer", "correlation")}
    assert "tiny: src to tgt, mute" in render_terminal(results)


def test_grid_draws_stray_and_many_points(results):
    import numpy as np
    import pandas as pd

    size = 7000
    points = pd.DataFrame({"x": np.linspace(0, 1, size), "y": np.zeros(size)})
    points = points.assign(method="plain", corpus="src", activation=np.nan)
    points.loc[0, "x"], points.loc[1, "y"] = 1e6, np.inf
    (svg,), counts = embedding_grids(Facts(results), points)
    assert counts == {"unrated": size - 1, "beyond": 1, "points": size - 1}
    assert "data:image/png;base64" in svg
