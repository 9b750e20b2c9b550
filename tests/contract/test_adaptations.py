"""What every adaptation of the table promises."""

from dataclasses import fields

import numpy as np
import pytest

import xlser
from xlser.errors import RecipeError
from xlser.evaluation.adaptations import ADAPTATIONS, make_adaptation, written

every = pytest.mark.parametrize("name", ADAPTATIONS)


@pytest.fixture
def parts():
    """Synthetic rows, more columns than some speakers have rows."""
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(60, 6)), rng.normal(2, 3, size=(31, 6))
    return source, target, np.array(["a"] * 13 + ["b"] * 1 + ["c"] * 17)


@every
def test_its_name_makes_it_and_it_writes_its_name(name):
    made = make_adaptation(name)
    assert made == ADAPTATIONS[name]()
    assert written(made) == name
    assert getattr(xlser, type(made).__name__) is type(made)
    for field in fields(made):
        changed = make_adaptation(f"{name}:{field.name}=0.5")
        assert getattr(changed, field.name) == 0.5
        assert make_adaptation(written(changed)) == changed
    with pytest.raises(RecipeError, match="nosuch"):
        make_adaptation(f"{name}:nosuch=1")


@every
def test_embeddings_stay_rows_and_columns_and_are_finite(name, parts):
    found = make_adaptation(name).embeddings(*parts)
    assert found.shape == parts[1].shape
    assert np.isfinite(found).all()


@every
def test_the_order_of_the_rows_changes_nothing(name, parts):
    source, target, speakers = parts
    order = np.random.default_rng(1).permutation(len(target))
    adaptation = make_adaptation(name)
    expected = adaptation.embeddings(*parts)[order]
    np.testing.assert_allclose(adaptation.embeddings(source, target[order], speakers[order]), expected, atol=1e-9)


@every
def test_probabilities_stay_distributions_and_only_some_correct_them(name):
    rng = np.random.default_rng(2)
    given = rng.dirichlet([0.5, 1.0, 2.0], size=40)
    adaptation = make_adaptation(name)
    found = adaptation.probabilities(given, np.full(3, 1 / 3))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert adaptation.on_probabilities == (not np.allclose(found, given))


def test_a_name_that_is_none_is_refused_with_the_nearest_one():
    with pytest.raises(RecipeError, match="coral"):
        make_adaptation("corall")
    with pytest.raises(RecipeError, match="number"):
        make_adaptation("coral:shrinkage=much")
