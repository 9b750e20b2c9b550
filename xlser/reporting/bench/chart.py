"""Small line charts as inline SVG that takes its ink from the page; every point tells its number when pointed at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from xlser.reporting.svg import GREY, METHODS
from xlser.reporting.wording import known

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 360.0, 230.0, 38.0, 10.0, 10.0, 40.0
COLOURS = (*METHODS, "currentColor", GREY)
# Drawn about (0, 0): colour is not the only thing that tells two lines apart. One more than there are colours: the last
# is of what has no name (place -1).
SHAPES = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
    "M0 -5L5 0L0 5L-5 0Z",
    "M-4 -4H4V4H-4Z",
    "M0 -5L5 4H-5Z",
    "M0 5L5 -4H-5Z",
    "M-5 -1.5H-1.5V-5H1.5V-1.5H5V1.5H1.5V5H-1.5V1.5H-5Z",
    "M-4 -4H4L-4 4H4Z",
    "M-5 -2H5V2H-5Z",
    "M-3 -4L0 -1L3 -4L4 -3L1 0L4 3L3 4L0 1L-3 4L-4 3L-1 0L-4 -3Z",
)
Span = tuple[float, float]


@dataclass
class Point:
    """A point in the data's own units; ``low`` and ``high`` end its bar; ``tip`` is what it tells."""

    x: float
    y: float | None
    tip: str
    low: float | None = None
    high: float | None = None


@dataclass
class Curve:
    """A named line; ``place`` decides its colour and mark, so that it has the same ones in every panel.

    ``level`` is a dashed line of its colour, such as its chance.
    """

    name: str
    place: int
    points: list[Point]
    level: float | None = None


@dataclass
class Axes:
    """Names, ticks (place, text) and ends of both axes; ``level`` is a dashed line, ``diagonal`` another.

    ``uprights`` are lines from top to bottom: where, and how each is dressed (``upright`` or ``guide``).
    """

    x_name: str
    y_name: str
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    level: float | None = None
    diagonal: bool = False
    uprights: Sequence[tuple[float, str]] = ()

    def spot(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixels of a place."""
        across, up = (self.x_ticks[0][0], self.x_ticks[-1][0]), (self.y_ticks[0][0], self.y_ticks[-1][0])
        width, height = WIDTH - LEFT - RIGHT - 24, HEIGHT - TOP - BOTTOM
        return LEFT + 12 + width * _part(x, across), TOP + height * (1 - _part(y, up))


def chart(curves: Sequence[Curve], axes: Axes, label: str, size: int = 12) -> Markup:
    """Return an ``<svg>`` of the curves.

    Args:
        curves: points without a value are left out, and so is what lies beyond the axes.
        axes: their first and last ticks are their ends.
        label: what is shown, for those who do not see it.
        size: of the text, in pixels where the chart is `WIDTH` pixels wide.
    """
    lines = [_curve(curve, axes, 3.0 * (i - (len(curves) - 1) / 2)) for i, curve in enumerate(curves)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" '
        f'aria-label="{escape(label)}" style="--w: {WIDTH:g}px" font-size="{size}">'
    )
    return Markup(head + _frame(axes, size) + "".join(lines) + "</svg>")


def mark(place: int) -> Markup:
    """Return the mark of a line, for a legend."""
    return Markup(
        f'<svg class="mark" viewBox="-7 -7 14 14" aria-hidden="true"><path d="{SHAPES[place % len(SHAPES)]}" '
        f'fill="{COLOURS[place % len(COLOURS)]}"/></svg>'
    )


def tenths(values: Sequence[float | None]) -> list[tuple[float, str]]:
    """Return ticks of 0.1 or 0.2 around the values, between 0 and 1.

    >>> [text for _, text in tenths([0.31, 0.52])]
    ['0.3', '0.4', '0.5', '0.6']
    >>> [text for _, text in tenths([0.0, 1.0])]
    ['0.0', '0.2', '0.4', '0.6', '0.8', '1.0']
    """
    there = [value for value in values if known(value)] or [0.0, 1.0]
    low = min(math.floor(max(min(there), 0) * 10 + 1e-9), 9)
    high = max(math.ceil(min(max(there), 1) * 10 - 1e-9), low + 1)
    step = 1 if high - low <= 6 else 2
    return [(i / 10, f"{i / 10:.1f}") for i in range(low - low % step, high + step, step)]


def _part(value: float, ends: Span) -> float:
    return (min(max(value, ends[0]), ends[1]) - ends[0]) / (ends[1] - ends[0])


def _frame(axes: Axes, size: int) -> str:
    parts = []
    (x0, y0), (x1, y1) = (axes.spot(axes.x_ticks[i][0], axes.y_ticks[i][0]) for i in (0, -1))
    for value, text in axes.y_ticks:
        y = axes.spot(0, value)[1]
        parts.append(f'<path class="rule" d="M{LEFT:g} {y:.1f}H{WIDTH - RIGHT:g}"/>')
        parts.append(f'<text x="{LEFT - 6:g}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    for value, text in axes.x_ticks:
        x = axes.spot(value, 0)[0]
        parts.append(f'<text x="{x:.1f}" y="{y0 + 5 + size:.1f}" text-anchor="middle">{escape(text)}</text>')
    middle = (x0 + x1) / 2
    parts.append(f'<text x="{middle:.1f}" y="{HEIGHT - 6:g}" text-anchor="middle">{escape(axes.x_name)}</text>')
    parts.append(f'<text x="{LEFT + 4:g}" y="{TOP + 8:g}" class="axis">{escape(axes.y_name)}</text>')
    if known(axes.level):
        parts.append(f'<path class="guide" d="M{LEFT:g} {axes.spot(0, axes.level)[1]:.1f}H{WIDTH - RIGHT:g}"/>')
    parts += [f'<path class="{kind}" d="M{axes.spot(x, 0)[0]:.1f} {y0:.1f}V{TOP:g}"/>' for x, kind in axes.uprights]
    if axes.diagonal:
        parts.append(f'<path class="guide" d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}"/>')
    return "".join(parts)


def _curve(curve: Curve, axes: Axes, aside: float) -> str:
    """Draw a line, its bars and its marks, moved aside so that bars of several lines do not cover each other."""
    colour, shape = COLOURS[curve.place % len(COLOURS)], SHAPES[curve.place % len(SHAPES)]
    points = [point for point in curve.points if known(point.y)]
    aside = aside if any(known(point.low) for point in points) else 0.0
    spots = [(axes.spot(point.x, point.y)[0] + aside, axes.spot(point.x, point.y)[1]) for point in points]
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)
    parts = [f'<path d="M{line}" fill="none" stroke="{colour}" stroke-width="1.6"/>'] if spots else []
    if curve.level is not None:
        level = f'd="M{LEFT:g} {axes.spot(0, curve.level)[1]:.1f}H{WIDTH - RIGHT:g}"'
        parts.append(f'<path class="guide" {level} style="stroke: {colour}"/>')
    for point, (x, y) in zip(points, spots, strict=True):
        bar = ""
        if known(point.low, point.high):
            low, high = (axes.spot(point.x, end)[1] for end in (point.low, point.high))
            bar = f'<path d="M{x:.1f} {low:.1f}V{high:.1f}" stroke="{colour}" stroke-width="1.2" opacity=".6"/>'
        at = f'transform="translate({x:.1f} {y:.1f})"'
        tip = f"<title>{escape(curve.name)}: {escape(point.tip)}</title>"
        parts.append(f'<g>{tip}{bar}<path d="{shape}" {at} fill="{colour}"/></g>')
    return "".join(parts)
