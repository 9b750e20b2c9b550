"""Raters in a stranger's table: a row for each, a column for each, or columns of counts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from xlser.corpora.votes import split_labels
from xlser.corpora.words import guess_emotion
from xlser.data.formats.cells import cell_text
from xlser.data.formats.table_reader import TableRows
from xlser.data.init_draft import quoted

_RATERS = re.compile(
    r"(rater|annotator|listener|evaluator|judge|coder|worker|labell?er)[\W_]*(id|name)?", re.IGNORECASE
)
_NUMBERED = re.compile(
    r"(rater|annotator|listener|evaluator|judge|coder|worker|labell?er|label|emotion|ann|vote|r|a)[\W_]*\d+",
    re.IGNORECASE,
)
_AROUND = re.compile(r"(?i)^(n|num|count|votes?|p|prob)[\W_]+|[\W_]+(n|num|counts?|votes?|p|prob|share)$")


@dataclass(frozen=True)
class FoundVotes:
    """``lines`` of the card's table, the labels that raters give, and whether a column of labels is not needed."""

    lines: list[str]
    codes: list[str] = field(default_factory=list)
    stand_alone: bool = False


def find_votes(read: TableRows) -> FoundVotes | None:
    """Return how a table holds what several raters say, None where it looks as if there was one label a row."""
    unread = [head for head in read.unread if any(cell_text(record.get(head)) for record in read.records)]
    if "emotion" in read.heads or "emotion_raw" in read.heads:
        return _rows(read, unread)
    return _counts(read, unread) or _columns(read, unread)


def _rows(read: TableRows, unread: list[str]) -> FoundVotes | None:
    """Look for a row a rater: recordings (or segments) that stand in several rows."""
    role = "emotion_raw" if "emotion_raw" in read.heads else "emotion"
    labels: dict[tuple, list[str | None]] = defaultdict(list)
    for row in read.rows:
        place = tuple(cell_text(row.get(name)) for name in ("path", "start", "end", "duration", "channel"))
        labels[place].append(cell_text(row.get(role)))
    if all(len(several) == 1 for several in labels.values()):
        return None
    codes = sorted({code for several in labels.values() for text in several for code in split_labels(text or "")})
    rater = read.heads.get("rater") or next((head for head in unread if _RATERS.fullmatch(head.strip())), None)
    if rater:
        return FoundVotes([f"  votes: {{rater: {quoted(rater)}}}"], codes)
    return FoundVotes(["  votes: rows"], codes) if any(len(set(several)) > 1 for several in labels.values()) else None


def _counts(read: TableRows, unread: list[str]) -> FoundVotes | None:
    """Look for columns of counts: headers that are emotions over nothing but numbers."""
    named = {
        head: guess.emotion for head in unread if (guess := guess_emotion(_AROUND.sub("", head.strip()))) and guess.sure
    }
    counts = {head: emotion for head, emotion in named.items() if all(map(_is_count, _cells(read, head)))}
    if len(counts) < 2 or len(set(counts.values())) < len(counts):
        return None
    by_emotion = {emotion: head for head, emotion in counts.items()}
    return FoundVotes([f"  votes: {quoted({'columns': by_emotion})}"], stand_alone=True)


def _columns(read: TableRows, unread: list[str]) -> FoundVotes | None:
    """Look for a column a rater: numbered headers over words for emotions."""
    heads = [head for head in unread if _NUMBERED.fullmatch(head.strip())]
    said = {code for head in heads for text in _cells(read, head) for code in split_labels(text)}
    known = [code for code in said if (guess := guess_emotion(code)) and guess.sure]
    if len(heads) < 2 or len(known) < len(said) / 2 or not said:
        return None
    return FoundVotes([f"  votes: {quoted({'columns': heads})}"], sorted(said), stand_alone=True)


def _cells(read: TableRows, head: str) -> Iterable[str]:
    return [text for record in read.records if (text := cell_text(record.get(head)))]


def _is_count(text: str) -> bool:
    return bool(re.fullmatch(r"\d+(\.\d+)?(e-\d+)?", text))
