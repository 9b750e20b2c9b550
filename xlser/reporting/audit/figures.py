"""Pictures of an audit: what each corpus gives away without listening, beside chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from xlser.reporting.svg import GREY, INK, METHODS, draw
from xlser.reporting.wording import known, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, _LINE, _FOOT, _LEFT = 360.0, 26.0, 38.0, 108.0
_SHORT = {
    "sample rate and bandwidth": "bandwidth",
    "speaker's most frequent emotion": "speaker's habit",
    "text's most frequent emotion": "text's habit",
}


def shortcut_picture(one: dict[str, Any], number_of: int) -> Markup | None:
    """Return a dot plot of the baselines of one corpus, with chance as a tick; None where none has a number."""
    rows = [row for row in one["shortcuts"] if known(row["ua"])]
    if not rows:
        return None
    height = _LINE * len(rows)

    def paint(figure: Figure) -> None:
        total = height + _FOOT
        box = (_LEFT / WIDTH, _FOOT / total, 1 - (_LEFT + 44) / WIDTH, height / total)
        axes = figure.add_axes(box)
        axes.set(xlim=(0, 1.01), ylim=(height, 0), yticks=[])
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        axes.tick_params(length=3, labelsize=12)
        axes.set_xlabel("UA; dashes mark chance", fontsize=12)
        for place, row in enumerate(rows):
            _slot(axes, _LINE * (place + 0.5), row)

    label = f"Dot plot of what {one['corpus']} gives away without listening; the numbers stand in the table beneath."
    return draw(WIDTH, height + _FOOT, paint, f"shortcut{number_of}", label)


def _slot(axes: Axes, y: float, row: dict[str, Any]) -> None:
    margin = axes.get_yaxis_transform()
    axes.text(-0.03, y, _SHORT.get(row["cue"], row["cue"]), transform=margin, ha="right", va="center")
    axes.text(1.03, y, number(row["ua"]), transform=margin, ha="left", va="center", fontsize=12)
    half = 0.32 * _LINE
    axes.plot([row["chance"]] * 2, [y - half, y + half], color=INK, linewidth=1.2, linestyle=(0, (3, 2)))
    beyond = known(row["low"]) and row["low"] > row["chance"]
    colour = METHODS[0] if beyond else GREY
    if known(row["low"], row["high"]):
        axes.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=1.8, solid_capstyle="round", alpha=0.75)
    axes.plot([row["ua"]], [y], marker="o" if row["kind"] == "probe" else "D", color=colour, markersize=6)
