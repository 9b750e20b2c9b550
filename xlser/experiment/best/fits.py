"""Models of a search: fitted on sources, adapted to a corpus that is seen without labels, and remembered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from xlser.evaluation.adaptations import make_adaptation
from xlser.evaluation.adapting import Away, Chain, Fitted, Home
from xlser.evaluation.priors import Prior
from xlser.evaluation.shrunk import known_names, shrunk_moments
from xlser.evaluation.smoothing import Neighbours
from xlser.experiment.best.domains import Domain
from xlser.experiment.best.space import CORPUS, SOURCE, SPEAKER, Candidate, Setting
from xlser.features.normalise import Scaler
from xlser.features.representation import Representation
from xlser.systems.combined import CLIP, Combined, Linear, Member, average, side_by_side

# Steps that look at nothing of the source.
ALONE = (Prior, Neighbours)
# Voices that nobody names are guessed; whether statistics by speaker, or by voice, help is decided without labels.
VOICES, RULE = "pseudo-speakers", "speaker-or-corpus"
# Clips by which a speaker's statistics are drawn to the corpus's.
SHRINK = 10.0
CHAINS = {CORPUS: f"corpus:clip={CLIP:g}", SPEAKER: f"speaker-statistics:shrink={SHRINK:g}:clip={CLIP:g}"}


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
    _made: dict[tuple, list[Member]] = field(default_factory=dict)
    _said: dict[tuple, np.ndarray] = field(default_factory=dict)
    _rules: dict[tuple, tuple[bool, tuple[str, ...]]] = field(default_factory=dict)

    def probabilities(self, task: Task, candidate: Candidate) -> np.ndarray:
        """Return what a candidate says of the recordings of ``task.away``, (M, C), transductive where it looks at them.

        It is what `combined` gives for the same rows.
        """
        mean = average([self._setting(task, setting) for setting in candidate.settings], candidate.shares)
        return self._finished(task, candidate, mean)[1] if candidate.adapt else mean

    def combined(self, task: Task, candidate: Candidate) -> Combined:
        """Return the model itself, with what it was fitted to."""
        members = []
        for setting, share in zip(candidate.settings, candidate.shares, strict=True):
            several = self._members(task, setting)
            total = sum(member.weight for member in several)
            members += [replace(member, weight=share * member.weight / total) for member in several]
        mean = average([self._setting(task, setting) for setting in candidate.settings], candidate.shares)
        return Combined(task.classes, task.columns, tuple(members), self._finished(task, candidate, mean)[0])

    def forget(self) -> None:
        """Keep the fitted readouts alone, which take little room."""
        for kept in (self._made, self._said, self._rules):
            kept.clear()

    def notes(self, task: Task, candidate: Candidate) -> list[str]:
        """Return what the adaptations of a candidate decided and why, a sentence each."""
        mean = average([self._setting(task, setting) for setting in candidate.settings], candidate.shares)
        notes = list(self._finished(task, candidate, mean)[0].notes)
        if any(setting.statistics == SPEAKER for setting in candidate.settings):
            notes = [*self.rule(task)[1], *notes]
        return list(dict.fromkeys(notes))

    def _finished(self, task: Task, candidate: Candidate, mean: np.ndarray) -> tuple[Fitted, np.ndarray]:
        """Return the steps on averaged probabilities, fitted, and what they give."""
        chain, pairs = make_chain(candidate.adapt), []
        for setting in candidate.settings:
            pairs += [(setting, member) for member in self._members(task, setting)]
        speakers = task.away.speakers
        rows = side_by_side([member.embeddings(_columns(task.away, own, task), speakers) for own, member in pairs])
        if all(isinstance(step, ALONE) for step in chain.steps):
            home = Home(rows[:0], np.empty(0, dtype=object), task.classes)
        else:
            homes = [home_rows(task.sources, own, task) for own, _ in pairs]
            home = _as_home(side_by_side([learnt for learnt, _ in homes]), homes[0][1], task, task.sources)
        fitted = chain.fit(home, Away(rows, speakers)).fit_posterior(rows, mean)
        return fitted, fitted.posterior(rows, mean)

    def _setting(self, task: Task, setting: Setting) -> np.ndarray:
        key = (*_key_of(task), setting)
        if key not in self._said:
            rows, members = _columns(task.away, setting, task), self._members(task, setting)
            several = [member.probabilities(rows, task.away.speakers) for member in members]
            self._said[key] = average(several, [member.weight for member in members])
        return self._said[key]

    def _members(self, task: Task, setting: Setting) -> list[Member]:
        key = (*_key_of(task), setting)
        if key not in self._made:
            groups = [(domain,) for domain in task.sources] if setting.each else [task.sources]
            self._made[key] = [self._member(task, setting, group) for group in groups]
        return self._made[key]

    def _member(self, task: Task, setting: Setting, sources: tuple[Domain, ...]) -> Member:
        home, codes = home_rows(sources, setting, task)
        scaler = _scaler(sources, setting, task)
        key = (*_key(sources), task.classes, setting.representation, setting.statistics, setting.c)
        if key not in self._linear:
            self._linear[key] = fit_linear(home, codes, task.classes, _weights(sources, task.classes), setting.c)
        linear, away = self._linear[key], _columns(task.away, setting, task)
        text = "|".join(part for part in (self._statistics(task, setting), setting.adapt) if part)
        learnt = _as_home(home, codes, task, sources)
        fitted = make_chain(text).fit(learnt, Away(scaler.apply(away), task.away.speakers))
        member = Member(setting.representation, tuple(d.name for d in sources), scaler, linear, fitted)
        rows = member.embeddings(away, task.away.speakers)
        fitted.fit_posterior(rows, linear.probabilities(rows))
        return member

    def _statistics(self, task: Task, setting: Setting) -> str:
        """Return the step that takes the target's statistics; of speakers only where the rule has them."""
        if setting.statistics != SPEAKER:
            return CHAINS.get(setting.statistics, "")
        if not self.rule(task)[0]:
            return CHAINS[CORPUS]
        return CHAINS[SPEAKER] if task.away.speakers is not None else f"{VOICES}|{CHAINS[SPEAKER]}"

    def rule(self, task: Task) -> tuple[bool, tuple[str, ...]]:
        """Return whether speaker statistics help a target, and why: asked once, of eGeMAPS, for all representations."""
        key = _key_of(task)
        if key not in self._rules:
            setting = Setting(Representation(True), CORPUS)
            scaler, parts = _scaler(task.sources, setting, task), []
            for domain in task.sources:
                parts.append(scaler.apply(_columns(domain, setting, task))[domain.labelled(task.classes)])
            home = _as_home(np.concatenate(parts), home_rows(task.sources, setting, task)[1], task, task.sources)
            rows = scaler.apply(_columns(task.away, setting, task))
            fitted = make_chain(f"{VOICES}|{RULE}").fit(home, Away(rows, task.away.speakers))
            decided: Any = list(fitted.steps)[-1]
            self._rules[key] = bool(decided.names), tuple(fitted.notes)
        return self._rules[key]


