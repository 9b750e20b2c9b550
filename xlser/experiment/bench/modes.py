"""What a clip is called under each label mode, and which clips have no name there.

``intersection``: the scored emotions that source and target share. ``reject``: the scored emotions of the source, and
``other`` for any further one. ``mapped``: negative, neutral and positive by the published positions of emotion words.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from xlser.data.scales import DERIVED
from xlser.evaluation.openset import VALENCES, valence_class
from xlser.experiment.corpora import AnyRecipe, Corpus
from xlser.vocabulary import UNNAMED

OTHER = "other"
# Canonical names which say that nobody could name an emotion.
UNLABELLED = (*UNNAMED, "unknown")
VALENCE = {name: found for name, position in DERIVED.items() if (found := valence_class(position["valence"]))}


@dataclass(frozen=True)
class Mode:
    """A way to label clips: ``truth`` (N,) is one of ``classes``, or None where the clip is lost."""

    name: str
    classes: tuple[str, ...]
    truth: np.ndarray

    @property
    def kept(self) -> np.ndarray:
        """Which clips have a name, (N,) bool."""
        return np.isin(self.truth.astype(str), self.classes)

    def impossible(self, judged: np.ndarray) -> str:
        """Return why the ``judged`` rows (N,) cannot be scored, empty where they can."""
        if self.classes.count(OTHER) > 1:
            return f"the recipe scores {OTHER!r} itself"
        there = sorted({*self.truth[judged & self.kept]})
        if len(there) > 1:
            return ""
        return f"clips are of {len(there)} of its classes ({', '.join(there) or 'none'}), and two are needed"

    def counts(self, emotions: np.ndarray, judged: np.ndarray) -> dict[str, object]:
        """Return how many of the ``judged`` rows have a name, are lost (by emotion) and are renamed (``a -> b``)."""
        rows = judged & self.kept
        pairs = zip(emotions[rows], self.truth[rows], strict=True)
        return {
            "utterances": int(rows.sum()),
            "lost": dict(Counter(emotions[judged & ~rows])),
            "merged": dict(Counter(f"{one} -> {other}" for one, other in pairs if one != other)),
        }


def emotions_of(corpus: Corpus, recipe: AnyRecipe) -> np.ndarray:
    """Return the canonical emotion of every row after the recipe's merging, (N,), whether it is scored or not."""
    named = corpus.frame["emotion"].fillna("unknown")
    return named.map(lambda name: recipe.merge.get(name, name)).to_numpy(object)


def intersection(classes: tuple[str, ...], emotions: np.ndarray) -> Mode:
    """Name the clips whose emotion both corpora have, ``classes``.

    >>> intersection(("anger",), np.array(["fear", "anger"], dtype=object)).truth.tolist()
    [None, 'anger']
    """
    return Mode("intersection", classes, np.where(np.isin(emotions, classes), emotions, None))


def reject(classes: tuple[str, ...], emotions: np.ndarray) -> Mode:
    """Name every emotion beside the source's ``classes`` ``other``; a clip that has no label is none of these.

    >>> reject(("anger",), np.array(["fear", "anger", "no_agreement"], dtype=object)).truth.tolist()
    ['other', 'anger', None]
    """
    further = np.where(np.isin(emotions, UNLABELLED), None, OTHER)
    return Mode("reject", (*classes, OTHER), np.where(np.isin(emotions, classes), emotions, further))


def mapped(classes: tuple[str, ...], emotions: np.ndarray) -> Mode:
    """Name emotions by valence, as far as the table has the word and the source's ``classes`` such an emotion.

    >>> mapped(("anger", "happiness"), np.array(["fear", "neutral", "surprise"], dtype=object)).truth.tolist()
    ['negative', None, None]
    """
    source, target = ({VALENCE.get(name) for name in several} for several in (classes, emotions))
    shared = tuple(name for name in VALENCES if name in source & target)
    truth = [found if (found := VALENCE.get(name)) in shared else None for name in emotions]
    return Mode("mapped", shared, np.array(truth, dtype=object))
