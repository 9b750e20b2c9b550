"""Votes as shares of emotions, each beside an obvious second count."""

import random

import numpy as np
import pandas as pd
import pytest

from xlser.corpora.votes import read_votes, votes_json
from xlser.data.vote_shares import distribution, merge_votes


def test_a_distribution_has_rows_that_sum_to_one_or_say_nothing():
    deal, classes = random.Random(2), ["anger", "neutral", "sadness"]
    rows = [{name: deal.randint(0, 3) for name in [*classes, "fear"]} for _ in range(200)]
    got = distribution([votes_json(row) for row in rows], classes)
    for row, shares in zip(rows, got, strict=True):
        total = sum(row[name] for name in classes)
        if total == 0:
            assert np.isnan(shares).all()
        else:
            assert shares.tolist() == pytest.approx([row[name] / total for name in classes])
    assert np.isnan(got).any(axis=1).sum() > 0
    assert distribution([], classes).shape == (0, 3)
    assert np.isnan(distribution([None, np.nan, ""], classes)).all()


def test_merged_emotions_take_their_votes_with_them():
    deal = random.Random(3)
    rows = [{name: deal.randint(0, 3) for name in ("anger", "calm", "neutral")} for _ in range(50)]
    frame = pd.DataFrame({"votes": [votes_json({n: c for n, c in row.items() if c}) for row in rows]})
    frame = frame.assign(secondary=["calm, anger"] * 49 + [None], emotion="neutral")
    merged = merge_votes(frame, {"calm": "neutral"})
    for row, cell in zip(rows, merged["votes"], strict=True):
        assert read_votes(cell).get("neutral", 0) == row["calm"] + row["neutral"]
        assert read_votes(cell).get("anger", 0) == row["anger"]
    # pandas has two ways to say that nothing is there.
    said = [cell if isinstance(cell, str) else None for cell in merged["secondary"]]
    assert said == ["anger"] * 49 + [None]
    assert frame["secondary"].iloc[0] == "calm, anger"


def test_a_table_without_votes_stays_as_it_is():
    frame = pd.DataFrame({"votes": [None], "secondary": [None], "emotion": ["anger"]})
    assert merge_votes(frame, {"anger": "fear"}) is frame
