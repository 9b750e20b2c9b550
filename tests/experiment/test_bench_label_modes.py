"""Label modes of a case: what is counted, and what is scored, against loops over clips."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from xlser.data.scales import DERIVED
from xlser.evaluation.openset import BY_UA
from xlser.experiment.bench.cells import cell_key, training_key
from xlser.experiment.bench.label_modes import label_modes
from xlser.experiment.bench.modes import emotions_of
from xlser.experiment.cases import HELD_OUT, TARGET, Case
from xlser.experiment.corpora import find_corpus, read_corpora, scored_labels
from xlser.experiment.readers import make_reader
from xlser.experiment.scores import Scores, score_case, shared_classes
from xlser.experiment.seeds import make_seeds
from xlser.experiment.trained import baseline

VALENCES = {"anger": "negative", "boredom": "negative", "fear": "negative", "sadness": "negative"}
VALENCES |= {"happiness": "positive", "neutral": "neutral"}


@dataclass(frozen=True)
class Heard:
    """A system that hears the emotion through noise, and knows not all of them apart."""

    seed: object
    method: str = "heard"

    def embed(self, case):
        emotions = case.corpus.frame["emotion"]
        known = [DERIVED.get(name, DERIVED["neutral"]) for name in emotions]
        at = np.array([[place["valence"], place["activation"], 0.0] for place in known])
        rng = np.random.default_rng([self.seed.number, len(emotions)])
        return (at + rng.normal(scale=0.4, size=at.shape)).astype(np.float32)


@dataclass(frozen=True)
class Sure:
    """A judge with a classifier of its own, which knows anger from the rest."""

    chosen: dict

    def labels(self, embeddings, classes):
        said = self.probabilities(embeddings, classes).argmax(1)
        return {"classifier": np.array(classes)[said], "classifier + knn": np.array(classes)[said]}

    def probabilities(self, embeddings, classes):
        anger = 1 / (1 + np.exp(embeddings[:, :1] - embeddings[:, 1:2]))
        rest = np.full((len(anger), len(classes) - 1), 1.0) * (1 - anger) / (len(classes) - 1)
        return np.hstack([anger, rest])

    def ratings(self, embeddings):
        return {}


@pytest.fixture
def corpora(recipe, place):
    return [read_corpora(find_corpus(name, place), recipe, place) for name in ("synthetic-de", "synthetic-tr")]


def renamed(corpus, recipe, change):
    """Return the corpus with other emotions: ``change`` maps row and emotion to another one."""
    named = [change(row, name) for row, name in enumerate(corpus.frame["emotion"])]
    frame = corpus.frame.assign(emotion=named)
    labels, counts = scored_labels(frame["emotion"], recipe)
    dataset = corpus.dataset.with_manifest(replace(corpus.dataset.manifest, frame=frame))
    return replace(corpus, dataset=dataset, labels=labels, counts=counts)


def read(recipe, source, case, judge=None):
    """Return rows, notes, the readers and the rows of transfer."""
    home = Case(source, HELD_OUT, "source")
    readers = [make_reader(Heard(seed), home) for seed in make_seeds(recipe, source)]
    plain = [make_reader(Heard(reader.seed, "features"), home) for reader in readers]
    for reader in readers:
        reader.judge = judge
    scores = Scores()
    every = [*plain, *readers]
    score_case(scores, recipe, source, case, readers=every, baseline=baseline(recipe), latents=False)
    rows, notes = label_modes(every, recipe, source, case, scores.transfer)
    return rows, notes, readers, scores.transfer


def one(rows, mode, metric, method="heard"):
    (found,) = [row for row in rows if (row["mode"], row["metric"], row["method"]) == (mode, metric, method)]
    return found


def said(reader, case, classes, threshold=0.0):
    """Return confidence and answer of every clip, ``other`` below the threshold."""
    given = reader.probed(reader.system.embed(case), classes)
    return given.max(1), np.where(given.max(1) < threshold, "other", np.array(classes)[given.argmax(1)])


def best_threshold(reader, source, classes):
    rows = reader.seed.split.validation
    given, truth = reader.probed(reader.validation.embeddings, classes), source.frame["emotion"].to_numpy(str)[rows]
    truth = np.where(np.isin(truth, classes), truth, "other")
    tried = {}
    for value in np.unique(given.max(1)):
        answer = np.where(given.max(1) < value, "other", np.array(classes)[given.argmax(1)])
        tried[value] = np.mean([(answer[truth == name] == name).mean() for name in np.unique(truth)])
    return min(value for value, score in tried.items() if score > max(tried.values()) - 1e-10)


def test_every_clip_is_scored_or_lost_and_what_is_renamed_is_counted(recipe, corpora):
    source, target = corpora
    names = ["no_agreement", "unknown", "surprise", "contempt"]
    target = renamed(target, recipe, lambda row, name: names[row] if row < 4 else name)
    count = Counter(target.frame["emotion"])
    rows, notes, _, _ = read(recipe, source, Case(target, TARGET, "corpus"))
    assert notes == []
    assert all(row["utterances"] + sum(row["lost"].values()) == len(target.frame) for row in rows)
    reject, mapped, shared = (one(rows, mode, "UA") for mode in ("reject", "mapped", "intersection"))
    further = ("fear", "boredom", "surprise", "contempt")
    assert shared["lost"] == {name: count[name] for name in (*further, "no_agreement", "unknown")}
    assert shared["merged"] == {}
    assert reject["lost"] == {"no_agreement": 1, "unknown": 1}
    assert reject["merged"] == {f"{name} -> other": count[name] for name in further}
    assert reject["classes"] == [*recipe.emotions, "other"]
    assert mapped["lost"] == dict.fromkeys(names, 1)
    assert mapped["merged"] == {
        f"{name} -> {valence}": count[name] for name, valence in VALENCES.items() if name != valence
    }
    assert {(row["protocol"], row["normalise"]) for row in rows} == {("transductive", "corpus")}


def test_refusing_is_scored_as_by_a_loop_and_its_threshold_is_the_sources(recipe, corpora):
    source, target = corpora
    case, classes = Case(target, TARGET, "corpus"), recipe.emotions
    rows, _, readers, _ = read(recipe, source, case)
    emotions = target.frame["emotion"].to_numpy(str)
    truth = np.where(np.isin(emotions, classes), emotions, "other")
    thresholds = [best_threshold(reader, source, classes) for reader in readers]
    answers = [said(reader, case, classes, value) for reader, value in zip(readers, thresholds, strict=True)]
    ua, auroc = one(rows, "reject", "UA"), one(rows, "reject", "AUROC")
    assert ua["value"] == pytest.approx(np.mean([balanced_accuracy_score(truth, answer) for _, answer in answers]))
    assert auroc["value"] == pytest.approx(np.mean([roc_auc_score(truth != "other", sure) for sure, _ in answers]))
    assert (ua["threshold"], ua["chosen_by"]) == (pytest.approx(np.mean(thresholds)), BY_UA)
    assert (ua["classifier"], ua["chance"], auroc["chance"]) == ("probe", 0.2, 0.5)
    assert auroc["low"] < auroc["value"] < auroc["high"]
    other = renamed(target, recipe, lambda row, name: "anger" if row % 2 else "fear")
    again = label_modes(readers, recipe, source, replace(case, corpus=other), [])[0]
    assert one(again, "reject", "UA")["threshold"] == ua["threshold"]


def test_valence_is_scored_as_by_a_loop(recipe, corpora):
    source, target = corpora
    case, names = Case(target, TARGET, "corpus"), ["negative", "neutral", "positive"]
    rows, _, readers, _ = read(recipe, source, case)
    truth, scores = [VALENCES[name] for name in target.frame["emotion"]], []
    for reader in readers:
        given = reader.probed(reader.system.embed(case), recipe.emotions)
        sums = [Counter() for _ in given]
        for found, probabilities in zip(sums, given, strict=True):
            for name, probability in zip(recipe.emotions, probabilities, strict=True):
                found[VALENCES[name]] += probability
        scores.append(balanced_accuracy_score(truth, [max(names, key=found.get) for found in sums]))
    found = one(rows, "mapped", "UA")
    assert found["value"] == pytest.approx(np.mean(scores))
    assert (found["classes"], found["chance"]) == (names, pytest.approx(1 / 3))


def test_what_both_share_is_taken_from_the_transfer_of_the_same_case_and_reader(recipe, corpora):
    source, target = corpora
    rows, _, _, transfer = read(recipe, source, Case(target, TARGET, "corpus"))
    for metric in ("UA", "WA", "macro-F1"):
        found = one(rows, "intersection", metric)
        (before,) = [
            row for row in transfer if (row["method"], row["classifier"], row["metric"]) == ("heard", "probe", metric)
        ]
        assert {name: found[name] for name in ("value", "low", "high", "chance", "utterances")} == {
            name: before[name] for name in ("value", "low", "high", "chance", "utterances")
        }
    elsewhere = [row | {"normalise": "coral"} for row in transfer] + [row | {"role": HELD_OUT} for row in transfer]
    *_, readers, _ = read(recipe, source, Case(target, TARGET, "corpus"))
    again = label_modes(readers, recipe, source, Case(target, TARGET, "corpus"), elsewhere)[0]
    assert not [row for row in again if row["mode"] == "intersection"]


def test_held_out_speakers_of_all_folds_are_one_corpus(recipe, corpora):
    source, classes = corpora[0], recipe.emotions
    recipe = recipe.model_copy(update={"training": recipe.training.model_copy(update={"seeds": 4})})
    case = Case(source, HELD_OUT, "source")
    rows, notes, readers, _ = read(recipe, source, case)
    emotions = source.frame["emotion"].to_numpy(str)
    truth, answer = np.where(np.isin(emotions, classes), emotions, "other"), np.full(len(emotions), "", dtype=object)
    confidence = np.full(len(emotions), np.nan)
    for reader in readers:
        judged = reader.seed.split.test
        sure, told = said(reader, case, classes, best_threshold(reader, source, classes))
        confidence[judged], answer[judged] = sure[judged], told[judged]
    assert np.isfinite(confidence).all()
    assert one(rows, "reject", "UA")["value"] == pytest.approx(balanced_accuracy_score(truth, answer.astype(str)))
    assert one(rows, "reject", "AUROC")["value"] == pytest.approx(roc_auc_score(truth != "other", confidence))
    assert {row["utterances"] + sum(row["lost"].values()) for row in rows} == {len(source.frame)}
    assert notes == []


def test_only_rows_that_a_seed_may_judge_are_counted(recipe, corpora):
    source = corpora[0]
    rows, _, readers, _ = read(recipe, source, Case(source, HELD_OUT, "source"))
    judged = np.unique(np.concatenate([reader.seed.split.test for reader in readers]))
    assert len(judged) < len(source.frame)
    assert {row["utterances"] + sum(row["lost"].values()) for row in rows} == {len(judged)}


def test_a_classifier_of_its_own_is_the_reader(recipe, corpora):
    source, target = corpora
    rows, *_ = read(recipe, source, Case(target, TARGET, "corpus"), Sure({"k": 1}))
    assert {row["classifier"] for row in rows if row["method"] == "heard"} == {"classifier + knn"}
    assert {row["classifier"] for row in rows if row["method"] == "features"} == {"probe"}
    assert {row["mode"] for row in rows if row["method"] == "heard"} == {"intersection", "reject", "mapped"}


def test_the_recipes_merging_comes_first(recipe, corpora):
    recipe = recipe.model_copy(update={"merge": {"boredom": "sadness"}})
    source, target = (renamed(corpus, recipe, lambda row, name: name) for corpus in corpora)
    assert set(emotions_of(target, recipe)) == {*recipe.emotions, "fear"}
    rows, *_ = read(recipe, source, Case(target, TARGET, "corpus"))
    count = Counter(emotions_of(target, recipe))
    assert one(rows, "intersection", "UA")["lost"] == {"fear": count["fear"]}
    assert one(rows, "mapped", "UA")["merged"]["sadness -> negative"] == count["sadness"]


def test_without_further_emotions_on_the_source_its_clips_are_kept(recipe, corpora):
    recipe = recipe.model_copy(update={"emotions": (*recipe.emotions, "fear", "boredom")})
    source, target = (renamed(corpus, recipe, lambda row, name: name) for corpus in corpora)
    rows, notes, *_ = read(recipe, source, Case(target, TARGET, "corpus"))
    assert {row["chosen_by"] for row in rows if row["mode"] == "reject"} == {"95% kept"}
    assert np.isnan(one(rows, "reject", "AUROC")["value"])
    assert one(rows, "reject", "UA")["chance"] == pytest.approx(1 / 6)
    assert notes == []


def test_what_cannot_be_scored_is_told(recipe, corpora):
    source, target = corpora
    odd = renamed(target, recipe, lambda row, name: "contempt")
    rows, notes, *_ = read(recipe, source, Case(odd, TARGET, "corpus"))
    assert rows == []
    assert notes == [
        "synthetic-tr: no label mode reject, since clips are of 1 of its classes (other), and two are needed",
        "synthetic-tr: no label mode mapped, since clips are of 0 of its classes (none), and two are needed",
    ]
    recipe = recipe.model_copy(update={"emotions": (*recipe.emotions, "other")})
    source, target = (renamed(one, recipe, lambda _, name: "other" if name == "fear" else name) for one in corpora)
    rows, notes, *_ = read(recipe, source, Case(target, TARGET, "corpus"))
    assert notes == ["synthetic-tr: no label mode reject, since the recipe scores 'other' itself"]
    assert {row["mode"] for row in rows} == {"intersection", "mapped"}


def test_a_source_of_one_scored_emotion_has_no_modes(recipe, corpora):
    recipe = recipe.model_copy(update={"emotions": ("anger", "contempt")})
    source, target = (renamed(corpus, recipe, lambda row, name: name) for corpus in corpora)
    assert shared_classes(recipe, source, source) == ("anger",)
    assert label_modes([], recipe, source, Case(target, TARGET, "corpus"), []) == ([], [])


@pytest.mark.parametrize("side", [0, 1])
def test_another_name_for_a_clip_that_is_not_scored_makes_the_cell_again_and_trains_nothing(recipe, corpora, side):
    other = renamed(corpora[side], recipe, lambda row, name: "disgust" if name == "fear" else name)
    changed = [other if place == side else corpus for place, corpus in enumerate(corpora)]
    assert cell_key(recipe, *changed, ()) != cell_key(recipe, *corpora, ())
    assert training_key(recipe, changed[0]) == training_key(recipe, corpora[0])
