"""An audit as plain text, at most 100 columns wide."""

from __future__ import annotations

import textwrap
from typing import Any

from xlser.reporting.audit.finding import SEVERITIES
from xlser.reporting.audit.findings import findings
from xlser.reporting.wording import bounds, counted, number

WIDTH = 100
_MARKS = {"serious": "!!", "caution": " !", "note": "  "}


def audit_text(result: dict[str, Any]) -> str:
    """Return the counts of each corpus, its baselines, and the findings, worst first."""
    lines = []
    for one in result["corpora"]:
        lines += [*_counts(one), *_shortcuts(one), ""]
    found = result.get("findings") or findings(result)
    totals = ", ".join(f"{sum(row['severity'] == name for row in found)} {name}" for name in SEVERITIES)
    lines.append(f"Findings: {totals}")
    for row in found:
        lines += _finding(row)
    if not result["about"]["decoded"]:
        lines += ["", "The audio was not decoded (--no-features): duplicates and levels are not audited."]
    return "\n".join(line.replace("−", "-").rstrip() for line in lines)


def _counts(one: dict[str, Any]) -> list[str]:
    counts = one["counts"]
    length = counts["duration"]
    rows = {
        "": f"{counts['utterances']:,} recordings, {counts['speakers']} speakers ({counted(counts['sexes'])}), "
        f"{counts['hours']:.2f} h, {one['elicitation']}" + (", SYNTHETIC" if one["synthetic"] else ""),
        "language": counted(counts["languages"]),
        "emotions": ", ".join(f"{row['code']}={row['emotion']} {row['count']}" for row in counts["raw"]),
        "seconds": f"median {length['0.5']:.2f}, {length['0']:.2f} to {length['1']:.2f}",
        "audio": ", ".join(f"{rate} Hz {count}" for rate, count in counts["sample_rates"].items())
        + f"; channels: {counted(counts['channels'])}",
        "texts": str(counts["texts"] or "not known"),
    }
    return [f"{one['corpus']}: {one['title']}", *(line for key, text in rows.items() for line in _row(key, text))]


def _row(key: str, text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=f"  {key:10}", subsequent_indent=" " * 12)


def _shortcuts(one: dict[str, Any]) -> list[str]:
    lines = [f"  {'without listening':34}{'UA':>6}  {'95 % interval':16}{'chance':>6}"]
    for row in one["shortcuts"]:
        score = f"{number(row['ua']):>6}  {bounds(row['low'], row['high']):16}{number(row['chance']):>6}"
        lines.append(f"  {row['cue']:34}" + (row["why"][: WIDTH - 36] if row["why"] else score))
    return lines


def _finding(row: dict[str, Any]) -> list[str]:
    head = f"{_MARKS[row['severity']]} {row['corpus']}, {row['kind']}: {row['sentence']}"
    lines = textwrap.wrap(head, WIDTH, subsequent_indent="     ", break_on_hyphens=False)
    shown = [name for name in row["named"] if name]
    if shown:
        rest = row["named_count"] - len(shown)
        names = ", ".join(shown) + (f" and {rest:,} more" if rest else "")
        lines += textwrap.wrap(
            names,
            WIDTH,
            initial_indent="     ",
            subsequent_indent="     ",
            break_on_hyphens=False,
            break_long_words=False,
        )
    return lines + textwrap.wrap(f"-> {row['advice']}", WIDTH, initial_indent="     ", subsequent_indent="        ")
