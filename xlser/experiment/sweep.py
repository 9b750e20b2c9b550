"""Every hidden state of an encoder under several poolings: extracted once, read on every corpus, one of them chosen."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from xlser.bars import tqdm
from xlser.data.dataset import Dataset
from xlser.errors import CorpusError, RecipeError
from xlser.evaluation.layers import LayerSweep, State
from xlser.experiment.cases import Case
from xlser.experiment.checkpoint_origins import checkpoint_origins
from xlser.experiment.corpora import Corpus, copies, corpus_name, corpus_texts, find_corpus, prepare
from xlser.experiment.layer_scores import Scorer
from xlser.experiment.results_folder import provenance
from xlser.experiment.scores import shared_classes
from xlser.experiment.seeds import fold_note, make_seeds, split_row
from xlser.experiment.states import Home, Reading
from xlser.experiment.workplace import Workplace
from xlser.features.extractor import Extractor
from xlser.features.extractors import make_extractor, written_as
from xlser.features.frozen_encoder import STATISTICS, Encoder
from xlser.schema import validate
from xlser.training.recipe import Recipe
from xlser.vocabulary import EMOTIONS, TARGET, VALIDATION

POOLINGS = ("mean", "mean+std", "mean+std+min+max")
Columns = dict[State, np.ndarray]


def sweep_layers(
    encoder: Encoder,
    sources: Sequence[Dataset],
    targets: Sequence[Dataset],
    place: Workplace,
    *,
    layers: Sequence[int] | None = None,
    poolings: Sequence[str] = POOLINGS,
    emotions: Sequence[str] = EMOTIONS,
    seeds: int = 3,
    reference: Extractor | str | None = "egemaps",
    draws: int = 1000,
    level: float = 0.95,
) -> LayerSweep:
    """Do what `xlser.api.probing.probe_layers` says, which is this function's public face."""
    began = time.time()
    columns, extractor = _plan(encoder, layers, poolings, _extractor(reference))
    _check_corpora(sources, targets)
    recipe = _recipe(extractor, sources, targets, emotions, seeds=seeds, draws=draws, level=level)
    source = _joined(sources, recipe, place)
    made = make_seeds(recipe, source)  # a split that cannot be made is told before the targets are read
    if len(found := shared_classes(recipe, source, source)) < 2:
        raise CorpusError(
            f"{source.name} has {len(found)} of the emotions {', '.join(recipe.emotions)}; two are needed. "
            "Name others: emotions=[...], or --emotions"
        )
    cases = [Case(source, VALIDATION, "source")]
    for target in (prepare(dataset, recipe, place) for dataset in targets):
        cases += [Case(target, TARGET, "source"), Case(target, TARGET, "corpus")]
    home, others = Home(recipe, source, made, cases), _left_out(sources, recipe, place)
    scorer = Scorer(recipe)
    for state, reading in _readings(home, others, columns, place):
        scorer.score(state, home, others, reading)
    return scorer.sweep(_about(encoder, home, recipe, began))


def _readings(home: Home, others: list[Home], columns: Columns, place: Workplace) -> Iterator[tuple[State, Reading]]:
    """Yield every state, in order, with what was read of it.

    In threads: processes were a fifth faster on two cores, at the price of a copy of all features for every state.
    """
    tasks = (delayed(Reading.of)(home, others, own) for own in columns.values())
    # One core a thread; and probes silence their warnings one by one, which threads cannot.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        threads = Parallel(place.jobs or os.cpu_count() or 1, backend="threading", return_as="generator")
        with tqdm(total=len(columns), desc="hidden states", disable=not place.progress, leave=False) as bar:
            for state, reading in zip(columns, threads(tasks), strict=True):
                bar.update()
                yield state, reading


def _plan(
    encoder: Encoder, layers: Sequence[int] | None, poolings: Sequence[str], reference: Extractor | None
) -> tuple[Columns, Extractor]:
    """Return one extractor of all that is asked for, and which of its columns each state is.

    Raises:
        RecipeError: what is given is no encoder, or a layer or pooling is out of range.
    """
    from xlser.models.checkpoints import checkpoint_facts

    if not isinstance(encoder, Encoder):
        raise RecipeError(
            f"probe_layers needs a pretrained speech encoder, xl.features.Encoder(WEIGHTS) or its weights, but got "
            f"{encoder!r}, which has no hidden states"
        )
    count = checkpoint_facts(encoder.weights, revision=encoder.revision, seed=encoder.seed).layers + 1
    wrong = [number for number in layers or () if not -count <= number < count]
    if wrong:
        raise RecipeError(
            f"`layers` must be from 0 to {count - 1} ({encoder.weights} has {count} hidden states; -1 is the last), "
            f"but holds {wrong[0]} instead"
        )
    numbers = sorted({number % count for number in range(count) if not layers} | {n % count for n in layers or ()})
    asked = [pooling.split("+") for pooling in poolings]
    try:
        kinds = [kind for kind in STATISTICS if any(kind in parts for parts in asked)]
        for pooling in poolings:
            _changed(encoder, tuple(numbers), pooling)
        whole = _changed(encoder, tuple(numbers), "+".join(kinds))
    except ValueError as error:
        raise RecipeError(f"poolings: {error}") from error
    names = whole.columns()
    found: Columns = {}
    for pooling, parts in zip(poolings, asked, strict=True):
        for number in numbers:
            wanted = [f"layer{number}_{kind}_" for kind in parts]
            found[State(number, pooling)] = np.array(
                [place for start in wanted for place, name in enumerate(names) if name.startswith(start)]
            )
    if reference is None:
        return found, whole
    found[State(None, reference.name)] = np.arange(len(names), len(names) + len(reference.columns()))
    return found, whole + reference


