"""The search for the best model: no label of the target takes part, pretended targets are seen as the real one is."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import xlser as xl
from xlser.errors import CorpusError
from xlser.evaluation.candidates import read_best
from xlser.experiment.best.domains import read_domain
from xlser.experiment.best.folds import pretended
from xlser.experiment.best.left_out import leave_one_out, left_out_table
from xlser.experiment.best.search import everything, find_best
from xlser.experiment.best.space import BASELINE
from xlser.experiment.workplace import Workplace
from xlser.features.egemaps import Egemaps

MOODS = ("anger", "happiness", "neutral", "sadness", "fear", "boredom")


@pytest.fixture(scope="module")
def quiet(small_cache):
    return Workplace(cache=small_cache, progress=False, jobs=2, say=lambda text: None)


@pytest.fixture(scope="module")
def corpora(small_data, small_cache):
    """Four ragged corpora of the two: their speakers dealt out, so that sizes and emotions differ."""
    rows = []
    for name in ("synthetic-de", "synthetic-tr"):
        whole = xl.load_corpus(name, small_data / name, cache=small_cache)
        frame = whole.frame.assign(path=[str(path) for path in whole.manifest.files()])
        rows.append(frame[["path", "emotion", "speaker"]])
    german, turkish = rows

    def of(name, frame, speakers):
        return xl.Dataset.from_frame(frame[frame["speaker"].isin(speakers)], name=name, language="it")

    return {
        "a": of("a", german, ["01", "02", "04", "06"]),
        "b": of("b", german, ["03", "05", "07", "08"]),
        "c": of("c", turkish, ["01", "06", "07"]),
        "t": of("t", turkish, ["03", "04", "08"]),
    }


@pytest.fixture(scope="module")
def search(corpora, quiet):
    def go(sources="abc", target=None, place=quiet, **options):
        options = {"emotions": MOODS, "minutes": 5} | options
        read = [corpora[name] if isinstance(name, str) else name for name in sources]
        return find_best(read, corpora["t"] if target is None else target, place, **options)

    return go


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("best") / "model"


@pytest.fixture(scope="module")
def best(search, out):
    return search(encoder="random:tiny", out=out)


def changed(dataset, **columns):
    return dataset.with_manifest(replace(dataset.manifest, frame=dataset.frame.assign(**columns)))


def test_the_labels_of_the_target_move_neither_choice_nor_predictions(best, search, corpora):
    labels = np.random.default_rng(0).permutation(corpora["t"].frame["emotion"])
    other = search(encoder="random:tiny", target=changed(corpora["t"], emotion=labels))
    assert other.chosen == best.chosen
    assert [row.name for row in other.candidates] == [row.name for row in best.candidates]
    assert other.predictions == best.predictions
    assert other.get(other.chosen).target != best.get(best.chosen).target  # the labels did change
    mute = search(encoder="random:tiny", target=changed(corpora["t"], emotion="unlabelled", emotion_raw=""))
    assert (mute.chosen, mute.predictions) == (best.chosen, best.predictions)
    assert (mute.oracle, mute.regret, {row.target for row in mute.candidates}) == (None, None, {None})


def test_the_labels_of_a_source_do_move_its_scores(search, corpora):
    labels = np.random.default_rng(0).permutation(corpora["b"].frame["emotion"])
    found, other = search(minutes=0), search(["a", changed(corpora["b"], emotion=labels), "c"], minutes=0)
    assert other.get(other.baseline).validated != found.get(found.baseline).validated


def test_the_baseline_is_a_logistic_regression_on_source_statistics(best, corpora, quiet):
    """Computed anew, by hand."""
    read = {name: read_domain(corpora[name], Egemaps(), MOODS, quiet) for name in "abct"}

    def said(sources, away):
        means = np.array([read[name].values.astype(float).mean(0) for name in sources])
        spreads = [read[name].values.astype(float).var(0) for name in sources]
        mean = means.mean(0)
        std = np.sqrt(np.mean(spreads, 0) + ((means - mean) ** 2).mean(0))
        std[std < 1e-6] = 1
        rows, labels, weights = [], [], []
        for name in sources:
            rows.append(np.clip((read[name].values - mean) / std, -5, 5))
            labels += list(read[name].labels)
            weights += [1 / len(read[name].labels)] * len(read[name].labels)
        labels, weights = np.array(labels, dtype=str), np.array(weights)
        for mood in set(labels):
            weights[labels == mood] /= weights[labels == mood].sum()
        model = LogisticRegression(C=0.01, max_iter=2000)
        model.fit(np.concatenate(rows), labels, sample_weight=weights * len(weights) / weights.sum())
        return model.predict(np.clip((read[away].values - mean) / std, -5, 5))

    def ua(name, answers):
        truth = read[name].labels.astype(str)
        return np.mean([(answers[truth == mood] == mood).mean() for mood in set(truth)])

    base = best.get(best.baseline)
    for out in "abc":
        assert base.validated[out] == pytest.approx(ua(out, said([n for n in "abc" if n != out], out)))
    assert base.target.value == pytest.approx(ua("t", said("abc", "t")))
    assert base.score == pytest.approx(np.mean([*base.validated.values()]))


def test_what_is_taken_is_as_good_as_the_best_on_left_out_sources(best):
    scores = {row.name: row.score for row in best.candidates}
    assert scores[best.chosen] >= max(scores.values()) - 0.03
    targets = {row.name: row.target.value for row in best.candidates}
    assert targets[best.oracle] == max(targets.values())
    assert best.regret.value == pytest.approx(targets[best.oracle] - targets[best.chosen])
    assert str(BASELINE) in scores


def test_the_saved_model_says_of_the_targets_recordings_what_the_search_said(best, out, corpora):
    model = xl.load(out)
    files = [str(path) for path in corpora["t"].manifest.files()]
    answers = [*model.predict_files(files)]
    for answer, row in zip(answers, best.predictions, strict=True):
        assert answer.emotion == row["emotion"]
        assert [*answer.probabilities.values()] == pytest.approx(row["probabilities"], abs=1e-5)
        assert answer.protocol == best.protocol
    table = model.predict(corpora["t"])
    assert list(table["emotion"]) == [row["emotion"] for row in best.predictions]
    assert read_best(out).to_dict() == best.to_dict()


def test_the_number_of_jobs_changes_nothing(search, small_cache):
    one, three = (
        search(place=Workplace(cache=small_cache, progress=False, jobs=jobs, say=lambda text: None)) for jobs in (1, 3)
    )
    assert one.predictions == three.predictions
    assert [(row.name, row.validated, row.target) for row in one.candidates] == [
        (row.name, row.validated, row.target) for row in three.candidates
    ]


def test_without_time_there_is_still_a_model_and_it_says_what_was_not_tried(search):
    found = search(minutes=0)
    assert found.chosen in {row.name for row in found.candidates}
    assert found.budget.not_tried
    assert len(found.predictions) == 25


def test_zero_shot_looks_at_nothing(search):
    found = search(transductive=False)
    assert {row.protocol for row in found.candidates} == {"zero-shot"}
    assert (found.protocol, found.looks_at) == ("zero-shot", ())


def test_a_target_without_speakers_hides_those_of_pretended_targets(corpora, quiet, search):
    from xlser.experiment.best.fits import Task

    names = [f"unknown:{number}" for number in range(len(corpora["t"]))]
    nobody = changed(corpora["t"], speaker=names)
    read = {n: read_domain(corpora[n], everything((), None), MOODS, quiet) for n in "abc"}
    away = read_domain(nobody, everything((), None), MOODS, quiet)
    assert away.speakers is None
    folds, _ = pretended(Task(tuple(read.values()), away.hidden(True), MOODS, ()))
    assert [fold.task.away.speakers for fold in folds] == [None] * 3
    assert all(label is None for fold in folds for label in fold.task.away.labels)
    assert all(domain.name != fold.name for fold in folds for domain in fold.task.sources)
    assert "speakers" not in search(target=nobody).looks_at


def test_copies_of_the_target_are_taken_out_of_the_sources(search, corpora, tmp_path):
    frame = corpora["t"].frame.assign(path=[str(path) for path in corpora["t"].manifest.files()])
    few = frame.iloc[:4].assign(
        path=[shutil.copy(path, tmp_path / f"{i}.wav") for i, path in enumerate(frame["path"][:4])]
    )
    own = corpora["c"].frame.assign(path=[str(path) for path in corpora["c"].manifest.files()])
    columns = ["path", "emotion", "speaker"]
    mixed = xl.Dataset.from_frame(pd.concat([own[columns], few[columns]]), name="mixed", language="it")
    found = search(["a", "b", mixed], minutes=0)
    assert any("4 recording(s) of mixed" in text for text in found.decisions)
    clean = search(["a", "b", xl.Dataset.from_frame(own[columns], name="mixed", language="it")], minutes=0)
    assert found.predictions == clean.predictions
    copy = xl.Dataset.from_frame(frame[columns], name="copy", language="it")
    assert any("all of copy" in text for text in search(["a", "b", copy], minutes=0).decisions)
    with pytest.raises(CorpusError, match="nothing is left to learn from"):
        search([copy])


def test_a_source_without_a_scored_emotion_is_named(search, corpora):
    with pytest.raises(CorpusError, match="source c has no recording of anger"):
        search(["a", "b", changed(corpora["c"], emotion="surprise")])


def test_a_single_source_is_chosen_on_its_own_speakers_and_says_so(search):
    found = search("a")
    assert "speakers" in found.chosen_by
    assert all(name.startswith("a, fold") for row in found.candidates for name in row.validated)


def test_every_corpus_is_the_target_once(corpora, quiet, search):
    found = leave_one_out([*corpora.values()], quiet, emotions=MOODS, minutes=5)
    assert [one.target for one in found] == [*"abct"]
    assert found[-1].predictions == search().predictions
    table = left_out_table(found).set_index("target")
    assert table.loc["mean", "validated"] == pytest.approx(table.loc[[*"abct"], "validated"].mean())
    assert (table["regret"] >= 0).all()
    assert table["oracle"].to_numpy() == pytest.approx((table["validated"] + table["regret"]).to_numpy())


@pytest.mark.parametrize("rows", [slice(0, 1), slice(0, 5)])
def test_a_handful_of_recordings_is_a_target_or_refused_by_number(search, corpora, rows):
    few = changed(corpora["t"]).take(np.arange(len(corpora["t"]))[rows])
    if len(few) == 1:
        with pytest.raises(CorpusError, match="needs 2 recordings at least"):
            search("a", target=few)
        return
    assert len(search("a", target=few).predictions) == 5


def test_a_source_of_one_speaker_is_split_by_recordings(search, corpora):
    alone = corpora["a"].take((corpora["a"].frame["speaker"] == "01").to_numpy())
    assert search([alone], minutes=0).chosen
    with pytest.raises(CorpusError, match="nothing can be chosen on a"):
        search([alone.take(np.array([0, int(np.argmax(alone.frame["emotion"] != alone.frame["emotion"].iloc[0]))]))])
