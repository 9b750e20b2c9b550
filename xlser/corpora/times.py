"""Times in tables: which columns hold them, what unit they are in, and what a cell means in seconds."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from xlser.corpora.words import plain

Unit = Literal["seconds", "milliseconds", "microseconds", "minutes", "samples", "clock"]
UNITS: tuple[str, ...] = get_args(Unit)
# A segment may end this much (seconds) behind its file: tables are rounded.
SLACK = 0.05

_FACTORS = {"seconds": 1.0, "milliseconds": 1e-3, "microseconds": 1e-6, "minutes": 60.0}
_SPELLINGS = {
    "seconds": "s sec secs second seconds sekunden secondes segundos secondi",
    "milliseconds": "ms msec msecs millis millisec millisecs millisecond milliseconds",
    "microseconds": "us usec µs μs microsec microseconds",
    "minutes": "min mins minute minutes minuten",
    "samples": "sample samples smp",
    "frames": "frame frames fr",
    "clock": "hms clock timecode tc hhmmss smpte",
}
_UNIT_WORDS = {word: unit for unit, words in _SPELLINGS.items() for word in words.split()}
_ROLE_WORDS = {
    "start": "start starts begin begins beginning beg onset xmin tmin anfang beginn debut inicio inizio baslangic "
    "poczatek nachalo",
    "end": "end ends ending stop stops finish xmax tmax ende fin fine fim bitis koniec konets",
    "duration": "duration dur dauer duree duracion durata duracao suere",
    # What these are depends on what stands beside them.
    "offset": "offset",
    "from": "from von",
    "to": "to until bis",
    "length": "length len laenge",
}
_ROLES = {word: role for role, words in _ROLE_WORDS.items() for word in words.split()}
_BESIDE = frozenset(
    word
    for line in (
        "time times timestamp stamp segment seg utterance utt utterances turn audio clip file video speech point pos",
        "position at in of the annotation interval sentence t ss mm hh recording event",
    )
    for word in line.split()
)
# Words that people write together: starttime, timestart, endms.
_TOGETHER = re.compile(
    r"(?<=time)(?=start|end|begin|stop|on|off)|(?:(?<=start)|(?<=begin)|(?<=end)|(?<=stop)|(?<=onset)|(?<=offset))"
    r"(?=time|stamp|ms|sec|sample)"
)
_CLOCK_HEAD = re.compile(r"h{1,2}\W?m{1,2}\W?s{1,2}|m{1,2}:s{1,2}", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d+(?:[.,]\d*)?)")
_NUMBER = re.compile(r"([-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e[-+]?\d+)?)\s*([a-zµμ]*)", re.IGNORECASE)


def time_columns(headers: Iterable[str]) -> dict[str, str]:
    """Return ``{role: header}`` for the headers that hold the times of segments: ``start``, ``end``, ``duration``.

    ``offset`` is an end beside an onset, and a start beside a duration alone. Of several headers for one role the one
    in the unit of the start is taken, then the first.

    >>> time_columns(["file", "onset", "offset"]), time_columns(["Start (s)", "duration_ms"])
    ({'start': 'onset', 'end': 'offset'}, {'start': 'Start (s)', 'duration': 'duration_ms'})
    """
    known: dict[str, list[str]] = {}
    for header in headers:
        if role := _role_word(header):
            known.setdefault(role, []).append(header)
    starts = known.get("start") or (known.get("from") if known.get("to") else None)
    ends = known.get("end") or (known.get("to") if starts else None)
    lasting = known.get("duration") or (known.get("length") if starts else None)
    if offsets := known.get("offset"):
        if starts and not ends:
            ends = offsets
        elif not starts:
            starts = offsets
    found = {"start": starts, "end": ends, "duration": lasting}
    unit = unit_of_header(starts[0]) if starts else None
    return {role: _in_unit(heads, unit) for role, heads in found.items() if heads}


def is_time(header: str) -> bool:
    """Say whether a header may hold a time within a recording, alone or with another column.

    >>> is_time("Begin Time - hh:mm:ss.ms"), is_time("emotion"), is_time("timestamp")
    (True, False, True)
    """
    role = _role_word(header)
    return role not in (None, "from", "to", "length") or _words(header) in (["time"], ["timestamp"], ["time", "stamp"])


def unit_of_header(header: str) -> str | None:
    """Return the unit that the header of a time names: one of `UNITS` or ``frames`` (which cannot be read), or None.

    >>> unit_of_header("start_ms"), unit_of_header("Start (s)"), unit_of_header("begin_sample"), unit_of_header("onset")
    ('milliseconds', 'seconds', 'samples', None)
    >>> unit_of_header("Begin Time - hh:mm:ss.ms"), unit_of_header("Begin Time - ss.msec"), unit_of_header("speaker's")
    ('clock', 'seconds', None)
    """
    if _role_word(header) is None:
        return None
    if _CLOCK_HEAD.search(header):
        return "clock"
    if re.search(r"\bs{1,2}\.ms", header, re.IGNORECASE):  # seconds with decimals, as ELAN writes them
        return "seconds"
    return next((_UNIT_WORDS[word] for word in reversed(_words(header)) if word in _UNIT_WORDS), None)


def read_time(value: object, unit: str = "seconds", rate: float | None = None) -> float | None:
    """Return a cell of a table as seconds, None where it is empty.

    A clock (``mm:ss.s``, ``h:mm:ss,mmm``), a time difference (``0 days 00:00:00.5``, ``PT0.5S``) and a number with its
    unit behind it (``500 ms``) say themselves what they are; ``unit`` is that of a bare number, which may have a
    decimal comma.

    Args:
        value: a text, a number, or a time difference of Python or pandas.
        unit: one of `UNITS`; with ``clock`` a bare number is refused.
        rate: samples per second; needed for ``samples``.

    Raises:
        ValueError: it is no time, the unit is none or unknown, or the rate is missing.

    >>> read_time("1,5"), read_time("1500", "milliseconds"), read_time("8000", "samples", 16000), read_time("")
    (1.5, 1.5, 0.5, None)
    >>> read_time("1:02:03,250"), read_time("75:30.5"), read_time("0 days 00:00:00.5"), read_time("500 ms")
    (3723.25, 4530.5, 0.5, 0.5)
    """
    if unit not in UNITS:
        raise ValueError(f"times in {unit} cannot be read: give them in {', '.join(UNITS[:-1])} or as {UNITS[-1]}")
    if (known := _of_object(value)) is not None:
        return known
    text = str(value).strip().replace("\u2212", "-")
    if value is None or text.lower() in ("", "nan", "nat", "none", "null", "<na>"):
        return None
    if ":" in text or re.match(r"[-+]?P", text) or "day" in text:
        return _clock(text)
    match = _NUMBER.fullmatch(text)
    named = _UNIT_WORDS.get(match[2].lower(), "") if match and match[2] else unit
    if not match or named not in UNITS:
        raise ValueError(f"time {text!r} is no number and no clock such as 0:01:02.5")
    if named == "clock":
        raise ValueError(f"time {text!r} is no clock such as 0:01:02.5: if it is a number, say what of: {_numbers()}")
    if named in ("samples", "milliseconds", "microseconds") and re.search(r",\d{3}$", match[1]):
        raise ValueError(
            f"time {text!r} may be {text.replace(',', '')} or {text.replace(',', '.')}: write it without comma"
        )
    return _scaled(float(match[1].replace(",", ".")), named, rate)


def other_unit(
    ends: Sequence[float], lengths: Sequence[float], rates: Sequence[float], unit: str = "seconds"
) -> str | None:
    """Return the unit that times must be in where most of them, read in ``unit``, end far behind their files.

    Args:
        ends: in seconds, as read in ``unit`` (N,).
        lengths: of each one's file, in seconds (N,).
        rates: of each one's file, in samples per second (N,).
        unit: that they were read in.

    Returns:
        The unit that nearly all of them fit in, or None: where most of them fit as they are, or none explains it.

    >>> other_unit([2500, 4000], [5, 5], [16000, 16000]), other_unit([2.5, 6], [5, 5], [16000, 16000])
    ('milliseconds', None)
    """
    pairs = list(zip(ends, lengths, rates, strict=True))
    if not pairs or sum(end > length + 1 for end, length, _ in pairs) <= len(pairs) / 2:
        return None
    for other in ("milliseconds", "samples", "microseconds"):
        if other != unit and _FACTORS.get(other, 0) < _FACTORS.get(unit, 1):
            again = [(end / _per_unit(unit, rate) * _per_unit(other, rate), length) for end, length, rate in pairs]
            if sum(end <= length + SLACK for end, length in again) >= 0.9 * len(again):
                return other
    return None


def _per_unit(unit: str, rate: float) -> float:
    return 1 / rate if unit == "samples" else _FACTORS.get(unit, 1.0)


def _numbers() -> str:
    return ", ".join(unit for unit in UNITS if unit != "clock")


def _of_object(value: object) -> float | None:
    """Return the seconds of what a spreadsheet or pandas holds as a time; None for texts, numbers and nothing."""
    if isinstance(value, datetime.timedelta):  # pandas' own is one too; NaT is not
        seconds = value.total_seconds()
        return None if math.isnan(seconds) else seconds
    if isinstance(value, datetime.time):
        return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond * 1e-6
    return None


def _clock(text: str) -> float:
    match = _CLOCK.fullmatch(text)
    if match:
        hours, minutes, seconds = int(match[1] or 0), int(match[2]), float(match[3].replace(",", "."))
        if seconds < 60 and (minutes < 60 or match[1] is None):
            return hours * 3600 + minutes * 60 + seconds
    elif text.count(":") < 3 and re.search("P|day", text):
        import pandas as pd

        try:
            return float(pd.Timedelta(text.replace(",", ".")).total_seconds())
        except ValueError:
            pass
    raise ValueError(f"time {text!r} is no clock: write hh:mm:ss.mmm or mm:ss.mmm")


def _scaled(number: float, unit: str, rate: float | None) -> float:
    if unit != "samples":
        # Divided, not multiplied: 3300 ms are 3.3 s and not 3.3000000000000003.
        return number / (1 / _FACTORS[unit]) if unit != "minutes" else number * 60
    if not rate:
        raise ValueError("times in samples need the recording's rate")
    return number / rate


def _in_unit(heads: list[str], unit: str | None) -> str:
    return next((head for head in heads if unit_of_header(head) == unit), heads[0])


def _words(header: str) -> list[str]:
    """Return the words of a header: ``startMs`` and ``Start (ms)`` are both start, ms."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", re.sub(r"^(?i:t)([01])$", _of_number, str(header).strip()))
    words = [plain(word) for word in re.findall(r"[^\W\d_]+", parted)]
    return [part for word in words for part in _TOGETHER.sub(" ", word).split()]


def _of_number(match: re.Match[str]) -> str:
    """Return what t0 and t1 stand for."""
    return ("start", "end")[int(match[1])]


def _role_word(header: str) -> str | None:
    """Return the one role that a header's words name, if no other word stands there."""
    words = _words(_CLOCK_HEAD.sub(" ", str(header)))
    named = [_ROLES[word] for word in words if word in _ROLES]
    others = [word for word in words if word not in _ROLES and word not in _BESIDE and word not in _UNIT_WORDS]
    return named[0] if len(named) == 1 and not others else None
