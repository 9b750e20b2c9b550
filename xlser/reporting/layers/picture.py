"""The charts of a sweep over hidden states: UA, and what else can be read, a panel a pooling."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from xlser.evaluation.layers import LayerScore, LayerSweep, State
from xlser.reporting.bench.chart import Axes, Curve, Point, chart, mark, tenths
from xlser.reporting.layers.questions import QUESTIONS, Column, decodability, reference, transfer
from xlser.reporting.section import Figure, Legend, Panel, Panels, Part, Switch
from xlser.reporting.wording import known, listing, number, score
from xlser.vocabulary import ZERO_SHOT

SIZE = 14  # pixels of text: 12 where a panel is as narrow as the page lets it be
_MOST_TICKS = 8
_BAR = '<svg class="mark" viewBox="-7 -7 14 14" aria-hidden="true"><path class="{}" d="M0 -7V7"/></svg>'


def opening(sweep: LayerSweep) -> list[Part]:
    """Return UA over hidden states, a pooling at a time, that of the choice first to be seen."""
    poolings = _poolings(sweep)
    options = [(pooling, [Panels([_scores(sweep, pooling)], "panels one")]) for pooling in poolings]
    lines = [column.head for column in transfer(sweep, ZERO_SHOT)[:-1]]
    if len(options) == 1:
        return [_legend(sweep, 0, lines), *options[0][1]]
    return [_legend(sweep, 0, lines), Switch("Pooling", options, poolings.index(sweep.chosen.pooling))]


def caption(sweep: LayerSweep) -> str:
    """Return how the opening picture is read."""
    beside = f" At the left stands {reference(sweep)}, for reference." if reference(sweep) else ""
    return (
        f"UA of logistic regression on emotions, zero-shot. Dashed: chance.{beside} Chosen on the source alone; the "
        f"oracle is the best in hindsight, mean of {listing(sweep.about['targets'])}."
    )


def probes_figure(sweep: LayerSweep) -> Figure:
    """Return what else can be read over hidden states, a panel for each pooling."""
    first, columns = len(transfer(sweep, ZERO_SHOT)) - 1, _merged(sweep)
    panels = []
    for pooling in _poolings(sweep):
        label = f"How well corpus, language and speaker are read over hidden states, {pooling}; numbers in the tables."
        panels.append(Panel(pooling, _marks(sweep, pooling), _picture(sweep, pooling, columns, first, label)))
    words = (
        "UA of linear probes that read where a clip comes from and who speaks. Dashed: chance, in a line's colour "
        "where it is that line's own."
    )
    return Figure([_legend(sweep, first, [f"probe of {column.head}" for column in columns]), Panels(panels)], words)


def _poolings(sweep: LayerSweep) -> list[str]:
    return list(dict.fromkeys(state.pooling for state in sweep.states))


def _scores(sweep: LayerSweep, pooling: str) -> Panel:
    label = f"UA over hidden states, {pooling}; the numbers stand in the tables."
    svg = _picture(sweep, pooling, transfer(sweep, ZERO_SHOT)[:-1], 0, label)
    return Panel(pooling, _marks(sweep, pooling), svg)


def _marks(sweep: LayerSweep, pooling: str) -> list[str]:
    return [
        f"{name}: state {state.layer}"
        for name, state in (("chosen", sweep.chosen), ("oracle", sweep.oracle))
        if state and state.pooling == pooling
    ]


def _picture(sweep: LayerSweep, pooling: str, columns: Sequence[Column], first: int, label: str) -> Markup:
    curves, levels = [], []
    for place, column in enumerate(columns, first):
        states = [state for state in sweep.states if state.pooling == pooling]
        beside = [state for state in _references(sweep) if column.of(state)]
        points = [_point(float(state.layer or 0), state, column.of(state)) for state in states]
        apart = [_point(_apart(sweep), state, column.of(state)) for state in beside]
        level = next((found.chance for state in states if (found := column.of(state))), None)
        levels.append(level)
        curves += [Curve(column.head, place, points, level), Curve(column.head, place, apart)]
    known_levels = {level for level in levels if known(level)}
    shared = known_levels.pop() if len(known_levels) == 1 else None
    if shared is not None:  # one line in the page's ink says it once
        for curve in curves:
            curve.level = None
    every = [found for column in columns for state in _all(sweep) if (found := column.of(state))]
    y_ticks = tenths([value for found in every for value in (found.value, found.chance)])
    name = "UA by hidden state" if first == 0 else "UA of probes by hidden state"
    uprights = [
        (float(state.layer or 0), kind)
        for state, kind in ((sweep.chosen, "upright"), (sweep.oracle, "guide"))
        if state and state.pooling == pooling
    ]
    axes = Axes(name, "", _ticks(sweep), y_ticks, level=shared, uprights=uprights)
    return chart(curves, axes, label, size=SIZE)


def _point(x: float, state: State, found: LayerScore | None) -> Point:
    if found is None:
        return Point(x, None, "")
    return Point(x, found.value, f"{state}: {score(vars(found))}, chance {number(found.chance)}")


def _ticks(sweep: LayerSweep) -> list[tuple[float, str]]:
    layers = sorted({state.layer for state in sweep.states if state.layer is not None})
    step = -(-len(layers) // _MOST_TICKS)
    shown = {layers[-1], *(layer for layer in layers[::step] if layers[-1] - layer > step // 2)}
    ticks = [(float(layer), str(layer) if layer in shown else "") for layer in layers]
    if reference(sweep):
        return [(_apart(sweep), reference(sweep)), *ticks]
    return ticks if len(ticks) > 1 else [(ticks[0][0] - 1, ""), *ticks]


def _apart(sweep: LayerSweep) -> float:
    """Return where the features for reference stand: left of the lowest state, with room for their name."""
    layers = [state.layer for state in sweep.states if state.layer is not None]
    return min(layers) - max(1.0, 0.22 * (max(layers) - min(layers)))


def _merged(sweep: LayerSweep) -> list[Column]:
    """Return the questions; corpus and language are one line where they are one question."""
    columns = decodability(sweep)
    by_name = {column.head: column for column in columns}
    corpus, language = (by_name.get(name) for name in QUESTIONS[:2])
    if corpus and language:
        pairs = [(corpus.of(state), language.of(state)) for state in sweep.states]
        if all(a and b and a.value == b.value for a, b in pairs):
            return [Column("corpus, which is language", corpus.of), *columns[2:]]
    return columns


def _legend(sweep: LayerSweep, first: int, names: Sequence[str]) -> Legend:
    lines = [(mark(place), name) for place, name in enumerate(names, first)]
    bars = [(Markup(_BAR.format("upright")), "chosen")]
    bars += [(Markup(_BAR.format("guide")), "oracle")] if sweep.oracle else []
    return Legend(lines + bars)


def _references(sweep: LayerSweep) -> list[State]:
    return [state for state in _all(sweep) if state.layer is None]


def _all(sweep: LayerSweep) -> list[State]:
    return list(dict.fromkeys(found.state for found in sweep.scores))
