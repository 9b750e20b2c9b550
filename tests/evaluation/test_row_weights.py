"""Weights of a probe's rows against what is asked of them: equal sums by class and corpus, and votes as rows."""

import numpy as np
import pytest

from xlser.evaluation.classify import fit_probe
from xlser.evaluation.readout import Part, fit_classifiers, refit_classifiers
from xlser.evaluation.row_weights import taught_rows

RNG = np.random.default_rng(0)
LABELS = RNG.choice(["a", "b", "c"], 200, p=[0.6, 0.3, 0.1])
CORPORA = np.where(np.arange(200) < 150, "large", np.where(np.arange(200) < 180, "small", "least"))
ROWS = RNG.normal(size=(200, 3)) + (LABELS == "a")[:, None] * [1, 0, 0] + (LABELS == "b")[:, None] * [0, 1, 0]


def sums(taught, of):
    return {name: taught.weights[of[taught.rows] == name].sum() for name in np.unique(of)}


def test_every_class_and_every_corpus_count_the_same():
    taught = taught_rows(LABELS, CORPORA)
    assert taught.weights.sum() == pytest.approx(200)
    for of in (LABELS, CORPORA):
        assert list(sums(taught, of).values()) == pytest.approx([200 / 3] * 3, rel=1e-9)
    # Rows of one class and corpus count alike.
    for cell in np.unique(np.stack([LABELS, CORPORA]), axis=1).T:
        own = taught.weights[(cell[0] == LABELS) & (cell[1] == CORPORA)]
        assert np.ptp(own) < 1e-12


def test_it_is_the_fixed_point_of_scaling_row_by_row():
    weights = np.ones(200)
    for _ in range(500):
        for of in (CORPORA, LABELS):
            weights = weights / np.array([weights[of == name].sum() for name in of])
    assert taught_rows(LABELS, CORPORA).weights == pytest.approx(200 * weights / weights.sum(), rel=1e-9)


def test_where_a_corpus_lacks_a_class_the_classes_still_count_the_same():
    labels = np.where(CORPORA == "least", "a", LABELS)
    taught = taught_rows(labels, CORPORA)
    assert list(sums(taught, labels).values()) == pytest.approx([200 / 3] * 3, rel=1e-9)
    only = taught_rows(np.where(CORPORA == "large", "a", np.where(CORPORA == "small", "b", "c")), CORPORA)
    assert np.isfinite(only.weights).all()


def test_a_row_of_several_votes_is_as_many_rows():
    votes = RNG.integers(0, 3, (200, 3)) + (LABELS[:, None] == np.array(["a", "b", "c"]))
    shares = votes / votes.sum(axis=1, keepdims=True)
    taught = taught_rows(LABELS, votes=dict(zip("abc", shares.T, strict=True)))
    assert list(sums_of_labels(taught).values()) == pytest.approx([200 / 3] * 3)
    mass = shares.sum(axis=0)
    by_hand = {(row, name): shares[row, k] / mass[k] * 200 / 3 for row in range(200) for k, name in enumerate("abc")}
    found = dict(zip(zip(taught.rows.tolist(), taught.labels.tolist(), strict=True), taught.weights, strict=True))
    assert found == pytest.approx({key: value for key, value in by_hand.items() if value})


def test_a_probe_that_is_fitted_again_keeps_its_weights():
    part = Part(ROWS, LABELS, {}, CORPORA)
    before = fit_classifiers(part, part, ("a", "b", "c"))
    again = refit_classifiers(before, ROWS, LABELS)["probe"]
    assert np.array_equal(again.model.coef_, before["probe"].model.coef_)
    weighed = refit_classifiers(before, ROWS, LABELS, np.linspace(0.1, 2, 200))["probe"]
    assert not np.allclose(weighed.model.coef_, again.model.coef_)


def sums_of_labels(taught):
    return {name: taught.weights[taught.labels == name].sum() for name in np.unique(taught.labels)}


def test_one_corpus_and_votes_for_one_class_are_nothing_to_weigh():
    hard = {name: (name == LABELS).astype(float) for name in "abc"}
    hard["a"][3] = np.nan
    assert taught_rows(LABELS) is None
    assert taught_rows(LABELS, np.full(200, "x"), hard) is None


def test_weights_of_balanced_classes_give_the_plain_probe():
    taught = taught_rows(LABELS, CORPORA)._replace(
        weights=np.array([200 / (3 * (name == LABELS).sum()) for name in LABELS])
    )
    plain, weighed = (fit_probe(ROWS, LABELS, ROWS, LABELS, taught=given) for given in (None, taught))
    assert weighed.chosen == plain.chosen
    assert np.allclose(weighed.model.coef_, plain.model.coef_, atol=1e-3)


def test_a_probe_of_parts_learns_from_corpora_and_votes():
    doubt = {name: np.where(name == LABELS, 0.6, 0.2) for name in "abc"}
    parts = [Part(ROWS, LABELS, {}, *more) for more in ((), (CORPORA, None), (None, doubt))]
    plain, by_corpus, by_votes = (fit_classifiers(part, parts[0], ("a", "b", "c"))["probe"] for part in parts)
    said = [probe.model.predict_proba(probe.scaler.transform(ROWS)) for probe in (plain, by_corpus, by_votes)]
    assert np.abs(said[0] - said[1]).max() > 0.01
    assert said[2].max() < said[0].max(), "whoever learns from doubt is less sure"
