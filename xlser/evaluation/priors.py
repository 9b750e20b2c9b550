"""Corrections of probabilities for how frequent the classes are in the target: estimated, stated, or by the errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from xlser.errors import RecipeError, did_you_mean
from xlser.evaluation.adapt import prior_correction
from xlser.evaluation.adapting import Adaptation, Away, Fitted, Home, check_labels, unset
from xlser.evaluation.knn import checked_probabilities, renormalised
from xlser.evaluation.linear import fit_linear

UNIFORM = "uniform"
# Of the stated prior: the largest steps that are taken, and the move of a logarithm that counts as none.
_STEPS, _SETTLED = 2000, 1e-10
# A mean below this is as good as none: a class that no recording is given cannot be raised to its share.
_TINY = 1e-12


@dataclass(frozen=True)
class Prior(Adaptation):
    """Probabilities are corrected for how frequent the classes are in the target.

    Without a value that is estimated (EM of Saerens et al. 2002, see `prior_correction`), which does harm where the
    probabilities are badly calibrated. With one it is stated, and not estimated: a factor w_c a class is found such
    that the mean of the corrected probabilities over the target is that prior (see `stated_prior`).

    Args:
        stated: ``"uniform"``; shares by class such as ``{"anger": 0.4, "neutral": 0.6}``, a class that is not among
            them having none; or None: estimated. Written ``prior=uniform`` and ``prior:anger=0.4:neutral=0.6``.

    Raises:
        RecipeError: shares that are below 0 or do not sum to 1, or another text.

    >>> Prior({"anger": 0.25, "neutral": 0.75}).stated
    (('anger', 0.25), ('neutral', 0.75))
    """

    name: ClassVar[str] = "prior"
    on_probabilities: ClassVar[bool] = True
    stated: str | Mapping[str, float] | tuple[tuple[str, float], ...] | None = None

    def __post_init__(self) -> None:
        """Check what is stated, and keep shares as pairs."""
        if self.stated is None or self.stated == UNIFORM:
            return
        object.__setattr__(self, "stated", _pairs(self.stated))

    @property
    def looks_at(self) -> tuple[str, ...]:  # type: ignore[override]
        """The recordings, and the prior where it is stated."""
        return ("recordings",) if self.stated is None else ("recordings", "prior")

    @property
    def assumes(self) -> str:  # type: ignore[override]
        """What it assumes."""
        if self.stated is None:
            return "Classes sound in the target as in the source, and probabilities are calibrated."
        if isinstance(self.stated, str):
            return f"The target's class prior is assumed: {self.stated}."
        shares = ", ".join(f"{name} {share:g}" for name, share in dict(self.stated).items())
        return f"The target's class prior is assumed: {shares}."

    def prior_of(self, classes: tuple[str, ...]) -> np.ndarray:
        """Return the stated shares (C,) of classes.

        Raises:
            RecipeError: a share is stated of a class that is none of them.

        >>> Prior("uniform").prior_of(("anger", "neutral")).tolist()
        [0.5, 0.5]
        """
        if self.stated is None or isinstance(self.stated, str):
            return np.full(len(classes), 1 / len(classes))
        shares = dict(self.stated)
        for name in shares:
            if name not in classes:
                raise RecipeError(f"{self.name}: no scored emotion is called {name!r}; {did_you_mean(name, classes)}")
        return np.array([shares.get(name, 0.0) for name in classes])

    def _fit(self, home: Home, away: Away) -> Fitted:
        if self.stated is None:
            return FittedPrior(classes=home.classes)
        return FittedPrior(classes=home.classes, stated=self.prior_of(home.classes))

    def probabilities(self, probabilities: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Return the probabilities under the estimated shares, or the uniform ones that are stated."""
        if self.stated is None:
            return prior_correction(probabilities, shares)[0]
        if self.stated != UNIFORM:
            raise RecipeError("shares that are stated by class need the classes: fit it as a step of a `Chain`")
        return renormalised(np.asarray(probabilities) * stated_prior(probabilities, self.prior_of(("",) * len(shares))))


