"""Candidates as dots with their spread, a line each: what the choice went by, and the target beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from xlser.evaluation.candidates import Estimate
from xlser.reporting.bench.chart import COLOURS, SHAPES, tenths
from xlser.reporting.fitted import rows_of
from xlser.reporting.wording import known, number

WIDTH, LEFT, RIGHT, SIZE = 360.0, 4.0, 34.0, 12
VALIDATED, TARGET = 1, 0  # places of the marks and colours
_LETTERS = 52
_WORDS, _ROW, _GAP, _FOOT = 15.0, 16.0, 9.0, 34.0


@dataclass(frozen=True)
class Line:
    """One candidate: its name, what it is among the others, and its numbers as (value, low, high)."""

    label: str
    mark: str
    validated: Estimate
    target: Estimate | None


def dots(lines: Sequence[Line], chance: float, label: str, reach: Sequence[float] = ()) -> Markup:
    """Return an ``<svg>`` of lines from top to bottom over one axis of UA.

    Args:
        lines: in their order.
        chance: a dashed line.
        label: what is shown, for those who do not see it.
        reach: what the axis must show beside the numbers, so that two pictures have the same one.
    """
    ticks = tenths([*ends(lines), chance, *reach])
    span = (ticks[0][0], ticks[-1][0])
    y, parts, dotted = 4.0, [], []
    for line in lines:
        names, y = _name(line, y)
        marks, end = _dots(line, y, span)
        dotted.append((y, end))
        parts += [names, marks]
        y = end + _GAP
    frame = _frame(ticks, span, chance, dotted)
    size = f'viewBox="0 0 {WIDTH:g} {y + _FOOT:g}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(label)}" '
    return Markup(head + f'style="--w: {WIDTH:g}px" font-size="{SIZE}">' + frame + "".join(parts) + "</svg>")


def ends(lines: Sequence[Line]) -> list[float]:
    """Return every number that a picture of these lines shows."""
    shown = (found for line in lines for found in (line.validated, line.target) if found)
    return [value for found in shown for value in found if known(value)]


def _name(line: Line, y: float) -> tuple[str, float]:
    """Return a line's name, in as many rows as it needs, and where it ends."""
    parts = []
    for row, text in enumerate(rows_of(f"{line.mark}: {line.label}" if line.mark else line.label, _LETTERS)):
        y += _WORDS
        if row == 0 and line.mark:
            rest = text.removeprefix(f"{line.mark}: ")
            text_html = f'<tspan font-weight="700">{escape(line.mark)}</tspan> {escape(rest)}'
        else:
            text_html = str(escape(text))
        parts.append(f'<text x="{LEFT:g}" y="{y:.1f}">{text_html}</text>')
    return "".join(parts), y + 4


def _dots(line: Line, y: float, span: tuple[float, float]) -> tuple[str, float]:
    """Return a line's dots, and where they end."""
    parts = []
    shown = [(line.validated, VALIDATED, "validated")]
    shown += [(line.target, TARGET, "target")] if line.target else []
    for found, place, name in shown:
        parts.append(_dot(found, place, f"{name}, {line.label}", y + _ROW / 2, span))
        y += _ROW
    return "".join(parts), y


def _dot(found: Estimate, place: int, name: str, y: float, span: tuple[float, float]) -> str:
    colour, spread = COLOURS[place], ""
    if not known(found.value):
        return ""
    x, between = _x(found.value, span), ""
    if known(found.low, found.high):
        low, high = (_x(value, span) for value in (found.low, found.high))
        spread = f'<path d="M{low:.1f} {y:.1f}H{high:.1f}" stroke="{colour}" stroke-width="2" opacity=".6"/>'
        between = f" [{number(found.low)}, {number(found.high)}]"
    tip = f"<title>{escape(name)}: {number(found.value)}{between}</title>"
    dot = f'<path d="{SHAPES[place]}" transform="translate({x:.1f} {y:.1f})" fill="{colour}"/>'
    value = f'<text x="{WIDTH:g}" y="{y + 4:.1f}" text-anchor="end">{number(found.value)}</text>'
    return f"<g>{tip}{spread}{dot}{value}</g>"


def _frame(
    ticks: list[tuple[float, str]], span: tuple[float, float], chance: float, dotted: Sequence[tuple[float, float]]
) -> str:
    """Return the axis under the last dots, and its lines beside dots alone: a name is not crossed."""
    parts, bottom = [], dotted[-1][1] + _GAP if dotted else _GAP
    for value, text in ticks:
        x = _x(value, span)
        parts += [f'<path class="rule" d="M{x:.1f} {top:.1f}V{end:.1f}"/>' for top, end in dotted]
        parts.append(f'<text x="{x:.1f}" y="{bottom + 14:.1f}" text-anchor="middle">{text}</text>')
    parts += [f'<path class="guide" d="M{_x(chance, span):.1f} {top:.1f}V{end:.1f}"/>' for top, end in dotted]
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.1f}" y="{bottom + 29:.1f}" text-anchor="middle">UA</text>')
    return "".join(parts)


def _x(value: float, span: tuple[float, float]) -> float:
    left, right = LEFT + 8, WIDTH - RIGHT - 8
    return left + (right - left) * (min(max(value, span[0]), span[1]) - span[0]) / (span[1] - span[0])