def _extractor(reference: Extractor | str | None) -> Extractor | None:
    try:
        return make_extractor(reference) if isinstance(reference, str) else reference
    except ValueError as error:
        raise RecipeError(f"reference: {error}") from error


def _changed(encoder: Encoder, layer: tuple[int, ...], pooling: str) -> Encoder:
    return replace(encoder, layer=layer, pooling=pooling, combine="side-by-side")


def _check_corpora(sources: Sequence[Dataset], targets: Sequence[Dataset]) -> None:
    """See that there is something to read, and that it was not learnt from.

    Raises:
        RecipeError: no source, no target, or something that is no dataset. CorpusError: a corpus is named twice.
    """
    for name, several in (("sources", sources), ("targets", targets)):
        if isinstance(several, Dataset) or not several or not all(isinstance(item, Dataset) for item in several):
            raise RecipeError(f"probe_layers: `{name}` must be a list of Datasets, one at least")
    names = [part for dataset in (*sources, *targets) for part in dataset.name.split("+")]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CorpusError(
            f"probe_layers: {', '.join(twice)} is named twice among sources and targets. A target must not be a "
            "source: what is learnt from a corpus says little of another one. Take it out of one of them."
        )


def _recipe(
    extractor: Extractor, sources: Sequence[Dataset], targets: Sequence[Dataset], emotions: Sequence[str], **more: Any
) -> Recipe:
    """Return what `xlser run` would be asked for, to read these features without a network."""
    values = {
        "name": "probe-layers",
        "source": "+".join(dataset.name for dataset in sources),
        "targets": [dataset.name for dataset in targets],
        "emotions": list(emotions),
        "features": {"extractor": written_as(extractor)},
        "model": "none",
        "training": {"seeds": more["seeds"]},
        "evaluation": {"draws": more["draws"], "level": more["level"]},
    }
    return validate(Recipe, values, "probe-layers", RecipeError)


def _joined(datasets: Sequence[Dataset], recipe: Recipe, place: Workplace) -> Corpus:
    return prepare(_together(datasets), recipe, place)


def _left_out(sources: Sequence[Dataset], recipe: Recipe, place: Workplace) -> list[Home]:
    """Return, for each of several sources, the others with it as what they are read on; nothing of a single one."""
    homes, quiet = [], replace(place, say=lambda text: None)
    for out in sources if len(sources) > 1 else ():
        rest = _joined([dataset for dataset in sources if dataset is not out], recipe, quiet)
        case = Case(prepare(out, recipe, quiet), TARGET, "source")
        homes.append(Home(recipe, rest, make_seeds(recipe, rest), [case]))
    return homes


def _about(encoder: Encoder, home: Home, recipe: Recipe, began: float) -> dict[str, Any]:
    corpora = list({case.corpus.name: case.corpus for case in home.cases}.values())
    source, *away = corpora
    notes = [
        f"{len(same)} recordings of {target.name} stand in {source.name} too"
        for target in away
        if (same := copies(source, target))
    ]
    labels = [f"{target.name} shares fewer than two of the emotions" for target in away if not _shared(home, target)]
    return {
        "weights": encoder.weights,
        **checkpoint_origins(recipe),
        "window": encoder.window,
        "source": source.name,
        "sources": [*source.parts],
        "targets": [target.name for target in away],
        "emotions": list(recipe.emotions),
        "corpora": [corpus.about("source" if corpus is source else "target") for corpus in corpora],
        "seeds": len(home.seeds),
        "draws": recipe.evaluation.draws,
        "level": recipe.evaluation.level,
        "splits": [split_row(source, seed) for seed in home.seeds],
        "notes": notes + labels + fold_note(recipe, source),
        **provenance(time.time() - began),
    }


def _shared(home: Home, target: Corpus) -> bool:
    return len(shared_classes(home.recipe, home.source, target)) >= 2


def read_datasets(
    sources: Sequence[str], targets: Sequence[str], place: Workplace
) -> tuple[list[Dataset], list[Dataset]]:
    """Find every corpus that is named, before any of them is read, and return the sources and the targets.

    Raises:
        CardError, CorpusError: a card, a folder or a file is not there, or a root was given for no corpus of these.
    """
    parts = [part for text in (*sources, *targets) for part in corpus_texts(text)]
    place.check_roots([corpus_name(part) for part in parts])
    found = {text: find_corpus(text, place) for text in (*sources, *targets)}
    read = {text: [origin.read() for origin in origins] for text, origins in found.items()}
    return [part for text in sources for part in read[text]], [_together(read[text]) for text in targets]


def _together(parts: Sequence[Dataset]) -> Dataset:
    return parts[0].concat(*parts[1:])
