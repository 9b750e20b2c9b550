"""What an evaluation found: scores with their intervals, chance, and all that says what they are of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

import pandas as pd

from xlser.errors import did_you_mean


@dataclass(frozen=True)
class Score:
    """One number of an evaluation.

    Attributes:
        metric: ``UA``, ``WA``, ``macro-F1``, or a statistic and a dimension such as ``CCC activation``.
        value: the score; nan where it is not defined.
        interval: (low, high) of ``level``, from resampling speakers; nan with fewer than two.
        level: of the interval, 0.95 for 95 %.
        chance: what guessing gets.
        utterances, speakers: how many it is of.
    """

    metric: str
    value: float
    interval: tuple[float, float]
    level: float
    chance: float
    utterances: int
    speakers: int

    def __str__(self) -> str:
        """Return it as a paper writes it."""
        return f"{self.metric} {self.value:.3f} [{self.interval[0]:.3f}, {self.interval[1]:.3f}]"


@dataclass(frozen=True)
class Evaluation(Mapping[str, Score]):
    """A model read on a dataset: a mapping of `Score` by metric.

    Attributes:
        model: which one, in words.
        source, target: names of the datasets.
        protocol: ``zero-shot``, nothing of the target seen; ``transductive``, its unlabelled recordings used.
        adapt: what made up for the shift, empty for nothing.
        classes: the emotions that both have, which are scored.
        dropped: how many utterances of each other emotion were left out of the scores.
        confusion: a table of counts, truth by row.
        predictions: a row an utterance, index its id: speaker, truth, prediction and the probabilities.
        left_out: recordings that could not be used, by the reason.
        notes: what the adaptation decided, and why.
    """

    model: str
    source: str
    target: str
    protocol: str
    adapt: str
    classes: tuple[str, ...]
    dropped: Mapping[str, int]
    scores: Mapping[str, Score] = field(repr=False)
    confusion: pd.DataFrame = field(repr=False)
    predictions: pd.DataFrame = field(repr=False)
    left_out: Mapping[str, list[str]] = field(repr=False)
    notes: tuple[str, ...] = ()

    def __getitem__(self, metric: str) -> Score:
        """Return a score.

        Raises:
            KeyError: it was not scored; those that were are named.
        """
        if metric not in self.scores:
            raise KeyError(f"no score {metric!r}; {did_you_mean(metric, self.scores)}")
        return self.scores[metric]

    def __iter__(self) -> Iterator[str]:
        """Yield the metrics."""
        return iter(self.scores)

    def __len__(self) -> int:
        """Return the number of metrics."""
        return len(self.scores)

    def __repr__(self) -> str:
        """Say what was read where, and the scores."""
        how = f"{self.protocol}, {self.adapt}" if self.adapt else self.protocol
        lines = [f"Evaluation {self.source} to {self.target} ({how}): {', '.join(self.classes) or 'no shared emotion'}"]
        lines += [f"  {score}, chance {score.chance:.3f}" for score in self.scores.values()]
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def to_frame(self) -> pd.DataFrame:
        """Return a row a metric with all that says what it is of."""
        about = {name: getattr(self, name) for name in ("source", "target", "protocol", "adapt", "model")}
        rows = []
        for score in self.scores.values():
            row = asdict(score)
            low, high = row.pop("interval")
            rows.append({"metric": row.pop("metric"), "value": row.pop("value"), "low": low, "high": high, **row})
        return pd.DataFrame(rows).assign(**about)
