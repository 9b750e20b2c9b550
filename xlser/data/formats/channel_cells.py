"""Which channel of a recording a row is of, in the ways in which tables say so."""

from __future__ import annotations

from collections.abc import Sequence

from xlser.data.formats.cells import cell_text
from xlser.errors import CorpusError

_WORDS = {"left": 1, "l": 1, "a": 1, "right": 2, "r": 2, "b": 2}
_MIXED = ("mix", "mixed", "mono", "both", "all", "stereo")


def read_channels(cells: Sequence[object]) -> tuple[list[float | None], list[str]]:
    """Return the channel of each row from 1, None for the mix of all, and notes.

    Numbers count from 0 where one of them is 0, else from 1. A column of which no cell is a channel (``phone``,
    ``studio``) is no column of channels, and is named in a note.

    Raises:
        CorpusError: some cells are channels, and one is none.

    >>> read_channels(["L", "right", "", "mix"])[0], read_channels([0, 1.0])[0], read_channels(["1", "2"])[0]
    ([1, 2, None, None], [1, 2], [1, 2])
    """
    texts = [(cell_text(cell) or "").lower() for cell in cells]
    named = [text for text in texts if text and text not in _MIXED]
    read = {text: _number(text) for text in named}
    unread = [text for text, number in read.items() if number is None]
    if unread and len(unread) == len(read):
        return [None] * len(texts), [f"the channel is not read: {unread[0]!r} is no number, left or right"]
    if unread:
        raise CorpusError(f"channel {unread[0]!r} must be a number, left, right or mix")
    zero = 0 in read.values()
    notes = ["channels count from 0: 0 is the first one"] if zero else []
    lift = {text: number + (zero and text not in _WORDS) for text, number in read.items() if number is not None}
    return [lift.get(text) for text in texts], notes


def _number(text: str) -> int | None:
    if text in _WORDS:
        return _WORDS[text]
    number = text.removesuffix(".0").removeprefix("channel").removeprefix("ch").strip(" _-")
    return int(number) if number.isdecimal() else None
