"""One thing that an audit found: how bad, in plain words, about what, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xlser.reporting.wording import NOT_DEFINED, known

SEVERITIES = ("serious", "caution", "note")
SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """``sentence`` is computed from the numbers; ``named`` are files or speakers; ``weight`` in [0, 1] ranks its like.

    ``severity`` is serious (a result would be wrong), caution (it would flatter or needs saying) or note (to be known).
    """

    severity: str
    kind: str
    corpus: str
    sentence: str
    advice: str
    named: tuple[str, ...] = ()
    weight: float = 0.0

    def plain(self) -> dict:
        """Return it JSON-able: the first few names, and how many there are."""
        return {
            "severity": self.severity,
            "kind": self.kind,
            "corpus": self.corpus,
            "sentence": self.sentence,
            "advice": self.advice,
            "named": list(self.named[:SHOWN]),
            "named_count": len(self.named),
        }


def ranked(found: Sequence[Finding]) -> list[Finding]:
    """Return the findings with the worst first; within a severity the heaviest first."""
    return sorted(found, key=lambda one: (SEVERITIES.index(one.severity), -one.weight))


def many(count: int, word: str, words: str = "") -> str:
    """Write a count with its noun.

    >>> many(1, "file"), many(1440, "file"), many(2, "recording is", "recordings are")
    ('1 file', '1,440 files', '2 recordings are')
    """
    return f"{count:,} {word if count == 1 else words or word + 's'}"


def percent(share: float | None) -> str:
    """Write a share; one that is neither nothing nor all never reads 0 % or 100 %.

    >>> percent(0.257), percent(0.001), percent(0.999), percent(1.0), percent(None)
    ('26 %', 'under 1 %', 'over 99 %', '100 %', 'n/a')
    """
    if not known(share):
        return NOT_DEFINED
    if 0 < share < 0.005:
        return "under 1 %"
    return "over 99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"
