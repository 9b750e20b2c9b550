"""In which order candidates are tried: a good model exists early, and each stage builds on what the last one took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlser.experiment.best.space import BASELINE, CORPUS, SOURCE, SPEAKER, Candidate, Setting, changed
from xlser.features.representation import Representation

if TYPE_CHECKING:
    from xlser.experiment.best.search import Search

PRIOR, SMOOTH = "prior=uniform", "prior=uniform|neighbours|prior=uniform"
ADAPTATIONS = ("", PRIOR, SMOOTH)
CS = (0.001, 0.003, 0.01, 0.1)
# So many of the best states are heard in other ways, so many are averaged at most, and so many of the best candidates
# are asked for other statistics, readouts and steps.
STATES, MOST, SOME = 3, 4, 2
ACOUSTIC = Representation(True)


@dataclass(frozen=True)
class Stages:
    """Representation first, then ensembles of the best, steps of adaptation, statistics and readout.

    Attributes:
        layers: numbers of the hidden states, maybe none.
        transductive: whether the target may be looked at.
    """

    layers: Sequence[int]
    transductive: bool

    def run(self, search: Search) -> Iterator[tuple[str, list[Candidate]]]:
        """Yield a stage's name and its candidates; the next one looks at what was scored."""
        yield "baseline", [BASELINE]
        alone = [ACOUSTIC, *(Representation(False, (layer,)) for layer in self.layers)]
        yield "representations", self._heard(alone)
        yield "a first ensemble", self._ensembles(search, 2)
        yield "representations side by side", self._heard(self._around(search, alone))
        yield "ensembles", self._ensembles(search, MOST)
        yield "adaptations", [replace(one, adapt=text) for one in search.ranked()[:SOME] for text in self._steps]
        yield "statistics", [changed(one, statistics=kind) for one in search.ranked()[:SOME] for kind in self._kinds]
        yield "readouts", [changed(one, c=c) for one in search.ranked()[:SOME] for c in CS]
        yield "one model a source", self._each(search)

    @property
    def _kinds(self) -> tuple[str, ...]:
        return (SOURCE, CORPUS, SPEAKER) if self.transductive else (SOURCE,)

    @property
    def _steps(self) -> tuple[str, ...]:
        return ADAPTATIONS if self.transductive else ("",)

    def _heard(self, several: Sequence[Representation]) -> list[Candidate]:
        """Return a candidate for each representation, adapted by the default."""
        return [Candidate((Setting(one, self._kinds[-1]),), adapt=self._steps[-1]) for one in several]

    def _around(self, search: Search, alone: Sequence[Representation]) -> list[Representation]:
        """Return other ways to hear the best states: deviations too, neighbouring states, eGeMAPS beside them."""
        ranked = search.ranked(self._heard([one for one in alone if one.states]))
        out = []
        for layer in [one.settings[0].representation.states[0] for one in ranked[:STATES]]:
            spans = [(layer - 1, layer), (layer, layer + 1), (layer - 1, layer, layer + 1)]
            out += [Representation(False, (layer,), "mean+std")]
            out += [Representation(False, span) for span in spans if set(span) <= set(self.layers)]
            out += [Representation(True, (layer,), "mean+std")]
        return list(dict.fromkeys(out))

    def _ensembles(self, search: Search, most: int) -> list[Candidate]:
        """Return the best two, three ... averaged; the best encoder's alone, and these with eGeMAPS."""
        default = (self._kinds[-1], 0.01, self._steps[-1])
        ranked = [
            one.settings[0]
            for one in search.ranked()
            if len(one.settings) == 1 and (one.settings[0].statistics, one.settings[0].c, one.adapt) == default
        ]
        acoustic = [one for one in ranked if one.representation == ACOUSTIC]
        states = [one for one in ranked if not one.representation.egemaps]
        out = []
        for count in range(2, most + 1):
            out += [(*acoustic, *states[: count - 1]), tuple(states[:count]), tuple(ranked[:count])]
        return [Candidate(one, adapt=self._steps[-1]) for one in dict.fromkeys(out) if len(one) > 1]

    def _each(self, search: Search) -> list[Candidate]:
        """Return the best with one model a source; of a single source there is nothing to average."""
        several = len(search.folds[0].task.sources) > 1 if search.folds else False
        return [changed(one, each=True) for one in search.ranked()[:SOME]] if several else []
