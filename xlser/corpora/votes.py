"""Several raters of one recording: what most of them say, how many do, and what else they name."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from xlser.jsonfile import parse_json
from xlser.vocabulary import NO_AGREEMENT, UNLABELLED

# plurality: the emotion that more raters name than any other. majority: that more than half of the raters name.
Rule = Literal["plurality", "majority"]
# Shares are written with few digits: what differs less than this is a tie.
_TIE = 1e-6


@dataclass(frozen=True)
class Consensus:
    """What the raters of one recording say together.

    ``emotion`` is canonical, ``no-agreement`` or, without a vote, ``unlabelled``; ``raw`` the raters' own word for it,
    empty for the last two. ``votes`` are raters by canonical emotion; a rater who names several counts for each of
    them. ``agreement`` in (0, 1] is the share of the raters that name ``emotion``, or where they do not agree the most
    named one; NaN without a vote. ``secondary`` are the other emotions that are named, the most named first.
    ``unread`` are words that nothing gives a meaning; they count as raters who name none of the emotions. ``raters``
    is how many there are.
    """

    emotion: str
    raw: str = ""
    votes: Mapping[str, float] | None = None
    agreement: float = math.nan
    secondary: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    raters: float = 0

    @property
    def columns(self) -> dict[str, object]:
        """Return the manifest's columns: emotion_raw, emotion, votes (JSON), agreement and secondary."""
        return {
            "emotion_raw": self.raw,
            "emotion": self.emotion,
            "votes": votes_json(self.votes or {}),
            "agreement": self.agreement,
            "secondary": ", ".join(self.secondary) or None,
        }


def consensus(ratings: Iterable[Sequence[str]], meanings: Mapping[str, str], rule: Rule = "plurality") -> Consensus:
    """Return what raters say together.

    Args:
        ratings: for each rater the labels that he gives, one or several; a rater without one is not counted.
        meanings: canonical emotion of every label.
        rule: ``plurality`` (the emotion that more raters name than any other) or ``majority`` (that more than half of
            them name). Equal numbers are no agreement under both. Votes are counted by canonical emotion, so that two
            words for one emotion do not split it.

    >>> consensus([["joy"], ["happy"], ["ang"]], {"joy": "happiness", "happy": "happiness", "ang": "anger"}).votes
    {'happiness': 2, 'anger': 1}
    >>> consensus([["a"], ["n"]], {"a": "anger", "n": "neutral"}).emotion
    'no-agreement'
    """
    raters = [list(dict.fromkeys(labels)) for labels in ratings if labels]
    words = Counter(label for labels in raters for label in labels)
    votes = Counter(
        emotion
        for labels in raters
        for emotion in dict.fromkeys(meanings[label] for label in labels if label in meanings)
    )
    return _decided(votes, words, len(raters), meanings, rule)


def consensus_of_counts(
    counts: Mapping[str, float], meanings: Mapping[str, str], rule: Rule = "plurality"
) -> Consensus:
    """Return what raters say together, where only the number (or share) of raters by label is known.

    Args:
        counts: raters by label, at least 0; their sum stands for all raters.
        meanings: canonical emotion of every label.
        rule: see `consensus`.

    Raises:
        ValueError: a count that is negative or not finite.

    >>> consensus_of_counts({"a": 2, "n": 1}, {"a": "anger", "n": "neutral"}).agreement
    0.6666666666666666
    """
    for label, count in counts.items():
        if not (math.isfinite(count) and count >= 0):
            raise ValueError(f"raters who say {label!r} must be a number of at least 0, but are {count} instead")
    words = {label: count for label, count in counts.items() if count > 0}
    votes: dict[str, float] = {}
    for label, count in words.items():
        if label in meanings:
            votes[meanings[label]] = votes.get(meanings[label], 0) + count
    return _decided(votes, words, math.fsum(words.values()), meanings, rule)


def _decided(
    votes: Mapping[str, float], words: Mapping[str, float], raters: float, meanings: Mapping[str, str], rule: Rule
) -> Consensus:
    unread = tuple(sorted(label for label in words if label not in meanings))
    if not votes:
        return Consensus(NO_AGREEMENT if unread else UNLABELLED, unread=unread, raters=raters)
    # Sorting is stable: of equal ones that which was named first stays first.
    ranked = sorted(votes, key=lambda name: -votes[name])
    most = votes[ranked[0]]
    tied = len(ranked) > 1 and math.isclose(votes[ranked[1]], most, rel_tol=_TIE)
    agreed = not tied and (rule == "plurality" or most > raters / 2 * (1 + _TIE))
    votes, share = {name: votes[name] for name in ranked}, min(most / raters, 1.0)
    if not agreed:
        return Consensus(NO_AGREEMENT, "", votes, share, tuple(ranked), unread, raters)
    raw = max((label for label in words if meanings.get(label) == ranked[0]), key=lambda label: words[label])
    return Consensus(ranked[0], raw, votes, share, tuple(ranked[1:]), unread, raters)


def split_labels(cell: str) -> list[str]:
    """Return the labels of a cell that holds one, or several separated by ``;`` or ``|``.

    >>> split_labels(" anger; sadness ")
    ['anger', 'sadness']
    """
    return [label for part in re.split(r"[;|]", cell) if (label := part.strip())]


def votes_json(votes: Mapping[str, float]) -> str | None:
    """Return votes as the manifest's column holds them; None without any.

    >>> votes_json({"anger": 2.0, "neutral": 0.5})
    '{"anger": 2, "neutral": 0.5}'
    """
    plain = {name: int(count) if float(count).is_integer() else float(count) for name, count in votes.items()}
    return json.dumps(plain, ensure_ascii=False) if plain else None


def read_votes(text: object) -> dict[str, float]:
    """Return the votes that a cell of the manifest's column holds; empty where it is empty.

    Raises:
        ValueError: it is no JSON object of numbers of at least 0.

    >>> read_votes('{"anger": 2, "neutral": 1}'), read_votes(None)
    ({'anger': 2, 'neutral': 1}, {})
    """
    if not isinstance(text, str) or not text.strip():
        return {}
    try:
        votes = parse_json(text)
    except ValueError:
        votes = None
    if not isinstance(votes, dict) or not all(_is_count(count) for count in votes.values()):
        raise ValueError(f"votes must be raters by emotion, such as {{'anger': 2, 'neutral': 1}}, but are {text!r}")
    return votes


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
