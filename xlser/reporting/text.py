"""Sections as plain text for a terminal: ASCII signs, and lines of a hundred columns at most."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from xlser.printable import one_line, visible
from xlser.reporting.section import (
    Box,
    Cell,
    Chip,
    Details,
    Figure,
    Heading,
    Headline,
    Note,
    Pairs,
    Part,
    Section,
    Switch,
    Table,
    Words,
)

WIDTH, KEY = 100, 10
# How wide names of rows are at most, and to how much they are cut where all columns then stand beside each other.
LABEL, LEAST = 42, 32
# A console need not know the others.
_PLAIN = str.maketrans({"−": "-", "→": ">", "“": '"', "”": '"'})


def text(sections: Sequence[Section], width: int = WIDTH) -> str:
    """Return sections one after the other, a blank line between; pictures are left out."""
    blocks = [_lines(section, width) for section in sections]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines).translate(_PLAIN)


def _lines(section: Section, width: int) -> list[str]:
    lines = wrap(section.title, width) if section.title else []
    lines += [line for part in section.parts for line in _part(part, width)]
    return lines + (wrap(section.left_out, width) if section.left_out else [])


def _part(part: Part, width: int) -> list[str]:  # noqa: PLR0911 (a line a kind of part)
    if isinstance(part, Table):
        return table(part, width)
    if isinstance(part, Note | Heading):
        return wrap(part.text, width)
    if isinstance(part, Headline):
        marks = f" ({', '.join(part.marks)})" if part.marks else ""
        return wrap(f"{part.text}{marks}", width)
    if isinstance(part, Chip):
        return wrap(f"{part.short}: {part.text}", width, "  ", "    ")
    if isinstance(part, Switch):
        return [line for inner in part.options[part.chosen][1] for line in _part(inner, width)]
    if isinstance(part, Words):
        lines = [f"{lead} {line}".strip() for lead, line in part.lines]
        return [row for line in lines for row in wrap(line, width, "  ", "    ")]
    if isinstance(part, Pairs):
        return [row for name, line in part.lines for row in wrap(line, width, f"  {name:{KEY}}", " " * (KEY + 2))]
    if isinstance(part, Box | Details | Figure):
        return [line for inner in part.parts for line in _part(inner, width)]
    return []


def wrap(line: str, width: int = WIDTH, first: str = "", rest: str = "") -> list[str]:
    """Cut a line where it is too long; ``first`` and ``rest`` stand before the first and the further ones.

    >>> wrap("one two", 6)
    ['one', 'two']
    """
    found = textwrap.wrap(visible(line), width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    return [row.rstrip() for row in found] or [""]


def table(part: Table, width: int = WIDTH) -> list[str]:
    """Return a table in as many pieces as its columns need; a star stands by an interval that lies on one side.

    A row of fewer cells than there are columns is not laid out. Rows under a title are moved in; names that are too
    long end in ``~``.

    >>> print("\\n".join(table(Table.of("", ["UA", "kNN"], [["plain", Cell("0.50", "[0.4, 0.6]", "above")]]))))
    UA     kNN
    plain  0.50* [0.4, 0.6]
    """
    heads = [_cell(head) for head in part.heads]
    lines: list[list[str]] = [heads]
    for group in part.groups:
        lines += [[_cell(group.title)]] if group.title else []
        for first, *rest in (row.cells for row in group.rows):
            lines.append([("  " if group.title else "") + _cell(first), *map(_cell, rest)])
    full = [line for line in lines if len(line) == len(heads)]
    sizes = [max(len(line[at]) for line in full) + 2 for at in range(len(heads))]
    room = width - sum(sizes[1:])
    label = min(sizes[0], room if room >= LEAST else LABEL)
    found: list[str] = []
    for columns in _pieces(sizes[1:], width - label):
        found += [""] if found else []
        for line in lines:
            if len(line) == 1:
                found += wrap(line[0], width, rest="    ")
            elif len(line) < len(heads):
                found.append(" ".join([line[0].ljust(label - 1), *line[1:]]).rstrip()[:width])
            else:
                cells = [_cut(line[0], label - 2).ljust(label), *(line[at].ljust(sizes[at]) for at in columns)]
                found.append("".join(cells).rstrip())
    return found


def _cell(cell: Cell | str) -> str:
    if isinstance(cell, str):
        return one_line(cell)
    star = "*" if cell.side in ("above", "below") else ""
    marks = f" ({', '.join(cell.marks)})" if cell.marks else ""
    return one_line(f"{cell.text}{star} {cell.interval}{marks}".strip())


def _cut(name: str, size: int) -> str:
    return name if len(name) <= size else f"{name[: size - 1]}~"


def _pieces(sizes: list[int], width: int) -> list[list[int]]:
    """Return the columns of each piece, of which at least one stands in each."""
    pieces: list[list[int]] = [[]]
    used = 0
    for at, size in enumerate(sizes, 1):
        if pieces[-1] and used + size > width:
            pieces.append([])
            used = 0
        pieces[-1].append(at)
        used += size
    return pieces
