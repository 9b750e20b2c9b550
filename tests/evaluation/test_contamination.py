"""The table of published checkpoints, and what a checkpoint has heard of a run's corpora."""

import pytest

from xlser.corpora.card import card_paths
from xlser.evaluation.audit.published import published, table
from xlser.evaluation.contamination import Checkpoint, Heard, checkpoints_of
from xlser.evaluation.results import Results

AUDEERING = "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim"


@pytest.mark.parametrize("row", table(), ids=lambda row: row.model)
def test_every_row_is_whole_and_names_corpora_that_have_cards(row):
    assert row.use in ("fine-tuned", "pre-trained")
    assert row.evidence in ("card", "paper", "second-hand")
    assert row.source.startswith("https://")
    assert row.heard
    assert not {*row.corpora, *row.maybe} - set(card_paths())
    for name in row.names or (row.model,):
        assert published(name.replace("*", "x").partition(" ")[0]) is row, "an earlier row takes its names"


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("openai/whisper-large-v3-turbo", "OpenAI Whisper large-v3"),
        ("openai/whisper-large-v2", "OpenAI Whisper"),
        ("OpenAI/Whisper-tiny.en", "OpenAI Whisper"),
        ("facebook/wav2vec2-large-xlsr-53", "XLSR-53"),
        ("facebook/wav2vec2-xls-r-300m", "XLS-R"),
        ("microsoft/wavlm-base", "WavLM base"),
        ("microsoft/wavlm-base-plus", "WavLM base+ and large"),
        ("house/whisper-tiny", None),
    ],
)
def test_a_hub_name_finds_its_row(name, model):
    row = published(name)
    assert (row.model if row else None) == model


def test_labels_that_were_heard_are_sure_and_a_collection_is_not():
    one = Checkpoint.of({"weights": AUDEERING, "hub": AUDEERING, "sha256": "x"})
    assert [(row.corpus, row.use, row.sure) for row in one.heard(["emodb", "emodb+msp-podcast"])] == [
        ("msp-podcast", "fine-tuned", True)
    ]
    assert one.licence == "cc-by-nc-sa-4.0 (as its page says)"
    plus = Checkpoint.of({"weights": "emotion2vec/emotion2vec_plus_base"})
    assert [(row.corpus, row.sure) for row in plus.heard(["emodb", "kannada"])] == [("emodb", False)]


def test_a_folder_is_known_by_its_base_or_by_its_name_which_is_a_guess():
    row = {
        "weights": "/models/mine",
        "sha256": "x",
        "base": "ehcalabres/wav2vec2-lg-xlsr-en-speech-emotion-recognition",
    }
    assert [(row.corpus, row.sure) for row in Checkpoint.of(row).heard(["ravdess"])] == [("ravdess", True)]
    named = Checkpoint.of({"weights": "/models/wav2vec2-lg-xlsr-en-speech-emotion-recognition-2", "sha256": "x"})
    assert (named.known[1], [row.sure for row in named.heard(["ravdess"])]) == ("folder", [False])
    assert named.licence.startswith("not stated (apache-2.0 if")
    other = Checkpoint.of({"weights": "/models/mine", "sha256": "x"})
    assert (other.known, other.licence, other.heard(["ravdess"])) == ((None, ""), "not stated", [])


def test_the_model_card_names_data_sets():
    one = Checkpoint.of({"weights": "a/b", "hub": "a/b", "sha256": "x", "datasets": ["x/emo-DB", "common_voice_urdu"]})
    assert one.heard(["emodb", "urdu"]) == [Heard("emodb", "trained", True, "its model card")]
    assert Checkpoint.of({"weights": "a/b", "licence": "mit"}).licence == "mit"


@pytest.mark.parametrize(
    ("recipe", "names"),
    [
        ({"encoder": {"weights": "openai/whisper-tiny"}}, ["openai/whisper-tiny"]),
        ({"encoder": {"weights": "random:tiny"}}, []),
        ({"features": {"extractor": ["egemaps", {"encoder": {"weights": "/far/ears"}}]}}, ["ears"]),
        ({"features": {"extractor": {"logmel": {"bands": 20}}}}, []),
        ({"features": {"extractor": "egemaps"}}, []),
        ({}, []),
    ],
)
def test_an_older_run_has_the_checkpoints_of_its_recipe(recipe, names):
    assert [one.name for one in checkpoints_of({}, recipe)] == names


def test_provenance_names_the_checkpoints_of_a_run_and_of_a_benchs_cells(tmp_path):
    rows = [{"weights": "a/b", "hub": "a/b", "commit": "c0ffee", "sha256": "x", "licence": "mit"}]
    about = {"versions": {}, "command": "", "finished": ""}
    run = Results(tmp_path, "run", {"about": about | {"recipe": {"name": "r"}, "checkpoints": rows}})
    cells = [{"recipe": "r", "checkpoints": rows}] * 2 + [{"recipe": "old"}]
    recipes = {"r": {}, "old": {"encoder": {"weights": "c/d"}}}
    bench = Results(tmp_path, "bench", {"about": about | {"recipes": recipes}, "cells": cells})
    (one,) = run.provenance.checkpoints
    assert (one.commit, one.licence) == ("c0ffee", "mit")
    assert [each.name for each in bench.provenance.checkpoints] == ["a/b", "c/d"]
