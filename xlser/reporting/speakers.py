"""Which speakers a run fails on: what its chosen method got right of each speaker's clips, worst first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from xlser.evaluation.verdicts import Verdicts
from xlser.reporting.bench.chart import Axes, Curve, Point, chart
from xlser.reporting.facts import Facts, Row
from xlser.reporting.section import Cell, Figure, Group, Note, Panel, Panels, Part, Section, Table, Words
from xlser.reporting.section import Row as Line
from xlser.reporting.wording import counted, number, plural, reader_name
from xlser.vocabulary import VALIDATION

# Of each corpus; a table of a hundred speakers is read by nobody.
MOST = 8
# Clips of a speaker, under which a share is an anecdote.
FEW = 5


@dataclass(frozen=True)
class Speaker:
    """One speaker's ``clips`` with a scored emotion, the ``share`` of them that was right, and what was missed.

    Several seeds that judged a clip count as their mean. ``missed`` are the wrong clips by true emotion, in halves and
    thirds where seeds disagree.
    """

    name: str
    clips: int
    share: float
    missed: dict[str, float]


def section(facts: Facts) -> Section | None:
    """Return a table and a picture a corpus; nothing where a run did not keep what it said, or chose nothing."""
    if not facts.predictions or facts.choice is None:
        return None
    found = [(entry, by_speaker(entry, facts.choice)) for entry in facts.predictions if _is_shown(facts, entry)]
    found = [(entry, speakers) for entry, speakers in found if speakers]
    if not found:
        return None
    method, reader = facts.method_name(facts.choice.method), reader_name(facts.choice.classifier)
    note = (
        f"What was chosen on the source's validation speakers ({method}, {reader}), speaker by speaker, on held-out "
        f"speakers of the source and on each target ({facts.protocol}). A dot is a speaker, the worst on the left; the "
        "dashed line is what guessing gets right. One with fewer than "
        f"{FEW} clips says little, and no interval is given: it would be one over clips of one voice."
    )
    panels = [_panel(facts, entry, speakers) for entry, speakers in found]
    parts: list[Part] = [Note(note), Words([_told(entry, speakers) for entry, speakers in found])]
    parts += [Figure([Panels(panels)]), _table(facts, found)]
    hidden = {entry["corpus"]: len(speakers) - MOST for entry, speakers in found if len(speakers) > MOST}
    left_out = f"The {MOST} worst of each corpus are listed; not listed: {counted(hidden)}." if hidden else ""
    return Section("speakers", "Speakers", parts, left_out=left_out)


def by_speaker(entry: Row, choice: Any) -> list[Speaker]:
    """Return the speakers of a corpus, those with the least right first, and of equals the one with more clips.

    Args:
        entry: of `xlser.evaluation.run_folder.load_predictions`.
        choice: of `xlser.evaluation.choice.choose`.

    Returns:
        Nothing where the choice judged no clip. A speaker none of whose clips was judged is not in it.
    """
    verdicts = Verdicts.of(entry, entry["classes"], choice.method, choice.classifier)
    right = verdicts.right
    counts = (~np.isnan(right)).sum(axis=0)
    mean = np.nansum(right, axis=0) / np.maximum(counts, 1)
    clips: dict[str, list[tuple[str, float]]] = {}
    judged = verdicts.scored & (counts > 0)
    for speaker, truth, share, known in zip(verdicts.speakers, verdicts.truth, mean, judged, strict=True):
        if known:
            clips.setdefault(speaker, []).append((str(truth), float(share)))
    speakers = [_speaker(name, mine) for name, mine in clips.items()]
    return sorted(speakers, key=lambda one: (one.share, -one.clips, one.name))


def _speaker(name: str, clips: list[tuple[str, float]]) -> Speaker:
    missed: dict[str, float] = {}
    for truth, share in clips:
        missed[truth] = missed.get(truth, 0.0) + 1 - share
    wrong = {truth: count for truth, count in sorted(missed.items(), key=lambda pair: -pair[1]) if count > 0}
    return Speaker(name, len(clips), sum(share for _, share in clips) / len(clips), wrong)


def _is_shown(facts: Facts, entry: Row) -> bool:
    return entry["role"] != VALIDATION and facts.is_main(entry)


def _told(entry: Row, speakers: list[Speaker]) -> tuple[str, str]:
    """Say how many speakers are read no better than by guessing, and on how few of them half of the mistakes fall."""
    chance = 1 / len(entry["classes"])
    lost = sum(one.share <= chance for one in speakers)
    wrong = sorted((sum(one.missed.values()) for one in speakers), reverse=True)
    half = int(np.searchsorted(np.cumsum(wrong), sum(wrong) / 2)) + 1
    text = f"{lost} of {plural(len(speakers), 'speaker')} read no better than by guessing ({number(chance)}); "
    text += f"from {number(speakers[0].share)} ({speakers[0].name}) to {number(speakers[-1].share)} "
    text += f"({speakers[-1].name}) of a speaker's clips are right"
    return f"{entry['corpus']}:", text + (f"; half of all mistakes fall on {half} of them." if sum(wrong) else ".")


def _panel(facts: Facts, entry: Row, speakers: list[Speaker]) -> Panel:
    points = [
        Point(place, one.share, f"{number(one.share)} of {plural(one.clips, 'clip')}, {one.name}")
        for place, one in enumerate(speakers, 1)
    ]
    tenths = [(place / 10, f"{place / 10:.1f}") for place in range(0, 11, 2)]
    ends = [(1, "worst"), (max(len(speakers), 2), "best")]
    axes = Axes("speakers", "share right", ends, tenths, level=1 / len(entry["classes"]))
    label = f"Share right of each speaker of {entry['corpus']}, the worst first; numbers stand in the table."
    svg = chart([Curve(entry["corpus"], 0, points)], axes, label)
    return Panel(entry["corpus"], facts.marks(entry["corpus"]), svg, more=facts.reading(entry))


def _table(facts: Facts, found: list[tuple[Row, list[Speaker]]]) -> Table:
    groups = []
    for entry, speakers in found:
        title = Cell(f"{entry['corpus']} · {facts.reading(entry)}", marks=facts.marks(entry["corpus"]))
        groups.append(Group([_line(one) for one in speakers[:MOST]], title))
    return Table("Speakers, the worst of each corpus first", ["Speaker", "Right", "Clips", "Missed"], groups)


def _line(one: Speaker) -> Line:
    missed = ", ".join(f"{emotion} {count:.3g}" for emotion, count in one.missed.items())
    return Line([one.name, number(one.share), str(one.clips), missed or "none"])
