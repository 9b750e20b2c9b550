"""Training curves, a picture per method."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from xlser.reporting.facts import Facts, Row
from xlser.reporting.figures import WIDTH, Panel, colours
from xlser.reporting.svg import GREY, draw
from xlser.reporting.wording import known, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def curve_panels(facts: Facts) -> list[Panel]:
    """Return the training curves of each method: validation and training loss of every seed, the kept epoch marked."""
    found: dict[str, list[Row]] = {}
    for row in facts.results["curves"]:
        found.setdefault(row["method"], []).append(row)
    panels = []
    for method, rows in found.items():
        colour = colours(facts).get(method, GREY)
        label = f"Training curves of {method}, {plural(len(rows), 'seed')}."
        svg = draw(WIDTH, 210, _curves(rows, colour), f"curve{len(panels)}", label)
        panels.append(Panel(facts.source, facts.method_name(method), facts.marks(facts.source), svg))
    return panels


def _curves(rows: list[Row], colour: str) -> Callable[[Figure], None]:
    def paint(figure: Figure) -> None:
        axes = figure.add_axes((64 / WIDTH, 36 / 210, 1 - 76 / WIDTH, 1 - 46 / 210))
        for row in rows:
            for key, line, alpha in (("train/loss", (0, (2, 2)), 0.45), ("valid/loss", "-", 0.8)):
                points = [(p["epoch"], p[key]) for p in row["curve"] if known(p.get(key))]
                if points:
                    axes.plot(*zip(*points, strict=True), color=colour, linewidth=1, linestyle=line, alpha=alpha)
            kept = [p["valid/loss"] for p in row["curve"] if p["epoch"] == row["best_epoch"]]
            if kept and known(kept[0]):
                axes.plot([row["best_epoch"]], kept, "o", color=colour, markersize=5)
        _loss_axis(axes, rows)

    return paint


def _loss_axis(axes: Axes, rows: list[Row]) -> None:
    values = [p[key] for row in rows for p in row["curve"] for key in ("train/loss", "valid/loss") if known(p.get(key))]
    # One fold with an unlike voice would flatten all others; a logarithm needs values above 0.
    if values and min(values) > 0 and max(values) > 10 * min(values):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("epoch", fontsize=10)
    axes.set_ylabel("validation objective\n(dotted: training)", fontsize=10)
    axes.tick_params(length=3, labelsize=10)
    axes.grid()
