"""What every recipe chooses, whichever network it trains: corpora, labels, split and intervals."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveInt,
    field_validator,
    model_validator,
)

from xlser.corpora.emotions import check_named
from xlser.data.official_split import COLUMN_KINDS
from xlser.data.splits import SplitKind
from xlser.filenames import FileName
from xlser.schema import Grown, Strict
from xlser.vocabulary import EMOTIONS

Many = BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)
Balanced = Literal["corpus", "emotion"]


def _in_one_order(balance: tuple[Balanced, ...]) -> tuple[Balanced, ...]:
    if len(set(balance)) < len(balance):
        raise ValueError(f"must name each of corpus and emotion once, but is {list(balance)} instead")
    return tuple(sorted(balance))


# What gives equally many rows to an epoch: each corpus, each emotion, or each pair of them that there is.
Balance = Annotated[tuple[Balanced, ...], Many, AfterValidator(_in_one_order)]


class SplitChoice(Grown):
    """How the source's speakers are divided; each fold is trained ``repeats`` times, from other initial weights.

    With ``kind: column``, the corpus's own split, ``train``, ``validation`` and ``test`` are its names of parts,
    several each; without ``validation`` speakers of ``train`` are held out. See `xlser.data.splits.make_splits`.

    With ``validation_clips: 0.2`` a fifth of the recordings that a fold does not test validate, drawn at random:
    training and validation then share speakers, which every report says, and a test part of speakers keeps its own.

    The first ``repeats`` trainings hold out fold 0, the next ones fold 1, and after the last fold it begins anew.
    """

    later: ClassVar[frozenset[str]] = frozenset({"repeats", "train", "validation", "test", "validation_clips"})

    kind: SplitKind = "speaker-folds"
    folds: int = Field(5, ge=3)
    seed: int = 0
    given: tuple[dict[str, tuple[str, ...]], ...] = ()
    train: Annotated[tuple[str, ...], Many] = ()
    validation: Annotated[tuple[str, ...], Many] = ()
    test: Annotated[tuple[str, ...], Many] = ()
    repeats: int = Field(1, ge=1)
    validation_clips: float | None = Field(None, gt=0, lt=1)

    @property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """The corpus's own names of each part that is named."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {part: names for part, names in named.items() if names}

    def problems(self) -> list[str]:
        """Return what does not fit together."""
        of_column = self.kind in COLUMN_KINDS
        if self.validation_clips and (of_column or self.kind.startswith("given")):
            return [
                f"split.validation_clips belongs to folds that are made, but split.kind is {self.kind}; leave it out"
            ]
        if of_column and not self.train:
            return [f"split.train must name the corpus's training part when split.kind is {self.kind!r}"]
        if self.parts and not of_column:
            return [f"split.{next(iter(self.parts))} belongs to split.kind: column, but that is {self.kind}"]
        return []


class EvaluationChoice(Grown):
    """``draws`` resamplings of the speakers for each interval of ``level``.

    With ``clips: 60`` only as many recordings of each scored emotion of a target are scored, drawn by ``clips_seed``
    evenly from its speakers: a balanced test set. Its labels say which; nothing else looks at them, and statistics of a
    target are still those of all its recordings.

    ``oracle_prior`` adds a reading of every target whose probabilities are corrected to its true class prior: it looks
    at the target's labels, for comparison with tables that do so. Its protocol is called ``oracle``.
    """

    later: ClassVar[frozenset[str]] = frozenset({"clips", "clips_seed", "oracle_prior"})

    draws: int = Field(1000, ge=100)
    level: float = Field(0.95, gt=0.5, lt=1)
    clips: PositiveInt | None = None
    clips_seed: NonNegativeInt = 0
    oracle_prior: bool = False


def chain_text(value: Any) -> Any:
    """Return a list of adaptations as the one text that it is; a text stays, and what is neither is left to pydantic.

    >>> chain_text([{"speaker-statistics": {"shrink": 10}}, {"prior": "uniform"}, "gaussian-em"])
    'speaker-statistics:shrink=10|prior=uniform|gaussian-em'
    """
    if isinstance(value, Mapping):
        value = [{name: options} for name, options in value.items()]
    if not isinstance(value, list | tuple):
        return value or ""
    return "|".join(part for step in value for part in _step_texts(step))


