"""Every corpus as the target of all others: one page, CSV and JSON, and the table as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from xlser.csvcells import write_frame
from xlser.evaluation.candidates import BestResult, Estimate
from xlser.evaluation.results_file import json_text
from xlser.fileformats import VERSIONS
from xlser.ownfiles import OwnFiles
from xlser.reporting.bench.chart import mark
from xlser.reporting.best.answer import PLAIN, chance, points, short
from xlser.reporting.best.page import best_page
from xlser.reporting.best.picture import TARGET, VALIDATED, Line, dots
from xlser.reporting.html import html
from xlser.reporting.section import Cell, Figure, Group, Legend, Note, Page, Panel, Panels, Row, Section, Table
from xlser.reporting.text import text
from xlser.reporting.wording import bounds, listing, number, plural, score

HEADS = ("Target", "validated", "oracle", "regret", "plainest")
NO_LABELS = "None of the corpora has two of the emotions, so that nothing can be scored."


def write_by_target(results: Sequence[BestResult], table: pd.DataFrame, folder: str | Path) -> Path:
    """Write ``leave-one-out.html``, ``.csv`` and ``.json``, and a page a target, into a folder; return the page's path.

    Args:
        results: one a target.
        table: of `xlser.experiment.best.left_out.left_out_table`: a row a target, and the mean in the last.
        folder: is made where it is not there.

    Raises:
        XlserError: the folder cannot be written.
    """
    own = OwnFiles(folder)
    with own.replacing("leave-one-out.csv") as temporary:
        write_frame(table, temporary)
    about = {"schema": VERSIONS["best"], "results": [one.to_dict() for one in results]}
    own.write("leave-one-out.json", json_text(about, indent=1))
    for one in results:
        own.write(_file(one), html(best_page(one)))
    own.write("leave-one-out.html", html(_page(results, table)))
    return Path(folder) / "leave-one-out.html"


def by_target_text(results: Sequence[BestResult], table: pd.DataFrame) -> str:
    """Return the table as text."""
    if table.empty:
        return NO_LABELS
    return text(
        [Section("left-out", "", [_table(results, table), Note(""), *_chosen(results), Note(_headline(table))])]
    )


def _page(results: Sequence[BestResult], table: pd.DataFrame) -> Page:
    names = listing(one.target for one in results)
    banners = [banner for one in results for banner in best_page(one).banners]
    return Page(
        title="Each corpus left out",
        kind=f"xlser best --leave-one-out · {names}",
        heading="Each corpus left out",
        sub=NO_LABELS if table.empty else _headline(table),
        banners=list(dict.fromkeys(banners)),
        sections=_sections(results, table),
        footer="This page loads nothing from elsewhere; each target has a page of its own beside it.",
    )


def _sections(results: Sequence[BestResult], table: pd.DataFrame) -> list[Section]:
    if table.empty:
        return [Section("table", "UA", left_out=NO_LABELS)]
    lines = [_line(row) for row in table.to_dict("records")]
    label = "UA of the chosen model and of the plainest on every target; the numbers stand in the table."
    legend = Legend([(mark(VALIDATED), "validated: the choice"), (mark(TARGET), f"plainest: {PLAIN}")])
    caption = (
        "Each corpus is the target of all others. What was chosen, and the plainest candidate, with intervals over "
        "speakers. Dashed: chance."
    )
    picture = Figure(
        [legend, Panels([Panel("UA", [], dots(lines, chance(results[0]), label))], "panels pairs")], caption
    )
    note = (
        "The choice for a corpus never saw a label of it. The oracle is the best there in hindsight; regret is what "
        "the choice gives away to it."
    )
    return [
        Section("chart", "On every target", [picture], "Chart"),
        Section("table", "Validated and oracle", [_table(results, table), Note(note), *_chosen(results)], "Table"),
    ]


def _line(row: Mapping[str, Any]) -> Line:
    return Line(str(row["target"]), "", _estimate(row, "validated"), _estimate(row, "baseline"))


def _estimate(row: Mapping[str, Any], name: str) -> Estimate:
    return Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"])


def _table(results: Sequence[BestResult], table: pd.DataFrame) -> Table:
    pages = {one.target: _file(one) for one in results}
    rows = []
    for row in table.to_dict("records"):
        cells: list[Cell | str] = [
            Cell(str(row["target"])),
            _cell(row, "validated", pages.get(row["target"], "")),
            number(row["oracle"]),
        ]
        cells += [points(_estimate(row, "regret")), _cell(row, "baseline")]
        rows.append(Row(cells, "own" if row["target"] not in pages else ""))
    return Table("UA on each target", HEADS, [Group(rows)], label="UA on each target")


def _cell(row: Mapping[str, Any], name: str, href: str = "") -> Cell:
    found = _estimate(row, name)
    return Cell(number(found.value), bounds(*found[1:]), href=href)


def _chosen(results: Sequence[BestResult]) -> list[Note]:
    return [Note(f"{one.target}, {one.protocol}: {short(one.chosen)}.") for one in results]


def _headline(table: pd.DataFrame) -> str:
    mean = table.to_dict("records")[-1]
    ends = {name: score(_estimate(mean, name)._asdict()) for name in ("validated", "baseline")}
    return (
        f"In the mean of {plural(len(table) - 1, 'target')}, each read by what was learnt of all others and chosen "
        f"without its labels, UA is {ends['validated']}; the best in hindsight has {number(mean['oracle'])}, regret "
        f"{points(_estimate(mean, 'regret'))}; {PLAIN} has {ends['baseline']}."
    )


def _file(result: BestResult) -> str:
    return f"to-{result.target}.html"
