"""Splits: disjoint, whole, without a speaker on two sides, the same every time."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlser.data.splits import PARTS, make_splits
from xlser.errors import CorpusError


def table(speakers, emotions, sessions=None):
    return pd.DataFrame(
        {
            "id": [f"c/{number:04d}" for number in range(len(speakers))],
            "speaker": list(speakers),
            "emotion": list(emotions),
            "session": list(sessions) if sessions is not None else None,
        }
    )


@st.composite
def corpora(draw):
    people = draw(st.integers(3, 12))
    rows = draw(st.lists(st.tuples(st.integers(0, people - 1), st.sampled_from("ahns")), min_size=0, max_size=60))
    rows = [*rows, *((person, "n") for person in range(people))]
    return table([f"s{person}" for person, _ in rows], [emotion for _, emotion in rows])


@pytest.fixture
def balanced():
    """Twenty speakers, each with ten utterances of every one of four emotions."""
    rows = [(f"s{person:02d}", emotion) for person in range(20) for emotion in "ahns" for _ in range(10)]
    return table(*zip(*rows, strict=True), sessions=[f"Ses{int(name[1:]) // 4}" for name, _ in rows])


def check(frame, splits, shares=False):
    for split in splits:
        parts = [getattr(split, name) for name in PARTS]
        assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(frame))), "disjoint, and nothing left over"
        assert all(len(part) and (np.diff(part) > 0).all() for part in parts)
        people = [set(frame["speaker"].iloc[part]) for part in parts]
        twice = (people[0] & people[1]) | (people[0] & people[2]) | (people[1] & people[2])
        assert split.shared == tuple(sorted(twice))
        assert shares or not twice
    tested = np.concatenate([split.test for split in splits])
    assert np.array_equal(np.sort(tested), np.arange(len(frame))), "every utterance is tested once"
    assert len({split.hash for split in splits}) == len(splits)


@settings(max_examples=60, deadline=None)
@given(frame=corpora(), seed=st.integers(0, 99), data=st.data())
@pytest.mark.filterwarnings("ignore:The least populated class:UserWarning")
def test_speaker_folds_of_any_corpus_part_its_speakers(frame, seed, data):
    folds = data.draw(st.integers(3, frame["speaker"].nunique()))
    splits = make_splits(frame, folds=folds, seed=seed)
    assert len(splits) == folds
    check(frame, splits)


@settings(max_examples=30, deadline=None)
@given(frame=corpora())
def test_leaving_one_speaker_out_tests_each_alone(frame):
    splits = make_splits(frame, "leave-one-speaker-out")
    check(frame, splits)
    assert [frame["speaker"].iloc[split.test].unique().tolist() for split in splits] == [
        [name] for name in sorted(frame["speaker"].unique())
    ]


@settings(max_examples=30, deadline=None)
@given(frame=corpora(), seed=st.integers(0, 99))
def test_shared_speakers_of_any_corpus_are_named(frame, seed):
    check(frame, make_splits(frame, "shared-speakers", folds=3, seed=seed), shares=True)


def test_sharing_speakers_happens_only_when_asked_for_by_name(balanced):
    assert all(len(split.shared) == 20 for split in make_splits(balanced, "shared-speakers"))
    assert all(split.shared == () for split in make_splits(balanced))


@pytest.mark.parametrize("kind", ["speaker-folds", "leave-one-speaker-out"])
def test_validation_on_clips_shares_speakers_with_training_and_none_with_the_test(balanced, kind):
    plain = make_splits(balanced, kind, folds=5)
    for split, before in zip(make_splits(balanced, kind, folds=5, validation_clips=0.2), plain, strict=True):
        assert np.array_equal(split.test, before.test)
        assert np.array_equal(np.sort(np.concatenate([split.train, split.validation, split.test])), np.arange(800))
        assert len(split.validation) == pytest.approx(0.2 * (800 - len(split.test)), abs=4)
        assert set(balanced["emotion"].iloc[split.validation].value_counts()) == {len(split.validation) // 4}
        tested, known = (set(balanced["speaker"].iloc[rows]) for rows in (split.test, split.train))
        assert set(split.shared) == known
        assert not tested & known


def test_validation_on_clips_keeps_the_segments_of_a_recording_together(balanced):
    calls = balanced.assign(path=[f"{row.speaker}/{place % 8}.wav" for place, row in enumerate(balanced.itertuples())])
    for split in make_splits(calls, validation_clips=0.3):
        assert not set(calls["path"].iloc[split.train]) & set(calls["path"].iloc[split.validation])
        assert len(split.validation) > 0


def test_given_folds_that_share_speakers_need_asking_by_name_too(balanced):
    rows = balanced["id"].tolist()
    given = [{"test": rows[:10], "validation": rows[10:20]}]
    with pytest.raises(CorpusError, match="kind: given-shared-speakers"):
        make_splits(balanced, "given", given=given)
    (split,) = make_splits(balanced, "given-shared-speakers", given=given)
    assert split.shared


def test_sessions_are_tested_one_by_one(balanced):
    splits = make_splits(balanced, "leave-one-session-out")
    check(balanced, splits)
    assert [set(balanced["session"].iloc[split.test]) for split in splits] == [{f"Ses{i}"} for i in range(5)]


def test_sessions_that_the_card_does_not_give_are_asked_for(balanced):
    with pytest.raises(CorpusError, match=r"needs a `session` for every utterance.*Use kind: speaker-folds"):
        make_splits(balanced.assign(session=None), "leave-one-session-out")


def test_a_speaker_in_two_sessions_is_not_split(balanced):
    mixed = balanced.assign(session=[f"Ses{i % 5}" for i in range(len(balanced))])
    with pytest.raises(CorpusError, match="puts 20 speakers on both sides: s00, s01"):
        make_splits(mixed, "leave-one-session-out")


@pytest.mark.parametrize("kind", ["speaker-folds", "shared-speakers"])
@pytest.mark.parametrize("folds", [4, 5])
def test_class_shares_of_a_balanced_corpus_are_close_to_its_own_in_every_part(balanced, kind, folds):
    for split in make_splits(balanced, kind, folds=folds):
        for name in PARTS:
            shares = balanced["emotion"].iloc[getattr(split, name)].value_counts(normalize=True)
            assert shares.reindex(list("ahns")).to_numpy() == pytest.approx(0.25, abs=0.02)
        assert len(split.test) == pytest.approx(len(balanced) / folds, rel=0.1)


@pytest.mark.filterwarnings("ignore:The least populated class:UserWarning")
def test_speakers_are_dealt_so_that_classes_are_spread():
    rows = [(f"s{i}", emotion) for i in range(8) for emotion in ["n"] * 10 + (["a"] * 10 if i % 2 else [])]
    frame = table(*zip(*rows, strict=True))
    assert all("a" in set(frame["emotion"].iloc[split.test]) for split in make_splits(frame, folds=4))


def test_the_same_seed_gives_the_same_split_whatever_the_order_of_the_rows(balanced):
    shuffled = balanced.sample(frac=1, random_state=1)
    for kind in ("speaker-folds", "leave-one-speaker-out", "leave-one-session-out"):
        hashes = [split.hash for split in make_splits(balanced, kind)]
        assert [split.hash for split in make_splits(shuffled, kind)] == hashes
    assert [s.hash for s in make_splits(balanced, seed=1)] != [s.hash for s in make_splits(balanced, seed=0)]


def test_no_fold_is_empty_where_stratifying_would_leave_one():
    frame = table("aaaabbcccccd", "nnnnhhhnhhnh")
    check(frame, make_splits(frame, folds=4))
    assert len(make_splits(frame, folds=4)) == 4


def test_one_utterance_a_class_still_gives_splits_in_any_order():
    frame = table("abcdef", "uvwxyz")
    hashes = [split.hash for split in make_splits(frame, folds=3)]
    check(frame, make_splits(frame, folds=3))
    assert [split.hash for split in make_splits(frame.iloc[::-1], folds=3)] == hashes


@pytest.mark.parametrize(
    ("kind", "options", "told"),
    [
        ("speaker-folds", {"folds": 5}, "`folds` 5 needs at least 5 speakers .* but the corpus has 3.*Use fewer folds"),
        ("speaker-folds", {"folds": 2}, "`folds` must be at least 3 .* but is 2 instead"),
        ("shared-speakers", {"folds": 9}, "needs at least 9 utterances .* has 6"),
    ],
)
def test_too_few_speakers_come_with_the_way_out(kind, options, told):
    with pytest.raises(CorpusError, match=told):
        make_splits(table("aabbcc", "xyxyxy"), kind, **options)


@pytest.mark.parametrize("kind", ["leave-one-speaker-out", "leave-one-session-out"])
def test_leaving_one_of_two_out_is_refused(kind):
    with pytest.raises(CorpusError, match=r"needs at least 3 of them .* there are 2: "):
        make_splits(table("aabb", "xyxy", sessions="1122"), kind)


def test_a_given_fold_names_speakers_or_ids():
    frame = table("aabbccdd", "xyxyxyxy")
    (split,) = make_splits(frame, "given", given=[{"test": ["a"], "validation": ["c/0002", "c/0003"]}])
    assert [split.test.tolist(), split.validation.tolist(), split.train.tolist()] == [[0, 1], [2, 3], [4, 5, 6, 7]]
    (split,) = make_splits(frame, "given", given=[{"test": ["a"], "validation": ["b"], "train": ["d"]}])
    assert split.train.tolist() == [6, 7]


@pytest.mark.parametrize(
    ("fold", "told"),
    [
        ({"test": ["a"], "validation": ["c/0002"]}, "puts 1 speakers on both sides: b.*kind: given-shared-speakers"),
        ({"test": ["a"], "validation": ["a", "b"]}, "puts 1 speakers on both sides: a"),
        ({"test": ["zoe"], "validation": ["b"]}, r"\['zoe'\] is neither an id nor a speaker"),
        ({"tset": ["a"], "validation": ["b"]}, r"'tset' .*is no part of a split \(train, validation, test\)"),
        ({"test": ["a"]}, "its validation part is empty"),
        ({}, "validation part is empty"),
    ],
)
def test_a_given_fold_that_cannot_be_is_refused(fold, told):
    with pytest.raises(CorpusError, match=told):
        make_splits(table("aabbccdd", "xyxyxyxy"), "given", given=[fold])


def test_given_without_folds_is_refused():
    with pytest.raises(CorpusError, match="at least one fold under `given`"):
        make_splits(table("abc", "xyz"), "given")
