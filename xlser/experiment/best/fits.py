"""Models of a search: fitted on sources, adapted to a corpus that is seen without labels, and remembered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from xlser.evaluation.draft_chain import Away, Fitted, Home, make_chain
from xlser.experiment.best.domains import Domain
from xlser.experiment.best.space import CORPUS, SPEAKER, Candidate, Setting
from xlser.features.normalise import Scaler
from xlser.systems.combined import CLIP, Combined, Linear, Member, average

CHAINS = {CORPUS: "corpus-statistics", SPEAKER: "speaker-statistics:shrink=10"}


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be done: learn from ``sources``, and read ``away``, which has no labels."""

    sources: tuple[Domain, ...]
    away: Domain
    classes: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass
class Fits:
    """Fits models for tasks, and remembers each: a search comes back to the same ones again and again."""

    _linear: dict[tuple, Linear] = field(default_factory=dict)
    _said: dict[tuple, np.ndarray] = field(default_factory=dict)

    def probabilities(self, task: Task, candidate: Candidate) -> np.ndarray:
        """Return what a candidate says of the recordings of ``task.away``, (M, C), transductive where it looks at them.

        It is what `combined` gives for the same rows.
        """
        several = [self._setting(task, setting) for setting in candidate.settings]
        weights = candidate.weights or (1.0,) * len(several)
        mean = average(several, weights)
        return self._finished(task, candidate, mean)[1] if candidate.adapt else mean

    def combined(self, task: Task, candidate: Candidate) -> Combined:
        """Return the model itself, with what it was fitted to."""
        members = []
        weights = candidate.weights or (1.0,) * len(candidate.settings)
        for setting, weight in zip(candidate.settings, weights, strict=True):
            several = self._members(task, setting)
            shares = [member.weight for member in several]
            members += [
                Member(**vars(member) | {"weight": weight * share / sum(shares)})
                for member, share in zip(several, shares, strict=True)
            ]
        mean = average([self._setting(task, setting) for setting in candidate.settings], weights)
        final = self._finished(task, candidate, mean)[0]
        return Combined(task.classes, task.columns, tuple(members), final)

    def _finished(self, task: Task, candidate: Candidate, mean: np.ndarray) -> tuple[Fitted, np.ndarray]:
        """Return the steps on averaged probabilities, fitted, and what they give."""
        setting = candidate.settings[0]
        home, codes = home_rows(task.sources, setting, task)
        member = self._members(task, setting)[0]
        rows = member.embeddings(_columns(task.away, setting, task), task.away.speakers)
        fitted = make_chain(candidate.adapt).fit(_ashome_rows(home, codes, task), Away(rows, task.away.speakers))
        fitted.fit_posterior(rows, mean)
        return fitted, fitted.posterior(rows, mean)

    def _setting(self, task: Task, setting: Setting) -> np.ndarray:
        key = (*_key(task.sources), *_key([task.away]), task.classes, setting)
        if key not in self._said:
            rows = _columns(task.away, setting, task)
            members = self._members(task, setting)
            several = [member.probabilities(rows, task.away.speakers) for member in members]
            self._said[key] = average(several, [member.weight for member in members])
        return self._said[key]

    def _members(self, task: Task, setting: Setting) -> list[Member]:
        groups = [(domain,) for domain in task.sources] if setting.each else [task.sources]
        return [self._member(task, setting, group) for group in groups]

    def _member(self, task: Task, setting: Setting, sources: tuple[Domain, ...]) -> Member:
        home, codes = home_rows(sources, setting, task)
        scaler = Scaler.fit(np.concatenate([_columns(domain, setting, task) for domain in sources]))
        key = (*_key(sources), task.classes, setting.representation, setting.statistics, setting.c)
        if key not in self._linear:
            self._linear[key] = fit_linear(home, codes, len(task.classes), _weights(sources, task.classes), setting.c)
        linear, away = self._linear[key], _columns(task.away, setting, task)
        text = "|".join(part for part in (CHAINS.get(setting.statistics, ""), setting.adapt) if part)
        scaled = scaler.apply(away)
        fitted = make_chain(text).fit(_ashome_rows(home, codes, task), Away(scaled, task.away.speakers))
        member = Member(setting.representation, tuple(d.name for d in sources), scaler, linear, fitted)
        rows = member.embeddings(away, task.away.speakers)
        fitted.fit_posterior(rows, linear.probabilities(rows))
        return member


