"""Rows with the times and channels of their segments, checked against the recordings, and their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from xlser.corpora.globbing import nfc
from xlser.corpora.times import SLACK, other_unit
from xlser.data.audio import AudioFault, AudioInfo
from xlser.data.formats.cells import cell_text
from xlser.data.formats.channel_cells import read_channels
from xlser.data.formats.table_reader import row_span
from xlser.data.headers import read_headers
from xlser.errors import CorpusError

Row = dict[str, Any]


def timed_rows(
    rows: list[Row], root: Path, units: Mapping[str, str | None], out: dict[str, list[str]]
) -> tuple[list[Row], list[str]]:
    """Return the rows whose segment lies in a readable recording, with ``start``, ``end`` ... in seconds; and notes.

    Args:
        rows: with ``path`` below ``root``, and start, end, duration and channel as the table has them.
        root: the folder.
        units: that the table's headers name.
        out: takes the paths of the others, by the reason.

    Raises:
        CorpusError: a time or a channel that cannot be read, or times that are in another unit by all signs.
    """
    headers = read_headers(root, {row["path"] for row in rows})
    readable = [(row, info) for row in rows if isinstance(info := _usable(row, headers, out), AudioInfo)]
    spans = [_span(row, units, info) for row, info in readable]
    _check_unit(spans, [info for _, info in readable], units)
    channels, notes = _channels(readable)
    timed = []
    for (row, info), (start, end), channel in zip(readable, spans, channels, strict=True):
        stop = info.duration if end is None or info.duration < end <= info.duration + SLACK else end
        if not 0 <= start < stop <= info.duration:
            out["segment outside the file"].append(row["path"])
        elif channel is not None and channel > info.channels:
            out[f"channel {channel:g} of a recording that has {info.channels}"].append(row["path"])
        else:
            own = {"sample_rate": info.sample_rate, "channels": info.channels, "_whole": info.duration}
            timed.append(row | {"start": start, "end": stop, "duration": stop - start, "channel": channel} | own)
    return timed, notes


def give_ids(rows: list[Row], name: str) -> list[str]:
    """Give every row its id, its own or one made of path, segment and channel; return notes.

    Raises:
        CorpusError: two rows are of one segment.
    """
    made = [f"{name}/{nfc(str(PurePosixPath(row['path']).with_suffix('')))}{_part(row)}" for row in rows]
    own = [cell_text(row.get("id")) for row in rows]
    twice = next((text for text, count in Counter(own).items() if text and count > 1), None)
    ids = made if twice else [text or other for text, other in zip(own, made, strict=True)]
    again = [text for text, count in Counter(ids).items() if count > 1]
    if again:
        raise CorpusError(
            f"corpus {name}: {len(again)} ids stand twice, such as {again[0]!r}: two rows are of one recording. "
            "If they are segments of it, name the columns of their times: --column start=HEADER --column end=HEADER; "
            "if they are of several raters, --column rater=HEADER"
        )
    for row, text in zip(rows, ids, strict=True):
        row["id"] = text
    return [f"the ids are made of the paths: {twice!r} stands twice in the table's own"] if twice else []


def _part(row: Row) -> str:
    whole = row["start"] == 0 and row["end"] == row["_whole"]
    channel = "" if row["channel"] is None else f"@{row['channel']:g}"
    return channel if whole else f"#{row['start']:.3f}-{row['end']:.3f}{channel}"


def _usable(
    row: Row, headers: Mapping[str, AudioInfo | AudioFault], out: dict[str, list[str]]
) -> AudioInfo | AudioFault:
    info = headers[row["path"]]
    if isinstance(info, AudioFault):
        out[str(info).partition(":")[0].partition(" (")[0]].append(row["path"])
    return info


def _span(row: Row, units: Mapping[str, str | None], info: AudioInfo) -> tuple[float, float | None]:
    try:
        return row_span(row, row.get("units") or units, info.sample_rate)
    except CorpusError as error:
        raise CorpusError(f"{row['path']}: {error}") from None


def _check_unit(
    spans: list[tuple[float, float | None]], infos: list[AudioInfo], units: Mapping[str, str | None]
) -> None:
    """Refuse times of which nearly none fits its recording, while all would in another unit."""
    named = next((unit for unit in units.values() if unit), None) or "seconds"
    known = [(end, info) for (_, end), info in zip(spans, infos, strict=True) if end is not None]
    ends, own = [end for end, _ in known], [info for _, info in known]
    other = other_unit(ends, [info.duration for info in own], [info.sample_rate for info in own], named)
    if other:
        raise CorpusError(
            f"times such as {ends[0]:g} {named} are behind the end of the recording ({own[0].duration:g} s), but fit "
            f"it as {other}. Say so: --column start:{other}=HEADER --column end:{other}=HEADER"
        )


def _channels(rows: list[tuple[Row, AudioInfo]]) -> tuple[list[float | None], list[str]]:
    channels, notes = read_channels([row.get("channel") for row, _ in rows])
    if any(channels) and all(info.channels == 1 for _, info in rows):
        return [None] * len(rows), ["the column of channels is not used: every recording has one channel"]
    return channels, notes
