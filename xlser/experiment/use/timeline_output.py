"""Emotion over time as a file: CSV, JSON lines, or a TextGrid of Praat."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from xlser import csvcells
from xlser.atomic import replacing
from xlser.experiment.use.model import Model
from xlser.experiment.use.timeline import Window
from xlser.machine import loading

Writer = Callable[[str, Window, Model, tuple[str, ...]], None]
_number = "{:.6g}".format
_second = "{:.3f}".format


def rows_to(form: str, file: IO[str]) -> Writer:
    """Return what writes a window of a named recording, for ``csv`` or ``jsonl``, to an open text file.

    It takes the recording's name, the window, the model, and the emotions in their order.

    CSV has the columns file, start, end, emotion, p_EMOTION, ratings, percentile, warning, fault, protocol, model;
    cells of a window of which nothing can be said are empty. JSON lines hold all of `Prediction`, and ``fault``.
    """
    return _csv(file) if form == "csv" else _lines(file)


def write_textgrid(windows: Iterable[Window], model: Model, labels: tuple[str, ...], out: Path) -> None:
    """Write a TextGrid, whole or not at all: tiers ``emotion``, its ``probability``, and each of the ratings.

    Intervals of a TextGrid follow each other, and windows overlap: each stands for the time around its middle, up to
    half-way to the middles of its neighbours. The text of a window of which nothing can be said is empty.

    Raises:
        ValueError: no window. XlserError: a place that cannot be written.
    """
    with loading("pympi"):
        from pympi.Praat import TextGrid

    placed = list(around_middles(windows))
    if not placed:
        raise ValueError("`windows` must hold at least one, but is empty instead.")
    grid = TextGrid(xmin=placed[0][0], xmax=placed[-1][1])
    tiers = ["emotion", "probability"] * bool(labels) + list(model.dimensions.given_by)
    for name in tiers:
        tier = grid.add_tier(name)
        for begin, end, window in placed:
            tier.add_interval(begin, end, _text(window, name))
    with replacing(out, durable=True) as temporary:
        grid.to_file(str(temporary), codec="utf-8")


def around_middles(windows: Iterable[Window]) -> Iterator[tuple[float, float, Window]]:
    """Yield the time that each window stands for, begin and end in seconds, and the window.

    >>> windows = [Window(0, 0.0, 3.0, None), Window(1, 1.0, 4.0, None), Window(2, 1.5, 4.5, None)]
    >>> [(begin, end) for begin, end, _ in around_middles(windows)]
    [(0.0, 2.0), (2.0, 2.75), (2.75, 4.5)]
    """
    before, begin = None, 0.0
    for window in windows:
        if before is None:
            begin = window.start
        else:
            half = (before.start + before.end + window.start + window.end) / 4
            yield begin, half, before
            begin = half
        before = window
    if before is not None:
        yield begin, before.end, before


def _text(window: Window, tier: str) -> str:
    if window.prediction is None:
        return ""
    if tier == "emotion":
        return window.emotion
    if tier == "probability":
        return _number(window.prediction.probabilities[window.emotion])
    return _number(window.prediction.ratings[tier])


def _lines(file: IO[str]) -> Writer:
    def write(name: str, window: Window, model: Model, labels: tuple[str, ...]) -> None:
        row: dict[str, Any] = {"file": name, "start": window.start, "end": window.end, "fault": window.fault}
        if window.prediction is not None:
            said = asdict(window.prediction)
            said["percentile"] = None if math.isnan(said["percentile"]) else said["percentile"]
            row |= {key: value for key, value in said.items() if key not in (*row, "columns", "channel")}
        row |= {"model": model.chosen.name}
        file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")

    return write


def _csv(file: IO[str]) -> Writer:
    rows, headed = csvcells.Writer(file), False

    def write(name: str, window: Window, model: Model, labels: tuple[str, ...]) -> None:
        nonlocal headed
        said, rated = window.prediction, list(model.dimensions.given_by)
        row = {"file": name, "start": _second(window.start), "end": _second(window.end), "emotion": window.emotion}
        row |= {f"p_{label}": _number(said.probabilities[label]) if said else "" for label in labels}
        row |= {rating: _number(said.ratings[rating]) if said else "" for rating in rated}
        row |= {"percentile": _number(said.percentile) if said else "", "warning": said.warning if said else ""}
        row |= {"fault": window.fault, "protocol": said.protocol if said else "", "model": model.chosen.name}
        if not headed:
            rows.writerow(row)
            headed = True
        rows.writerow(row.values())

    return write
