"""The end of a run as plain text: UA and the main correlations, at most 100 columns wide."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from xlser.reporting.facts import PLAIN, Facts, Row
from xlser.reporting.load import load_results
from xlser.reporting.wording import bounds, number, reader_name, side, signed

WIDTH, LABEL, CELL = 100, 40, 29
_DIMENSIONS = ("activation", "valence")
_AXES = ("direction", "latent mean")


def render_terminal(run: dict[str, Any] | str | Path) -> str:
    """Return a table of UA, and one of correlations where there are any, under the recipe's own protocol.

    A star stands by a gain over the plain autoencoder whose interval excludes 0.

    Args:
        run: what ``results.json`` holds, or the run folder that holds it.

    Raises:
        RunError: a folder whose results cannot be read (see `load_results`).
    """
    facts = Facts(run if isinstance(run, dict) else load_results(run))
    lines = [f"{facts.recipe['name']}: {facts.source} to {', '.join(facts.targets)}", *_warnings(facts)]
    lines += _transfer(facts)
    lines += _correlation(facts)
    lines += [
        "",
        *_others(facts),
        f"[{facts.percent} interval over speakers], then the gain over plain; * its interval excludes 0.",
    ]
    # A plain minus: a console need not know the other one.
    return "\n".join(part for line in lines for part in _wrap(line.replace("−", "-")))


def _warnings(facts: Facts) -> list[str]:
    lines = []
    if facts.about["synthetic"]:
        lines.append(f"SYNTHETIC speech ({', '.join(facts.about['synthetic'])}): no evidence about human emotion.")
    if facts.shared:
        lines.append("WARNING: speakers stand in more than one part of the split; see the report.")
    return lines + facts.warnings


def _others(facts: Facts) -> list[str]:
    names = dict.fromkeys(name for corpus in facts.targets for name in facts.protocols(corpus))
    return [f"{name.capitalize()} numbers: see the report." for name in names if name != facts.protocol]


def _transfer(facts: Facts) -> list[str]:
    rows = [row for row in facts.results["transfer"] if row["metric"] == "UA" and facts.is_main(row)]
    classifiers = list(dict.fromkeys(row["classifier"] for row in rows))[:2]
    lines = []
    for found in _blocks(rows):
        lines.append(f"{_head(facts, found[0])}, chance {number(found[0]['chance'])}")
        for method in dict.fromkeys(row["method"] for row in found):
            by = {row["classifier"]: row for row in found if row["method"] == method}
            lines.append(_line(facts.method_name(method), [_cell(by.get(name)) for name in classifiers]))
    return _titled("UA", [reader_name(name) for name in classifiers], lines)


def _correlation(facts: Facts) -> list[str]:
    rows = [row for row in facts.results["correlation"] if row["statistic"] == "Pearson" and facts.is_main(row)]
    lines = []
    for found in _blocks([row for row in rows if row["axis"] in _AXES]):
        lines.append(_head(facts, found[0]))
        for method, axis in dict.fromkeys((row["method"], row["axis"]) for row in found):
            by = {row["dimension"]: row for row in found if (row["method"], row["axis"]) == (method, axis)}
            cells = [_cell(by.get(name)) for name in _DIMENSIONS]
            lines.append(_line(f"{facts.method_name(method)}, {axis}", cells))
    return _titled("Pearson r", list(_DIMENSIONS), lines)


def _blocks(rows: list[Row]) -> list[list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["corpus"], row["protocol"]), []).append(row)
    return list(found.values())


def _head(facts: Facts, row: Row) -> str:
    return f"{facts.name(row['corpus'], row.get('ratings', ''))}, {facts.reading(row)}"


def _cell(row: Row | None) -> str:
    if row is None:
        return "n/a"
    star = "*" if side(row["gain_low"], row["gain_high"], 0.0) in ("above", "below") else ""
    more = "" if row["method"] == PLAIN else f" {signed(row['gain'])}{star}"
    return f"{number(row['value'])} {bounds(row['low'], row['high'])}{more}"


def _line(label: str, cells: list[str]) -> str:
    label = label if len(label) <= LABEL - 2 else f"{label[: LABEL - 3]}~"
    return "".join([f"  {label}".ljust(LABEL + 2), *(cell.ljust(CELL) for cell in cells)]).rstrip()


def _titled(title: str, columns: list[str], lines: list[str]) -> list[str]:
    head = title.ljust(LABEL + 2) + "".join(name.ljust(CELL) for name in columns)
    return ["", head.rstrip(), *lines] if lines else []


def _wrap(line: str) -> list[str]:
    return textwrap.wrap(line, WIDTH, break_on_hyphens=False) or [""]
