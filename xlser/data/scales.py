"""Dimensional scales: from a corpus's own numbers to [-1, 1], and from categories where no ratings exist."""

from __future__ import annotations

import numpy as np
import pandas as pd

from xlser.vocabulary import DIMENSIONS

# Mean pleasure (valence), arousal (activation) and dominance of emotion terms on [-1, 1]: Russell & Mehrabian 1977,
# "Evidence for a three-factor theory of emotions", Table 4. Neutral is the scales' own zero, not a rated term.
DERIVED = {
    "anger": {"valence": -0.51, "activation": 0.59, "dominance": 0.25},
    "boredom": {"valence": -0.65, "activation": -0.62, "dominance": -0.33},
    "disgust": {"valence": -0.60, "activation": 0.35, "dominance": 0.11},
    "fear": {"valence": -0.64, "activation": 0.60, "dominance": -0.43},
    "happiness": {"valence": 0.81, "activation": 0.51, "dominance": 0.46},
    "neutral": {"valence": 0.0, "activation": 0.0, "dominance": 0.0},
    "sadness": {"valence": -0.63, "activation": -0.27, "dominance": -0.33},
    "surprise": {"valence": 0.40, "activation": 0.67, "dominance": -0.13},
}


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
    rows = [DERIVED.get(name, {}) for name in emotion]
    return pd.DataFrame(rows, columns=list(DIMENSIONS), index=emotion.index, dtype=float)
