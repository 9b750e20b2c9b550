"""What a search for the best model tried, what it took without a label of the target, and the best in hindsight."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from xlser.errors import RunError, brief
from xlser.evaluation.best_schema import BestFile
from xlser.evaluation.bootstrap import interval
from xlser.evaluation.results_file import write_json
from xlser.fileformats import VERSIONS, check_version
from xlser.typedtable import check_types, read_typed

RESULT = "best.json"
# UA that two candidates may differ by on the pretended targets and count as equals: then the simplest is taken.
EQUAL = 0.005
# UA by which another candidate must be better than the default to be taken instead.
MARGIN = 0.01


class Estimate(NamedTuple):
    """A number with its interval, from resampling speakers; the ends are nan where there is none."""

    value: float
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Tried:
    """One candidate of a search.

    Attributes:
        name: all of it in words, no other candidate's.
        representation: what is heard, such as ``egemaps + hidden state 2 (mean+std)``; of an ensemble all, by ``; ``.
        statistics: whose statistics z-score the target: ``source``, ``corpus`` or ``speaker``.
        combination: ``pooled``, ``one model a source``, or ``ensemble of 3, equal weights``.
        adaptation: what else makes up for the target's shift, as recipes write it; empty for nothing.
        readout: such as ``logistic regression (C 0.01)``.
        protocol: what of the target it looks at: ``zero-shot`` or ``transductive``.
        complexity: a rank: of candidates that do equally well the lowest is taken.
        validated: UA by the source that was left out as a pretended target, or of a single source by what stands in.
        score: what the choice goes by, the mean of ``validated``.
        seconds: that it took.
        target: UA on the target where it has labels; the choice never looks at it.
    """

    name: str
    representation: str
    statistics: str
    combination: str
    adaptation: str
    readout: str
    protocol: str
    complexity: int
    validated: Mapping[str, float]
    score: float
    seconds: float = 0.0
    target: Estimate | None = None


@dataclass(frozen=True)
class Budget:
    """Seconds that a search was given and used, and what it did not come to, a sentence each."""

    asked: float
    used: float
    not_tried: tuple[str, ...] = ()


@dataclass(frozen=True)
class BestResult:
    """What `xlser best` found.

    Attributes:
        sources, target: what the corpora are called, in tables.
        classes: the emotions that are told apart.
        protocol: ``zero-shot``, ``transductive`` or ``few-shot k``; ``looks_at`` says what of the target was looked at.
        chosen_by: how the choice was made, a sentence.
        candidates: everything that was tried, the best by its score first.
        chosen, baseline, oracle: names of candidates; the oracle is the best in hindsight, None without labels of the
            target.
        regret: UA that the choice gives away to the oracle; None without labels.
        decisions: what was decided and why, a sentence each: pseudo-speakers, statistics, copies taken out.
        notes: what a reader should know, a sentence each.
        budget: of time.
        predictions: a row a recording of the target: ``file``, ``emotion``, ``probabilities`` in the order of
            ``classes``.
        about: versions, corpora, weights and more, JSON-able.
        samples: UA on the target (draws + 1,) by candidate, in draws of its speakers; not written.
    """

    sources: tuple[str, ...]
    target: str
    classes: tuple[str, ...]
    protocol: str
    looks_at: tuple[str, ...]
    chosen_by: str
    candidates: tuple[Tried, ...]
    chosen: str
    baseline: str
    oracle: str | None
    regret: Estimate | None
    decisions: tuple[str, ...]
    notes: tuple[str, ...]
    budget: Budget
    predictions: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    about: Mapping[str, Any] = field(default_factory=dict, repr=False)
    samples: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    def get(self, name: str) -> Tried:
        """Return a candidate by its name.

        Raises:
            KeyError: it was not tried.
        """
        found = next((row for row in self.candidates if row.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def to_frame(self) -> pd.DataFrame:
        """Return a row a candidate; ``target``, ``target_low`` and ``target_high`` are nan without labels."""
        rows = []
        for one in self.candidates:
            target = (one.target or Estimate(math.nan))._asdict()
            row = {name: value for name, value in vars(one).items() if name not in ("validated", "target")}
            row |= {f"without {name}": value for name, value in one.validated.items()}
            row |= {"target": target["value"], "target_low": target["low"], "target_high": target["high"]}
            rows.append(row | {"chosen": one.name == self.chosen, "oracle": one.name == self.oracle})
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it for JSON, with the schema."""
        return {"schema": VERSIONS["best"], **asdict(replace(self, samples={}))}

    def write(self, folder: str | Path) -> Path:
        """Write ``best.json`` into a folder, and return its path."""
        path = Path(folder) / RESULT
        write_json(path, self.to_dict(), indent=1)
        return path


