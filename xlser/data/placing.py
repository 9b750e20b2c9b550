"""Scanned rows and headers in, rows with times out: whole recordings, and segments of long ones."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from xlser.corpora.faults import some
from xlser.corpora.segments import Segment, channel_name
from xlser.corpora.times import SLACK, other_unit
from xlser.data.audio import AudioInfo
from xlser.errors import CorpusError

OUTSIDE = "segment outside the file"
BACKWARDS = "segment that does not end behind its start"
# Where most segments are shorter than this (seconds), they are in another unit than they were read in.
_SHORTEST = 0.02


def place_rows(
    rows: Sequence[dict], headers: Mapping[str, AudioInfo], corpus: str
) -> tuple[list[dict], dict[str, list[str]], list[str]]:
    """Give rows their start, end and duration in seconds, sample rate and channels.

    A segment's id is its recording's with ``#start-end``, unless a table names it or it is all of the recording.

    Args:
        rows: of `xlser.corpora.scan.scan`, of recordings that have a header.
        headers: by path.
        corpus: its name, for messages.

    Returns:
        The rows, those that cannot be used by the reason (as ``path#start-end``), and notes.

    Raises:
        CorpusError: segments in another unit than they were read in, as their recordings tell; two with one id.
    """
    cut = [row for row in rows if "segment" in row and not math.isinf(row["segment"].end)]
    check_units([row["segment"] for row in cut], [headers[row["path"]] for row in cut], corpus)
    out: dict[str, list[str]] = defaultdict(list)
    kept = []
    for row in rows:
        info, segment = headers[row["path"]], row.get("segment", Segment())
        start, end = segment.seconds(info.sample_rate)
        end = info.duration if math.isinf(end) else end
        if fault := _fault(start, end, segment.channel, info):
            out[fault].append(f"{row['path']}{segment.text()}")
        else:
            kept.append(_placed(row, start, min(end, info.duration), segment.channel, info))
    _refuse_double_ids(kept, corpus)
    notes = [f"{len(cut)} rows are segments of {len({row['path'] for row in cut})} recordings"] if cut else []
    return kept, dict(out), notes + (_overlaps(kept) if cut else [])


def check_units(segments: Sequence[Segment], infos: Sequence[AudioInfo], corpus: str) -> None:
    """Refuse segments in another unit than they were read in, as far as the recordings tell.

    Args:
        segments: (N,).
        infos: header of each one's recording (N,).
        corpus: its name, for messages.

    Raises:
        CorpusError: most end far behind their recordings, and fit in another unit; or most are too short for speech.
    """
    if not segments:
        return
    rates, unit = [info.sample_rate for info in infos], segments[0].unit
    times = np.array([segment.seconds(rate) for segment, rate in zip(segments, rates, strict=True)])
    other = other_unit(list(times[:, 1]), [info.duration for info in infos], rates, unit)
    way_out = "Say the unit in the card: `times` under `table`"
    if other:
        raise CorpusError(
            f"corpus {corpus}: most segments end far behind their recordings if their times are {unit}, and fit as "
            f"{other}. {way_out}, such as `times: {other}`."
        )
    short = float(np.median(times[:, 1] - times[:, 0]))
    if 0 < short < _SHORTEST:
        raise CorpusError(
            f"corpus {corpus}: half of the segments last {short:.2g} s at most if their times are {unit}, too short "
            f"for speech. {way_out}, such as `times: seconds`."
        )


def _fault(start: float, end: float, channel: int, info: AudioInfo) -> str:
    if channel > info.channels:
        return f"no channel {channel} ({channel_name(channel)})"
    if end <= start:
        return BACKWARDS
    return OUTSIDE if start < 0 or start >= info.duration or end > info.duration + SLACK else ""


def _placed(row: dict, start: float, end: float, channel: int, info: AudioInfo) -> dict:
    whole = start == 0 and end == info.duration
    suffix = ("" if whole else f"#{start:.3f}-{end:.3f}") + (f"#{channel_name(channel)}" if channel else "")
    made = {key: value for key, value in row.items() if key not in ("segment", "named")}
    made |= {"id": row["id"] if row.get("named") else row["id"] + suffix, "start": start, "end": end}
    made |= {"duration": end - start, "file_duration": math.nan if whole else info.duration}
    if channel:  # whoever names none leaves it to the card
        made["channel"] = float(channel)
    return made | {"sample_rate": info.sample_rate, "channels": info.channels}


def _refuse_double_ids(rows: list[dict], corpus: str) -> None:
    seen: dict[str, dict] = {}
    for row in rows:
        other = seen.setdefault(row["id"].casefold(), row)
        if other is not row:
            raise CorpusError(
                f"corpus {corpus}: id {row['id']!r} stands for two utterances: {_where(other)} and {_where(row)}. "
                "Leave one of them out of the table, or name the column of ids there: `columns: {id: ...}`."
            )


def _overlaps(rows: list[dict]) -> list[str]:
    """Return a note on segments that begin before one of the same recording and channel has ended."""
    both: list[str] = []
    ends: dict[tuple, float] = {}
    for row in sorted(rows, key=lambda row: (row["path"], row["start"])):
        place = (row["path"], row.get("channel"))
        if row["start"] < ends.get(place, 0.0) - SLACK:
            both.append(row["id"])
        ends[place] = max(ends.get(place, 0.0), row["end"])
    if not both:
        return []
    return [f"{len(both)} segment(s) begin before another one has ended, such as {some(both)}: each has speech of both"]


def _where(row: dict) -> str:
    return f"{row['path']} from {row['start']:.3f} to {row['end']:.3f} s"
