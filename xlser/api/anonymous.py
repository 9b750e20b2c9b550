"""A saved model without what tells of recordings, speakers, people and machines: what may leave the house."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from xlser.api.saved_folder import README
from xlser.evaluation.candidates import BestResult, read_best
from xlser.evaluation.results_file import RESULTS, write_json
from xlser.experiment.checkpoint_places import CARRIED, called
from xlser.experiment.encoders import MODEL, untrained_fingerprint
from xlser.experiment.start import read_about_start
from xlser.experiment.use.folder import Chosen
from xlser.experiment.use.model import STORE
from xlser.experiment.use.saved import load_saved
from xlser.local_paths import without_places
from xlser.reporting.modelcard.model_facts import ModelFacts
from xlser.store.datastore import Datastore
from xlser.systems.combined import SAVED, is_combined
from xlser.training.checkpoint import load_state, read_about, save_state
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.vocabulary import FEATURES

# What a row of a corpus says of it as a whole; notes and lists of files name recordings.
_CORPUS = (
    *(
        "corpus",
        "title",
        "role",
        "language",
        "synthetic",
        "elicitation",
        "licence",
        "citation",
        "card_hash",
        "verified",
    ),
    *("utterances", "speakers", "hours", "ratings", "rated", "emotions", "labels"),
)
_ABOUT = (
    *(
        "recipe",
        "recipes",
        "recipe_hash",
        "sources",
        "targets",
        "few_shot",
        "seeds",
        "synthetic",
        "protocol",
        "columns",
    ),
    *("baseline", "checkpoints", "versions", "finished"),
)
_ABOUT_SEARCH = ("versions", "finished", "seconds", "default", "encoder", "corpora", "checkpoints")
_CELL = (
    *("recipe", "source", "target", "about", "classes", "baseline", "normalise", "transfer", "correlation", "choices"),
    "checkpoints",
)
# Must be there, and may be empty.
_CELL_EMPTIED = ("notes", "confusion", "nuisances", "dimensions", "few_shot", "few_shot_areas", "trust")
_BENCH = ("schema", "trained", "chosen", "matrix", "comparisons", "languages", "failed", "holes")
_UNKNOWN = "unknown:"
# Something like a file's name in a sentence.
_FILE = re.compile(r"\w\.[A-Za-z][A-Za-z0-9]{1,3}\b")
_NAMES = ("names", "home_names")


@dataclass(frozen=True)
class Renamed:
    """Speakers by their own names, and what they are called instead; checkpoints by what names them, and what will."""

    speakers: Mapping[str, str]
    checkpoints: Mapping[str, tuple[str, str | None]]

    @classmethod
    def of(cls, speakers: Iterable[str], facts: ModelFacts) -> Renamed:
        """Number speakers in the order of their names: what goes by that order stays as it was."""
        names = sorted({name for name in speakers if name})
        numbered = {name: f"speaker-{place:04d}" for place, name in enumerate(names, 1)}
        known = {name: _UNKNOWN * name.startswith(_UNKNOWN) + text for name, text in numbered.items()}
        asked = {
            one.weights: (one.hub, one.commit or one.revision) if one.hub else (called(one.weights), None)
            for one in facts.checkpoints
        }
        return cls(known, asked)

    def speaker(self, name: str) -> str:
        """Return what a speaker is called; nobody stays nobody."""
        return self.speakers.get(name, "")

    def portable(self, value: Any) -> Any:
        """Return JSON in which checkpoints bear names that mean the same everywhere, and without paths."""
        if isinstance(value, dict):
            made = {key: self.portable(inner) for key, inner in value.items()}
            for key, more in (("weights", "revision"), ("name", "commit")):
                if isinstance(value.get(key), str) and value[key] in self.checkpoints:
                    made[key], revision = self.checkpoints[value[key]]
                    made |= {more: revision} if revision or more in made else {}
            return made
        if isinstance(value, (list, tuple)):
            return [self.portable(inner) for inner in value]
        return self.checkpoints[value][0] if value in self._texts else without_places(value)

    @property
    def _texts(self) -> set[str]:
        return set(self.checkpoints)


def make_anonymous(folder: Path, facts: ModelFacts) -> ModelFacts:
    """Take out of a saved model's folder whatever tells of recordings and people; return what its card may say.

    Predictions stay as they are, bit for bit. Clips bear numbers instead of ids and paths, speakers likewise; tables
    of single recordings are gone, and so are commands, notes and paths. Who speaks in a recording of a search's target
    is still known by the recording's hash, under a number.

    Args:
        folder: of `save_model`; what is not of the model is not there.
        facts: of the model card.
    """
    searched = is_combined(folder)
    about = json.loads((folder / SAVED).read_text(encoding="utf-8")) if searched else {}
    store_paths = sorted(path for path in folder.rglob(STORE) if CARRIED not in path.parts)
    stores = {path: Datastore.load(path) for path in store_paths}
    renamed = Renamed.of([*_speakers(about), *(name for store in stores.values() for name in _who(store))], facts)
    words = set(renamed.speakers)
    if searched:
        write_json(folder / SAVED, _search(about, renamed), indent=1)
        _result(read_best(folder), renamed, words).write(folder)
    else:
        _run(folder, renamed)
    for path in sorted(path for path in folder.rglob("*.json") if CARRIED not in path.parts):
        value = json.loads(path.read_text(encoding="utf-8"))
        write_json(path, renamed.portable(value), indent=1)
    for path in sorted(path for path in folder.rglob(MODEL) if path.parent.name.startswith("seed-")):
        _weights(path, renamed)
    for path, store in stores.items():
        _store(store, renamed, _encoder(folder, store)).save(path)
    (folder / README).unlink(missing_ok=True)
    return _untold(facts, words)


def _who(store: Datastore) -> list[str]:
    return [*(store.groups or ()), *store.about.get("speaker", ())]


def _speakers(about: Mapping[str, Any]) -> set[str]:
    """Return the names of speakers in the table of a search's model."""
    known = set(about.get("about", {}).get("speakers", {}).values())
    chains = [member["chain"] for member in about.get("members", ())] + [about.get("chain", {})]
    return known | {name for chain in chains for name in _names(chain)}


