"""Segments of one recording, and the people who talk in it, stay on one side of every split."""

import numpy as np
import pandas as pd
import pytest

from xlser.data.splits import adapted_splits, make_splits
from xlser.data.together import parted_recordings, split_units
from xlser.errors import CorpusError

KINDS = ("speaker-folds", "leave-one-speaker-out", "shared-speakers", "leave-one-session-out")


@pytest.fixture
def calls():
    """Return a function: calls in each of which two people take turns; the people of the ties talk in both calls."""

    def make(count=6, ties=(), segments=8):
        rows = [
            {"path": f"call{call}.wav", "speaker": f"p{call}{turn % 2}", "session": f"s{call}", "turn": turn}
            for call in range(count)
            for turn in range(segments)
        ]
        frame = pd.DataFrame(rows)
        for call, other in ties:
            frame.loc[(frame["path"] == f"call{other}.wav") & (frame["turn"] == 0), "speaker"] = f"p{call}0"
        frame["id"] = frame["path"] + "#" + frame["turn"].astype(str)
        frame["emotion"] = np.where(frame["turn"] % 4 < 2, "anger", "neutral")
        return frame

    return make


def parts(split):
    return {"train": split.train, "validation": split.validation, "test": split.test}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_no_recording_stands_on_two_sides(calls, kind, seed):
    frame = calls(ties=[] if "session" in kind else [(0, 1)])
    splits = make_splits(frame, kind, folds=3, seed=seed)
    assert len(splits) >= 3
    for split in splits:
        assert parted_recordings(frame, parts(split)) == []
        assert sorted(np.concatenate(list(parts(split).values()))) == list(range(len(frame)))


def test_speakers_who_share_a_recording_are_one_unit_and_so_are_theirs(calls):
    frame = calls(count=4, ties=[(0, 1)])
    assert split_units(frame).nunique() == 3
    assert len(make_splits(frame, "leave-one-speaker-out")) == 3


def test_units_are_the_speakers_where_nobody_shares_a_recording(calls):
    frame = calls().query("turn % 2 == 0").reset_index(drop=True)
    assert split_units(frame).tolist() == frame["speaker"].tolist()


def test_the_same_person_in_all_recordings_leaves_nothing_to_split(calls):
    frame = calls(count=4).assign(speaker=lambda table: np.where(table["turn"] % 2, "host", table["speaker"]))
    with pytest.raises(CorpusError, match="share recordings"):
        adapted_splits(frame)
    with pytest.raises(CorpusError, match="share recordings"):
        make_splits(frame, folds=3)
    assert len(make_splits(frame, "shared-speakers", folds=4)) == 4


def test_two_calls_are_a_split_of_two(calls):
    splits, why = adapted_splits(calls(count=2))
    assert [len(split.train) for split in splits] == [8, 8]
    assert "2 speakers" in why


@pytest.mark.parametrize("kind", ["given", "given-shared-speakers"])
def test_a_given_split_through_a_recording_is_refused_unless_asked_for(calls, kind):
    frame = calls()
    given = [{"validation": ["p11"], "test": ["p20", "p21"]}]
    if kind == "given":
        with pytest.raises(CorpusError, match=r"segments of 1 recordings on both sides, such as call1\.wav"):
            make_splits(frame, kind, given=given)
    else:
        assert len(make_splits(frame, kind, given=given)) == 1