def fit_linear(rows: np.ndarray, codes: np.ndarray, classes: int, weights: np.ndarray, c: float) -> Linear:
    """Fit a logistic regression whose classes weigh alike.

    Args:
        rows: (N, D) z-scores.
        codes: (N,) numbers of the classes.
        classes: how many there are; one that no row has gets next to no probability.
        weights: (N,) of the rows, before classes are balanced.
        c: inverse strength of the penalty, for weights of 1 in the mean.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    mass = np.bincount(codes, weights, minlength=classes)
    balanced = weights / mass[codes]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=c, max_iter=2000).fit(
            rows, codes, sample_weight=balanced * len(rows) / balanced.sum()
        )
    coefficients, intercepts = np.zeros((classes, rows.shape[1])), np.full(classes, -30.0)
    there = model.classes_
    if len(there) == 2:  # one row of log-odds stands for both
        coefficients[there], intercepts[there] = (
            np.vstack([-model.coef_, model.coef_]) / 2,
            np.r_[-model.intercept_, model.intercept_] / 2,
        )
    else:
        coefficients[there], intercepts[there] = model.coef_, model.intercept_
    return Linear(coefficients, intercepts)


def speaker_scores(values: np.ndarray, speakers: np.ndarray, shrink: float = 10.0) -> np.ndarray:
    """Return z-scores (N, D) by each speaker's statistics, which are drawn towards those of all (see `SpeakerStatistics`)."""
    mean, variance, out = values.mean(0), values.var(0), np.empty(values.shape)
    for name in np.unique(speakers.astype(str)):
        rows = speakers.astype(str) == name
        weight = rows.sum() / (rows.sum() + shrink)
        own = values[rows]
        spread = np.sqrt(weight * own.var(0) + (1 - weight) * variance)
        out[rows] = (own - weight * own.mean(0) - (1 - weight) * mean) / np.where(spread > 1e-9, spread, 1.0)
    return out


def home_rows(sources: Sequence[Domain], setting: Setting, task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Return the z-scored rows (N, D) of the sources that are learnt from, and the numbers of their classes (N,)."""
    rows, codes = [], []
    for domain in sources:
        values = _columns(domain, setting, task).astype(float)
        if setting.statistics == SPEAKER and domain.speakers is not None:
            scores = speaker_scores(values, domain.speakers)
        else:
            scores = Scaler.fit(values).apply(values)
        learnt = domain.labelled(task.classes)
        rows.append(np.clip(scores, -CLIP, CLIP)[learnt])
        codes.append(np.array([task.classes.index(label) for label in domain.labels[learnt]], dtype=int))
    return np.concatenate(rows), np.concatenate(codes)


def _ashome_rows(rows: np.ndarray, codes: np.ndarray, task: Task) -> Home:
    return Home(rows, np.array(task.classes)[codes], task.classes)


def _weights(sources: Sequence[Domain], classes: tuple[str, ...]) -> np.ndarray:
    """Return weights by which every source counts as much as another, (N,), 1 in the mean."""
    counts = [int(domain.labelled(classes).sum()) for domain in sources]
    weights = np.concatenate([np.full(count, 1 / count) for count in counts if count])
    return np.asarray(weights * len(weights) / weights.sum())


def _columns(domain: Domain, setting: Setting, task: Task) -> np.ndarray:
    return domain.values[:, setting.representation.columns(task.columns)]


def _key(domains: Sequence[Domain]) -> list[tuple[str, int, bool]]:
    return [(domain.name, len(domain.values), domain.speakers is not None) for domain in domains]
