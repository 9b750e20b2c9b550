"""Batches of clips: the classes a loss needs in every one, every clip once, little padding."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlser.corpora.card import load_card
from xlser.data.clip_batches import ClipBatches, padding_share
from xlser.data.clip_rules import Clips
from xlser.data.manifest import build_manifest
from xlser.errors import RecipeError

FOUR = np.array([0, 0, 1, 1])
COUNTS = {"emodb": 535, "urdu": 400, "ravdess": 480}


def codes(values):
    return np.unique(values, return_inverse=True)[1]


def speech(rows, seed=0, classes=6):
    """Synthetic lengths and labels: log-normal durations, classes of unequal size, one clip in ten without a class."""
    rng = np.random.default_rng(seed)
    seconds = np.clip(rng.lognormal(1.2, 0.5, rows), 0.5, 12)
    share = np.arange(classes, 0, -1) / np.arange(1, classes + 1).sum()
    labels = np.where(rng.random(rows) < 0.1, -1, rng.choice(classes, rows, p=share))
    return seconds, labels


def epoch(batches, number):
    batches.set_epoch(number)
    return [rows.tolist() for rows in batches.whole()]


def assert_the_rules(dealt, seconds, labels, budget, classes, clips, mixed=None):
    """Count by hand what every batch must have."""
    for rows in dealt:
        if mixed is not None:
            of_class = [mixed[[row for row in rows if labels[row] == code]] for code in set(labels.tolist()) - {-1}]
            assert sum(len(found) >= clips and len(set(found.tolist())) > 1 for found in of_class) >= classes
        of_class = [int((labels[rows] == code).sum()) for code in set(labels.tolist()) - {-1}]
        assert sum(count >= clips for count in of_class) >= classes
        assert len(rows) * max(seconds[row] for row in rows) <= budget
    assert sorted(row for rows in dealt for row in rows) == list(range(len(seconds)))


@st.composite
def settings_of_batches(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows, many = draw(st.integers(4, 250)), draw(st.integers(1, 9))
    seconds = rng.lognormal(0, draw(st.floats(0, 1.5)), rows)
    # The smaller the parameter, the more clips fall to one class; some have no class at all.
    labels = rng.choice(many, rows, p=rng.dirichlet(np.full(many, draw(st.sampled_from([0.3, 1, 10])))))
    labels[rng.random(rows) < draw(st.sampled_from([0, 0, 0.2, 0.7]))] = -1
    if draw(st.booleans()):  # a class whose clips are all long
        seconds[labels == 0] *= 4
    return seconds, labels, draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.floats(1, 12))


@settings(max_examples=300, deadline=None)
@given(case=settings_of_batches(), world=st.integers(1, 5), seed=st.integers(0, 99))
def test_every_batch_has_its_classes_and_clips_within_the_budget(case, world, seed):
    seconds, labels, classes, clips, times = case
    budget = times * classes * clips * seconds.max()
    try:
        batches = ClipBatches(seconds, labels, budget=budget, classes=classes, clips=clips, seed=seed, world=world)
    except RecipeError:
        return  # some settings allow no batches; the next test says which ones must
    for number in (1, 2, 3):
        dealt = epoch(batches, number)
        assert_the_rules(dealt, seconds, labels, budget, classes, clips)
        assert min(len(rows) for rows in dealt) >= world
        assert len(dealt) == len(batches)


@settings(max_examples=300, deadline=None)
@given(
    case=settings_of_batches(),
    many=st.integers(1, 5),
    even=st.booleans(),
    apart=st.floats(0, 2),
    seed=st.integers(0, 99),
)
def test_every_set_has_two_different_codes_at_least(case, many, even, apart, seed):
    seconds, labels, classes, clips, times = case
    rng = np.random.default_rng(seed)
    mixed = rng.choice(many, len(labels), p=rng.dirichlet(np.full(many, 10 if even else 0.3)))
    seconds = seconds * np.exp(apart * mixed)  # the clips of one code are longer than those of another
    clips, world = clips + 1, 1 + seed % 5
    budget = times * classes * clips * seconds.max()
    options = {"classes": classes, "clips": clips, "seed": seed, "world": world, "mixed": mixed}
    try:
        batches = ClipBatches(seconds, labels, budget=budget, **options)
    except RecipeError:
        return  # test_clip_queues.py says how many batches there must be where lengths leave room for them
    for number in (1, 2, 3):
        dealt = epoch(batches, number)
        assert_the_rules(dealt, seconds, labels, budget, classes, clips, mixed)
        assert min(len(rows) for rows in dealt) >= world
        assert len(dealt) == len(batches)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.integers(1, 40),
    many=st.integers(2, 8),
    classes=st.integers(2, 4),
    clips=st.integers(1, 3),
    tail=st.floats(0, 1.5),
    seed=st.integers(0, 999),
)
def test_balanced_classes_of_any_lengths_are_never_refused(rows, many, classes, clips, tail, seed):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(max(many, classes)), rows * clips)
    seconds = rng.lognormal(0, tail, len(labels))
    budget = 2 * classes * clips * seconds.max()
    batches = ClipBatches(seconds, labels, budget=budget, classes=classes, clips=clips)
    assert_the_rules(epoch(batches, 1), seconds, labels, budget, classes, clips)


def test_one_batch_of_exactly_its_classes_and_clips():
    batches = ClipBatches(np.full(4, 3.0), np.array([0, 1, 0, 1]), budget=12.0)
    assert [sorted(rows) for rows in epoch(batches, 1)] == [[0, 1, 2, 3]]


def test_a_quotient_that_is_rounded_up_does_not_go_beyond_the_budget():
    seconds, labels = np.full(5, 0.39), np.zeros(5, dtype=int)
    assert 1.95 // 0.39 < 1.95 / 0.39 == 5
    with pytest.raises(RecipeError, match="but holds 4"):
        ClipBatches(seconds, labels, budget=1.95, classes=1, clips=5)
    assert len(ClipBatches(seconds, labels, budget=1.96, classes=1, clips=5)) == 1


def test_the_most_batches_are_those_that_counting_finds():
    rng = np.random.default_rng(3)
    for _ in range(200):
        counts, sets, quota = rng.integers(1, 30, rng.integers(3, 7)), int(rng.integers(1, 4)), int(rng.integers(1, 4))
        counts[:sets] += quota
        labels = np.repeat(np.arange(len(counts)), counts)
        clips = Clips.of(np.ones(len(labels)), labels, None, budget=1e3, sets=sets, quota=quota, world=1)
        assert clips.most_batches == _counted(counts, sets, quota)


def _counted(counts, sets, quota):
    """Give each batch the classes with the most sets left, and raise the number of batches while that goes well."""
    batches = 0
    left = [count // quota for count in counts]
    while True:
        left = sorted(left, reverse=True)
        if left[sets - 1] == 0:
            return batches
        left[:sets] = [units - 1 for units in left[:sets]]
        batches += 1


def test_a_class_that_is_rare_rides_along():
    seconds, labels = speech(300)
    labels[:1], labels[1:3] = 70, 71
    batches = ClipBatches(seconds, labels, budget=128, classes=3, clips=3)
    assert_the_rules(epoch(batches, 1), seconds, labels, 128, 3, 3)


def test_a_scarce_class_goes_to_every_batch_where_only_two_are_there():
    rng = np.random.default_rng(0)
    seconds, labels = rng.uniform(1, 3, 100), np.repeat([0, 1], [90, 10])
    batches = ClipBatches(seconds, labels, budget=80)
    for number in range(1, 20):
        assert_the_rules(epoch(batches, number), seconds, labels, 80, 2, 2)


def test_epochs_differ_and_seeds_differ_in_order_and_in_company():
    seconds, labels = speech(400)
    batches = [ClipBatches(seconds, labels, budget=64, seed=seed) for seed in (0, 1)]
    deals = [{tuple(sorted(rows)) for rows in epoch(of_seed, number)} for of_seed in batches for number in (1, 2, 3)]
    assert all(len(deals[i] & deals[j]) < 0.2 * len(batches[0]) for i in range(6) for j in range(i))
    lengths = [seconds[rows].max() for rows in epoch(batches[0], 1)]
    assert 0.3 < np.mean(np.diff(lengths) > 0) < 0.7


def test_the_same_seed_and_epoch_give_the_same_batches_whatever_came_before():
    seconds, labels = speech(400)
    batches = ClipBatches(seconds, labels, budget=64, seed=5)
    np.random.seed(1)
    epoch(batches, 1)
    epoch(batches, 2)
    assert epoch(batches, 3) == epoch(ClipBatches(seconds, labels, budget=64, seed=5), 3) == epoch(batches, 3)


def test_where_every_deal_fails_the_one_of_the_set_up_comes_in_another_order(monkeypatch):
    seconds, labels = speech(200)
    batches = ClipBatches(seconds, labels, budget=64)
    monkeypatch.setattr("xlser.data.clip_batches.deal", lambda *_: None)
    first, second = epoch(batches, 1), epoch(batches, 2)
    assert first != second
    assert sorted(first) == sorted(second)
    assert_the_rules(first, seconds, labels, 64, 2, 2)


@pytest.mark.parametrize("step", [0, 1, 7])
def test_a_resumed_epoch_is_the_tail_and_the_next_one_is_whole(step):
    seconds, labels = speech(200)
    batches = ClipBatches(seconds, labels, budget=64)
    batches.set_epoch(2)
    full = [rows.tolist() for rows in batches]
    batches.resume(step)
    batches.set_epoch(2)
    assert [rows.tolist() for rows in batches] == full[step:]
    assert [rows.tolist() for rows in batches] == full
    batches.resume(step)
    batches.set_epoch(3)
    assert len(list(batches)) == len(batches)


def test_a_step_beyond_the_epoch_is_refused():
    batches = ClipBatches(*speech(200), budget=64)
    batches.resume(len(batches))
    assert list(batches) == []
    with pytest.raises(ValueError, match=rf"`step` must be from 0 to the number of batches \({len(batches)}\)"):
        batches.resume(len(batches) + 1)


@pytest.mark.parametrize("world", [2, 3, 7])
def test_ranks_part_each_batch_and_their_seconds_are_near(world):
    seconds, labels = speech(400)
    ranks = [ClipBatches(seconds, labels, budget=96, rank=rank, world=world, seed=2) for rank in range(world)]
    for *shares, whole in zip(*ranks, ranks[-1].whole(), strict=True):
        assert min(len(share) for share in shares) >= 1
        assert np.concatenate(shares).tolist() == whole.tolist()
        sums = [seconds[share].sum() for share in shares]
        assert max(sums) - min(sums) <= seconds[whole].max() + 1e-9
    assert epoch(ranks[0], 4) == epoch(ranks[1], 4)


def test_clips_are_dealt_to_the_ranks_to_and_fro():
    seconds, labels = np.arange(1.0, 9), np.array([0, 1] * 4)
    ranks = [ClipBatches(seconds, labels, budget=64, rank=rank, world=2) for rank in (0, 1)]
    assert [[seconds[rows].tolist() for rows in batches] for batches in ranks] == [[[8, 5, 4, 1]], [[7, 6, 3, 2]]]


def test_speakers_and_languages_of_near_clips_of_a_class_differ():
    # Sets of two from ten speakers in two languages, all of one length: by chance 10 % of pairs share their speaker.
    speakers = np.random.default_rng(0).integers(0, 10, 800)
    labels, spread = np.repeat(np.arange(4), 200), np.stack([speakers, speakers % 2], axis=1)
    same = {}
    for name, kept in (("speakers", spread), ("chance", None)):
        batches = ClipBatches(np.full(800, 2.0), labels, budget=8, spread=kept)
        pairs = [
            spread[rows[labels[rows] == code]] for rows in batches.whole() for code in np.unique(labels[rows]).tolist()
        ]
        same[name] = np.mean([pair[0] == pair[1] for pair in pairs if len(pair) == 2], axis=0)
    assert same["speakers"][0] < 0.02 < 0.06 < same["chance"][0]
    assert same["speakers"][1] < 0.1 < 0.4 < same["chance"][1]


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize(
    ("budget", "classes", "limit"),
    [(16, 2, 0.05), (32, 3, 0.05), (60, 2, 0.05), (64, 2, 0.05), (64, 4, 0.05), (128, 2, 0.09), (128, 4, 0.1)],
)
def test_little_is_padded_on_recorded_corpora(name, budget, classes, limit, real_corpora):
    frame = build_manifest(load_card(name), real_corpora / name).frame
    seconds, labels, speakers = frame["duration"].to_numpy(), codes(frame["emotion"]), codes(frame["speaker"])
    assert len(frame) == COUNTS[name]
    if budget < 2 * classes * seconds.max():
        with pytest.raises(RecipeError, match=f"training.seconds {budget} must hold {2 * classes} clips as long as"):
            ClipBatches(seconds, labels, budget=budget, classes=classes)
        return
    batches = ClipBatches(seconds, labels, budget=budget, classes=classes, spread=speakers[:, None])
    dealt = [epoch(batches, number) for number in range(1, 6)]
    for one in dealt:
        assert_the_rules(one, seconds, labels, budget, classes, 2)
    assert np.mean([padding_share(seconds, one) for one in dealt]) < limit
    assert len({frozenset(tuple(sorted(rows)) for rows in one) for one in dealt}) == 5


@pytest.mark.parametrize(("budget", "classes"), [(64, 2), (128, 2), (128, 4)])
def test_little_is_padded_of_lognormal_lengths(budget, classes):
    seconds, labels = speech(3000)
    batches = ClipBatches(seconds, labels, budget=budget, classes=classes)
    dealt = [epoch(batches, number) for number in (1, 2, 3)]
    assert 0 < np.mean([padding_share(seconds, one) for one in dealt]) < 0.05
    filled = [len(rows) * seconds[rows].max() / budget for rows in dealt[0]]
    assert np.mean(filled) > 0.9


@pytest.mark.parametrize(("budget", "classes", "clips"), [(64, 2, 2), (128, 2, 2), (128, 4, 2), (128, 2, 4)])
def test_a_pair_between_speakers_takes_no_padding(budget, classes, clips, real_corpora):
    frame = build_manifest(load_card("emodb"), real_corpora / "emodb").frame
    seconds, labels, speakers = frame["duration"].to_numpy(), codes(frame["emotion"]), codes(frame["speaker"])
    shares = []
    for mixed in (None, speakers):
        batches = ClipBatches(seconds, labels, budget=budget, classes=classes, clips=clips, mixed=mixed)
        dealt = epoch(batches, 1)
        assert_the_rules(dealt, seconds, labels, budget, classes, clips, mixed)
        shares.append(padding_share(seconds, dealt))
    assert shares[1] < min(shares[0] + 0.01, 0.05 if budget == 64 else 0.1)


@pytest.mark.parametrize(("budget", "classes", "clips"), [(64, 2, 2), (128, 2, 2), (128, 4, 2), (128, 2, 4)])
def test_a_pair_between_languages_takes_little_more_than_the_padding_it_must(budget, classes, clips, real_corpora):
    frames = [build_manifest(load_card(name), real_corpora / name).frame for name in ("emodb", "ravdess")]
    seconds = np.concatenate([frame["duration"].to_numpy() for frame in frames])
    labels = codes(np.concatenate([frame["emotion"].astype(str) for frame in frames]))
    mixed = np.repeat([0, 1], [len(frame) for frame in frames])
    batches = ClipBatches(seconds, labels, budget=budget, classes=classes, clips=clips, mixed=mixed)
    dealt = [epoch(batches, number) for number in (1, 2, 3)]
    for one in dealt:
        assert_the_rules(one, seconds, labels, budget, classes, clips, mixed)
    # Half the clips of EmoDB are shorter than any of RAVDESS, of which every batch must hold one at least.
    least = 1 - seconds.sum() / np.maximum(seconds, seconds[mixed == 1].min()).sum()
    assert least < np.mean([padding_share(seconds, one) for one in dealt]) < least + 0.07
    assert len({frozenset(tuple(sorted(rows)) for rows in one) for one in dealt}) == 3


def test_a_scarce_language_goes_to_every_batch():
    rng = np.random.default_rng(0)
    seconds, labels = rng.uniform(1, 3, 200), np.tile([0, 1], 100)
    mixed = np.zeros(200, dtype=int)
    mixed[10:30] = 1
    batches = ClipBatches(seconds, labels, budget=80, mixed=mixed)
    for number in range(1, 20):
        dealt = epoch(batches, number)
        assert_the_rules(dealt, seconds, labels, 80, 2, 2, mixed)
        assert len(dealt) < 10


def test_padding_counted_by_hand():
    seconds = np.array([1.0, 2.0, 4.0, 4.0])
    assert padding_share(seconds, [np.array([0, 2]), np.array([1, 3])]) == pytest.approx(1 - 11 / 16)
    assert np.isnan(padding_share(seconds, []))


@pytest.mark.parametrize(
    ("seconds", "labels", "options", "text"),
    [
        ([1, 1, 1, 1], FOUR, {"classes": 3}, r"3 classes of 2 clips, but only 2 .*\{0: 2, 1: 2\}.*Lower"),
        ([1, 1, 1, 1], [0, 0, 1, -1], {}, r"only 1 of the classes have 2 clips \(clips by class: \{0: 2, 1: 1\}\)"),
        ([1, 9, 1, 1], FOUR, {}, r"30 must hold 4 clips as long as clip 1 \(9 s\).*holds 3.*Raise .* to 36"),
        ([1, 1, 1, 1, 7], [*FOUR, -1], {}, r"must hold 5 clips as long as clip 4 \(7 s\).*to 35"),
        ([1, 1, 1, 1, 7], [*FOUR, 2], {}, r"must hold 5 clips as long as clip 4 \(7 s\).*to 35"),
        ([1, 1, 1, 1], FOUR, {"world": 5}, "5 processes need as many clips, but there are 4"),
        ([7] * 8, [*FOUR, *FOUR], {"world": 6}, r"must hold 6 clips.*holds 4.*to 42.*use fewer processes"),
        (
            [1] * 8,
            [*FOUR, *FOUR],
            {"mixed": [0, 0, 1, 1, 0, 0, 1, 1]},
            "only 0 of the classes have .* different groups",
        ),
        (
            [1] * 8,
            [*FOUR, *FOUR],
            {"mixed": [0, 0, 1, 1, 1, 0, 1, 1], "mixed_name": "language"},
            "2 classes of 2 clips of two different languages, but only 1 of the classes has clips of two different la",
        ),
        ([1] * 4, [0, 0, 1, -1], {"mixed": [0, 1, 0, 1]}, r"only 1 of the classes have 2 clips \("),
        (
            [5] * 44,
            [1] * 4 + [0] * 40,
            {},
            r"30 makes 8 batches or more of these 44 .* at most 2 batches .*\(try 132\)",
        ),
    ],
    ids=[
        "classes",
        "one clip",
        "long clip",
        "long clip without class",
        "long clip alone",
        "ranks",
        "ranks 2",
        "one code",
        "two codes in one class",
        "one clip, two codes",
        "scarce",
    ],
)
def test_what_cannot_be_is_refused_at_set_up_with_the_way_out(seconds, labels, options, text):
    with pytest.raises(RecipeError, match=text):
        ClipBatches(np.array(seconds, dtype=float), np.array(labels), budget=30, **options)


def test_the_seconds_that_an_error_names_are_enough():
    seconds, labels = np.full(44, 5.0), np.repeat([0, 1], [40, 4])
    assert len(ClipBatches(seconds, labels, budget=132)) == 2
    assert len(ClipBatches(np.array([1.0, 9, 1, 1]), FOUR, budget=36)) == 1


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"seconds": np.array([1.0, 0, 1, 1])}, "clip 1 has 0"),
        ({"seconds": np.array([1.0, 1, np.nan, 1])}, "clip 2 has nan"),
        ({"labels": np.array([0, 0, 1])}, r"one and the same N >= 1.*\(3,\)"),
        ({"labels": np.array([0, 0, 1, -2])}, "`labels` must be integers from -1 on"),
        ({"spread": np.zeros(4, dtype=int)}, r"`spread` \(N, S\)"),
        ({"rank": 2, "world": 2}, r"`rank` must be from 0 to `world` - 1 \(1\), but is 2"),
        ({"budget": 0.0}, "`budget` must be positive"),
        ({"mixed": np.zeros(3, dtype=int)}, r"`mixed` must have the shape \(4,\).* has the shape \(3,\)"),
        ({"mixed": np.array([0, -1, 0, 0])}, r"codes from 0 on.*the code -1"),
        ({"mixed": np.arange(4), "clips": 1}, "`clips` must be at least 2 where a set is to be `mixed`, but is 1"),
        ({"clips": 0}, "`classes` and `clips` at least 1"),
    ],
)
def test_arguments_that_cannot_be_are_refused(changes, text):
    values = {"seconds": np.ones(4), "labels": FOUR, "budget": 30.0} | changes
    with pytest.raises(ValueError, match=text):
        ClipBatches(values.pop("seconds"), values.pop("labels"), **values)
