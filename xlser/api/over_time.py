"""Emotion over time as a table, for Python."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from xlser.experiment.use.timeline import Window


def timeline_table(windows: Iterable[Window], classes: tuple[str, ...], ratings: tuple[str, ...]) -> pd.DataFrame:
    """Return a row a window: start and end in seconds, ``emotion``, a column for each of the ``classes`` with its
    probability and for each rating, ``percentile``, ``warning`` and ``fault``.

    Where nothing can be said, as of silence, ``fault`` says why; the texts are empty and the numbers are NaN.

    >>> timeline_table([Window(0, 0.0, 3.0, None, "silent")], ("anger", "sadness"), ())[["start", "anger", "fault"]]
       start  anger   fault
    0    0.0    NaN  silent
    """
    rows: list[dict[str, Any]] = []
    for window in windows:
        said = window.prediction
        row: dict[str, Any] = {"start": window.start, "end": window.end, "emotion": window.emotion}
        row |= {name: said.probabilities[name] if said else float("nan") for name in classes}
        row |= {name: said.ratings[name] if said else float("nan") for name in ratings}
        row |= {"percentile": said.percentile if said else float("nan"), "warning": said.warning if said else ""}
        rows.append({**row, "fault": window.fault})
    columns = ["start", "end", "emotion", *classes, *ratings, "percentile", "warning", "fault"]
    return pd.DataFrame(rows, columns=columns)
