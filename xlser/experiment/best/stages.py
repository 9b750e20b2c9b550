"""In which order candidates are tried: a good model exists early, and each stage builds on what the last one took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from xlser.experiment.best.scoring import Search
from xlser.experiment.best.space import ALIKE, BASELINE, CORPUS, SOURCE, SPEAKER, Candidate, Setting, changed
from xlser.features.representation import SOUNDING, Representation

PRIOR = "prior=uniform"
SMOOTH = f"{PRIOR}|neighbours:share=0.3:standardise=false|{PRIOR}"
ADAPTATIONS = ("", PRIOR)
CS = (0.001, 0.003, 0.1)
# So many of the best states are heard in other ways, and so many are in the default.
STATES, KEPT = 3, 3
ACOUSTIC = Representation(True)


@dataclass(frozen=True)
class Stages:
    """Representations first, then the default, a wide ensemble of the best of them; then what may replace it.

    Ensembles of many unlike representations did best on real corpora whatever stood in them, and a choice on two or
    three pretended targets is noisy, so that the default stands unless another candidate is clearly better.

    Attributes:
        layers: numbers of the hidden states, maybe none.
        transductive: whether the target may be looked at.
    """

    layers: Sequence[int]
    transductive: bool

    def run(self, search: Search) -> Iterator[tuple[str, list[Candidate]]]:
        """Yield a stage's name and its candidates; the next one looks at what was scored."""
        yield "baseline", [BASELINE]
        acoustic, means = self._heard([ACOUSTIC]), self._heard([self._state(layer) for layer in self.layers])
        yield "representations", [*acoustic, *means]
        layers = [one.settings[0].representation.states[0] for one in search.ranked(means)[:STATES]]
        deviations = self._heard([self._state(layer, pooling="mean+std") for layer in layers])
        yield "deviations", deviations
        states = self._of_different_states(search.ranked([*means, *deviations]))
        default = self._default(acoustic, states)
        search.default = default
        yield "default", [default]
        yield "side by side", self._heard(self._side_by_side(layers[:KEPT]))
        yield "narrower ensembles", self._narrower(acoustic, states)
        base = search.best()
        yield "readouts", [changed(base, c=c) for c in CS]
        # On folds of one source nothing shifts: they cannot say what makes up for a shift, and the default does. (Of
        # scorers without labels neither density, entropy nor information did as well on real pairs of corpora.)
        if any(fold.shifts for fold in search.folds):
            yield "adaptations", [replace(base, adapt=text) for text in ADAPTATIONS if self.transductive]
            yield "statistics", [changed(base, statistics=kind) for kind in self._kinds]
        if any(len(fold.task.sources) > 1 for fold in search.folds):
            yield "one model a source", [changed(base, each=True)]

    @property
    def _kinds(self) -> tuple[str, ...]:
        return (SOURCE, CORPUS, SPEAKER) if self.transductive else (SOURCE,)

    @property
    def _steps(self) -> str:
        return SMOOTH if self.transductive else ""

    def _state(self, *layers: int, pooling: str = "mean") -> Representation:
        return Representation(False, layers, pooling, SOUNDING)

    def _heard(self, several: Sequence[Representation]) -> list[Candidate]:
        """Return a candidate for each representation, adapted by the default."""
        return [Candidate((Setting(one, self._kinds[-1]),), adapt=self._steps) for one in several]

    def _of_different_states(self, ranked: Sequence[Candidate]) -> list[Representation]:
        """Return the best ways to hear the best states, each state once."""
        best: dict[tuple[int, ...], Representation] = {}
        for one in ranked:
            best.setdefault(one.settings[0].representation.states, one.settings[0].representation)
        return [*best.values()][:KEPT]

    def _default(self, acoustic: Sequence[Candidate], states: Sequence[Representation]) -> Candidate:
        """Return the wide ensemble: eGeMAPS and the best states, each state once.

        Zero-shot, frames that do not sound do harm, and the best state with its neighbours side by side is heard too;
        adapted, frames of both kinds err differently.
        """
        if not states:
            return acoustic[0]
        if self.transductive:
            heard = [replace(one, frames=frames) for one in states for frames in (SOUNDING, "all")]
            # A state that is heard twice counts once.
            return replace(self._joined([ACOUSTIC, *heard]), weights=(2.0, *[1.0] * len(heard)), weighting=ALIKE)
        return self._joined([ACOUSTIC, *self._side_by_side([states[0].states[0]])[-1:], *states])

    def _side_by_side(self, layers: Sequence[int]) -> list[Representation]:
        """Return neighbouring states side by side, and eGeMAPS beside states."""
        out = []
        for layer in layers:
            out += [Representation(True, (layer,), "mean+std", SOUNDING)]
            spans = [(layer - 1, layer), (layer, layer + 1), (layer - 1, layer, layer + 1)]
            out += [self._state(*span) for span in spans if set(span) <= set(self.layers)]
        return list(dict.fromkeys(out))

    def _narrower(self, acoustic: Sequence[Candidate], states: Sequence[Representation]) -> list[Candidate]:
        """Return eGeMAPS with the best one or two states, and the states alone."""
        several = [[ACOUSTIC, *states[:count]] for count in range(1, len(states) + 1)]
        return [self._joined(one) for one in [*several, [*states]] if len(one) > 1]

    def _joined(self, several: Sequence[Representation]) -> Candidate:
        return Candidate(tuple(Setting(one, self._kinds[-1]) for one in several), adapt=self._steps)
