"""Regular expressions of cards, matched with a limit of time: one that backtracks could go on for ever."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

import regex

from xlser.errors import CorpusError, shortened

# A name takes microseconds; what takes longer than this never ends. LONGEST is in letters.
SECONDS, LONGEST = 2.0, 4000
# `regex` reads these as "with so many errors", and `re`, after whose rules cards are written, as they stand.
# Repetitions {n}, multiplied: the compiled pattern has room for each of them.
_LARGEST = 100_000
_FUZZY = re.compile(r"(?<!\\)\{[eids][<=:,}]")

_REPEATED = re.compile(r"(?<!\\)\{(\d{1,9})[,}]")


@lru_cache(maxsize=512)
def compiled(pattern: str, any_case: bool = False) -> regex.Pattern[str]:
    """Return a regular expression, by the rules of Python's ``re``.

    Args:
        pattern: 4,000 letters at most.
        any_case: whether letter case is ignored.

    Raises:
        ValueError: it is none, or too long.

    >>> bool(compiled("(?P<emotion>[a-z]+)_.*").fullmatch("angry_01"))
    True
    """
    if len(pattern) > LONGEST:
        raise ValueError(f"must have {LONGEST:,} letters at most, but has {len(pattern):,} instead")
    if _FUZZY.search(pattern):
        raise ValueError(
            f"is not a regular expression: a brace that is meant as such needs a \\ in {shortened(pattern)}"
        )
    if (copies := math.prod(max(1, int(count)) for count in _REPEATED.findall(pattern))) > _LARGEST:
        raise ValueError(f"repeats a part {copies:.3g} times, and {_LARGEST:,} at most are matched")
    try:
        re.compile(pattern)
        return regex.compile(pattern, regex.IGNORECASE if any_case else 0)
    except (re.error, regex.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is not a regular expression: {error or 'it is nested too deeply'}") from None


def fits(pattern: str, text: str, any_case: bool = False) -> Any:
    """Return the match of a pattern with all of a text, or None.

    Raises:
        CorpusError: it does not come to an end within two seconds. ValueError: see `compiled`.

    >>> fits("(a|b)+", "abba").group(1), fits("a", "ab")
    ('a', None)
    """
    try:
        return compiled(pattern, any_case).fullmatch(text, timeout=SECONDS)
    except TimeoutError:
        raise CorpusError(
            f"the pattern {shortened(pattern)} does not come to an end on {shortened(text)} within {SECONDS:g} s, "
            "since it can be read there in too many ways. Write it without a repetition inside another, as in (a+)+, "
            "and with few `*` beside each other."
        ) from None
