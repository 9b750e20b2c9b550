"""The map of what was chosen: source and targets beside each other, every clip coloured as one switches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xlser.evaluation.verdicts import Verdicts
from xlser.reporting.facts import Facts
from xlser.reporting.scatter import Map, coloured_maps
from xlser.reporting.section import Note, Section
from xlser.reporting.wording import known, whole
from xlser.vocabulary import DIMENSIONS, VALIDATION

if TYPE_CHECKING:
    import pandas as pd

ANCHOR = "map"
# Of a corpus: more marks cover each other, and make a page that nobody can send.
MOST = 1500


def section(facts: Facts) -> Section | None:
    """Return a map a corpus of the method that validation chose, or of the recipe's first; nothing without points."""
    points = facts.points
    if points is None or points.empty:
        return None
    method = _method(facts, points)
    points = points[points["method"] == method]
    maps, some = [], False
    for corpus in dict.fromkeys(points["corpus"]):
        here = points[points["corpus"] == corpus]
        some = some or len(here) > MOST
        here = here.sample(MOST, random_state=0) if len(here) > MOST else here
        maps.append(Map(corpus, _rows(facts, here, corpus), facts.marks(corpus)))
    parts = coloured_maps(maps)
    if not parts:
        return None
    drawn = f", {whole(MOST)} drawn at random where there are more" if some else ""
    note = f"A mark is a clip{drawn}, placed by {facts.method_name(method)} of seed 0. {facts.source} shows all its "
    note += f"speakers, those trained on among them; targets are read {facts.protocol}."
    return Section(ANCHOR, "Map of the embedding", [*parts, Note(note)], "Map")


def _method(facts: Facts, points: pd.DataFrame) -> str:
    there = list(dict.fromkeys(points["method"]))
    wanted = [facts.choice.method] if facts.choice else []
    return next((name for name in (*wanted, *facts.main) if name in there), str(there[0]))


def _rows(facts: Facts, points: pd.DataFrame, corpus: str) -> list[dict[str, Any]]:
    speakers, right = _said(facts, corpus)
    rows = []
    for row in points.to_dict("records"):
        name = str(row.get("id", ""))
        kept = {axis: row.get(axis) for axis in ("x", "y", *DIMENSIONS) if known(row.get(axis))}
        kept |= {"id": name, "emotion": _emotion(row.get("emotion")), "speaker": speakers.get(name)}
        sex = facts.sexes.get(name) or facts.sexes.get(name.partition("/")[2])
        rows.append({"x": None, "y": None} | kept | {"sex": sex, "right": right.get(name)})
    return rows


def _emotion(value: object) -> str:
    return value if isinstance(value, str) else ""


def _said(facts: Facts, corpus: str) -> tuple[dict[str, str], dict[str, float]]:
    """Return who speaks in each clip of a corpus, and how often what was chosen was right of it."""
    entries = [row for row in facts.predictions if row["corpus"] == corpus and row["role"] != VALIDATION]
    entry = next((row for row in entries if facts.is_main(row)), None)
    if entry is None:
        return {}, {}
    speakers = dict(zip(map(str, entry["id"]), map(str, entry["speaker"]), strict=True))
    if facts.choice is None:
        return speakers, {}
    said = Verdicts.of(entry, entry["classes"], facts.choice.method, facts.choice.classifier)
    shares = {
        str(name): float(np.nanmean(column))
        for name, column, scored in zip(said.ids, said.right.T, said.scored, strict=True)
        if scored and np.isfinite(column).any()
    }
    return speakers, shares
