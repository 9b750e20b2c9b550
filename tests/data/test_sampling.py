"""Batches: every row once an epoch, every batch of use to its loss."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlser.data.sampling import DealtBatches
from xlser.errors import RecipeError


@pytest.fixture
def ratings():
    return np.random.default_rng(0).integers(1, 9, size=(203, 2)) / 2


def epoch(batches, number):
    batches.set_epoch(number)
    return [rows.tolist() for rows in batches]


@settings(max_examples=60, deadline=None)
@given(rows=st.integers(2, 200), batch=st.integers(2, 64), seed=st.integers(0, 9), number=st.integers(1, 9))
def test_every_row_comes_once_an_epoch_in_batches_of_one_size(rows, batch, seed, number):
    batches = DealtBatches(np.zeros((rows, 0)), batch, seed)
    dealt = epoch(batches, number)
    sizes = [len(rows) for rows in dealt]
    assert sorted(row for hand in dealt for row in hand) == list(range(rows))
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= batch
    assert len(dealt) == len(batches) == -(-rows // batch)


def test_epochs_differ_and_seeds_differ(ratings):
    deals = [epoch(DealtBatches(ratings, 32, seed), number) for seed in (0, 1) for number in (1, 2, 3)]
    assert all(deals[i] != deals[j] for i in range(6) for j in range(i))


def test_the_same_seed_and_epoch_give_the_same_batches_whatever_came_before(ratings):
    batches = DealtBatches(ratings, 32, 5)
    epoch(batches, 1)
    epoch(batches, 2)
    assert epoch(batches, 3) == epoch(DealtBatches(ratings, 32, 5), 3) == epoch(batches, 3)


def test_every_batch_has_two_values_of_every_key():
    keys = np.zeros((40, 2))
    keys[:10, 0], keys[5:15, 1] = 1, 1
    batches = DealtBatches(keys, 8, 0)
    for number in range(1, 30):
        for rows in epoch(batches, number):
            assert (np.ptp(keys[rows], axis=0) > 0).all()


def test_a_batch_spans_the_range_of_the_first_key():
    keys = np.arange(100.0)[:, None]
    for rows in epoch(DealtBatches(keys, 10, 0), 1):
        assert keys[rows].min() < 10
        assert keys[rows].max() >= 90


@pytest.mark.parametrize("rated", [20, 50])
def test_rows_without_a_rating_are_spread_evenly(rated):
    keys = np.full((100, 1), np.nan)
    keys[np.random.default_rng(0).permutation(100)[:rated], 0] = np.arange(rated)
    for number in (1, 2, 3):
        counts = [np.isfinite(keys[rows]).sum() for rows in epoch(DealtBatches(keys, 10, 0), number)]
        assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize(
    ("keys", "rated"),
    [
        (np.full((40, 1), np.nan), r"\[0\] of 40"),
        (np.ones((40, 1)), r"\[40\] of 40"),
        (np.where(np.arange(40)[:, None] < 5, np.arange(40.0)[:, None], np.nan), r"\[5\] of 40"),
    ],
    ids=["no ratings", "one value", "fewer ratings than batches need"],
)
def test_keys_that_cannot_serve_every_batch_are_refused_at_once(keys, rated):
    with pytest.raises(RecipeError, match=f"training.batch 4 makes 10 batches.*{rated}.*Use a larger batch"):
        DealtBatches(keys, 4, 0)
