"""How many of what: languages, emotions, speakers, sexes, lengths, rates, texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from xlser.vocabulary import UNNAMED

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def count_corpus(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the counts of one manifest, JSON-able; ``unknown`` stands for values that are not there.

    ``duration`` holds quantiles in seconds by their share (``"0.5"`` is the median); ``speaker_rows`` the number of
    recordings of each speaker, ``sexes`` the number of speakers of each sex. ``unnamed`` counts recordings without an
    emotion: unlabelled, or of raters who do not agree.
    """
    speakers = frame.drop_duplicates("speaker")
    return {
        "utterances": len(frame),
        "recordings": int(frame["path"].nunique()),
        "hours": float(frame["duration"].sum() / 3600),
        "speakers": int(frame["speaker"].nunique()),
        "sexes": _counted(speakers["sex"]),
        "languages": _counted(frame["language"]),
        "emotions": _counted(frame["emotion"][~frame["emotion"].isin(UNNAMED)]),
        "unnamed": _counted(frame["emotion"][frame["emotion"].isin(UNNAMED)]),
        "raw": [
            {"code": str(code), "emotion": name, "count": int(count)}
            for (code, name), count in frame.groupby(["emotion_raw", "emotion"]).size().items()
            if name not in UNNAMED
        ],
        "speaker_rows": _counted(frame["speaker"]),
        "duration": {f"{share:g}": float(np.quantile(frame["duration"], share)) for share in QUANTILES},
        "sample_rates": _counted(frame["sample_rate"]),
        "channels": _counted(frame["channels"]),
        "texts": int(frame["text"].nunique()),
        "without_text": int(frame["text"].isna().sum()),
        "sessions": int(frame["session"].nunique()),
    }


def two_sexes(frame: pd.DataFrame) -> list[str]:
    """Return the speakers that have recordings of both sexes, sorted: one number then stands for two people."""
    sexes = frame.dropna(subset=["sex"]).groupby("speaker")["sex"].nunique()
    return sorted(sexes.index[sexes > 1])


def crossed(frame: pd.DataFrame, row: str, column: str) -> dict[str, Any]:
    """Return how often two columns meet: ``rows``, ``columns`` (sorted names) and ``counts`` (rows x columns)."""
    table = pd.crosstab(frame[row], frame[column])
    return {
        "rows": [str(name) for name in table.index],
        "columns": [str(name) for name in table.columns],
        "counts": table.to_numpy().tolist(),
    }


def _counted(values: pd.Series) -> dict[str, int]:
    counts = values.astype(object).where(values.notna(), "unknown").value_counts()
    return {str(name): int(count) for name, count in sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))}
