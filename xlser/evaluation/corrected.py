"""A target by its zero-shot probabilities, by each way to correct them with shots, and by the way that shots choose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from xlser.evaluation.corrections import WAYS, ZERO_SHOT, Shots, means_before, unit
from xlser.evaluation.labelled_clips import best_way, fit_way, left_out

CHOSEN, ORACLE = "chosen", "oracle"
# Z-scores beyond it are set to it, as for every network: see `xlser.features.normalise.Scaler`.
CLIP = 5.0


@dataclass(frozen=True)
class Corrected:
    """N rows of a target; predictions are (N,) codes of C classes.

    Attributes:
        rows: (N, D) of length 1, on the source's scale.
        model: (N, C) the zero-shot probabilities.
        means: (C, D) of the source's classes, and
        steep: see `means_before`.
    """

    rows: np.ndarray
    model: np.ndarray
    means: np.ndarray
    steep: float

    @classmethod
    def of(cls, source: np.ndarray, codes: np.ndarray, rows: np.ndarray, model: np.ndarray) -> Corrected:
        """Take the source's rows (S, D), their codes (S,), and the target's (N, D), all as z-scores of the source."""
        home, away = (unit(np.clip(values, -CLIP, CLIP)) for values in (source, rows))
        return cls(away, model, *means_before(home, np.eye(model.shape[1])[codes]))

    def without_shots(self) -> dict[str, np.ndarray]:
        """Return the predictions of each way without a shot: all those of the model."""
        return dict.fromkeys((ZERO_SHOT, *WAYS, CHOSEN), self.model.argmax(axis=1))

    def with_shots(self, draw: np.ndarray, k: int) -> tuple[dict[str, np.ndarray], str]:
        """Return the predictions of each way with the first k shots of every class, and the way that they choose.

        Args:
            draw: (C, most) positions in the target, as of `draw_shots`.
            k: 1 to most.
        """
        taken = draw[:, :k]
        positions, codes = taken.ravel(), np.repeat(np.arange(len(taken)), k)
        shots = Shots(self.rows[positions], self.model[positions], codes, self.means, self.steep)
        said = {way: fit_way(way, shots).posterior(self.rows, self.model) for way in (ZERO_SHOT, *WAYS)}
        read, way = {name: rows.argmax(axis=1) for name, rows in said.items()}, best_way(left_out(shots))
        return read | {CHOSEN: read[way]}, way


def in_hindsight(scores: dict[str, dict[int, np.ndarray]], ks: Sequence[int]) -> dict[int, str]:
    """Return by k the way of the highest mean over draws, of the zero-shot way and all that correct; first of equals.

    Args:
        scores: by way and k (draws, resamples + 1), the first column being the sample itself.
        ks: at least one.
    """
    return {
        k: max((ZERO_SHOT, *WAYS), key=lambda way: np.nan_to_num(np.nanmean(scores[way][k][:, 0]), nan=-1.0))
        for k in ks
    }


def counted(ways: Iterable[str]) -> str:
    """Return how often each way was chosen, the most frequent first.

    >>> counted(["means", "averaged", "means"])
    'means 2, averaged 1'
    """
    return ", ".join(f"{way} {count}" for way, count in Counter(ways).most_common())
