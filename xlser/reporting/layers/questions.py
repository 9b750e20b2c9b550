"""What stands beside each other of every hidden state, in tables and chart: one column is one question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xlser.evaluation.layers import DECODED, LEFT_OUT, MEAN, LayerScore, LayerSweep, State
from xlser.vocabulary import TARGET, VALIDATION, ZERO_SHOT

QUESTIONS = ("corpus", "language", "speaker")
_NAMES = {"egemaps": "eGeMAPS", "compare2016": "ComParE", "logmel": "log-mel"}


@dataclass(frozen=True)
class Column:
    """``of`` returns a state's number, or None where there is none."""

    head: str
    of: Callable[[State], LayerScore | None]


def reference(sweep: LayerSweep) -> str:
    """Return what people call the features that are there for reference; empty without any."""
    name = next((score.state.pooling for score in sweep.scores if score.state.layer is None), "")
    return _NAMES.get(name, name)


def name_of(state: State) -> str:
    """Return a state in words, and other features as people call them."""
    return _NAMES.get(state.pooling, state.pooling) if state.layer is None else str(state)


def transfer(sweep: LayerSweep, protocol: str) -> list[Column]:
    """Return UA on the source (of a zero-shot table), on every scored target, and, last, the targets' mean."""
    columns = [*_on_source(sweep, "UA")] if protocol == ZERO_SHOT else []
    names = [name for name in _corpora(sweep, TARGET, "UA") if name != MEAN]
    columns += [_column(sweep, name, "UA", name, TARGET, protocol) for name in names]
    return [*columns, _column(sweep, "mean", "UA", MEAN, TARGET, protocol)]


def ratings(sweep: LayerSweep) -> list[Column]:
    """Return r of every dimension on the source and on every target that is rated, zero-shot."""
    columns = []
    for dimension in ("activation", "valence"):
        metric = f"r {dimension}"
        columns += [Column(f"{dimension}, {one.head}", one.of) for one in _on_source(sweep, metric)]
        for name in _corpora(sweep, TARGET, metric):
            columns.append(_column(sweep, f"{dimension}, {name}", metric, name, TARGET, ZERO_SHOT))
    return columns


def decodability(sweep: LayerSweep) -> list[Column]:
    """Return what linear probes read: corpus, language where there are two, and the speaker of each source."""
    columns = []
    for question in QUESTIONS:
        names = _corpora(sweep, DECODED, question)
        for name in names:
            head = question if len(names) == 1 else f"{question}, {name}"
            columns.append(_column(sweep, head, question, name, DECODED, ""))
    return columns


def _on_source(sweep: LayerSweep, metric: str) -> list[Column]:
    columns = [
        _column(sweep, f"{name}, left out", metric, name, LEFT_OUT, ZERO_SHOT)
        for name in _corpora(sweep, LEFT_OUT, metric)
    ]
    names = _corpora(sweep, VALIDATION, metric)
    return columns + [_column(sweep, f"{name}, validation", metric, name, VALIDATION, ZERO_SHOT) for name in names]


def _column(sweep: LayerSweep, head: str, *which: str) -> Column:
    """Return a column of the numbers of a metric, corpus, role and protocol."""
    return Column(head, lambda state: sweep.get(state, *which))


def _corpora(sweep: LayerSweep, role: str, metric: str) -> list[str]:
    return list(dict.fromkeys(s.corpus for s in sweep.scores if (s.role, s.metric) == (role, metric)))
