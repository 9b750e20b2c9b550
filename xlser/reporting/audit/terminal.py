"""An audit in a terminal: counts and baselines of each corpus, and the findings, worst first."""

from __future__ import annotations

from typing import Any

from xlser.reporting.audit.finding import SEVERITIES
from xlser.reporting.section import Pairs, Section, Table, Words
from xlser.reporting.wording import bounds, counted, number, recordings, with_unnamed

_MARKS = {"serious": "!!", "caution": " !", "note": "  "}


def corpora(result: dict[str, Any]) -> list[Section]:
    """Return counts and baselines, a section a corpus."""
    return [
        Section(one["corpus"], f"{one['corpus']}: {one['title']}", [Pairs(_counts(one)), _shortcuts(one)])
        for one in result["corpora"]
    ]


def _counts(one: dict[str, Any]) -> list[tuple[str, str]]:
    counts, length = one["counts"], one["counts"]["duration"]
    rates = ", ".join(f"{rate} Hz {count}" for rate, count in counts["sample_rates"].items())
    size = f"{recordings(counts)}, {counts['speakers']} speakers ({counted(counts['sexes'])}), "
    return [
        ("", f"{size}{counts['hours']:.2f} h, {one['elicitation']}" + ", SYNTHETIC" * bool(one["synthetic"])),
        ("language", counted(counts["languages"])),
        (
            "emotions",
            with_unnamed(
                [f"{row['code']}={row['emotion']} {row['count']}" for row in counts["raw"]], counts.get("unnamed", {})
            ),
        ),
        ("seconds", f"median {length['0.5']:.2f}, {length['0']:.2f} to {length['1']:.2f}"),
        ("audio", f"{rates}; channels: {counted(counts['channels'])}"),
        ("texts", str(counts["texts"] or "not known")),
    ]


def _shortcuts(one: dict[str, Any]) -> Table:
    rows = []
    for row in one["shortcuts"]:
        score = [number(row["ua"]), bounds(row["low"], row["high"]), number(row["chance"])]
        rows.append([f"  {row['cue']}", *([row["why"]] if row["why"] else score)])
    return Table.of("", ["  without listening", "UA", "95 % interval", "chance"], rows)


def told(result: dict[str, Any]) -> Section:
    """Return the findings, each with the files or speakers that it names and what to do."""
    rows = result["findings"]
    totals = ", ".join(f"{sum(row['severity'] == name for row in rows)} {name}" for name in SEVERITIES)
    lines = [line for row in rows for line in _finding(row)]
    left_out = "The audio was not decoded (--no-features): duplicates and levels are not audited."
    left_out = "" if result["about"]["decoded"] else left_out
    return Section("findings", f"Findings: {totals}", [Words(lines)], left_out=left_out)


def _finding(row: dict[str, Any]) -> list[tuple[str, str]]:
    lines = [(_MARKS[row["severity"]], f"{row['corpus']}, {row['kind']}: {row['sentence']}")]
    if shown := [name for name in row["named"] if name]:
        rest = row["named_count"] - len(shown)
        lines.append(("  ", ", ".join(shown) + (f" and {rest:,} more" if rest else "")))
    return [*lines, ("->", row["advice"])]
