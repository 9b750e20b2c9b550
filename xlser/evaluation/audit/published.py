"""Which published models have heard a corpus in training: a score of theirs on it is no test."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

from xlser.yamlfile import read_yaml

_TABLE = Path(__file__).with_name("published.yaml")


@dataclass(frozen=True)
class Published:
    """What is known of a published checkpoint: a row of ``published.yaml``, which says what each field means."""

    model: str
    use: str
    source: str
    heard: str
    evidence: str
    names: tuple[str, ...] = ()
    corpora: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()
    open: bool = False
    licence: str = ""

    def fits(self, name: str, *, folder: bool = False) -> bool:
        """Say whether this is the row of a hub name, or whether a ``folder`` is called as if it held such a model."""
        patterns = [pattern.lower() for pattern in self.names or (self.model,)]
        if not folder:
            return any(fnmatchcase(name.lower(), pattern) for pattern in patterns)
        models = [pattern.partition("/")[2] for pattern in patterns]
        return any(fnmatchcase(name.lower(), form) for model in models for form in (model, f"*--{model}", f"{model}-*"))


@lru_cache(maxsize=1)
def table() -> tuple[Published, ...]:
    """Return every row, in the order in which the first that fits is taken."""
    lists = ("names", "corpora", "maybe")
    rows = read_yaml(_TABLE)["models"]
    return tuple(Published(**row | {key: tuple(row[key]) for key in lists if key in row}) for row in rows)


def published(name: str, *, folder: bool = False) -> Published | None:
    """Return what is known of a checkpoint by its hub name; of a ``folder`` by how it is called, which is a guess.

    >>> published("openai/whisper-tiny.en").model, published("house/unheard-of")
    ('OpenAI Whisper', None)
    >>> published("whisper-large-v3-mine", folder=True).model
    'OpenAI Whisper large-v3'
    """
    return next((row for row in table() if row.fits(name, folder=folder)), None)


def trained_on(corpus: str) -> list[dict[str, Any]]:
    """Return the models known to have been trained on a corpus, each with ``model``, ``use``, ``source`` and ``sure``.

    ``use`` says for what it was used (fine-tuning, pre-training); ``sure`` is false where the source names a collection
    that holds the corpus and not the corpus itself. An empty list means that none is known, not that there is none.

    >>> [row["model"] for row in trained_on("iemocap")][:1]
    ['speechbrain/emotion-recognition-wav2vec2-IEMOCAP']
    """
    return [
        {"model": row.model, "use": row.use, "source": row.source, "sure": corpus not in row.maybe}
        for row in table()
        if corpus in (*row.corpora, *row.maybe)
    ]
