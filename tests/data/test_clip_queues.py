"""What sets of clips a class can still give, against a search through every way of taking them."""

from functools import cache
from itertools import combinations, combinations_with_replacement, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlser.data.clip_buckets import deal
from xlser.data.clip_queues import MixedQueue, Queue
from xlser.data.clip_rules import Clips
from xlser.errors import RecipeError


@cache
def ways(left, quota):
    """Return what each way of taking a set of two codes at least leaves of the clips, counted by code."""
    sets = (
        tuple(chosen.count(code) for code in range(len(left)))
        for chosen in combinations_with_replacement(range(len(left)), quota)
        if len(set(chosen)) > 1
    )
    rests = (tuple(a - b for a, b in zip(left, taken, strict=True)) for taken in sets)
    return [tuple(sorted(rest)) for rest in rests if min(rest) >= 0]


@cache
def searched_units(left, quota):
    return max((1 + searched_units(rest, quota) for rest in ways(left, quota)), default=0)


@cache
def searched_batches(classes, sets, quota):
    """Return the most batches of all ways of choosing classes and clips."""
    best = 0
    for chosen in combinations(range(len(classes)), sets):
        for rests in product(*(set(ways(classes[c], quota)) for c in chosen)):
            after = dict(zip(chosen, rests, strict=True))
            left = tuple(sorted(after.get(c, one) for c, one in enumerate(classes)))
            best = max(best, 1 + searched_batches(left, sets, quota))
    return best


def mixed_queue(counts, quota, rng):
    codes = rng.permutation(np.repeat(np.arange(len(counts)), counts)).tolist()
    return MixedQueue(list(range(len(codes))), quota, codes)


@pytest.mark.parametrize("quota", [2, 3, 4])
def test_a_mixed_class_gives_the_sets_that_a_search_finds(quota):
    rng = np.random.default_rng(0)
    for counts in product(range(1, 7), range(6), range(4), range(3)):
        assert mixed_queue(counts, quota, rng).units() == searched_units(tuple(sorted(counts)), quota)


@settings(max_examples=300, deadline=None)
@given(
    counts=st.lists(st.integers(0, 12), min_size=2, max_size=5).filter(any),
    quota=st.integers(2, 5),
    seed=st.integers(0, 9999),
    later=st.integers(0, 12),
)
def test_every_set_is_mixed_and_costs_one_at_most(counts, quota, seed, later):
    rng = np.random.default_rng(seed)
    queue = mixed_queue(counts, quota, rng)
    held = set(range(len(queue)))
    while units := queue.units():
        if rng.random() < 0.4 and (place := queue.free(later)) is not None:  # a clip beside the sets
            queue.take(place)
            taken = [place]
            assert queue.units() >= min(units, later)
        else:
            taken = queue.take_set(later)
            assert len({queue.codes[place] for place in taken}) > 1
            assert len(taken) == quota
            assert queue.units() >= min(units - 1, later)
        assert held.issuperset(taken)
        held -= set(taken)
        later = max(0, later - 1)
        assert len(queue) == len(held)
        assert queue.head() == min(held, default=None)


@pytest.mark.parametrize("seed", range(30))
def test_a_clip_costs_what_taking_it_takes_from_later_batches(seed):
    rng = np.random.default_rng(seed)
    counts, quota = rng.integers(1, 9, rng.integers(2, 5)), int(rng.integers(2, 5))
    for make in (mixed_queue, lambda counts, quota, _: Queue(list(range(sum(counts))), quota)):
        queue = make(counts, quota, rng)
        while queue:
            costs, free, units = [queue.costs(later) for later in range(20)], queue.free(5), queue.units()
            assert costs[5] or free == queue.head()
            queue.take(queue.head())
            assert costs == [min(queue.units(), later) < min(units, later) for later in range(20)]


def test_where_the_head_costs_a_clip_of_the_most_frequent_code_is_free():
    queue = MixedQueue([0, 1, 2, 3, 4, 5], 2, [1, 0, 0, 0, 0, 1])
    assert queue.units() == 2
    assert queue.costs(2)
    assert (queue.free(2), queue.free(1), queue.head()) == (1, 0, 0)
    queue.take(1)
    assert sorted(queue.take_set(1)) == [0, 2]
    assert queue.take_set(0) == [3, 5]


@st.composite
def coded_clips(draw, most):
    """Synthetic clips of unequal classes, in each of which the codes have unequal shares."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows, classes, codes = draw(st.integers(4, most)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    labels = rng.choice(classes, rows, p=rng.dirichlet(np.full(classes, 3)))
    shares = rng.dirichlet(np.full(codes, draw(st.sampled_from([0.3, 1, 10]))), classes)
    mixed = np.array([rng.choice(codes, p=shares[label]) for label in labels])
    return labels, mixed, draw(st.integers(1, 3)), draw(st.integers(2, 4)), rng


def rules(labels, mixed, sets, quota, seconds=None):
    seconds = np.ones(len(labels)) if seconds is None else seconds
    return Clips.of(seconds, labels, None, budget=1e9, sets=sets, quota=quota, world=1, mixed=mixed)


@settings(max_examples=150, deadline=None)
@given(case=coded_clips(13))
def test_the_most_mixed_batches_are_those_that_a_search_finds(case):
    labels, mixed, sets, quota, _ = case
    table = [tuple(sorted(np.bincount(mixed[labels == label]).tolist())) for label in np.unique(labels)]
    found = searched_batches(tuple(sorted(table)), sets, quota)
    if found:
        assert rules(labels, mixed, sets, quota).most_batches == found
    else:
        with pytest.raises(RecipeError, match=f"{sets} classes of {quota} clips"):
            rules(labels, mixed, sets, quota)


@settings(max_examples=200, deadline=None)
@given(case=coded_clips(120), part=st.floats(0, 1))
def test_any_number_of_batches_up_to_the_most_can_be_dealt_where_lengths_do_not_bound_them(case, part):
    labels, mixed, sets, quota, rng = case
    try:
        clips = rules(labels, mixed, sets, quota, rng.lognormal(0, 1, len(labels)))
    except RecipeError:
        return  # the test before says which ones
    for batches in {1, round(1 + part * (clips.most_batches - 1)), clips.most_batches}:
        dealt = deal(clips, batches, rng)
        assert len(dealt) == batches
        assert sorted(np.concatenate(dealt).tolist()) == list(range(len(labels)))
        for rows in dealt:
            of_class = [mixed[rows][labels[rows] == label] for label in np.unique(labels)]
            assert sum(len(codes) >= quota and len(set(codes)) > 1 for codes in of_class) >= sets
