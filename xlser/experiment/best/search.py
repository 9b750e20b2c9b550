"""The search: candidates are tried on pretended targets and one is taken; only then is a target's label looked at."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from xlser.data.dataset import Dataset
from xlser.evaluation.candidates import BestResult
from xlser.experiment.best.domains import Domain, check_sources, read_domain, without_copies
from xlser.experiment.best.fits import Fits, Task
from xlser.experiment.best.folds import pretended
from xlser.experiment.best.outcome import Outcome
from xlser.experiment.best.saving import save_best
from xlser.experiment.best.scoring import OnProgress, Search
from xlser.experiment.best.shots import with_shots
from xlser.experiment.best.stages import Stages
from xlser.experiment.best.trials import Trials
from xlser.experiment.workplace import Workplace
from xlser.features.extractor import Extractor
from xlser.features.representation import SOUNDING, Representation, columns_of, together
from xlser.vocabulary import EMOTIONS


def find_best(
    sources: Sequence[Dataset],
    target: Dataset,
    place: Workplace,
    *,
    encoder: str | None = None,
    emotions: Sequence[str] = EMOTIONS,
    minutes: float = 10.0,
    out: str | Path | None = None,
    few_shot: pd.DataFrame | None = None,
    transductive: bool = True,
    on_progress: OnProgress | None = None,
    trials: Trials | None = None,
) -> BestResult:
    """Find the best model for a target that can be had from sources, without a look at any of its labels.

    Args:
        sources: learnt from; with two or more each is left out in turn as a pretended target.
        target: its recordings are adapted to; its labels, if there are any, are only scored by, at the very end.
        place: where features are cached.
        encoder: weights of a pretrained speech encoder, whose hidden states are candidates beside eGeMAPS.
        emotions: that are told apart, as far as the sources have them.
        minutes: of search, features excepted.
        out: a folder for the model and ``best.json``; nothing is written unless given.
        few_shot: labelled recordings of the target, ``file`` and ``emotion``: they correct what was found without.
        transductive: False leaves out every candidate that looks at the target.
        on_progress: gets a `Progress` after every batch.
        trials: where scores are kept, so that a search that is stopped can go on.

    Raises:
        CorpusError: a source without a scored emotion; nothing left to learn from without what the target holds too.
    """
    layers = hidden_states(encoder)
    extractor = everything(layers, encoder, transductive)
    read = [read_domain(dataset, extractor, emotions, place) for dataset in sources]
    away = read_domain(target, extractor, emotions, place)
    jobs = place.jobs or os.cpu_count() or 1
    question = Question(tuple(emotions), tuple(columns_of(extractor)), layers, transductive, 60 * minutes, jobs)
    outcome = find_among(read, away, question, Fits(), on_progress, trials=trials)
    if few_shot is not None:
        outcome = with_shots(outcome, away, few_shot)
    if out is not None:
        save_best(outcome, Path(out), encoder)
    return outcome.result


@dataclass(frozen=True)
class Question:
    """What a search is asked besides its corpora: see `find_best`."""

    emotions: tuple[str, ...]
    columns: tuple[str, ...]
    layers: tuple[int, ...]
    transductive: bool
    seconds: float
    jobs: int


def find_among(
    read: Sequence[Domain],
    away: Domain,
    question: Question,
    fits: Fits,
    on_progress: OnProgress | None = None,
    *,
    trials: Trials | None = None,
) -> Outcome:
    """Do as `find_best`, with corpora whose features are there; ``fits`` of the same corpora may be used again."""
    kept, decisions = without_copies(read, away)
    classes = check_sources(kept, question.emotions)
    task = Task(tuple(kept), away.hidden(speakers=True), classes, question.columns)
    folds, chosen_by = pretended(task)
    search = Search(folds, question.seconds, question.jobs, fits, on_progress, trials or Trials())
    chosen = search.run(Stages(question.layers, question.transductive).run(search))
    with threadpool_limits(1):
        decisions += fits.notes(task, chosen)
        return Outcome.of(search, task, away, chosen, decisions=decisions, chosen_by=chosen_by)


def hidden_states(encoder: str | None) -> tuple[int, ...]:
    """Return the numbers of an encoder's hidden states; none without one.

    Raises:
        RecipeError, RunError: the weights are not there.
    """
    if encoder is None:
        return ()
    from xlser.models.checkpoints import checkpoint_facts

    return tuple(range(checkpoint_facts(encoder, revision=None, seed=0).layers + 1))


def everything(layers: tuple[int, ...], encoder: str | None, transductive: bool = True) -> Extractor:
    """Return the extractor of all that any candidate hears: without a look at the target, frames that sound alone."""
    heard = ("all", SOUNDING) if transductive else (SOUNDING,)
    states = [Representation(False, layers, "mean+std", frames) for frames in heard] if layers else []
    return together([Representation(True), *states], encoder)
