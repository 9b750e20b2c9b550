"""What may be tried to make up for a target's shift, and the table that names it; each but `source` is transductive.

A new one is a file with a class like these (see `xlser.evaluation.adapting`), and a row of `ADAPTATIONS`. Several in
order are a `Chain`. As one text, options after colons and steps between bars; a step's value after ``=`` is its first
option's::

    speaker-statistics:shrink=10|prior=uniform|gaussian-em

In a recipe it is a list::

    adapt: [speaker-statistics: {shrink: 10}, prior: uniform, gaussian-em]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from xlser.errors import RecipeError, did_you_mean
from xlser.evaluation.adapting import Adaptation, Away, Chain, Fitted, Home, unset
from xlser.evaluation.aligned import Coral, Quantile
from xlser.evaluation.cascade import Cascade
from xlser.evaluation.decided import SpeakerOrCorpus, SpeakerResiduals
from xlser.evaluation.gaussian import GaussianEm
from xlser.evaluation.priors import Bbse, Prior
from xlser.evaluation.pseudo import PseudoSpeakers
from xlser.evaluation.reweighted import DensityRatio, Kliep, OptimalTransport
from xlser.evaluation.shrunk import CorpusStatistics, PlainSpeaker, SpeakerStatistics, known_names
from xlser.evaluation.smoothing import Neighbours
from xlser.evaluation.subspaces import SubspaceAlignment, TransferComponents, TransferJointMatching
from xlser.features.normalise import SPEAKER_MINIMUM, Scaler


@dataclass(frozen=True)
class SourceStatistics(Adaptation):
    """Nothing of the target is looked at, and nothing changed: ``zero-shot``, to be listed beside others."""

    name: ClassVar[str] = "source"
    rows: ClassVar[int] = 0
    looks_at: ClassVar[tuple[str, ...]] = ()

    def _fit(self, home: Home, away: Away) -> Fitted:
        return Fitted()


@dataclass(frozen=True)
class SpeakerMoments(Adaptation):
    """Each speaker's embeddings get the source's mean and deviation, in single precision; see `by_speaker`."""

    name: ClassVar[str] = "speakers"
    looks_at: ClassVar[tuple[str, ...]] = ("recordings", "speakers")
    assumes: ClassVar[str] = SpeakerStatistics.assumes

    def _fit(self, home: Home, away: Away) -> Fitted:
        to = Scaler.fit(home.embeddings)
        rows, who = np.asarray(away.embeddings, dtype=float), known_names(away.speakers, len(away.embeddings))
        names = [name for name in np.unique(who).tolist() if name and (who == name).sum() >= SPEAKER_MINIMUM]
        scalers = [*(Scaler.fit(rows[who == name]) for name in names), Scaler.fit(rows)]
        means, stds = (np.stack([getattr(one, what) for one in scalers]) for what in ("mean", "std"))
        return FittedMoments((), None, tuple(names), means, stds, to.mean, to.std)


@dataclass(eq=False)
class FittedMoments(Fitted):
    """Moments (S + 1, D) of each of ``names`` and, last, of the target, and the source's (D,)."""

    names: tuple[str, ...] = ()
    means: np.ndarray = field(default_factory=unset)
    stds: np.ndarray = field(default_factory=unset)
    home_mean: np.ndarray = field(default_factory=unset)
    home_std: np.ndarray = field(default_factory=unset)

    def embeddings(self, rows: np.ndarray, speakers: ArrayLike | None = None) -> np.ndarray:
        """Return rows, speaker by speaker at the source's moments."""
        known = {name: place for place, name in enumerate(self.names)}
        place = [known.get(name, len(known)) for name in known_names(speakers, len(rows))]
        scores = Scaler(self.means[place], self.stds[place]).apply(np.asarray(rows, dtype=float))
        mapped: np.ndarray = scores.astype(float) * self.home_std + self.home_mean
        return mapped


ADAPTATIONS: dict[str, type[Adaptation]] = {
    kind.name: kind
    for kind in (
        SourceStatistics,
        CorpusStatistics,
        PlainSpeaker,
        SpeakerStatistics,
        PseudoSpeakers,
        SpeakerOrCorpus,
        SpeakerResiduals,
        SpeakerMoments,
        Cascade,
        Coral,
        Quantile,
        SubspaceAlignment,
        TransferComponents,
        TransferJointMatching,
        OptimalTransport,
        DensityRatio,
        Kliep,
        Prior,
        Bbse,
        GaussianEm,
        Neighbours,
    )
}


