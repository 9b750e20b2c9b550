"""Which hidden state of an encoder, pooled how: what was scored of each, the choice between them, and its regret."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from xlser.evaluation.bootstrap import interval
from xlser.evaluation.choice import choose_among
from xlser.fileformats import VERSIONS
from xlser.vocabulary import FEATURES, PROBE, TARGET, VALIDATION, ZERO_SHOT

# What rows are of besides a source's validation speakers and a target.
LEFT_OUT, DECODED = "left-out source", "decodability"
MEAN = "mean of the targets"


class State(NamedTuple):
    """A hidden state (0 enters the first layer) and its ``pooling``; of other features ``layer`` is None.

    >>> str(State(2, "mean+std")), str(State(None, "egemaps"))
    ('hidden state 2, mean+std', 'egemaps')
    """

    layer: int | None
    pooling: str

    def __str__(self) -> str:
        """Return it in words."""
        return self.pooling if self.layer is None else f"hidden state {self.layer}, {self.pooling}"


@dataclass(frozen=True)
class LayerScore:
    """One number of a sweep.

    Attributes:
        state: what was read.
        corpus: on which clips: a source, a target, `MEAN`, or all of them together.
        role: `VALIDATION`, `LEFT_OUT`, `TARGET` or `DECODED`.
        protocol: ``zero-shot`` or ``transductive``; empty where it is a question of `DECODED`.
        metric: ``UA``, ``r activation``, ``r valence``; of `DECODED` what is read: ``corpus``, ``language``,
            ``speaker``, each by its UA.
        value: nan where it is not defined, and ``why`` then.
        low, high: its interval, from resampling speakers; nan where there is none.
        chance: what guessing gets.
        utterances, speakers: how many it is of.
    """

    state: State
    corpus: str
    role: str
    protocol: str
    metric: str
    value: float
    low: float
    high: float
    chance: float
    utterances: int
    speakers: int
    why: str = ""


class Regret(NamedTuple):
    """How much UA, in [0, 1], the choice gives away to the best in hindsight, mean of the targets; with its interval.

    The interval is of these two states. That the best was picked for being best is not in it, and favours the oracle.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class LayerSweep:
    """What a sweep over hidden states and poolings gave.

    Attributes:
        about: weights, corpora, emotions, seeds, versions and more, JSON-able.
        chosen: best on the source's validation speakers, of several sources on those left out: no target took part.
        oracle: best in hindsight, by the mean zero-shot UA of the targets; None without a scored target.
        oracles: the same for each target alone.
        regret: of the choice; None without a scored target.
        scores: every number, in the order of the states.
    """

    about: Mapping[str, Any]
    chosen: State
    oracle: State | None
    oracles: Mapping[str, State]
    regret: Regret | None
    scores: tuple[LayerScore, ...] = field(repr=False)

    @property
    def states(self) -> tuple[State, ...]:
        """What was swept, each once; the features for reference are not among these."""
        return tuple(dict.fromkeys(score.state for score in self.scores if score.state.layer is not None))

    def get(
        self, state: State, metric: str = "UA", corpus: str = MEAN, role: str = TARGET, protocol: str = ZERO_SHOT
    ) -> LayerScore | None:
        """Return one number with all that says what it is of; None where it was not asked, or could not be."""
        wanted = (state, metric, corpus, role, "" if role == DECODED else protocol)
        found = (s for s in self.scores if (s.state, s.metric, s.corpus, s.role, s.protocol) == wanted)
        return next(found, None)

    def to_frame(self) -> pd.DataFrame:
        """Return a row a number: ``layer``, ``pooling`` and the attributes of `LayerScore`; ``chosen``, ``oracle``."""
        rows = [
            {"layer": score.state.layer, "pooling": score.state.pooling}
            | {name: value for name, value in vars(score).items() if name != "state"}
            | {"chosen": score.state == self.chosen, "oracle": score.state == self.oracle}
            for score in self.scores
        ]
        return pd.DataFrame(rows).astype({"layer": "Int64"})

    def to_dict(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        return {
            "schema": VERSIONS["layers"],
            "about": dict(self.about),
            "chosen": self.chosen._asdict(),
            "oracle": self.oracle and self.oracle._asdict(),
            "oracles": {name: state._asdict() for name, state in self.oracles.items()},
            "regret": self.regret and self.regret._asdict(),
            "scores": [asdict(score) | {"state": score.state._asdict()} for score in self.scores],
        }


def choose_state(validation: Mapping[State, float]) -> State:
    """Return the state with the best UA on the source, as runs and benches choose; of equals the first.

    Raises:
        ValueError: no state.

    >>> choose_state({State(0, "mean"): 0.5, State(1, "mean"): 0.7, State(2, "mean"): 0.7})
    State(layer=1, pooling='mean')
    """
    row = {"role": VALIDATION, "metric": "UA", "method": FEATURES, "classifier": PROBE}
    best = choose_among({state: [row | {"value": value}] for state, value in validation.items()})
    if best is None:
        raise ValueError("`validation` must hold at least one state, but is empty instead.")
    return best[0]


def mean_samples(by_target: Iterable[np.ndarray]) -> np.ndarray:
    """Return the mean over targets, (draws + 1,), of their samples (draws + 1,); nan where one of them is.

    Two bootstraps of one seed and as many speakers draw alike, and speakers of different targets must not be paired:
    each target's draws are put in an order of its own, the same for every state.

    >>> mean_samples([np.array([0.5, 0.4]), np.array([0.7, 0.8])]).round(2).tolist()
    [0.6, 0.6]
    """
    mixed = []
    for number, samples in enumerate(by_target):
        order = np.random.default_rng(number).permutation(len(samples) - 1) + 1
        mixed.append(samples[np.concatenate([[0], order])])
    return np.mean(mixed, axis=0)


def regret_of(
    samples: Mapping[State, np.ndarray], chosen: State, level: float, speakers: float
) -> tuple[State, Regret] | tuple[None, None]:
    """Return the best state in hindsight and what the choice gives away to it, on the same draws.

    Args:
        samples: UA (draws + 1,) of each state, from one `SpeakerBootstrap`, or from several by `mean_samples`.
        chosen: one of them.
        level: of the interval.
        speakers: `SpeakerBootstrap.effective`.

    Returns:
        None twice without a state. Of equals the chosen one is the best, and then the first.

    >>> regret_of({State(0, "mean"): np.array([0.5, 0.5]), State(1, "mean"): np.array([0.6, 0.7])}, State(0, "mean"),
    ...           0.95, 9)[1].value.__round__(2)
    0.1
    """
    known = {state: values for state, values in samples.items() if np.isfinite(values[0])}
    if chosen not in known:
        return None, None
    best = max([chosen, *known], key=lambda state: known[state][0])
    difference = known[best] - known[chosen]
    return best, Regret(float(difference[0]), *interval(difference, level, speakers))
