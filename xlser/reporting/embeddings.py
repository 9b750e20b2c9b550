"""The grid of embeddings: a row per method, a column per corpus, coloured by activation (Das et al. 2022, Figure 3)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from xlser.reporting.facts import Facts
from xlser.reporting.section import Box, Figure, Part, Raw, Section
from xlser.reporting.svg import GREY, RAMP, draw
from xlser.reporting.wording import plural, whole

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

    Frame = tuple[np.ndarray, np.ndarray]

# A panel's side, room for row names and ticks (left), corpus names (above) and axis names (below), and the gaps between
# columns and rows, in pixels.
SIDE, LEFT, TOP, BOTTOM, GAP, ROW_GAP = 176.0, 66.0, 40.0, 36.0, 12.0, 28.0
# More columns than this do not fit on a page.
COLUMNS = 4
# Beyond this many points the page would grow by 130 bytes each; a picture of 200 dpi does not.
MOST_VECTOR_POINTS = 6000


_KEY = (
    '<div class="key" role="img" aria-label="Colours: blue is activation −1, purple 0, orange +1; a hollow grey ring '
    'has no rating"><span>−1 low</span><span class="ramp" style="background: {}"></span><span>+1 high</span>{}</div>'
)
_RING = Markup('<span><span class="ring"></span> no rating</span>')


def section(facts: Facts) -> Section:
    """Return the grid of embeddings, or why there is none."""
    points = facts.points
    if points is None or points.empty:
        return Section("embeddings", "Embeddings", left_out=facts.no_points)
    grids, counts = embedding_grids(facts, points)
    several = len(grids) > 1
    parts: list[Part] = [
        Box([Raw(grid)], "scroll grid", "Grid of embeddings" + f", part {place}" * several)
        for place, grid in enumerate(grids, 1)
    ]
    parts += [Raw(Markup(_KEY).format(Markup(gradient()), _RING if counts["unrated"] else ""))]
    return Section(
        "embeddings", "Embeddings, coloured by activation", [Figure(parts, _caption(facts, counts))], "Embeddings"
    )


def _caption(facts: Facts, counts: dict[str, int]) -> str:
    text = (
        "Rows are methods, columns corpora, as in Figure 3 of Das et al. 2022; a dot is an utterance under one method "
        f"({whole(counts['points'])} dots in all, unscored emotions too), placed by the model of seed 0"
    )
    if facts.projected:
        text += " on the two main axes of its embeddings of the source's training speakers"
    text += f". {facts.source} shows all its speakers, those trained on among them; targets are read {facts.protocol}. "
    text += "Panels of a row share their axes"
    if counts["beyond"]:
        text += f"; drawn on their edge: {plural(counts['beyond'], 'dot')} beyond the frame"
    if counts["unrated"]:
        text += f"; hollow grey rings: {plural(counts['unrated'], 'dot')} without a rating"
    return f"{text}."


def embedding_grids(facts: Facts, points: pd.DataFrame) -> tuple[list[Markup], dict[str, int]]:
    """Return grids of at most `COLUMNS` corpora, and how many points have no rating or lie beyond the frame.

    The counts are called ``points``, ``unrated`` and ``beyond``. A row has the same frame in all grids.
    """
    import numpy as np

    points = points[np.isfinite(points["x"]) & np.isfinite(points["y"])]
    rows = dict(tuple(points.groupby("method", sort=False)))
    frames = {method: _frame(row[["x", "y"]].to_numpy()) for method, row in rows.items()}
    counts = {
        "points": len(points),
        "unrated": int(points["activation"].isna().sum()),
        "beyond": sum(_beyond(row[["x", "y"]].to_numpy(), frames[method]) for method, row in rows.items()),
    }
    chunks = _chunks(list(dict.fromkeys(points["corpus"])))
    return [_grid(facts, points, frames, chunk, (len(chunks[0]), f"grid{i}")) for i, chunk in enumerate(chunks)], counts


def _chunks(corpora: list[str]) -> list[list[str]]:
    """Cut the corpora into as few chunks as can be, of about the same size, the longest first.

    >>> [len(chunk) for chunk in _chunks(list("abcdefghi"))]
    [3, 3, 3]
    """
    columns = math.ceil(len(corpora) / math.ceil(len(corpora) / COLUMNS))
    return [corpora[i : i + columns] for i in range(0, len(corpora), columns)]


def _grid(
    facts: Facts, points: pd.DataFrame, frames: dict[str, Frame], corpora: list[str], shape: tuple[int, str]
) -> Markup:
    """Draw one grid; ``shape`` is how many columns it has room for, and the key of its ids."""
    columns, key = shape
    width = LEFT + columns * (SIDE + GAP)
    height = TOP + len(frames) * (SIDE + ROW_GAP) - ROW_GAP + BOTTOM

    def paint(figure: Canvas) -> None:
        for i, (method, frame) in enumerate(frames.items()):
            for j, corpus in enumerate(corpora):
                here = points[(points["method"] == method) & (points["corpus"] == corpus)]
                bottom = height - TOP - (i + 1) * SIDE - i * ROW_GAP
                box = (LEFT + j * (SIDE + GAP), bottom, SIDE, SIDE)
                axes = figure.add_axes([a / b for a, b in zip(box, (width, height, width, height), strict=True)])
                _scatter(axes, here, frame, len(points) > MOST_VECTOR_POINTS)
                _axis_names(axes, facts, method if j == 0 else "", i == len(frames) - 1)
                if i == 0:
                    _title(axes, facts, corpus, here["activation"].notna().any())

    label = (
        f"Grid of two-dimensional embeddings: rows {', '.join(frames)}; columns {', '.join(corpora)}; "
        "points coloured by activation."
    )
    return draw(width, height, paint, key, label)


def gradient() -> str:
    """Return the colours of activation from low to high as a CSS gradient."""
    return f"linear-gradient(90deg, {', '.join(RAMP)})"


def _frame(values: np.ndarray) -> Frame:
    """Return low and high corners around 99 % of the points on each axis: a stray point must not shrink the rest."""
    import numpy as np

    low, high = np.percentile(values, [0.5, 99.5], axis=0)
    pad = np.where(high > low, 0.12 * (high - low), 1.0)
    # No wider than the points themselves need.
    return np.maximum(low - pad, values.min(axis=0) - pad / 2), np.minimum(high + pad, values.max(axis=0) + pad / 2)


def _beyond(values: np.ndarray, frame: Frame) -> int:
    return int(((values < frame[0]) | (values > frame[1])).any(axis=1).sum())


def _scatter(axes: Axes, points: pd.DataFrame, frame: Frame, raster: bool) -> None:
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    # In a fixed random order, so that no corner of the file or class lies on top of the others.
    points = points.sample(frac=1, random_state=0)
    places = np.clip(points[["x", "y"]].to_numpy(), *frame)
    rated = points["activation"].notna().to_numpy()
    shared = {"s": 13, "clip_on": False, "rasterized": raster}
    axes.scatter(*places[~rated].T, facecolors="none", edgecolors=GREY, linewidths=0.8, **shared)
    axes.scatter(
        *places[rated].T,
        c=points["activation"][rated],
        cmap=LinearSegmentedColormap.from_list("activation", RAMP),
        vmin=-1,
        vmax=1,
        linewidths=0,
        alpha=0.85,
        **shared,
    )
    axes.set(xlim=(frame[0][0], frame[1][0]), ylim=(frame[0][1], frame[1][1]))


def _axis_names(axes: Axes, facts: Facts, method: str, lowest: bool) -> None:
    first, second = ("axis 1", "axis 2") if facts.projected else ("z1", "z2")
    axes.tick_params(length=3, labelsize=12)
    axes.locator_params(nbins=4)
    axes.grid()
    axes.set_xlabel(first if lowest else "", fontsize=12)
    if method:
        axes.set_ylabel(f"{facts.method_name(method)}\n{second}", fontsize=12)
    else:
        axes.set_yticklabels([])


def _title(axes: Axes, facts: Facts, corpus: str, rated: bool) -> None:
    about = facts.corpora.get(corpus, {})
    marks = facts.marks(corpus, "derived" if about.get("ratings") == "derived" else "")
    marks += [] if rated else ["no ratings"]
    axes.set_title(f"{corpus} ({about.get('language', '')})", fontsize=12, pad=20 if marks else 6)
    if marks:
        axes.text(0.5, 1.04, ", ".join(marks), transform=axes.transAxes, ha="center", fontsize=12)
