"""Confusion matrices with their shares and counts written out."""

from __future__ import annotations

from dataclasses import dataclass

from xlser.reporting.facts import INTERPOLATED, Facts, Row
from xlser.reporting.wording import bounds, known, number, reader_name, whole

# From this many utterances in a row on, a tenth of one is no news.
MANY = 20


@dataclass
class Confusion:
    """One confusion matrix: ``rows`` hold the true class, how often it was said, and cells of share, its text, count
    and, on the diagonal, the interval of the recall."""

    corpus: str
    reading: str
    method: str
    reader: str
    marks: list[str]
    classes: list[str]
    rows: list[tuple[str, str, list[tuple[float, str, str, str]]]]
    main: bool


def confusions(facts: Facts) -> list[Confusion]:
    """Return every confusion matrix, row-normalised.

    ``main`` are the recipe's methods under its own protocol, read by their heads with neighbours where they have such.
    """
    keys = ("corpus", "protocol", "method", "classifier")
    return [_confusion(facts, rows) for rows in facts.groups("confusion", *keys).values()]


def _confusion(facts: Facts, rows: list[Row]) -> Confusion:
    first, classes = rows[0], list(dict.fromkeys(row["truth"] for row in rows))
    counts = {(row["truth"], row["prediction"]): float(row["count"] or 0.0) for row in rows}
    recalled = {row["truth"]: _ends(row) for row in rows if row["truth"] == row["prediction"]}
    lines = []
    for truth in classes:
        found = [counts.get((truth, said), 0.0) for said in classes]
        total = sum(found)
        ends = [recalled[truth] if said == truth else "" for said in classes]
        shares = [
            (count / total if total else 0.0, _share(count, total), _count(count, total), end)
            for count, end in zip(found, ends, strict=True)
        ]
        lines.append((truth, _count(total, total), shares))
    readers = facts.readers(first["method"])
    told = [INTERPOLATED] if INTERPOLATED in readers else readers
    main = facts.is_main(first) and first["method"] in facts.main and first["classifier"] in told
    reader = reader_name(first["classifier"])
    marks = facts.marks(first["corpus"])
    return Confusion(first["corpus"], facts.reading(first), first["method"], reader, marks, classes, lines, main)


def _ends(row: Row) -> str:
    return bounds(row["low"], row["high"]) if known(row.get("low"), row.get("high")) else ""


def _share(count: float, total: float) -> str:
    return number(count / total if total else None)


def _count(value: float, total: float) -> str:
    """Write a count; a mean over seeds need not be whole, and its decimal counts only in a small row."""
    small = total < MANY and abs(value - round(value)) >= 0.05
    return f"{value:.1f}" if small else whole(value)
