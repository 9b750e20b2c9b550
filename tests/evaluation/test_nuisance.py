"""Probes of what an embedding ought not to tell, against sklearn's own cross-validation and known answers."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import balanced_accuracy_score, r2_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from xlser.evaluation.nuisance import nuisance_rows, probe, probe_number


@pytest.fixture
def voices():
    """Speakers with a voice each, in two languages, and durations that leak into one column."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(12), 12)
    language = np.where(who < 4, "de", "ur")
    duration = rng.normal(size=144)
    voice = rng.normal(size=(12, 6))[who]
    embeddings = 0.7 * voice + rng.normal(size=(144, 6))
    embeddings[:, 0] += 2 * duration
    embeddings[:, 1] += 2 * (language == "de")
    order = rng.permutation(144)
    return embeddings[order] * [1, 10, 1e-3, 1, 1, 1] + 100, who[order].astype(str), language[order], duration[order]


def logistic():
    return make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=300))


def test_a_class_is_read_as_sklearn_reads_it(voices):
    embeddings, who, language, _ = voices
    folds = StratifiedGroupKFold(4, shuffle=True, random_state=3)
    guess = cross_val_predict(logistic(), embeddings, language, groups=who, cv=folds)
    row = probe(embeddings, language, who, seed=3)
    assert row["value"] == pytest.approx(balanced_accuracy_score(language, guess), abs=1e-12)
    assert (row["chance"], row["classes"], row["speakers"], row["rows"]) == (0.5, 2, 12, 144)
    assert row["low"] <= row["value"] <= row["high"]


def test_the_speaker_is_read_from_other_clips_of_his(voices):
    embeddings, who, _, _ = voices
    guess = cross_val_predict(logistic(), embeddings, who, cv=StratifiedKFold(5, shuffle=True, random_state=0))
    row = probe(embeddings, who, who, disjoint=False)
    assert row["value"] == pytest.approx(balanced_accuracy_score(who, guess), abs=1e-12)
    assert row["chance"] == pytest.approx(1 / 12)
    assert row["value"] > 3 * row["chance"]


def test_a_number_is_read_as_sklearn_reads_it(voices):
    embeddings, who, _, duration = voices
    ridge = make_pipeline(StandardScaler(), RidgeCV(alphas=10.0 ** np.arange(-2, 5)))
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0).split(who, np.zeros(144), who)
    guess = cross_val_predict(ridge, embeddings, duration, cv=list(folds))
    row = probe_number(embeddings, duration, who)
    assert row["value"] == pytest.approx(r2_score(duration, guess), abs=1e-10)
    assert row["low"] < row["value"] < row["high"]
    moved = probe_number(embeddings, duration + 1e6, who)
    assert moved["value"] == pytest.approx(row["value"], abs=1e-6)


def test_what_is_not_there_is_not_read(voices):
    _, who, language, duration = voices
    noise = np.random.default_rng(1).normal(size=(144, 6))
    assert probe(noise, language, who)["low"] < 0.5 < probe(noise, language, who)["high"]
    assert probe(noise, who, who, disjoint=False)["value"] < 0.2
    assert probe_number(noise, duration, who)["value"] < 0.05


def test_knowing_the_voice_does_not_help_where_speakers_are_kept_apart():
    rng = np.random.default_rng(2)
    who = np.repeat(np.arange(30), 10)
    embeddings = 5 * rng.normal(size=(30, 40))[who] + rng.normal(size=(300, 40))
    sex = rng.choice(["female", "male"], 30)[who]  # has nothing to do with the voices
    assert probe(embeddings, sex, who, disjoint=False)["value"] > 0.95
    assert probe(embeddings, sex, who)["value"] < 0.75


def test_rows_stand_beside_chance_and_say_why_a_number_is_missing(voices):
    embeddings, who, language, duration = voices
    sex = np.array(["male", None, np.nan] * 48, dtype=object)
    columns = {"language": language, "sex": sex, "duration": duration, "rate": np.full(144, 16_000)}
    rows = {row["nuisance"]: row for row in nuisance_rows(embeddings, columns, who)}
    assert list(rows) == ["speaker", "language", "sex", "duration", "rate"]
    assert [rows[name]["metric"] for name in ("speaker", "language", "duration")] == ["UA", "UA", "R2"]
    assert rows["duration"]["chance"] == 0
    assert np.isnan(rows["sex"]["value"])
    assert "fewer than two classes" in rows["sex"]["why"]
    assert "the same for every recording" in rows["rate"]["why"]
    assert len({tuple(sorted(row)) for row in rows.values()}) == 1


def test_unknown_rows_and_classes_of_one_speaker_are_left_out(voices):
    embeddings, who, language, duration = voices
    lone = np.where(who == "7", "en", language)
    keep = who != "7"
    assert probe(embeddings, lone, who) == probe(embeddings[keep], language[keep], who[keep])
    gaps = np.where(keep, duration, np.nan)
    assert probe_number(embeddings, gaps, who) == probe_number(embeddings[keep], duration[keep], who[keep])


def test_one_speaker_has_no_row_that_needs_two(voices):
    embeddings, _, language, duration = voices
    alone = ["s"] * 144
    assert "two speakers" in probe(embeddings, language, alone)["why"]
    assert "two speakers" in probe_number(embeddings, duration, alone)["why"]
    assert np.isnan(nuisance_rows(embeddings, {}, alone)[0]["value"])


def test_bad_arguments_are_named(voices):
    embeddings, who, language, duration = voices
    for call, message in [
        (lambda: probe(embeddings[:9], language, who), "`embeddings` must be"),
        (lambda: probe(embeddings, language[:9], who), "`labels` must be of shape"),
        (lambda: probe_number(embeddings, duration[:9], who), "`values` must be of shape"),
        (lambda: probe(np.full((144, 2), np.nan), language, who), "`embeddings` must be finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