def make_adaptation(given: str | Adaptation | Mapping[str, Any] | Sequence[Any]) -> Adaptation:
    """Return the adaptation, or the `Chain` of several, that a text, a recipe's list or an object spells.

    Raises:
        RecipeError: there is none of that name, or it has no such option, or a value is not one of it.

    >>> make_adaptation("coral:shrinkage=0.1")
    Coral(shrinkage=0.1)
    >>> make_adaptation("corpus|prior=uniform") == make_adaptation(["corpus", {"prior": "uniform"}])
    True
    """
    if isinstance(given, Adaptation):
        return given
    if isinstance(given, str):
        steps = [_read(part.strip()) for part in given.split("|")]
        return steps[0] if len(steps) == 1 else Chain(steps)
    if isinstance(given, Mapping):
        return _single([_made(name, options) for name, options in given.items()], given)
    if isinstance(given, Sequence):
        return _single([make_adaptation(step) for step in given], given)
    raise RecipeError(f"an adaptation must be a name, or a list of names, but is {given!r} instead")


def written(adaptation: Adaptation) -> str:
    """Return the text that `make_adaptation` reads: the names, and the options that are not the defaults.

    >>> written(Coral()), written(Coral(0.1)), written(Chain([Coral(), Prior("uniform")]))
    ('coral', 'coral:shrinkage=0.1', 'coral|prior=uniform')
    """
    if isinstance(adaptation, Chain):
        return "|".join(written(step) for step in adaptation.steps)
    if isinstance(adaptation, Prior) and adaptation.stated is not None:
        if isinstance(adaptation.stated, str):
            return f"{adaptation.name}={adaptation.stated}"
        return ":".join([adaptation.name, *(f"{name}={share:.12g}" for name, share in dict(adaptation.stated).items())])
    mine: Any = adaptation
    values = {field.name: (getattr(mine, field.name), field.default) for field in fields(mine)}
    changed = {name: value for name, (value, default) in values.items() if value != default}
    return ":".join([adaptation.name, *(f"{name}={_text(value)}" for name, value in changed.items())])


def _single(steps: list[Adaptation], given: Any) -> Adaptation:
    if not steps:
        raise RecipeError(f"an adaptation needs a step at least, but is {given!r}; leave it out for none")
    return steps[0] if len(steps) == 1 else Chain(steps)


def _read(text: str) -> Adaptation:
    """Read one step, ``name:option=value:...`` or ``name=value``."""
    head, *options = text.split(":")
    name, given, value = head.partition("=")
    pairs = [option.partition("=")[::2] for option in options if option]
    if name == Prior.name and not given and pairs:
        return Prior(_shares(pairs, text))
    if given and name in ADAPTATIONS:
        known = [field.name for field in fields(ADAPTATIONS[name])]  # type: ignore[arg-type]
        if not known:
            raise RecipeError(f"{name} has no option, but is given {value!r}")
        pairs = [(known[0], value), *pairs]
    return _made(name, {key: _value(one, text, name == Prior.name) for key, one in pairs})


def _made(name: str, options: Any) -> Adaptation:
    if name not in ADAPTATIONS:
        raise RecipeError(f"no adaptation is named {name!r}; {did_you_mean(name, ADAPTATIONS)}")
    kind = ADAPTATIONS[name]
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # every row is a dataclass
    if options is None:
        options = {}
    if not isinstance(options, Mapping) or (kind is Prior and "stated" not in options and options):
        options = {known[0]: options} if known else {"value": options}
    for key in options:
        if key not in known:
            raise RecipeError(f"{name} has no option {key!r}; {did_you_mean(key, known) if known else 'it has none'}")
    return kind(**options)


def _shares(pairs: list[Any], text: str) -> Any:
    """Return what is stated by class; ``stated=uniform`` is understood too."""
    if pairs[0][0] == "stated":
        return pairs[0][1]
    return {name: _value(share, text, False) for name, share in pairs}


def _value(text: str, given: str, words: bool) -> Any:
    """Read a number, or a truth value, or where ``words`` a text."""
    if text in ("true", "false"):
        return text == "true"
    try:
        number = float(text)
    except ValueError:
        if words:
            return text
        raise RecipeError(f"{given}: an option must be a number, but is {text!r} instead") from None
    return int(number) if number.is_integer() and "." not in text else number


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
