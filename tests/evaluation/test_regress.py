"""The direction against the closed form of the ridge."""

import numpy as np
import pytest

from xlser.evaluation.metrics import ccc
from xlser.evaluation.regress import ALPHAS, fit_direction, fit_directions


@pytest.fixture
def rated():
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(90, 6)) * [1, 2, 3, 1, 1, 50] + 7
    ratings = embeddings @ [0.5, 0.2, 0, 0, 0.1, 0] + rng.normal(size=90)
    ratings[::7] = np.nan
    return embeddings[:60], ratings[:60], embeddings[60:], ratings[60:]


def slow_ridge(train, ratings, queries, alpha):
    keep = ~np.isnan(ratings)
    mean, deviation = train[keep].mean(0), train[keep].std(0)
    x, y = (train[keep] - mean) / deviation, ratings[keep]
    slope = np.linalg.solve(x.T @ x + alpha * np.eye(x.shape[1]), x.T @ (y - y.mean()))
    return (queries - mean) / deviation @ slope + y.mean()


def test_the_direction_is_the_ridge_whose_validation_ccc_is_best(rated):
    train, ratings, validation, truth = rated
    model = fit_direction(*rated)
    scores = [ccc(truth, slow_ridge(train, ratings, validation, alpha)) for alpha in ALPHAS]
    alpha = ALPHAS[int(np.argmax(scores))]
    assert model.chosen == {"alpha": alpha}
    assert model.predict(validation) == pytest.approx(slow_ridge(train, ratings, validation, alpha), abs=1e-10)


@pytest.mark.parametrize("validation_rating", [np.nan, 3.0])
def test_where_no_ccc_is_defined_the_first_alpha_is_taken(rated, validation_rating):
    train, ratings, validation, _ = rated
    model = fit_direction(train, ratings, validation, np.full(30, validation_rating), alphas=(10.0, 0.1))
    assert model.chosen == {"alpha": 10.0}


def test_an_alpha_that_flattens_the_prediction_is_not_taken(rated):
    assert fit_direction(*rated, alphas=(1e300, 1.0)).chosen == {"alpha": 1.0}


def test_constant_ratings_predict_themselves(rated):
    train, _, validation, truth = rated
    assert fit_direction(train, np.full(60, 2.5), validation, truth).predict(validation) == pytest.approx(2.5)


def test_an_offset_of_a_million_moves_the_prediction_by_as_much(rated):
    train, ratings, validation, truth = rated
    expected = fit_direction(*rated).predict(validation)
    shifted = fit_direction(train, ratings + 1e6, validation, truth + 1e6)
    assert shifted.predict(validation) - 1e6 == pytest.approx(expected, abs=1e-7)


def test_no_queries_give_no_ratings(rated):
    assert fit_direction(*rated).predict(np.empty((0, 6))).shape == (0,)


def test_fewer_than_three_rated_rows_or_shapes_that_differ_are_refused(rated):
    train, ratings, validation, truth = rated
    with pytest.raises(ValueError, match="`ratings` must hold at least 3 numbers, but holds 2 instead"):
        fit_direction(train[:4], [1.0, np.nan, 2.0, np.nan], validation, truth)
    with pytest.raises(ValueError, match=r"`validation_ratings` must be of shape \(30,\)"):
        fit_direction(train, ratings, validation, truth[:9])


@pytest.mark.parametrize("columns", [3, 90])
def test_several_ratings_at_once_are_each_fitted_as_alone(columns):
    rng = np.random.default_rng(2)
    train, held = rng.normal(size=(40, columns)), rng.normal(size=(25, columns))
    ratings = {name: train[:, k] + rng.normal(size=40) for k, name in enumerate("abc")}
    truth = {name: held[:, k] + rng.normal(size=25) for k, name in enumerate("abc")}
    ratings["b"][::3], ratings["c"][2:] = np.nan, np.nan
    found = fit_directions(train, ratings, held, truth)
    assert set(found) == {"a", "b"}  # two ratings are too few
    for name, direction in found.items():
        alone = fit_direction(train, ratings[name], held, truth[name])
        assert direction.chosen == alone.chosen
        np.testing.assert_allclose(direction.predict(held), alone.predict(held), atol=1e-8)


@pytest.mark.filterwarnings("error")
def test_alphas_near_what_float32_bears_are_candidates_and_no_warnings():
    rng = np.random.default_rng(3)
    moods = rng.normal(size=(300, 3))
    train = (moods @ rng.normal(size=(3, 900))).astype(np.float32)
    assert np.isfinite(fit_direction(train, moods[:, 0], train[:9], moods[:9, 0]).predict(train)).all()
