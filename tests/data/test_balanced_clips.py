"""Balanced batches of clips: equal shares of an epoch, no clip twice in a batch, the same for every way to go on."""

from collections import Counter

import numpy as np
import pytest

from xlser.data.balanced_clips import BalancedClips
from xlser.data.clip_batches import ClipBatches
from xlser.errors import RecipeError

RNG = np.random.default_rng(0)
GROUPS = np.array([0] * 40 + [1] * 12 + [2] * 8)
LABELS = RNG.integers(0, 3, 60)
SECONDS = RNG.uniform(1, 4, 60)


def batches(rank=0, world=1, seed=0, groups=GROUPS):
    def of(rows):
        return ClipBatches(SECONDS[rows], LABELS[rows], budget=40, seed=seed, rank=rank, world=world)

    return BalancedClips(groups, LABELS, of, seed)


def test_every_group_gives_equally_many_clips_to_an_epoch_of_as_many():
    made, seen = batches(), Counter()
    for epoch in range(1, 8):
        made.set_epoch(epoch)
        rows = np.concatenate(made.whole())
        assert len(rows) == 60
        assert np.ptp(np.bincount(GROUPS[rows])) <= 1
        small = Counter(rows[GROUPS[rows] == 2].tolist())
        assert len(small) == 8, "a small group gives all its clips"
        assert max(small.values()) - min(small.values()) <= 1
        seen.update(rows[GROUPS[rows] == 0].tolist())
    assert len(seen) == 40, "over the epochs a large group gives all its clips"


def test_no_clip_stands_in_a_batch_twice_and_each_holds_two_classes_of_two():
    made = batches()
    for rows in made.whole():
        assert len(set(rows.tolist())) == len(rows)
        counts = np.bincount(LABELS[rows])
        assert (counts >= 2).sum() >= 2
        assert SECONDS[rows].max() * len(rows) <= 40


def test_classes_keep_their_shares_within_a_group():
    rows = np.concatenate(batches().whole())
    for group in range(3):
        own, given = LABELS[group == GROUPS], LABELS[rows[GROUPS[rows] == group]]
        shares = [np.bincount(labels, minlength=3) / len(labels) for labels in (own, given)]
        assert np.abs(shares[0] - shares[1]).max() < 0.15


def test_the_same_seed_and_epoch_give_the_same_batches_and_others_others():
    def told(**options):
        return [rows.tolist() for rows in batches(**options)]

    assert told() == told()
    assert told() != told(seed=1)
    later = batches()
    later.set_epoch(2)
    assert [rows.tolist() for rows in later] != told()


def test_it_goes_on_behind_the_batches_that_were_done():
    made = batches()
    every = [rows.tolist() for rows in made]
    made.resume(2)
    assert [rows.tolist() for rows in made] == every[2:]
    assert [rows.tolist() for rows in made] == every
    with pytest.raises(ValueError, match="`step` must be from 0"):
        made.resume(len(every) + 1)


def test_two_processes_share_the_batches_of_one():
    one, pair = batches(), [batches(rank=rank, world=2) for rank in (0, 1)]
    for whole, *parts in zip(one, *pair, strict=True):
        assert sorted(whole.tolist()) == sorted(np.concatenate(parts).tolist())


def test_rounds_that_are_too_small_for_a_batch_name_the_balance():
    def of(rows):
        return ClipBatches(SECONDS[rows], LABELS[rows], budget=40, classes=3, clips=4)

    with pytest.raises(
        RecipeError, match=r"training.balance an epoch is dealt in \d+ rounds.* smallest group has 2 clips"
    ):
        BalancedClips(np.array([0] * 58 + [1] * 2), LABELS, of, 0)


def test_one_group_is_an_ordinary_epoch():
    rows = np.concatenate(batches(groups=np.zeros(60, int)).whole())
    assert sorted(rows.tolist()) == list(range(60))
