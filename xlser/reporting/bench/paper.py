"""Tables for a paper: the matrix and the few-shot scores, in LaTeX (booktabs) and Markdown."""

from __future__ import annotations

from xlser.printable import visible
from xlser.reporting import section
from xlser.reporting.bench import hindsight, shots
from xlser.reporting.bench.facts import Bench, Row
from xlser.reporting.bench.latex import Cell, Line, document
from xlser.reporting.bench.matrix import Matrix, Square, matrices
from xlser.reporting.wording import bounds, listing, number

Table = tuple[str, list[str], list[Line]]


def paper_tables(bench: Bench) -> dict[str, str]:
    """Return the text of every file by its name, `xlser.reporting.bench.matrix.PAPERS`."""
    every = {"matrix": [_matrix(bench, one) for one in matrices(bench)], "few_shot": _few_shot(bench)}
    if rows := hindsight.shown(bench):
        every["validated"] = [_validated(bench, rows)]
    files = {}
    for name, tables in every.items():
        files[f"{name}.tex"] = document(tables)
        files[f"{name}.md"] = "\n".join(markdown(*table) for table in tables)
    return files


def _matrix(bench: Bench, matrix: Matrix) -> Table:
    caption = (
        f"UA of what the source's validation speakers chose, {matrix.protocol}; brackets: {bench.percent} intervals "
        "over speakers; * the interval excludes chance; held-out: the source's own held-out speakers, no transfer"
    )
    marked = [f"{name} (synthetic)" if bench.synthetic(name) else name for name in matrix.targets]
    rows = [
        [(line.recipe, ""), (_source(bench, line.source), ""), *map(_square, [line.held_out, *line.cells, *line.means])]
        for lines in matrix.lines.values()
        for line in lines
    ]
    return f"{caption}.", ["Recipe", "Source", "held-out", *marked, *(f"mean, {name}" for name in matrix.means)], rows


def _validated(bench: Bench, rows: list[Row]) -> Table:
    caption = (
        "UA of the reading that was chosen without a label of the target (validated), of the best of the same readings "
        f"in hindsight (oracle), and what the choice lost to it (regret); brackets: {bench.percent} intervals over "
        "speakers"
    )
    lines: list[Line] = []
    for row in rows:
        two = [
            (number(row[name]["value"]), bounds(row[name]["low"], row[name]["high"])) for name in ("chosen", "oracle")
        ]
        lost = (number(row.get("regret")), bounds(row.get("regret_low"), row.get("regret_high")))
        named = [row["line"], row["protocol"], _source(bench, row["source"]), _source(bench, row["target"])]
        lines.append([*((name, "") for name in named), *two, lost])
    heads = ["Recipe", "Protocol", "Source", "Target", "validated", "oracle", "regret"]
    return f"{caption}.", heads, lines


def _source(bench: Bench, name: str) -> str:
    return f"{name} (synthetic)" if bench.synthetic(name) else name


def _square(square: Square) -> Cell:
    if not square.text:
        return ("n/a" if square.why else "—"), ""
    return f"{square.text}{'*' if square.side in ('above', 'below') else ''}", square.interval


def _few_shot(bench: Bench) -> list[Table]:
    lines = shots.table_lines(bench, bench.transfers)
    if not lines:
        return []
    protocols = listing(dict.fromkeys(bench.protocol(recipe) for recipe in bench.recipes))
    caption = (
        f"UA with k labelled clips a class of the target (k = 0: without, {protocols}); brackets: {bench.percent} "
        "intervals over speakers and draws; * the interval of the gain over k = 0 excludes 0; area: mean height of the "
        "curve over log2(k + 1)"
    )
    rows = [[(line.title, ""), (line.way, ""), *map(_starred, [*line.scores, line.area, line.gain])] for line in lines]
    return [(f"{caption}.", ["Cell", "Way", *(f"k = {k}" for k in shots.ks(bench)), "area", "gain in area"], rows)]


def _starred(cell: section.Cell) -> Cell:
    return (f"{cell.text}{'*' if cell.side in ('above', 'below') else ''}" or "n/a"), cell.interval


def markdown(caption: str, heads: list[str], rows: list[Line]) -> str:
    """Return a table under its caption; pipes and signs of formatting are escaped.

    >>> print(markdown("Two.", ["a", "b"], [[("x|y", ""), ("1", "[0, 2]")]]))
    Two.
    <BLANKLINE>
    | a | b |
    |---|---|
    | x\\|y | 1 [0, 2] |
    <BLANKLINE>
    """
    table = [heads, *([f"{text} {below}".strip() for text, below in row] for row in rows)]
    lines = ["| " + " | ".join(map(_plain, row)) + " |" for row in table]
    return "\n".join([_plain(caption), "", lines[0], "|" + "---|" * len(heads), *lines[1:], ""])


def _plain(text: str) -> str:
    return "".join(f"\\{char}" if char in "\\|*_`<" else char for char in visible(" ".join(text.split())))
