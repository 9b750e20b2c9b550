"""What every adaptation of the table promises."""

import json
from dataclasses import fields

import numpy as np
import pytest
from safetensors.numpy import load, save

import xlser
from xlser.errors import CorpusError, RecipeError
from xlser.evaluation.adaptations import ADAPTATIONS, make_adaptation, written
from xlser.evaluation.adapting import Away, Chain, Home, restore

CLASSES = ("anger", "neutral", "sadness")
# Values other than the defaults, where a number will not do.
OTHER = {
    "stated": "uniform",
    "sources": True,
    "shrink": 3,
    "iterations": 2,
    "count": 4,
    "residuals": True,
    "power": 0.7,
    "share": 0.3,
    "trust": 0.7,
    "components": 3,
    "classes": True,
    "mu": 0.3,
}
CHAINS = (
    "speaker-statistics:shrink=3:sources=true|prior=uniform|neighbours",
    "speaker-or-corpus|coral|prior|gaussian-em",
    "pseudo-speakers|speaker-residuals|bbse|prior:anger=0.5:sadness=0.5",
)
every = pytest.mark.parametrize("text", [*ADAPTATIONS, "prior=uniform", *CHAINS])
each = pytest.mark.parametrize("name", ADAPTATIONS)


def parts(count=31, speakers=("a",) * 13 + ("b",) + ("c",) * 17, columns=6):
    """Synthetic rows whose classes lie apart; more columns than some speakers have rows."""
    rng = np.random.default_rng(0)
    labels = np.array(CLASSES * 20)
    shifts = np.eye(3, columns) * 2
    source = rng.normal(size=(60, columns)) + shifts[[CLASSES.index(name) for name in labels]]
    corpora, who = np.array(["x", "y"] * 30), np.array(["1", "2", "3"] * 20)
    target = 3 * (rng.normal(size=(count, columns)) + shifts[np.arange(count) % 3]) + 2
    return Home(source, labels, CLASSES, corpora, who), Away(target, np.array(speakers[:count]))


def given(count):
    return np.random.default_rng(2).dirichlet([0.5, 1.0, 2.0], size=count)


def answers(fitted, away):
    mapped = fitted.embeddings(away.embeddings, away.speakers)
    return mapped, fitted.posterior(mapped, given(len(mapped)))


def fit(text, home, away):
    fitted = make_adaptation(text).fit(home, away)
    mapped = fitted.embeddings(away.embeddings, away.speakers)
    return fitted.fit_posterior(mapped, given(len(mapped)))


@each
def test_its_name_makes_it_and_it_writes_its_name(name):
    made = make_adaptation(name)
    assert made == ADAPTATIONS[name]()
    assert written(made) == name
    assert getattr(xlser, type(made).__name__) is type(made)
    for field in fields(made):
        changed = ADAPTATIONS[name](**{field.name: OTHER.get(field.name, 0.5)})
        assert changed != made
        assert make_adaptation(written(changed)) == changed
        assert make_adaptation([{name: {field.name: OTHER.get(field.name, 0.5)}}]) == changed
    with pytest.raises(RecipeError, match="nosuch"):  # of a prior it might be a class, which the source shows it is not
        make_adaptation(f"{name}:nosuch=1").fit(*parts())


@every
def test_it_says_what_it_looks_at_and_assumes(text):
    made = make_adaptation(text)
    assert set(made.looks_at) <= {"recordings", "speakers", "prior"}
    assert made.assumes or not made.looks_at


@every
def test_rows_stay_rows_and_are_finite(text):
    home, away = parts()
    fitted = fit(text, home, away)
    mapped, posterior = answers(fitted, away)
    assert len(mapped) == len(away.embeddings)
    assert np.isfinite(mapped).all()
    np.testing.assert_allclose(posterior.sum(axis=1), 1)
    assert (posterior >= 0).all()
    source = fitted.home(home.embeddings, home.corpora, home.speakers)
    assert source.shape == (60, mapped.shape[1])
    assert np.isfinite(source).all()
    assert fitted.refits or (source is home.embeddings and fitted.weights is None)
    if fitted.weights is not None:
        assert fitted.weights.shape == (60,)
        assert fitted.weights.mean() == pytest.approx(1)
        assert (fitted.weights >= 0).all()


@every
def test_one_by_one_gives_what_all_at_once_does(text):
    home, away = parts()
    fitted = fit(text, home, away)
    mapped, posterior = answers(fitted, away)
    for place in range(len(mapped)):
        row = fitted.embeddings(away.embeddings[[place]], away.speakers[[place]])
        np.testing.assert_allclose(row[0], mapped[place], atol=1e-9)
        alone = fitted.posterior(row, given(len(mapped))[[place]])
        np.testing.assert_allclose(alone[0], posterior[place], atol=1e-9)


