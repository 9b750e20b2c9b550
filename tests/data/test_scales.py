"""One scale for all corpora, and positions of emotion words where a corpus has no ratings."""

import numpy as np
import pandas as pd
import pytest

from xlser.data.scales import DERIVED, derived_ratings, to_unit
from xlser.vocabulary import DIMENSIONS


@pytest.mark.parametrize("scale", [(1, 5), (1, 7), (0, 1), (-3, 3), (1, 9)])
def test_the_ends_and_the_middle_of_a_scale_go_to_those_of_the_unit_scale(scale):
    low, high = scale
    assert to_unit(np.array([low, (low + high) / 2, high]), scale).tolist() == [-1, 0, 1]


def test_equal_steps_stay_equal_and_missing_stays_missing():
    out = to_unit(np.array([1, 1.5, 2, np.nan]), (1, 5))
    assert np.diff(out[:3]).tolist() == [0.25, 0.25]
    assert np.isnan(out[3])


def test_derived_ratings_are_of_the_word_and_missing_where_the_table_has_none():
    emotions = pd.Series(["anger", "poker", "neutral", "anger"], index=[7, 3, 5, 1])
    table = derived_ratings(emotions)
    assert list(table.columns) == list(DIMENSIONS)
    assert table.index.tolist() == [7, 3, 5, 1]
    assert table.iloc[0].to_dict() == table.iloc[3].to_dict() == DERIVED["anger"]
    assert table.iloc[1].isna().all()
    assert (table.iloc[2] == 0).all()


def test_derived_positions_stand_where_the_emotions_are_known_to():
    assert all(-1 <= value <= 1 for values in DERIVED.values() for value in values.values())
    signs = {name: tuple(np.sign([values["valence"], values["activation"]])) for name, values in DERIVED.items()}
    assert signs["anger"] == signs["fear"] == (-1, 1)
    assert signs["happiness"] == (1, 1)
    assert signs["sadness"] == signs["boredom"] == (-1, -1)
