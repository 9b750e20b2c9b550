"""The combined model: averages by hand, one by one as among many, saved and read, and used like every other model."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import xlser as xl
from xlser.cli.main import xlser
from xlser.errors import CorpusError, RunError, XlserError
from xlser.evaluation.adaptations import make_adaptation
from xlser.evaluation.adapting import Away, Chain, FittedChain, Home
from xlser.experiment.use.request import Request
from xlser.features.normalise import Scaler
from xlser.features.representation import Representation
from xlser.systems.combined import ARRAYS, SAVED, Combined, Linear, Member, average, check_labels_agree
from xlser.vocabulary import EMOTIONS

CLASSES = ("anger", "neutral", "sadness")
NAMES = ("pitch", "loudness", "layer1_mean_0000", "layer1_mean_0001", "sounding:layer1_mean_0000")


@pytest.fixture
def made():
    """A model of two unlike members, adapted to 17 rows of which some share a speaker."""
    draw = np.random.default_rng(5)
    rows = draw.normal(size=(17, len(NAMES)))
    speakers = np.array([*"aaaaabbbbbbccccdde"], dtype=object)[:17]
    members = []
    for one, text, weight in (
        (Representation(True), "speaker-statistics:shrink=2:clip=5", 1.0),
        (Representation(False, (1,)), "corpus", 3.0),
    ):
        own = rows[:, one.columns(NAMES)]
        home = Home(draw.normal(size=(9, own.shape[1])), np.array(CLASSES * 3), CLASSES)
        fitted = Chain([make_adaptation(text)]).fit(home, Away(own, speakers))
        linear = Linear(CLASSES, draw.normal(size=(3, own.shape[1])), draw.normal(size=3))
        members.append(Member(one, ("src",), Scaler.fit(own + 1), linear, fitted, weight))
    bare = Combined(CLASSES, NAMES, tuple(members), FittedChain())
    joint = bare.joint(rows, speakers)
    chain = make_adaptation("prior=uniform|neighbours:count=3:standardise=false").fit(
        Home(joint[:0], classes=CLASSES), Away(joint)
    )
    chain.fit_posterior(joint, bare.probabilities(rows, speakers))
    return Combined(CLASSES, NAMES, tuple(members), chain, {"target": "t"}), rows, speakers


def test_log_probabilities_are_averaged_by_weight():
    draw = np.random.default_rng(0)
    several, weights = [draw.dirichlet(np.ones(3), size=7) for _ in range(3)], [1.0, 0.0, 2.5]
    for row in range(7):
        product = np.prod([shares[row] ** (w / 3.5) for shares, w in zip(several, weights, strict=True)], axis=0)
        assert average(several, weights)[row] == pytest.approx(product / product.sum())
    with pytest.raises(ValueError, match="not all 0"):
        average(several, [0, 0, 0])


def test_a_recording_gets_alone_what_it_gets_among_others(made):
    model, rows, speakers = made
    every = model.probabilities(rows, speakers)
    alone = [model.probabilities(rows[[i]], speakers[[i]])[0] for i in range(len(rows))]
    assert np.array(alone) == pytest.approx(every, abs=1e-9)
    assert every.sum(axis=1) == pytest.approx(1)


def test_a_speaker_who_is_not_known_gets_the_targets_statistics(made):
    model, rows, _ = made
    nobody = model.probabilities(rows)
    assert model.probabilities(rows, np.full(len(rows), "somebody", dtype=object)) == pytest.approx(nobody)


def test_it_is_saved_without_pickle_and_read_back(made, tmp_path):
    model, rows, speakers = made
    again = Combined.load(model.save(tmp_path))
    assert np.array_equal(again.probabilities(rows, speakers), model.probabilities(rows, speakers))
    assert (again.classes, again.columns, dict(again.about)) == (CLASSES, NAMES, {"target": "t"})
    about = json.loads((tmp_path / SAVED).read_text())
    (tmp_path / SAVED).write_text(json.dumps(about | {"schema": 99}))
    with pytest.raises(RunError, match="schema 99"):
        Combined.load(tmp_path)
    (tmp_path / SAVED).write_text(json.dumps(about))
    (tmp_path / ARRAYS).write_bytes(b"no arrays")
    with pytest.raises(RunError, match="cannot read"):
        Combined.load(tmp_path)


def test_systems_of_other_labels_make_no_ensemble(made):
    model = made[0]
    other = replace(model.members[1], linear=replace(model.members[1].linear, classes=("anger", "neutral", "joy")))
    with pytest.raises(XlserError, match=r"egemaps from src does not know joy; hidden state 1 .* not know sadness"):
        replace(model, members=(model.members[0], other))
    swapped = replace(model.members[1], linear=replace(model.members[1].linear, classes=CLASSES[::-1]))
    with pytest.raises(XlserError, match="in one order"):
        replace(model, members=(model.members[0], swapped))
    with pytest.raises(XlserError, match="first does not know fear; second does not know joy"):
        check_labels_agree({"first": ["joy", "anger"], "second": ["anger", "fear"]})


@pytest.fixture(scope="module")
def found(small_data, small_cache, tmp_path_factory):
    out = tmp_path_factory.mktemp("combined") / "model"
    source = xl.load_corpus("synthetic-de", small_data / "synthetic-de", cache=small_cache)
    return xl.best([source], small_data / "synthetic-tr" / "wav", minutes=0.02, out=out, cache=small_cache, jobs=2), out


def test_a_folder_without_labels_is_a_target(found, small_data):
    best, out = found
    assert (best.result.oracle, best.result.regret) == (None, None)
    result = CliRunner().invoke(
        xlser,
        ["predict", str(out), str(small_data / "synthetic-tr" / "wav"), "--format", "csv", "--out", str(out / "p.csv")],
    )
    assert result.exit_code == 0, result.output
    table = pd.read_csv(out / "p.csv")
    assert list(table["emotion"]) == [row["emotion"] for row in best.result.predictions]
    assert {"file", "emotion", "percentile", "protocol"} <= set(table.columns)


def test_segments_channels_labels_and_samples_are_read(found, small_data):
    best, _ = found
    model, file = best.model, str(sorted((small_data / "synthetic-tr" / "wav").glob("*.wav"))[0])
    parts = [Request(file, start=0.0, end=0.2), Request(file, channel=1), Request(file)]
    cut, left, whole = model.predict_files(parts)
    assert (cut.start, cut.end, left.channel) == (0.0, 0.2, "1")
    assert left.probabilities == pytest.approx(whole.probabilities)  # it has one channel
    assert cut.probabilities != whole.probabilities
    two = model.predict(file, labels=["anger", "sadness"])
    ratio = whole.probabilities["anger"] / whole.probabilities["sadness"]
    assert two.probabilities["anger"] / two.probabilities["sadness"] == pytest.approx(ratio)
    noise = model.predict(np.random.default_rng(0).normal(size=16_000 * 70) * 0.3, 16_000)  # longer than a window
    assert noise.seconds == pytest.approx(70)
    assert len(whole.neighbours) == 5
    assert model.embed(file).shape == model.model.own.embeddings.shape[1:]


def test_it_is_adapted_already(found, small_data):
    best, out = found
    file = next((small_data / "synthetic-tr" / "wav").glob("*.wav"))
    with pytest.raises(RunError, match="adapted to"):
        [*best.model.predict_files([file], adapt=True)]
    with pytest.raises(RunError, match="one model"):
        xl.load(out, method="knn")


def test_it_is_saved_and_evaluated(found, small_data, small_cache, tmp_path):
    best, _ = found
    turkish = xl.load_corpus("synthetic-tr", small_data / "synthetic-tr", cache=small_cache)
    scores = xl.evaluate(best.model, turkish)
    assert scores.protocol == best.result.protocol
    again = xl.load(best.model.save(tmp_path / "copy"), cache=small_cache)
    assert again.predict(turkish).equals(best.model.predict(turkish))


def test_labelled_recordings_of_the_target_correct_it(small_data, small_cache, tmp_path):
    german = xl.load_corpus("synthetic-de", small_data / "synthetic-de", cache=small_cache)
    turkish = xl.load_corpus("synthetic-tr", small_data / "synthetic-tr", cache=small_cache)
    files = [str(path) for path in turkish.manifest.files()]
    rows = [i for i, mood in enumerate(turkish.frame["emotion"]) if mood in EMOTIONS][::2]
    shots = pd.DataFrame({"file": [files[i] for i in rows], "emotion": turkish.frame["emotion"].iloc[rows].to_numpy()})
    options = {"minutes": 0, "cache": small_cache, "jobs": 2}
    plain = xl.best([german], turkish, **options).result
    shot = xl.best([german], turkish, few_shot=shots, out=tmp_path / "shots", **options)
    assert shot.result.protocol.startswith("few-shot")
    assert (shot.result.chosen, shot.result.get(shot.result.chosen).target) == (
        plain.chosen,
        plain.get(plain.chosen).target,
    )
    assert list(shot.model.predict(turkish)["emotion"]) == [row["emotion"] for row in shot.result.predictions]
    assert any("no shots" in note for note in shot.result.notes)
    with pytest.raises(CorpusError, match="none of the 1 labelled files"):
        xl.best([german], turkish, few_shot=pd.DataFrame({"file": ["elsewhere.wav"], "emotion": ["anger"]}), **options)
