"""Tables for a paper: the matrix and the few-shot scores, in LaTeX (booktabs) and Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from xlser.reporting.bench import shots
from xlser.reporting.bench.facts import Bench
from xlser.reporting.bench.matrix import Matrix, Square

_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "→": r"$\rightarrow$"}
_LATEX |= {"−": "$-$", "—": "---", "“": "``", "”": "''", "<": r"\textless{}", ">": r"\textgreater{}"}
_LATEX |= {char: f"\\{char}" for char in "&%$#_{}"}
Table = tuple[str, list[str], list[list[str]]]


def paper_tables(bench: Bench, found: Sequence[Matrix]) -> dict[str, str]:
    """Return the text of every file by its name."""
    every = {"matrix": [_matrix(bench, one) for one in found], "few_shot": _few_shot(bench)}
    files = {}
    for name, tables in every.items():
        files[f"{name}.tex"] = "% needs \\usepackage{booktabs}\n" + "\n".join(latex(*table) for table in tables)
        files[f"{name}.md"] = "\n".join(markdown(*table) for table in tables)
    return files


def _matrix(bench: Bench, matrix: Matrix) -> Table:
    caption = (
        f"UA of what the source's validation speakers chose, {matrix.protocol}; brackets: {bench.percent} intervals "
        "over speakers; * the interval excludes chance; held-out: the source's own held-out speakers, no transfer"
    )
    marked = [f"{name} (synthetic)" if bench.synthetic(name) else name for name in matrix.targets]
    rows = [
        [line.recipe, line.source, *map(_square, [line.held_out, *line.cells, *line.means])]
        for lines in matrix.lines.values()
        for line in lines
    ]
    return f"{caption}.", ["Recipe", "Source", "held-out", *marked, *(f"mean, {name}" for name in matrix.means)], rows


def _square(square: Square) -> str:
    if not square.text:
        return "n/a" if square.why else "—"
    return f"{square.text}{'*' if square.side in ('above', 'below') else ''} {square.interval}"


def _few_shot(bench: Bench) -> list[Table]:
    lines = shots.table(bench, bench.transfers)
    if not lines:
        return []
    caption = (
        f"UA with k labelled clips a class of the target; brackets: {bench.percent} intervals over speakers and draws; "
        "* the interval of the gain over k = 0 excludes 0; area: mean height of the curve over log2(k + 1)"
    )
    rows = [
        [line.title, line.way, *(_starred(cell) for cell in [*line.scores, line.area, line.gain])] for line in lines
    ]
    return [(f"{caption}.", ["Cell", "Way", *(f"k = {k}" for k in shots.ks(bench)), "area", "gain in area"], rows)]


def _starred(cell: tuple[str, str, str]) -> str:
    text, interval, where = cell
    return f"{text}{'*' if where in ('above', 'below') else ''} {interval}".strip() or "n/a"


def latex(caption: str, heads: list[str], rows: list[list[str]]) -> str:
    """Return a table float; every text is escaped.

    >>> print(latex("A_b.", ["x"], [["−1 & 2"]]).splitlines()[6])
    $-$1 \\& 2 \\\\
    """
    head, *body = [" & ".join(map(escape, row)) + r" \\" for row in [heads, *rows]]
    columns = "ll" + "r" * (len(heads) - 2)
    lines = [r"\begin{table}", rf"\caption{{{escape(caption)}}}", rf"\begin{{tabular}}{{{columns}}}", r"\toprule", head]
    return "\n".join([*lines, r"\midrule", *body, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def escape(text: str) -> str:
    """Write a text so that LaTeX prints it.

    >>> escape("50 % of a_b")
    '50 \\\\% of a\\\\_b'
    """
    return "".join(_LATEX.get(char, char) for char in text)


def markdown(caption: str, heads: list[str], rows: list[list[str]]) -> str:
    """Return a table under its caption; pipes and signs of formatting are escaped.

    >>> print(markdown("Two.", ["a", "b"], [["x|y", "1"]]))
    Two.
    <BLANKLINE>
    | a | b |
    |---|---|
    | x\\|y | 1 |
    <BLANKLINE>
    """
    lines = ["| " + " | ".join(map(_plain, row)) + " |" for row in [heads, *rows]]
    return "\n".join([_plain(caption), "", lines[0], "|" + "---|" * len(heads), *lines[1:], ""])


def _plain(text: str) -> str:
    return "".join(f"\\{char}" if char in "\\|*_`<" else char for char in text)
