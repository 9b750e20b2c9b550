"""The target of a search: a card, a table, or a folder of recordings of which nobody says a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import pyarrow.parquet as pq

from xlser.corpora.card import card_paths
from xlser.corpora.globbing import AUDIO_SUFFIXES, walk
from xlser.data.dataset import Dataset
from xlser.data.formats.about import About
from xlser.data.formats.anyformat import dataset_name, is_dataset, is_manifest
from xlser.data.formats.arrow_types import holds_audio
from xlser.data.formats.cells import cell_text
from xlser.data.formats.rows import LABELS, import_rows, import_table
from xlser.data.formats.saved_datasets import is_saved
from xlser.data.formats.table_options import TableOptions
from xlser.data.formats.table_paths import place_paths
from xlser.data.formats.table_reader import read_rows
from xlser.data.formats.table_votes import with_votes
from xlser.errors import CorpusError, did_you_mean
from xlser.experiment.corpora import Origin, corpus_name, corpus_texts, find_corpus
from xlser.experiment.workplace import Workplace
from xlser.vocabulary import UNLABELLED

# BCP 47 for a language that nobody names: nothing here depends on it.
NO_LANGUAGE = "und"
NOBODY = "Unknown"
_OWN_LABELS = ("db.yaml", "metadata.csv", "metadata.jsonl", "metadata.parquet")


def find_target(text: str, place: Workplace, speakers: str | None = None) -> list[Origin]:
    """Find a target before anything of it is read.

    A folder gives all audio below it, without labels and speakers; one with a table of its own (an audformat database,
    a Hugging Face dataset or audio folder) is read by that. Of other tables labels and speakers are read where they
    have them.

    Args:
        text: a card's name or path, ``a+b``, a table, or a folder. A word that is no card's name is a folder.
        place: where corpora lie; a table's paths start from its root, if it has one.
        speakers: the column of a table that says who speaks; or a table of files and speakers.

    Raises:
        CardError, CorpusError: nothing is there, it is a single recording, or ``speakers`` is neither.
    """
    path = Path(text).expanduser()
    if path.is_file() and path.suffix.lower() in AUDIO_SUFFIXES:
        raise CorpusError(
            f"target {text} is one recording: a model is made for many of a kind. Give their folder; "
            "`xlser predict` reads one by a model that is there."
        )
    column, table = _named_speakers(text, speakers)
    origins = [_origin(path, place, column)] if _is_own(text) else find_corpus(text, place)
    if table is None:
        return origins
    return [Origin(one.name, partial(_with_speakers, one, table)) for one in origins]


def target_name(text: str) -> str:
    """Return what a target is called; no row is read.

    Raises:
        CardError, CorpusError: there is none.
    """
    return dataset_name(Path(text)) if _is_own(text) else "+".join(map(corpus_name, corpus_texts(text)))


def apart(target: Dataset, sources: Sequence[Dataset]) -> Dataset:
    """Return the target under a name that no source has: a folder may be called like a corpus."""
    names = {part for dataset in sources for part in dataset.name.split("+")}
    if target.name not in names or target.facts.card_hash:
        return target
    name = next(name for name in (target.name + "-target" * times for times in count(1)) if name not in names)
    frame = target.frame.assign(corpus=name)
    return replace(
        target,
        manifest=replace(target.manifest, frame=frame, card=name),
        facts=replace(target.facts, name=name, title=name),
    )


def _is_own(text: str) -> bool:
    """Say whether a target is a path that is read here; a card goes before a folder of its name."""
    if is_dataset(text):
        return True
    return Path(text).expanduser().is_dir() and text not in card_paths()


def _named_speakers(text: str, speakers: str | None) -> tuple[str | None, Path | None]:
    """Return the column, or the table, that says who speaks."""
    if not speakers:
        return None, None
    if Path(speakers).expanduser().is_file():
        return None, Path(speakers).expanduser()
    if Path(text).expanduser().is_file() and _is_own(text):
        return speakers, None
    raise CorpusError(
        f"--speakers must be a table with a column of files and one of speakers, or, where the target is a table, the "
        f"name of its column, but {speakers!r} is no file and {text} is no table. Write one, or leave --speakers: "
        "voices are then told apart by their sound."
    )


def _origin(path: Path, place: Workplace, column: str | None) -> Origin:
    name = dataset_name(path)
    root = place.roots.get(name)
    if path.is_file() and not _keeps_itself(path):
        return Origin(name, partial(_of_table, path, name, TableOptions(root, columns=_speaker(column))))
    if path.is_file() or any((path / file).is_file() for file in _OWN_LABELS) or is_saved(path):
        return Origin(name, partial(_of_any, path, place, root, column))
    return Origin(name, partial(_of_folder, path, name))


def _of_any(path: Path, place: Workplace, root: Path | None, column: str | None) -> Dataset:
    return Dataset.from_manifest(path, cache=place.cache, root=root, language=NO_LANGUAGE, columns=_speaker(column))


def _speaker(column: str | None) -> dict[str, str]:
    return {"speaker": column} if column else {}


def _keeps_itself(path: Path) -> bool:
    """Say whether a file is a manifest of xlser, or holds its recordings: it is read as it is everywhere."""
    if is_manifest(path):
        return True
    return path.suffix.lower() == ".parquet" and any(holds_audio(kind) for kind in pq.read_schema(path).types)


def _of_folder(folder: Path, name: str) -> Dataset:
    folder = folder.expanduser().resolve()
    paths = [path for path in walk(folder) if Path(path).suffix.lower() in AUDIO_SUFFIXES]
    if not paths:
        known = ", ".join(sorted(AUDIO_SUFFIXES))
        raise CorpusError(
            f"target {folder} must hold at least an audio file ({known}), but holds none. Give another folder."
        )
    rows = [{"path": path, "emotion": UNLABELLED, "speaker": NOBODY} for path in paths]
    found = import_rows(rows, folder, About(name, NO_LANGUAGE)).manifest
    return _unnoted(Dataset.of(found))


def _of_table(path: Path, name: str, options: TableOptions) -> Dataset:
    """Return a table's recordings: one without labels, or without speakers, is a target too."""
    table, about = read_rows(path, options), About(name, NO_LANGUAGE, keep_unread=True)
    labelled = set(LABELS.split("|")) & set(table.heads) or with_votes(table, about).read
    if not labelled:
        table = replace(table, columns=replace(table.columns, heads=table.heads | {"emotion": "emotion"}))
    rows = [row | {"speaker": cell_text(row.get("speaker")) or NOBODY} for row in table.rows]
    if "emotion" in table.heads:
        rows = [row | {"emotion": cell_text(row.get("emotion")) or UNLABELLED} for row in rows]
    base, fixed = options.folder(path), options.root is not None
    return _unnoted(
        Dataset.of(import_table(replace(table, rows=rows), base, about, fixed=fixed, complete=False).manifest)
    )


