"""The errors a user is meant to read: they name the thing, the rule, the value and the way out."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class XlserError(Exception):
    """Something the user can put right. The command line prints its text alone, without a traceback."""


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


def shortened(value: object, most: int = 300) -> str:
    """Return what is said of a value that may be of any length.

    >>> shortened("x" * 1000, most=6)
    'xxxxxx ...'
    """
    text = str(value)
    return text if len(text) <= most else f"{text[:most]} ..."


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest known word, or the first few known words.

    >>> did_you_mean("epoch", ["epochs", "batch"])
    "did you mean 'epochs'?"
    >>> did_you_mean("zzz", ["epochs", "batch"])
    'known: batch, epochs'
    """
    known = sorted(known)
    near = get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
