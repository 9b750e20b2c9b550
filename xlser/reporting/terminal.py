"""The end of a run as plain text: UA and the main correlations, at most 100 columns wide."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from xlser.reporting.chosen import LEAD, chosen_sentence
from xlser.reporting.facts import HEADS, Facts, Row
from xlser.reporting.load import load_results
from xlser.reporting.tables import COMPARED_METRICS, compared_name
from xlser.reporting.wording import bounds, number, reader_name, side, signed

WIDTH, LABEL, CELL = 100, 40, 29
# Beside a method's name: WA and UA with intervals, macro-F1 without, the gain in UA with its interval.
_COMPARED = (28, 19, 19, 10, 22)
_AXES = ("head", "direction", "latent mean")


def render_terminal(run: dict[str, Any] | str | Path) -> str:
    """Return tables of UA, and of correlations where there are any, under the recipe's own protocol.

    Trained heads come first, with WA and macro-F1. A star stands by a gain over the baseline whose interval excludes 0.

    Args:
        run: what ``results.json`` holds, or the run folder that holds it.

    Raises:
        RunError: a folder whose results cannot be read (see `load_results`).
    """
    results = run if isinstance(run, dict) else load_results(run)
    facts, chosen = Facts(results), chosen_sentence(results)
    lines = [f"{facts.recipe['name']}: {facts.source} to {', '.join(facts.targets)}", *_warnings(facts)]
    lines += _compared(facts)
    lines += _transfer(facts)
    lines += _correlation(facts)
    lines += [
        "",
        *_others(facts),
        *([f"{LEAD} {chosen}"] if chosen else []),
        f"[{facts.percent} interval over speakers], then the gain over {_over(facts)}; * its interval excludes 0.",
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


def _over(facts: Facts) -> str:
    if not facts.has_heads:
        return facts.baseline
    return f"the classifier of {facts.baseline} (of the same reader or axis in the other tables)"


def _compared(facts: Facts) -> list[str]:
    """Return every method's classifier, then every method's classifier with its neighbours."""
    rows = [row for row in facts.results["transfer"] if row["classifier"] in HEADS and facts.is_main(row)]
    lines = []
    for found in _blocks(rows):
        by = {(row["classifier"], row["method"], row["metric"]): row for row in found}
        chance = next((row["chance"] for row in found if row["metric"] == "UA"), None)
        lines.append(f"{_head(facts, found[0])}, chance {number(chance)} (UA)")
        for reader, method in ((reader, method) for reader in HEADS for method in facts.main):
            scores = [by.get((reader, method, name)) for name in COMPARED_METRICS]
            if any(scores):
                lines.append(_columns(f"  {compared_name(facts, method, reader)}", _scores(facts, scores)))
    return ["", _columns("Classifier", [*COMPARED_METRICS, "gain in UA"]), *lines] if lines else []


def _scores(facts: Facts, scores: list[Row | None]) -> list[str]:
    """Write WA, UA and macro-F1, in the order of `COMPARED_METRICS`, and the gain in UA."""
    *both, f1 = (
        "n/a" if row is None else f"{number(row['value'])} {bounds(row['low'], row['high'])}" for row in scores
    )
    ua = scores[COMPARED_METRICS.index("UA")]
    if ua is None or not facts.is_compared(ua):
        return [*both, f1.partition(" ")[0], ""]
    gain = f"{signed(ua['gain'])}{_star(ua)} {bounds(ua['gain_low'], ua['gain_high'], plus=True)}"
    return [*both, f1.partition(" ")[0], gain]


def _columns(label: str, cells: list[str]) -> str:
    width, *widths = _COMPARED
    label = label if len(label) < width else f"{label[: width - 2]}~"
    return "".join(text.ljust(size) for text, size in zip([label, *cells], [width, *widths], strict=True)).rstrip()


def _transfer(facts: Facts) -> list[str]:
    rows = [row for row in facts.results["transfer"] if row["metric"] == "UA" and facts.is_main(row)]
    rows = [row for row in rows if row["classifier"] not in HEADS]
    classifiers = list(dict.fromkeys(row["classifier"] for row in rows))[:2]
    lines = []
    for found in _blocks(rows):
        lines.append(f"{_head(facts, found[0])}, chance {number(found[0]['chance'])}")
        for method in dict.fromkeys(row["method"] for row in found):
            by = {row["classifier"]: row for row in found if row["method"] == method}
            lines.append(_line(facts.method_name(method), [_cell(facts, by.get(name)) for name in classifiers]))
    return _titled(
        "UA, embedding read by others" if facts.has_heads else "UA", [reader_name(name) for name in classifiers], lines
    )


def _correlation(facts: Facts) -> list[str]:
    pairs = [facts.dimensions[i : i + 2] for i in range(0, len(facts.dimensions), 2)]
    return [line for pair in pairs for line in _correlations(facts, pair)]


def _correlations(facts: Facts, dimensions: list[str]) -> list[str]:
    """Return a table of as many dimensions as fit beside each other."""
    rows = [row for row in facts.results["correlation"] if row["statistic"] == "Pearson" and facts.is_main(row)]
    lines = []
    for found in _blocks([row for row in rows if row["axis"] in _AXES and row["dimension"] in dimensions]):
        lines.append(_head(facts, found[0]))
        for method, axis in dict.fromkeys((row["method"], row["axis"]) for row in found):
            by = {row["dimension"]: row for row in found if (row["method"], row["axis"]) == (method, axis)}
            cells = [_cell(facts, by.get(name)) for name in dimensions]
            lines.append(_line(f"{facts.method_name(method)}, {axis}", cells))
    return _titled("Pearson r", dimensions, lines)


def _blocks(rows: list[Row]) -> list[list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["corpus"], row["protocol"]), []).append(row)
    return list(found.values())


def _head(facts: Facts, row: Row) -> str:
    return f"{facts.name(row['corpus'], row.get('ratings', ''))}, {facts.reading(row)}"


def _star(row: Row) -> str:
    return "*" if side(row["gain_low"], row["gain_high"], 0.0) in ("above", "below") else ""


def _cell(facts: Facts, row: Row | None) -> str:
    if row is None:
        return "n/a"
    more = f" {signed(row['gain'])}{_star(row)}" if facts.is_compared(row) else ""
    return f"{number(row['value'])} {bounds(row['low'], row['high'])}{more}"


def _line(label: str, cells: list[str]) -> str:
    label = label if len(label) <= LABEL - 2 else f"{label[: LABEL - 3]}~"
    return "".join([f"  {label}".ljust(LABEL + 2), *(cell.ljust(CELL) for cell in cells)]).rstrip()


def _titled(title: str, columns: list[str], lines: list[str]) -> list[str]:
    head = title.ljust(LABEL + 2) + "".join(name.ljust(CELL) for name in columns)
    return ["", head.rstrip(), *lines] if lines else []


def _wrap(line: str) -> list[str]:
    return textwrap.wrap(line, WIDTH, break_on_hyphens=False) or [""]
