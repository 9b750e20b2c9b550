"""Several corpora as one source: ``emodb+ravdess``."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cached_property

import numpy as np
import pandas as pd

from xlser.data.manifest import Manifest
from xlser.experiment.corpora import DIMENSIONS, Corpus
from xlser.features.clips import Clips
from xlser.features.extract import Features


class JoinedCorpus(Corpus):
    """Corpora put one behind the other; ids, speakers, sessions and paths get the corpus's name before them.

    What is derived in one and rated in another counts as derived.
    """

    def __init__(self, parts: list[Corpus]) -> None:
        self._parts = parts
        self.card = parts[0].card
        self.data = _data(parts)
        self.labels = np.concatenate([part.labels for part in parts])
        self.ratings = {name: np.concatenate([part.ratings[name] for part in parts]) for name in DIMENSIONS}
        kinds = {part.ratings_kind for part in parts} - {"none"}
        self.ratings_kind = "derived" if "derived" in kinds else next(iter(kinds), "none")
        keys = parts[0].counts
        self.counts = {key: dict(sum((Counter(part.counts[key]) for part in parts), Counter())) for key in keys}

    @property
    def name(self) -> str:
        """The names of the parts, joined by ``+``."""
        return "+".join(part.name for part in self._parts)

    @property
    def language(self) -> str:
        """Every language once."""
        return "+".join(dict.fromkeys(part.language for part in self._parts))

    @property
    def synthetic(self) -> bool:
        """Whether a synthesiser speaks in any part."""
        return any(part.synthetic for part in self._parts)

    @cached_property
    def languages(self) -> np.ndarray:
        """The language of every row, (N,)."""
        return np.concatenate([part.languages for part in self._parts])

    @property
    def parts(self) -> list[Corpus]:
        """The corpora that this one is made of."""
        return self._parts

    def about(self, role: str) -> dict:
        """Return what a report says of the corpora together, JSON-able."""
        each = [part.about(role) for part in self._parts]
        told = super().about(role)
        for key in ("title", "elicitation", "licence", "citation", "card_hash"):
            told[key] = "; ".join(dict.fromkeys(str(one[key]) for one in each))
        told["verified"] = all(one["verified"] for one in each)
        return told


def _data(parts: list[Corpus]) -> Features | Clips:
    """Join features, or clips: these share a store, and are read by their contents."""
    first, manifest = parts[0].data, _manifest(parts)
    common = {
        "manifest": manifest,
        "cached": sum(part.data.cached for part in parts),
        "faults": {f"{part.name}/{path}": why for part in parts for path, why in part.data.faults.items()},
        "contents": [content for part in parts for content in part.data.contents],
    }
    if isinstance(first, Clips):
        return replace(first, samples=np.concatenate([part.data.samples for part in parts]), **common)
    return replace(first, values=np.concatenate([part.data.values for part in parts]), **common)


def _manifest(parts: list[Corpus]) -> Manifest:
    manifests = [part.data.manifest for part in parts]
    frames = [_prefixed(part.frame, part.name) for part in parts]
    left_out: dict[str, list[str]] = {}
    for manifest in manifests:
        for reason, paths in manifest.left_out.items():
            left_out.setdefault(reason, []).extend(f"{manifest.card}/{path}" for path in paths)
    return replace(
        manifests[0],
        frame=pd.concat(frames, ignore_index=True),
        card="+".join(manifest.card for manifest in manifests),
        card_hash="+".join(manifest.card_hash for manifest in manifests),
        synthetic=any(manifest.synthetic for manifest in manifests),
        left_out=left_out,
        notes=[f"{manifest.card}: {note}" for manifest in manifests for note in manifest.notes],
    )


def _prefixed(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    columns = [column for column in ("id", "speaker", "session", "path") if column in frame]
    return frame.assign(
        **{column: [value if pd.isna(value) else f"{name}/{value}" for value in frame[column]] for column in columns}
    )
