"""What a method said of each clip, kept small, and set against what another one said of the same clips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from xlser.evaluation.paired import contributions, flip_test, holm, paired_test

Row = dict[str, Any]
# Two questions, each with a correction of its own: does it carry over, and is it good at home?
TRANSFER, HELD_OUT = "transfer", "held-out"
_TOLD = ("difference", "p", "speakers", "clips", "exact")


@dataclass(frozen=True, eq=False)
class Verdicts:
    """What one method, read by one classifier, said of the N clips of a corpus.

    Attributes:
        classes: those that are scored.
        ids: (N,) names of the clips, ``speakers`` (N,) who speaks.
        truth: (N,) labels; ``None`` and those that are no class are not scored.
        said: (R, N) object, a row a seed; None where a seed may not judge (a training clip).
    """

    classes: tuple[str, ...]
    ids: tuple[str, ...]
    speakers: tuple[str, ...]
    truth: tuple[str | None, ...]
    said: np.ndarray

    @classmethod
    def of(cls, predictions: Mapping[str, Any], classes: Iterable[str], method: str, classifier: str) -> Verdicts:
        """Pick those of a method and classifier; R is 0 where there are none.

        Args:
            predictions: ``id``, ``speaker`` and ``truth`` (N,), and ``said``, rows of ``method, classifier, seed,
                labels``.
            classes: that are scored.
            method: of the rows that are picked.
            classifier: likewise.
        """
        rows = [row for row in predictions["said"] if (row["method"], row["classifier"]) == (method, classifier)]
        said = np.array([row["labels"] for row in rows], dtype=object).reshape(len(rows), len(predictions["id"]))
        columns = (tuple(predictions[name]) for name in ("id", "speaker", "truth"))
        return cls(tuple(classes), *columns, said)

    @property
    def scored(self) -> np.ndarray:
        """The clips (N,) bool whose label is a class."""
        return np.array([label in self.classes for label in self.truth], dtype=bool)

    @property
    def right(self) -> np.ndarray:
        """Where each seed was right, (R, N): 1 or 0, nan where it may not judge."""
        truth = np.array(self.truth, dtype=object)
        return np.where(self.said == None, np.nan, (self.said == truth).astype(float))  # noqa: E711 (element by element)


def unlike(a: Verdicts, b: Verdicts) -> str:
    """Say why two cannot be paired; empty where they can.

    >>> kept = {"id": ["x"], "speaker": ["anna"], "truth": ["joy"], "said": []}
    >>> unlike(Verdicts.of(kept, ["joy"], "plain", "knn"), Verdicts.of(kept | {"id": ["y"]}, ["joy"], "plain", "knn"))
    'not the same clips'
    """
    pairs = {
        "not the same emotions": (set(a.classes), set(b.classes)),
        "not the same clips": (a.ids, b.ids),
        "not the same labels": (a.truth, b.truth),
        "not the same speakers": (a.speakers, b.speakers),
    }
    if found := next((why for why, (one, other) in pairs.items() if one != other), ""):
        return found
    return "" if _judged(a, b).any() else "no clip that both judged"


def paired(a: Verdicts, b: Verdicts) -> Row | None:
    """Test whether A and B are equally accurate on the clips that both judged (see `paired_test`).

    Returns:
        ``difference`` of UA, A minus B; ``p``, ``speakers``, ``clips``, ``exact``. None where they are `unlike`.
    """
    if unlike(a, b):
        return None
    judged = _judged(a, b)
    speakers, truth = (np.array(column, dtype=object)[judged].astype(str) for column in (a.speakers, a.truth))
    found = paired_test(a.right[:, judged], b.right[:, judged], speakers, truth)
    return {name: found[name] for name in _TOLD}


def paired_mean(pairs: Mapping[str, tuple[Verdicts, Verdicts]]) -> Row | None:
    """Test the mean over corpora of the difference of UA, A minus B; their speakers are independent of each other.

    Returns:
        ``difference``, ``p`` by swapping A and B speaker by speaker, ``speakers``. None where no corpus can be paired.
    """
    parts = []
    for a, b in pairs.values():
        if not unlike(a, b):
            judged = _judged(a, b)
            speakers, truth = (np.array(column, dtype=object)[judged].astype(str) for column in (a.speakers, a.truth))
            right = [np.nanmean(one.right[:, judged], axis=0) for one in (a, b)]
            parts.append(contributions(right[0] - right[1], speakers, truth))
    if not parts:
        return None
    every = np.concatenate(parts) / len(parts)
    return {"difference": float(every.sum()), "p": flip_test(every)[0], "speakers": len(every)}


def correct_families(rows: list[Row]) -> None:
    """Give every row ``p_holm``: its p by Holm's correction over the rows of the same ``family``.

    >>> rows = [{"family": "transfer", "p": 0.03}, {"family": "held-out", "p": 0.03}, {"family": "transfer", "p": 0.01}]
    >>> correct_families(rows)
    >>> [row["p_holm"] for row in rows]
    [0.03, 0.03, 0.02]
    """
    for family in {row["family"] for row in rows}:
        several = [row for row in rows if row["family"] == family]
        for row, adjusted in zip(several, holm([row["p"] for row in several]), strict=True):
            row["p_holm"] = float(adjusted)


def packed(predictions: Mapping[str, Any]) -> Row:
    """Write labels and speakers as whole numbers, -1 for None, and list what they stand for.

    >>> said = [{"method": "plain", "classifier": "knn", "seed": 0, "labels": [None, "joy"]}]
    >>> kept = packed({"id": ["x", "y"], "speaker": ["anna", "anna"], "truth": ["fear", "joy"], "said": said})
    >>> kept["emotions"], kept["truth"], kept["said"][0]["labels"]
    (['fear', 'joy'], [0, 1], [-1, 1])
    """
    every = [predictions["truth"], *(row["labels"] for row in predictions["said"])]
    emotions = sorted({label for labels in every for label in labels} - {None})
    speakers = sorted(set(predictions["speaker"]))
    return {
        "emotions": emotions,
        "speakers": speakers,
        "id": list(predictions["id"]),
        "speaker": _codes(predictions["speaker"], speakers),
        "truth": _codes(predictions["truth"], emotions),
        "said": [row | {"labels": _codes(row["labels"], emotions)} for row in predictions["said"]],
    }


def unpacked(kept: Mapping[str, Any]) -> Row:
    """Undo `packed`."""
    emotions = kept["emotions"]
    return {
        "id": kept["id"],
        "speaker": [kept["speakers"][code] for code in kept["speaker"]],
        "truth": _labels(kept["truth"], emotions),
        "said": [row | {"labels": _labels(row["labels"], emotions)} for row in kept["said"]],
    }


def _judged(a: Verdicts, b: Verdicts) -> np.ndarray:
    """Return the scored clips (N,) that a seed of each of them judged."""
    return a.scored & np.isfinite(a.right).any(axis=0) & np.isfinite(b.right).any(axis=0)


def _codes(labels: Iterable[str | None], names: list[str]) -> list[int]:
    places = {name: place for place, name in enumerate(names)}
    return [-1 if label is None else places[label] for label in labels]


def _labels(codes: Iterable[int], names: list[str]) -> list[str | None]:
    return [None if code < 0 else names[code] for code in codes]