@every
def test_a_saved_state_gives_the_same_to_the_digit(text):
    home, away = parts()
    fitted = fit(text, home, away)
    about, arrays = fitted.state()
    again = restore(json.loads(json.dumps(about)), load(save(arrays)))
    for mine, other in zip(answers(fitted, away), answers(again, away), strict=True):
        np.testing.assert_array_equal(mine, other)
    rows = (home.embeddings, home.corpora, home.speakers)
    np.testing.assert_array_equal(fitted.home(*rows), again.home(*rows))
    np.testing.assert_array_equal(fitted.weights, again.weights)
    assert again.notes == fitted.notes
    assert again.refits == fitted.refits


@every
def test_the_order_of_the_targets_rows_changes_nothing(text):
    home, away = parts()
    order = np.random.default_rng(1).permutation(len(away.embeddings))
    shuffled = Away(away.embeddings[order], away.speakers[order])
    fitted, other = fit(text, home, away), make_adaptation(text).fit(home, shuffled)
    other.fit_posterior(fitted.embeddings(away.embeddings, away.speakers)[order], given(len(order))[order])
    mapped, posterior = answers(fitted, away)
    np.testing.assert_allclose(other.embeddings(*vars_of(shuffled)), mapped[order], atol=1e-6)
    np.testing.assert_allclose(other.posterior(mapped[order], given(len(order))[order]), posterior[order], atol=1e-6)


def vars_of(away):
    return away.embeddings, away.speakers


@every
def test_a_speaker_never_met_and_none_get_the_statistics_of_all(text):
    home, away = parts()
    fitted = fit(text, home, away)
    rows = away.embeddings[:3]
    first, second = fitted.embeddings(rows, ["someone else"] * 3), fitted.embeddings(rows)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("away", ["five", "alone", "constant", "each one clip", "one column"])
@every
def test_thin_targets_stay_finite(text, away):
    home, whole = parts(columns=1 if away == "one column" else 6)
    rows, speakers = {
        "five": (whole.embeddings[:5], whole.speakers[:5]),
        "alone": (whole.embeddings, np.array(["a"] * 31)),
        "constant": (np.ones((12, 6)), np.array(["a", "b"] * 6)),
        "each one clip": (whole.embeddings, np.arange(31)),
        "one column": (whole.embeddings, whole.speakers),
    }[away]
    fitted = fit(text, home, Away(rows, speakers))
    mapped, posterior = answers(fitted, Away(rows, speakers))
    assert np.isfinite(mapped).all()
    np.testing.assert_allclose(posterior.sum(axis=1), 1)


@every
def test_what_cannot_be_fitted_is_named(text):
    home, away = parts()
    broken = away.embeddings.copy()
    broken[4, 2] = np.nan
    made = make_adaptation(text)
    if not made.looks_at:
        return
    with pytest.raises(CorpusError, match=r"row 4, column 2 is nan"):
        made.fit(home, Away(broken, away.speakers))
    with pytest.raises(CorpusError, match="6 columns"):
        made.fit(home, Away(away.embeddings[:, :5], away.speakers))
    with pytest.raises(CorpusError, match="recordings at least"):
        made.fit(home, Away(away.embeddings[: made.rows - 1], away.speakers[: made.rows - 1]))
    if made.needs_speakers:
        with pytest.raises(CorpusError, match="who speaks"):
            made.fit(home, Away(away.embeddings))


@each
def test_only_some_correct_probabilities(name):
    home, away = parts()
    made = make_adaptation(name)
    posterior = answers(fit(name, home, away), away)[1]
    assert made.on_probabilities == (not np.allclose(posterior, given(31)))


def test_a_chain_is_its_steps_in_order_and_chains_within_are_taken_apart():
    home, away = parts()
    chain = make_adaptation(["corpus", ["coral", {"prior": "uniform"}]])
    assert written(chain) == "corpus|coral|prior=uniform"
    assert chain == Chain([make_adaptation("corpus|coral"), make_adaptation("prior=uniform")])
    first = make_adaptation("corpus").fit(home, away)
    rows = first.embeddings(away.embeddings)
    second = make_adaptation("coral").fit(home, Away(rows))
    mapped = chain.fit(home, away).embeddings(away.embeddings, away.speakers)
    np.testing.assert_array_equal(mapped, second.embeddings(rows))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("corall", "coral"),
        ("coral:shrinkage=much", "number"),
        ("corpus|", "no adaptation is named ''"),
        ([], "a step at least"),
        ({"coral": {"shrinkage": 3}}, "between 0 and 1"),
        ("prior=equal", "uniform"),
        ("prior:anger=0.5:neutral=0.6", "sum to 1.1"),
        ({"prior": {"anger": "much"}}, "numbers"),
        ("quantile=3", "no option"),
        (3, "must be a name"),
    ],
)
def test_what_is_no_adaptation_is_refused_with_the_way_out(given, says):
    with pytest.raises(RecipeError, match=says):
        make_adaptation(given)
