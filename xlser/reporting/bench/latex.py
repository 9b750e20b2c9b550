"""Tables in LaTeX: every text escaped, an interval below its number, and no table wider or longer than a page."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from itertools import groupby, pairwise

from xlser.printable import visible

# A text, and what stands below it: the interval of a number, or nothing.
Cell = tuple[str, str]
Line = list[Cell]

COLUMNS, ROWS = 6, 20  # of numbers in a table, and rows; what is more goes into a further table
_HEAD = 12  # letters in a line of a heading
_SIGNS = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "→": r"$\rightarrow$"}
_SIGNS |= {"−": "$-$", "—": "---", "–": "--", "“": "``", "”": "''", "’": "'", "…": r"\dots{}"}
_SIGNS |= {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''"}
_SIGNS |= {char: f"\\{char}" for char in "&%$#_{}"}
_HIGHEST = 0x17F  # of Latin letters that pdfLaTeX sets up by itself
_BOX = (r"\sbox0{\begin{tabular}{", r"\end{tabular}}", r"\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}")


def document(tables: Sequence[tuple[str, list[str], list[Line]]]) -> str:
    """Return a file of tables (caption, headings, lines) to be read by ``\\input``, which says what it needs."""
    parts = [part for table in tables for part in _parts(*table)]
    lines = [r"% needs \usepackage{booktabs,graphicx}"]
    text = "\n".join(latex(*part) for part in parts)
    if strange := sorted({char for char in text if ord(char) > _HIGHEST}):
        lines.append(f"% holds letters that pdfLaTeX does not know ({' '.join(strange)}): use LuaLaTeX or XeLaTeX")
    lines += [r"\providecommand{\xlserscore}[2]{\begin{tabular}[t]{@{}c@{}}#1\\[-.5ex]{\scriptsize #2}\end{tabular}}"]
    return "\n".join([*lines, text])


def latex(caption: str, heads: list[str], rows: list[Line]) -> str:
    """Return a table float, shrunk to the width of the line where it would be wider; the first two columns are names.

    >>> print(latex("A_b.", ["x", "y", "k"], [[("a&b", ""), ("c", ""), ("−1", "[−2, 0]")]]).splitlines()[7])
    a\\&b & c & \\xlserscore{$-$1}{[$-$2, 0]} \\\\
    """
    lines = [r"\begin{table}", r"\centering\small", rf"\caption{{{escape(caption)}}}\smallskip"]
    lines += [rf"{_BOX[0]}ll{'c' * (len(heads) - 2)}}}", r"\toprule", _row([_heading(head) for head in heads])]
    lines += [r"\midrule", *_body(rows), r"\bottomrule", _BOX[1]]
    return "\n".join([*lines, rf"{_BOX[2]}\else\usebox0\fi", r"\end{table}", ""])


def escape(text: str) -> str:
    """Write a text so that LaTeX prints it.

    >>> escape("50 % of a_b")
    '50 \\\\% of a\\\\_b'
    """
    return "".join(_SIGNS.get(char, char) for char in visible(" ".join(text.split())))


def _body(rows: list[Line]) -> list[str]:
    """Return the rows; a first name that stands for several is written once, and set apart from the next."""
    groups = [list(group) for _, group in groupby(rows, key=lambda row: row[0])]
    lines: list[str] = []
    for group in groups:
        lines += [r"\addlinespace"] if lines and len(groups) < len(rows) else []
        shown = [group[0], *([("", ""), *row[1:]] for row in group[1:])]
        lines += [_row([_cell(cell) for cell in row]) for row in shown]
    return lines


def _row(cells: list[str]) -> str:
    # A star or a bracket behind the line break before would be taken for its own.
    return ("{}" if cells[0][:1] in ("*", "[") else "") + " & ".join(cells) + r" \\"


def _cell(cell: Cell) -> str:
    text, below = map(escape, cell)
    return rf"\xlserscore{{{text}}}{{{below}}}" if below else text


def _heading(text: str) -> str:
    lines = textwrap.wrap(text, _HEAD, break_long_words=False, break_on_hyphens=False)
    if len(lines) < 2:
        return escape(text)
    stacked = r"\\".join("{}" + escape(line) for line in lines)
    return rf"\begin{{tabular}}[b]{{@{{}}c@{{}}}}{stacked}\end{{tabular}}"


def _parts(caption: str, heads: list[str], rows: list[Line]) -> list[tuple[str, list[str], list[Line]]]:
    """Split a table by its columns of numbers and by its rows, those of one first name together where they fit."""
    count = len(heads) - 2
    times = max(1, math.ceil(count / COLUMNS))
    ends = [2 + count * place // times for place in range(times + 1)]
    blocks = [[0, 1, *range(*pair)] for pair in pairwise(ends)]
    parts = [(kept, some) for some in _pages(rows) for kept in blocks]
    for number, (kept, some) in enumerate(parts, 1):
        told = caption if len(parts) == 1 else f"{caption} Part {number} of {len(parts)}."
        parts[number - 1] = told, [heads[at] for at in kept], [[row[at] for at in kept] for row in some]
    return parts


def _pages(rows: list[Line]) -> list[list[Line]]:
    pages: list[list[Line]] = [[]]
    for _, group in groupby(rows, key=lambda row: row[0]):
        several = list(group)
        if pages[-1] and len(pages[-1]) + len(several) > ROWS:
            pages.append([])
        pages[-1] += several[:ROWS]
        pages += [several[at : at + ROWS] for at in range(ROWS, len(several), ROWS)]
    return pages