def fit_linear(rows: np.ndarray, codes: np.ndarray, classes: tuple[str, ...], weights: np.ndarray, c: float) -> Linear:
    """Fit a logistic regression whose classes weigh alike.

    Args:
        rows: (N, D) z-scores.
        codes: (N,) numbers of the classes.
        classes: C of them; one that no row has gets next to no probability.
        weights: (N,) of the rows, before classes are balanced.
        c: inverse strength of the penalty, for weights of 1 in the mean.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    mass = np.bincount(codes, weights, minlength=len(classes))
    balanced = weights / mass[codes]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=c, max_iter=2000).fit(
            rows, codes, sample_weight=balanced * len(rows) / balanced.sum()
        )
    coefficients, intercepts = np.zeros((len(classes), rows.shape[1])), np.full(len(classes), -30.0)
    there = model.classes_
    if len(there) == 2:  # one row of log-odds stands for both
        coefficients[there], intercepts[there] = (
            np.vstack([-model.coef_, model.coef_]) / 2,
            np.r_[-model.intercept_, model.intercept_] / 2,
        )
    else:
        coefficients[there], intercepts[there] = model.coef_, model.intercept_
    return Linear(classes, coefficients, intercepts)


def home_rows(sources: Sequence[Domain], setting: Setting, task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Return the z-scored rows (N, D) of the sources that are learnt from, and the numbers of their classes (N,).

    Sources are z-scored as the target is: all by the statistics of all, each by its own, or each of its speakers by
    his, which are drawn to the corpus's.
    """
    rows, codes, together = [], [], _scaler(sources, setting, task)
    for domain in sources:
        values, learnt = _columns(domain, setting, task), domain.labelled(task.classes)
        if setting.statistics == SOURCE:
            scores = together.apply(values)
        else:
            speakers = domain.speakers if setting.statistics == SPEAKER else None
            names, middles, spreads = shrunk_moments(values, speakers, SHRINK)
            place = {name: number for number, name in enumerate(names)}
            who = [place.get(name, len(names)) for name in known_names(speakers, len(values))]
            scores = (values - middles[who]) / spreads[who]
        rows.append(np.clip(scores, -CLIP, CLIP)[learnt])
        codes.append(np.array([task.classes.index(label) for label in domain.labels[learnt]], dtype=int))
    return np.concatenate(rows), np.concatenate(codes)


def _scaler(sources: Sequence[Domain], setting: Setting, task: Task) -> Scaler:
    """Return mean and deviation over all sources, each of which counts as much as another."""
    own = [Scaler.fit(_columns(domain, setting, task)) for domain in sources]
    mean = np.mean([one.mean for one in own], axis=0)
    variance = np.mean([one.std**2 + (one.mean - mean) ** 2 for one in own], axis=0)
    return Scaler(mean, np.sqrt(variance))


def make_chain(text: str) -> Chain:
    """Return the chain that a text spells; of none the one that changes nothing."""
    return Chain([make_adaptation(text)] if text else [])


def _as_home(rows: np.ndarray, codes: np.ndarray, task: Task, sources: Sequence[Domain]) -> Home:
    """Return what adaptations see of the sources: speakers are "" where they are not known."""
    corpora, speakers = [], []
    for domain in sources:
        learnt = domain.labelled(task.classes)
        corpora += [domain.name] * int(learnt.sum())
        speakers += [""] * int(learnt.sum()) if domain.speakers is None else list(domain.speakers[learnt])
    names = np.array(task.classes)[codes]
    return Home(rows, names, task.classes, np.array(corpora), np.array(speakers, dtype=object))


def _weights(sources: Sequence[Domain], classes: tuple[str, ...]) -> np.ndarray:
    """Return weights by which every source counts as much as another, (N,), 1 in the mean."""
    counts = [int(domain.labelled(classes).sum()) for domain in sources]
    weights = np.concatenate([np.full(count, 1 / count) for count in counts if count])
    return np.asarray(weights * len(weights) / weights.sum())


def _columns(domain: Domain, setting: Setting, task: Task) -> np.ndarray:
    return domain.values[:, setting.representation.columns(task.columns)]


def _key_of(task: Task) -> tuple:
    return (*_key(task.sources), *_key([task.away]), task.classes)


def _key(domains: Sequence[Domain]) -> list[tuple[str, int, bool]]:
    return [(domain.name, len(domain.values), domain.speakers is not None) for domain in domains]
