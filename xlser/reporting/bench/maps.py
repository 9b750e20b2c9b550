"""Maps of a cell's embeddings: a mark a clip, which tells its name and ratings when pointed at."""

from __future__ import annotations

from markupsafe import Markup, escape

from xlser.reporting.bench.chart import COLOURS, SHAPES, mark
from xlser.reporting.bench.facts import Row
from xlser.reporting.bench.shots import Panel
from xlser.reporting.wording import known, number

SIDE, PAD = 360.0, 12.0


def emotions(cell: Row) -> list[str]:
    """Return the emotions of a cell's points, the scored ones first."""
    found = dict.fromkeys(str(point["emotion"]) for point in cell.get("points", []) if point["emotion"])
    return sorted(found, key=lambda name: (name not in cell["classes"], name))


def legend(cell: Row) -> list[tuple[Markup, str]]:
    """Return the mark of each emotion, and of clips without a scored one where there are such."""
    named = [(mark(i), name) for i, name in enumerate(emotions(cell))]
    without = any(not point["emotion"] for point in cell.get("points", []))
    return [*named, (mark(-1), "no scored emotion")] if without else named


def maps(cell: Row) -> list[Panel]:
    """Return a map a method; none where the cell holds no ``points``.

    A point has ``method, id, x, y, emotion`` and the dimensions that the corpus rates. Points far out are drawn on the
    edge: the frame holds nine tenths and more of them.
    """
    rows = [row for row in cell.get("points", []) if known(row["x"], row["y"])]
    names = emotions(cell)
    return [
        Panel(method, [], _map([row for row in rows if row["method"] == method], names, method))
        for method in dict.fromkeys(row["method"] for row in rows)
    ]


def _map(rows: list[Row], names: list[str], method: str) -> Markup:
    frames = [_frame(sorted(row[axis] for row in rows)) for axis in ("x", "y")]
    marks = "".join(_mark(row, frames, names) for row in rows)
    label = f"Map of the embedding of {method}: a mark for each of {len(rows)} clips, by emotion"
    return Markup(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE:g} {SIDE:g}" role="img" '
        f'aria-label="{escape(label)}" style="--w: {SIDE:g}px">{marks}</svg>'
    )


def _frame(values: list[float]) -> tuple[float, float]:
    """Return the ends that leave out one in two hundred on each side."""
    out = len(values) // 200
    low, high = values[out], values[-1 - out]
    return (low, high) if high > low else (low - 1, high + 1)


def _mark(row: Row, frames: list[tuple[float, float]], names: list[str]) -> str:
    across, up = (
        min(max((row[axis] - low) / (high - low), 0), 1) for axis, (low, high) in zip("xy", frames, strict=True)
    )
    size = SIDE - 2 * PAD
    at = f"translate({PAD + size * across:.1f} {PAD + size * (1 - up):.1f}) scale(.7)"
    place = names.index(str(row["emotion"])) if row["emotion"] else -1
    tells = [str(row["id"]), str(row["emotion"] or "no scored emotion")]
    tells += [f"{name} {number(row[name])}" for name in ("activation", "valence") if known(row.get(name))]
    tip = f"<title>{escape(', '.join(tells))}</title>"
    return (
        f'<path d="{SHAPES[place % len(SHAPES)]}" transform="{at}" fill="{COLOURS[place % len(COLOURS)]}" '
        f'fill-opacity=".75">{tip}</path>'
    )
