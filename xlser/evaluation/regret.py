"""What a choice without the target's labels costs there: its UA beside that of the best reading in hindsight."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from xlser.evaluation.bootstrap import SpeakerBootstrap, interval
from xlser.evaluation.choice import Reading
from xlser.evaluation.transfer import Views, ua_samples

Row = dict[str, Any]
NOBODY, _FIRST = "-", "0"


def pack_answers(
    read: Iterable[tuple[Mapping[str, str], Views]], truth: Iterable[str | None], speakers: Sequence[str], classes: Any
) -> Row:
    """Write what every reading of a target says of each clip, a character a clip: one corpus has hundreds of readings.

    Args:
        read: ``protocol`` and ``normalise`` of every way to adapt, and what all methods and seeds said under it.
        truth: (N,) labels, None where not scored.
        speakers: (N,) who speaks.
        classes: that are scored.
    """
    codes = {name: chr(ord(_FIRST) + place) for place, name in enumerate(classes)}
    said = []
    for about, views in read:
        for method, seeds in views.items():
            for seed, view in enumerate(seeds):
                for classifier, labels in view.labels.items():
                    row = {"method": method, "classifier": classifier, "seed": seed}
                    row |= {name: about[name] for name in ("protocol", "normalise")}
                    said.append(row | {"labels": _packed(np.where(view.rows, labels, np.array(None)), codes)})
    return {"classes": list(classes), "speaker": list(speakers), "truth": _packed(truth, codes), "said": said}


def _packed(labels: Iterable[str | None], codes: Mapping[str, str]) -> str:
    return "".join(NOBODY if label is None else codes.get(label, NOBODY) for label in labels)


@dataclass(frozen=True, eq=False)
class Answers:
    """What `pack_answers` wrote of one target, read by recipes that score the same clips.

    ``said`` maps a reading to the answers of its seeds; ``draws`` is how often the speakers of ``target`` are drawn.
    Corpora are drawn independently of each other, and every reading of one target by the same draws.
    """

    target: str
    classes: tuple[str, ...]
    speakers: tuple[str, ...]
    truth: str
    said: Mapping[Reading, Sequence[str]]
    draws: int = 1000
    level: float = 0.95

    @classmethod
    def of(cls, cell: Mapping[str, Any]) -> Answers | None:
        """Return the answers of a cell of a bench, or None where it holds none."""
        kept = cell.get("answers")
        if not kept or len(kept["classes"]) < 2:
            return None
        said: dict[Reading, list[str]] = {}
        for row in kept["said"]:
            said.setdefault(Reading.of(row | {"recipe": cell["recipe"]}), []).append(row["labels"])
        about = {name: kept[name] for name in ("draws", "level") if name in kept}
        return cls(cell["target"], tuple(kept["classes"]), tuple(kept["speaker"]), kept["truth"], said, **about)

    @cached_property
    def _bootstrap(self) -> SpeakerBootstrap:
        return SpeakerBootstrap(self.speakers, self.draws, seed=zlib.crc32(self.target.encode()))

    @property
    def effective(self) -> float:
        """How many speakers of equal size the scored clips are worth."""
        return self._bootstrap.effective(np.array([label != NOBODY for label in self.truth]))

    def samples(self, reading: Reading) -> np.ndarray:
        """Return the UA of a reading over its seeds in the sample and in each draw, (draws + 1,)."""
        names: dict[str, str | None] = {chr(ord(_FIRST) + place): name for place, name in enumerate(self.classes)}
        truth = np.array([names.get(code) for code in self.truth], dtype=object)
        seeds = []
        for labels in self.said[reading]:
            judged = np.array([code != NOBODY for code in labels])
            seeds.append((judged, np.array([names.get(code, self.classes[0]) for code in labels], dtype=str)))
        return ua_samples(seeds, truth, self.classes, self._bootstrap)


@dataclass(frozen=True, eq=False)
class Regret:
    """UA of the oracle less that of the validated choice on one target, in each draw of its speakers, (draws + 1,)."""

    samples: np.ndarray
    effective: float
    level: float

    @classmethod
    def of(cls, validated: Answers, choice: Reading, oracle: Reading, best: Answers | None = None) -> Regret:
        """Set the choice beside the oracle, which another recipe may have read (``best``) on the same clips."""
        others = validated if best is None else best
        return cls(others.samples(oracle) - validated.samples(choice), validated.effective, validated.level)

    @classmethod
    def mean(cls, several: Sequence[Regret]) -> Regret:
        """Return the mean over readings of one target, draw by draw: its speakers are those of all of them."""
        first = several[0]
        return cls(np.mean([one.samples for one in several], axis=0), first.effective, first.level)

    @property
    def row(self) -> Row:
        """Its ``regret``, at least 0, with the ends of the interval."""
        low, high = interval(self.samples, self.level, self.effective)
        return {"regret": float(self.samples[0]), "regret_low": low, "regret_high": high}


def mean_over_targets(rows: Sequence[Mapping[str, float]]) -> Row:
    """Return the mean regret over targets; its interval takes corpora as independent and adds their variances.

    >>> mean_over_targets([{"regret": 0.5, "regret_low": 0.25, "regret_high": 0.75}])
    {'regret': 0.5, 'regret_low': 0.25, 'regret_high': 0.75}
    """
    table = np.array([[row["regret"], row["regret_low"], row["regret_high"]] for row in rows], dtype=float)
    value, below, above = table[:, 0], table[:, 0] - table[:, 1], table[:, 2] - table[:, 0]
    mean, count = float(value.mean()), len(rows)
    low, high = (float(np.sqrt((side**2).sum()) / count) for side in (below, above))
    return {"regret": mean, "regret_low": mean - low, "regret_high": mean + high}
