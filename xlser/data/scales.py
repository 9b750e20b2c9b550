"""Dimensional scales: from a corpus's own numbers to [-1, 1], and from categories where no ratings exist."""

from __future__ import annotations

import numpy as np
import pandas as pd

# Mean pleasure (valence), arousal (activation) and dominance of emotion terms on [-1, 1]: Russell & Mehrabian 1977,
# "Evidence for a three-factor theory of emotions", Table 4. Neutral is the scales' own zero, not a rated term.
DERIVED = {
    "anger": (-0.51, 0.59, 0.25),
    "boredom": (-0.65, -0.62, -0.33),
    "disgust": (-0.60, 0.35, 0.11),
    "fear": (-0.64, 0.60, -0.43),
    "happiness": (0.81, 0.51, 0.46),
    "neutral": (0.0, 0.0, 0.0),
    "sadness": (-0.63, -0.27, -0.33),
    "surprise": (0.40, 0.67, -0.13),
}
DIMENSIONS = ("valence", "activation", "dominance")


def to_unit(values: np.ndarray, scale: tuple[float, float]) -> np.ndarray:
    """Map ratings from ``scale`` (low, high) to [-1, 1] linearly; NaN stays NaN.

    >>> to_unit(np.array([1.0, 3.0, 5.0]), (1, 5)).tolist()
    [-1.0, 0.0, 1.0]
    """
    low, high = scale
    # Rounded far below any rating's precision, so that 0.64 does not become 0.6400000000000001 in a table.
    return np.round((np.asarray(values, dtype=float) - low) / (high - low) * 2 - 1, 12)


def derived_ratings(emotion: pd.Series) -> pd.DataFrame:
    """Return valence, activation and dominance in [-1, 1] for canonical emotions, NaN where the table has none.

    These are positions of *words*, the same for every recording of a category. Results on them are marked "derived"
    and never stand for human ratings of the recordings.
    """
    rows = [DERIVED.get(name, (np.nan,) * 3) for name in emotion]
    return pd.DataFrame(rows, columns=list(DIMENSIONS), index=emotion.index, dtype=float)
