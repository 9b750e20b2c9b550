"""Rows of a table that label parts of recordings: where each begins and ends, in what unit."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xlser.corpora.parts import Table
from xlser.corpora.times import UNITS, read_time, unit_of_header
from xlser.errors import CorpusError

# Longer segments, in whole numbers and a unit that nobody names, are no seconds: emotion is labelled in utterances.
_LONGEST = 100


class Segment(NamedTuple):
    """A part of a recording: of its time, or of its channels, or of both.

    Times are seconds, whatever ``unit`` the table has; or, where that is samples, these. An infinite ``end`` is that of
    the recording. ``channel`` counts from 1; 0 is the mean of all.
    """

    start: float = 0.0
    end: float = math.inf
    unit: str = "seconds"
    channel: int = 0

    def seconds(self, rate: float) -> tuple[float, float]:
        """Return start and end in seconds, in a recording of ``rate`` samples per second.

        >>> Segment(8000, 24000, "samples").seconds(16000)
        (0.5, 1.5)
        """
        return (self.start / rate, self.end / rate) if self.unit == "samples" else (self.start, self.end)

    def text(self) -> str:
        """Return how it is written in messages: ``1.500-2.250``, or samples as they are, and the channel."""
        form = ".0f" if self.unit == "samples" else ".3f"
        times = "" if math.isinf(self.end) else f"#{self.start:{form}}-{self.end:{form}}"
        return times + (f"#{channel_name(self.channel)}" if self.channel else "")


@dataclass(frozen=True)
class TimeColumns:
    """The headers of a table's times, and the unit of each; ``assumed`` where nobody names one."""

    stop: str = ""
    units: tuple[str, str] = ("", "")
    assumed: bool = False
    channel: bool = False
    zero: bool = False

    @property
    def lasting(self) -> bool:
        """Whether the second of its columns is a duration."""
        return self.stop == "duration"

    def read(self, cells: Mapping[str, str]) -> Segment | None:
        """Return the segment of a row, None where its start or its end is empty.

        Raises:
            ValueError: a cell is no time in the column's unit, or no channel.
        """
        channel = read_channel(cells["channel"], self.zero) if self.channel else 0
        if not self.stop:
            return Segment(channel=channel)
        # A rate of 1 leaves samples as they are counted.
        start = read_time(cells["start"], self.units[0], 1)
        stop = read_time(cells[self.stop], self.units[1], 1)
        if start is None or stop is None:
            return None
        # Rounded far below a sample, so that 0.1 + 0.2 and 0.3 are one segment.
        return Segment(start, round(start + stop, 9) if self.lasting else stop, self.units[1], channel)

    def cells(self, segment: Segment) -> dict[str, str]:
        """Return the cells of a segment as all spellings of it have them."""
        stop = segment.end - segment.start if self.lasting else segment.end
        times = {"start": f"{segment.start:.9g}", self.stop: f"{stop:.9g}"} if self.stop else {}
        return times | ({"channel": channel_name(segment.channel)} if self.channel else {})


def read_channel(cell: str, zero: bool = False) -> int:
    """Return which channel a cell is about, from 1; 0, the mean of all, where it is empty or says ``mix``.

    With ``zero`` numbers count from 0, as in a column that holds one.

    Raises:
        ValueError: it is none of these.

    >>> read_channel("2"), read_channel("Left"), read_channel(""), read_channel("0", zero=True)
    (2, 1, 0, 1)
    """
    text = cell.strip().lower()
    if text in ("", "nan", "mix", "mixed", "mono", "both", "all", "stereo"):
        return 0
    if text in ("left", "l", "a", "right", "r", "b"):
        return 1 if text in ("left", "l", "a") else 2
    match = re.fullmatch(r"(?:channel|ch)?[\s_-]*(\d{1,3})(?:\.0)?", text)
    if match is None or (number := int(match[1]) + zero) < 1:
        raise ValueError(f"channel {cell!r} must be left, right, mix or a number")
    return number


def channel_name(number: int) -> str:
    """Return what a channel is called: mix (0), left (1), right (2), or its number.

    >>> channel_name(2), channel_name(3)
    ('right', '3')
    """
    return ("mix", "left", "right")[number] if number < 3 else str(number)


def time_columns_of(
    table: Table, heads: Mapping[str, str], path: Path, channels: Iterable[object] = ()
) -> TimeColumns | None:
    """Return where the table at ``path`` has its times and channels, None where its rows are whole recordings.

    ``heads`` are its headers by the names of the card's columns, ``channels`` the cells of that of channels.

    Raises:
        CorpusError: a unit that cannot be read, or samples for one column and seconds for the other.
    """
    channel, zero = "channel" in heads, any(str(cell).strip() in ("0", "0.0") for cell in channels)
    if "start" not in heads:
        return TimeColumns(channel=True, zero=zero) if channel else None
    stop = "end" if "end" in heads else "duration"
    named = [table.times or unit_of_header(heads[role]) for role in ("start", stop)]
    units = tuple(unit or "seconds" for unit in named)
    for role, unit in zip(("start", stop), units, strict=True):
        if unit not in UNITS:
            raise CorpusError(
                f"table {path}: column {heads[role]!r} is in {unit}, which cannot be read. Write times in "
                f"{', '.join(UNITS)}; if it is in one of these, say so in the card: `times` under `table`."
            )
    if (units[0] == "samples") != (units[1] == "samples"):
        raise CorpusError(f"table {path}: {heads['start']!r} is in {units[0]}, but {heads[stop]!r} in {units[1]}.")
    return TimeColumns(stop, (units[0], units[1]), None in named, channel, zero)


def check_unit(columns: TimeColumns, segments: Iterable[Segment], path: Path) -> None:
    """Refuse times without a unit that can be no seconds.

    Raises:
        CorpusError: nobody names their unit, all are whole numbers, and most segments are longer than 100.
    """
    lengths = np.array([(s.end - s.start, s.end % 1 or s.start % 1) for s in segments]).reshape(-1, 2)
    if not columns.assumed or not len(lengths) or lengths[:, 1].any() or np.median(lengths[:, 0]) <= _LONGEST:
        return
    raise CorpusError(
        f"table {path}: nobody says what unit its times are in, and as seconds most segments last longer than "
        f"{_LONGEST} s. Say it in the card, under `table`: `times: milliseconds`, samples, or seconds if they are."
    )
