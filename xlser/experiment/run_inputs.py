"""What a run's numbers came from: its corpora's tables, the bytes of their recordings, and its checkpoints."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from typing_extensions import TypedDict

from xlser.atomic import replacing
from xlser.data.audio import content_hash
from xlser.data.dataset import Dataset
from xlser.data.excerpts import Excerpt, excerpts
from xlser.data.manifest import SCHEMA, read_manifest
from xlser.errors import XlserError
from xlser.experiment.corpora import AnyRecipe, Corpus, find_corpora
from xlser.experiment.workplace import Workplace
from xlser.features.extractors import make_extractor
from xlser.fileformats import VERSIONS
from xlser.jsonfile import parse_json
from xlser.machine import check_opens, pass_on_machine, stop_if_of_machine
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.typedtable import is_typed, typed

INPUTS = "inputs.parquet"
OF, FILE, CONTENT = "of", "file", "content"
UNREAD = "cannot be read"  # how the reason of a recording that may not be opened begins
STAMP = ("size", "modified", "status_changed")
# A file that changed in the last moments may change again within one step of the disk's clock: its stamp says nothing.
_UNSETTLED = 2_000_000_000
_STORED = [pa.field(OF, pa.string()), *(column.with_nullable(True) for column in SCHEMA)]
_STORED += [pa.field(name, pa.int64()) for name in STAMP] + [pa.field(CONTENT, pa.string())]

_NEEDED = [one for one in _STORED if one.name in (OF, CONTENT, "id", "path", *STAMP)]


@typed
class InputsAbout(TypedDict):
    """What stands beside the table of `INPUTS`."""

    facts: dict[str, dict[str, Any]]
    checkpoints: list[dict[str, Any]]


@dataclass
class RunInputs:
    """What a run reads, as far as a change of it can change a number or a word of its results.

    ``table`` has a row for each utterance of each corpus, ``of`` which it is: the columns of a manifest, the stamp of
    its recording (size, both times of change in ns; -1 where it says nothing) and ``content``, the SHA-256 of its file,
    None where it is not known. Before it is written it also has ``file``, where that lies. ``facts`` are those of each
    corpus's card, ``checkpoints`` name and hash of pretrained weights. ``whole`` is False for what an older xlser left:
    manifests alone, without the rows that it could not decode. ``unread`` are paths, by corpus, of recordings that
    were left out for a reason that may pass, or, of such an older run, for any.
    """

    table: pd.DataFrame
    facts: dict[str, dict[str, Any]]
    checkpoints: list[dict[str, Any]]
    whole: bool = True
    unread: dict[str, set[str]] = field(default_factory=dict)


def read_inputs_of(recipe: AnyRecipe, place: Workplace) -> tuple[dict[str, list[Dataset]], RunInputs]:
    """Find and read the tables of every corpus that a recipe names, and look at its checkpoints; no recording is read.

    Returns:
        The corpora by the recipe's texts, the source first; and what `look_at` makes of them.

    Raises:
        XlserError: a card, a folder, a file or a checkpoint is not there, or cannot be used.
    """
    origins = find_corpora(recipe, place)
    checkpoints = checkpoint_identities(recipe)
    parts = {text: [origin.read() for origin in several] for text, several in origins.items()}
    return parts, look_at([part for several in parts.values() for part in several], checkpoints)


def look_at(datasets: Sequence[Dataset], checkpoints: list[dict[str, Any]]) -> RunInputs:
    """Return the inputs of a run without reading a recording: no ``content`` is known yet.

    Args:
        datasets: each corpus that it names, those that are put together one by one.
        checkpoints: see `checkpoint_identities`.
    """
    named: dict[str, Dataset] = {}
    for dataset in datasets:
        name = dataset.name
        if name in named and _same(named[name], dataset):
            continue
        while name in named:  # two of one name: the recipe's order tells them apart
            name += "'"
        named[name] = dataset
    frames = [_stamped(dataset).assign(**{OF: name}) for name, dataset in named.items()]
    facts = {name: _plain(asdict(dataset.facts)) for name, dataset in named.items()}
    unread = {
        name: {path for reason, paths in dataset.left_out.items() if reason.startswith(UNREAD) for path in paths}
        for name, dataset in named.items()
    }
    return RunInputs(pd.concat(frames, ignore_index=True), facts, checkpoints, unread=unread)


def checkpoint_identities(recipe: AnyRecipe) -> list[dict[str, Any]]:
    """Return name and hash of every pretrained encoder that a recipe names; its files are looked at, not loaded.

    Raises:
        RecipeError, RunError: one is not there, or damaged.
    """
    if not isinstance(recipe, EncoderRecipe):
        return make_extractor(recipe.features.extractor).pretrained()
    from xlser.models.checkpoints import checkpoint_facts

    choice = recipe.encoder
    identity = checkpoint_facts(choice.weights, revision=choice.revision).identity
    return [{"weights": choice.weights, "revision": choice.revision, **identity}]


def with_contents(inputs: RunInputs, corpora: Sequence[Corpus]) -> RunInputs:
    """Return the inputs with the content of every recording: as the corpora's data know it, else by reading it."""
    table = inputs.table
    alone = set(table[FILE][~table.duplicated([OF, FILE], keep=False)])  # of other rows the content is that of a part
    known: dict[str, str | None] = {}
    for corpus in corpora:
        parts = zip(excerpts(corpus.dataset.manifest), corpus.data.contents, strict=True)
        known |= {str(part.path): content for part, content in parts if part == Excerpt(part.path)}
    known = {path: content for path, content in known.items() if path in alone}
    for path in dict.fromkeys(table[FILE]):
        if path not in known:
            known[path] = content_of(path)
    inputs.table = table.assign(**{CONTENT: [known[path] for path in table[FILE]]})
    return inputs


