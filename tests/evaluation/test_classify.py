"""kNN and the linear probe against loops and sklearn."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from xlser.evaluation.classify import fit_knn, fit_probe, knn_predict
from xlser.store.datastore import Datastore


@pytest.fixture
def blobs():
    rng = np.random.default_rng(0)
    labels = rng.choice(["anger", "joy", "neutral"], 150, p=[0.6, 0.3, 0.1])
    centre = {"anger": (0, 0), "joy": (2, 0), "neutral": (0, 2)}
    embeddings = np.array([centre[label] for label in labels]) + rng.normal(size=(150, 2))
    return embeddings[:100], labels[:100], embeddings[100:], labels[100:]


def slow_vote(train, labels, query, k):
    distances = ((train - query) ** 2).sum(1)
    nearest = np.argsort(distances, kind="stable")[:k]
    tally = {label: [0, 0.0] for label in sorted(set(labels))}
    for position in nearest:
        tally[labels[position]][0] += 1
        tally[labels[position]][1] += distances[position]
    return min(tally, key=lambda label: (-tally[label][0], tally[label][1]))


@pytest.mark.parametrize("k", [1, 2, 4, 9, 100])
def test_knn_votes_as_a_loop_over_all_rows_does(blobs, k):
    train, labels, queries, _ = blobs
    store = Datastore(train, range(100))
    expected = [slow_vote(train, labels, query, k) for query in queries]
    assert knn_predict(store, queries, k, labels=labels).tolist() == expected


def test_a_tied_vote_goes_to_the_nearer_class_and_then_to_the_alphabet():
    store = Datastore([[-1.0], [1.0], [2.0], [-4.0]], ["p", "q", "r", "s"])
    assert knn_predict(store, [[0.0]], 4, labels=["joy", "anger", "anger", "joy"]).tolist() == ["anger"]
    assert knn_predict(store, [[0.0]], 2, labels=["joy", "anger", "x", "x"]).tolist() == ["anger"]


def test_k_is_the_best_on_validation_and_the_larger_of_equals(blobs):
    train, labels, validation, truth = blobs
    model = fit_knn(train, labels, validation, truth, ks=(25, 1, 3, 5, 9, 15))
    score = {
        k: balanced_accuracy_score(truth, [slow_vote(train, labels, query, k) for query in validation])
        for k in (1, 3, 5, 9, 15, 25)
    }
    assert model.chosen == {"k": max(score, key=lambda k: (score[k], k))}
    assert fit_knn([[0.0], [1.0], [9.0]], ["a", "a", "b"], [[0.5]], ["a"], ks=(1, 3, 2)).chosen == {"k": 3}


def test_k_above_the_stored_embeddings_is_skipped_or_when_all_are_an_error(blobs):
    train, labels, validation, truth = blobs
    assert fit_knn(train, labels, validation, truth, ks=(5, 1000)).chosen == {"k": 5}
    message = r"`k` must be at most the number of stored embeddings \(100\), but is 1000 instead."
    with pytest.raises(ValueError, match=message):
        fit_knn(train, labels, validation, truth, ks=(2000, 1000))


def test_knn_by_cosine_ignores_length():
    model = fit_knn([[1.0, 0.0], [0.0, 1.0]], ["a", "b"], [[1.0, 0.1]], ["a"], ks=(1,), metric="cosine")
    assert model.predict([[0.1, 0.09], [80.0, 100.0]]).tolist() == ["a", "b"]


def test_the_probe_is_the_sklearn_pipeline_with_the_best_c(blobs):
    train, labels, validation, truth = blobs
    pipelines = {
        c: make_pipeline(StandardScaler(), LogisticRegression(C=c, class_weight="balanced", max_iter=5000))
        for c in (0.01, 0.1, 1, 10)
    }
    score = {c: balanced_accuracy_score(truth, p.fit(train, labels).predict(validation)) for c, p in pipelines.items()}
    best = max(score, key=lambda c: (score[c], -c))
    model = fit_probe(train, labels, validation, truth, cs=(10, 1, 0.1, 0.01))
    assert model.chosen == {"c": best}
    assert (model.predict(validation) == pipelines[best].predict(validation)).all()


@pytest.mark.parametrize("fit", [fit_knn, fit_probe])
def test_an_offset_of_a_million_changes_no_label(fit, blobs):
    train, labels, validation, truth = blobs
    # Steps of 1/16 survive as float32 next to a million, so that the offset alone is on trial.
    train, validation = np.round(train * 16) / 16, np.round(validation * 16) / 16
    expected = fit(train, labels, validation, truth).predict(validation)
    assert (fit(train + 1e6, labels, validation + 1e6, truth).predict(validation + 1e6) == expected).all()


@pytest.mark.parametrize("fit", [fit_knn, fit_probe])
def test_a_class_missing_in_the_validation_data_or_only_there_is_no_error(fit, blobs):
    train, labels, validation, truth = blobs
    keep = labels != "joy"
    assert set(fit(train[keep], labels[keep], validation, truth).predict(validation)) <= {"anger", "neutral"}
    keep = truth != "joy"
    assert len(fit(train, labels, validation[keep], truth[keep]).predict(validation)) == 50


@pytest.mark.parametrize("fit", [fit_knn, fit_probe])
def test_no_queries_give_no_labels(fit, blobs):
    assert fit(*blobs).predict(np.empty((0, 2))).shape == (0,)


@pytest.mark.parametrize("fit", [fit_knn, fit_probe])
def test_bad_arguments_are_named(fit, blobs):
    train, labels, validation, truth = blobs
    with pytest.raises(ValueError, match=r"`labels` must be of shape \(100,\)"):
        fit(train, labels[:99], validation, truth)
    with pytest.raises(ValueError, match="`validation` must have at least one row"):
        fit(train, labels, validation[:0], truth[:0])
    with pytest.raises(ValueError, match=r"(?i)nan|finite"):
        fit(np.where(np.arange(200).reshape(100, 2) == 7, np.nan, train), labels, validation, truth)


def test_a_probe_of_a_single_class_is_refused():
    with pytest.raises(ValueError, match=r"`labels` must hold at least two classes, but holds \['a'\]"):
        fit_probe([[0.0], [1.0]], ["a", "a"], [[0.0]], ["a"])
