"""The model card: front matter that the hub's own library reads, licences, protocols, and no place of a machine."""

import math
from dataclasses import replace

import pytest
from huggingface_hub import ModelCard

from xlser.evaluation.contamination import Checkpoint
from xlser.local_paths import without_places
from xlser.reporting.modelcard.markdown import model_readme
from xlser.reporting.modelcard.model_facts import CardScore, ModelFacts


def corpus(name, licence, **more):
    row = {"corpus": name, "title": f"The {name} corpus", "language": "de", "synthetic": False, "licence": licence}
    return row | {"citation": "", "utterances": 9, "speakers": 3, "labels": {"kept": {"anger": 9}}} | more


FACTS = ModelFacts(
    title="a/b/c/0",
    classes=("anger", "sadness"),
    ratings=("valence",),
    learnt_from=(corpus("one", "CC BY 4.0"), corpus("two", "CC BY-NC-SA 4.0", language="en-US")),
    adapted_to=(),
    made=(("Read by", "k neighbours"),),
    scores=(
        CardScore("urdu", "URDU", "zero-shot", "", 0.5, 0.4, 0.6, 0.25, 0.45, 0.35, 0.5),
        CardScore("urdu", "URDU", "transductive", "statistics of the corpus", 0.55, chance=0.25),
        CardScore("none", "None", "zero-shot", "", math.nan),
    ),
    validation="UA 0.70 on validation speakers.",
    plain="features without a network",
    checkpoints=(Checkpoint("/home/anna/models/w2v", sha256="ab", family="wav2vec2"),),
    holds_checkpoint=False,
    holds=("It holds vectors.",),
    opensmile=True,
    versions={"xlser": "1.0", "torch": "2.0"},
)


def test_the_front_matter_is_what_the_hub_reads():
    data = ModelCard(model_readme(FACTS, where="hf:anna/de")).data
    assert (data.license, data.library_name, data.language) == ("cc-by-nc-sa-4.0", "xlser", ["de", "en"])
    assert data.datasets == ["one", "two"]
    assert data.model_name == "anna/de"
    found = {(one.dataset_type, one.metric_args["protocol"]): one for one in data.eval_results}
    assert set(found) == {("urdu", "zero-shot"), ("urdu", "transductive")}  # what is not known is no result
    zero = found["urdu", "zero-shot"]
    assert (zero.metric_value, zero.metric_args["low"], zero.metric_args["high"]) == (0.5, 0.4, 0.6)


def test_a_card_without_scores_or_licences_is_valid_too():
    bare = replace(FACTS, scores=(), learnt_from=(corpus("mine", "", language=""),), checkpoints=(), classes=())
    data = ModelCard(model_readme(bare)).data
    assert (data.license, data.language, data.eval_results) == ("other", None, None)


def test_the_body_has_licences_limits_numbers_and_how_to_use_it():
    text = model_readme(FACTS, where="hf:anna/de")
    for part in (
        "CC BY-NC-SA 4.0",
        "Non-commercial",
        "openSMILE",
        "0.50 [0.40, 0.60]",
        "0.45 [0.35, 0.50]",
        "| 0.25 |",
    ):
        assert part in text
    assert 'xlser.load("hf:anna/de")' in text
    assert "/home/anna" not in text


@pytest.mark.parametrize("licence", ["research only", "", "CC BY-ND 4.0"])
def test_one_corpus_that_refuses_is_named(licence):
    text = model_readme(replace(FACTS, adapted_to=(corpus("strict", licence),)))
    assert f"strict: {licence or 'not stated'}" in text
    assert ModelCard(text).data.license == "other"
    assert "the owner" in model_readme(FACTS, permitted="the owner, by letter")


def test_a_checkpoint_counts_where_its_weights_are_in_the_folder():
    closed = replace(FACTS.checkpoints[0], card_licence="cc-by-nc-nd-4.0")
    assert replace(FACTS, checkpoints=(closed,)).terms.verdict == "non-commercial"
    assert replace(FACTS, checkpoints=(closed,), holds_checkpoint=True).terms.verdict == "refused"


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("/home/anna/x.csv", "x.csv"),
        ("/home/anna bell/my data/x.csv", "x.csv"),
        ("/a/x.csv+/b/y.csv+emodb", "x.csv+y.csv+emodb"),
        (r"C:\Users\anna\x.csv", "x.csv"),
        ("read from /data/emodb/wav/a.wav: 3 clips", "read from a.wav: 3 clips"),
        ("~/data/x", "x"),
        ("https://zenodo.org/records/1/files/a.zip", "https://zenodo.org/records/1/files/a.zip"),
        ("openai/whisper-tiny", "openai/whisper-tiny"),
        ("and/or, 3/4, a/b/c/0", "and/or, 3/4, a/b/c/0"),
        ("hf:anna/de", "hf:anna/de"),
    ],
)
def test_places_are_taken_out_and_nothing_else(text, without):
    assert without_places({"a": [text]}) == {"a": [without]}
