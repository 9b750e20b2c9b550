"""Who speaks, where nobody says so: recordings of the target whose voices are alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from xlser.errors import RecipeError
from xlser.evaluation.adapting import Adaptation, Away, Fitted, Home, unset
from xlser.evaluation.shrunk import known_names
from xlser.features.normalise import Scaler

# Numbers of voices that are tried, how many clips each must have in the mean, and how many clips are compared at most.
_TRIED, _CLIPS, _MOST = (2, 3, 4, 6, 8, 10, 12, 16, 20, 30, 40), 8, 2000
_DIMENSIONS, _SHRINKAGE, _CLIP = 12, 0.3, 5.0


@dataclass(frozen=True)
class PseudoSpeakers(Adaptation):
    """Voices are guessed by clustering, for the steps after it; known speakers stay as they are.

    The target's z-scores (by its own statistics) are laid onto the directions in which the source's speakers differ
    most against how each of them varies (a discriminant analysis of speakers within corpora), or, where no speaker of
    the source is known, onto the main directions without those of the classes. Ward's clusters are taken there, and of
    their numbers the one with the largest silhouette; a further clip is of the voice whose middle is nearest. On four
    real corpora the number found was two, the lower and the higher voices: such statistics are of kinds of voices.
    Clusters may be of emotions, too, so that `speaker-or-corpus` after it asks twice as much of guesses.

    Args:
        count: how many voices; None for what the silhouette says.

    Raises:
        RecipeError: a count that is not a whole number of at least 1.
    """

    name: ClassVar[str] = "pseudo-speakers"
    guesses_speakers: ClassVar[bool] = True
    assumes: ClassVar[str] = "Recordings cluster by voice, in the directions in which the source's speakers differ."
    count: int | None = None

    def __post_init__(self) -> None:
        """Check the option."""
        if self.count is not None and (self.count < 1 or self.count != int(self.count)):
            raise RecipeError(f"{self.name}: count must be a whole number of at least 1, but is {self.count} instead")

    def _fit(self, home: Home, away: Away) -> Fitted:
        names = known_names(away.speakers, len(away.embeddings))
        if (names != "").any():
            return FittedVoices((f"{len(set(names) - {''})} speakers are named, and none is guessed",), known=True)
        scaler = Scaler.fit(away.embeddings, _CLIP)
        axes, how = _voice_axes(home, scaler.apply(away.embeddings).astype(float))
        voices = scaler.apply(away.embeddings).astype(float) @ axes
        # The order of the rows must not matter: they are sorted before any are left out.
        order = np.lexsort(voices.T)
        kept = order[np.unique(np.linspace(0, len(order) - 1, min(_MOST, len(order))).astype(int))]
        labels, score = self._clusters(voices[kept])
        centres = np.stack([voices[kept][labels == place].mean(axis=0) for place in range(labels.max() + 1)])
        note = f"{len(centres)} voices guessed by clustering {how}" + (f" (silhouette {score:.2f})" if score else "")
        return FittedVoices((note,), None, False, scaler.mean, scaler.std, axes, centres)

    def _clusters(self, voices: np.ndarray) -> tuple[np.ndarray, float]:
        from sklearn.cluster import AgglomerativeClustering
        from sklearn.metrics import silhouette_score

        apart = len(np.unique(voices.round(9), axis=0))
        tried = [self.count] if self.count else [k for k in _TRIED if k * _CLIPS <= len(voices)]
        best = np.zeros(len(voices), dtype=int), 0.0
        for count in (min(int(k), apart) for k in tried):
            if count < 2 or count >= len(voices):
                continue
            labels = AgglomerativeClustering(count, linkage="ward").fit_predict(voices)
            score = float(silhouette_score(voices, labels))
            if score > best[1] or self.count:
                best = labels, score
        return best


@dataclass(eq=False)
class FittedVoices(Fitted):
    """``centres`` (K, A) of voices on ``axes`` (D, A) of z-scores; none where speakers are ``known``."""

    known: bool = False
    mean: np.ndarray = field(default_factory=unset)
    std: np.ndarray = field(default_factory=unset)
    axes: np.ndarray = field(default_factory=unset)
    centres: np.ndarray = field(default_factory=unset)

    def speakers(self, rows: np.ndarray, speakers: ArrayLike | None = None) -> ArrayLike | None:
        """Return the nearest voice of each row, ``voice 1``, ``voice 2``...; what is given where that was known."""
        if self.known:
            return speakers
        voices = Scaler(self.mean, self.std, _CLIP).apply(np.asarray(rows, dtype=float)).astype(float) @ self.axes
        distances = ((voices[:, None] - self.centres) ** 2).sum(axis=-1)
        return np.array([f"voice {place + 1}" for place in distances.argmin(axis=1)], dtype=object)


def _voice_axes(home: Home, target: np.ndarray) -> tuple[np.ndarray, str]:
    """Return directions of voices (D, A), and what they are."""
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    rows, names = _within_corpora(home)
    kept = names != ""
    if len(set(names[kept])) >= 3:
        model = LinearDiscriminantAnalysis(solver="eigen", shrinkage=_SHRINKAGE).fit(rows[kept], names[kept])
        return model.scalings_[:, : min(_DIMENSIONS, len(set(names[kept])) - 1)], "where the source's speakers differ"
    plain = target - target.mean(axis=0)
    if home.labels is not None:
        labels = np.asarray(home.labels).astype(str)
        means = np.array([rows[labels == name].mean(axis=0) for name in home.classes if (labels == name).any()])
        basis = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)[2][: max(len(means) - 1, 0)]
        plain = plain - plain @ basis.T @ basis
    count = min(_DIMENSIONS, *plain.shape)
    return PCA(count, svd_solver="full").fit(plain).components_.T, "main directions without those of the emotions"


def _within_corpora(home: Home) -> tuple[np.ndarray, np.ndarray]:
    """Return the source's rows z-scored within their corpora, and their speakers with the corpus; "" where unknown."""
    rows = np.asarray(home.embeddings, dtype=float)
    corpora = np.full(len(rows), "") if home.corpora is None else np.asarray(home.corpora).astype(str)
    scores = np.empty_like(rows)
    for corpus in np.unique(corpora):
        own = corpora == corpus
        scores[own] = Scaler.fit(rows[own], _CLIP).apply(rows[own])
    who = known_names(home.speakers, len(rows))
    return scores, np.array([f"{a}/{b}" if b else "" for a, b in zip(corpora, who, strict=True)], dtype=object)
