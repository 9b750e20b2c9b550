"""The numbers of a sweep over hidden states: a row a state, corpus, protocol and metric, and what is chosen by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xlser.evaluation.bootstrap import SpeakerBootstrap, interval
from xlser.evaluation.layers import (
    DECODED,
    LEFT_OUT,
    MEAN,
    LayerScore,
    LayerSweep,
    State,
    choose_state,
    mean_samples,
    regret_of,
)
from xlser.evaluation.transfer import pearson_samples, ua_samples
from xlser.experiment.cases import Case
from xlser.experiment.states import Home, Reading, Said, Views
from xlser.features.normalise import PROTOCOL
from xlser.training.recipe import Recipe
from xlser.vocabulary import TARGET, VALIDATION, ZERO_SHOT

_Key = tuple[str, str]  # corpus, protocol


class Scorer:
    """Scores states one by one, and then chooses; `SpeakerBootstrap` draws are the same for every state."""

    def __init__(self, recipe: Recipe) -> None:
        """Take draws and level from the recipe."""
        self._level, self._draws = recipe.evaluation.level, recipe.evaluation.draws
        self._bootstraps: dict[str, SpeakerBootstrap] = {}
        self._scores: list[LayerScore] = []
        self._samples: dict[State, dict[_Key, np.ndarray]] = {}
        self._speakers: dict[_Key, float] = {}

    def score(self, state: State, home: Home, others: Sequence[Home], reading: Reading) -> None:
        """Score what was read of a state in every case of its source, on sources that were left out, and by probes."""
        self._samples[state] = {}
        for case, said in zip(home.cases, reading.said, strict=True):
            self._add(state, case, said, case.role)
        for other, said in zip(others, reading.left_out, strict=True):
            self._add(state, other.cases[0], said, LEFT_OUT)
        self._average(state)
        for question, corpus, row in reading.decoded:
            numbers = {name: row[name] for name in ("value", "low", "high", "chance", "speakers", "why")}
            about: dict[str, Any] = {"corpus": corpus, "role": DECODED, "protocol": "", "metric": question}
            self._scores.append(LayerScore(state, **about, **numbers, utterances=row["rows"]))

    def sweep(self, about: dict[str, Any]) -> LayerSweep:
        """Choose by the source alone, and set the best in hindsight beside it."""
        states = [state for state in self._samples if state.layer is not None]
        chosen = choose_state({state: self._on_source(state) for state in states})
        by_target = {
            corpus: {state: self._samples[state][corpus, protocol] for state in states}
            for corpus, protocol in self._samples[chosen]
            if protocol == ZERO_SHOT
        }
        best = {
            corpus: regret_of(samples, chosen, self._level, self._speakers[corpus, ZERO_SHOT])
            for corpus, samples in by_target.items()
        }
        oracles = {corpus: state for corpus, (state, _) in best.items() if state and corpus != MEAN}
        oracle, regret = best.get(MEAN, (None, None))
        return LayerSweep(about, chosen, oracle, oracles, regret, tuple(self._scores))

    def _on_source(self, state: State) -> float:
        """Return the mean UA on left-out sources, or of a single source that on its validation speakers."""
        mine = [score for score in self._scores if score.state == state and score.metric == "UA"]
        left = [score.value for score in mine if score.role == LEFT_OUT]
        return float(np.mean(left or [score.value for score in mine if score.role == VALIDATION]))

    def _add(self, state: State, case: Case, said: Said, role: str) -> None:
        corpus, protocol = case.corpus, PROTOCOL[case.kind]
        draws = self._bootstrap(case)
        if said.emotions:
            spoken = np.isin(corpus.labels.astype(str), said.classes)
            samples = ua_samples(said.emotions, corpus.labels, said.classes, draws)
            rows = spoken & _any(said.emotions)
            there = len(set(corpus.labels[rows]))
            self._row(state, case, samples, rows, role=role, metric="UA", chance=1 / max(there, 1))
            if role == TARGET:
                self._samples[state][corpus.name, protocol] = samples
                self._speakers[corpus.name, protocol] = draws.effective(spoken)
        for dimension, views in said.ratings.items():
            truth = corpus.ratings[dimension]
            samples = pearson_samples(views, truth, draws)
            rows = np.isfinite(truth) & _any(views)
            self._row(state, case, samples, rows, role=role, metric=f"r {dimension}", chance=0.0)

    def _row(
        self, state: State, case: Case, samples: np.ndarray, rows: np.ndarray, *, role: str, metric: str, chance: float
    ) -> None:
        low, high = interval(samples, self._level, self._bootstrap(case).effective(rows))
        people = case.corpus.frame["speaker"][rows].nunique()
        name, protocol = case.corpus.name, PROTOCOL[case.kind]
        about: dict[str, Any] = {"corpus": name, "role": role, "protocol": protocol, "metric": metric}
        about |= {"utterances": int(rows.sum()), "speakers": int(people)}
        self._scores.append(LayerScore(state, **about, value=float(samples[0]), low=low, high=high, chance=chance))

    def _average(self, state: State) -> None:
        """Add the mean over the targets that have emotions, for each protocol."""
        own = self._samples[state]
        for protocol in dict.fromkeys(protocol for _, protocol in own):
            names = [name for name, kind in own if kind == protocol]
            rows = [score for score in self._scores if score.state == state and score.role == TARGET]
            rows = [score for score in rows if (score.metric, score.protocol) == ("UA", protocol)]
            samples = mean_samples([own[name, protocol] for name in names])
            fewest = min(self._speakers[name, protocol] for name in names)
            low, high = interval(samples, self._level, fewest)
            size = {key: sum(getattr(score, key) for score in rows) for key in ("utterances", "speakers")}
            chance = float(np.mean([score.chance for score in rows]))
            about: dict[str, Any] = {"corpus": MEAN, "role": TARGET, "protocol": protocol, "metric": "UA"}
            value = float(samples[0])
            self._scores.append(LayerScore(state, **about, value=value, low=low, high=high, chance=chance, **size))
            own[MEAN, protocol], self._speakers[MEAN, protocol] = samples, fewest

    def _bootstrap(self, case: Case) -> SpeakerBootstrap:
        corpus = case.corpus
        if corpus.name not in self._bootstraps:
            self._bootstraps[corpus.name] = SpeakerBootstrap(corpus.frame["speaker"], self._draws, seed=0)
        return self._bootstraps[corpus.name]


def _any(views: Views) -> np.ndarray:
    return np.logical_or.reduce([rows for rows, _ in views])
