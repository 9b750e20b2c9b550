"""Predictions under both protocols are those of the run's report, clip by clip."""

import io
import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

import xlser
from xlser.errors import CorpusError, RunError, XlserError
from xlser.evaluation.classify import fit_probe
from xlser.evaluation.verdicts import unpacked
from xlser.experiment.bench.plan import make_jobs, parse_adapt
from xlser.experiment.bench.run import run_bench
from xlser.experiment.run import run_recipe
from xlser.experiment.use.protocol import protocol_lines
from xlser.experiment.use.request import Request
from xlser.experiment.workplace import Workplace
from xlser.training.recipe import Recipe
from xlser.vocabulary import VALIDATION

TARGET = "synthetic-tr"


@pytest.fixture(scope="module")
def place(small_data, small_cache):
    return Workplace(small_data, cache=small_cache, progress=False, say=lambda text: None)


def trained(folder, place, **options):
    recipe = Recipe(
        name="r",
        source="synthetic-de",
        targets=(TARGET,),
        split={"folds": 4},
        evaluation={"draws": 100},
        training={"epochs": 2, "seeds": 1, "batch": 16},
        **options,
    )
    return run_recipe(recipe, folder / "run", place)


@pytest.fixture(scope="module")
def run(tmp_path_factory, place):
    """Transductive by its recipe: each target is z-scored with its own statistics."""
    return trained(tmp_path_factory.mktemp("corpus"), place, features={"extractor": "logmel"})


@pytest.fixture(scope="module")
def by_speaker(tmp_path_factory, place):
    features = {"extractor": "logmel", "normalise": "speaker"}
    return trained(tmp_path_factory.mktemp("speaker"), place, features=features, model="none")


def read_by(model, reader, **choices):
    """Return the model as it is read by one reader, with what validation chose for that."""
    rows = [row for row in model.chosen.job.home["choices"] if row["method"] == model.chosen.method]
    options = next(row for row in rows if row["reader"] == reader and row["corpus"] == "synthetic-de")
    model.chosen = replace(model.chosen, reader=reader, options=options | choices)
    return model


def said(run, method, reader, protocol):
    """Return what a run said of every clip of its target, by id, and the ids' files."""
    table = json.loads((run / "predictions.json").read_text())["corpora"]
    (case,) = [row for row in table if (row["corpus"], row["protocol"]) == (TARGET, protocol)]
    kept = unpacked(case)
    (labels,) = [row["labels"] for row in kept["said"] if (row["method"], row["classifier"]) == (method, reader)]
    frame = pd.read_parquet(run / "manifests" / f"{TARGET}.parquet").set_index("id").loc[kept["id"]]
    return labels, frame


@pytest.mark.parametrize("method", ["plain", "features"])
@pytest.mark.parametrize("reader", ["knn", "probe"])
@pytest.mark.parametrize(("protocol", "adapt"), [("zero-shot", None), ("transductive", True)])
def test_every_answer_is_that_of_the_run(run, small_data, method, reader, protocol, adapt):
    model = read_by(xlser.load(run, method=method).model, reader)
    expected, frame = said(run, method, reader, protocol)
    found = list(model.predict_files([small_data / TARGET / path for path in frame["path"]], adapt=adapt, k=0))
    assert [one.emotion for one in found] == expected
    assert {(one.protocol, one.adapt) for one in found} == {(protocol, "corpus" if adapt else "")}


def test_both_protocols_differ_and_the_words_name_both_scores(run, small_data):
    model = xlser.load(run, method="features").model
    files = [small_data / TARGET / path for path in said(run, "features", "knn", "zero-shot")[1]["path"]]
    both = [list(model.predict_files(files, adapt=adapt, k=0)) for adapt in (None, True)]
    assert [one.probabilities for one in both[0]] != [one.probabilities for one in both[1]]
    scores = model.chosen.headline
    lines = " ".join(protocol_lines(model.chosen, None))
    assert f"{scores.zero_shot[TARGET]:.2f} on {TARGET}" in lines
    assert f"{scores.read_by('transductive')[TARGET]:.2f} on {TARGET}" in lines
    assert "--adapt" in lines
    assert "--method plain" in lines


