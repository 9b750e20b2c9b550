"""How a cell fares under each way to name its clips, and which clips have no name there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlser.reporting.bench.facts import Bench, Key
from xlser.reporting.bench.facts import Row as Score
from xlser.reporting.section import Cell, Cells, Group, Note, Pairs, Row, Section, Table
from xlser.reporting.wording import bounds, counted, known, listing, number, reader_name, side, whole

if TYPE_CHECKING:
    from xlser.reporting.bench.cell import CellFacts

TERMS = {
    "intersection": "the scored emotions that both corpora have, as in the matrix, where another reader may be chosen.",
    "reject": "the source's scored emotions, and “other” for any further one: said where the largest probability is "
    "below a threshold from the source's validation speakers. AUROC: how often a clip of a known emotion is surer than "
    "one of another, at no threshold; 0.50 is chance.",
    "mapped": "negative, neutral and positive by the published valence of emotion words, on both sides.",
}
NOTE = (
    "Read by the reader that gives probabilities. ▲ ▼: the whole interval lies above or below chance. A clip that has "
    "no name under a way to label is lost: it is not scored there, and scores of two ways are of different clips."
)
HEADS = ["Labels", "UA", "Chance", "AUROC", "Clips", "Classes", "Renamed", "Lost"]


def section(bench: Bench) -> Section:
    """Return the UA of every cell's chosen method under each way to label."""
    found: dict[Key, dict[str, Score]] = {}
    for key in bench.transfers:
        chosen = (bench.chosen(*key[:2]) or {}).get("method")
        rows = [row for row in _rows(bench, key) if row["method"] == chosen and row["metric"] == "UA"]
        if rows:
            found[key] = {row["mode"]: row for row in rows}
    if not found:
        return Section("labels", "Other labels", left_out="No cell was read under other labels.")
    modes = [mode for mode in TERMS if any(mode in by for by in found.values())]
    lines: list[Cells] = [
        [Cell(bench.title(key), marks=bench.marks(key)), *(_brief(by.get(mode)) for mode in modes)]
        for key, by in found.items()
    ]
    terms = Pairs([(mode, TERMS[mode]) for mode in modes], "terms")
    table = Table.of("UA under each way to label", ["Cell", *modes], lines, point="chance", copy=True)
    return Section("labels", "Other labels", [terms, table, Note(NOTE)], "Labels")


def _brief(row: Score | None) -> Cell:
    if row is None:
        return Cell("—", hidden="none")
    told = _told(row)
    return Cell(told.text, told.interval, told.side, more=[f"chance {number(row['chance'])}"])


def section_of_cell(cell: CellFacts) -> Section | None:
    """Return the same of every method of one cell; nothing where it was read in no other way."""
    rows, found = _rows(cell.bench, cell.key), []
    for method in dict.fromkeys(row["method"] for row in rows):
        mine = [row for row in rows if row["method"] == method]
        found.append((Cell(cell.method_name(method), _reader(mine)), mine))
    return _section("by method", "Method", found)


def _rows(bench: Bench, key: Key) -> list[Score]:
    return bench.cells[key].get("label_modes", [])  # a bench from before there were modes has none


def _reader(rows: list[Score]) -> str:
    return reader_name(rows[0]["classifier"])


def _section(by: str, head: str, found: list[tuple[Cell, list[Score]]]) -> Section | None:
    """Return a line a mode, under the cell or method that it is of."""
    lines, used = [], {row["mode"] for _, rows in found for row in rows}
    for title, rows in found:
        for place, mode in enumerate(dict.fromkeys(row["mode"] for row in rows)):
            by_metric = {row["metric"]: row for row in rows if row["mode"] == mode}
            lines.append(Row([Cell() if place else title, mode, *_cells(by_metric)], "", 2))
    if not lines:
        return None
    terms = Pairs([(mode, what) for mode, what in TERMS.items() if mode in used], "terms")
    table = Table(f"UA under each way to label, {by}", [head, *HEADS], [Group(lines)], "line wide", point="chance")
    return Section("labels", "Other labels", [Note(NOTE), terms, table], "Labels")


def _cells(rows: dict[str, Score]) -> list[Cell | str]:
    """Write out one mode; ``rows`` are by metric."""
    ua, auroc = rows["UA"], rows.get("AUROC", {"value": None})
    above = f"other below {number(ua['threshold'])}, {ua['chosen_by']}" if known(ua.get("threshold")) else ""
    return [
        _told(ua),
        number(ua["chance"]),
        _told(auroc) if known(auroc["value"]) else "",
        whole(ua["utterances"]),
        Cell(listing(ua["classes"]), above),
        counted(ua["merged"]).replace("->", "→"),
        counted(ua["lost"]),
    ]


def _told(row: Score) -> Cell:
    low, high = row["low"], row["high"]
    return Cell(number(row["value"]), bounds(low, high), side(low, high, row["chance"]))
