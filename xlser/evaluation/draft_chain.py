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
            if name == "neighbours":
                made.parts.append({"step": "neighbours"})
                continue
            shift = {
                "mean": rows.mean(0),
                "var": rows.var(0),
                "home_mean": home.embeddings.mean(0),
                "home_std": home.embeddings.std(0),
            }
            speakers = away.speakers if name == "speaker-statistics" else None
            k = 10.0
            if speakers is not None:
                dependence = _dependence(home, rows, speakers)
                made.notes.append(f"dependence of predicted emotion on speaker {dependence:.2f}")
                if dependence > 0.2:
                    speakers = None
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
            if part["step"] == "neighbours":
                unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
                out, S = probabilities, _graph(unit)
                for _ in range(5):
                    out = 0.5 * (S @ out) + 0.5 * probabilities
                probabilities = out / out.sum(1, keepdims=True)
                self.arrays[f"{place}.unit"], self.arrays[f"{place}.said"] = unit, probabilities
            if part["step"] == "prior":
                w = np.ones(probabilities.shape[1])
                for _ in range(200):
                    q = probabilities * w
                    q /= q.sum(1, keepdims=True)
                    w /= np.sqrt(len(w) * q.mean(0))
                self.arrays[f"{place}.factors"] = w
                probabilities = probabilities * w
                probabilities = probabilities / probabilities.sum(1, keepdims=True)

    def posterior(self, rows: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        for place, part in enumerate(self.parts):
            if part["step"] == "neighbours":
                unit, said = self.arrays[f"{place}.unit"], self.arrays[f"{place}.said"]
                own = rows / np.linalg.norm(rows, axis=1, keepdims=True)
                sim = own @ unit.T
                nb = np.argsort(-sim, 1, kind="stable")[:, :10]
                best = np.take_along_axis(sim, nb, 1)
                w = np.exp(5 * best)
                q = 0.5 * (w[..., None] * said[nb]).sum(1) / w.sum(1, keepdims=True) + 0.5 * probabilities
                known = best[:, 0] > 1 - 1e-6
                probabilities = np.where(known[:, None], said[nb[:, 0]], q)
            if part["step"] == "prior":
                q = probabilities * self.arrays[f"{place}.factors"]
                probabilities = q / q.sum(1, keepdims=True)
        return probabilities

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {"parts": self.parts}, self.arrays

    @classmethod
    def from_state(cls, about: dict[str, Any], arrays: dict[str, np.ndarray]) -> Fitted:
        return cls(about["parts"], arrays)


def _graph(unit: np.ndarray, k: int = 10) -> np.ndarray:
    sim = unit @ unit.T
    np.fill_diagonal(sim, -1)
    k = min(k, len(unit) - 1)
    nb = np.argsort(-sim, 1, kind="stable")[:, :k]
    W = np.zeros_like(sim)
    np.put_along_axis(W, nb, np.exp(5 * np.take_along_axis(sim, nb, 1)), 1)
    W = (W + W.T) / 2
    d = 1 / np.sqrt(W.sum(1))
    return W * d[:, None] * d


def _dependence(home: Home, rows: np.ndarray, speakers: np.ndarray) -> float:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=0.01, class_weight="balanced", max_iter=2000).fit(home.embeddings, home.labels)
    z = np.clip((rows - rows.mean(0)) / (rows.std(0) + 1e-9), -5, 5)
    h = np.unique(model.predict(z), return_inverse=True)[1]
    s = np.unique(speakers.astype(str), return_inverse=True)[1]

    def m(h):
        t = np.zeros((s.max() + 1, h.max() + 1))
        np.add.at(t, (s, h), 1)
        t /= t.sum()
        a = t.sum(1, keepdims=True) * t.sum(0, keepdims=True)
        z = t > 0
        return (t[z] * np.log(t[z] / a[z])).sum()

    rng = np.random.default_rng(0)
    v, null = m(h), np.mean([m(rng.permutation(h)) for _ in range(20)])
    p = np.bincount(h) / len(h)
    return (v - null) / max(-(p * np.log(p)).sum(), 1e-9)
