"""What reports say of pretrained checkpoints: warnings, cautions, marks, and where each comes from."""

import copy

import pytest

from xlser.evaluation.contamination import Checkpoint
from xlser.reporting.bench import cautions as bench_cautions
from xlser.reporting.bench.cell import CellFacts
from xlser.reporting.bench.facts import Bench
from xlser.reporting.bench.used import section as bench_used
from xlser.reporting.cautions import cautions
from xlser.reporting.facts import Facts
from xlser.reporting.pretraining import MARK, lines, warnings
from xlser.reporting.recipe import encoder_lines
from xlser.reporting.report import banners, render_terminal
from xlser.reporting.section import Pairs
from xlser.reporting.used import section as used

RAVDESS = "ehcalabres/wav2vec2-lg-xlsr-en-speech-emotion-recognition"
ROW = {
    "weights": RAVDESS,
    "hub": RAVDESS,
    "revision": None,
    "commit": "c0ffee",
    "sha256": "5ha",
    "model_type": "wav2vec2",
}


def renamed(results, **names):
    """Return a run whose corpora are called otherwise, and that rests on `ROW`."""
    for row in (row for table in results.values() if isinstance(table, list) for row in table):
        if "corpus" in row:
            row["corpus"] = names.get(row["corpus"], row["corpus"])
    results["about"] = copy.deepcopy(results["about"]) | {"checkpoints": [ROW]}
    return results


def shown(section):
    return dict(pair for part in section.parts if isinstance(part, Pairs) for pair in part.lines)


def test_a_target_whose_labels_an_encoder_knew_is_warned_of_and_marked(encoded, run_dir):
    facts = Facts(renamed(encoded, tgt="ravdess"))
    (told,) = facts.warnings
    assert RAVDESS in told
    assert told.endswith("on ravdess (https://huggingface.co/" + RAVDESS + "): the result on it is no transfer.")
    assert told in banners(facts)
    assert (facts.marks("ravdess"), facts.marks("mute"), facts.marks("src")) == ([MARK], [], [])
    assert "no transfer" in render_terminal(run_dir(encoded))


def test_a_source_whose_labels_an_encoder_knew_is_scored_too_well(encoded):
    (told,) = Facts(renamed(encoded, src="ravdess")).warnings
    assert "held-out speakers are too high" in told


def test_nothing_is_warned_of_without_a_checkpoint_or_by_a_guess(results):
    facts = Facts(results)
    assert (facts.checkpoints, facts.warnings, facts.marks("tgt")) == ([], [], [])
    guess = Checkpoint.of({"weights": f"/models/{RAVDESS.rpartition('/')[2]}", "sha256": "x"})
    assert warnings([guess], "src", ["ravdess"]) == []
    assert not any("Pretrained" in getattr(part, "text", "") for part in used(facts).parts)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"weights": "openai/whisper-tiny"}, "whether recordings of src, tgt and mute were among it is not known"),
        ({"weights": "facebook/data2vec-audio-base"}, "as far as its authors say, nothing of src, tgt and mute was"),
        ({"weights": "house/ears"}, "is not known here: it may have heard src, tgt and mute"),
        ({"weights": "/far/whisper-tiny.en-mine", "sha256": "x"}, "is called like OpenAI Whisper"),
        ({"weights": "/far/ears", "sha256": "x", "base": "openai/whisper-tiny"}, "comes from OpenAI Whisper"),
        ({"weights": "/far/ears", "sha256": "x", "datasets": ["a/b"]}, "that src, tgt and mute is not named there"),
    ],
)
def test_what_else_is_known_or_not_is_a_caution(results, row, told):
    results["about"] |= {"checkpoints": [row]}
    facts = Facts(results)
    assert any(told in text for text in cautions(facts)), cautions(facts)
    assert facts.warnings == []


def test_a_collection_may_hold_a_corpus_and_audio_alone_is_told_apart(results):
    plus, base = ({"weights": f"emotion2vec/emotion2vec_{name}"} for name in ("plus_base", "base"))
    for row in results["corpora"]:
        row["corpus"] = {"tgt": "meld", "mute": "kannada"}.get(row["corpus"], row["corpus"])
    results["about"] |= {"checkpoints": [plus, base]}
    told = "\n".join(cautions(Facts(results)))
    assert "emotion2vec_plus_base may have been fine-tuned on meld" in told
    assert "emotion2vec_base was pre-trained on recordings of meld, without their labels" in told


def test_synthetic_speech_was_heard_by_nobody(results):
    for row in results["corpora"]:
        row["synthetic"] = True
    results["about"] |= {"checkpoints": [{"weights": "openai/whisper-tiny"}]}
    assert "whisper" not in "\n".join(cautions(Facts(results)))


def test_the_page_names_commit_hash_and_licence(encoded):
    facts = Facts(renamed(encoded))
    found = shown(used(facts))
    assert (found["Commit"], found["SHA-256"], found["Licence"]) == ("c0ffee", "5ha", "apache-2.0 (as its page says)")
    assert found["Trained on"].startswith("fine-tuned on RAVDESS")
    # They stand in one place; the encoder's own lines say how it was trained further.
    facts.about["encoder"] = {"name": RAVDESS, "commit": "c0ffee"}
    assert "Commit" not in dict(encoder_lines(facts))


def test_an_older_run_is_known_by_what_its_recipe_names(results):
    results["about"] = results["about"] | {
        "recipe": results["about"]["recipe"] | {"features": {"extractor": {"encoder": {"weights": RAVDESS}}}}
    }
    results["corpora"][1]["corpus"] = "ravdess"
    facts = Facts(results)
    assert "no transfer" in facts.warnings[0]
    assert "Commit" not in dict(lines(facts.checkpoints[0]))


def cell(recipe, target, **more):
    tables = ("transfer", "correlation", "confusion", "choices", "notes", "nuisances")
    about = {"corpus": target, "language": target, "synthetic": target == "syn", "speakers": 12, "role": "target"}
    about |= {"ratings": "none", "utterances": 4, "labels": {"kept": {}}}
    base = {"recipe": recipe, "source": "de", "target": target, "about": about, "classes": [], "normalise": "source"}
    return base | {table: [] for table in tables} | {"baseline": {"method": "plain", "readers": {}}} | more


def test_a_bench_warns_marks_and_names_them_by_cell():
    cells = [cell("a", name, checkpoints=[ROW]) for name in ("de", "ravdess", "syn")] + [cell("b", "syn")]
    about = {"recipes": {"a": {"name": "a"}, "b": {"name": "b"}}, "sources": ["de"], "targets": ["ravdess", "syn"]}
    about |= {"versions": {}, "command": "", "seeds": 1, "finished": ""}
    results = {"about": about, "cells": cells, "chosen": [], "matrix": [], "failed": {}, "holes": {}}
    whole, key = Bench(results), ("a", "de", "ravdess")
    assert whole.marks(key) == [MARK]
    assert MARK not in whole.marks(("b", "de", "syn"))
    assert MARK not in whole.marks(("a", "de", "de"))
    assert bench_cautions.warnings(whole) == warnings(whole.checkpoints(key), "de", ["ravdess"]) != []
    (told,) = [text for lead, text in bench_cautions.cautions(whole) if lead == "Pretrained:"]
    assert told.endswith("nothing of de was among it.")
    assert shown(bench_used(whole))["Commit"] == "c0ffee"
    assert CellFacts(whole, key, {}).checkpoints == whole.checkpoints(key)
