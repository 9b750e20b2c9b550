"""Dot plots of scores with their intervals, a picture per corpus, each an inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from xlser.reporting.facts import FEATURES, Facts, Row
from xlser.reporting.fitted import rows_of
from xlser.reporting.section import Panel
from xlser.reporting.svg import GREY, INK, METHODS, draw
from xlser.reporting.wording import known, number, reader_name
from xlser.vocabulary import AXES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 360
_LINE, _GAP, _HEAD, _FOOT, _LETTERS = 15.0, 9.0, 24.0, 38.0, 15
MARKERS, SHAPES = ("o", "D", "s", "^"), "●◆■▲"


def colours(facts: Facts) -> dict[str, str]:
    """Return each method's colour: grey for the features, the page's ink for the baseline, the others in turn."""
    own = [name for name in facts.methods if name not in (facts.baseline, FEATURES)]
    return {FEATURES: GREY, facts.baseline: INK} | {name: METHODS[i % len(METHODS)] for i, name in enumerate(own)}


def transfer_panels(facts: Facts) -> list[Panel]:
    """Return a dot plot of UA per corpus: protocols and methods down, a mark per classifier, chance as a line."""
    rows = _judged(facts)
    kinds, limits = _kinds(rows, "classifier"), _limits(rows, [row["chance"] for row in rows])
    panels: list[Panel] = []
    for corpus in dict.fromkeys(row["corpus"] for row in rows):
        here = [row for row in rows if row["corpus"] == corpus]
        label = f"Dot plot of UA on {facts.name(corpus)}; the numbers stand in the transfer table."
        svg = _forest(
            facts,
            here,
            {"classifier": kinds},
            limits=limits,
            line=here[0]["chance"],
            name=f"ua{len(panels)}",
            label=label,
        )
        panels.append(Panel(corpus, facts.marks(corpus), svg))
    return panels


def correlation_panels(facts: Facts) -> list[Panel]:
    """Return a dot plot of Pearson's r per corpus and dimension: a mark each for head, direction and latent mean."""
    rows = _correlated(facts)
    axes, limits = _axes(rows), _limits(rows, [0.0])
    panels: list[Panel] = []
    for corpus, dimension in dict.fromkeys((row["corpus"], row["dimension"]) for row in rows):
        here = [row for row in rows if (row["corpus"], row["dimension"]) == (corpus, dimension)]
        label = f"Dot plot of Pearson's r with {dimension} on {facts.name(corpus)}; numbers in the correlation table."
        svg = _forest(facts, here, {"axis": axes}, limits=limits, line=0.0, name=f"r{len(panels)}", label=label)
        panels.append(Panel(corpus, facts.marks(corpus, here[0]["ratings"]), svg, more=dimension))
    return panels


def legend(facts: Facts) -> str:
    """Return which mark of the dot plot of UA is which classifier, in words."""
    kinds = _kinds(_judged(facts), "classifier")
    return ", ".join(f"{shape} {reader_name(name)}" for shape, name in zip(SHAPES, kinds, strict=False))


def axis_legend(facts: Facts) -> str:
    """Return which mark of the dot plot of correlations is which axis, in words."""
    return ", ".join(f"{shape} {name}" for shape, name in zip(SHAPES, _axes(_correlated(facts)), strict=False))


def _judged(facts: Facts) -> list[Row]:
    readers = {method: facts.readers(method) for method in facts.methods}
    rows = [row for row in facts.results["transfer"] if row["metric"] == "UA"]
    return [row for row in rows if row["classifier"] in readers[row["method"]]]


def _correlated(facts: Facts) -> list[Row]:
    rows = facts.results["correlation"]
    return [row for row in rows if row["statistic"] == "Pearson" and row["axis"] in AXES]


def _axes(rows: list[Row]) -> list[str]:
    found = _kinds(rows, "axis")
    return [name for name in AXES if name in found]


def _kinds(rows: list[Row], key: str) -> list[str]:
    return list(dict.fromkeys(row[key] for row in rows))


