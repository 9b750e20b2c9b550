"""The first screen of the page of `xlser best`: what to expect, and the candidates beside each other."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from xlser.evaluation.candidates import BestResult, Tried
from xlser.reporting.bench.chart import mark
from xlser.reporting.best.answer import chance, expected, grounds, headline, heard, in_hindsight, short
from xlser.reporting.best.answer import steps as steps_of
from xlser.reporting.best.ladder import FIELDS, Rung, ladder
from xlser.reporting.best.picture import TARGET, VALIDATED, Line, dots, ends
from xlser.reporting.section import Figure, Headline, Legend, Note, Panel, Panels, Part, Section
from xlser.reporting.wording import listing

SHOWN = 5


def picture(result: BestResult) -> list[Part]:
    """Return the first screen's picture: the best candidates, on the axis of the steps' picture."""
    return [_figure(result, "Candidates, the best first", _best_lines(result))]


def answer(result: BestResult) -> list[Part]:
    """Return the headline, its grounds, what came of it by the target's labels, and how the picture is read."""
    hindsight = [Note(in_hindsight(result), "")] if has_labels(result) else []
    return [Headline(headline(result)), Note(grounds(result), ""), *hindsight, Note(_caption(result))]


def opening(result: BestResult) -> Section:
    """Return the picture of the steps from the plainest candidate to the chosen one."""
    title = "From the plainest to the chosen"
    return Section("chart", title, [_figure(result, title, _step_lines(result))], "Chart")


def picked(result: BestResult, most: int = SHOWN) -> list[Tried]:
    """Return the best candidates, and with them the chosen one, the plainest and the oracle, in order."""
    named = {result.chosen, result.baseline, result.oracle}
    rest = [row.name for row in result.candidates if row.name not in named]
    shown = named | set(rest[: max(most - len(named - {None}), 0)])
    return [row for row in result.candidates if row.name in shown]


def marks_of(result: BestResult, row: Tried) -> list[str]:
    """Return what a candidate is among the others: chosen, oracle, plainest."""
    names = {"chosen": result.chosen, "oracle": result.oracle, "plainest": result.baseline}
    return [mark for mark, name in names.items() if row.name == name]


def _line(result: BestResult, row: Tried, label: str) -> Line:
    return Line(label, ", ".join(marks_of(result, row)), expected(row), row.target)


def _label(result: BestResult, row: Tried, left_out: Collection[str] = ()) -> str:
    """Return a candidate by what not all candidates have alike, without the fields that are left out."""
    varied = [name for name in FIELDS if len({getattr(candidate, name) for candidate in result.candidates}) > 1]
    parts = [_written(name, getattr(row, name)) for name in varied if name not in left_out]
    return short(", ".join(part for part in parts if part)) or short(row.name)


def _written(field: str, value: str) -> str:
    if field == "representation":
        return heard(value)
    if field == "statistics":
        return f"{value} statistics"
    return steps_of(value) if field == "adaptation" and value else value


def _step(result: BestResult, rung: Rung) -> str:
    return short("; ".join(rung.changes)) if rung.changes else _label(result, rung.candidate)


def _figure(result: BestResult, name: str, lines: Sequence[Line]) -> Figure:
    ends_of_all = [*ends(_best_lines(result)), *ends(_step_lines(result)), chance(result)]
    label = f"{name}: UA on sources left out{', and on the target' * has_labels(result)}; numbers in the tables."
    svg = dots(lines, chance(result), label, (min(ends_of_all), max(ends_of_all)))
    return Figure([_legend(result), Panels([Panel(name, [], svg)], "panels one")])


def _best_lines(result: BestResult) -> list[Line]:
    shared = _shared(result)
    labels = [_label(result, row, () if row.name == result.baseline else shared) for row in picked(result)]
    return [_line(result, row, label) for row, label in zip(picked(result), labels, strict=True)]


def _shared(result: BestResult) -> dict[str, str]:
    """Return the fields in which all candidates of the picture but the plainest are alike, and what they have there."""
    rows = [row for row in picked(result) if row.name != result.baseline]
    values = {name: {getattr(row, name) for row in rows} for name in FIELDS}
    return {name: found.pop() for name, found in values.items() if len(rows) > 1 and len(found) == 1}


def _step_lines(result: BestResult) -> list[Line]:
    return [_line(result, rung.candidate, _step(result, rung)) for rung in ladder(result)]


def _caption(result: BestResult) -> str:
    target = (
        f" Dots: UA on {result.target} with its interval over speakers; the choice did not see it, and the oracle "
        "is the best by it, in hindsight."
        if has_labels(result)
        else f" {result.target} has no labels, so that nothing can be said of hindsight."
    )
    many = "the mean over the sources, each left out in turn; the line goes from the worst of them to the best"
    one = "the source's own speakers, where nothing shifts: a target may be harder"
    alike = listing([text for name, value in _shared(result).items() if (text := short(_written(name, value)))])
    alike = f" All but the plainest: {alike}." if alike else ""
    return (
        f"Diamonds: UA by which was chosen, {many if len(result.sources) > 1 else one}.{target} Dashed: chance.{alike}"
    )


def _legend(result: BestResult) -> Legend:
    lines = [(mark(VALIDATED), "validated: sources left out" if len(result.sources) > 1 else "validated: the source")]
    lines += [(mark(TARGET), f"{result.target}, in hindsight")] if has_labels(result) else []
    return Legend(lines)


def has_labels(result: BestResult) -> bool:
    """Say whether the target has labels that score the choice."""
    return result.get(result.chosen).target is not None