def _step_texts(step: Any) -> list[str]:
    texts = []
    for name, options in step.items() if isinstance(step, Mapping) else [(step, None)]:
        if isinstance(options, Mapping):
            texts.append(":".join([str(name), *(f"{key}={_plain(one)}" for key, one in options.items())]))
        else:
            texts.append(str(name) if options is None else f"{name}={_plain(options)}")
    return texts


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class ProbeChoice(Strict):
    """How the logistic regression on embeddings is fitted: emotions count the same in any case.

    With ``balance: corpus`` each corpus of a joined source counts the same too, however many recordings it has. With
    ``targets: votes`` a recording teaches what each of its raters heard, by their shares, and its label where nobody
    voted. See `xlser.evaluation.row_weights.taught_rows`.
    """

    balance: Annotated[tuple[Literal["corpus"], ...], Many] = ()
    targets: Literal["labels", "votes"] = "labels"


class CommonRecipe(Grown):
    """Train on ``source``, read in ``targets``; without any, the source's held-out speakers are all that is scored.

    ``emotions`` are the classes that are scored, where the corpus has them; ``merge`` maps a canonical emotion into
    another before that. ``ratings`` ``derived`` takes valence and activation from a published table of emotion words
    where a source has no ratings of its own: every number on them is marked so. ``probe`` says how the logistic
    regression is fitted. ``adapt`` is a chain of steps that make up for a target's shift, scored beside the reading
    without it: a list such as ``[speaker-statistics: {shrink: 10}, prior: uniform]``, or its text (see
    `xlser.evaluation.adaptations`).
    """

    later: ClassVar[frozenset[str]] = frozenset({"adapt", "probe"})

    name: FileName
    description: str = ""
    source: str
    targets: Annotated[tuple[str, ...], Many] = ()
    emotions: tuple[str, ...] = Field(EMOTIONS, min_length=2)
    merge: dict[str, str] = {}
    ratings: Literal["rated", "derived"] = "rated"
    split: SplitChoice = SplitChoice()
    evaluation: EvaluationChoice = EvaluationChoice()
    probe: ProbeChoice = ProbeChoice()
    adapt: Annotated[str, BeforeValidator(chain_text)] = ""

    @field_validator("emotions")
    @classmethod
    def _canonical(cls, emotions: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(emotions)) < len(emotions):
            raise ValueError(f"must name each emotion once, but is {list(emotions)} instead")
        return tuple(check_named(name) for name in emotions)

    @field_validator("merge")
    @classmethod
    def _merges_emotions(cls, merge: dict[str, str]) -> dict[str, str]:
        return {check_named(name): check_named(into) for name, into in merge.items()}

    @model_validator(mode="after")
    def _fits_together(self) -> CommonRecipe:
        problems = [*self._common_problems(), *self._problems()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _common_problems(self) -> list[str]:
        problems = []
        if len(set(self.targets)) < len(self.targets):
            problems.append(f"`targets` must name each corpus once, but is {list(self.targets)} instead")
        for name, into in self.merge.items():
            if into not in self.emotions:
                problems.append(
                    f"merge.{name}: {into!r} is not among the scored `emotions` ({', '.join(self.emotions)})"
                )
        if self.source in self.targets:
            problems.append(
                f"`source` {self.source!r} stands in `targets` too; its held-out speakers are scored anyway"
            )
        if self.split.kind.startswith("given") and not self.split.given:
            problems.append(f"split.given must list the folds when split.kind is {self.split.kind!r}")
        problems += self.split.problems()
        return problems

    def _problems(self) -> list[str]:
        """Return what does not fit together in the recipe's own part."""
        return []

    @property
    def hash(self) -> str:
        """First 12 digits of the SHA-256 of everything that can change a number."""
        text = self.model_dump_json(exclude={"description"})
        return hashlib.sha256(text.encode()).hexdigest()[:12]