def _limits(rows: list[Row], points: list[float]) -> tuple[float, float]:
    """Return the same axis for all panels, to the tenth around every interval."""
    values = [row[key] for row in rows for key in ("value", "low", "high") if known(row[key])]
    values += [point for point in points if known(point)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    return int(low * 10 // 1) / 10 - 0.02, -int(-high * 10 // 1) / 10 + 0.02


def _forest(
    facts: Facts,
    rows: list[Row],
    marked: dict[str, Sequence[str]],
    *,
    limits: tuple[float, float],
    line: float,
    name: str,
    label: str,
) -> Markup:
    """Draw one panel; ``marked`` maps the column that decides the mark to its values, first mark first."""
    ((key, kinds),) = marked.items()
    slots, height = _slots(facts, rows, kinds, key)

    def paint(figure: Figure) -> None:
        widest = max(len(text) for row in rows for text in _label(facts, row["method"]))
        left = (widest * 6.8 + 14) / WIDTH
        total = height + _FOOT
        axes = figure.add_axes((left, _FOOT / total, 1 - left - 42 / WIDTH, height / total))
        axes.set(xlim=limits, ylim=(height, 0), yticks=[])
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        axes.tick_params(length=3, labelsize=12)
        axes.set_xlabel("UA" if key == "classifier" else "Pearson's r", fontsize=12)
        if known(line):
            _chance(axes, line, [y for y, _, row in slots if row is None], height)
        for y, text, row in slots:
            if row is None:
                _head(axes, y, text)
            else:
                _slot(axes, y, text, row, (colours(facts).get(row["method"], GREY), MARKERS[kinds.index(row[key]) % 4]))

    return draw(WIDTH, height + _FOOT, paint, name, label)


def _slots(facts: Facts, rows: list[Row], kinds: Sequence[str], key: str) -> tuple[list[tuple], float]:
    """Lay the rows out from top to bottom: (y, text, row), a reading's head without a row."""
    slots, y = [], 4.0
    for reading in dict.fromkeys(facts.reading(row) for row in rows):
        slots.append((y + _HEAD / 2, reading, None))
        y += _HEAD
        for method in dict.fromkeys(row["method"] for row in rows):
            found = [row for row in rows if (facts.reading(row), row["method"]) == (reading, method)]
            label = _label(facts, method)
            room = _LINE * max(0, len(label) - len(found)) / 2  # a name may have more rows than dots
            y += room
            middle = y + _LINE * len(found) / 2
            for row in sorted(found, key=lambda row: kinds.index(row[key])):
                slots.append((y + _LINE / 2, (middle, "\n".join(label)) if row is found[0] else None, row))
                y += _LINE
            y += room + _GAP
    return slots, y


def _chance(axes: Axes, line: float, heads: list[float], height: float) -> None:
    # From head to head: a head is as wide as its words, and may stand where the line would cross it.
    for top, end in zip(heads, [*heads[1:], height + _HEAD / 2], strict=True):
        span = [top + _HEAD / 2, end - _HEAD / 2]
        axes.plot([line, line], span, color=INK, linewidth=1, linestyle=(0, (4, 3)))


def _head(axes: Axes, y: float, text: str) -> None:
    # At the picture's own left edge: a reading's name is wider than most methods'.
    box = axes.get_position()
    place = {"transform": axes.get_yaxis_transform(), "ha": "left", "va": "center"}
    axes.text(-box.x0 / box.width, y, text, fontweight="bold", **place)


def _slot(axes: Axes, y: float, text: tuple[float, str] | None, row: Row, look: tuple[str, str]) -> None:
    margin = axes.get_yaxis_transform()
    if text:
        axes.text(-0.02, text[0], text[1], transform=margin, ha="right", va="center", linespacing=1.1)
    axes.text(1.02, y, number(row["value"]), transform=margin, ha="left", va="center", fontsize=12)
    colour, marker = look
    if known(row["low"], row["high"]):
        axes.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=1.8, solid_capstyle="round", alpha=0.75)
    if known(row["value"]):
        axes.plot([row["value"]], [y], marker=marker, color=colour, markersize=6.5 if marker == "o" else 5.5)


def _label(facts: Facts, method: str) -> list[str]:
    return rows_of(facts.short_name(method), _LETTERS)