def test_statistics_of_speakers_need_to_know_who_speaks(by_speaker, small_data):
    model = xlser.load(by_speaker, method="features").model
    expected, frame = said(by_speaker, "features", model.chosen.reader, "transductive")
    rows = zip(frame["path"], frame["speaker"], strict=True)
    requests = [Request(small_data / TARGET / path, speaker=speaker) for path, speaker in rows]
    assert [one.emotion for one in model.predict_files(requests, adapt=True, k=0)] == expected
    files = [request.audio for request in requests]
    assert {one.adapt for one in model.predict_files(files, adapt=True, k=0)} == {"corpus"}
    assert "no speakers are known" in model.shift(True, [Request.of(files[0])]).note
    with pytest.raises(RunError, match="must know who speaks"):
        list(model.predict_files(files, adapt="speaker-statistics"))


@pytest.mark.parametrize("adaptation", [xlser.Coral(), xlser.Prior()])
def test_an_adaptation_gives_what_evaluating_with_it_does(run, small_data, small_cache, adaptation):
    model = xlser.load(run, method="plain", cache=small_cache)
    read_by(model.model, "probe")
    target = xlser.load_corpus(TARGET, small_data / TARGET, cache=small_cache).keep(*model.classes)
    scores = xlser.evaluate(model, target, adapt=adaptation, draws=10)
    files = [small_data / TARGET / path for path in target.frame["path"]]
    found = list(model.predict_files(files, adapt=adaptation, k=0))
    table = scores.predictions
    assert [one.emotion for one in found] == table["prediction"].tolist()
    given = np.array([[one.probabilities[name] for name in model.classes] for one in found])
    np.testing.assert_allclose(given, table[list(model.classes)].to_numpy(), atol=1e-5)


def test_a_handful_of_recordings_is_no_target(run, small_data):
    model = xlser.load(run).model
    files = sorted((small_data / TARGET).rglob("*.wav"))[:4]
    with pytest.raises(CorpusError, match="5 recordings at least"):
        list(model.predict_files(files, adapt=True))
    with pytest.raises(RunError, match="corrects probabilities"):
        list(read_by(model, "knn").predict_files(files, adapt="prior"))


def test_some_emotions_alone_are_read_as_a_target_that_has_just_these(run, small_data):
    model = read_by(xlser.load(run, method="features").model, "probe")
    files = sorted((small_data / TARGET).rglob("*.wav"))[:6]
    two = ("anger", "sadness")
    rows = np.isin(np.array(model.own.labels), two)
    x, y = model.own.embeddings[rows], np.array(model.own.labels)[rows]
    probe = fit_probe(x, y, x, y, cs=(model.chosen.options["c"],))
    for path in files:
        answer = model.predict(path, labels=two, k=0)
        expected = probe.model.predict_proba(probe.scaler.transform(model.embed(path)[None]))[0]
        assert [answer.probabilities[name] for name in two] == pytest.approx(expected, abs=1e-6)


