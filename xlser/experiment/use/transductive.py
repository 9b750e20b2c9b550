"""A list of recordings as a target of its own: its unlabelled recordings make up for its shift, as in a run."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from xlser.errors import CorpusError, RunError
from xlser.evaluation.adaptations import make_adaptation, written
from xlser.evaluation.adapting import Adaptation
from xlser.evaluation.choice import Choice, ReadingChoice
from xlser.evaluation.results import read_results, reading_of_new
from xlser.experiment.use.embedders import Embedder, FeatureEmbedder
from xlser.experiment.use.folder import Chosen
from xlser.experiment.use.request import Request
from xlser.features.normalise import PROTOCOL, SPEAKER_MINIMUM, Normalisation
from xlser.vocabulary import TRANSDUCTIVE

STATISTICS: dict[str, Normalisation] = {"corpus": "corpus", "speaker": "speaker"}
_SHOWN = 4


@dataclass(frozen=True)
class Shift:
    """How a list's shift is made up for.

    Attributes:
        name: ``corpus`` or ``speaker``, whose statistics z-score the features; or an adaptation as recipes write it.
        kind: of the z-scores; ``source`` where an adaptation works on the zero-shot reading.
        adaptation: of embeddings or probabilities, or None.
        note: why it is not what was asked for, empty where it is.
    """

    name: str
    kind: Normalisation = "source"
    adaptation: Adaptation | None = None
    note: str = ""

    def embed(self, embedder: Embedder, raw: np.ndarray, speakers: Sequence[str]) -> np.ndarray:
        """Return the embeddings, (N, D), of a list's raw rows (see `Embedder.raw`), (N, F)."""
        if self.kind == "source" or not isinstance(embedder, FeatureEmbedder):
            return embedder.encode(raw)
        return embedder.encode(raw, self.kind, pd.Series(list(speakers)))


def choose_shift(chosen: Chosen, asked: str | bool | Adaptation, by_features: bool, speakers: bool) -> Shift:
    """Return the way to adapt that is asked for; of ``True`` the one that the model's report speaks of.

    That is the recipe's own normalisation, or what its bench adapted by; of several, what did best on the corpora that
    the bench has read (see `xlser.evaluation.results.reading_of_new`). Labels of the recordings have no part in it.

    Args:
        chosen: the model.
        asked: True; or a name such as ``corpus``, ``speaker`` or ``coral:shrinkage=0.1``, or several between bars, of
            which a first ``corpus`` or ``speaker`` z-scores features; or the adaptation itself.
        by_features: whether the model reads features, which have statistics to be z-scored by.
        speakers: whether it is known who speaks.

    Raises:
        RunError: none or several to choose from, or it cannot be done with this model or without speakers.
        RecipeError: there is none of that name.
    """
    if isinstance(asked, Adaptation):
        return _by_adaptation(chosen, written(asked), asked, speakers)
    if asked is True:
        return _own(chosen, by_features, speakers)
    return _by_name(chosen, str(asked), by_features, speakers)


def _by_name(chosen: Chosen, name: str, by_features: bool, speakers: bool) -> Shift:
    first, _, rest = name.partition("|")
    if first not in STATISTICS or (rest and not by_features):
        return _by_adaptation(chosen, name, make_adaptation(name), speakers)
    if not by_features:
        raise RunError(
            f"adapting by {name} z-scores features, which the fine-tuned {chosen.method} has none of. Use one of its "
            "embeddings: coral, quantile, prior, speakers, speaker-statistics."
        )
    if first == "speaker" and not speakers:
        raise _unknown_speakers(name)
    if not rest:
        return Shift(name, STATISTICS[name])
    return replace(_by_adaptation(chosen, name, make_adaptation(rest), speakers), kind=STATISTICS[first])


def _by_adaptation(chosen: Chosen, name: str, adaptation: Adaptation, speakers: bool) -> Shift:
    if adaptation.needs_speakers and not speakers:
        raise _unknown_speakers(name)
    if adaptation.on_probabilities and chosen.reader in (None, "knn"):
        raise RunError(
            f"adapting by {name} corrects probabilities, which a reading by {chosen.reader or 'nothing'} has none of. "
            "Use another one: corpus, coral, quantile."
        )
    return Shift(name, adaptation=adaptation)


def _unknown_speakers(name: str) -> RunError:
    return RunError(
        f"adapting by {name} must know who speaks, but no speaker is named. Give a list with a column `speaker`, or "
        f"have them guessed: pseudo-speakers|{name}."
    )


