"""The pictures of a report, each an inline SVG: scores with intervals, embeddings, training curves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from xlser.reporting.facts import FEATURES, PLAIN, Facts, Row
from xlser.reporting.svg import GREY, INK, METHODS, draw
from xlser.reporting.wording import known, number, reader_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 360
_LINE, _GAP, _HEAD, _FOOT, _LABEL = 15.0, 9.0, 24.0, 38.0, 13
MARKERS = ("o", "D", "s", "^")


@dataclass
class Panel:
    """One picture among several: the corpus it shows, what to beware of, and its SVG."""

    corpus: str
    title: str
    marks: list[str]
    svg: Markup


def colours(facts: Facts) -> dict[str, str]:
    """Return each method's colour: grey for the features, the page's ink for plain, the others in turn."""
    own = [name for name in facts.methods if name not in (PLAIN, FEATURES)]
    return {FEATURES: GREY, PLAIN: INK} | {name: METHODS[i % len(METHODS)] for i, name in enumerate(own)}


def transfer_panels(facts: Facts) -> list[Panel]:
    """Return a dot plot of UA per corpus: protocols and methods down, a mark per classifier, chance as a line."""
    rows = [row for row in facts.results["transfer"] if row["metric"] == "UA"]
    limits = _limits(rows, [row["chance"] for row in rows])
    panels = []
    for corpus in dict.fromkeys(row["corpus"] for row in rows):
        here = [row for row in rows if row["corpus"] == corpus]
        label = f"Dot plot of UA on {facts.name(corpus)}; the numbers stand in the transfer table."
        svg = _forest(
            facts, here, "classifier", limits=limits, line=here[0]["chance"], name=f"ua{len(panels)}", label=label
        )
        panels.append(Panel(corpus, "", facts.marks(corpus), svg))
    return panels


def correlation_panels(facts: Facts) -> list[Panel]:
    """Return a dot plot of Pearson's r per corpus and dimension: a mark each for direction and latent mean."""
    wanted = ("direction", "latent mean")
    rows = [r for r in facts.results["correlation"] if r["statistic"] == "Pearson" and r["axis"] in wanted]
    limits = _limits(rows, [0.0])
    panels = []
    for corpus, dimension in dict.fromkeys((row["corpus"], row["dimension"]) for row in rows):
        here = [row for row in rows if (row["corpus"], row["dimension"]) == (corpus, dimension)]
        label = f"Dot plot of Pearson's r with {dimension} on {facts.name(corpus)}; numbers in the correlation table."
        svg = _forest(facts, here, "axis", limits=limits, line=0.0, name=f"r{len(panels)}", label=label)
        panels.append(Panel(corpus, dimension, facts.marks(corpus, here[0]["ratings"]), svg))
    return panels


def curve_panels(facts: Facts) -> list[Panel]:
    """Return the training curves of each method: validation and training loss of every seed, the kept epoch marked."""
    found: dict[str, list[Row]] = {}
    for row in facts.results["curves"]:
        found.setdefault(row["method"], []).append(row)
    panels = []
    for method, rows in found.items():
        colour = colours(facts).get(method, GREY)
        label = f"Training curves of {method}, {len(rows)} seeds."
        svg = draw(WIDTH, 210, _curves(rows, colour), f"curve{len(panels)}", label)
        panels.append(Panel(facts.source, facts.method_name(method), facts.marks(facts.source), svg))
    return panels


def readers(rows: list[Row], key: str) -> list[str]:
    """Return the values of a column in the order of the results; the first gets the first of `MARKERS`."""
    return list(dict.fromkeys(row[key] for row in rows))


def legend(facts: Facts) -> str:
    """Return which mark of the dot plot of UA is which classifier, in words."""
    names = readers(facts.results["transfer"], "classifier")
    return ", ".join(f"{shape} {reader_name(name)}" for shape, name in zip("●◆■▲", names, strict=False))


def _limits(rows: list[Row], points: list[float]) -> tuple[float, float]:
    """Return the same axis for all panels, to the tenth around every interval."""
    values = [row[key] for row in rows for key in ("value", "low", "high") if known(row[key])]
    values += [point for point in points if known(point)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    return int(low * 10 // 1) / 10 - 0.02, -int(-high * 10 // 1) / 10 + 0.02


def _forest(
    facts: Facts, rows: list[Row], key: str, *, limits: tuple[float, float], line: float, name: str, label: str
) -> Markup:
    kinds = readers(rows, key)
    slots, height = _slots(facts, rows, kinds, key)

    def paint(figure: Figure) -> None:
        left = min(max(len(_short(facts, row["method"])) for row in rows) * 6.6 + 14, 110) / WIDTH
        total = height + _FOOT
        axes = figure.add_axes((left, _FOOT / total, 1 - left - 42 / WIDTH, height / total))
        axes.set(xlim=limits, ylim=(height, 0), yticks=[])
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        axes.tick_params(length=3, labelsize=10)
        axes.set_xlabel("UA" if key == "classifier" else "Pearson's r", fontsize=10)
        if known(line):
            axes.axvline(line, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        for y, text, row in slots:
            _slot(axes, y, text, row, facts, MARKERS[kinds.index(row[key]) % len(MARKERS)] if row else "")

    return draw(WIDTH, height + _FOOT, paint, name, label)


def _slots(facts: Facts, rows: list[Row], kinds: list[str], key: str) -> tuple[list[tuple], float]:
    """Lay the rows out from top to bottom: (y, text, row), a protocol's head without a row."""
    slots, y = [], 4.0
    for protocol in dict.fromkeys(row["protocol"] for row in rows):
        slots.append((y + _HEAD / 2, protocol, None))
        y += _HEAD
        for method in dict.fromkeys(row["method"] for row in rows):
            found = [row for row in rows if (row["protocol"], row["method"]) == (protocol, method)]
            middle = y + _LINE * len(found) / 2
            for row in sorted(found, key=lambda row: kinds.index(row[key])):
                slots.append((y + _LINE / 2, (middle, _short(facts, method)) if row is found[0] else None, row))
                y += _LINE
            y += _GAP
    return slots, y


def _slot(axes: Axes, y: float, text, row: Row | None, facts: Facts, marker: str) -> None:
    margin = axes.get_yaxis_transform()
    if row is None:
        # At the picture's own left edge: a protocol's name is wider than most methods'.
        edge = -axes.get_position().x0 / axes.get_position().width
        axes.text(edge, y, text, transform=margin, ha="left", va="center", fontweight="bold")
        return
    if text:
        axes.text(-0.02, text[0], text[1], transform=margin, ha="right", va="center")
    axes.text(1.02, y, number(row["value"]), transform=margin, ha="left", va="center", fontsize=10)
    colour = colours(facts).get(row["method"], GREY)
    if known(row["low"], row["high"]):
        axes.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=1.8, solid_capstyle="round", alpha=0.75)
    if known(row["value"]):
        axes.plot([row["value"]], [y], marker=marker, color=colour, markersize=6.5 if marker == "o" else 5.5)


def _short(facts: Facts, method: str) -> str:
    name = {FEATURES: "features", PLAIN: f"plain {facts.network}"}.get(method, method)
    return name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}…"


def _curves(rows: list[Row], colour: str) -> Callable[[Figure], None]:
    def paint(figure: Figure) -> None:
        axes = figure.add_axes((50 / WIDTH, 36 / 210, 1 - 62 / WIDTH, 1 - 46 / 210))
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
    axes.set_xlabel("epoch", fontsize=10)
    axes.set_ylabel("loss", fontsize=10)
    axes.tick_params(length=3, labelsize=10)
    axes.grid()