def _names(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for inner in value for name in _names(inner)]
    if not isinstance(value, dict):
        return []
    own = [name for key in _NAMES for name in value.get(key) or ()]
    return own + [name for key, inner in value.items() if key not in _NAMES for name in _names(inner)]


def _search(table: Mapping[str, Any], renamed: Renamed) -> dict[str, Any]:
    about = dict(table["about"])
    about["speakers"] = {content: renamed.speaker(name) for content, name in about["speakers"].items()}
    members = [{**member, "chain": _chain(member["chain"], renamed)} for member in table["members"]]
    return {**table, "about": about, "members": members, "chain": _chain(table["chain"], renamed)}


def _chain(value: Any, renamed: Renamed) -> Any:
    """Return a fitted chain with other names of speakers, and without its notes."""
    if isinstance(value, list):
        return [_chain(inner, renamed) for inner in value]
    if not isinstance(value, dict):
        return value
    made = {key: _chain(inner, renamed) for key, inner in value.items() if key not in _NAMES}
    made |= {key: [renamed.speaker(name) for name in value[key] or ()] for key in _NAMES if key in value}
    return made | ({"notes": []} if "notes" in value else {})


def _result(result: BestResult, renamed: Renamed, words: set[str]) -> BestResult:
    about = {key: value for key, value in result.about.items() if key in _ABOUT_SEARCH}
    about["corpora"] = [_corpus(row) for row in about.get("corpora", ())]
    about |= {"command": ""} if "command" in result.about else {}
    kept = {result.chosen, result.baseline, result.oracle}
    return replace(
        result,
        candidates=tuple(row for row in result.candidates if row.name in kept),
        decisions=_sentences(result.decisions, words),
        notes=_sentences(result.notes, words),
        predictions=(),
        about=renamed.portable(about),
    )


