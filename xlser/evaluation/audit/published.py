"""Which published models have heard a corpus in training: a score of theirs on it is no test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xlser.yamlfile import read_yaml

_TABLE = Path(__file__).with_name("published.yaml")


def trained_on(corpus: str) -> list[dict[str, Any]]:
    """Return the models known to have been trained on a corpus, each with ``model``, ``use``, ``source`` and ``sure``.

    ``use`` says for what it was used (fine-tuning, pre-training); ``sure`` is false where the source names a collection
    that holds the corpus and not the corpus itself. An empty list means that none is known, not that there is none.

    >>> [row["model"] for row in trained_on("iemocap")][:1]
    ['speechbrain/emotion-recognition-wav2vec2-IEMOCAP']
    """
    table = read_yaml(_TABLE)
    return [
        {"model": row["model"], "use": row["use"], "source": row["source"], "sure": corpus not in row.get("maybe", [])}
        for row in table["models"]
        if corpus in (*row["corpora"], *row.get("maybe", []))
    ]
