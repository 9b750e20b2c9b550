"""In which order candidates are tried: a good model exists early, and each stage builds on what the last one took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlser.experiment.best.space import (
    BASELINE,
    CORPUS,
    SOURCE,
    SPEAKER,
    Candidate,
    Setting,
    changed,
    representations,
)

if TYPE_CHECKING:
    from xlser.experiment.best.search import Search

CS = (0.001, 0.01, 0.1)
PRIOR = "prior=uniform"
SMOOTH = "prior=uniform|neighbours|prior=uniform"
ADAPTATIONS = ("", PRIOR, SMOOTH)
# So many of the best representations are averaged at most, and so many are asked for other statistics.
MOST, SOME = 4, 3


@dataclass(frozen=True)
class Stages:
    """Representation first, then statistics, ensembles of the best, readout and adaptation."""

    layers: Sequence[int]
    transductive: bool
    speakers: bool = True

    def run(self, search: Search) -> Iterator[tuple[str, list[Candidate]]]:
        """Yield a stage's name and its candidates; the next one looks at what was scored."""
        kinds = (SOURCE, CORPUS, SPEAKER) if self.transductive else (SOURCE,)
        first = kinds[-1]
        yield "baseline", [BASELINE]
        alone = [Candidate((Setting(one, first),)) for one in representations(self.layers)]
        yield "representations", alone
        ranked = search.ranked(alone)
        yield "ensembles", self._ensembles(ranked)
        yield "adaptations", self._adapted(search.ranked()[:SOME])
        best = search.ranked()[:SOME]
        yield "statistics", [changed(one, statistics=kind) for one in best for kind in kinds]
        best = search.ranked()[:SOME]
        yield "readouts", [changed(one, c=c) for one in best for c in CS]

    def _adapted(self, several: list[Candidate]) -> list[Candidate]:
        return [replace(one, adapt=text) for one in several for text in ADAPTATIONS] if self.transductive else []

    def _ensembles(self, ranked: list[Candidate]) -> list[Candidate]:
        """Return the best two, three ... averaged, and eGeMAPS with the best others."""
        acoustic = [one for one in ranked if str(one.settings[0].representation) == "egemaps"]
        others = [one for one in ranked if not one.settings[0].representation.egemaps]
        out = []
        for count in range(2, MOST + 1):
            out.append(Candidate(tuple(one.settings[0] for one in ranked[:count])))
            out.append(Candidate(tuple(one.settings[0] for one in [*acoustic, *others[: count - 1]])))
            out.append(Candidate(tuple(one.settings[0] for one in others[:count])))
        return [one for one in dict.fromkeys(out) if len(one.settings) > 1]
