"""What `xlser best` does: corpora read, the folder claimed, the search made or gone on with, its result written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from xlser.corpora.faults import some
from xlser.data.dataset import Dataset
from xlser.errors import CorpusError, RecipeError, XlserError
from xlser.evaluation.candidates import BestResult, read_best
from xlser.experiment.best.about import about_best
from xlser.experiment.best.bar import SearchBar
from xlser.experiment.best.left_out import leave_one_out
from xlser.experiment.best.question import BestQuestion, check_folder, check_question
from xlser.experiment.best.search import find_best
from xlser.experiment.best.shot_table import read_shots
from xlser.experiment.best.targets import apart, find_target, target_name
from xlser.experiment.best.trials import TRIALS, Trials
from xlser.experiment.changes import changed
from xlser.experiment.corpora import corpus_name, corpus_texts, find_corpus
from xlser.experiment.results_folder import aside_of, own
from xlser.experiment.run_inputs import look_at, with_contents, write_inputs
from xlser.experiment.workplace import Workplace
from xlser.features.frozen_encoder import Encoder
from xlser.systems.combined import is_combined

LEAST = 2


def run_best(
    question: BestQuestion, out: str | Path, place: Workplace | None = None, *, minutes: float = 10
) -> BestResult:
    """Find the best model for a target within a time, and write it below ``out``: see `find_best`.

    ``out`` gets the model, ``best.json``, ``inputs.parquet`` and the claim. Asked the same again it is left as it is,
    and so it is with more minutes where all had been tried. Where a label, a recording, a card or the checkpoint has
    changed since, what it held is moved into a folder beside it, and all is done anew.

    Raises:
        XlserError: bad input of any kind, before features are extracted wherever it can be seen before.
    """
    place, out = place or Workplace(), Path(out)
    check_question(question, minutes)
    check_folder(question, out)
    with place.swept(), own(out, question.claim()) as held:
        sources, target = read_question(question, place)
        checkpoints = _pretrained(question.encoder)
        shots = None if question.few_shot is None else read_shots(question.few_shot, target.manifest.root)
        inputs = look_at([*sources, target], checkpoints)
        differs = changed(out, inputs)
        if not differs and (done := _finished(out, minutes)):
            place.say(f"{out} is finished; choose another --out, or more --minutes, to search anew")
            return done
        aside = aside_of(out) if differs else None
        if aside:
            place.say(f"what {out} was computed from has changed, so that it is computed anew: {'; '.join(differs)}")
        _say(sources, target, place)
        held.begin(aside=aside)
        write_inputs(with_contents(inputs, []), out)
        with SearchBar(60 * minutes, place.progress, place.say) as bar:
            result = find_best(
                sources,
                target,
                place,
                encoder=question.encoder,
                emotions=question.emotions,
                minutes=minutes,
                out=out,
                few_shot=shots,
                transductive=question.transductive,
                on_progress=bar,
                trials=Trials(out / TRIALS),
            )
        result = replace(
            result, about=dict(result.about) | about_best(question, sources, target, inputs.checkpoints, out)
        )
        result.write(out)
        return result


def run_left_out(question: BestQuestion, place: Workplace | None = None, *, minutes: float = 10) -> list[BestResult]:
    """Find the best model for each source as the target of all others; see `leave_one_out`.

    Raises:
        XlserError: see `run_best`; or something is asked of a target, which is not there.
    """
    place = place or Workplace()
    check_question(question, minutes)
    if question.few_shot or question.speakers:
        raise RecipeError("--few-shot and --speakers are about a target: leave them, or give --target.")
    sources, checkpoints = read_sources(question, place), _pretrained(question.encoder)
    with SearchBar(60 * minutes, place.progress, place.say) as bar:
        results = leave_one_out(
            sources,
            place,
            encoder=question.encoder,
            emotions=question.emotions,
            minutes=minutes,
            transductive=question.transductive,
            on_progress=bar,
        )
    about = {
        dataset.name: about_best(question, [own for own in sources if own is not dataset], dataset, checkpoints)
        for dataset in sources
    }
    return [replace(one, about=dict(one.about) | about[one.target]) for one in results]


def read_sources(question: BestQuestion, place: Workplace, more: Sequence[str] = ()) -> list[Dataset]:
    """Find every source before any is read, and return them.

    Args:
        question: what is asked.
        place: where corpora lie.
        more: names of other corpora that a root may be given for.

    Raises:
        CardError, CorpusError: one is not there or named twice, or a root was given for none of these.
    """
    texts = [part for text in question.sources for part in corpus_texts(text)]
    names = [corpus_name(text) for text in texts]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CorpusError(f"--sources names {', '.join(twice)} twice. Name each corpus once.")
    place.check_roots([*names, *more])
    origins = [origin for text in texts for origin in find_corpus(text, place)]
    return [origin.read() for origin in origins]


def read_question(question: BestQuestion, place: Workplace) -> tuple[list[Dataset], Dataset]:
    """Find every corpus that is named before any is read, and return the sources and the target.

    Raises:
        CardError, CorpusError: one is not there or named twice, or a root was given for none of these.
    """
    targets = find_target(question.target, place, question.speakers)
    sources = read_sources(question, place, target_name(question.target).split("+"))
    read = [origin.read() for origin in targets]
    target = apart(read[0].concat(*read[1:]), sources)
    if len(target) < LEAST and question.transductive:
        raise CorpusError(
            f"target {target.name} must have {LEAST} recordings at least to be adapted to, but has {len(target)}. Give "
            "more of the same kind, or look at nothing of them: --zero-shot."
        )
    return sources, target


def _finished(out: Path, minutes: float) -> BestResult | None:
    """Return what a folder holds where it is whole, and where more minutes would find nothing more."""
    try:
        result = read_best(out)
    except XlserError:
        return None
    enough = 60 * minutes <= result.budget.asked or not result.budget.not_tried
    return result if is_combined(out) and "out" in result.about and enough else None


def _pretrained(encoder: str | None) -> list[dict[str, Any]]:
    """Return name and hash of the checkpoint; its files are looked at, not loaded.

    Raises:
        RecipeError, RunError: it is not there, or damaged.
    """
    return [] if encoder is None else Encoder(encoder).pretrained()


def _say(sources: Sequence[Dataset], target: Dataset, place: Workplace) -> None:
    for dataset, role in [*((source, "source") for source in sources), (target, "target")]:
        left = sum(map(len, dataset.left_out.values()))
        place.say(f"  {role} {dataset.name}: {len(dataset)} recordings" + (f", {left} left out" if left else ""))
        for reason, paths in dataset.left_out.items():
            place.say(f"    left out, {reason}: {some(paths)}")
        for note in dataset.notes:
            place.say(f"    note: {note}")