def _own(chosen: Chosen, by_features: bool, speakers: bool) -> Shift:
    own, names = chosen.recipe.normalise, chosen.headline.adaptations
    if PROTOCOL[own] == TRANSDUCTIVE:
        names = (own,)
    if names == ("speaker",) and by_features and not speakers:
        note = "no speakers are known: the statistics are of all recordings together, not of each speaker"
        return Shift("corpus", "corpus", note=note)
    if len(names) == 1:
        return _by_name(chosen, names[0], by_features, speakers)
    usable = [name for name in names if speakers or not _needs_speakers(name)]
    if choice := _chosen(chosen, usable):
        shift = _by_name(chosen, choice.reading.normalise, by_features, speakers)
        return replace(shift, note=_why(choice, len(usable), len(names)))
    tried = f"tried {', '.join(names)} and cannot say which is best" if names else "was scored zero-shot alone"
    raise RunError(
        f"{chosen.name} {tried} for recordings without labels, so that the way to adapt must be named: "
        f"--adaptation {names[0] if names else 'coral'}."
    )


def _needs_speakers(name: str) -> bool:
    first, _, rest = name.partition("|")
    if first in STATISTICS:
        return first == "speaker" or bool(rest and make_adaptation(rest).needs_speakers)
    return make_adaptation(name).needs_speakers


def _chosen(chosen: Chosen, names: Collection[str]) -> ReadingChoice | None:
    """Return which of these ways to adapt did best with this model's recipe, method and readout; None if none can."""
    if chosen.reader is None or not names:
        return None
    results = read_results(chosen.run, ("cells",)).table
    model = Choice(chosen.method, chosen.reader, chosen.accuracy)
    choice, _ = reading_of_new(results, (chosen.recipe.name, chosen.source), model, names)
    return None if choice is None or math.isnan(choice.validation) else choice


def _why(choice: ReadingChoice, usable: int, tried: int) -> str:
    places = ", ".join(choice.places[:_SHOWN])
    more = f" and {len(choice.places) - _SHOWN} more" if len(choice.places) > _SHOWN else ""
    unknown = f" ({tried - usable} of {tried} are left out: no speakers are known)" if usable < tried else ""
    return (
        f"{choice.reading.normalise} was chosen of {usable} adaptations{unknown} by the mean UA "
        f"{choice.validation:.2f} on {places}{more}; no label of these recordings has a part in it: "
        "--adaptation names another"
    )


def embedded_together(
    shift: Shift, embedder: Embedder, heard: Sequence[tuple[Request, np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, list[float]]:
    """Return the embeddings (N, D) of a list's recordings, before an adaptation, and how many seconds each lasts.

    Args:
        shift: how the list's own statistics are used.
        embedder: of the model.
        heard: of each recording the request, the raw rows (W, F) of its windows and their samples (W,). Statistics of
            features are those of all windows, which are clips of a length that the model knows.

    Raises:
        CorpusError: too few rows to take statistics of.
    """
    by_window = shift.kind != "source"
    check_rows(sum(len(rows) for _, rows, _ in heard) if by_window else len(heard), shift)
    # Who is not known is nobody's like, and gets the statistics of all.
    names = [request.speaker or f"unknown {place}" for place, (request, *_) in enumerate(heard)]
    speakers = [name for name, (_, rows, _) in zip(names, heard, strict=True) for _ in rows]
    encoded = shift.embed(embedder, np.concatenate([rows for _, rows, _ in heard]), speakers)
    ends = np.cumsum([len(rows) for _, rows, _ in heard])[:-1]
    weights = [counts for *_, counts in heard]
    means = [np.average(rows, axis=0, weights=w) for rows, w in zip(np.split(encoded, ends), weights, strict=True)]
    seconds = [float(counts.sum()) / embedder.rate for counts in weights]
    return np.stack(means).astype(np.float32), seconds


def check_rows(count: int, shift: Shift) -> None:
    """Refuse to take statistics of a handful of recordings.

    Raises:
        CorpusError: fewer than five, of which a mean and a deviation say more of these than of the target.
    """
    if count < SPEAKER_MINIMUM:
        raise CorpusError(
            f"adapting by {shift.name} needs {SPEAKER_MINIMUM} recordings at least, since it takes their own "
            f"statistics, but {count} can be used. Give more recordings of the same kind, or predict zero-shot."
        )
