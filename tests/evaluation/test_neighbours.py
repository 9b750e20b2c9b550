"""Smoothing over neighbours: against a dense second implementation, on recordings to come, and what is refused."""

import numpy as np
import pytest

from xlser.errors import RecipeError
from xlser.evaluation.adaptations import make_adaptation, written
from xlser.evaluation.adapting import Away, Home, restore
from xlser.evaluation.neighbours import Neighbours

K = 3


@pytest.fixture
def fitted():
    draw = np.random.default_rng(3)
    rows, shares = draw.normal(size=(23, 5)), draw.dirichlet(np.ones(3), size=23)
    made = Neighbours(k=K).fit(Home(rows[:0], classes=("a", "b", "c")), Away(rows))
    return made.fit_posterior(rows, shares), rows, shares


def dense(rows, shares):
    """Return what five rounds on the whole matrix give, pair by pair."""
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    graph = np.zeros((len(rows), len(rows)))
    for row in range(len(rows)):
        others = sorted((other for other in range(len(rows)) if other != row), key=lambda o: -units[row] @ units[o])
        for other in others[:K]:
            graph[row, other] = np.exp(5 * units[row] @ units[other])
    graph = (graph + graph.T) / 2
    degree = graph.sum(axis=1)
    graph /= np.sqrt(np.outer(degree, degree))
    said = shares
    for _ in range(5):
        said = 0.5 * graph @ said + 0.5 * shares
    return said / said.sum(axis=1, keepdims=True)


def test_it_is_what_the_whole_matrix_gives(fitted):
    made, rows, shares = fitted
    assert made.posterior(rows, shares) == pytest.approx(dense(rows, shares), abs=1e-5)


def test_a_recording_gets_alone_what_it_got_among_the_others(fitted):
    made, rows, shares = fitted
    every = made.posterior(rows, shares)
    for row in range(len(rows)):
        assert made.posterior(rows[[row]], shares[[row]])[0] == pytest.approx(every[row])
        assert made.posterior(rows[[row]] * 7, shares[[row]])[0] == pytest.approx(every[row])  # length says nothing


def test_a_further_recording_leans_on_its_neighbours(fitted):
    made, rows, shares = fitted
    near = rows[4] + 0.05
    flat = np.full((1, 3), 1 / 3)
    got = made.posterior(near[None], flat)[0]
    assert got.sum() == pytest.approx(1)
    assert got.argmax() == made.said[4].argmax()
    assert Neighbours(lean=0).fit(Home(rows[:0]), Away(rows)).fit_posterior(rows, shares).posterior(
        near[None], flat
    ) == pytest.approx(flat)


def test_it_is_saved_and_written(fitted):
    made, rows, shares = fitted
    again = restore(*made.state())
    assert np.array_equal(again.posterior(rows, shares), made.posterior(rows, shares))
    assert written(make_adaptation("neighbours:k=5:lean=0.25")) == "neighbours:k=5:lean=0.25"


def test_two_recordings_have_one_neighbour_each():
    rows, shares = np.eye(2), np.array([[0.9, 0.1], [0.3, 0.7]])
    made = Neighbours().fit(Home(rows[:0]), Away(rows)).fit_posterior(rows, shares)
    assert np.isfinite(made.posterior(rows, shares)).all()


@pytest.mark.parametrize("options", [{"k": 0}, {"k": 2.5}, {"lean": 1.0}, {"lean": -0.1}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(RecipeError, match="neighbours: k must"):
        Neighbours(**options)
