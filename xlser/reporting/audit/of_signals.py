"""Findings about what becomes of the signal: two channels that are mixed, and the scale of samples."""

from __future__ import annotations

import math
from typing import Any

from xlser.reporting.audit.finding import Finding, many, percent

Corpus = dict[str, Any]
_STEREO = {
    "left_only": (
        "serious",
        "one channel",
        "speech on the left channel alone: mixing makes it 6 dB weaker and adds the noise of the other one",
        "Write `channel: left` into the card (predict: --channel left).",
    ),
    "right_only": (
        "serious",
        "one channel",
        "speech on the right channel alone: mixing makes it 6 dB weaker and adds the noise of the other one",
        "Write `channel: right` into the card (predict: --channel right).",
    ),
    "opposed": (
        "serious",
        "opposed channels",
        "two channels that cancel out, as where one has its polarity reversed: mixing leaves next to nothing",
        "Write `channel: left` into the card (predict: --channel left).",
    ),
    "two_sides": (
        "serious",
        "two sides",
        "two channels that have nothing in common and are loud in turn, as the sides of a call: mixing makes one voice "
        "of two people",
        "Write `channel: each` into the card, a row for each side, or the side that the labels speak of: "
        "`channel: left` or `right` (predict: --channel).",
    ),
}


def signal_findings(one: Corpus) -> list[Finding]:
    """Return what is worth saying of channels and scale. An audit that was written before has neither."""
    return [*_scale(one), *_stereo(one), *_limited(one)]


def _stereo(one: Corpus) -> list[Finding]:
    """Say what becomes of recordings with two channels where these are mixed."""
    found = []
    for kind, (severity, name, what, advice) in _STEREO.items():
        rows = one.get("stereo", {}).get(kind, {"count": 0})
        if rows["count"]:
            have = "has" if rows["count"] == 1 else "have"
            sentence = f"{many(rows['count'], 'recording')} ({percent(rows['share'])}) {have} {what}."
            found.append(Finding(severity, name, one["corpus"], sentence, advice, _named(rows), 0.65 * rows["share"]))
    return found


def _scale(one: Corpus) -> list[Finding]:
    rows = one["levels"].get("scale", {"count": 0})
    if not rows["count"]:
        return []
    sentence = (
        f"{many(rows['count'], 'recording is', 'recordings are')} on another scale than [-1, 1]: the loudest sample is "
        f"{rows['highest']:,.0f}. No recipe and no prediction takes {'it' if rows['count'] == 1 else 'them'}."
    )
    advice = "Divide the samples by the full scale of what they were, 32768 for 16-bit numbers, and write them anew."
    return [Finding("serious", "scale", one["corpus"], sentence, advice, _named(rows), 0.9)]


def _limited(one: Corpus) -> list[Finding]:
    """Say which recordings openSMILE's features hear limited (see `xlser.features.opensmile_set`)."""
    rows = one["levels"].get("limited", {"count": 0})
    if not rows["count"]:
        return []
    sentence = (
        f"{many(rows['count'], 'recording')} ({percent(rows['share'])}) {'goes' if rows['count'] == 1 else 'go'} "
        f"beyond full scale at 16 kHz, by {20 * math.log10(rows['highest']):.1f} dB at most: samples beyond it are set "
        "to the limit before openSMILE takes features, and left as they are for encoders."
    )
    advice = "Nothing, where it is a decibel or two; more is a recording that was scaled wrongly."
    return [Finding("note", "full scale", one["corpus"], sentence, advice, _named(rows), 0.35)]


def _named(rows: dict[str, Any]) -> tuple[str, ...]:
    """Return the first recordings of a finding by name, and an empty name for each of the others."""
    return tuple(rows["first"]) + ("",) * (rows["count"] - len(rows["first"]))