def _unnoted(dataset: Dataset) -> Dataset:
    """Return it without the note that every unknown speaker counts as one: here nobody counts them."""
    notes = [note for note in dataset.notes if "speakers called Unknown" not in note]
    return dataset.with_manifest(replace(dataset.manifest, notes=notes))


def _with_speakers(origin: Origin, path: Path) -> Dataset:
    """Return a target with the speakers that a table names.

    Raises:
        CorpusError: the table has no column of files or of speakers, or names no recording of the target.
    """
    dataset = origin.read()
    table = read_rows(path, needed=("path", "speaker"))
    places = place_paths((row.get("path") for row in table.rows), dataset.manifest.root, path.name, complete=False)
    names: dict[str, str] = {}
    for row in table.rows:
        file, speaker = places.paths.get(cell_text(row.get("path")) or ""), cell_text(row.get("speaker"))
        if file and speaker:
            names[str(places.root / file)] = speaker
    files = [str(file.resolve()) for file in dataset.manifest.files()]
    there = [
        names.get(file) or names.get(str(path)) for file, path in zip(files, dataset.manifest.files(), strict=True)
    ]
    if not any(there):
        hint = did_you_mean(Path(next(iter(names), "")).name, [Path(file).name for file in files])
        raise CorpusError(
            f"table {path} names no recording of {dataset.name}, in {dataset.manifest.root}; {hint}. Its paths must "
            "be those of the target's files, absolute or as they stand below its folder."
        )
    unknown = [f"unknown:{name}" for name in dataset.frame["path"]]
    frame = dataset.frame.assign(speaker=[name or other for name, other in zip(there, unknown, strict=True)])
    missing = there.count(None)
    notes = [f"{path.name} does not say who speaks in {missing} of {len(there)} recordings"] if missing else []
    manifest = replace(dataset.manifest, frame=frame, notes=[*dataset.manifest.notes, *notes])
    return dataset.with_manifest(manifest)
