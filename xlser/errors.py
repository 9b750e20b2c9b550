"""The errors a user is meant to read: they name the thing, the rule, the value and the way out."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

# What a person reads of one message, in letters; a file can make it as long as it likes.
LONGEST = 10_000
_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 200
_REPR.maxlevel, _REPR.maxdict, _REPR.maxlist, _REPR.maxtuple, _REPR.maxset = 3, 8, 8, 8, 8


class XlserError(Exception):
    """Something the user can put right. The command line prints its text alone, without a traceback."""

    def __str__(self) -> str:
        """Return the message, of one beyond 10,000 letters the beginning and how much more there is."""
        text = super().__str__()
        return text if len(text) <= LONGEST else f"{text[:LONGEST]} ... ({len(text) - LONGEST:,} letters more)"


class CardError(XlserError):
    """A corpus card that cannot be read or does not fit the folder."""


class CorpusError(XlserError):
    """A corpus folder or one of its files that cannot be used."""


class RecipeError(XlserError):
    """A recipe with unknown keys or values out of range."""


class RunError(XlserError):
    """A run folder that cannot be resumed or read, or training that went wrong."""


class MachineError(XlserError):
    """A fault of the machine or of what is installed: never of a recording, and never remembered as one."""


def shortened(value: Any) -> str:
    """Return a value as a message shows it: like ``repr``, but never more of it than people read.

    >>> shortened("angry"), len(shortened("a" * 10**6)), shortened([[1]] * 100).endswith("...]")
    ("'angry'", 200, True)
    """
    return _REPR.repr(value)


def brief(value: object, most: int = 300) -> str:
    """Return the beginning of a text that may be of any length, such as what a library says.

    >>> brief("x" * 1000, most=6)
    'xxxxxx ...'
    """
    text = str(value)
    return text if len(text) <= most else f"{text[:most]} ..."


def some_of(values: Sequence[Any]) -> str:
    """Return the first three of several values, as a message shows them.

    >>> some_of(["a", "b"]), some_of("abcd")
    ("'a', 'b'", "'a', 'b', 'c' ...")
    """
    return f"{', '.join(map(shortened, values[:3]))}{' ...' * (len(values) > 3)}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest known word, or the first few known words.

    >>> did_you_mean("epoch", ["epochs", "batch"])
    "did you mean 'epochs'?"
    >>> did_you_mean("zzz", ["epochs", "batch"])
    'known: batch, epochs'
    """
    known = sorted(known)
    near = get_close_matches(word[:LONGEST], known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
