"""Training curves, a picture per method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xlser.reporting.facts import Facts, Row
from xlser.reporting.figures import WIDTH, colours
from xlser.reporting.section import Figure, Panel, Panels, Section
from xlser.reporting.svg import GREY, draw
from xlser.reporting.wording import known, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

# One picture's height, and what of it lies above and below its axes, in pixels.
HEIGHT, TOP, BOTTOM = 210, 10, 36
DOTTED, SOLID = {"linestyle": (0, (2, 2)), "alpha": 0.45}, {"linestyle": "-", "alpha": 0.8}


@dataclass(frozen=True)
class _Part:
    """One pair of axes: its name, and each line's column and style; the last column is where the dot stands."""

    name: str
    lines: dict[str, dict[str, Any]]


OBJECTIVE = _Part("validation objective\n(dotted: training)", {"train/loss": DOTTED, "valid/loss": SOLID})
LOSS = _Part("validation loss\n(dotted: training)", OBJECTIVE.lines)
UA = _Part("validation UA", {"valid/score": SOLID})


_KEPT = {
    True: (
        "A line per seed. Loss: solid on the source's validation speakers, dotted on its training speakers. UA is that "
        "of the classifier on the validation speakers. The dot is the epoch that was kept: the best validation UA, and "
        "of equals the lower loss; of a method without a classifier the lowest loss. Losses of different methods are "
        "not comparable."
    ),
    False: (
        "A line per seed: solid is the objective, what the method minimises, on the source's validation speakers, "
        "dotted on its training speakers (with noise on the input). The dot is the epoch that was kept, chosen on "
        "validation alone. Objectives of different methods are not comparable."
    ),
}


def section(facts: Facts) -> Section | None:
    """Return the training curves; nothing where none were kept."""
    panels = curve_panels(facts)
    if not panels:
        return None
    return Section("curves", "Training curves", [Figure([Panels(panels)], _KEPT[bool(facts.encoder)])])


def curve_panels(facts: Facts) -> list[Panel]:
    """Return the training curves of each method: validation and training loss of every seed, the kept epoch marked.

    A network with a classifier is kept by its UA, which stands beneath the loss.
    """
    found: dict[str, list[Row]] = {}
    for row in facts.results["curves"]:
        found.setdefault(row["method"], []).append(row)
    panels: list[Panel] = []
    for method, rows in found.items():
        colour = colours(facts).get(method, GREY)
        parts = _parts(facts, method, rows)
        label = f"Training curves of {method}, {plural(len(rows), 'seed')}."
        svg = draw(WIDTH, HEIGHT * len(parts), _curves(rows, colour, parts), f"curve{len(panels)}", label)
        panels.append(Panel(facts.method_name(method), facts.marks(facts.source), svg))
    return panels


def _parts(facts: Facts, method: str, rows: list[Row]) -> list[_Part]:
    """Without a classifier there is no UA: the validation score is then the loss again, its sign turned."""
    if not facts.encoder:
        return [OBJECTIVE]
    scored = any(known(point.get("valid/score")) for row in rows for point in row["curve"])
    return [LOSS, UA] if scored and "cross_entropy" in facts.terms(method) else [LOSS]


def _curves(rows: list[Row], colour: str, parts: list[_Part]) -> Callable[[Canvas], None]:
    def paint(figure: Canvas) -> None:
        total = HEIGHT * len(parts)
        for i, part in enumerate(parts):
            bottom = total - (i + 1) * HEIGHT + BOTTOM
            box = (64 / WIDTH, bottom / total, 1 - 76 / WIDTH, (HEIGHT - TOP - BOTTOM) / total)
            axes = figure.add_axes(box)
            _lines(axes, rows, colour, part)
            _dress(axes, rows, part)

    return paint


def _lines(axes: Axes, rows: list[Row], colour: str, part: _Part) -> None:
    *_, marked = part.lines
    for row in rows:
        for key, style in part.lines.items():
            points = [(p["epoch"], p[key]) for p in row["curve"] if known(p.get(key))]
            if points:
                axes.plot(*zip(*points, strict=True), color=colour, linewidth=1, **style)
        kept = [p.get(marked) for p in row["curve"] if p["epoch"] == row["best_epoch"]]
        if kept and known(kept[0]):
            axes.plot([row["best_epoch"]], kept, "o", color=colour, markersize=5)


def _dress(axes: Axes, rows: list[Row], part: _Part) -> None:
    values = [p[key] for row in rows for p in row["curve"] for key in part.lines if known(p.get(key))]
    # One fold with an unlike voice would flatten all others; a logarithm needs values above 0.
    if part is not UA and values and min(values) > 0 and max(values) > 10 * min(values):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("epoch", fontsize=12)
    axes.set_ylabel(part.name, fontsize=12)
    axes.tick_params(length=3, labelsize=12)
    axes.grid()
