"""What a trained model says of a target whose shift an adaptation makes up for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from xlser.evaluation.adapting import Adaptation, Away, Fitted, Home
from xlser.evaluation.linear import fit_linear
from xlser.store.datastore import Datastore

Read = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class Readable(Protocol):
    """What is asked of a model."""

    own: Datastore

    def read(
        self, vectors: np.ndarray, classes: tuple[str, ...], speakers: Sequence[str]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the emotions (N,) and distributions (N, C) of embeddings (N, D)."""

    def shares(self, classes: tuple[str, ...]) -> np.ndarray:
        """Return the shares of the classes, (C,), that the reader takes for granted."""


@dataclass(frozen=True, eq=False)
class AdaptedReading:
    """A target as an adaptation has it.

    Attributes:
        fitted: the adaptation, fitted to the model's training clips and the target.
        embeddings: (N, D) as readout, directions and stored clips see them; where the source is mapped too, as they
            were: what is fitted again is the emotions' readout alone.
    """

    fitted: Fitted
    embeddings: np.ndarray
    _mapped: np.ndarray
    _home: Home
    _corrects: bool
    _speakers: Sequence[str]

    @classmethod
    def of(
        cls,
        model: Readable,
        adaptation: Adaptation,
        embedded: np.ndarray,
        speakers: Sequence[str],
        classes: tuple[str, ...],
    ) -> AdaptedReading:
        """Fit to a target's embeddings (N, D) and speakers (N,), "" where one is not known.

        Raises:
            CorpusError: it cannot be fitted to them; see `Adaptation.fit`.
        """
        about = model.own.about
        labels, corpora, names = (np.array(about[key], dtype=object) for key in ("emotion", "corpus", "speaker"))
        home = Home(np.asarray(model.own.embeddings), labels, classes, corpora, names)
        who = np.array(list(speakers), dtype=object) if any(speakers) else None
        fitted = adaptation.fit(home, Away(embedded, who))
        mapped = fitted.embeddings(embedded, who)
        seen = embedded if fitted.refits else mapped.astype(embedded.dtype)
        return cls(fitted, seen, mapped, home, adaptation.on_probabilities, list(speakers))

    def read(self, model: Readable, classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Return the emotions (N,) and the distributions (N, C), corrected where a step corrects them."""
        if self.fitted.refits:
            home = self._home
            rows = self.fitted.home(home.embeddings, home.corpora, home.speakers)
            readout = fit_linear(Home(rows, home.labels, classes, home.corpora), self.fitted.weights)
            shares = readout.probabilities(self._mapped)
            emotions, before = np.array(classes)[shares.argmax(axis=1)], np.full(len(classes), 1 / len(classes))
        else:
            emotions, shares = model.read(self.embeddings, classes, self._speakers)
            before = model.shares(classes) if self._corrects else np.empty(0)
        if self._corrects:
            self.fitted.fit_posterior(self._mapped, shares, before)
            shares = self.fitted.posterior(self._mapped, shares)
            emotions = np.array(classes)[shares.argmax(axis=1)]
        return emotions, shares
