"""Corpora as a search sees them: raw features once for every representation, who speaks, and what is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xlser.corpora.namesakes import is_unknown
from xlser.data.dataset import Dataset
from xlser.errors import CorpusError
from xlser.experiment.workplace import Workplace
from xlser.features.extract import extract
from xlser.features.extractor import Extractor
from xlser.vocabulary import UNNAMED


@dataclass(frozen=True, eq=False)
class Domain:
    """One corpus.

    Attributes:
        name: of it.
        dataset: the recordings that could be used, N of them.
        values: raw features (N, F).
        labels: (N,) emotions, None where not scored; of what is adapted to all are None.
        speakers: (N,) names, None where nobody's is known. A speaker who is not known is told from all others.
        contents: (N,) hash of each row's audio.
        faults: why a recording was left out.
    """

    name: str
    dataset: Dataset
    values: np.ndarray
    labels: np.ndarray
    speakers: np.ndarray | None
    contents: tuple[str, ...]
    faults: dict[str, str]

    def labelled(self, classes: Sequence[str]) -> np.ndarray:
        """Return which rows have one of these labels, (N,) bool."""
        return np.array([label in classes for label in self.labels], dtype=bool)

    @property
    def classes(self) -> tuple[str, ...]:
        """The emotions that it has, in the order of the alphabet."""
        return tuple(sorted({str(label) for label in self.labels if label is not None}))

    def hidden(self, speakers: bool) -> Domain:
        """Return it as a target is seen: without labels; without speakers too unless they may be known."""
        none = np.full(len(self.labels), None, dtype=object)
        return replace(self, labels=none, speakers=self.speakers if speakers else None)

    def take(self, rows: np.ndarray, name: str | None = None) -> Domain:
        """Return some rows, (N,) bool, under another name if one is given."""
        kept = tuple(content for content, own in zip(self.contents, rows, strict=True) if own)
        speakers = None if self.speakers is None else self.speakers[rows]
        cut = replace(self, dataset=self.dataset.take(rows), values=self.values[rows], labels=self.labels[rows])
        return replace(cut, name=name or self.name, speakers=speakers, contents=kept)


def read_domain(dataset: Dataset, extractor: Extractor, emotions: Sequence[str], place: Workplace) -> Domain:
    """Extract features through the cache, and select labels.

    Raises:
        CorpusError: see `extract`.
    """
    features = extract(
        dataset.manifest, extractor, place.cache, jobs=place.jobs, strict=place.strict, progress=place.progress
    )
    used = dataset.with_manifest(features.manifest)
    named = used.frame["emotion"]
    labels = np.where(named.isin(list(emotions)), named.astype(object), np.array(None))
    contents = tuple(features.contents)
    return Domain(used.name, used, features.values, labels, known_speakers(used), contents, dict(features.faults))


def known_speakers(dataset: Dataset) -> np.ndarray | None:
    """Return who speaks in each row (N,); None where no speaker is known, or only one name stands for all."""
    names = dataset.frame["speaker"].to_numpy(dtype=str)
    known = [not is_unknown(name) and not name.startswith("unknown:") for name in names]
    return names.astype(object) if any(known) else None


def check_sources(sources: Sequence[Domain], emotions: Sequence[str]) -> tuple[str, ...]:
    """Return the emotions that the sources have, in the order that was asked for.

    Raises:
        CorpusError: a source without a scored emotion, or fewer than two of them in all; it is named.
    """
    for domain in sources:
        if not domain.classes:
            there = [name for name in dict.fromkeys(domain.dataset.frame["emotion"]) if name not in UNNAMED]
            raise CorpusError(
                f"source {domain.name} has no recording of {', '.join(emotions)}; its labels are "
                f"{', '.join(there) or 'none'}. Leave it out, or name other emotions."
            )
    classes = tuple(name for name in emotions if any(name in domain.classes for domain in sources))
    if len(classes) < 2:
        raise CorpusError(
            f"the sources must have two of the emotions {', '.join(emotions)} at least, but have "
            f"{', '.join(classes)} alone. Give more sources, or name other emotions."
        )
    return classes


def without_copies(sources: Sequence[Domain], target: Domain) -> tuple[list[Domain], list[str]]:
    """Return the sources without the recordings that the target holds too, and a sentence for each that had some.

    Raises:
        CorpusError: nothing is left of a source.
    """
    held, out, said = set(target.contents), [], []
    for domain in sources:
        keep = np.array([content not in held for content in domain.contents], dtype=bool)
        if keep.any():
            out.append(domain if keep.all() else domain.take(keep))
        else:
            said.append(f"all of {domain.name} stands in {target.name} too: it was left out of the sources")
            continue
        if count := int((~keep).sum()):
            verb = "stands" if count == 1 else "stand"
            said.append(f"{count} recording(s) of {domain.name} that {verb} in {target.name} too were taken out of it")
    if not out:
        names = ", ".join(domain.name for domain in sources)
        raise CorpusError(
            f"every recording of {names} stands in {target.name} too: nothing is left to learn from. "
            "Give other sources."
        )
    return out, said
