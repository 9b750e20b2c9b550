"""What several raters say together: every statistic beside a slow and obvious second one."""

from __future__ import annotations

import math
import random

import pytest

from xlser.corpora.votes import (
    consensus,
    consensus_of_counts,
    read_votes,
    split_labels,
    votes_json,
)
from xlser.vocabulary import NO_AGREEMENT, UNLABELLED

MEANINGS = {"A": "anger", "J": "happiness", "H": "happiness", "N": "neutral", "S": "sadness"}


def obvious(ratings, rule):
    """Count on fingers: (emotion, raters by emotion, share)."""
    raters = [labels for labels in ratings if labels]
    if not raters:
        return UNLABELLED, {}, math.nan
    hands = {}
    for emotion in ("anger", "happiness", "neutral", "sadness"):
        count = 0
        for labels in raters:
            if any(MEANINGS[label] == emotion for label in labels):
                count += 1
        if count:
            hands[emotion] = count
    best = max(hands.values())
    first = [name for name, count in hands.items() if count == best]
    enough = rule == "plurality" or 2 * best > len(raters)
    return (first[0] if len(first) == 1 and enough else NO_AGREEMENT), hands, best / len(raters)


@pytest.mark.parametrize("rule", ["plurality", "majority"])
def test_consensus_is_what_counting_on_fingers_gives(rule):
    deal, seen = random.Random(0), set()
    for _ in range(2000):
        ratings = [deal.choices("AJHNS", k=deal.choice([0, 1, 1, 1, 2, 3])) for _ in range(deal.randint(0, 6))]
        got = consensus(ratings, MEANINGS, rule)
        emotion, hands, share = obvious(ratings, rule)
        assert got.emotion == emotion, ratings
        assert dict(got.votes or {}) == hands
        assert got.agreement == share or (math.isnan(got.agreement) and math.isnan(share))
        assert set(got.secondary) == set(hands) - {emotion}
        assert got.raw == "" if emotion in (NO_AGREEMENT, UNLABELLED) else MEANINGS[got.raw] == emotion
        seen.add(emotion)
    assert len(seen) == 6


def test_counts_say_the_same_as_the_raters_that_were_counted():
    deal = random.Random(1)
    for _ in range(500):
        ratings = [[deal.choice("AJHNS")] for _ in range(deal.randint(0, 6))]
        counts = {code: sum([code] == labels for labels in ratings) for code in "AJHNS"}
        for rule in ("plurality", "majority"):
            a, b = consensus(ratings, MEANINGS, rule), consensus_of_counts(counts, MEANINGS, rule)
            assert (a.emotion, a.votes, str(a.agreement)) == (b.emotion, b.votes, str(b.agreement))


def test_a_plurality_needs_no_half_and_a_majority_does():
    ratings = [["A"], ["A"], ["N"], ["S"], ["H"]]
    assert consensus(ratings, MEANINGS).emotion == "anger"
    assert consensus(ratings, MEANINGS).agreement == 0.4
    assert consensus(ratings, MEANINGS, "majority").emotion == NO_AGREEMENT
    # Half is not more than half.
    assert consensus([["A"], ["A"], ["N"], ["S"]], MEANINGS, "majority").emotion == NO_AGREEMENT


def test_shares_in_few_digits_can_tie():
    assert consensus_of_counts({"A": 0.33, "N": 0.33, "S": 0.33}, MEANINGS).emotion == NO_AGREEMENT
    assert consensus_of_counts({"A": 0.1 + 0.2, "N": 0.3}, MEANINGS).emotion == NO_AGREEMENT


def test_words_without_a_meaning_are_named_and_still_are_raters():
    got = consensus([["A"], ["A"], ["xyz"]], MEANINGS)
    assert (got.emotion, got.agreement, got.unread) == ("anger", 2 / 3, ("xyz",))
    assert consensus([["xyz"]], MEANINGS).emotion == NO_AGREEMENT


@pytest.mark.parametrize("count", [-1, math.nan, math.inf])
def test_a_count_is_a_number_of_at_least_zero(count):
    with pytest.raises(ValueError, match="'A'"):
        consensus_of_counts({"A": count}, MEANINGS)


def test_the_manifest_columns_go_there_and_back():
    got = consensus([["A", "N"], ["A"], ["S"]], MEANINGS).columns
    assert got["votes"] == '{"anger": 2, "neutral": 1, "sadness": 1}'
    assert read_votes(got["votes"]) == {"anger": 2, "neutral": 1, "sadness": 1}
    assert got["secondary"] == "neutral, sadness"
    assert consensus([], MEANINGS).columns["votes"] is None
    assert votes_json({"anger": 0.25}) == '{"anger": 0.25}'


@pytest.mark.parametrize("text", ["[1]", "{", '{"anger": -1}', '{"anger": "2"}', '{"anger": true}', '{"anger": NaN}'])
def test_votes_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match="votes must be"):
        read_votes(text)


def test_several_labels_of_a_cell():
    assert split_labels("anger;neutral | sad;") == ["anger", "neutral", "sad"]
    assert split_labels("  ") == []
