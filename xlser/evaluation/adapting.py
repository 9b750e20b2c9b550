"""The contract of adaptations: what they are given, what they give back, and chains of them.

An `Adaptation` holds options and nothing else. ``fit(home, away)`` looks at the source with its labels and at the
target without any, and returns a `Fitted`, which maps further recordings one by one. See
`xlser.evaluation.adaptations` for the table of all, and for how they are written. Used as a whole::

    fitted = chain.fit(Home(x, labels, classes, corpora), Away(rows, speakers))
    if fitted.refits:  # the source is mapped or weighted too, and the readout must be fitted to that
        readout.fit(fitted.home(x, corpora), labels, sample_weight=fitted.weights)
    mapped = fitted.embeddings(rows, speakers)
    fitted.fit_posterior(mapped, readout(mapped))
    fitted.posterior(mapped, readout(mapped))  # and so for any clip to come
    about, arrays = fitted.state()  # JSON and safetensors; `restore` makes it again

Stable: the names, arguments and shapes of `Home`, `Away`, `Adaptation.fit`, `Fitted`, `Chain` and `restore`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, get_type_hints

import numpy as np
from numpy.typing import ArrayLike

from xlser.errors import CorpusError, shortened
from xlser.typedtable import is_of


@dataclass(frozen=True, eq=False)
class Home:
    """What the source gives.

    Attributes:
        embeddings: (N, D) of its training rows, finite.
        labels: (N,) texts, all of ``classes``; rows without a scored emotion are left out before.
        classes: (C,) in the order of the columns of probabilities.
        corpora: (N,) the source corpus of each row, or None: all are of one.
        speakers: (N,) who speaks in each, or None: not known.
    """

    embeddings: np.ndarray
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    corpora: np.ndarray | None = None
    speakers: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Away:
    """What is looked at of the target; never its labels.

    Attributes:
        embeddings: (M, D) of its adaptation part, finite.
        speakers: (M,) who speaks in each, or None: not known.
        guessed: whether the speakers are guesses.
        kept: what steps worked out of these recordings, by any key, for steps of other options on the same ones.
    """

    embeddings: np.ndarray
    speakers: np.ndarray | None = None
    guessed: bool = False
    kept: dict[Any, Any] = field(default_factory=dict, repr=False)


def unset() -> np.ndarray:
    """Return an array of nothing: what a `Fitted` holds where it was not fitted."""
    return np.empty(0)


_KINDS: dict[str, type[Fitted]] = {}


@dataclass(eq=False)
class Fitted:
    """An adaptation that has seen its target: it maps rows one by one, and gives for each what it gives among many.

    A step states its numbers as dataclass fields (arrays; or what JSON holds, sequences being tuples), from which
    ``state`` and `restore` work. Of the methods below it overrides those that it has a part in.

    Attributes:
        notes: what it decided, and why; sentences for a report. Warnings among them begin with ``warning:``.
        shares: (C,) the prior under which its posteriors hold; None where it leaves that alone.
    """

    notes: tuple[str, ...] = ()
    shares: np.ndarray | None = None

    refits: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """Know every kind by its name, so that a saved state finds it."""
        _KINDS[cls.__name__] = cls

    def embeddings(self, rows: np.ndarray, speakers: ArrayLike | None = None) -> np.ndarray:
        """Return rows (M, D) of the target as the readout should see them, (M, D').

        A speaker that was not met in ``fit``, and None, get the statistics of the whole target.
        """
        return rows

    def speakers(self, rows: np.ndarray, speakers: ArrayLike | None = None) -> ArrayLike | None:
        """Return who speaks in rows (M, D) of the target, for the steps after it: guessed where it guesses."""
        return speakers

    def home(self, rows: np.ndarray, corpora: ArrayLike | None = None, speakers: ArrayLike | None = None) -> np.ndarray:
        """Return rows (N, D) of the source as the readout should be fitted to them; as they are unless ``refits``."""
        return rows

    @property
    def weights(self) -> np.ndarray | None:
        """(N,) how much each of the source's rows counts where the readout is fitted again; mean 1. None: alike."""
        return None

    def fit_posterior(self, rows: np.ndarray, probabilities: np.ndarray, shares: np.ndarray | None = None) -> Fitted:
        """Fit what corrects probabilities (M, C), by those of the target's adaptation part; return itself.

        Args:
            rows: (M, D') as ``embeddings`` gave them.
            probabilities: of the readout on these, columns in the order of the source's ``classes``.
            shares: (C,) the prior under which the readout was fitted; equal unless given.
        """
        return self

    def posterior(self, rows: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """Return corrected probabilities (M, C) of any rows; needs ``fit_posterior`` before."""
        return probabilities

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return all that it knows: what JSON holds, and arrays by name."""
        about: dict[str, Any] = {"kind": type(self).__name__}
        arrays = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                arrays[item.name] = np.ascontiguousarray(value)
            else:
                about[item.name] = value
        return about, arrays

    @classmethod
    def from_state(cls, about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Fitted:
        """Make it again of what ``state`` gave; `restore` finds the kind.

        Raises:
            ValueError: a value of another type.
        """
        values: dict[str, Any] = {name: _frozen(value) for name, value in about.items() if name != "kind"}
        values |= arrays
        hints = get_type_hints(cls)
        for item in fields(cls):
            if item.name in values and not is_of(hints[item.name], values[item.name]):
                raise ValueError(f"`{item.name}` of {cls.__name__} must be {item.type}")
        return cls(**values)


_KINDS[Fitted.__name__] = Fitted


def restore(about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Fitted:
    """Return the fitted adaptation or chain of a state, once it was written as JSON and safetensors and read.

    Raises:
        CorpusError: of a kind that there is none of here.

    >>> restore(*FittedChain((Fitted(("kept",)),)).state()).notes
    ('kept',)
    """
    import xlser.evaluation.adaptations  # noqa: F401  # defines the kinds

    kind = about.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise CorpusError(f"a saved adaptation is of kind {shortened(kind)}, which this version of xlser does not have")
    return _KINDS[kind].from_state(about, arrays)


class Adaptation:
    """Options of one way to make up for a target's shift, without labels of the target.

    A new one is a frozen dataclass of numbers, texts and truth values, with a ``_fit``, and a row of `ADAPTATIONS`.

    ``name`` is what recipes and tables call it, ``rows`` how many recordings of the target it needs, ``looks_at`` what
    of the target (``recordings``, ``speakers``, ``prior``), ``assumes`` a sentence; ``on_probabilities``: it corrects
    these and leaves the embeddings alone, so that readouts without any have no part; ``guesses_speakers``: it says who
    speaks, for the steps after it.
    """

    name: ClassVar[str]
    rows: ClassVar[int] = 2
    looks_at: ClassVar[tuple[str, ...]] = ("recordings",)
    assumes: ClassVar[str] = ""
    on_probabilities: ClassVar[bool] = False
    guesses_speakers: ClassVar[bool] = False

    @property
    def needs_speakers(self) -> bool:
        """Whether it cannot be fitted to a target of which no speaker is named."""
        return "speakers" in self.looks_at

    def fit(self, home: Home, away: Away) -> Fitted:
        """Return it fitted to a source and a target.

        Raises:
            CorpusError: fewer recordings than ``rows``, numbers that are not finite, columns that differ, or no
                speakers where it looks at them.
        """
        check_parts(self, home, away)
        return self._fit(home, away)

    def _fit(self, home: Home, away: Away) -> Fitted:
        raise NotImplementedError

    def embeddings(self, source: np.ndarray, target: np.ndarray, speakers: ArrayLike) -> np.ndarray:
        """Return all of a target's embeddings (M, D) mapped; short for ``fit`` and `Fitted.embeddings`."""
        target, names = np.asarray(target), np.asarray(speakers)
        return self.fit(Home(np.asarray(source)), Away(target, names)).embeddings(target, names)

    def probabilities(self, probabilities: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Return all of a target's probabilities (M, C) corrected, of a step that looks at nothing else."""
        return probabilities


@dataclass(frozen=True)
class Chain(Adaptation):
    """Several steps in order: those on embeddings, then the readout, then those on probabilities.

    ::

        Chain([SpeakerStatistics(shrink=10), Prior("uniform"), GaussianEm()])
    """

    steps: tuple[Adaptation, ...] = ()
    name: ClassVar[str] = "chain"

    def __init__(self, steps: Sequence[Adaptation] = ()) -> None:
        """Take the steps; a chain within is taken apart."""
        object.__setattr__(self, "steps", tuple(_flat(steps)))

    @property
    def rows(self) -> int:  # type: ignore[override]
        """How many recordings the most demanding step needs."""
        return max((step.rows for step in self.steps), default=0)

    @property
    def looks_at(self) -> tuple[str, ...]:  # type: ignore[override]
        """What of the target any step looks at."""
        return tuple(dict.fromkeys(what for step in self.steps for what in step.looks_at))

    @property
    def needs_speakers(self) -> bool:
        """Whether a step must know who speaks, and none before it guesses."""
        first = next((place for place, step in enumerate(self.steps) if step.guesses_speakers), len(self.steps))
        return any(step.needs_speakers for step in self.steps[:first])

    @property
    def assumes(self) -> str:  # type: ignore[override]
        """What the steps assume, one sentence each."""
        return " ".join(dict.fromkeys(step.assumes for step in self.steps if step.assumes))

    @property
    def on_probabilities(self) -> bool:  # type: ignore[override]
        """Whether any step corrects probabilities."""
        return any(step.on_probabilities for step in self.steps)

    def _fit(self, home: Home, away: Away) -> FittedChain:
        done: list[Fitted] = []
        for step in self.steps:
            fitted = step.fit(home, away)
            home, away = after(step, fitted, home, away)
            done.append(fitted)
        return FittedChain(tuple(done))

    def probabilities(self, probabilities: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Return the probabilities corrected by step after step."""
        for step in self.steps:
            probabilities = step.probabilities(probabilities, shares)
        return probabilities


class FittedChain(Fitted):
    """The fitted ``steps`` of a chain; what one gives the next one takes."""

    def __init__(self, steps: Sequence[Fitted] = ()) -> None:
        """Take the steps."""
        self.steps = tuple(steps)

    @property
    def notes(self) -> tuple[str, ...]:  # type: ignore[override]
        """The notes of all steps."""
        return tuple(note for step in self.steps for note in step.notes)

    @property
    def shares(self) -> np.ndarray | None:  # type: ignore[override]
        """The prior that the last of those that set one sets."""
        return next((step.shares for step in reversed(self.steps) if step.shares is not None), None)

    @property
    def refits(self) -> bool:  # type: ignore[override]
        """Whether any step maps or weights the source."""
        return any(step.refits for step in self.steps)

    @property
    def weights(self) -> np.ndarray | None:
        """The weights of all steps multiplied; None where no step weights."""
        weights = None
        for own in (step.weights for step in self.steps):
            weights = own if weights is None else weights if own is None else weights * own
        return None if weights is None else weights / weights.mean()

    def embeddings(self, rows: np.ndarray, speakers: ArrayLike | None = None) -> np.ndarray:
        """Return rows of the target through all steps."""
        for step in self.steps:
            speakers = step.speakers(rows, speakers)
            rows = step.embeddings(rows, speakers)
        return rows

    def speakers(self, rows: np.ndarray, speakers: ArrayLike | None = None) -> ArrayLike | None:
        """Return who speaks, as the last step has it."""
        for step in self.steps:
            speakers = step.speakers(rows, speakers)
            rows = step.embeddings(rows, speakers)
        return speakers

    def home(self, rows: np.ndarray, corpora: ArrayLike | None = None, speakers: ArrayLike | None = None) -> np.ndarray:
        """Return rows of the source through all steps."""
        for step in self.steps:
            rows = step.home(rows, corpora, speakers)
        return rows

    def fit_posterior(self, rows: np.ndarray, probabilities: np.ndarray, shares: np.ndarray | None = None) -> Fitted:
        """Fit each step to what those before it give."""
        for step in self.steps:
            step.fit_posterior(rows, probabilities, shares)
            probabilities = step.posterior(rows, probabilities)
            shares = shares if step.shares is None else step.shares
        return self

    def posterior(self, rows: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """Return probabilities through all steps."""
        for step in self.steps:
            probabilities = step.posterior(rows, probabilities)
        return probabilities

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the states of all steps, the arrays' names with the step's place before them."""
        states = [step.state() for step in self.steps]
        arrays = {f"{place}.{name}": value for place, (_, own) in enumerate(states) for name, value in own.items()}
        return {"kind": type(self).__name__, "steps": [about for about, _ in states]}, arrays

    @classmethod
    def from_state(cls, about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Fitted:
        """Make all steps again."""
        parts: list[dict[str, np.ndarray]] = [{} for _ in about["steps"]]
        for name, value in arrays.items():
            place, _, own = name.partition(".")
            parts[int(place)][own] = value
        return cls([restore(step, own) for step, own in zip(about["steps"], parts, strict=True)])


def after(step: Adaptation, fitted: Fitted, home: Home, away: Away) -> tuple[Home, Away]:
    """Return source and target as the next step of a chain sees them: mapped, and the speakers guessed."""
    rows = fitted.home(home.embeddings, home.corpora, home.speakers)
    who = fitted.speakers(away.embeddings, away.speakers)
    names = None if who is None else np.asarray(who)
    guessed = away.guessed or (step.guesses_speakers and who is not away.speakers)
    mapped = fitted.embeddings(away.embeddings, who)
    return Home(rows, home.labels, home.classes, home.corpora, home.speakers), Away(mapped, names, guessed)


def check_parts(step: Adaptation, home: Home, away: Away) -> None:
    """Refuse what a step cannot be fitted to; see `Adaptation.fit`."""
    for name, rows in (("source", home.embeddings), ("target", away.embeddings)):
        if rows.ndim != 2:
            raise CorpusError(f"{step.name}: the {name}'s embeddings must be rows and columns, but are {rows.shape}")
        if not np.isfinite(rows).all():
            row, column = np.argwhere(~np.isfinite(rows))[0]
            raise CorpusError(
                f"{step.name}: the {name}'s embeddings must be finite, but row {row}, column {column} is "
                f"{rows[row, column]}. Leave the recording out, or mend its features."
            )
    if away.embeddings.shape[1] != home.embeddings.shape[1]:
        raise CorpusError(
            f"{step.name}: the target must have the source's {home.embeddings.shape[1]} columns, but has "
            f"{away.embeddings.shape[1]}. Take both from one model."
        )
    if len(away.embeddings) < step.rows:
        raise CorpusError(
            f"{step.name} needs {step.rows} recordings at least, but the target has {len(away.embeddings)}"
        )
    if step.needs_speakers and away.speakers is None:
        raise CorpusError(
            f"{step.name} must know who speaks, but no speaker is named. Name them, or guess them by a step "
            "pseudo-speakers before it."
        )


def check_labels(name: str, home: Home) -> None:
    """Refuse a source without labels of two classes, for a step that needs them."""
    labels = np.empty(0, dtype=str) if home.labels is None else np.asarray(home.labels).astype(str)
    found = sorted(set(labels) & set(home.classes))
    if len(found) < 2:
        raise CorpusError(
            f"{name} needs the source's labels, of two emotions at least, but has {', '.join(found) or 'none'}"
        )


def _flat(steps: Sequence[Adaptation]) -> Iterator[Adaptation]:
    for step in steps:
        if isinstance(step, Chain):
            yield from step.steps
        else:
            yield step


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