@dataclass(eq=False)
class FittedPrior(Fitted):
    """The ``factors`` (C,) by which probabilities are multiplied; ``stated`` (C,) is empty where it is estimated."""

    classes: tuple[str, ...] = ()
    stated: np.ndarray = field(default_factory=unset)
    factors: np.ndarray = field(default_factory=unset)

    def fit_posterior(self, rows: np.ndarray, probabilities: np.ndarray, shares: np.ndarray | None = None) -> Fitted:
        """Find the factors, and note what they changed."""
        given = np.asarray(probabilities, dtype=float)
        if self.stated.size:
            self.shares = self.stated
            self.factors = stated_prior(given, self.stated)
            self.notes = tuple(_changes(self.classes, given, self.posterior(rows, given)))
        else:
            before = np.full(given.shape[1], 1 / given.shape[1]) if shares is None else np.asarray(shares, dtype=float)
            self.shares = prior_correction(given, before)[1]
            self.factors = self.shares / (before / before.sum())
        return self

    def posterior(self, rows: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """Return probabilities times the factors, summing to 1."""
        return renormalised(np.asarray(probabilities, dtype=float) * self.factors)


@dataclass(frozen=True)
class Bbse(Adaptation):
    """The target's class shares are estimated by the readout's confusions on the source (Lipton et al. 2018).

    With C[p, t] the joint share of answer p and class t on held-out rows of the source, and q the shares of answers in
    the target, w = C^-1 q are the ratios of target to source shares; here the least squares with w at least 0, drawn
    to 1 by ``strength`` (Azizzadenesheli et al. 2019), since confusions of a few hundred clips are noisy. Probabilities
    are multiplied by w. The readout of the confusions is a plain linear one (see `fit_linear`); it answers rows of
    speakers, or where these are few, of corpora, that it was not fitted to.

    Args:
        strength: at least 0, of the pull to 1; 0 for none.

    Raises:
        RecipeError: ``strength`` is negative or not finite.
    """

    name: ClassVar[str] = "bbse"
    on_probabilities: ClassVar[bool] = True
    assumes: ClassVar[str] = "Classes sound in the target as in the source, so that the same are taken for one another."
    strength: float = 0.1

    def __post_init__(self) -> None:
        """Check the option."""
        if not 0 <= self.strength < np.inf:
            raise RecipeError(f"{self.name}: strength must be at least 0 and finite, but is {self.strength} instead")

    def _fit(self, home: Home, away: Away) -> Fitted:
        check_labels(self.name, home)
        labels = np.asarray(home.labels).astype(str)
        kept = np.isin(labels, home.classes)
        truth = np.array([home.classes.index(name) for name in labels[kept]])
        answers, how = held_out_answers(home)
        # Each class counts alike, as it does to a balanced readout.
        joint = np.zeros((len(home.classes), len(home.classes)))
        np.add.at(joint, (answers[kept], truth), 1 / np.bincount(truth, minlength=len(home.classes))[truth])
        seen = joint.sum(axis=0) > 0
        return FittedBbse((f"confusions of the source: {how}",), None, joint / seen.sum(), seen, self.strength)


@dataclass(eq=False)
class FittedBbse(Fitted):
    """``joint`` (C, C) share of answer and class in the source, ``seen`` (C,) its classes; ``factors`` (C,) found."""

    joint: np.ndarray = field(default_factory=unset)
    seen: np.ndarray = field(default_factory=unset)
    strength: float = 0.1
    factors: np.ndarray = field(default_factory=unset)

    def fit_posterior(self, rows: np.ndarray, probabilities: np.ndarray, shares: np.ndarray | None = None) -> Fitted:
        """Find the ratios by the target's answers."""
        given = checked_probabilities(probabilities, (len(rows), len(self.joint)))
        answers = np.bincount(given.argmax(axis=1), minlength=len(self.joint)) / max(len(given), 1)
        before = np.full(len(self.joint), 1 / len(self.joint)) if shares is None else np.asarray(shares, dtype=float)
        self.factors = label_shift(self.joint, answers, self.strength) if len(given) else np.ones(len(self.joint))
        self.factors = np.where(self.seen, self.factors, 0.0)
        estimate = self.factors * before
        self.shares = estimate / estimate.sum() if estimate.sum() > 0 else before
        self.notes = (*self.notes[:1], f"estimated shares: {', '.join(f'{share:.2f}' for share in self.shares)}")
        return self

    def posterior(self, rows: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """Return probabilities times the ratios, summing to 1."""
        return renormalised(np.asarray(probabilities, dtype=float) * self.factors)


def label_shift(joint: np.ndarray, answers: np.ndarray, strength: float) -> np.ndarray:
    """Return w (C,) at least 0 that minimises |C w - q|^2 + (strength / C)^2 |w - 1|^2; see `Bbse`.

    >>> label_shift(np.diag([0.5, 0.5]), np.array([0.8, 0.2]), 0.0).round(6).tolist()
    [1.6, 0.4]
    """
    from scipy.optimize import nnls

    count = len(answers)
    pull = strength / count * np.eye(count)
    found: np.ndarray = nnls(np.concatenate([joint, pull]), np.concatenate([answers, pull.sum(axis=1)]))[0]
    return found if found.any() else np.ones(count)


def held_out_answers(home: Home, folds: int = 5) -> tuple[np.ndarray, str]:
    """Return a plain readout's answers (N,), as places of classes, to source rows that it was not fitted to, and how.

    Rows are held out by corpus where there are three or more, else by speaker where there are two or more, else in
    turns of ``folds``.
    """
    count = len(home.embeddings)
    if home.corpora is not None and len(np.unique(np.asarray(home.corpora).astype(str))) >= 3:
        groups, how = np.asarray(home.corpora).astype(str), "each corpus held out in turn"
    elif home.speakers is not None and len(np.unique(np.asarray(home.speakers).astype(str))) >= 2:
        names = np.asarray(home.speakers).astype(str)
        groups, how = np.unique(names, return_inverse=True)[1] % folds, "speakers held out in turns"
    else:
        groups, how = np.arange(count) % folds, "rows held out in turns, since no speaker is known"
    answers = np.zeros(count, dtype=int)
    for group in np.unique(groups):
        out = groups == group
        rest = [None if part is None else np.asarray(part)[~out] for part in (home.labels, home.corpora)]
        left = set(np.asarray(rest[0]).astype(str)) & set(home.classes)
        if len(left) < 2:
            continue
        readout = fit_linear(Home(home.embeddings[~out], rest[0], home.classes, rest[1]))
        answers[out] = readout.probabilities(home.embeddings[out]).argmax(axis=1)
    return answers, how


def stated_prior(probabilities: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Return the factors w (C,) for which the mean of renormalised w p(y|x) over the rows is a stated prior.

    Iterates w_c *= sqrt(prior_c / mean_c), the plain step being damped by the root. The largest factor is 1. A class
    that no row gives any probability cannot be had; of other classes the means then are the prior, renormalised.

    Args:
        probabilities: (M, C) rows summing to 1.
        prior: (C,) at least 0, summing to 1; a class of 0 gets none.

    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])
    >>> w = stated_prior(p, np.array([0.5, 0.5]))
    >>> (p * w / (p * w).sum(1, keepdims=True)).mean(0).round(6).tolist()
    [0.5, 0.5]
    """
    model = checked_probabilities(probabilities, (len(np.asarray(probabilities)), len(prior)))
    logs = np.where(prior > 0, 0.0, -np.inf)
    possible = (prior > 0) & (model.max(axis=0, initial=0) > _TINY)
    for _ in range(_STEPS if len(model) else 0):
        given = model * np.exp(logs)
        given = given / totals if (totals := given.sum(axis=1, keepdims=True)).all() else renormalised(given)
        mean = given.mean(axis=0)
        step = np.zeros(len(prior))
        step[possible] = 0.5 * np.log(prior[possible] / np.maximum(mean[possible], _TINY))
        logs = logs + step
        logs = logs - logs.max()
        if np.abs(step - step[possible].mean() if possible.any() else step)[possible].max(initial=0) < _SETTLED:
            break
    return np.exp(logs)


def _changes(classes: tuple[str, ...], before: np.ndarray, after: np.ndarray) -> list[str]:
    """Say how a stated prior changed the answers, and warn where it makes classes that there were none of."""
    names = classes or tuple(str(place) for place in range(before.shape[1]))
    first, then = (np.bincount(p.argmax(axis=1), minlength=len(names)) for p in (before, after))
    moved = int((before.argmax(axis=1) != after.argmax(axis=1)).sum())
    counts = ", ".join(f"{name} {a} -> {b}" for name, a, b in zip(names, first, then, strict=True))
    notes = [f"the stated prior changed {moved} of {len(before)} answers ({counts})"]
    new = [name for name, a, b in zip(names, first, then, strict=True) if b and not a]
    if new:
        seen = [name for name, a in zip(names, first, strict=True) if a]
        notes.append(
            f"warning: before the prior, no recording was {' or '.join(new)} (only {', '.join(seen)}); the prior made "
            f"{int(sum(b for a, b in zip(first, then, strict=True) if not a))} so. If the target lacks these emotions, "
            "leave the prior out, or state its own"
        )
    return notes


def _pairs(stated: Any) -> tuple[tuple[str, float], ...]:
    if isinstance(stated, str):
        raise RecipeError(f"prior: a stated prior must be {UNIFORM!r} or shares by class, but is {stated!r} instead")
    items = stated.items() if isinstance(stated, Mapping) else stated
    try:
        pairs = tuple((str(name), float(share)) for name, share in items)
    except (TypeError, ValueError):
        raise RecipeError(f"prior: shares must be numbers by class, but are {stated!r} instead") from None
    total = sum(share for _, share in pairs)
    if not pairs or not all(0 <= share <= 1 for _, share in pairs) or abs(total - 1) > 1e-3:
        text = ", ".join(f"{name} {share:g}" for name, share in pairs)
        raise RecipeError(f"prior: shares must be 0 to 1 and sum to 1, but {text} sum to {total:g}")
    return tuple((name, share / total) for name, share in pairs)
