"""Stand-in for the chain of adaptations: corpus statistics, shrunk speaker statistics, a stated prior."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Home:
    embeddings: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    corpora: np.ndarray | None = None


@dataclass(frozen=True)
class Away:
    embeddings: np.ndarray
    speakers: np.ndarray | None = None


def make_chain(text: str) -> Chain:
    return Chain(tuple(part for part in text.split("|") if part))


@dataclass(frozen=True)
class Chain:
    steps: tuple[str, ...]

    def fit(self, home: Home, away: Away) -> Fitted:
        made, rows = Fitted([], {}), away.embeddings
        for step in self.steps:
            name, _, option = step.partition(":")
            if name == "prior=uniform":
                made.parts.append({"step": "prior"})
                continue
            shift = {
                "mean": rows.mean(0),
                "var": rows.var(0),
                "home_mean": home.embeddings.mean(0),
                "home_std": home.embeddings.std(0),
            }
            speakers = away.speakers if name == "speaker-statistics" else None
            k = float(option.partition("=")[2] or 10)
            names = [] if speakers is None else sorted(set(speakers.astype(str)))
            mus, vs = [], []
            for who in names:
                own = rows[speakers.astype(str) == who]
                w = len(own) / (len(own) + k)
                mus.append(w * own.mean(0) + (1 - w) * shift["mean"])
                vs.append(w * own.var(0) + (1 - w) * shift["var"])
            shift |= {"mus": np.array(mus), "vs": np.array(vs)}
            place = len(made.parts)
            made.parts.append({"step": "statistics", "speakers": names})
            made.arrays |= {f"{place}.{key}": value for key, value in shift.items() if len(value)}
            rows = made.embeddings(rows, speakers)
        return made


@dataclass
class Fitted:
    parts: list[dict[str, Any]]
    arrays: dict[str, np.ndarray]
    refits: bool = False
    weights: np.ndarray | None = None
    notes: list[str] = field(default_factory=list)

    def embeddings(self, rows: np.ndarray, speakers: np.ndarray | None = None) -> np.ndarray:
        for place, part in enumerate(self.parts):
            if part["step"] != "statistics":
                continue
            get = lambda name: self.arrays[f"{place}.{name}"]
            mean, var = np.tile(get("mean"), (len(rows), 1)), np.tile(get("var"), (len(rows), 1))
            for number, who in enumerate(part["speakers"]):
                own = np.zeros(len(rows), bool) if speakers is None else np.asarray(speakers).astype(str) == who
                mean[own], var[own] = get("mus")[number], get("vs")[number]
            rows = (rows - mean) / np.sqrt(var + 1e-12) * get("home_std") + get("home_mean")
        return rows

    def fit_posterior(self, rows: np.ndarray, probabilities: np.ndarray) -> None:
        for place, part in enumerate(self.parts):
            if part["step"] == "prior":
                w = np.ones(probabilities.shape[1])
                for _ in range(200):
                    q = probabilities * w
                    q /= q.sum(1, keepdims=True)
                    w /= np.sqrt(len(w) * q.mean(0))
                self.arrays[f"{place}.factors"] = w

    def posterior(self, rows: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        for place, part in enumerate(self.parts):
            if part["step"] == "prior":
                q = probabilities * self.arrays[f"{place}.factors"]
                probabilities = q / q.sum(1, keepdims=True)
        return probabilities

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {"parts": self.parts}, self.arrays

    @classmethod
    def from_state(cls, about: dict[str, Any], arrays: dict[str, np.ndarray]) -> Fitted:
        return cls(about["parts"], arrays)
