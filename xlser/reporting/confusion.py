"""Which emotions are taken for which: confusion matrices with their shares and counts written out."""

from __future__ import annotations

from xlser.reporting.facts import INTERPOLATED, Facts, Row
from xlser.reporting.section import Box, Cell, Details, Figure, Part, Section, Table
from xlser.reporting.wording import bounds, known, number, reader_name, whole

# From this many utterances in a row on, a tenth of one is no news.
MANY = 20
KEYS = ("corpus", "protocol", "method", "classifier")


def section(facts: Facts) -> Section | None:
    """Return the confusion matrices under the recipe's own protocol, row-normalised; nothing where there are none.

    First come the recipe's methods under its own protocol, read by their heads with neighbours where they have such;
    or what ``facts.shown`` names.
    """
    groups = [rows for rows in facts.groups("confusion", *KEYS).values() if facts.is_main(rows[0])]
    every = [(is_main(facts, rows[0]), matrix(facts, rows)) for rows in groups]
    if not every:
        return None
    main = [one for first, one in every if first] or [every[0][1]]
    others = [one for _, one in every if one not in main]
    # A column as wide as the longest names of emotions; more than a screen holds scroll in their own frame.
    style = f"--least: {4.8 + 3.6 * max(len(one.heads) - 1 for _, one in every):g}rem"
    rest = "Other readers, and the checkpoint before training" if facts.encoder else "Other methods"
    caption = (
        "Rows are the true emotion, columns what was said. Each cell holds the share of its row, on the diagonal the "
        f"recall with its {facts.percent} interval over speakers, and beneath it the count of utterances (a mean over "
        f"seeds where every seed scores all of them; whole numbers in rows of {MANY} or more)."
    )
    parts: list[Part] = [Box(main, "matrices scroll", "Confusion matrices to look at first", style)]
    if others:
        box = Box(others, "matrices scroll", f"Confusion matrices: {rest.lower()}", style)
        parts += [Details(f"{rest} ({len(others)} matrices)", [box])]
    return Section("confusion", "Confusion matrices", [Figure(parts, caption)], "Confusion")


def is_main(facts: Facts, row: Row) -> bool:
    """Say whether a row's matrix is among those to look at first."""
    if facts.shown:
        return (row["method"], row["classifier"]) == facts.shown
    readers = facts.readers(row["method"])
    wanted = [INTERPOLATED] if INTERPOLATED in readers else readers
    return facts.is_main(row) and row["method"] in facts.main and row["classifier"] in wanted


def matrix(facts: Facts, rows: list[Row]) -> Table:
    """Return one matrix: a row a true emotion, a cell what it was taken for."""
    first, classes = rows[0], list(dict.fromkeys(row["truth"] for row in rows))
    counts = {(row["truth"], row["prediction"]): float(row["count"] or 0.0) for row in rows}
    recalled = {row["truth"]: _ends(row) for row in rows if row["truth"] == row["prediction"]}
    lines = []
    for truth in classes:
        total = sum(counts.get((truth, said), 0.0) for said in classes)
        counted = [(said, counts.get((truth, said), 0.0)) for said in classes]
        cells = [_cell(count, total, recalled[truth] if said == truth else None) for said, count in counted]
        lines.append([Cell(truth, f"n = {_count(total, total)}"), *cells])
    told = f"{facts.reading(first)} · {facts.method_name(first['method'])} · {reader_name(first['classifier'])}"
    caption = Cell(first["corpus"], told, marks=facts.marks(first["corpus"]))
    return Table.of(caption, [Cell(hidden="true emotion"), *classes], lines, kind="matrix")


def _cell(count: float, total: float, ends: str | None) -> Cell:
    share = count / total if total else None
    kind = "" if ends is None else "hit"
    return Cell(number(share), ends or "", more=[_count(count, total)], share=share or 0.0, kind=kind)


def _ends(row: Row) -> str:
    return bounds(row["low"], row["high"]) if known(row.get("low"), row.get("high")) else ""


def _count(value: float, total: float) -> str:
    """Write a count; a mean over seeds need not be whole, and its decimal counts only in a small row."""
    small = total < MANY and abs(value - round(value)) >= 0.05
    return f"{value:.1f}" if small else whole(value)
