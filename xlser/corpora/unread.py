"""Columns of a table that nobody reads: named, and refused where a wrong result would follow in silence."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path

import pandas as pd

from xlser.corpora.times import is_time, time_columns
from xlser.errors import CorpusError

# What a header may mean, and what a card writes for it.
_ROLES = {
    "channel": "channel channels chan ch side",
    "partition": "split split_set partition subset set dataset_split data_split",
    "speaker": "speaker speaker_id spk spk_id spkid spkrid speakerid speaker_name actor actor_id client_id subject "
    "participant",
    "sex": "sex gender speaker_sex speaker_gender",
}
_HOW = {
    "time": "`columns: {{start: {0}, end: ...}}`, or `ignore: [{0}]` if it is no time in the recording",
    "channel": "`columns: {{channel: {0}}}`",
    "partition": '`columns: {{split: {0}}}` under `table`, and `partition: "{{split}}"`',
    "speaker": '`columns: {{speaker: {0}}}` under `table`, and `speaker: "{{speaker}}"`',
    "sex": "`columns: {{sex: {0}}}` under `table`, and `sex: {{code: female, ...}}`",
}


def refuse_segments(path: Path, unread: Collection[str], mapped: Collection[str]) -> None:
    """Refuse a table whose rows are parts of recordings, where the card does not say so.

    Raises:
        CorpusError: ``unread`` headers hold a start and an end or a duration, and ``start`` is not ``mapped``.
    """
    times = time_columns(unread)
    if "start" in mapped or "start" not in times or not ({"end", "duration"} & times.keys()):
        return
    role = "end" if "end" in times else "duration"
    heads = ", ".join(f"{name}: {times[name]!r}" for name in ("start", role))
    raise CorpusError(
        f"table {path}: its columns {times['start']!r} and {times[role]!r} look like the times of segments, and each "
        f"label would go to a whole recording. Say in the card, under `table`, `columns: {{{heads}}}` (and `times` if "
        "the headers name no unit); or, if recordings are cut already, "
        f"`ignore: [{times['start']!r}, {times[role]!r}]`."
    )


def refuse_channels(path: Path, frame: pd.DataFrame, unread: Iterable[str]) -> None:
    """Refuse a table whose rows are about several channels, where the card does not say so.

    Raises:
        CorpusError: an unread column is called like channels, and differs between rows.
    """
    for head in unread:
        values = sorted(set(frame[head].dropna().astype(str).str.strip()))
        if role_of(head) == "channel" and len(values) > 1:
            raise CorpusError(
                f"table {path}: its rows are about several channels (column {head!r}: {', '.join(values[:3])}), and "
                "would be read from all of them mixed. Say in the card, under `table`, "
                f"`columns: {{channel: {head!r}}}`; or, if it means something else, `ignore: [{head!r}]`."
            )


def role_of(header: str) -> str | None:
    """Return what a header seems to be about: time, channel, partition, speaker, sex, or None.

    >>> role_of("Split_Set"), role_of("onset [ms]"), role_of("Sr No.")
    ('partition', 'time', None)
    """
    plain = re.sub(r"[\s-]+", "_", str(header).strip().lower())
    if is_time(header):
        return "time"
    return next((role for role, names in _ROLES.items() if plain in names.split()), None)


def unread_notes(name: str, unread: Iterable[str], given: Collection[str]) -> list[str]:
    """Return sentences on the columns of a table that nobody reads.

    Args:
        name: what the table is called.
        unread: its headers.
        given: roles that the card has from elsewhere: speaker, sex, partition, channel.
    """
    unread = list(unread)
    if not unread:
        return []
    notes = [f"{name}: columns not read: {', '.join(unread)}"]
    for head in unread:
        role = role_of(head)
        if role and role not in given:
            notes.append(
                f"{name}: column {head!r} looks like {_NAMES[role]} and is not read: {_HOW[role].format(head)}"
            )
    return notes


_NAMES = {
    "time": "a time",
    "channel": "a channel",
    "partition": "a part of an official split",
    "speaker": "the speaker",
    "sex": "the speaker's sex",
}
