"""Many methods beside each other on one corpus, in sentences."""

from __future__ import annotations

from xlser.reporting.comparison import baseline_name, called, gain_side
from xlser.reporting.facts import Facts, Row
from xlser.reporting.wording import known, listing, number, reader_name


def rankings(facts: Facts) -> list[str]:
    """Return a sentence per target: every method's UA, highest first, and which can be told from the baseline."""
    return [line for corpus in facts.targets if (line := _ranking(facts, corpus))]


def _ranking(facts: Facts, corpus: str) -> str:
    rows = [row for method in facts.main for row in _last(facts, corpus, method) if known(row["value"])]
    if not rows:
        return ""
    rows.sort(key=lambda row: -row["value"])
    readers = {row["classifier"] for row in rows}
    one = f" with {reader_name(rows[0]['classifier'])}" if len(readers) == 1 else ""
    told = listing(
        f"{called(facts, row['method'])} {number(row['value'])}"
        + ("" if one else f" ({reader_name(row['classifier'])})")
        for row in rows
    )
    head = f"{facts.name(corpus)}, {facts.protocol}: UA{one}, highest first, is {told}; chance is"
    return f"{head} {number(rows[0]['chance'])}.{_sides(facts, rows)}"


def _last(facts: Facts, corpus: str, method: str) -> list[Row]:
    """Return the UA of the last of the readers that a method is judged by: its head with neighbours, if it has one."""
    return facts.rows(
        "transfer",
        corpus=corpus,
        protocol=facts.protocol,
        method=method,
        metric="UA",
        classifier=(facts.readers(method) or [""])[-1],
    )


def _sides(facts: Facts, rows: list[Row]) -> str:
    compared = [row for row in rows if facts.is_compared(row)]
    if not compared:
        return ""
    base = baseline_name(facts, compared[0]["classifier"])
    found: dict[str, list[str]] = {}
    for row in compared:
        where = gain_side(row)
        if where in ("above", "below"):
            found.setdefault(where, []).append(called(facts, row["method"]))
    told = "; ".join(f"{where} {base}: {listing(found[where])}" for where in ("above", "below") if where in found)
    return f" By the intervals of the gains, {told}." if told else f" None can be told apart from {base}."