def test_a_run_that_scored_no_emotions_gives_ratings_of_files_and_segments(run, small_data, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    results = json.loads((copy / "results.json").read_text())
    (copy / "results.json").write_text(json.dumps(results | {"transfer": []}))
    model, whole = xlser.load(copy).model, xlser.load(run, method=xlser.load(copy).model.chosen.method).model
    assert (model.classes, model.chosen.reader) == ((), None)
    rows = [row for row in results["correlation"] if row["role"] == VALIDATION and row["statistic"] == "CCC"]
    means = {
        name: np.mean([row["value"] for row in rows if (row["method"], row["axis"]) == (name, "direction")])
        for name in ("plain", "features")
    }
    assert model.chosen.method == max(means, key=means.get)
    assert f"mean CCC {max(means.values()):.3f}" in model.text()
    path = next((small_data / TARGET).rglob("*.wav"))
    answer = model.predict(path)
    assert (answer.emotion, answer.probabilities) == ("", {})
    assert answer.ratings == whole.predict(path).ratings
    assert not any(near.voted for near in answer.neighbours)
    (part,) = model.predict_files([Request(path, start=0.1, end=0.6)])
    assert (part.seconds, part.start, part.end) == (pytest.approx(0.5), 0.1, 0.6)
    with pytest.raises(XlserError, match="learnt ratings alone"):
        model.predict(path, labels=["anger", "sadness"])


def test_the_neighbours_are_those_that_voted(run, small_data):
    path = next((small_data / TARGET).rglob("*.wav"))
    model = read_by(xlser.load(run, method="features").model, "knn", k=9)
    answer = model.predict(path)
    assert [near.voted for near in answer.neighbours] == [True] * 9
    votes = [near.emotion for near in answer.neighbours]
    assert answer.probabilities == {name: pytest.approx(votes.count(name) / 9) for name in model.classes}
    some = model.predict(path, labels=["anger", "sadness"], k=12).neighbours
    assert {near.emotion for near in some} == {"anger", "sadness"}
    assert sum(near.voted for near in some) == model.reader_of(("anger", "sadness")).voters(("anger", "sadness"))[1]
    by_probe = read_by(xlser.load(run, method="features").model, "probe").predict(path)
    assert [near.voted for near in by_probe.neighbours] == [False] * 5
    assert {near.emotion for near in by_probe.neighbours} <= set(model.classes)


def test_whatever_holds_a_recording_is_heard_alike_and_samples_need_their_rate(run, small_data):
    model, path = xlser.load(run), next((small_data / TARGET).rglob("*.wav"))
    samples, rate = soundfile.read(path, dtype="float32")
    expected = model.predict(path).distance
    others = [str(path), path.read_bytes(), io.BytesIO(path.read_bytes()), {"array": samples, "sampling_rate": rate}]
    for audio in (*others, {"bytes": path.read_bytes(), "path": None}):
        assert model.predict(audio).distance == pytest.approx(expected, rel=1e-4)
    whole = np.round(samples * 32_768).astype(np.int16)
    for audio in (samples, samples[None], torch.from_numpy(samples)[None], np.stack([samples] * 2, axis=1), whole):
        assert model.predict(audio, rate=rate).distance == pytest.approx(expected, rel=1e-4)
        np.testing.assert_allclose(model.embed(audio, rate=rate), model.embed(path), rtol=1e-3, atol=1e-4)
        with pytest.raises(ValueError, match="`rate` must be given with samples"):
            model.predict(audio)
        with pytest.raises(ValueError, match="`rate` must be given with samples"):
            model.embed(audio)


@pytest.mark.parametrize(
    "text",
    [
        "speaker-or-corpus:sources=true|prior=uniform|neighbours",
        "corpus:sources=true|tca:components=4|gaussian-em",
        "pseudo-speakers|speaker-residuals|prior:anger=0.4:sadness=0.6",
    ],
)
def test_a_chain_gives_what_evaluating_with_it_does_and_says_what_it_decided(run, small_data, small_cache, text):
    model = xlser.load(run, method="plain", cache=small_cache)
    read_by(model.model, "probe")
    target = xlser.load_corpus(TARGET, small_data / TARGET, cache=small_cache).keep(*model.classes)
    scores = xlser.evaluate(model, target, adapt=text.split("|"), draws=10)
    assert (scores.protocol, scores.adapt) == ("transductive", text)
    rows = zip(target.frame["path"], target.frame["speaker"], strict=True)
    requests = [Request(small_data / TARGET / path, speaker=speaker) for path, speaker in rows]
    notes = []
    chain = xlser.Chain([xlser.make_adaptation(text)])
    found = list(model.predict_files(requests, adapt=chain, k=0, on_note=notes.append))
    assert tuple(notes) == scores.notes
    assert [one.emotion for one in found] == scores.predictions["prediction"].tolist()
    assert {one.adapt for one in found} == {text}
    given = np.array([[one.probabilities[name] for name in model.classes] for one in found])
    np.testing.assert_allclose(given, scores.predictions[list(model.classes)].to_numpy(), atol=1e-5)


def test_features_are_z_scored_before_the_steps_that_follow(run, small_data):
    model = read_by(xlser.load(run, method="features").model, "probe")
    files = sorted((small_data / TARGET).rglob("*.wav"))
    plain = list(model.predict_files(files, adapt="corpus", k=0))
    corrected = list(model.predict_files(files, adapt="corpus|prior=uniform", k=0))
    assert {one.adapt for one in corrected} == {"corpus|prior=uniform"}
    before, after = (np.array([list(one.probabilities.values()) for one in some]) for some in (plain, corrected))
    np.testing.assert_allclose(after.mean(axis=0), 0.25, atol=1e-6)
    factors = after / before
    np.testing.assert_allclose(
        factors[:, 1:] / factors[:, :1], (factors[:, 1:] / factors[:, :1])[:1].repeat(len(files), 0)
    )


def test_a_run_scores_the_chain_of_its_recipe_and_predicts_by_it(tmp_path, place, small_data):
    chain = ["speaker-statistics", {"prior": "uniform"}]
    features = {"extractor": "logmel", "normalise": "source"}
    folder = trained(tmp_path, place, features=features, model="none", adapt=chain)
    model = read_by(xlser.load(folder, method="features").model, "probe")
    text = "speaker-statistics|prior=uniform"
    assert model.chosen.headline.read_by("transductive", text)
    expected, frame = said(folder, "features", "probe", "transductive")
    rows = zip(frame["path"], frame["speaker"], strict=True)
    requests = [Request(small_data / TARGET / path, speaker=speaker) for path, speaker in rows]
    found = list(model.predict_files(requests, adapt=True, k=0))
    assert {one.adapt for one in found} == {text}
    assert [one.emotion for one in found] == expected


@pytest.fixture(scope="module")
def tried(tmp_path_factory, place):
    """A bench of both directions that tried three ways to adapt."""
    recipe = Recipe(
        name="r",
        source="synthetic-de",
        targets=(TARGET,),
        split={"folds": 4},
        evaluation={"draws": 100},
        training={"seeds": 1},
        features={"extractor": "logmel", "normalise": "source"},
        model="none",
    )
    out = tmp_path_factory.mktemp("tried") / "bench"
    adapt = parse_adapt(["coral", "speaker-statistics", "corpus:sources=true|prior=uniform"])
    run_bench(make_jobs([recipe], ["synthetic-de", TARGET], ["synthetic-de", TARGET], out, adapt=adapt), out, place)
    return out


@pytest.mark.parametrize("best", ["coral", "speaker-statistics", "corpus:sources=true|prior=uniform"])
def test_of_several_ways_to_adapt_the_one_is_taken_that_did_best_on_other_targets(tried, small_data, tmp_path, best):
    bench = shutil.copytree(tried, tmp_path / "bench")
    table = json.loads((bench / "results.json").read_text())
    for cell in table["cells"]:
        for row in cell["transfer"]:
            if row["role"] == "target" and row["metric"] == "UA":
                row["value"] = 0.9 if row["protocol"] == "zero-shot" else 0.8 if row["normalise"] == best else 0.3
    (bench / "results.json").write_text(json.dumps(table))
    model = read_by(xlser.load(bench, model="synthetic-de/features").model, "probe")
    files = sorted((small_data / TARGET).rglob("*.wav"))
    requests = [Request(path, speaker=path.stem[:2]) for path in files]
    shift = model.shift(True, requests)
    assert shift.name == best
    assert "0.80" in shift.note
    assert f"synthetic-de to {TARGET}" in shift.note
    assert shift.note in protocol_lines(model.chosen, shift)
    named, own = (list(model.predict_files(requests, adapt=adapt, k=0)) for adapt in (best, True))
    assert [one.probabilities for one in own] == [one.probabilities for one in named]
    unknown = model.shift(True, [Request.of(path) for path in files])
    assert unknown.name != "speaker-statistics"
    assert "no speakers are known" in unknown.note
    assert best in ("speaker-statistics", unknown.name)


def test_where_no_target_tells_which_of_several_ways_is_best_it_must_be_named(tried, small_data, tmp_path):
    bench = shutil.copytree(tried, tmp_path / "bench")
    table = json.loads((bench / "results.json").read_text())
    for cell in table["cells"]:
        for row in cell["transfer"]:
            if row["role"] == "target" and row["protocol"] == "transductive":
                row["value"] = None
    (bench / "results.json").write_text(json.dumps(table))
    model = read_by(xlser.load(bench, model="synthetic-de/features").model, "probe")
    with pytest.raises(RunError, match="--adaptation coral"):
        model.shift(True, [Request.of(next((small_data / TARGET).rglob("*.wav")))])