def content_of(path: str) -> str | None:
    """Return the SHA-256 of a file; None where it cannot be opened at present.

    Raises:
        MachineError: it could be, but for the machine.
    """
    try:
        return content_hash(path)
    except OSError as error:
        stop_if_of_machine(error, f"reading {path}")
        return None


def write_inputs(inputs: RunInputs, out: Path) -> None:
    """Write `INPUTS` into a run's folder, in one step."""
    about = {"schema": VERSIONS["inputs"], "facts": inputs.facts, "checkpoints": inputs.checkpoints}
    schema = pa.schema(_STORED).with_metadata({"xlser": json.dumps(about)})
    frame = inputs.table.reindex(columns=schema.names)
    with replacing(out / INPUTS, durable=True) as temporary:
        pq.write_table(pa.Table.from_pandas(frame, schema, preserve_index=False), temporary)


def read_inputs(out: Path) -> RunInputs | None:
    """Return the inputs that a run folder was computed from, as far as it says so; None where it says nothing."""
    try:
        check_opens(out / INPUTS)
        table = pq.read_table(out / INPUTS)
        about = parse_json((table.schema.metadata or {})[b"xlser"])
        if not is_typed(InputsAbout, about) or not all(table.schema.field(one.name).equals(one) for one in _NEEDED):
            raise ValueError("other columns or facts")
        return RunInputs(table.to_pandas(), about["facts"], about["checkpoints"])
    except (OSError, pa.ArrowException, ValueError, KeyError) as error:
        pass_on_machine(error, f"reading {out / INPUTS}")
        return _of_manifests(out)


def _of_manifests(out: Path) -> RunInputs | None:
    frames, unread = [], {}
    for path in sorted((out / "manifests").glob("*.parquet")):
        try:
            manifest = read_manifest(path)
        except XlserError:
            continue
        frames.append(manifest.frame.assign(**{OF: manifest.card, CONTENT: None} | dict.fromkeys(STAMP, -1)))
        unread[manifest.card] = {path for paths in manifest.left_out.values() for path in paths}
    return RunInputs(pd.concat(frames, ignore_index=True), {}, [], False, unread) if frames else None


def _same(one: Dataset, other: Dataset) -> bool:
    return one.manifest.root == other.manifest.root and one.frame.equals(other.frame)


def _stamped(dataset: Dataset) -> pd.DataFrame:
    files = list(map(str, dataset.manifest.files()))
    stamps = {path: _stamp(path) for path in dict.fromkeys(files)}
    columns = dict(zip(STAMP, zip(*(stamps[path] for path in files), strict=True), strict=True))
    # Of objects: a text column of pandas cannot hold a folder's name that is no Unicode.
    about = {FILE: pd.Series(files, dtype=object), CONTENT: pd.Series([None] * len(files), dtype=object)}
    return dataset.frame.reset_index(drop=True).assign(**columns, **about)


def _stamp(path: str) -> tuple[int, int, int]:
    try:
        found = os.stat(path)
    except OSError as error:
        stop_if_of_machine(error, f"looking at {path}")
        return (-1, -1, -1)
    settled = found.st_mtime_ns < time.time_ns() - _UNSETTLED
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns) if settled else (-1, -1, -1)


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts as JSON gives them back, without the card's hash: what of a card counts is what it makes of rows."""
    return dict(json.loads(json.dumps({name: value for name, value in facts.items() if name != "card_hash"})))
