"""Facts for the model card of one model of a run or bench."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from xlser.evaluation.choice import choose
from xlser.evaluation.headline import Headline, protocol_of
from xlser.evaluation.results import CellScore, Results
from xlser.local_paths import without_places
from xlser.reporting.modelcard.model_facts import CardScore, ModelFacts
from xlser.reporting.wording import as_yaml, number, reader_name
from xlser.vocabulary import FEATURES, TARGET, TRANSDUCTIVE

# Where recordings lay, and which clip stood in which part: a table of them may be long, and names them.
_LEFT_OUT = ("source", "targets", "description")
_PLAIN = "features without a network"


def facts_of_run(
    results: Results, place: tuple[str, str], method: str, reader: str | None, *, seed: int, validation: float
) -> ModelFacts:
    """Return what the model card of a model says.

    Args:
        results: of the run, or of the bench: what is about its recipe and source at least.
        place: names of its recipe and of its source.
        method: and ``reader``: its network and what speaks for it; None where it learnt ratings alone.
        seed: of its training.
        validation: the reader's UA on the source's validation speakers; nan where there is none.
    """
    recipe, home = results.recipes[place[0]], results.homes[place]
    row = dict(home["about"] if results.kind == "bench" else results.table["corpora"][0])
    written = str((recipe.get("features") or {}).get("extractor", ""))
    scores = [one for one in results.scores() if (one.recipe, one.source) == place]
    return ModelFacts(
        title=f"{place[1]}/{place[0]}/{method}/{seed}",
        classes=tuple(recipe["emotions"]) if reader else (),
        ratings=tuple(_ratings(home, method)),
        learnt_from=(row,),
        adapted_to=(),
        made=tuple(_made(recipe, method, reader)),
        scores=tuple(_scores(results, recipe, scores, method, reader)),
        validation=_validation(place[1], method, reader, validation),
        plain=_PLAIN if "encoder" not in recipe else "the pretrained encoder before any training",
        checkpoints=results.provenance.checkpoints,
        holds_checkpoint="encoder" in recipe and not recipe["encoder"].get("lora"),
        holds=(
            f"It holds a vector of numbers for each clip of {place[1]} that it was trained on, none of which is sound.",
        ),
        opensmile="egemaps" in written or "compare" in written,
        versions=results.provenance.versions,
        random="random:" in written or str((recipe.get("encoder") or {}).get("weights", "")).startswith("random:"),
        recipe=as_yaml(_shown(recipe)),
    )


def _ratings(home: Mapping[str, Any], method: str) -> list[str]:
    return list(dict.fromkeys(row["dimension"] for row in home["correlation"] if row["method"] == method))


def _made(recipe: Mapping[str, Any], method: str, reader: str | None) -> list[tuple[str, str]]:
    normalise = (recipe.get("features") or {}).get("normalise", "source")
    adapted = f"targets are z-scored by statistics of: {normalise}" if protocol_of(recipe) == TRANSDUCTIVE else "none"
    return [
        ("Method", f"{method} of the recipe {recipe['name']}"),
        ("Read by", reader_name(reader) if reader else "a direction of each rated dimension"),
        ("Adaptation", f"{adapted}; a recording by itself is read zero-shot"),
    ]


def _validation(source: str, method: str, reader: str | None, value: float) -> str:
    if reader is None or math.isnan(value):
        return "No emotions were scored on validation speakers."
    return f"UA {number(value)} on validation speakers of {source}, read by {reader_name(reader)}."


def _scores(
    results: Results, recipe: Mapping[str, Any], scores: list[CellScore], method: str, reader: str | None
) -> list[CardScore]:
    """Return the zero-shot UA on every target, and the one by the recipe's own adaptation."""
    mine = Headline.of(recipe, scores, method, reader).scores
    own = (recipe.get("features") or {}).get("normalise", "source")
    shown = [one for one in mine if one.protocol != TRANSDUCTIVE or one.normalise == own]
    plain = choose(_rows(results), [FEATURES])
    beside = {
        (one.corpus, one.protocol, one.normalise): one
        for one in scores
        if plain and (one.role, one.method, one.readout) == (TARGET, FEATURES, plain.classifier)
    }
    titles = _titles(results)
    made = []
    for one in shown:
        other = beside.get((one.corpus, one.protocol, one.normalise))
        pair = (other.value, *other.interval) if other else (math.nan, math.nan, math.nan)
        how = f"statistics of the {one.normalise}" if one.protocol == TRANSDUCTIVE else ""
        title = titles.get(one.corpus, one.corpus)
        made.append(CardScore(one.corpus, title, one.protocol, how, one.value, *one.interval, one.chance, *pair))
    return made


def _rows(results: Results) -> list[dict[str, Any]]:
    return [row for home in results.homes.values() for row in home["transfer"]]


def _titles(results: Results) -> dict[str, str]:
    if results.kind == "run":
        return {str(row["corpus"]): str(row["title"]) for row in results.table["corpora"]}
    return {str(cell["target"]): str(cell["about"].get("title", cell["target"])) for cell in results.table["cells"]}


def _shown(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe without what names recordings or places."""
    kept: dict[str, Any] = without_places({key: value for key, value in recipe.items() if key not in _LEFT_OUT})
    if "split" in kept:
        kept["split"] = {key: value for key, value in kept["split"].items() if key != "given"}
    return kept
