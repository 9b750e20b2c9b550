"""In which order candidates are tried: a good model exists early, and each stage builds on what the last one took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlser.experiment.best.space import BASELINE, CORPUS, SOURCE, SPEAKER, Candidate, Setting, representations, single
from xlser.features.representation import Representation

if TYPE_CHECKING:
    from xlser.experiment.best.search import Search

CS = (0.001, 0.01, 0.1)
ADAPTATIONS = ("", "prior=uniform")


@dataclass(frozen=True)
class Stages:
    """Representation first, then statistics, readout and adaptation."""

    layers: Sequence[int]
    transductive: bool

    def run(self, search: Search) -> Iterator[tuple[str, list[Candidate]]]:
        """Yield a stage's name and its candidates; the next one looks at what was scored."""
        statistics = (SOURCE, CORPUS, SPEAKER) if self.transductive else (SOURCE,)
        first = CORPUS if self.transductive else SOURCE
        yield "baseline", [BASELINE]
        yield "representations", [Candidate((Setting(one, first),)) for one in representations(self.layers)]
        best = search.best().settings[0]
        yield "statistics", [single(best, statistics=kind) for kind in statistics]
        best = search.best().settings[0]
        yield "readouts", [single(best, c=c) for c in CS]
        if self.transductive:
            best = search.best().settings[0]
            yield "adaptations", [single(best, adapt=text) for text in ADAPTATIONS]
