"""A few labelled recordings of the target on top of what was found without any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xlser.errors import CorpusError
from xlser.evaluation.adapting import FittedChain
from xlser.evaluation.bootstrap import SpeakerBootstrap
from xlser.evaluation.corrections import Correction
from xlser.evaluation.labelled_clips import fit_with_shots, protocol
from xlser.evaluation.smoothing import FittedNeighbours
from xlser.evaluation.transfer import ua_samples
from xlser.experiment.best.domains import Domain
from xlser.experiment.best.outcome import Outcome, predictions
from xlser.systems.combined import Combined


def with_shots(outcome: Outcome, away: Domain, few_shot: pd.DataFrame) -> Outcome:
    """Return an outcome whose model was corrected by labelled recordings of its target; see `fit_with_shots`.

    The candidates keep their scores, which no shot had a part in. Where the target has labels, a note says what the
    shots brought on all other recordings.

    Args:
        outcome: of a search.
        away: the target.
        few_shot: ``file``, a path, and ``emotion``, as xlser calls it.

    Raises:
        CorpusError: none of the files is a recording of the target, or none has an emotion that is told apart.
    """
    labels = _labels(away, few_shot)
    known, task, model = labels != None, outcome.task, outcome.model  # noqa: E711 (an array of objects)
    before = model.probabilities(away.values, away.speakers)
    model, shots = max((_corrected(base, away, labels, task.classes) for base in _bases(model)), key=_told)
    after = model.probabilities(away.values, away.speakers)
    gained = _gain(away, task.classes, known, (before, after))
    missing = len(few_shot) - int(known.sum())
    gone = [f"{missing} labelled file(s) are no recordings of {away.name} that could be used"] if missing else []
    result = replace(
        outcome.result,
        protocol=protocol(list(labels[known]), task.classes),
        looks_at=(*outcome.result.looks_at, "labels"),
        decisions=(*outcome.result.decisions, *shots.notes),
        notes=(*outcome.result.notes, *gone, *gained),
        predictions=tuple(predictions(away, task, after)),
    )
    return replace(outcome, result=result, model=model)


def _bases(model: Combined) -> list[Combined]:
    """Return the model, and the same without what spreads answers over neighbours, which spreads the errors too."""
    steps: Any = model.fitted
    kept = list(takewhile(lambda step: not isinstance(step, FittedNeighbours), steps.steps))
    return [model] if len(kept) == len(steps.steps) else [model, replace(model, fitted=FittedChain(tuple(kept)))]


def _corrected(
    model: Combined, away: Domain, labels: np.ndarray, classes: tuple[str, ...]
) -> tuple[Combined, Correction]:
    """Return a model with its correction by the labelled recordings as its last step, and that."""
    known = labels != None  # noqa: E711 (an array of objects)
    rows, said = model.joint(away.values, away.speakers), model.probabilities(away.values, away.speakers)
    speakers = None if away.speakers is None else away.speakers[known]
    shots = fit_with_shots(rows[known], said[known], labels[known], classes, around=(rows, said), speakers=speakers)
    steps: Any = model.fitted
    return replace(model, fitted=FittedChain((*steps.steps, shots))), shots


def _told(corrected: tuple[Combined, Correction]) -> float:
    """Return how well labelled recordings were told that were left out; of equals the model as it was found stays."""
    return corrected[1].left_out


def _labels(away: Domain, few_shot: pd.DataFrame) -> np.ndarray:
    """Return the label of each recording of the target, (N,), None where the table has none."""
    named: Mapping[str, str] = {
        str(Path(file).resolve()): str(label) for file, label in zip(few_shot["file"], few_shot["emotion"], strict=True)
    }
    labels = np.array([named.get(str(Path(path).resolve())) for path in away.dataset.manifest.files()], dtype=object)
    if not any(label is not None for label in labels):
        raise CorpusError(
            f"none of the {len(few_shot)} labelled files is a recording of {away.name}, such as "
            f"{few_shot['file'].iloc[0] if len(few_shot) else 'none'}. Label recordings of the target."
        )
    return labels


def _gain(
    away: Domain, classes: tuple[str, ...], known: np.ndarray, several: tuple[np.ndarray, np.ndarray]
) -> list[str]:
    """Say what shots brought on the recordings that are none; nothing where fewer than two emotions are left."""
    judged = away.labelled(classes) & ~known
    if len(set(away.labels[judged])) < 2:
        return []
    draws, scores = SpeakerBootstrap(away.dataset.people, 1), []
    for shares in several:
        said = np.array(classes)[shares.argmax(axis=1)]
        scores.append(float(ua_samples([(judged, said)], away.labels, classes, draws)[0]))
    return [
        f"on the {int(judged.sum())} labelled recordings of {away.name} that are no shots, UA is "
        f"{100 * scores[1]:.1f} % with the shots and {100 * scores[0]:.1f} % without"
    ]
