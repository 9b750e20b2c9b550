"""Rows of a manifest and the channels that their card asks for: one of several, or a row for each."""

from __future__ import annotations

from collections import defaultdict

from xlser.corpora.card import Card
from xlser.corpora.segments import channel_name
from xlser.data.channels import channel_number


def with_channels(rows: list[dict], card: Card) -> tuple[list[dict], dict[str, list[str]]]:
    """Return the rows with the ``channel`` of the card, and the paths that lack it by the reason.

    ``each`` makes a row for each channel of a recording that has several: its id, and its speaker, end in ``#left``,
    ``#right`` or ``#3``, since two sides of a call are two people. Whether they are not, ``same_speaker`` of the card
    says: ``{s1#left: s1, s1#right: s1}``. A row that has a channel already, from a table, keeps it; of a recording with
    a single channel all is taken, as without a card's word.

    >>> from types import SimpleNamespace
    >>> card, call = SimpleNamespace(channel="each", same_speaker={}), {"id": "c/1", "speaker": "1", "channels": 2}
    >>> [(row["id"], row["speaker"], row["channel"]) for row in with_channels([call], card)[0]]
    [('c/1#left', '1#left', 1.0), ('c/1#right', '1#right', 2.0)]
    """
    if card.channel == "mix":
        return rows, {}
    kept: list[dict] = []
    lacking: dict[str, list[str]] = defaultdict(list)
    wanted = None if card.channel == "each" else channel_number(card.channel)
    for row in rows:
        if row.get("channel") is not None or (row["channels"] == 1 and wanted in (None, 1)):
            kept.append(row)
        elif wanted is None:
            kept += [_of_channel(row, number, card) for number in range(1, row["channels"] + 1)]
        elif wanted <= row["channels"]:
            kept.append(row | {"channel": float(wanted)})
        else:
            lacking[f"no channel {wanted} ({channel_name(wanted)})"].append(row["path"])
    return kept, dict(lacking)


def _of_channel(row: dict, number: int, card: Card) -> dict:
    side = f"#{channel_name(number)}"
    speaker = f"{row['speaker']}{side}"
    own = {"id": f"{row['id']}{side}", "speaker": card.same_speaker.get(speaker, speaker)}
    return row | own | {"channel": float(number)}
