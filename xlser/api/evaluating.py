"""A trained model read on a dataset, with intervals from the dataset's speakers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from xlser.api.embedding import embed_dataset
from xlser.api.recogniser import Recogniser
from xlser.data.dataset import Dataset
from xlser.errors import CorpusError
from xlser.evaluation.adaptations import make_adaptation, written
from xlser.evaluation.adapting import Adaptation
from xlser.evaluation.bootstrap import SpeakerBootstrap
from xlser.evaluation.scored import Evaluation, Score
from xlser.evaluation.shrunk import known_names
from xlser.evaluation.transfer import View, class_rows, correlation_rows
from xlser.experiment.use.adapted_reading import AdaptedReading
from xlser.experiment.use.combined_model import CombinedChoice
from xlser.vocabulary import TRANSDUCTIVE, ZERO_SHOT

_MODEL = "model"


def evaluate(
    model: Recogniser,
    dataset: Dataset,
    *,
    adapt: Adaptation | str | Sequence[Any] | None = None,
    draws: int = 1000,
    level: float = 0.95,
    shared_speakers: bool = False,
) -> Evaluation:
    """Return how well a model does on a dataset.

    ::

        scores = xl.evaluate(model, mine, adapt=xl.Coral())
        scores["UA"].value, scores["UA"].interval, scores.to_frame()

    Emotions that both have are scored, as ``model.predict`` would name them among these; ratings are correlated with
    what the model gives for each dimension that it was taught.

    Args:
        model: fitted.
        dataset: with labels, or ratings.
        adapt: makes up for the dataset's shift by its unlabelled recordings: the result is ``transductive`` then, and
            ``zero-shot`` without. An adaptation, several in a `Chain` or a list, or their text such as
            ``"speaker-or-corpus|prior=uniform"``. Labels never choose what it looks at: all recordings are.
        draws: resamplings of the speakers for each interval.
        level: of the intervals.
        shared_speakers: allow speakers that the model was trained or validated on; their scores say little of others.

    Raises:
        CorpusError: speakers that the model knows, fewer than two shared emotions and no rating, too few recordings
            for ``adapt``, or probabilities to be corrected of an emotion without a training clip.
    """
    if not shared_speakers:
        check_speakers(model, dataset)
    used, vectors = embed_dataset(model.model.embedder, dataset, model.cache, progress=model.progress)
    chosen = model.model.chosen
    adaptation = None if adapt is None else make_adaptation(adapt)
    reading = None
    if adaptation is not None:
        if isinstance(chosen, CombinedChoice):
            model.model.shift(adaptation, [])
        speakers = known_names(used.frame["speaker"], len(vectors)).tolist()
        reading = AdaptedReading.of(model.model, adaptation, vectors, speakers, _shared(model, used))
        vectors = reading.embeddings
    draw = SpeakerBootstrap(used.frame["speaker"], draws, seed=0)
    emotions = _emotions(model, vectors, used, reading=reading, draw=draw, level=level)
    table = [*emotions.scores, *_ratings(model, vectors, used, draw=draw, level=level)]
    if not table:
        raise CorpusError(
            f"{dataset.name} cannot be scored: of the model's emotions ({', '.join(model.classes)}) it must have two, "
            "or ratings of a dimension that the model gives, but has neither"
        )
    left = used.frame["emotion"][~used.frame["emotion"].isin(emotions.classes)]
    return Evaluation(
        model=model.model.text(),
        source=model.source,
        target=dataset.name,
        protocol=_protocol(chosen, adaptation),
        adapt=written(adaptation) if adaptation else "",
        classes=emotions.classes,
        dropped=dict(Counter(left)),
        scores={score.metric: score for score in table},
        confusion=emotions.confusion,
        predictions=emotions.predictions,
        left_out=used.left_out,
        notes=reading.fitted.notes if reading else (),
    )


def _protocol(chosen: Any, adaptation: Adaptation | None) -> str:
    """Return the protocol that a result stands under: nothing of the target is looked at where no step does."""
    if adaptation is not None and adaptation.looks_at:
        return TRANSDUCTIVE
    return chosen.protocol if isinstance(chosen, CombinedChoice) else ZERO_SHOT


@dataclass(frozen=True)
class _Emotions:
    """The emotions that were scored, and what was found: none of it where fewer than two are shared."""

    classes: tuple[str, ...]
    scores: list[Score]
    confusion: pd.DataFrame
    predictions: pd.DataFrame


def _emotions(
    model: Recogniser,
    vectors: np.ndarray,
    dataset: Dataset,
    *,
    reading: AdaptedReading | None,
    draw: SpeakerBootstrap,
    level: float,
) -> _Emotions:
    frame = dataset.frame
    classes = _shared(model, dataset)
    judged = frame[["id", "speaker", "emotion"]].rename(columns={"emotion": "truth"}).set_index("id")
    if len(classes) < 2:
        return _Emotions((), [], pd.DataFrame(), judged)
    who = list(frame["speaker"])
    labels, shares = reading.read(model.model, classes) if reading else model.model.read(vectors, classes, who)
    view = View(np.ones(len(frame), dtype=bool), {_MODEL: labels})
    rows, counts = class_rows({_MODEL: [view]}, frame["emotion"].to_numpy(), classes, draw, level)
    speakers = int(frame["speaker"][frame["emotion"].isin(classes)].nunique())
    confusion = pd.DataFrame(counts).pivot(index="truth", columns="prediction", values="count").astype(int)
    return _Emotions(
        classes,
        [_score(str(row["metric"]), row, level, speakers) for row in rows],
        confusion.loc[list(classes), list(classes)],
        judged.assign(prediction=labels, **dict(zip(classes, shares.T, strict=True))),
    )


def check_speakers(model: Recogniser, dataset: Dataset) -> None:
    """See that no speaker of a dataset is one that the model learnt or was chosen by.

    Raises:
        CorpusError: some are; they are named.
    """
    chosen = model.model.chosen
    # Who trained is in the store as well as in the results; who validated, in the results alone.
    splits = () if isinstance(chosen, CombinedChoice) else chosen.job.home.get("splits", ())
    rows = [row["speakers"] for row in splits if row["seed"] == chosen.seed]
    names = {name for parts in rows for part in ("train", "validation") for name in parts[part]}
    names |= set(model.model.own.about["speaker"])
    known = names if "+" in chosen.source else {f"{chosen.source}/{name}" for name in names}
    met = sorted(known & set(dataset.people))
    if met:
        raise CorpusError(
            f"{dataset.name}: the model was trained or chosen on {len(met)} of its speakers ({', '.join(met[:5])}"
            f"{' ...' * (len(met) > 5)}): scores on them say little of others. Take other speakers, or ask for it by "
            "name: shared_speakers=True"
        )


def _shared(model: Recogniser, dataset: Dataset) -> tuple[str, ...]:
    """Return the emotions that both have."""
    return tuple(name for name in model.classes if (dataset.frame["emotion"] == name).any())


def _ratings(
    model: Recogniser, vectors: np.ndarray, dataset: Dataset, *, draw: SpeakerBootstrap, level: float
) -> list[Score]:
    dimensions = model.model.dimensions
    if dataset.ratings_kind == "none":
        return []
    ratings = {name: dataset.frame[name].to_numpy(dtype=float) for name in dimensions.given_by}
    given = dimensions.read_all(vectors)
    view = View(np.ones(len(vectors), dtype=bool))
    view.axes.update({(name, dimensions.given_by[name]): values for name, values in given.items()})
    rows = correlation_rows({_MODEL: [view]}, ratings, draw, level)
    speakers = {name: int(dataset.frame["speaker"][np.isfinite(values)].nunique()) for name, values in ratings.items()}
    return [
        _score(f"{row['statistic']} {row['dimension']}", row, level, speakers[str(row["dimension"])]) for row in rows
    ]


def _score(metric: str, row: dict[str, Any], level: float, speakers: int) -> Score:
    interval = (float(row["low"]), float(row["high"]))
    value, chance = float(row["value"]), float(row["chance"])
    return Score(metric, value, interval, level, chance, int(row["utterances"]), speakers)
