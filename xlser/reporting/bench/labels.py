"""How a cell fares under each way to name its clips, and which clips have no name there."""

from __future__ import annotations

from dataclasses import dataclass

from xlser.reporting.bench.facts import Bench, Key, Row
from xlser.reporting.wording import bounds, counted, known, listing, number, reader_name, side, whole

TERMS = {
    "intersection": "the scored emotions that both corpora have, as in the matrix, where another reader may be chosen.",
    "reject": "the source's scored emotions, and “other” for any further one: said where the largest probability is "
    "below a threshold from the source's validation speakers. AUROC: how often a clip of a known emotion is surer than "
    "one of another, at no threshold; 0.50 is chance.",
    "mapped": "negative, neutral and positive by the published valence of emotion words, on both sides.",
}
Told = tuple[str, str, str]


@dataclass
class Moded:
    """A line of the table: a method under a mode, scores as (text, interval, side of chance).

    ``first`` marks the first line of a cell's method.
    """

    title: str
    method: str
    reader: str
    marks: list[str]
    mode: str
    threshold: str
    classes: str
    ua: Told
    chance: str
    auroc: Told
    clips: str
    renamed: str
    lost: str
    first: bool


def table(bench: Bench, keys: list[Key], every: bool = False) -> list[Moded]:
    """Return a line a mode of every cell, of its chosen method; of each method with ``every``."""
    lines: list[Moded] = []
    for key in keys:
        chosen = (bench.chosen(*key[:2]) or {}).get("method")
        # A bench from before there were modes has none.
        rows = [row for row in bench.cells[key].get("label_modes", []) if every or row["method"] == chosen]
        for method in dict.fromkeys(row["method"] for row in rows):
            mine = [row for row in rows if row["method"] == method]
            modes = list(dict.fromkeys(row["mode"] for row in mine))
            several = [{row["metric"]: row for row in mine if row["mode"] == mode} for mode in modes]
            lines += [_line(bench, key, one, first=not place) for place, one in enumerate(several)]
    return lines


def terms(lines: list[Moded]) -> list[tuple[str, str]]:
    """Return the modes of these lines with what they are."""
    found = {line.mode for line in lines}
    return [(mode, what) for mode, what in TERMS.items() if mode in found]


def _line(bench: Bench, key: Key, rows: dict[str, Row], first: bool) -> Moded:
    """Write out one mode; ``rows`` are by metric."""
    ua, auroc = rows["UA"], rows.get("AUROC", {"value": None})
    return Moded(
        title=f"{key[0]}: {key[1]} → {key[2]}",
        method=ua["method"],
        reader=reader_name(ua["classifier"]),
        marks=bench.marks(key),
        mode=ua["mode"],
        threshold=f"below {number(ua['threshold'])}, {ua['chosen_by']}" if known(ua.get("threshold")) else "",
        classes=listing(ua["classes"]),
        ua=_told(ua),
        chance=number(ua["chance"]),
        auroc=_told(auroc) if known(auroc["value"]) else ("", "", ""),
        clips=whole(ua["utterances"]),
        renamed=counted(ua["merged"]).replace("->", "→"),
        lost=counted(ua["lost"]),
        first=first,
    )


def _told(row: Row) -> Told:
    return number(row["value"]), bounds(row["low"], row["high"]), side(row["low"], row["high"], row["chance"])
