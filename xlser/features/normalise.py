"""Z-scores, and which protocol each way of taking them means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from xlser.vocabulary import TRANSDUCTIVE, ZERO_SHOT

Normalisation = Literal["source", "corpus", "speaker"]
# Zero-shot looks at nothing of the target; the other two look at its unlabelled recordings.
PROTOCOL: dict[str, str] = {"source": ZERO_SHOT, "corpus": TRANSDUCTIVE, "speaker": TRANSDUCTIVE}
# Fewer recordings than this do not tell a speaker's mean and spread; such speakers get their corpus's. The same holds
# for a corpus among several.
SPEAKER_MINIMUM = 5


@dataclass(frozen=True)
class Scaler:
    """Column means and standard deviations, each of shape (columns,); z-scores beyond ``clip`` are set to it.

    Some functionals are a deviation divided by a mean: where that mean is near zero they reach hundreds of deviations
    in a language that the statistics have not seen, and one such value outweighs all others of its recording.
    """

    mean: np.ndarray
    std: np.ndarray
    clip: float | None = None

    @classmethod
    def fit(cls, values: np.ndarray, clip: float | None = None) -> Scaler:
        """Take mean and population deviation of ``values`` (rows, columns); a constant column gets deviation 1."""
        values = np.asarray(values, dtype=np.float64)
        std = values.std(axis=0)
        # A column that is constant but for rounding has a deviation near 1e-16 of its size: dividing makes noise of it.
        constant = std <= 1e-9 * np.maximum(1.0, np.abs(values).max(axis=0))
        return cls(values.mean(axis=0), np.where(constant, 1.0, std), clip)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return z-scores as float32, same shape as ``values``."""
        scores = (values - self.mean) / self.std
        if self.clip is not None:
            scores = np.clip(scores, -self.clip, self.clip)
        return scores.astype(np.float32)


def by_corpus(values: np.ndarray, corpora: np.ndarray, known: np.ndarray, pooled: Scaler) -> np.ndarray:
    """Return z-scored features of corpora put together, each by its own statistics, float32, shape of ``values``.

    What differs between corpora as a whole, such as the microphone, but also the share of angry speech, is taken out.

    Args:
        values: raw features (rows, columns).
        corpora: name of each row's corpus, (rows,).
        known: positions of the rows that statistics may be taken of: the training part.
        pooled: statistics of all of them, for a corpus of which fewer than five are known; its ``clip`` holds for all.

    >>> x, corpora = np.array([[0.0], [2.0], [10.0], [12.0]]).repeat(5, axis=0), np.array(["a", "b"]).repeat(10)
    >>> by_corpus(x, corpora, np.arange(20), Scaler.fit(x))[::5].ravel().tolist()
    [-1.0, 1.0, -1.0, 1.0]
    """
    out = pooled.apply(values)
    for name in np.unique(corpora):
        own = known[corpora[known] == name]
        if len(own) >= SPEAKER_MINIMUM:
            rows = corpora == name
            out[rows] = Scaler.fit(values[own], pooled.clip).apply(values[rows])
    return out


def normalise(values: np.ndarray, speakers: pd.Series, kind: Normalisation, source: Scaler) -> np.ndarray:
    """Return z-scored features of one corpus, float32, same shape as ``values`` (rows, columns).

    Args:
        values: raw features.
        speakers: speaker of each row.
        kind: ``source`` uses the source's training statistics, ``corpus`` those of ``values`` themselves, ``speaker``
            those of each speaker with at least five recordings and the corpus's for the others.
        source: statistics of the source's training part; its ``clip`` holds for the other kinds too.

    >>> x = np.array([[0.0], [2.0]])
    >>> normalise(x, pd.Series(["a", "b"]), "corpus", Scaler.fit(x)).ravel().tolist()
    [-1.0, 1.0]
    """
    if kind == "source":
        return source.apply(values)
    out = Scaler.fit(values, source.clip).apply(values)
    if kind == "speaker":
        for rows in speakers.groupby(speakers).indices.values():
            if len(rows) >= SPEAKER_MINIMUM:
                out[rows] = Scaler.fit(values[rows], source.clip).apply(values[rows])
    return out