def read_best(folder: str | Path) -> BestResult:
    """Return what `BestResult.write` wrote.

    Raises:
        RunError: there is no ``best.json``, it is damaged, or of another schema.
    """
    path, again = Path(folder) / RESULT, "Run the same `xlser best` command again."
    table = read_typed(path, dict, again)
    check_version("best", table.pop("schema", None), path, "run the same `xlser best` command again")
    check_types(BestFile, table, path, again)
    try:
        table["candidates"] = tuple(_tried(row) for row in table["candidates"])
        table["regret"] = _estimate(table["regret"])
        table["budget"] = Budget(**table["budget"] | {"not_tried": tuple(table["budget"]["not_tried"])})
        table.pop("samples", None)
        for name in ("sources", "classes", "looks_at", "decisions", "notes", "predictions"):
            table[name] = tuple(table[name])
        best = BestResult(**table)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"cannot read {path}: {brief(error)}. {again}") from error
    names = {one.name for one in best.candidates}
    for key in ("chosen", "baseline", "oracle"):
        if (name := getattr(best, key)) is not None and name not in names:
            raise RunError(f"{path}: `{key}` must be one of the candidates, but is {brief(name, 60)!r}. {again}")
    if any(len(row["probabilities"]) != len(best.classes) for row in best.predictions):
        raise RunError(
            f"{path}: `predictions` must have a probability for each of {len(best.classes)} classes. {again}"
        )
    return best


def choose(candidates: Sequence[Tried], default: str | None = None) -> Tried:
    """Return the best candidate by its score; of those within half a point of the best the simplest, then the first.

    Args:
        candidates: some with a score.
        default: the name of the one that stands unless another is clearly better: by more than `MARGIN`, and where
            there are two or more pretended targets, by Student's t over these (one-sided, 95 %). Choices on two or
            three of these are noisy, and the best of many is so by luck too.

    Raises:
        ValueError: none has a score.

    >>> several = (("a", 2, 0.7), ("b", 1, 0.697), ("c", 1, 0.6))
    >>> rows = [Tried(name, *6 * [""], rank, {}, score) for name, rank, score in several]
    >>> choose(rows).name, choose(rows, "b").name, choose(rows, "c").name
    ('b', 'b', 'b')
    >>> by = {"a": (0.6, 0.8), "b": (0.7, 0.76), "c": (0.66, 0.865)}
    >>> rows = [Tried(name, *6 * [""], 1, {"x": x, "y": y}, (x + y) / 2) for name, (x, y) in by.items()]
    >>> choose(rows, "a").name, choose(rows, "b").name
    ('c', 'b')
    """
    known = [row for row in candidates if math.isfinite(row.score)]
    if not known:
        raise ValueError("`candidates` must hold one with a score at least, but holds none.")
    stands = next((row for row in known if row.name == default), None)
    if stands is not None:
        known = [row for row in known if row is stands or _clearly_better(row, stands)]
        if len(known) == 1:
            return stands
    top = max(row.score for row in known)
    equals = [row for row in known if row.score >= top - EQUAL]
    return min(equals, key=lambda row: (row.complexity, -row.score))


def _clearly_better(row: Tried, stands: Tried) -> bool:
    gains = [row.validated[name] - stands.validated[name] for name in stands.validated if name in row.validated]
    return row.score - stands.score > max(MARGIN, _by_chance(gains))


def _by_chance(gains: Sequence[float]) -> float:
    """Return what a mean gain must be above to be more than chance; 0 where there are too few to say."""
    if len(gains) < 2:
        return 0.0
    from scipy.stats import t

    quantile = float(t.ppf(0.95, len(gains) - 1))
    return quantile * float(np.std(gains, ddof=1)) / math.sqrt(len(gains))


def regret(
    samples: Mapping[str, np.ndarray], chosen: str, level: float, speakers: float
) -> tuple[str, Estimate] | tuple[None, None]:
    """Return the best candidate in hindsight, and what the chosen one gives away to it, on the same draws of speakers.

    Args:
        samples: UA (draws + 1,) of each candidate on the target, from one `SpeakerBootstrap`.
        chosen: one of them.
        level: of the interval.
        speakers: `SpeakerBootstrap.effective`.
    """
    known = {name: values for name, values in samples.items() if np.isfinite(values[0])}
    if chosen not in known:
        return None, None
    best = max([chosen, *known], key=lambda name: known[name][0])
    difference = known[best] - known[chosen]
    return best, Estimate(float(difference[0]), *interval(difference, level, speakers))


def _tried(row: dict[str, Any]) -> Tried:
    score = math.nan if row["score"] is None else row["score"]
    return Tried(**row | {"target": _estimate(row["target"]), "score": score})


def _estimate(values: Sequence[float | None] | None) -> Estimate | None:
    return None if values is None else Estimate(*(math.nan if value is None else value for value in values))
