"""The best model for a target that can be had from given corpora, as Python users ask for it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from xlser.api.recogniser import Recogniser, load
from xlser.data.dataset import Dataset
from xlser.evaluation.candidates import BestResult
from xlser.experiment.best.about import about_best
from xlser.experiment.best.question import BestQuestion
from xlser.experiment.best.scoring import OnProgress
from xlser.experiment.best.search import find_best
from xlser.experiment.best.targets import apart, find_target
from xlser.experiment.workplace import Workplace
from xlser.features.frozen_encoder import Encoder
from xlser.vocabulary import EMOTIONS


@dataclass(frozen=True)
class Best:
    """A model for a target, and the ``result`` of the search that it comes from."""

    model: Recogniser
    result: BestResult


def best(
    sources: Sequence[Dataset],
    target: Dataset | str | Path,
    *,
    encoder: str | None = None,
    emotions: Sequence[str] = EMOTIONS,
    minutes: float = 10.0,
    few_shot: pd.DataFrame | None = None,
    transductive: bool = True,
    out: str | Path | None = None,
    cache: str | Path | None = None,
    jobs: int | None = None,
    progress: OnProgress | None = None,
) -> Best:
    """Return the best model for a target that can be found within a time, without a look at any of its labels.

    ::

        found = xl.best([emodb, ravdess], "recordings/", encoder="openai/whisper-tiny", minutes=10)
        found.model.predict("recordings/call.wav").probabilities
        found.result.chosen, found.result.to_frame()

    With two or more sources each is left out in turn as a pretended target, and what does best on these is taken. The
    default, a wide ensemble adapted to the target's recordings, stands unless another candidate is clearly better. The
    model reads further recordings one by one, with what was fitted to the target.

    Args:
        sources: labelled, one at least.
        target: a dataset, whose labels are only scored by; or a folder of recordings, or a table of them.
        encoder: weights of a pretrained speech encoder; without it eGeMAPS alone are heard.
        emotions: that are told apart, as far as the sources have them.
        minutes: of search, features excepted.
        few_shot: labelled recordings of the target, columns ``file`` and ``emotion``.
        transductive: False looks at nothing of the target.
        out: a folder for the model, which `xlser.load` and ``xlser predict`` read; a temporary one unless given.
        cache: of features; xlser's cache folder unless given.
        jobs: threads; all cores unless given.
        progress: called with a `Progress` after every few candidates.

    Raises:
        CorpusError: a source without a scored emotion; nothing left to learn from without what the target holds too.
    """
    place = Workplace(jobs=jobs, progress=False, say=lambda text: None)
    place.cache = Path(cache) if cache else place.cache
    if not isinstance(target, Dataset):
        parts = [origin.read() for origin in find_target(str(target), place)]
        target = apart(parts[0].concat(*parts[1:]), sources)
    temporary = tempfile.TemporaryDirectory(prefix="xlser-") if out is None else None
    folder = Path(temporary.name if temporary else str(out))
    result = find_best(
        sources,
        target,
        place,
        encoder=encoder,
        emotions=emotions,
        minutes=minutes,
        out=folder,
        few_shot=few_shot,
        transductive=transductive,
        on_progress=progress,
    )
    asked = BestQuestion(tuple(one.name for one in sources), target.name, encoder, tuple(emotions), transductive)
    checkpoints = [] if encoder is None else Encoder(encoder).pretrained()
    more = about_best(asked, sources, target, checkpoints)
    result = replace(result, about=dict(result.about) | more)
    result.write(folder)
    model = load(folder, cache=place.cache)
    model._temporary = temporary  # as long as the model is there, so is its folder
    return Best(model, result)