def _run(folder: Path, renamed: Renamed) -> None:
    """Keep of the results of a run or bench what says how the model is read, and how good it is."""
    chosen = load_saved(folder)
    if chosen is None:
        return
    table = json.loads((folder / RESULTS).read_text(encoding="utf-8"))
    made = _of_bench(table, chosen) if "cells" in table else _of_run(table, chosen)
    write_json(folder / RESULTS, renamed.portable(made), indent=1)


def _of_bench(table: Mapping[str, Any], chosen: Chosen) -> dict[str, Any]:
    about = _about(table) | {"sources": [chosen.source]}
    about["recipes"] = {chosen.recipe.name: _recipe(table["about"]["recipes"][chosen.recipe.name])}
    return {**{key: table[key] for key in _BENCH if key in table}, "about": about, "cells": _cells(table)}


def _cells(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    cells = []
    for cell in table["cells"]:
        emptied = {key: type(cell[key])() for key in _CELL_EMPTIED if isinstance(cell.get(key), (list, dict))}
        kept = {key: cell[key] for key in _CELL if key in cell}
        cells.append({**kept, **emptied, "about": _corpus(cell["about"])})
    return cells


def _of_run(table: Mapping[str, Any], chosen: Chosen) -> dict[str, Any]:
    mine, methods = (chosen.method, chosen.seed), {chosen.method, FEATURES}
    return {
        "schema": table.get("schema"),
        "about": _about(table) | {"recipe": _recipe(table["about"]["recipe"])},
        "corpora": [_corpus(row) for row in table["corpora"]],
        "splits": [_split(row) for row in table["splits"] if row["seed"] == chosen.seed],
        "confusion": [],
        **{key: [row for row in table[key] if (row["method"], row["seed"]) == mine] for key in ("curves", "choices")},
        **{key: [row for row in table[key] if row["method"] in methods] for key in ("transfer", "correlation")},
    }


def _about(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table["about"].items() if key in _ABOUT} | {"notes": [], "command": ""}


def _recipe(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe without the parts of a split that name recordings or speakers."""
    return {key: value for key, value in recipe.items() if key not in ("split", "description")}


def _corpus(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in _CORPUS if key in row} | {"left_out": {}, "notes": []}


def _split(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "speakers": {part: [] for part in row["speakers"]}, "shared": []}


def _weights(path: Path, renamed: Renamed) -> None:
    tensors, about = load_state(path, read_about(path, "save the model again").get("fingerprint", ""))
    save_state(path, tensors, renamed.portable(about))


def _encoder(folder: Path, store: Datastore) -> str:
    """Return what made a store's vectors: of an encoder before training it is told by the name of the checkpoint."""
    chosen = None if is_combined(folder) else load_saved(folder)
    if chosen is None or chosen.method != FEATURES or not isinstance(chosen.recipe, EncoderRecipe):
        return store.encoder
    return untrained_fingerprint(read_about_start(chosen.job.folder), chosen.recipe)


def _store(store: Datastore, renamed: Renamed, encoder: str) -> Datastore:
    about = {name: list(column) for name, column in store.about.items() if name not in ("path", "speaker")}
    about["path"] = [""] * len(store)
    if "speaker" in store.about:
        about["speaker"] = [renamed.speaker(name) for name in store.about["speaker"]]
    return Datastore(
        store.embeddings,
        [f"clip-{place:06d}" for place in range(1, len(store) + 1)],
        metric=store.metric,
        labels=store.labels,
        groups=None if store.groups is None else [renamed.speaker(name) for name in store.groups],
        about=about,
        encoder=encoder,
        index=store.index,
    )


def _untold(facts: ModelFacts, words: set[str]) -> ModelFacts:
    return replace(
        facts,
        decided=_sentences(facts.decided, words),
        warned=_sentences(facts.warned, words),
        checkpoints=tuple(replace(one, weights=called(one.weights)) for one in facts.checkpoints),
    )


def _sentences(sentences: Iterable[str], words: set[str]) -> tuple[str, ...]:
    """Return the sentences that name no file and no speaker; a speaker's number alone is none."""
    names = {word for word in words if not word.isdigit()}
    return tuple(text for text in sentences if not _FILE.search(text) and not names & set(re.split(r"[^\w/:-]+", text)))
