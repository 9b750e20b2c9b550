"""One model on one target, adapted to it in several ways that share what they have in common."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xlser.evaluation.adaptations import make_adaptation, written
from xlser.evaluation.adapting import Adaptation, Away, Chain, Fitted, FittedChain, Home, after

# What a chain of steps begins with: it is fitted once, whichever chains go on from there.
_Key = tuple[str, ...]


@dataclass
class Adapting:
    """The source's training rows, and the unlabelled rows of a target; every beginning of a chain is fitted once.

    ``home`` has all training rows, those without a scored emotion too: the target's are not filtered either.
    """

    home: Home
    away: Away
    _done: dict[_Key, tuple[Fitted, Home, Away]] = field(default_factory=dict, repr=False)
    kept: dict[_Key, Any] = field(default_factory=dict, repr=False)

    def adapt(self, text: str) -> Adapted:
        """Return the target as a chain makes it, from its text.

        Raises:
            XlserError: a step cannot be fitted to this target.
        """
        adaptation = make_adaptation(text)
        steps = adaptation.steps if isinstance(adaptation, Chain) else (adaptation,)
        key: _Key = ()
        home, away, done = self.home, self.away, []
        for step in steps:
            key = (*key, written(step))
            if key not in self._done:
                self._done[key] = self._fit(step, home, away)
            fitted, home, away = self._done[key]
            done.append(fitted)
        maps = tuple(name for name, step in zip(key, steps, strict=True) if not step.on_probabilities)
        chain = FittedChain(done)
        return Adapted(chain, home.embeddings, away.embeddings, adaptation.on_probabilities, key, maps, self.kept)

    @staticmethod
    def _fit(step: Adaptation, home: Home, away: Away) -> tuple[Fitted, Home, Away]:
        fitted = step.fit(home, away)
        if step.on_probabilities:
            return fitted, home, away
        return fitted, *after(step, fitted, home, away)


@dataclass(frozen=True)
class Adapted:
    """What a chain made of source (N, D') and target (M, D'); ``corrects``: it has something to say on probabilities.

    ``steps`` names all steps, and ``maps`` those on embeddings: chains that share these share the readouts that are
    fitted again, and what the steps after them make of the same probabilities. ``notes`` say what was decided, of the
    first probabilities that were corrected.
    """

    fitted: FittedChain
    home: np.ndarray
    embedded: np.ndarray
    corrects: bool
    steps: _Key
    maps: _Key
    kept: dict[_Key, Any] = field(default_factory=dict, repr=False)
    notes: list[str] = field(default_factory=list)

    def posterior(self, readout: str, probabilities: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Return a readout's probabilities (M, C) of the target corrected; ``shares`` (C,) is what it was fitted to."""
        notes: list[str] = []
        for place, step in enumerate(self.fitted.steps):
            key = (readout, *self.maps, "then", *self.steps[: place + 1])
            if key not in self.kept:
                # Fitting a posterior changes what is fitted: another readout begins from what it was.
                own = copy(step).fit_posterior(self.embedded, probabilities, shares)
                left = shares if own.shares is None else own.shares
                self.kept[key] = own.posterior(self.embedded, probabilities), left, own.notes
            probabilities, shares, said = self.kept[key]
            notes += said
        self.notes[:] = self.notes or notes
        return probabilities
