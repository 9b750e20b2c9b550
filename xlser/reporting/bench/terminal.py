"""The end of a bench as plain text, at most 100 columns wide."""

from __future__ import annotations

import textwrap

from xlser.reporting.bench.cautions import missing, warnings
from xlser.reporting.bench.doubt import few_shot
from xlser.reporting.bench.facts import Bench
from xlser.reporting.bench.matrix import SYNTHETIC, Line, Matrix, Square, matrices
from xlser.reporting.chosen import LEAD, chosen_sentence

WIDTH, LABEL, CELL = 100, 32, 20
COLUMNS = (WIDTH - LABEL) // CELL


def lines_of(bench: Bench) -> list[str]:
    """Return the matrices of UA, what a few labelled clips bring, and what is missing."""
    asked = {bench.protocol(recipe) for recipe in bench.recipes}
    found = [line for matrix in matrices(bench) if matrix.protocol in asked for line in _matrix(bench, matrix)]
    others = [name for name in bench.protocols if name not in asked]
    lines = [f"bench of {len(bench.recipes)} x {len(bench.sources)} x {len(bench.targets)}", *warnings(bench), *found]
    lines += [
        "",
        f"[{bench.percent} interval over speakers]; * it excludes chance; held-out: the source's own, no transfer.",
    ]
    chosen = chosen_sentence(bench.results)
    lines += [f"{LEAD} {chosen}"] if chosen else []
    lines += [f"Also read, see the report: {'; '.join(others)}."] if others else []
    shots = [f"  {lead} {text}" for lead, text in few_shot(bench)]
    lines += ["", "A few labelled clips", *shots] if shots else []
    lines += ["", *(f"{name}: {why}" for name, why in missing(bench))] if missing(bench) else []
    # A plain minus: a console need not know the other one.
    plain = str.maketrans({"−": "-", "→": ">", "“": '"', "”": '"'})
    return [part for line in lines for part in _wrap(line.translate(plain))]


def _matrix(bench: Bench, matrix: Matrix) -> list[str]:
    """Return a matrix in as many parts as its columns need, the recipe's lines beneath its name."""
    names = [
        "held-out",
        *(_target(bench, name) for name in matrix.targets),
        *map(_mean, matrix.means),
    ]
    lines = []
    for start in range(0, len(names), COLUMNS):
        part = slice(start, start + COLUMNS)
        lines += ["", _row(f"UA, {matrix.protocol}", names[part])]
        for recipe, several in matrix.lines.items():
            lines += [recipe, *(_row(f"  {line.source} ({line.how})", _cells(line)[part]) for line in several)]
    return lines


def _target(bench: Bench, name: str) -> str:
    return f"{name[: CELL - 6]} (syn)" if bench.synthetic(name) else name


def _mean(name: str) -> str:
    """Return the heading of a mean; the word that must not be lost where it is cut comes first."""
    spoken = name.removesuffix(SYNTHETIC)
    return f"mean, {spoken}" if spoken == name else f"mean (syn), {spoken}"


def _cells(line: Line) -> list[str]:
    return [_cell(square) for square in (line.held_out, *line.cells, *line.means)]


def _cell(square: Square) -> str:
    if not square.text:
        return "n/a" if square.why else ""
    return f"{square.text}{'*' if square.side in ('above', 'below') else ''} {square.interval}"


def _row(label: str, cells: list[str]) -> str:
    texts = [
        text if len(text) < size else f"{text[: size - 2]}~"
        for text, size in [(label, LABEL), *((c, CELL) for c in cells)]
    ]
    return "".join(text.ljust(size) for text, size in zip(texts, [LABEL, *[CELL] * len(cells)], strict=True)).rstrip()


def _wrap(line: str) -> list[str]:
    indent = "    " if line.startswith("  ") else ""
    return textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_on_hyphens=False, drop_whitespace=True) or [""]
